"""Make the target's copy of a database the one that takes writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.graph import Mode
from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.recovery import copies, restores
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep


def done(step: PlanStep, run: StepRun) -> bool:
    """Whether the target's copy takes writes."""
    database, target = step.store or "", run.plan.target
    match _how(step, run):
        case DatabaseMechanism.AURORA_GLOBAL:
            return copies.aurora_writes_in(run, database, target)
        case DatabaseMechanism.REPLICA:
            return copies.instance_writes(run, run.physical.instance(database, target), target)
        case _:
            return restores.is_restored(run, database, target)


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Promote it, switch over to it, or restore it, and wait until it takes writes."""
    database, target = step.store or "", run.plan.target
    match _how(step, run):
        case DatabaseMechanism.AURORA_GLOBAL:
            if run.plan.mode is Mode.FAILOVER:
                copies.fail_aurora_over(run, database, target)
            else:
                copies.switch_aurora_over(run, database, asked=run.plan.source, target=target)
        case DatabaseMechanism.REPLICA:
            copies.promote_instance(run, database, target)
        case _:
            restores.restore(run, database, target)
    return Outcome(said=f"{database} takes writes in {target}")


def undo(step: PlanStep, run: StepRun) -> Outcome:
    """Give the source its writer back, or delete what was restored."""
    database, source, target = step.store or "", run.plan.source, run.plan.target
    if _how(step, run) is DatabaseMechanism.AURORA_GLOBAL:
        if not copies.aurora_writes_in(run, database, source):
            copies.switch_aurora_over(run, database, asked=target, target=source)
        return Outcome(said=f"{database} takes writes in {source} again")
    restores.delete(run, database, target)
    return Outcome(said=f"what was restored of {database} in {target} is deleted")


def _how(step: PlanStep, run: StepRun) -> DatabaseMechanism:
    """The mechanism; a replica that the target has none of is restored."""
    mechanism = DatabaseMechanism(step.mechanism or "")
    design = run.physical.database(step.store or "")
    if mechanism is DatabaseMechanism.REPLICA and all(each.region != run.plan.target for each in design.instances):
        return DatabaseMechanism.REPLICATED_BACKUPS
    return mechanism
