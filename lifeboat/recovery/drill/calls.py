"""Whether a step depended on an answer from what was lost: the gateway's ledger of calls beside the run's journal.

The ledger has every call that reached the lost region's API, whoever made it; the journal has every call that a step
made, and whether its answer was needed. A step depended on the lost region when such a call was answered and was not
marked as best effort (invariant 3).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lifeboat.recovery.journal import Event

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from lifeboat.recovery.journal import Entry

UNANSWERED: Final = "lost"
"""What the ledger says of a call that ended without an answer."""
OWN_KEYS: Final = frozenset({"LIFEBOATDRILL"})
"""Access keys of the workload and of whoever watches: their calls are not recovery's."""


@dataclass(frozen=True, kw_only=True)
class Attempted:
    """Calls of one kind at what was lost.

    Attributes:
        service: As the SDK names it, or ``postgresql``, ``redis``, ``http``.
        operation: As its API names it.
        region: Where.
        made: How many.
        answered: How many of them got an answer.
        by_step: Keys of the steps that made some, sorted; empty: nobody's step did.
        best_effort: Whether the steps' ones were marked so; None when no step made any.
        depended: An answer was there that a step needed, or that nobody could have got.
    """

    service: str
    operation: str
    region: str
    made: int
    answered: int
    by_step: tuple[str, ...]
    best_effort: bool | None
    depended: bool


@dataclass(frozen=True, kw_only=True)
class Window:
    """When and where nothing may be depended on.

    Attributes:
        lost: Regions that the run counts as lost.
        dark: Those of them whose API answers nobody outside.
        begin: When the fault began, seconds since the epoch.
        end: When it was healed.
    """

    lost: frozenset[str]
    dark: frozenset[str]
    begin: float
    end: float


@dataclass
class _Counted:
    made: int = 0
    answered: int = 0
    journaled: int = 0
    needed: int = 0
    steps: set[str] | None = None
    best_effort: bool = True


def attempted(calls: Iterable[Mapping[str, Any]], entries: Iterable[Entry], window: Window) -> tuple[Attempted, ...]:
    """Every kind of call at what was lost, most frequent first.

    Args:
        calls: The gateway's ledger, as `lifeboat.sandbox.gateway.ledger.Entry` has them.
        entries: Of the runs, with those of calls that only read.
        window: What counts.
    """
    counted: dict[tuple[str, str, str], _Counted] = defaultdict(_Counted)
    for call in calls:
        if _counts(call, window):
            kind = counted[call["service"], call["operation"], call["region"]]
            kind.made += 1
            kind.answered += call["answer"] != UNANSWERED
    for entry in entries:
        detail = entry.detail
        # A call that changes something has its outcome in the store and in the mirror alike; both are one.
        if entry.event is not Event.OUTCOME or detail.get("region") not in window.lost:
            continue
        if not window.begin <= entry.wall <= window.end:
            continue
        kind = counted[str(detail.get("service")), str(detail.get("operation")), str(detail.get("region"))]
        kind.journaled += 1
        kind.steps = (kind.steps or set()) | {entry.step or "the run itself"}
        kind.best_effort = kind.best_effort and bool(detail.get("best_effort"))
        kind.needed += detail.get("fault") is None and not detail.get("best_effort")
    return tuple(
        sorted(
            (_attempted(key, kind, window.dark) for key, kind in counted.items()),
            key=lambda each: (-each.made, each.service, each.operation),
        )
    )


def _counts(call: Mapping[str, Any], window: Window) -> bool:
    """A region's own processes are inside: what they get from their own API is no help to anybody else."""
    return (
        call["region"] in window.lost
        # A call that came before the fault and was cut off by it is none that was made at a lost region.
        and window.begin <= call["time"] <= window.end
        and call["principal"] not in OWN_KEYS
        and call["caller"] != call["region"]
    )


def _attempted(key: tuple[str, str, str], kind: _Counted, dark: Collection[str]) -> Attempted:
    service, operation, region = key
    # Servers that are no API of AWS stand in the journal alone, one entry a call.
    made = kind.made or kind.journaled
    impossible = region in dark and kind.answered > 0 and not (kind.steps and kind.best_effort)
    return Attempted(
        service=service,
        operation=operation,
        region=region,
        made=made,
        answered=kind.answered,
        by_step=tuple(sorted(kind.steps or ())),
        best_effort=None if kind.steps is None else kind.best_effort,
        depended=kind.needed > 0 or impossible,
    )
