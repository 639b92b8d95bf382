"""Wait until the copy in the target keeps up, before it becomes active again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.recovery import lags, objects
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep

GATE = True
"""It only looks."""
_LOOK = 10.0
"""Real seconds between two looks at metrics that come each minute."""


def done(step: PlanStep, run: StepRun) -> bool:
    """Never: each run looks anew."""
    del step, run
    return False


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Look at the store's own measure."""
    store, target = step.store or "", run.plan.target
    topology = run.physical.topology
    if any(design.settings.name == store for design in topology.object_stores):
        run.until(lambda: objects.pending(run, store, run.plan.source) == 0 or None, f"{store} keeps up", every=_LOOK)
        return Outcome(said=f"no object of {store} is on its way to {target}")
    if any(design.settings.name == store for design in topology.caches):
        lag = run.until(lambda: lags.keeps_up(lags.cache(run, store, target)), f"{store} keeps up", every=_LOOK)
    else:
        lag = run.until(lambda: lags.keeps_up(lags.database(run, store, target)), f"{store} keeps up", every=_LOOK)
    return Outcome(said=f"{store} in {target} is {lag:g} s behind", facts={"lag": lag})
