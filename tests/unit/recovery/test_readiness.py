"""Readiness: the lag at last contact, and what may be accepted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from lifeboat.model.plan.graph import Mode
from lifeboat.model.settings.sites import Divergence, DivergencePolicy
from lifeboat.recovery.lags import Point, at_last_contact
from lifeboat.recovery.lease_record import LeaseRecord
from lifeboat.recovery.readiness import LAG, Check, checks, refusals
from lifeboat.recovery.run_state import Consent, StepRun

MINUTE = 60.0


@given(st.lists(st.floats(0.1, 20.0), min_size=2, max_size=20), st.integers(1, 30))
def test_the_lag_at_last_contact_does_not_grow_once_the_source_is_dead(lags: list[float], dead: int) -> None:
    alive = [Point(at=1_000_000 + MINUTE * number, lag=lag) for number, lag in enumerate(lags)]
    newest = max(point.at - point.lag for point in alive)
    silent = [
        Point(at=alive[-1].at + MINUTE * number, lag=alive[-1].at + MINUTE * number - newest)
        for number in range(1, dead + 1)
    ]
    found = at_last_contact([*alive, *silent])
    assert found is not None
    assert found <= max(lags) + 1e-6


def test_a_lag_that_was_never_measured_is_unknown() -> None:
    assert at_last_contact([]) is None


def test_a_copy_that_was_behind_when_its_source_died_says_so() -> None:
    points = [Point(at=60.0 * number, lag=400.0) for number in range(20, 30)]
    assert at_last_contact(points) == 400.0


def run(policy: DivergencePolicy, *, loss: bool, expires: str | None = None) -> StepRun:
    divergence = Divergence(policy=policy, reason="agreed", owner="ada", expires=expires)
    return cast(
        "StepRun",
        SimpleNamespace(
            consent=Consent(by=("ada",), loss=loss),
            physical=SimpleNamespace(settings=SimpleNamespace(divergence=divergence)),
            ports=SimpleNamespace(wall=lambda: 1_800_000_000.0),
            progress=lambda _text: None,
        ),
    )


LATE = Check(name=f"{LAG} orders", passed=False, said="400 s at last contact: accepted is 300 s or less")
BROKEN = Check(name="key of orders", passed=False, said="it is Disabled")


@pytest.mark.parametrize(
    ("policy", "loss", "expires", "refused"),
    [
        (DivergencePolicy.FORBID, True, None, True),
        (DivergencePolicy.ACCEPT, False, None, True),
        (DivergencePolicy.ACCEPT, True, "2020-01-31", True),
        (DivergencePolicy.ACCEPT, True, "2099-01-31", False),
    ],
)
def test_loss_is_accepted_only_as_declared_and_asked_for(
    policy: DivergencePolicy, loss: bool, expires: str | None, refused: bool
) -> None:
    assert bool(refusals([LATE], run(policy, loss=loss, expires=expires))) is refused


def test_nothing_else_is_accepted_with_a_loss() -> None:
    reasons = refusals([LATE, BROKEN], run(DivergencePolicy.ACCEPT, loss=True, expires="2099-01-31"))
    assert reasons[0] == "key of orders: it is Disabled"


def test_what_cannot_be_found_out_and_decides_nothing_is_no_refusal() -> None:
    made: list[Any] = [Check(name="quota of RDS", passed=None, said="not told")]
    assert refusals(made, run(DivergencePolicy.FORBID, loss=False)) == []


class Bucket:
    """One whose first answers are refusals."""

    def __init__(self, *answers: ClientError) -> None:
        self.answers = list(answers)

    def head_bucket(self, **_arguments: str) -> None:
        if self.answers:
            raise self.answers.pop(0)


def refusal(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "HeadBucket")


THROTTLED, MISSING = refusal("SlowDown", 503), refusal("NoSuchBucket", 404)


@pytest.mark.parametrize(
    ("answers", "passed"),
    [([THROTTLED], True), ([THROTTLED, THROTTLED], False), ([MISSING], False), ([THROTTLED, MISSING], False)],
)
def test_a_check_that_was_throttled_is_made_once_more(answers: list[ClientError], passed: bool) -> None:
    bucket = Bucket(*answers)
    store = SimpleNamespace(settings=SimpleNamespace(name="uploads"))
    looking = SimpleNamespace(
        lease=SimpleNamespace(read=lambda: SimpleNamespace(record=LeaseRecord.first("us-east-1", 60))),
        physical=SimpleNamespace(
            topology=SimpleNamespace(databases=(), caches=(), object_stores=(store,)),
            settings=SimpleNamespace(secrets=()),
            bucket=lambda name, region: f"shop-{name}-{region}",
        ),
        ports=SimpleNamespace(client=lambda _service, _region: bucket),
        plan=SimpleNamespace(mode=Mode.FAILOVER),
    )
    made = checks(cast("StepRun", looking), "us-west-2")
    assert [(check.name, check.passed) for check in made] == [("lease", True), ("bucket uploads", passed)]
    assert bucket.answers == []
