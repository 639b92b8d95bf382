"""Give a store its second copy again, in the site that comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.recovery import copies, datastore, objects, rebuilding
from lifeboat.recovery.errors import StepFailed
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep


def done(step: PlanStep, run: StepRun) -> bool:
    """Whether the copy is there."""
    store, back = step.store or "", run.plan.source
    if _is(run.physical.topology.caches, store):
        found = datastore.member(run, store, back)
        return found is not None and found["Status"] == "associated" and datastore.is_there(run, store, back)
    if _is(run.physical.topology.object_stores, store):
        return objects.missing(run, store, run.plan.target, back) == frozenset()
    if step.mechanism == DatabaseMechanism.AURORA_GLOBAL:
        return copies.is_member(run, store, back) and not copies.aurora_writes_in(run, store, back)
    if step.mechanism == DatabaseMechanism.REPLICA:
        return rebuilding.has_replica(run, store, back)
    return rebuilding.has_backups(run, store, back)


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Make it, or see it made.

    Raises:
        StepFailed: when it has to be made by `lifeboat up`.
    """
    store, back, active = step.store or "", run.plan.source, run.plan.target
    if _is(run.physical.topology.object_stores, store):
        rebuilding.copy_objects(run, store, active=active, back=back)
    elif step.mechanism == DatabaseMechanism.REPLICA:
        rebuilding.build_replica(run, store, active=active, back=back)
    elif step.mechanism in {DatabaseMechanism.BACKUPS, DatabaseMechanism.REPLICATED_BACKUPS}:
        rebuilding.copy_backups(run, store, active=active, back=back)
    else:
        # Aurora and the Global Datastore take a member back by themselves, once its region answers.
        if step.mechanism == DatabaseMechanism.AURORA_GLOBAL and not copies.is_member(run, store, back):
            raise StepFailed(
                f"{run.physical.cluster(store, back)} is no member of the global cluster any more: "
                "`lifeboat up` makes it anew, then resume this run"
            )
        run.until(lambda: done(step, run) or None, f"{store} has its copy in {back}")
    return Outcome(said=f"{store} has its copy in {back} again")


def undo(step: PlanStep, run: StepRun) -> Outcome:
    """Delete the replica that was made; of other mechanisms nothing can be taken back."""
    store, back = step.store or "", run.plan.source
    rebuilding.delete_replica(run, store, back)
    return Outcome(said=f"the new generation of {store} in {back} is deleted")


def _is(designs: tuple[object, ...], name: str) -> bool:
    return any(getattr(getattr(design, "settings", None), "name", None) == name for design in designs)
