"""Fence the site that is left: seen to have stopped, else waited for until its lease has run out.

Invariant 1 rests on this step: nothing in the target takes writes before it has ended. That the holder's time is over
is known by this process's own clock alone, so a run that another process goes on with looks again (`AGAIN`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.graph import Mode
from lifeboat.recovery.errors import StepFailed
from lifeboat.recovery.lease_store import Conflict
from lifeboat.recovery.run_state import Outcome, StepRun
from lifeboat.recovery.steps.confirm_outage import GREY

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep
    from lifeboat.recovery.lease_record import LeaseRecord

AGAIN = True
"""A resumed run asks `done`, whatever the journal has."""
_LOOK = 1.0
"""Protocol seconds between two looks."""


def done(step: PlanStep, run: StepRun) -> bool:
    """Whether the source is fenced and said itself that it stopped, or is no holder any more."""
    del step
    record, source = run.lease.read().record, run.plan.source
    if run.plan.mode is Mode.REJOIN:
        return source not in record.fenced or source in record.stopped
    return record.holder == run.plan.target or (source in record.fenced and record.has_stopped)


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Fence it as soon as that can be said of it.

    Raises:
        StepFailed: when it still writes at the step's deadline.
    """
    del step
    source, pace = run.plan.source, run.ports.pace
    # One that is grey renews its lease for as long as nobody tells it to stop.
    answers = run.plan.mode is not Mode.FAILOVER or any(GREY in facts for facts in run.facts.values())
    while True:
        seen = run.watch.look(run.lease)
        record = seen.record
        over = source in record.stopped or (record.holder == source and run.watch.expired)
        # Where it answers it is told to stop; where it does not, nothing is written before its time is over, so that
        # a site that lives after all can go on.
        if source not in record.fenced and (over or answers):
            try:
                run.lease.replace(seen, record.fence(source))
            except Conflict:
                continue
            run.progress(f"{source} is fenced in epoch {record.epoch}")
        if over and (source in record.fenced or run.lease.read().record.fenced >= {source}):
            how = "it says that it stopped" if source in record.stopped else "its lease has run out"
            return Outcome(said=f"{source} writes no more: {how}", facts={"epoch": record.epoch})
        if run.ports.clock() >= run.deadline:
            raise StepFailed(f"{source} may still write in epoch {record.epoch}: nothing was promoted")
        run.ports.wait(None, pace.real(_LOOK))


def undo(step: PlanStep, run: StepRun) -> Outcome:
    """Let the source write again, in a new epoch, while nobody else holds the lease."""
    return lift(step, run)


def lift(step: PlanStep, run: StepRun) -> Outcome:
    """Take the source off the fenced sites, when it still is the holder in the epoch that the run fenced it in.

    After that epoch somebody else decided about it: whoever fenced it then, it was not this run.
    """
    del step
    source = run.plan.source
    known = (run.facts.get(key, {}).get("epoch") for key in ("fence", "decide"))
    fenced_in = next((epoch for epoch in known if isinstance(epoch, int)), None)

    def free(record: LeaseRecord) -> LeaseRecord:
        own = record.holder == source and record.epoch == fenced_in
        return record.unfence(source) if own and source in record.fenced else record

    left = run.change(free)
    if left.holder != source:
        return Outcome(said=f"{source} stays fenced: {left.holder} holds epoch {left.epoch}")
    if source in left.fenced:
        return Outcome(said=f"{source} stays fenced: epoch {left.epoch} is not the one of this run, {fenced_in}")
    return Outcome(said=f"{source} may write again, in epoch {left.epoch}")
