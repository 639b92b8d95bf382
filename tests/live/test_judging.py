"""How conditions judge a call: in one order, by one seed, by plane; and how many may wait."""

from __future__ import annotations

import threading

import pytest

from lifeboat.sandbox.gateway.calls import Call
from lifeboat.sandbox.gateway.conditions import Conditions, Request, parse
from lifeboat.sandbox.gateway.planes import plane_of
from lifeboat.sandbox.gateway.waiting import Patience

REGION = "us-east-1"


def _request(service: str = "rds", region: str = REGION) -> Request:
    return Request(call=Call(service, region, "Any", known=True), access_key="AKIA")


def test_the_nth_call_of_a_service_and_region_has_the_same_fate_in_every_order() -> None:
    def refused(order: list[tuple[str, str]], seed: int = 7) -> dict[tuple[str, str], list[bool]]:
        conditions = Conditions()
        conditions.place(parse({"effect": "throttle", "fraction": 0.5, "seed": seed}))
        found: dict[tuple[str, str], list[bool]] = {}
        for key in order:
            found.setdefault(key, []).append(conditions.judge(_request(*key)).refusal is not None)
        return found

    keys = [("rds", REGION), ("rds", "us-west-2"), ("ec2", REGION)]
    in_turn = refused([key for _ in range(200) for key in keys])
    assert in_turn == refused([key for key in keys for _ in range(200)])
    assert all(60 < sum(fates) < 140 for fates in in_turn.values())
    assert in_turn != refused([key for _ in range(200) for key in keys], seed=8)


def test_conditions_compose_in_one_order_whatever_order_they_were_placed_in() -> None:
    effects = ["capacity", "errors", "throttle", "expired", "slow", "hang", "blackout"]
    conditions = Conditions()
    request = Request(call=Call("rds", REGION, "CreateDBInstance", known=True), access_key="AKIA", principal="AKIA")
    placed = {
        effect: conditions.place(parse({"effect": effect, **({"seconds": 1} if effect == "slow" else {})}))
        for effect in effects
    }
    fate = conditions.judge(request)
    assert (fate.lost, fate.ids) == (True, (placed["blackout"],))
    conditions.lift(placed["blackout"])
    for effect, code in [
        ("expired", "ExpiredToken"),
        ("throttle", "Throttling"),
        ("errors", None),
        ("capacity", "InsufficientDBInstanceCapacity"),
    ]:
        fate = conditions.judge(request)
        assert fate.ids == (placed["hang"], placed["slow"], placed[effect])
        assert fate.refusal is not None
        assert code in {None, fate.refusal.code}
        conditions.lift(placed[effect])
    assert conditions.judge(request).refusal is None


@pytest.mark.parametrize(
    ("service", "operation", "plane"),
    [
        ("s3", "GetObject", "data"),
        ("s3", "ListObjectsV2", "data"),
        ("s3", "PutBucketReplication", "control"),
        ("s3", "PutObjectLockConfiguration", "control"),
        ("s3", "ListBuckets", "control"),
        ("dynamodb", "PutItem", "data"),
        ("dynamodb", "UpdateTable", "control"),
        ("sqs", "SendMessage", "data"),
        ("sns", "Publish", "data"),
        ("secretsmanager", "GetSecretValue", "data"),
        ("secretsmanager", "PutSecretValue", "control"),
        ("kms", "Decrypt", "data"),
        ("kms", "CreateKey", "control"),
        ("cloudwatch", "PutMetricData", "data"),
        ("cloudwatch", "GetMetricStatistics", "data"),
        ("cloudwatch", "PutMetricAlarm", "control"),
        ("route53-recovery-cluster", "UpdateRoutingControlState", "data"),
        ("route53", "ChangeResourceRecordSets", "control"),
        ("rds", "FailoverGlobalCluster", "control"),
        ("s3", "Unknown", "control"),
    ],
)
def test_the_plane_of_a_call(service: str, operation: str, plane: str) -> None:
    assert plane_of(service, operation) == plane


def test_calls_that_wait_are_bounded() -> None:
    patience, lifted, waiting = Patience(limit=1), threading.Event(), threading.Event()
    results: list[bool] = []

    class Watched(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waiting.set()
            return lifted.wait(timeout)

    thread = threading.Thread(target=lambda: results.append(patience.wait({}, Watched())))
    thread.start()
    waiting.wait()
    assert patience.wait({}, lifted) is False
    lifted.set()
    thread.join()
    assert results == [True]
    assert patience.wait({}, lifted) is True
