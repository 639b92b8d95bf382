"""How a recovery ends when it does not end well. Every text is for the operator, one line a reason.

::

    RecoveryError
    ├── StepFailed             a step failed, or missed its deadline
    │   └── ErrorRateExceeded  services fail too often where they were moved to
    ├── RecoveryRefused        a safety check said no; nothing was changed but one journal entry
    └── JournalLost            the journal cannot be written, and so nothing may be done

`lifeboat.cli.faults` gives each its exit code.
"""

from __future__ import annotations


class RecoveryError(Exception):
    """A recovery cannot go on. Its lines are for the user."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class StepFailed(RecoveryError):  # noqa: N818  (it says what happened)
    """A step failed; what was done before it stands, and the run can be resumed or aborted."""


class ErrorRateExceeded(StepFailed):
    """Services fail too often in the site that they were moved to: go back."""


class RecoveryRefused(RecoveryError):  # noqa: N818  (it says what happened)
    """A safety check said no. Nothing was changed; the lines say what and what to do."""


class JournalLost(RecoveryError):  # noqa: N818  (it says what happened)
    """The journal took no entry: without it nothing may be done (invariant 2)."""
