"""Faults as the user sees them: lines on stderr and an exit code. Everything else is a bug and keeps its traceback."""

from __future__ import annotations

FAILED = 1
"""It was tried and failed."""
BAD_INPUT = 2
"""The configuration or the arguments cannot be used; nothing was done."""
REFUSED = 3
"""A safety check said no; nothing was changed."""


def judge(fault: Exception) -> tuple[int, tuple[str, ...]] | None:
    """Exit code and lines for a fault that a user can do something about, None for any other."""
    # Imported when something failed: what raised the fault has loaded its own module already.
    from lifeboat_contract.errors import ContractError

    from lifeboat.deployment.engine import EngineError
    from lifeboat.deployment.project import InputError, Refused
    from lifeboat.model.settings.faults import SettingsError
    from lifeboat.model.topology import Refused as UnmetObjectives
    from lifeboat.sandbox.state import NoProjectError, SandboxError

    codes: tuple[tuple[type[Exception], int], ...] = (
        (InputError, BAD_INPUT),
        (SettingsError, BAD_INPUT),
        (UnmetObjectives, BAD_INPUT),
        (NoProjectError, BAD_INPUT),
        (Refused, REFUSED),
        (EngineError, FAILED),
        (SandboxError, FAILED),
        (ContractError, FAILED),
    )
    code = next((code for kind, code in codes if isinstance(fault, kind)), None)
    return None if code is None else (code, tuple(str(fault).splitlines()))
