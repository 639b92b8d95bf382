"""Confirm that the region has failed, from two of three viewpoints.

Lost is what they see without a break for as long as declared. A site that answers is grey where the stack declares a
rule for it: each warden looked for the declared time before it says so, and two that say so are enough.

A warden that decided has waited for that time already. What it confirmed is handed to the run that it begins, which
accepts it when it is fresh and one look shows the same: the same viewpoints, of which this place's is looked from anew.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lifeboat.recovery import viewpoint
from lifeboat.recovery.errors import RecoveryRefused
from lifeboat.recovery.lease import HEARTBEAT
from lifeboat.recovery.lease_store import DEADLINE, StoreError
from lifeboat.recovery.run_state import Outcome, StepRun
from lifeboat.recovery.views import Confirmation, Fresh, Sight, agreed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifeboat.model.plan.graph import PlanStep
    from lifeboat.recovery.views import View

GATE = True
"""It only looks."""
GREY = "grey"
"""Fact: the region answers, and counts as failed by the stack's rule."""
_SEEN = 3 * HEARTBEAT
"""Protocol seconds that wardens have to see a region that was lost just now."""
_LOOKS = 4 * DEADLINE
"""Real seconds that looks take which nobody answers, theirs and ours."""


def done(step: PlanStep, run: StepRun) -> bool:
    """Never: each run confirms anew."""
    del step, run
    return False


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Look until it was confirmed for long enough, or until it cannot be any more.

    Raises:
        RecoveryRefused: when fewer than two viewpoints see the region as lost, and fewer than two as grey.
    """
    del step
    source, pace = run.plan.source, run.ports.pace
    confirm_for = run.physical.settings.lease.confirm_for
    fresh = Fresh(viewpoint.fresh_for(pace), run.ports.clock)
    confirmation = Confirmation(run.ports.clock)
    # Long enough that what others have still to see may be followed by one whole confirmation.
    end = min(run.deadline, run.ports.clock() + pace.real(_SEEN + confirm_for) + _LOOKS)
    handed = viewpoint.standing(run.consent.confirmed, run.physical, run.ports, source)
    seen = ""
    while True:
        views = _seen_by(fresh.of(_texts(run)), viewpoint.look(run, source), source)
        lost, grey = agreed(views.values(), source)
        confirmation.update([source] if lost else [])
        seen = "; ".join(_said(view.observer, view.sights.get(source)) for view in views.values())
        if handed and agreed((view for observer, view in views.items() if observer in handed.observers), source)[0]:
            waited = pace.declared(handed.seconds)
            return Outcome(
                said=f"{source} is lost, as a warden had confirmed for {waited:.0f} s: {seen}",
                facts={"viewpoints": len(views), "handed": True},
            )
        # What the first look does not show any more is confirmed like anything else.
        handed = None
        if confirmation.lasted(source) >= pace.real(confirm_for):
            return Outcome(said=f"{source} is lost: {seen}", facts={"viewpoints": len(views)})
        if grey:
            return Outcome(said=f"{source} is grey: {seen}", facts={"viewpoints": len(views), GREY: True})
        # What is left cannot confirm it any more.
        left = pace.real(confirm_for) - max(0.0, confirmation.lasted(source))
        if run.ports.clock() + left > end:
            raise RecoveryRefused(
                f"{source} is not confirmed as lost by two of three viewpoints for {confirm_for} s: {seen}",
                "if it answers, move with `lifeboat failover --graceful`; if wardens are silent, look at them first",
            )
        run.ports.wait(None, min(pace.real(HEARTBEAT) / 2, max(0.05, left)))


def _seen_by(told: Mapping[str, View], own: View, site: str) -> dict[str, View]:
    """What wardens tell, and what is seen from here; one look is no match for what this place's warden saw so far."""
    before = told[own.observer].sights.get(site) if own.observer in told else None
    now = own.sights[site]
    if before is not None and before.grey and not now.lost:
        own = replace(own, sights={site: replace(now, grey=True, reason=before.reason)})
    return {**told, own.observer: own}


def _texts(run: StepRun) -> dict[str, str]:
    try:
        return dict(run.views.views())
    except StoreError as fault:
        run.progress(f"the wardens' views: {fault}")
        return {}


def _said(observer: str, sight: object) -> str:
    if not isinstance(sight, Sight):
        return f"{observer} says nothing"
    word = "lost" if sight.lost else "grey" if sight.grey else "there"
    return f"{observer}: {word}{f' ({sight.reason})' if sight.reason else ''}"
