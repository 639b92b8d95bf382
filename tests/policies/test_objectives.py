"""Who demands what: declarations, tags, the pack's settings."""

from __future__ import annotations

from typing import Any

import pytest

from policies.core.context import Context
from policies.core.index import Index
from policies.core.objectives import RESILIENCE_POLICY, Objectives, duration, tag, tagged, tier
from policies.core.values import UNKNOWN, UnknownPropertyError
from tests.policies.harness import make

CLUSTER = "aws:rds/cluster:Cluster"
BUCKET = "aws:s3/bucket:Bucket"
FALLBACK = Objectives(rpo=60, source="settings")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (300, 300),
        ("300", 300),
        ("5m", 300),
        ("15min", 900),
        ("1.5 h", 5400),
        ("1D", 86400),
        ("2 hours", 7200),
        ("", None),
        ("soon", None),
        ("5 parsecs", None),
        ("-5m", None),
        (None, None),
        (UNKNOWN, None),
        (True, None),
    ],
)
def test_durations(text: object, seconds: float | None) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (1, 1),
        ("1", 1),
        ("tier-2", 2),
        ("Tier 3", 3),
        ("critical", 1),
        ("Medium", 2),
        ("low", 3),
        ("gold", None),
        ("9" * 5000, None),
        (None, None),
        (UNKNOWN, None),
    ],
)
def test_tiers(text: object, number: int | None) -> None:
    assert tier(text) == number


def test_a_tag_has_any_case_and_any_home() -> None:
    assert tag(make(BUCKET, inputs={"tags": {"RPO": "5m"}}), "rpo") == "5m"
    assert tag(make("gcp:storage/bucket:Bucket", inputs={"labels": {"rpo": "5m"}}), "rpo") == "5m"
    assert tag(make(BUCKET, outputs={"tagsAll": {"Rpo": "5m"}}), "rpo") == "5m"
    assert tag(make(BUCKET, inputs={"tags": {"other": UNKNOWN}}), "rpo") is None
    for unknown in ({"tags": UNKNOWN}, {"tags": {"rpo": UNKNOWN}}):
        with pytest.raises(UnknownPropertyError):
            tag(make(BUCKET, inputs=unknown), "rpo")


def test_tags_demand() -> None:
    resource = make(BUCKET, inputs={"tags": {"rpo": "5m", "rto": "1h", "retention-days": "30", "tier": "tier-1"}})
    assert tagged(resource) == Objectives(rpo=300, rto=3600, retention_days=30, tier=1, source="tags")
    assert tagged(make(BUCKET, inputs={"tags": {"owner": "me", "rpo": "soon"}})) is None
    assert tagged(make(BUCKET, inputs={"tags": UNKNOWN})) is None


def _context(*resources: Any, **values: Any) -> Context:  # noqa: ANN401 - passed on
    return Context(index=Index(resources), parameters={}, fallback=FALLBACK, **values)


def _declaration(**inputs: object) -> Any:  # noqa: ANN401 - a resource
    return make("lifeboat:index:Declaration", "declaration", inputs)


STACK = {"scope": "objectives.stack", "rpo_seconds": 300, "rto_seconds": 900, "retention_days": 35}


def test_a_declaration_speaks_before_tags_and_tags_before_the_settings() -> None:
    tagged_ = make(BUCKET, inputs={"tags": {"rpo": "1h"}})
    plain = make(BUCKET, "plain")
    assert _context(tagged_).objectives(tagged_) == Objectives(rpo=3600, source="tags")
    assert _context(plain).objectives(plain) is FALLBACK
    declared = _context(tagged_, _declaration(objectives=[STACK])).objectives(tagged_)
    assert declared == Objectives(rpo=300, rto=900, retention_days=35, source="declaration")


def test_a_store_s_own_objectives_reach_what_is_named_after_it() -> None:
    stores = [
        {"kind": "database", "name": "orders", "rpo_seconds": 5, "tier": 1, "retention_days": 14},
        {"kind": "objects", "name": "orders", "rto_seconds": 60},
    ]
    component = make("any:index:Database", "orders")
    cluster = make(CLUSTER, "a-cluster", parent=component)
    bucket = make(BUCKET, "orders-us-east-1-bucket")
    other = make(BUCKET, "ordersarchive")
    context = _context(component, cluster, bucket, other, _declaration(objectives=[STACK], stores=stores))
    assert context.objectives(cluster) == Objectives(rpo=5, rto=900, retention_days=14, tier=1, source="declaration")
    assert context.objectives(bucket) == Objectives(rpo=None, rto=60, source="declaration")
    assert context.objectives(other).rpo == 300


@pytest.mark.parametrize(
    "inputs",
    [
        {"objectives": UNKNOWN, "stores": UNKNOWN},
        {"objectives": 7, "stores": "x"},
        {"objectives": [UNKNOWN, {}], "stores": [UNKNOWN, {"kind": UNKNOWN, "name": 7}]},
    ],
)
def test_a_declaration_that_cannot_be_read_demands_nothing(inputs: dict[str, Any]) -> None:
    bucket = make(BUCKET)
    assert _context(bucket, _declaration(**inputs)).objectives(bucket) == Objectives(source="declaration")


def test_a_resilience_policy_declares_for_the_stack() -> None:
    policy = make(RESILIENCE_POLICY, "policy", {"policy": {"region": {"rpo": "1h", "rto": "15m"}}})
    bucket = make(BUCKET)
    assert _context(bucket, policy).objectives(bucket) == Objectives(rpo=3600, rto=900, source="declaration")
    unknown = make(RESILIENCE_POLICY, "policy", {"policy": UNKNOWN})
    assert _context(bucket, unknown).objectives(bucket) is FALLBACK


def test_tier_one_is_what_says_so_or_may_lose_little() -> None:
    def is_tier1(**tags: str) -> bool:
        bucket = make(BUCKET, inputs={"tags": tags})
        return Context(index=Index([bucket]), parameters={}, tier1_rpo=300).tier1(bucket)

    assert is_tier1(tier="1")
    assert not is_tier1(tier="2", rpo="1m")
    assert is_tier1(rpo="5m")
    assert not is_tier1(rpo="6m")
    assert not is_tier1()
