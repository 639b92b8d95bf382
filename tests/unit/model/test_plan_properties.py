"""Whatever the settings, mode and loss: a plan that can be followed without what is lost, or a refusal with reasons."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from lifeboat.model.plan.derivation import derive
from lifeboat.model.plan.graph import Mode, Plane
from lifeboat.model.plan.refusals import PlanRefused, Unplannable
from lifeboat.model.projection import project
from tests.unit.model.test_properties import declarations, outcome

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import Plan

REGIONS = ("eu-west-1", "eu-central-1", "eu-west-2", "us-east-1")
"""Both sites of the declarations, their witness, and the home of the global control planes."""
GLOBAL = {"route53", "iam", "cloudfront", "organizations"}


def check(plan: Plan) -> None:
    seen: set[str] = set()
    for step in plan.steps:
        assert step.key not in seen
        assert step.after <= seen
        seen.add(step.key)
        assert (step.undo is None) != (step.no_undo is None)
        assert 0 < step.timeout < math.inf
        assert step.timeout >= step.timing.p50
        assert 0 <= step.timing.p50 <= step.timing.p95
        assert step.calls or step.kind in {"divergence", "scale_compute"}
        assert step.title
        assert step.idempotency
        assert step.by_hand
    for _, call in plan.calls():
        needed = not call.best_effort
        assert not (needed and call.region in plan.lost)
        assert not (needed and call.plane is Plane.CONTROL and call.service in GLOBAL and "us-east-1" in plan.lost)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(declarations(), st.sampled_from(list(Mode)), st.sets(st.sampled_from(REGIONS), max_size=2))
def test_a_plan_or_a_refusal_with_reasons(config: dict[str, Any], mode: Mode, lost: set[str]) -> None:
    found = outcome(config)
    if not isinstance(found, tuple):
        return
    try:
        plan = derive(*found, mode=mode, lost=lost)
    except PlanRefused as refused:
        event("refused")
        said = refused.reasons
        assert said
        assert not any("\n" in reason for reason in said)
        return
    except Unplannable:
        event("unplannable")
        assert mode is Mode.FAILOVER
        assert not lost & set(REGIONS[:2])
        return
    event(mode)
    check(plan)
    projection = project(plan, samples=50)
    assert projection.p50 <= projection.p95 <= projection.bound
