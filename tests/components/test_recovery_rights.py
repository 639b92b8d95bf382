"""What recovery's roles may touch: within IAM's quota, of this stack alone, and no more in the witness than it does."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pulumi_aws as aws
import pytest

from components.aws.failover_policy import failover_policy
from components.aws.witness_policy import witness_policy
from lifeboat.model.physical import Physical
from lifeboat.model.settings.load import from_stack_file
from lifeboat.model.settings.stores import CacheMechanism, DatabaseMechanism
from lifeboat.model.topology import resolve
from lifeboat.recovery.lease_object import LEASE_KEY, STAND_IN_KEY
from lifeboat.recovery.lease_object import VIEW_PREFIX as OBJECT_VIEWS
from lifeboat.recovery.lease_table import VIEW_PREFIX as TABLE_VIEWS
from stacks.failover_scope import failover_scope
from tests.components.examples.recovery import BUCKETS, HEAD, SCOPE, breakglass, warden
from tests.components.harness import ACCOUNT, HOME, OTHER, PREFIX, WITNESS, deploy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.model.design import Topology
    from lifeboat.model.settings import Settings

LONG = "{ stack: { rto: 48h, rpo: 48h } }"
ROUTING = ("{ kind: alarm }", "{ kind: routing-control }", "{ kind: record, waive_record: It is a test }")
LONGEST = 10_240
"""Characters, white space aside, that the inline policies of one role may have together."""
MEMBER = "-001"
SITES = ("us-west-2", "us-east-2")


def stack(routing: str, *, adopted: str = "") -> tuple[Settings, Topology]:
    """Twenty stores, of every mechanism; the last database may be adopted."""
    numbers = {
        "databases": {
            DatabaseMechanism.AURORA_GLOBAL: 2,
            DatabaseMechanism.REPLICA: 3,
            DatabaseMechanism.REPLICATED_BACKUPS: 3,
            DatabaseMechanism.BACKUPS: 4,
        },
        "caches": {CacheMechanism.GLOBAL_DATASTORE: 2, CacheMechanism.REBUILD: 2},
    }
    text = HEAD.replace("OBJECTIVES", LONG).replace("ROUTING", routing)
    for kind, mechanisms in numbers.items():
        text += f"  lifeboat:{kind}:\n"
        for mechanism, count in mechanisms.items():
            rpo = ", rpo: 48h" if kind == "databases" else ""
            last = mechanism is DatabaseMechanism.BACKUPS
            for number in range(count):
                more = adopted if last and number == count - 1 else ""
                text += f"    - {{ name: {mechanism}-{number}, mechanism: {mechanism}{rpo}{more} }}\n"
    text += "  lifeboat:object_stores:\n"
    text += "".join(f"    - {{ name: store-{number}, mechanism: replication, rpo: 24h }}\n" for number in range(4))
    settings = from_stack_file(text)
    return settings, resolve(settings)


def size(policy: object) -> int:
    """As IAM counts."""
    return len(json.dumps(policy, separators=(",", ":")))


def resources(policy: Any, action: str) -> list[str]:  # noqa: ANN401 - JSON
    """ARNs that an action is allowed on."""
    found: list[str] = []
    for statement in policy["Statement"]:
        if statement["Effect"] == "Allow" and action in statement["Action"]:
            found += [statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"]
    return found


def covered(policy: object, action: str, arn: str) -> bool:
    return any(fnmatchcase(arn, each) for each in resources(policy, action))


@pytest.mark.parametrize("routing", ROUTING)
def test_all_that_a_role_may_do_fits_into_iams_quota_with_twenty_stores(routing: str) -> None:
    scope = failover_scope(*stack(routing))
    (attached,) = deploy(lambda world: breakglass(world, scope)).of(aws.iam.RolePolicy)
    people = json.loads(attached.inputs["policy"])
    assert size(failover_policy(scope)) < size(people) < LONGEST
    assert {each["Sid"] for each in people["Statement"]} > {"FailAuroraOver", "RestoreInstances", "FailCachesOver"}


def touched(physical: Physical) -> Iterator[tuple[str, str]]:
    """Actions of a failover and what each is done to, by the names that plans go by."""
    account = physical.settings.account

    def arn(service: str, region: str, resource: str) -> str:
        return f"arn:aws:{service}:{region}:{account}:{resource}"

    for design in physical.topology.databases:
        name = design.settings.name
        for region in SITES:
            yield (
                "secretsmanager:GetSecretValue",
                arn("secretsmanager", region, f"secret:{physical.password(name)}-aB3xyZ"),
            )
            if design.mechanism is DatabaseMechanism.AURORA_GLOBAL:
                yield (
                    "rds:FailoverGlobalCluster",
                    arn("rds", "", f"global-cluster:{physical.global_cluster(name)}"),
                )
                yield "rds:FailoverGlobalCluster", physical.cluster_arn(name, region)
                continue
            made = physical.next_instance(name, region)
            for instance in (made, *physical.generations(name, region)):
                yield "rds:ModifyDBInstance", arn("rds", region, f"db:{instance}")
                yield "rds:CreateDBSnapshot", arn("rds", region, f"snapshot:{instance}-20260101t000000z-ab12")
                yield "rds:CopyDBSnapshot", arn("rds", physical.other(region), f"snapshot:{instance}-20260101t0-ab12")
            for action in ("rds:RestoreDBInstanceFromDBSnapshot", "rds:RestoreDBInstanceToPointInTime"):
                yield action, arn("rds", region, f"db:{made}")
                yield action, arn("rds", region, f"subgrp:{physical.prefix}-{name}-{region}")
                yield action, arn("rds", region, f"pg:{physical.prefix}-{name}-{region}")
                # Whatever is restored is checked on the options that it gets, too.
                yield action, arn("rds", region, "og:default:postgres-16")
    for design in physical.topology.caches:
        name = design.settings.name
        for region in SITES:
            if design.mechanism is CacheMechanism.GLOBAL_DATASTORE:
                group = physical.replication_group(name, region)
                yield (
                    "elasticache:FailoverGlobalReplicationGroup",
                    arn("elasticache", region, f"replicationgroup:{group}"),
                )
    for design in physical.topology.object_stores:
        for region in SITES:
            yield "s3:ListBucketVersions", f"arn:aws:s3:::{physical.bucket(design.settings.name, region)}"


@pytest.mark.parametrize("adopted", ["", ", import: { us-west-2: legacy-orders }"])
def test_folded_names_are_those_of_the_stack_and_no_others(adopted: str) -> None:
    settings, topology = stack(ROUTING[0], adopted=adopted)
    policy = failover_policy(failover_scope(settings, topology))
    asked = list(touched(Physical(settings=settings, topology=topology)))
    assert [each for each in asked if not covered(policy, *each)] == []
    own = [each for each in asked if ":og:" not in each[1] and "legacy" not in each[1]]
    # The next stack's prefix begins as this one's does.
    foreign = [(action, arn.replace(f"{settings.prefix}-", f"{settings.prefix}ing-")) for action, arn in own]
    assert not set(foreign) & set(own)
    assert [each for each in foreign if covered(policy, *each)] == []
    assert any("legacy" in arn for _, arn in asked) == bool(adopted)
    assert covered(policy, "rds:ModifyDBInstance", "arn:aws:rds:us-west-2:123456789012:db:legacy-orders") == bool(
        adopted
    )


def test_a_cache_is_made_with_its_members_in_its_subnets_by_the_engines_parameters() -> None:
    text = HEAD.replace("OBJECTIVES", "{ failures: [ { failure: zone, rto: 24h } ] }").replace("ROUTING", ROUTING[0])
    text += "  lifeboat:caches:\n    - { name: pages, mechanism: rebuild }\n"
    text += "    - { name: old, mechanism: rebuild, import: { us-east-2: legacy } }\n"
    settings = from_stack_file(text)
    policy = failover_policy(failover_scope(settings, resolve(settings)))
    for group in ("shop-test-pages-us-east-2", "legacy"):
        for resource in (f"replicationgroup:{group}", f"cluster:{group}{MEMBER}"):
            assert covered(
                policy, "elasticache:CreateReplicationGroup", f"arn:aws:elasticache:us-east-2:123456789012:{resource}"
            )
    # The subnets are the stack's also where the group was adopted.
    for resource in ("subnetgroup:shop-test-old-us-east-2", "parametergroup:default.redis7"):
        assert covered(
            policy, "elasticache:CreateReplicationGroup", f"arn:aws:elasticache:us-east-2:123456789012:{resource}"
        )
    for resource in ("cluster:shop-testing-pages-us-east-2-001", "cluster:shop-test-pages-us-west-2-001"):
        assert not covered(
            policy, "elasticache:CreateReplicationGroup", f"arn:aws:elasticache:us-east-2:123456789012:{resource}"
        )


def test_the_witness_looks_votes_and_tells_and_has_no_right_of_a_failover() -> None:
    role = deploy(lambda world: warden(world, WITNESS)).named(f"warden-{WITNESS}-role-policy")
    policy = json.loads(role.inputs["policy"])
    assert policy == witness_policy(SCOPE)
    may = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert may == {
        "cloudwatch:PutMetricData",
        "dynamodb:BatchGetItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "sns:Publish",
    }
    (written,) = [each for each in policy["Statement"] if "dynamodb:PutItem" in each["Action"]]
    (keys,) = written["Condition"]["ForAllValues:StringEquals"].values()
    assert keys == [f"{TABLE_VIEWS}{WITNESS}"]
    for region in (HOME, OTHER):
        table = f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{PREFIX}-lease"
        assert all(covered(policy, f"dynamodb:{asks}", table) for asks in ("GetItem", "BatchGetItem", "PutItem"))


def test_of_a_lease_in_buckets_the_witness_reads_all_and_writes_its_own_view() -> None:
    policy = witness_policy(BUCKETS)
    bucket = f"arn:aws:s3:::{PREFIX}-lease-"
    read = [f"{bucket}{WITNESS}/{LEASE_KEY}", f"{bucket}{WITNESS}/{OBJECT_VIEWS}{HOME}.json"]
    read += [f"{bucket}{region}/{STAND_IN_KEY}" for region in (HOME, OTHER)]
    assert all(covered(policy, "s3:GetObject", each) for each in read)
    assert resources(policy, "s3:PutObject") == [f"{bucket}{WITNESS}/{OBJECT_VIEWS}{WITNESS}.json"]
    # Without it, S3 answers of what is not there that it may not be read.
    assert set(resources(policy, "s3:ListBucket")) == {f"{bucket}{region}" for region in (HOME, OTHER, WITNESS)}
    assert resources(policy, "dynamodb:GetItem") == []


def test_a_sites_warden_has_all_that_a_failover_needs() -> None:
    deployment = deploy(warden)
    assert json.loads(deployment.named(f"warden-{HOME}-role-policy").inputs["policy"]) == failover_policy(SCOPE)
