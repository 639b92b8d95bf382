"""The table after an `up`, and the page that explains."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from lifeboat.cli.output import console
from lifeboat.model.design import Bound, BoundClass, Decision, Demand, Quantity, Verdict
from lifeboat.model.plan.refusals import PlanRefused
from lifeboat.reporting.explain import document, explanation
from lifeboat.reporting.overview import bound_line, next_steps, overview, rows
from lifeboat.reporting.plan import PlanReport, of_home_lost

if TYPE_CHECKING:
    import pytest
    from rich.console import RenderableType

    from tests.unit.reporting.conftest import Subject


def _printed(renderable: RenderableType) -> str:
    stream = io.StringIO()
    console(stream).print(renderable)
    return stream.getvalue()


def test_every_capability_has_a_row_with_its_bounds_and_cost(fast: Subject) -> None:
    found = {row.capability: row for row in rows(fast.settings, fast.topology, fast.estimate)}
    assert list(found) == [
        "network",
        "database orders",
        "cache sessions",
        "objects uploads",
        "secrets",
        "keys",
        "routing",
    ]
    orders = found["database orders"]
    assert orders.mechanism == "aurora-global"
    assert any(bound.startswith("RPO ") and bound.endswith("enforced, 5m wanted") for bound in orders.bounds)
    assert found["cache sessions"].monthly == "301"
    assert found["objects uploads"].monthly == "2"
    assert "no price" not in {row.monthly for row in found.values()}


def test_a_cell_without_a_price_is_a_lower_limit(slow: Subject) -> None:
    found = {row.capability: row for row in rows(slow.settings, slow.topology, slow.estimate)}
    assert found["database media"].monthly == "> 28"
    assert (found["database media"].home, found["database media"].standby) == ("1 x db.r6g.large", "1 x db.r6g.large")
    assert "routing" not in found


def test_the_overview_says_how_sure_and_how_old_its_numbers_are(fast: Subject, slow: Subject) -> None:
    page = _printed(overview(*fast.parts))
    assert "us-east-1 (home)" in page
    assert "projected p95, not a measurement; conservative estimate 15m50s" in " ".join(page.split())
    assert f"list prices of {fast.prices.oldest().isoformat()}" in page
    assert "no price for db.r6g.large in eu-central-1" in _printed(overview(*slow.parts))
    assert "standby   at least $" in _printed(overview(*slow.parts))


def test_of_several_objectives_the_strictest_is_shown_and_a_missed_one_before_it(fast: Subject) -> None:
    bound = Bound(quantity=Quantity.RPO, seconds=60, klass=BoundClass.ENFORCED, arithmetic="60s")
    loose, tight, missed = (
        Verdict(
            demand=Demand(quantity=Quantity.RPO, seconds=seconds, scope="objectives.stack", strict=False),
            bound=bound,
            met=met,
        )
        for seconds, met in ((3600, True), (300, True), (900, False))
    )

    def shown(*verdicts: Verdict) -> tuple[str, ...]:
        decision = Decision(
            capability="database orders", mechanism="x", reason="x", chosen_by="objectives", verdicts=verdicts
        )
        topology = replace(fast.topology, decisions=(decision,))
        return rows(fast.settings, topology, fast.estimate)[1].bounds

    assert shown(loose, tight) == ("RPO 1m enforced, 5m wanted",)
    assert shown(loose, tight, missed) == ("RPO 1m enforced, 15m wanted: MISSED",)


def test_a_missed_objective_is_not_hidden() -> None:
    bound = Bound(quantity=Quantity.RPO, seconds=86700, klass=BoundClass.TYPICAL, arithmetic="24h + 5m")
    demand = Demand(quantity=Quantity.RPO, seconds=300, scope="objectives.stack", strict=False)
    assert bound_line(Verdict(demand=demand, bound=bound, met=True)) == "RPO 24h05m typical, 5m wanted"
    assert bound_line(Verdict(demand=demand, bound=bound, met=False)) == "RPO 24h05m typical, 5m wanted: MISSED"


def failover(stack: Subject) -> PlanReport | PlanRefused:
    return of_home_lost(stack.settings, stack.topology, {})


def test_the_projection_stands_beside_the_conservative_estimate(fast: Subject) -> None:
    page = _printed(explanation(*fast.parts, failover(fast)))
    assert "RTO, as the plan for the loss of us-east-1 is projected" in page
    assert "the objective of 15m is met at p95" in page
    projection = document(*fast.parts, failover(fast))["projection"]
    summed = fast.topology.rto.conservative
    assert summed is not None
    assert projection["p50"] < projection["p95"] < projection["conservative_sum"] == summed.seconds
    assert "RTO, as the design is judged by it: the p95 of a projection" in page
    assert "RTO, conservative estimate: every phase at its p95, one after the other; no percentile" in page
    assert " ".join(summed.arithmetic.split())[:60] in page


def test_a_plan_that_is_refused_is_explained_as_such(fast: Subject) -> None:
    refused = PlanRefused(("switch-routing: route53 needs us-east-1",))
    assert "refused: switch-routing: route53 needs us-east-1" in _printed(explanation(*fast.parts, refused))
    assert document(*fast.parts, refused)["projection"] is None


def test_the_explanation_holds_every_decision_with_its_arithmetic(fast: Subject) -> None:
    page = " ".join(_printed(explanation(*fast.parts, failover(fast))).split())
    for decision in fast.topology.decisions:
        assert f"{decision.capability}: {decision.mechanism}" in page
        assert " ".join(decision.reason.split()) in page
        for rejected in decision.rejected:
            assert f"{rejected.mechanism}: " in page
    assert " ".join(fast.topology.rto.arithmetic.split())[:60] in page


def test_the_document_is_json_and_whole(fast: Subject) -> None:
    found = json.loads(json.dumps(document(*fast.parts, failover(fast))))
    assert [each["capability"] for each in found["decisions"]] == [each.capability for each in fast.topology.decisions]
    assert found["rto"]["seconds"] == fast.topology.rto.seconds
    assert found["rto"]["method"] == "projected p95"
    assert found["rto"]["conservative"]["method"] == "conservative estimate"
    assert found["standby_cost"]["monthly_usd"] == round(fast.estimate.monthly_usd, 2)
    verdicts = [verdict for each in found["decisions"] for verdict in each["verdicts"]]
    assert verdicts
    assert all(verdict["met"] for verdict in verdicts)


def test_next_steps_name_the_stack() -> None:
    page = _printed(next_steps("prod", ".venv/bin/lifeboat"))
    assert 'eval "$(.venv/bin/lifeboat sandbox env)"' in page
    assert "lifeboat explain prod" in page


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_is_for_terminals_and_no_color_is_heard(fast: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    page = explanation(*fast.parts, failover(fast))
    terminal = _Terminal()
    console(terminal).print(page)
    assert "\x1b[32m" in terminal.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = _Terminal()
    console(plain).print(page)
    assert "\x1b[32m" not in plain.getvalue()
    assert "\x1b[" not in _printed(page)
