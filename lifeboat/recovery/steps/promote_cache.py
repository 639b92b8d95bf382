"""Make the target's cache the one that takes writes, or make one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.settings.stores import CacheMechanism
from lifeboat.recovery import datastore
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep


def done(step: PlanStep, run: StepRun) -> bool:
    """Whether the target's group is the primary; of an unreplicated cache, whether it is there."""
    cache = step.store or ""
    if step.mechanism == CacheMechanism.GLOBAL_DATASTORE:
        return datastore.writes_in(run, cache, run.plan.target)
    return datastore.is_there(run, cache, run.plan.target)


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Fail it over, or make it, and wait until it is so."""
    cache, target = step.store or "", run.plan.target
    if step.mechanism == CacheMechanism.GLOBAL_DATASTORE:
        datastore.fail_over(run, cache, target)
        return Outcome(said=f"{cache} takes writes in {target}")
    datastore.make(run, cache, target)
    return Outcome(said=f"{cache} is there in {target}, empty")


def undo(step: PlanStep, run: StepRun) -> Outcome:
    """Fail it back, or delete what was made."""
    cache, source, target = step.store or "", run.plan.source, run.plan.target
    if step.mechanism == CacheMechanism.GLOBAL_DATASTORE:
        datastore.fail_over(run, cache, source)
        return Outcome(said=f"{cache} takes writes in {source} again")
    datastore.delete(run, cache, target)
    return Outcome(said=f"{cache} in {target} is deleted")
