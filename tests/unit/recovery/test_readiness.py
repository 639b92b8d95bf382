"""Readiness: the lag at last contact, and what may be accepted."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from lifeboat.model.plan.graph import Mode
from lifeboat.model.settings.sites import Divergence, DivergencePolicy
from lifeboat.model.settings.stores import DatabaseMechanism
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
        plan=SimpleNamespace(mode=Mode.FAILOVER, steps=()),
    )
    made = checks(cast("StepRun", looking), "us-west-2")
    assert [(check.name, check.passed) for check in made] == [("lease", True), ("bucket uploads", passed)]
    assert bucket.answers == []


def looked(clients: dict[str, Any], *, databases: tuple[Any, ...] = (), scales: bool = False) -> dict[str, Check]:
    """Every check of us-west-2, by name."""
    scaled = SimpleNamespace(kind="scale_compute", calls=("DescribeAutoScalingGroups",))
    looking = SimpleNamespace(
        lease=SimpleNamespace(read=lambda: SimpleNamespace(record=LeaseRecord.first("us-east-1", 60))),
        physical=SimpleNamespace(
            topology=SimpleNamespace(databases=databases, caches=(), object_stores=()),
            settings=SimpleNamespace(secrets=(), system="shop", environment="test"),
            password=lambda name: f"shop/{name}",
            other=lambda _region: "us-east-1",
            instance_arn=lambda name, region: f"arn:aws:rds:{region}:123456789012:db:{name}",
        ),
        ports=SimpleNamespace(client=lambda service, _region: clients[service], wall=lambda: 1_800_000_000.0),
        plan=SimpleNamespace(mode=Mode.FAILOVER, steps=(scaled,) if scales else ()),
    )
    return {check.name: check for check in checks(cast("StepRun", looking), "us-west-2")}


def stubbed(service: str, operation: str, *answers: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3 makes it at run time
    client: Any = boto3.session.Session(
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="unit", region_name="us-west-2"
    ).client(service)
    stub = Stubber(client)
    for answer in answers:
        stub.add_response(operation, answer)
    stub.activate()
    return client


@pytest.mark.parametrize(
    ("groups", "passed", "said"),
    [
        ([(4, "8")], False, "web1 may have 4 instances: accepted is 8 or more"),
        ([(8, "8"), (8, "4")], True, "2 groups may have their full size"),
        ([(4, None)], True, "1 groups may have their full size"),
        ([], None, "no Auto Scaling group in us-west-2 has the stack's tags"),
    ],
)
def test_a_group_that_may_not_have_its_full_size_makes_a_site_unready(
    groups: list[tuple[int, str | None]], passed: bool | None, said: str
) -> None:
    found = [
        {
            "AutoScalingGroupName": f"web{number}",
            "MinSize": 0,
            "MaxSize": most,
            "DesiredCapacity": 1,
            "DefaultCooldown": 1,
            "AvailabilityZones": [],
            "HealthCheckType": "EC2",
            "CreatedTime": datetime(2027, 1, 31, tzinfo=UTC),
            "Tags": [{"Key": "lifeboat:full-size", "Value": full}] if full else [],
        }
        for number, (most, full) in enumerate(groups, 1)
    ]
    client = stubbed("autoscaling", "describe_auto_scaling_groups", {"AutoScalingGroups": found})
    check = looked({"autoscaling": client}, scales=True)["capacity"]
    assert (check.passed, check.said) == (passed, said)


def test_compute_that_is_not_scaled_is_not_looked_at() -> None:
    assert "capacity" not in looked({})


def test_what_stands_on_a_second_page_is_found() -> None:
    arn = "arn:aws:rds:us-east-1:123456789012:db:"
    newest = {"LatestTime": datetime.fromtimestamp(1_800_000_000 - 60, tz=UTC)}
    own = {"DBInstanceArn": f"{arn}orders", "RestoreWindow": newest}
    backups: list[dict[str, Any]] = [
        {"DBInstanceAutomatedBackups": [{"DBInstanceArn": f"{arn}others"}], "Marker": "more"},
        {"DBInstanceAutomatedBackups": [own]},
    ]
    quotas: list[dict[str, Any]] = [
        {"Quotas": [{"QuotaName": "Parameter groups", "Value": 50.0}], "NextToken": "more"},
        {"Quotas": [{"QuotaName": "DB instances", "Value": 1.0}]},
    ]
    clients = {
        "rds": stubbed("rds", "describe_db_instance_automated_backups", *backups),
        "service-quotas": stubbed("service-quotas", "list_service_quotas", *quotas),
        "secretsmanager": stubbed("secretsmanager", "get_secret_value", {"SecretString": "hidden"}),
    }
    design = SimpleNamespace(
        settings=SimpleNamespace(name="orders"),
        mechanism=DatabaseMechanism.REPLICATED_BACKUPS,
        rpo=300.0,
        home_instances=2,
        instances=(),
    )
    made = looked(clients, databases=(design,))
    assert made["backups of orders"].said == "the newest is 60 s old: accepted is 300 s or less"
    assert made["quota of RDS"].passed is False
