"""What a reader of the contract may be told."""

from __future__ import annotations

import pulumi


class ContractError(pulumi.RunError, ValueError):
    """A contract is missing, of another version, or malformed. One line.

    It is a `pulumi.RunError`, so that Pulumi prints the line and no traceback.
    """
