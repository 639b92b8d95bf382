"""From observations to a verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lifeboat.recovery.drill import history
from lifeboat.recovery.drill.calls import Attempted
from lifeboat.recovery.drill.evidence import Clocked, Verdict
from lifeboat.recovery.drill.judge import Objectives, Observed, judge
from lifeboat.recovery.drill.measure import Loss, Measured
from lifeboat.recovery.drill.scenario import Expect, LossClass
from tests.unit.recovery.drill.parts import DATABASE, HOME, STANDBY, physical

OBJECTIVES = Objectives(rto=900, rpo={DATABASE: 300})


def measured(lost: int = 0, seconds: float = 0.0, straggler: float | None = 31.0) -> Measured:
    gone = frozenset(("ttl", number) for number in range(lost))
    loss = Loss(store=DATABASE, acknowledged=100, lost_orders=gone, seconds=seconds, unknown=2, unknown_kept=1)
    return Measured(rto=30, last_straggler=straggler, downtime=29, losses=(loss,), inconsistencies=(), refused=7)


def proof(*, doubled: bool = False) -> history.Verdict:
    first = history.Acknowledgement(epoch=1, site=HOME, began=1, ended=2)
    other = replace(first, site=STANDBY) if doubled else replace(first, epoch=2, site=STANDBY, began=3, ended=4)
    return history.check([first, other])


def seen(**changed: Any) -> Observed:  # noqa: ANN401 - each field its own
    usual = Observed(
        expect=Expect.FAILOVER,
        happened="",
        rto=Clocked(observed=30, scaled_back=300),
        measured=measured(),
        at_end=None,
        history=proof(),
        calls=(),
    )
    return replace(usual, **changed)


def verdict(observed: Observed, *, loss: LossClass = LossClass.OBJECTIVE, scale: float = 10) -> Verdict:
    return judge(observed, OBJECTIVES, loss=loss, scale=scale)


def missed(found: Verdict) -> list[str]:
    return [check.name for check in found.checks if check.result == "missed"]


@pytest.mark.parametrize(
    ("lost", "said"),
    [(0, "no acknowledged write was"), (1, "1 acknowledged write was"), (2, "2 acknowledged writes were")],
)
def test_what_went_well_is_said_in_one_sentence(lost: int, said: str) -> None:
    found = verdict(seen(measured=measured(lost=lost), at_end=measured(lost=lost)))
    assert found.passed
    assert found.headline == f"The standby took over after 300 s, within the 15m that are demanded; {said} lost."


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"happened": "none began"}, "outcome"),
        ({"rto": None}, "recovery time"),
        ({"rto": Clocked(observed=91, scaled_back=910)}, "recovery time"),
        ({"measured": measured(straggler=None)}, "every client"),
        ({"at_end": measured(lost=1)}, f"{DATABASE} at the end"),
        ({"history": proof(doubled=True)}, "one writer"),
        ({"history": history.check([])}, "one writer"),
        ({"failures": ("lifeboat rejoin exits with 1",)}, "afterwards"),
        ({"orphans": ("a cluster",)}, "no orphan"),
        ({"vanished": ("a snapshot",)}, "no orphan"),
        ({"unprotected": ("orders",)}, "protection"),
        ({"ended": ("ttl ended with 1",)}, "workload"),
    ],
)
def test_each_thing_that_is_wrong_fails_it_by_name(changed: dict[str, Any], name: str) -> None:
    found = verdict(seen(**changed))
    assert missed(found) == [name]
    assert not found.passed
    assert found.headline.startswith(f"Failed: {name}: ")


def test_protection_is_not_judged_where_no_site_rejoins() -> None:
    found = verdict(seen(unprotected=None))
    assert found.passed
    (check,) = [check for check in found.checks if check.name == "protection"]
    assert (check.result, check.said) == ("not judged", "no site rejoins in this drill")


def test_what_is_left_over_and_gone_is_told_with_the_kinds_that_were_looked_at() -> None:
    (check,) = [
        check
        for check in verdict(seen(orphans=("a cluster",), vanished=("a group",))).checks
        if check.name == "no orphan"
    ]
    assert check.said == (
        "left over: a cluster; gone: a group "
        "(database clusters, instances and manual snapshots of both, and cache groups)"
    )


def test_a_way_home_that_has_to_be_declared_first_is_not_judged() -> None:
    found = verdict(seen(no_way_home="declare it"))
    assert found.passed
    (check,) = [check for check in found.checks if check.name == "way home"]
    assert (check.result, check.said) == ("not judged", "no failback: declare it")


def test_an_answer_that_was_needed_fails_it() -> None:
    call = Attempted(
        service="rds",
        operation="DescribeDBClusters",
        region=HOME,
        made=3,
        answered=1,
        by_step=("fence",),
        best_effort=False,
        depended=True,
    )
    assert missed(verdict(seen(calls=(call,)))) == ["lost region"]
    tried = replace(call, answered=0, depended=False)
    (check,) = [check for check in verdict(seen(calls=(tried,))).checks if check.name == "lost region"]
    assert check.said == "3 calls were tried there, and no step needed an answer"


@pytest.mark.parametrize(
    ("lost", "seconds", "loss", "scale", "result"),
    [
        (5, 301.0, LossClass.OBJECTIVE, 1, "missed"),
        (5, 300.0, LossClass.OBJECTIVE, 1, "met"),
        (5, 301.0, LossClass.OBJECTIVE, 10, "missed"),
        (5, 300.0, LossClass.OBJECTIVE, 10, "not judged"),
        (5, 31.0, LossClass.OBJECTIVE, 10, "not judged"),
        (5, 30.0, LossClass.OBJECTIVE, 10, "met"),
        (1, 0.1, LossClass.NONE, 10, "missed"),
        (0, 0.0, LossClass.NONE, 10, "met"),
    ],
)
def test_seconds_are_judged_by_their_bounds_and_nothing_at_any_scale(
    lost: int, seconds: float, loss: LossClass, scale: float, result: str
) -> None:
    found = verdict(seen(measured=measured(lost, seconds)), loss=loss, scale=scale)
    (check,) = [check for check in found.checks if check.name == f"loss of {DATABASE}"]
    assert check.result == result


def test_objectives_are_the_stacks_own() -> None:
    own = physical()
    region = Objectives.of(own.settings, own.topology, Expect.FAILOVER)
    assert region.rto == 900
    assert region.rpo == {DATABASE: 300, "cache sessions": 300, "objects uploads": 900}
    assert Objectives.of(own.settings, own.topology, Expect.RESTORE).rto is None
