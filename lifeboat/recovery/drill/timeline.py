"""What runs did, from their journal: when each step began and ended, and the phases that the declared clock counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifeboat.model.plan.derivation import derive
from lifeboat.model.plan.graph import Mode, Stage
from lifeboat.recovery.exposure import LEDGER
from lifeboat.recovery.journal import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lifeboat.model.physical import Physical
    from lifeboat.model.plan.graph import Plan, PlanStep
    from lifeboat.recovery.journal import Entry

REFUSED = "refused"
STOOD_BACK = "stood back"
"""Refused because another run had claimed the stack: so it should be where several begin at once."""
UNDER_WAY = "under way"
_CLOCK = (Stage.DETECT, Stage.DECIDE, Stage.RECOVER, Stage.VERIFY)
"""Phases that machines go through, in order; communication is people's."""


@dataclass(frozen=True, kw_only=True)
class StepTime:
    """One step of a run; times are seconds since the epoch."""

    step: PlanStep
    began: float
    ended: float | None
    """None when it did not end well."""
    said: str
    took: float | None = None
    """Seconds of its last attempt; None for a gate, which is passed before the run begins."""


@dataclass(frozen=True, kw_only=True)
class RunTime:
    """One run; times are seconds since the epoch."""

    name: str
    mode: Mode
    result: str
    """``done``, ``failed``, ``aborted``, ``refused``, ``stood back`` or ``under way``."""
    began: float
    ended: float | None
    steps: tuple[StepTime, ...]
    why: str = ""
    """Reasons of a refusal, or of a failure."""

    @property
    def told(self) -> str:
        """How it stands and why: what each step said that did not end well, or the reasons of a refusal."""
        stuck = [f"{step.step.key}: {step.said or 'has not ended'}" for step in self.steps if step.ended is None]
        return ": ".join(filter(None, (f"{self.name} is {self.result}", "; ".join(stuck) or self.why)))


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A part of a recovery. Seconds since the fault."""

    stage: Stage
    began: float
    ended: float


@dataclass(frozen=True, kw_only=True)
class Unprotected:
    """A time in which a store had no second copy; seconds since the epoch."""

    store: str
    since: float
    until: float | None
    """None while that lasts."""


def runs(entries: Sequence[Entry], physical: Physical, since: float = 0.0) -> tuple[RunTime, ...]:
    """Every run that began since a moment, oldest first.

    Args:
        entries: The journal.
        physical: Whose plans they carry out.
        since: Seconds since the epoch.
    """
    by_run: dict[str, list[Entry]] = {}
    for entry in entries:
        # Entries without a number are of calls, not of steps.
        if entry.run != LEDGER and entry.seq:
            by_run.setdefault(entry.run, []).append(entry)
    found = [_run(name, sorted(own, key=lambda entry: entry.seq), physical) for name, own in by_run.items()]
    return tuple(sorted((run for run in found if run.began >= since), key=lambda run: run.began))


def _run(name: str, entries: Sequence[Entry], physical: Physical) -> RunTime:
    first, last = entries[0], entries[-1]
    mode = Mode(str(first.detail["mode"]))
    result, why = UNDER_WAY, ""
    if last.event is Event.ENDED:
        result, why = str(last.detail.get("result")), str(last.detail.get("why", ""))
    elif last.event is Event.REFUSED and "claimed_by" in last.detail:
        result = STOOD_BACK
        why = f"as it should: {last.detail['claimed_by']} had claimed the stack, and one run at a time acts"
    elif last.event is Event.REFUSED:
        result, why = REFUSED, str(last.detail.get("reasons", ""))
    over = last.event in {Event.ENDED, Event.REFUSED}
    steps = () if first.event is Event.REFUSED else _steps(entries, _plan(first, mode, physical))
    ended = last.wall if over else None
    return RunTime(name=name, mode=mode, result=result, began=first.wall, ended=ended, steps=steps, why=why)


def _plan(opened: Entry, mode: Mode, physical: Physical) -> Plan:
    detail = opened.detail
    return derive(
        physical.settings,
        physical.topology,
        mode=mode,
        lost=[region for region in str(detail["lost"]).split(",") if region],
        source=str(detail["source"]),
        target=str(detail["target"]),
    )


def _steps(entries: Sequence[Entry], plan: Plan) -> tuple[StepTime, ...]:
    began: dict[str, float] = {}
    done: dict[str, Entry] = {}
    failed: dict[str, Entry] = {}
    for entry in entries:
        if entry.step is None:
            continue
        if entry.event in {Event.STARTED, Event.DONE}:
            # Gates are passed before the run is opened, and only noted in it.
            began.setdefault(entry.step, entry.wall)
        if entry.event is Event.DONE:
            done[entry.step] = entry
        elif entry.event is Event.FAILED:
            failed[entry.step] = entry
    found: list[StepTime] = []
    for key, at in began.items():
        step, ended, last = plan.by_key.get(key), done.get(key), done.get(key) or failed.get(key)
        if step is None:
            continue
        detail: Mapping[str, object] = {} if last is None else last.detail
        took = detail.get("took")
        found.append(
            StepTime(
                step=step,
                began=at,
                ended=None if ended is None else ended.wall,
                said=str(detail.get("said") or detail.get("fault") or ""),
                took=took if isinstance(took, float) else None,
            )
        )
    return tuple(sorted(found, key=lambda each: (each.began, each.step.key)))


def phases(run: RunTime, fault: float) -> tuple[Phase, ...]:
    """The phases of a run that ended well, each from the end of the one before, the first from the fault.

    Args:
        run: The run.
        fault: Seconds since the epoch.
    """
    found: list[Phase] = []
    at = fault
    for stage in _CLOCK:
        ends = [each.ended for each in run.steps if each.step.stage is stage and each.ended is not None]
        if ends:
            # A step of a later phase may have ended first: side by side, the clock goes on with the last.
            ended = max(at, *ends)
            found.append(Phase(stage=stage, began=round(at - fault, 3), ended=round(ended - fault, 3)))
            at = ended
    return tuple(found)


def unprotected(entries: Iterable[Entry], since: float = 0.0) -> tuple[Unprotected, ...]:
    """Times without protection that began since a moment, as the ledger has them."""
    found: list[Unprotected] = []
    opened: dict[str, float] = {}
    for entry in sorted((entry for entry in entries if entry.run == LEDGER), key=lambda entry: entry.seq):
        name = str(entry.detail["store"])
        if entry.event is Event.STARTED:
            opened.setdefault(name, entry.wall)
        elif name in opened:
            found.append(Unprotected(store=name, since=opened.pop(name), until=entry.wall))
    found += [Unprotected(store=name, since=at, until=None) for name, at in opened.items()]
    return tuple(sorted((each for each in found if each.since >= since), key=lambda each: (each.since, each.store)))


def durations(run: RunTime) -> Mapping[tuple[str, str | None], list[float]]:
    """How long each kind of step took, by kind and mechanism; gates are left out: they come before it."""
    found: dict[tuple[str, str | None], list[float]] = {}
    for each in run.steps:
        if each.ended is not None and each.took is not None:
            found.setdefault((each.step.kind, each.step.mechanism), []).append(each.took)
    return found
