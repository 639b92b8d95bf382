"""Who demands what: declarations, tags, the pack's settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from policies.core.context import Context
from policies.core.index import Index
from policies.core.judge import Status
from policies.core.objectives import RESILIENCE_POLICY, Objectives, duration, tag, tagged, tags_of, tier
from policies.core.resource import Provider
from policies.core.values import UNKNOWN, UnknownPropertyError
from tests.policies.harness import judged, make, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from policies.core.resource import Resource

CLUSTER = "aws:rds/cluster:Cluster"
BUCKET = "aws:s3/bucket:Bucket"
FALLBACK = Objectives(rpo=60, source="settings")
STACK = {"scope": "objectives.stack", "rpo_seconds": 300, "rto_seconds": 900, "retention_days": 35}


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
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("PT5M", 300),
        ("P1DT12H", 129600),
        ("p1w", 604800),
        ("P", None),
        ("PT", None),
        ("P1DT", None),
        ("1h30", None),
        ("1h30m?", None),
        ("9" * 5000, None),
        (-5, None),
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
    assert (
        tag(make("kubernetes:apps/v1:Deployment", inputs={"metadata": {"labels": {"my.org/rpo": "5m"}}}), "rpo") == "5m"
    )
    assert tag(make(BUCKET, inputs={"tags": {"other": UNKNOWN}}), "rpo") is None
    for unknown in ({"tags": UNKNOWN}, {"tags": {"rpo": UNKNOWN}}):
        with pytest.raises(UnknownPropertyError):
            tag(make(BUCKET, inputs=unknown), "rpo")


def test_tags_demand() -> None:
    resource = make(BUCKET, inputs={"tags": {"rpo": "5m", "rto": "1h", "retention-days": "30", "tier": "tier-1"}})
    assert tagged(resource) == Objectives(rpo=300, rto=3600, retention_days=30, tier=1, source="tags")
    assert tagged(make(BUCKET, inputs={"tags": {"owner": "me", "rpo": "soon", "retention-days": "0"}})) == Objectives()


def test_a_tag_that_is_known_counts_whatever_another_is() -> None:
    resource = make(BUCKET, inputs={"tags": {"rpo": "5m", "rto": UNKNOWN}}, outputs={"tagsAll": UNKNOWN})
    found = tagged(resource)
    assert (found.rpo, found.tier, found.source) == (300, None, "tags")
    assert _unknown(lambda: found.rto) == "tags.rto"
    without_provider = tagged(replace(resource, provider=None))
    assert without_provider.rpo == 300
    assert _unknown(lambda: without_provider.tier) == "tagsAll", "nothing else says what the provider adds"


def _by_default(default_tags: object, **inputs: object) -> Resource:
    provider = Provider(urn="p", type="pulumi:providers:aws", inputs={"defaultTags": default_tags})
    return replace(make(BUCKET, inputs=inputs, outputs={"tagsAll": UNKNOWN}), provider=provider)


@pytest.mark.parametrize("written", [{"tags": {"rpo": "5m", "rto": "1h"}}, '{"tags": {"rpo": "5m", "rto": "1h"}}'])
def test_a_provider_s_default_tags_stand_below_the_resource_s_own(written: object) -> None:
    resource = _by_default(written, tags={"RPO": "1m"})
    assert tagged(resource) == Objectives(rpo=60, rto=3600, source="tags")
    assert tags_of(resource) == {"RPO": "1m", "rpo": "5m", "rto": "1h"}
    for nothing in ("{", "[" * 100000, 7, {"tags": 7}):
        assert tags_of(_by_default(nothing, tags={"rpo": "1m"})) == {"rpo": "1m"}


@pytest.mark.parametrize("unknown", [UNKNOWN, {"tags": UNKNOWN}])
def test_default_tags_that_are_not_known_hide_only_what_the_resource_leaves_open(unknown: object) -> None:
    resource = _by_default(unknown, tags={"rpo": "1m"})
    assert tagged(resource).rpo == 60
    assert _unknown(lambda: tagged(resource).rto) == "tagsAll"


def _unknown(read: Callable[[], object]) -> str:
    """The path of the property that what is read depends on."""
    with pytest.raises(UnknownPropertyError) as raised:
        read()
    return raised.value.path


def _context(*resources: Any, **values: Any) -> Context:  # noqa: ANN401 - passed on
    return Context(index=Index(resources), parameters={}, fallback=FALLBACK, **values)


def _declaration(**inputs: object) -> Any:  # noqa: ANN401 - a resource
    return make("lifeboat:index:Declaration", "declaration", inputs)


def test_a_declaration_speaks_before_tags_and_tags_before_the_settings() -> None:
    tagged_ = make(BUCKET, inputs={"tags": {"rpo": "1h"}})
    plain = make(BUCKET, "plain")
    assert _context(tagged_).objectives(tagged_) == Objectives(rpo=3600, source="tags")
    assert _context(plain).objectives(plain) == FALLBACK
    declared = _context(tagged_, _declaration(objectives=[STACK])).objectives(tagged_)
    assert declared == Objectives(rpo=300, rto=900, retention_days=35, source="declaration")


def test_what_one_leaves_open_the_next_gives() -> None:
    bucket = make(BUCKET, inputs={"tags": {"rpo": "1h", "rto": "2h", "tier": "2"}})
    scope = {"scope": "objectives.stack", "rpo_seconds": 300, "rto_seconds": None}
    assert _context(bucket, _declaration(objectives=[scope])).objectives(bucket) == Objectives(
        rpo=300, rto=7200, tier=2, source="declaration"
    )
    other = make(BUCKET, inputs={"tags": {"tier": "1"}})
    assert _context(other).objectives(other) == Objectives(rpo=60, tier=1, source="tags")
    kept = make(BUCKET, "kept", {"tags": {"retention-days": "7"}})
    for days in (0, 0.5, -1, "0", None):
        context = _context(kept, _declaration(objectives=[{"scope": "objectives.stack", "retention_days": days}]))
        assert context.objectives(kept).retention_days == 7
    policy = make(RESILIENCE_POLICY, "policy", {"policy": {"region": {"rpo": "1d", "rto": "15m"}}})
    for order in ((policy, _declaration(objectives=[scope])), (_declaration(objectives=[scope]), policy)):
        assert _context(bucket, *order).objectives(bucket) == Objectives(rpo=300, rto=900, tier=2, source="declaration")


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
    assert context.objectives(bucket) == Objectives(
        rto=60, retention_days=35, source="declaration", without_rpo=True
    ), "neither the stack's, nor the settings'"
    assert context.objectives(other).rpo == 300


def test_the_longest_name_wins() -> None:
    stores = [{"kind": "objects", "name": name, "rpo_seconds": n} for n, name in enumerate(("logs", "logs-audit"), 1)]
    component = make("any:index:Objects", "logs-audit")
    buckets = {name: make(BUCKET, name) for name in ("logs", "logs-x", "logs-audit", "logs-audit-x", "logs-auditx")}
    inner = make(BUCKET, "logs-inner", parent=component)
    context = _context(component, inner, *buckets.values(), _declaration(stores=stores))
    found = {name: context.objectives(each).rpo for name, each in buckets.items()}
    assert found == {"logs": 1, "logs-x": 1, "logs-audit": 2, "logs-audit-x": 2, "logs-auditx": 1}
    assert context.objectives(inner).rpo == 2
    topic = make("aws:sns/topic:Topic", "logs")
    assert _context(topic, _declaration(stores=stores)).objectives(topic) == FALLBACK


@pytest.mark.parametrize(
    "inputs",
    [
        {"form": "a customs declaration"},
        {"objectives": 7, "stores": "x"},
        {"objectives": [], "stores": []},
        {"objectives": [7, {}, {"scope": 7}], "stores": [7, {}, {"kind": "objects"}, {"kind": 7, "name": UNKNOWN}]},
    ],
)
def test_a_declaration_of_something_else_says_nothing(inputs: dict[str, Any]) -> None:
    bucket = make(BUCKET, inputs={"tags": {"rpo": "5m", "tier": "1"}})
    context = _context(bucket, _declaration(**inputs))
    assert context.objectives(bucket) == Objectives(rpo=300, tier=1, source="tags")
    assert context.index.declared.of(bucket) is None


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({"objectives": UNKNOWN}, "objectives"),
        ({"objectives": [UNKNOWN]}, "objectives.0.scope"),
        ({"objectives": [{"scope": UNKNOWN}]}, "objectives.0.scope"),
        ({"objectives": [{"scope": "objectives.stack", "rpo_seconds": UNKNOWN}]}, "objectives.0.rpo_seconds"),
        ({"objectives": [STACK], "stores": UNKNOWN}, "stores"),
        ({"objectives": [STACK], "stores": [UNKNOWN]}, "stores.0"),
        ({"stores": [{"kind": "objects", "name": UNKNOWN, "rpo_seconds": 5}]}, "stores.0"),
        ({"stores": [{"kind": "objects", "name": "it", "rpo_seconds": UNKNOWN}]}, "stores.0.rpo_seconds"),
    ],
)
def test_what_a_declaration_may_give_is_not_known(inputs: dict[str, Any], path: str) -> None:
    bucket = make(BUCKET, inputs={"tags": {"rpo": "1h", "tier": "1"}})
    found = _context(bucket, _declaration(**inputs)).objectives(bucket)
    assert _unknown(lambda: found.rpo) == path
    assert not found.without_rpo


def test_only_what_is_not_known_is_open() -> None:
    bucket, topic = make(BUCKET, "orders"), make("aws:sns/topic:Topic", "topic")
    stores = [{"kind": "objects", "name": "orders", "rpo_seconds": 5, "rto_seconds": UNKNOWN}, UNKNOWN]
    context = _context(bucket, topic, _declaration(objectives=[STACK, UNKNOWN], stores=stores))
    assert (context.objectives(bucket).rpo, context.objectives(bucket).retention_days) == (5, 35)
    assert _unknown(lambda: context.objectives(bucket).rto) == "stores.0.rto_seconds"
    assert context.objectives(topic).rto == 900, "no kind of store"
    caches = _declaration(stores=[{"kind": "cache", "name": UNKNOWN}])
    assert _context(bucket, caches).objectives(bucket) == FALLBACK


def test_a_resilience_policy_declares_for_the_stack() -> None:
    policy = make(RESILIENCE_POLICY, "policy", {"policy": {"region": {"rpo": "1h", "rto": "15m"}}})
    bucket = make(BUCKET)
    assert _context(bucket, policy).objectives(bucket) == Objectives(rpo=3600, rto=900, source="declaration")
    unknown = make(RESILIENCE_POLICY, "policy", {"policy": UNKNOWN})
    found = _context(bucket, unknown).objectives(bucket)
    assert _unknown(lambda: found.rpo) == "policy.region.rpo"
    other = make(RESILIENCE_POLICY, "policy", {"policy": {"software": {"rpo": "1h"}}})
    assert _context(bucket, other).objectives(bucket) == FALLBACK


def test_tier_one_is_what_says_so_or_may_lose_little() -> None:
    def is_tier1(**tags: object) -> bool:
        bucket = make(BUCKET, inputs={"tags": tags})
        return Context(index=Index([bucket]), parameters={}, tier1_rpo=300).tier1(bucket)

    assert is_tier1(tier="1")
    assert not is_tier1(tier="2", rpo="1m")
    assert is_tier1(rpo="5m")
    assert not is_tier1(rpo="6m")
    assert not is_tier1()
    assert _unknown(lambda: is_tier1(rpo=UNKNOWN)) == "tags.rpo"
    assert is_tier1(tier="1", rpo=UNKNOWN)


@pytest.mark.parametrize("rule", ["tier1-has-cross-region-copy", "rpo-vs-backup-interval", "rpo-declared"])
def test_an_unknown_objective_is_undecided_for_its_store_alone(rule: str) -> None:
    late = make("aws:rds/instance:Instance", "late", {"tags": UNKNOWN})
    bare = make("aws:rds/instance:Instance", "bare", {"tags": {"tier": "1", "rpo": "1m"}})
    judgement = judged(rule, [late, bare])
    assert said(judgement, Status.UNDECIDED) == ["late:tags"]
    assert said(judgement, Status.VIOLATION) == ["bare:"]
