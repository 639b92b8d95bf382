"""The ledger of a gateway's calls, as its control channel tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifeboat.sandbox import supervisor

if TYPE_CHECKING:
    from lifeboat.sandbox.state import Record


def ledger(record: Record, since: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = supervisor.control(record, "GET", f"ledger?since={since}")["calls"]
    return found
