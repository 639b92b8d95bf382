"""The ledger of time without protection: since when a store has no second copy in the other site.

It is kept beside the journal as a run of its own, entry by entry, so that it outlives whoever opened it.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from lifeboat.model.plan.context import Context
from lifeboat.recovery.errors import JournalLost
from lifeboat.recovery.journal import Detail, Entry, Event, Taken

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lifeboat.model.physical import Physical
    from lifeboat.model.plan.graph import Plan
    from lifeboat.recovery.journal import JournalStore

LEDGER: Final = "exposure"
"""Name of its run in the journal."""
_TRIES: Final = 20


def unprotected(plan: Plan, physical: Physical) -> set[str]:
    """Stores that a plan leaves without a second copy, by logical name."""
    context = Context(
        settings=physical.settings,
        topology=physical.topology,
        mode=plan.mode,
        source=plan.source,
        target=plan.target,
        lost=plan.lost,
    )
    return set(context.unprotected)


def open_since(store: JournalStore) -> dict[str, float]:
    """Stores without a second copy, and since when: seconds since the epoch.

    Raises:
        JournalLost: when the journal does not answer.
    """
    return {name: entry.wall for name, entry in _open(store).items()}


def open_for(store: JournalStore, names: Collection[str], *, run: str, wall: float) -> None:
    """Open it for stores; what is open stays as it is.

    Raises:
        JournalLost: when the journal does not answer.
    """
    for name in sorted(set(names) - set(_open(store))):
        _append(store, Event.STARTED, wall, {"store": name, "run": run})


def close(store: JournalStore, *, run: str, wall: float, of_run: str | None = None) -> dict[str, float]:
    """Close it, and return for how long each store was without a second copy, in seconds.

    Args:
        store: The journal.
        run: Who closes it.
        wall: Now.
        of_run: Close only what this run opened.

    Raises:
        JournalLost: when the journal does not answer.
    """
    times: dict[str, float] = {}
    for name, entry in _open(store).items():
        if of_run is None or entry.detail.get("run") == of_run:
            times[name] = round(wall - entry.wall, 3)
            _append(store, Event.DONE, wall, {"store": name, "run": run, "seconds": times[name], "since": entry.wall})
    return times


def reopen(store: JournalStore, *, run: str, wall: float) -> set[str]:
    """Open again what a run closed, from when it was opened first.

    Raises:
        JournalLost: when the journal does not answer.
    """
    closed = [entry for entry in store.read(LEDGER) if entry.event is Event.DONE and entry.detail.get("run") == run]
    opened = set(_open(store))
    names: set[str] = set()
    for entry in closed:
        name = str(entry.detail["store"])
        if name not in opened:
            since = entry.detail.get("since")
            _append(store, Event.STARTED, since if isinstance(since, float) else wall, {"store": name, "run": run})
            names.add(name)
    return names


def _open(store: JournalStore) -> Mapping[str, Entry]:
    found: dict[str, Entry] = {}
    for entry in store.read(LEDGER):
        name = str(entry.detail["store"])
        if entry.event is Event.STARTED:
            found[name] = entry
        else:
            found.pop(name, None)
    return found


def _append(store: JournalStore, event: Event, wall: float, detail: Mapping[str, Detail]) -> None:
    """Add an entry; two that come at once get two numbers."""
    writer = secrets.token_hex(4)
    number = len(store.read(LEDGER)) + 1
    for _ in range(_TRIES):
        try:
            store.append(Entry(run=LEDGER, seq=number, wall=wall, event=event, detail=detail, writer=writer))
        except Taken as taken:
            if taken.entry.writer == writer:
                return
            number += 1
        else:
            return
    raise JournalLost(f"journal: {LEDGER}: others write faster than this: try again")
