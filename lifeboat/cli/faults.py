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
    if isinstance(fault, OSError):
        return _judge_system(fault)
    # Imported when something failed: what raised the fault has loaded its own module already.
    import psycopg
    import redis
    from botocore.exceptions import BotoCoreError, ClientError
    from lifeboat_contract.errors import ContractError

    from lifeboat.deployment.engine import EngineError
    from lifeboat.deployment.project import InputError, Refused
    from lifeboat.model.plan.refusals import PlanRefused
    from lifeboat.model.settings.faults import SettingsError
    from lifeboat.model.topology import Refused as UnmetObjectives
    from lifeboat.recovery.drill.world import DrillError
    from lifeboat.recovery.errors import RecoveryError, RecoveryRefused
    from lifeboat.recovery.lease_record import LeaseError
    from lifeboat.recovery.lease_store import StoreError
    from lifeboat.sandbox.state import SandboxError, SandboxInputError

    codes: tuple[tuple[type[Exception], int], ...] = (
        (InputError, BAD_INPUT),
        (SettingsError, BAD_INPUT),
        (UnmetObjectives, BAD_INPUT),
        (SandboxInputError, BAD_INPUT),
        (Refused, REFUSED),
        (PlanRefused, REFUSED),
        (RecoveryRefused, REFUSED),
        (LeaseError, REFUSED),
        (RecoveryError, FAILED),
        (StoreError, FAILED),
        (BotoCoreError, FAILED),
        (ClientError, FAILED),
        (psycopg.Error, FAILED),
        (redis.RedisError, FAILED),
        (EngineError, FAILED),
        (DrillError, FAILED),
        (SandboxError, FAILED),
        (ContractError, FAILED),
    )
    code = next((code for kind, code in codes if isinstance(fault, kind)), None)
    if code is None:
        return None
    lines = str(fault).splitlines() or [type(fault).__name__]
    # A server's first line says what is wrong; those after it quote the statement.
    return code, tuple(lines[:1] if isinstance(fault, psycopg.Error) else lines)


def system_line(fault: OSError) -> str:
    """What the system refused, in its words: ``.sandbox/sandbox.json: Is a directory``."""
    # Of the two names of a replacement the second is the user's, the first a temporary file's.
    name = fault.filename2 or fault.filename
    return f"{name}: {fault.strerror}" if name else str(fault.strerror)


def _judge_system(fault: OSError) -> tuple[int, tuple[str, ...]] | None:
    if isinstance(fault, BrokenPipeError):
        # Who read has seen enough, such as `head`.
        return FAILED, ()
    # Without the system's words a program made it up: a bug.
    return None if fault.strerror is None else (FAILED, (system_line(fault),))
