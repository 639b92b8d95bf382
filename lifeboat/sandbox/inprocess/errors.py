"""What can go wrong in an in-process deployment."""

from __future__ import annotations

from lifeboat.sandbox.state import SandboxError


class DeployError(SandboxError):
    """The deployment failed; one line that names the resource, the operation and the API's words."""


class StoppedError(Exception):
    """A registration was refused because an earlier one failed."""
