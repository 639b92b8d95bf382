"""Takes back what a run did, as far as it can be: step by step, the latest first, each noted in the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lifeboat.model.plan.graph import Mode
from lifeboat.recovery import run_entries
from lifeboat.recovery.copies import LeftOver
from lifeboat.recovery.errors import JournalLost, RecoveryRefused
from lifeboat.recovery.journal import Event, told_of
from lifeboat.recovery.step_runs import KNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lifeboat.model.plan.graph import Plan
    from lifeboat.recovery.claim import Claim
    from lifeboat.recovery.journal import Entry, Journal
    from lifeboat.recovery.lease_record import LeaseRecord
    from lifeboat.recovery.step_runs import StepRuns

_PROMOTIONS: Final = {"promote_database", "promote_cache"}
"""Kinds of steps after which a store takes writes in the target."""


@dataclass(frozen=True, kw_only=True)
class WayBack:
    """How far it went."""

    told: Mapping[str, str]
    """What became of each step, by key."""
    faults: tuple[str, ...] = ()
    """A line for each step that was not taken back; empty when all of it is over."""


def require_open(plan: Plan, run: str, record: LeaseRecord, entries: Sequence[Entry]) -> None:
    """Refuse to take back a run whose target has the lease, or a copy there that was promoted for good.

    From the lease on clients may have written in the target: what would be taken back is the only store that has it. A
    plan that moves nothing has a target that held the lease before. And from a promotion on that has no undo, what a
    source that is let go again would write reaches no copy.

    Args:
        plan: What the run carries out.
        run: Its name.
        record: The lease as it is.
        entries: What the journal has of the run.

    Raises:
        RecoveryRefused: when there is no way back.
    """
    if plan.mode is not Mode.REJOIN and record.holder == plan.target:
        raise RecoveryRefused(
            f"{run}: {plan.target} holds the lease in epoch {record.epoch}: from there on nothing is taken back",
            f"go on with it (--resume {run}); afterwards `lifeboat failback`, or `lifeboat failover --graceful`, goes "
            f"to {plan.source} without loss",
        )
    for key in run_entries.begun(entries):
        if plan.by_key[key].kind in _PROMOTIONS and plan.by_key[key].undo is None:
            raise RecoveryRefused(f"{run}: {key} has begun and cannot be taken back", f"go on: --resume {run}")


def take_back(steps: StepRuns, journal: Journal, claim: Claim, entries: Sequence[Entry]) -> WayBack:
    """Go back, past what cannot be: one copy that is left over must not keep the source fenced.

    Args:
        steps: Of the run.
        journal: Its journal.
        claim: Kept by somebody meanwhile; nothing more is taken back once it is lost.
        entries: What the journal has of it.

    Raises:
        JournalLost: when the journal takes no entry.
    """
    told: dict[str, str] = {}
    faults: list[str] = []
    for key in run_entries.to_take_back(entries):
        if steps.stop.is_set() or claim.lost:
            return WayBack(told=told, faults=(*faults, "stopped before its end"))
        step = steps.plan.by_key[key]
        why = step.no_undo or "nothing to take back"
        try:
            outcome = steps.take_back(steps.flight(step), journal, claim)
        except JournalLost:
            raise
        except LeftOver as left:
            outcome, why = None, str(left)
        except KNOWN as fault:
            # Journaled neither as undone nor as standing: the next abort begins with it.
            told[key] = told_of(fault)
            faults.append(f"{step.title}: not taken back: {told[key]}")
            steps.progress.line(step, f"not taken back: {told[key]}")
            continue
        if outcome is None:
            told[key] = f"stands: {why}"
            journal.note(Event.STANDS, key, {"why": told[key]})
        else:
            told[key] = outcome.said
            journal.note(Event.UNDONE, key, {"said": outcome.said})
        steps.progress.line(step, told[key])
    return WayBack(told=told, faults=tuple(faults))
