"""Resources, the index over them, and how they find each other."""

from __future__ import annotations

import pytest

from policies.core.index import Index
from policies.core.resource import Provider, Resource, View, canonical
from policies.core.results import Kind, attempt, require, undecided, violation
from policies.core.values import UNKNOWN, UnknownPropertyError
from tests.policies.harness import make

BUCKET = "aws:s3/bucket:Bucket"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
ACCESS = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
REPLICATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"


@pytest.mark.parametrize(
    ("token", "same"),
    [
        ("aws:s3/bucketV2:BucketV2", BUCKET),
        ("aws:s3/bucketVersioningV2:BucketVersioningV2", VERSIONING),
        ("aws:alb/listener:Listener", "aws:lb/listener:Listener"),
        ("aws:elasticloadbalancingv2/targetGroup:TargetGroup", "aws:lb/targetGroup:TargetGroup"),
        ("aws:elasticloadbalancing/loadBalancer:LoadBalancer", "aws:elb/loadBalancer:LoadBalancer"),
        ("aws:apigatewayv2/api:Api", "aws:apigatewayv2/api:Api"),
        ("aws:sesv2/x:XV2", "aws:sesv2/x:XV2"),
    ],
)
def test_one_token_for_each_kind_of_thing(token: str, same: str) -> None:
    assert canonical(token) == same
    assert make(token).type == same


def test_declared_values_and_what_the_provider_answered() -> None:
    resource = make(BUCKET, inputs={"bucket": "mine", "late": UNKNOWN}, outputs={"arn": "arn", "bucket": "theirs"})
    assert resource.get("bucket") == "mine"
    assert resource.get("arn") is None
    assert resource.peek("late") is UNKNOWN
    assert resource.computed("arn") == "arn"
    assert resource.computed("bucket") == "mine"
    with pytest.raises(UnknownPropertyError):
        resource.get("late.deeper")
    assert make(BUCKET, read_only=True).get("bucket") is None


def test_items_of_a_list_read_like_resources() -> None:
    resource = make(REPLICATION, inputs={"rules": [{"id": "a", "destination": {"bucket": UNKNOWN}}, UNKNOWN, 7]})
    first, second, third = resource.items("rules")
    assert (first.get("id"), first.peek("destination.bucket"), first.urn) == ("a", UNKNOWN, resource.urn)
    with pytest.raises(UnknownPropertyError, match=r"^rules\.0\.destination\.bucket$"):
        first.get("destination.bucket")
    with pytest.raises(UnknownPropertyError, match=r"^rules\.1\.id$"):
        second.get("id")
    assert third.get("id") is None
    assert third.items("id") == ()
    (destination,) = first.items("destination")
    assert destination.prefix == "rules.0.destination"
    assert make(REPLICATION, inputs={"rules": "none"}).items("rules") == ()
    with pytest.raises(UnknownPropertyError):
        make(REPLICATION, inputs={"rules": UNKNOWN}).items("rules")


def test_only_what_is_declared_is_found_by_type() -> None:
    declared, looked_up = make(BUCKET, "declared"), make(BUCKET, "read", read_only=True)
    index = Index([declared, looked_up])
    assert list(index.of(BUCKET, VERSIONING)) == [declared]
    assert len(index) == 2
    assert list(index) == [declared, looked_up]
    assert list(index.types) == [BUCKET]
    assert index.find(looked_up.urn) is looked_up
    assert index.find("gone") is None


def test_companions_by_dependency_by_name_and_by_arn() -> None:
    bucket = make(BUCKET, inputs={"bucket": "mine"}, outputs={"arn": "arn:aws:s3:::mine", "id": "mine"})
    other = make(BUCKET, "other", {"bucket": "other"})
    unknown = make(VERSIONING, "unknown", {"bucket": UNKNOWN}, uses={"bucket": bucket})
    named = make(VERSIONING, "named", {"bucket": "mine"})
    arn = make(VERSIONING, "arn", {"bucket": "arn:aws:s3:::mine"})
    index = Index([bucket, other, unknown, named, arn, make(VERSIONING, "stray", {"bucket": "nobody"})])
    assert list(index.companions(bucket, VERSIONING, "bucket")) == [unknown, named, arn]
    assert list(index.companions(other, VERSIONING, "bucket")) == []


def test_a_companion_does_not_answer_to_the_name_of_what_it_belongs_to() -> None:
    one = make(VERSIONING, "one", {"bucket": "mine"}, outputs={"id": "mine"})
    two = make(REPLICATION, "two", {"bucket": "mine"}, outputs={"id": "mine"})
    assert list(Index([one, two]).targets(one, "bucket")) == []
    bucket = make(BUCKET, "bucket", {"bucket": "mine"}, outputs={"id": "mine"})
    assert list(Index([one, two, bucket]).targets(one, "bucket")) == [bucket]


def test_a_known_name_says_which_of_several_dependencies_is_meant() -> None:
    one, two = make(BUCKET, "one", {"bucket": "one"}), make(BUCKET, "two", {"bucket": "two"})
    versioning = make(VERSIONING, inputs={"bucket": "two"}, uses={"bucket": [one, two]})
    index = Index([one, two, versioning])
    assert list(index.targets(versioning, "bucket")) == [two]
    late = make(VERSIONING, inputs={"bucket": UNKNOWN}, uses={"bucket": [one, two]})
    assert list(Index([one, two, late]).targets(late, "bucket")) == [one, two]


def test_a_target_of_an_item_and_of_a_type() -> None:
    key = make("aws:kms/key:Key", "key", outputs={"arn": "arn:aws:kms:us-east-1:1:key/k"})
    bucket = make(BUCKET, "goal", outputs={"arn": "arn:aws:s3:::goal"})
    config = make(
        REPLICATION,
        inputs={"rules": [{"destination": {"bucket": "arn:aws:s3:::goal", "key": "arn:aws:kms:us-east-1:1:key/k"}}]},
        uses={"rules": [key, bucket]},
    )
    index = Index([key, bucket, config])
    (rule,) = config.items("rules")
    assert index.target(rule, "destination.bucket") is bucket
    assert index.target(rule, "destination.bucket", BUCKET) is bucket
    assert index.target(rule, "destination.key", BUCKET) is None, "a key is no bucket"
    assert index.target(config, "role") is None


def test_a_known_name_beats_a_dependency_on_something_else() -> None:
    bucket = make(BUCKET, inputs={"bucket": "orders"})
    for foreign in (make(ACCESS, "foreign", {"bucket": "orders"}), make("random:index/randomId:RandomId", "foreign")):
        versioning = make(VERSIONING, inputs={"bucket": "orders"}, uses={"bucket": foreign})
        index = Index([bucket, foreign, versioning])
        assert list(index.targets(versioning, "bucket")) == [bucket]
        assert list(index.companions(bucket, VERSIONING, "bucket")) == [versioning]


def test_a_companion_made_from_another_one_leads_to_their_owner() -> None:
    bucket = make(BUCKET)
    access = make(ACCESS, "access", {"bucket": UNKNOWN}, uses={"bucket": bucket})
    versioning = make(VERSIONING, inputs={"bucket": UNKNOWN}, uses={"bucket": access})
    index = Index([bucket, access, versioning])
    assert list(index.companions(bucket, VERSIONING, "bucket")) == [versioning]
    elsewhere = make(VERSIONING, inputs={"bucket": "elsewhere"}, uses={"bucket": access})
    assert list(Index([bucket, access, elsewhere]).targets(elsewhere, "bucket", BUCKET)) == []


def test_what_is_not_known_in_a_list_may_be_any_dependency() -> None:
    one, two = make(BUCKET, "one", {"bucket": "one"}), make(BUCKET, "two")
    user = make("a:b:C", "user", {"buckets": ["one", UNKNOWN]}, uses={"buckets": [one, two]})
    index = Index([one, two, user])
    assert list(index.targets(user, "buckets", BUCKET)) == [one, two]
    both = make("a:b:C", "both", {"buckets": ["one", "three"]}, uses={"buckets": one})
    three = make(BUCKET, "three", {"bucket": "three"})
    assert list(Index([one, both, three]).targets(both, "buckets", BUCKET)) == [one, three]
    assert list(index.targets(make("a:b:C", "none", {}, uses={"buckets": one}), "buckets", BUCKET)) == []


@pytest.mark.parametrize(
    ("type_", "name", "rest"),
    [
        ("aws:rds/instance:Instance", "identifier", "rds:us-east-1:123456789012:db:orders"),
        ("aws:rds/cluster:Cluster", "clusterIdentifier", "rds:us-east-1:123456789012:cluster:orders"),
        ("aws:dynamodb/table:Table", "name", "dynamodb:us-east-1:123456789012:table/orders"),
        ("aws:backup/vault:Vault", "name", "backup:us-east-1:123456789012:backup-vault:orders"),
        (BUCKET, "bucket", "s3:::orders"),
    ],
)
def test_an_arn_that_follows_from_a_name_is_known_before_the_resource_is_there(
    type_: str, name: str, rest: str
) -> None:
    target = make(type_, "target", {name: "orders"})
    user = make("a:b:C", "user", {"source": f"arn:aws:{rest}"})
    assert list(Index([target, user]).targets(user, "source", type_)) == [target]
    stray = make("a:b:C", "stray", {"source": f"arn:aws:{rest}".replace("orders", "others")})
    assert list(Index([target, stray]).targets(stray, "source", type_)) == []
    nobodys = make(type_, "target", {name: "orders"}, account="")
    found = list(Index([nobodys, user]).targets(user, "source", type_))
    # Vaults of other accounts often have the same name.
    assert found == ([] if "backup" in type_ else [nobodys])


def test_a_name_that_several_regions_have_is_the_own_region_s() -> None:
    kind, member = "aws:rds/cluster:Cluster", "aws:rds/clusterInstance:ClusterInstance"
    clusters = [make(kind, f"c-{at}", {"clusterIdentifier": "orders"}, region=at) for at in ("east", "west")]
    members = [make(member, f"i-{at}", {"clusterIdentifier": "orders"}, region=at) for at in ("east", "west", "north")]
    index = Index([*clusters, *members])
    assert [list(index.targets(each, "clusterIdentifier", kind)) for each in members] == [
        [clusters[0]],
        [clusters[1]],
        clusters,
    ]
    alike = [make(kind, f"a-{of}", {"clusterIdentifier": "orders"}, account=of) for of in ("111", "222")]
    user = make(member, "user", {"clusterIdentifier": "orders"}, account="222")
    assert list(Index([*alike, user]).targets(user, "clusterIdentifier", kind)) == [alike[1]]
    check = make("aws:route53/healthCheck:HealthCheck", "check", {"of": "orders"}, region="east")
    assert list(Index([*clusters, check]).targets(check, "of", kind)) == clusters, "it has no region itself"


def test_nothing_is_its_own_target() -> None:
    bucket = make(BUCKET, inputs={"bucket": "mine"})
    assert list(Index([bucket]).targets(bucket, "bucket")) == []


def test_components_around_a_resource() -> None:
    root = make("pulumi:pulumi:Stack", "root")
    outer = make("any:index:Store", "outer", parent=root)
    inner = make("any:index:Part", "inner", parent=outer)
    bucket = make(BUCKET, parent=inner)
    assert list(Index([root, outer, inner, bucket]).ancestors(bucket)) == [inner, outer]
    # A state file that somebody edited.
    one = Resource(urn="one", type="a:b:C", inputs={}, parent="two")
    two = Resource(urn="two", type="a:b:C", inputs={}, parent="one")
    assert list(Index([one, two]).ancestors(one)) == [two]


def _of(inputs: object = None, outputs: object = None, provider: object = None) -> Resource:
    configured = None if provider is None else Provider(urn="p", type="pulumi:providers:aws", inputs=provider)  # type: ignore[arg-type]
    return Resource(urn="u", type=BUCKET, inputs=inputs or {}, outputs=outputs or {}, provider=configured)  # type: ignore[arg-type]


def test_the_region_is_its_own_else_its_provider_s_else_its_arn_s() -> None:
    index = Index([])
    arn = {"arn": "arn:aws:rds:eu-west-1:123456789012:db:x"}
    assert index.region(_of({"region": "a"}, arn, {"region": "c"})) == "a"
    assert index.region(_of({}, {"region": "b", **arn}, {"region": "c"})) == "b"
    assert index.region(_of({}, arn, {"region": "c"})) == "c"
    assert index.region(_of({}, arn)) == "eu-west-1"
    assert index.region(_of()) == ""
    for unknown in (_of({"region": UNKNOWN}), _of(provider={"region": UNKNOWN}), _of(outputs={"arn": UNKNOWN})):
        with pytest.raises(UnknownPropertyError):
            index.region(unknown)


def test_the_account_is_its_arn_s_else_the_only_one_its_provider_allows() -> None:
    index = Index([])
    arn = {"arn": "arn:aws:rds:eu-west-1:123456789012:db:x"}
    assert index.account(_of({}, arn, {"allowedAccountIds": '["2"]'})) == "123456789012"
    assert index.account(_of(provider={"allowedAccountIds": '["2"]'})) == "2"
    assert index.account(_of(provider={"allowedAccountIds": ["2"]})) == "2"
    for unclear in ('["2", "3"]', "[", UNKNOWN, None):
        assert index.account(_of(provider={"allowedAccountIds": unclear})) == ""
    assert index.account(_of()) == ""


def test_results_say_where_and_never_what() -> None:
    resource = make(BUCKET, inputs={"n": 3, "late": UNKNOWN, "rules": [{"n": 3}]})
    assert list(require(resource, "n", lambda value: value == 3, "three")) == []
    (missing,) = require(resource, "m", lambda value: value == 3, "three")
    assert (missing.kind, missing.path, missing.absent, missing.message) == (
        Kind.VIOLATION,
        "m",
        True,
        "`m` must be three",
    )
    (wrong,) = require(resource, "n", lambda value: value == 4, "four")
    assert not wrong.absent
    (late,) = require(resource, "late", lambda _: True, "anything")
    assert (late.kind, late.path) == (Kind.UNDECIDED, "late")
    (item,) = resource.items("rules")
    (deep,) = require(item, "n", lambda value: value == 4, "four")
    assert (deep.path, deep.urn) == ("rules.0.n", resource.urn)
    assert violation(None, "stack", "text").urn == ""
    assert undecided(item, "n").path == "rules.0.n"


def test_an_unknown_in_one_part_leaves_the_others_alone() -> None:
    resource = make(BUCKET, inputs={"late": UNKNOWN})
    found = [
        *attempt(resource, lambda: require(resource, resource.get("late"), bool, "given")),
        *attempt(None, lambda: require(resource, "m", bool, "given")),
    ]
    assert [(each.kind, each.path) for each in found] == [(Kind.UNDECIDED, "late"), (Kind.VIOLATION, "m")]


def test_a_bag_stays_out_of_sight() -> None:
    resource = make(BUCKET, inputs={"password": "hunter2"}, outputs={"password": "hunter2"})
    assert "hunter2" not in repr(resource) + repr(View(resource=resource, prefix="", bag={"password": "hunter2"}))
