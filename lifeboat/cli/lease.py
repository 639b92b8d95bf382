"""`lifeboat lease`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from lifeboat.cli.arguments import Json, Stack
from lifeboat.cli.output import show, show_json

if TYPE_CHECKING:
    from lifeboat.recovery.lease_store import Versioned


def lease(stack: Stack, *, json: Json = False) -> None:
    """Print who may write, in which epoch, who is fenced, which run is under way, and what holds the wardens back.

    For example:

      lifeboat lease reskflow

      lifeboat lease reskflow --json
    """
    from lifeboat.cli import recovery

    seen = recovery.reach(stack).lease().read()
    if json:
        show_json(document(seen))
        return
    for name, value in document(seen).items():
        show(f"{name:<8} {_written(value)}")


def document(seen: Versioned) -> dict[str, Any]:
    """A lease as it is printed."""
    record = seen.record
    run = record.run
    return {
        "holder": record.holder,
        "epoch": record.epoch,
        "serving": record.serving,
        "fenced": sorted(record.fenced),
        "stopped": sorted(record.stopped),
        "ttl": record.ttl,
        "owner": record.owner,
        "version": seen.version,
        "hold": None if record.hold is None else {"by": record.hold.by, "reason": record.hold.reason},
        "run": None if run is None else {"id": run.id, "kind": run.kind, "target": run.target, "runner": run.runner},
    }


def _written(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {told}" for name, told in cast("dict[str, str]", value).items())
    if isinstance(value, list):
        return ", ".join(cast("list[str]", value)) or "-"
    return "-" if value in {None, ""} else str(value)
