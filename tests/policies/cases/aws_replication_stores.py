"""Cases of `policies.rules.aws_replication`: stores that need a copy elsewhere."""

from __future__ import annotations

from policies.core.values import UNKNOWN
from tests.policies.cases.aws_replication import (
    CLUSTER,
    FILE_REPLICATION,
    TABLE,
    TIER1,
    WEST,
    both_ways,
    files,
    follower,
    source,
)
from tests.policies.harness import Case, make

SECRET = "aws:secretsmanager/secret:Secret"
REPOSITORY = "aws:ecr/repository:Repository"
REGISTRY = "aws:ecr/replicationConfiguration:ReplicationConfiguration"

CASES: dict[str, list[Case]] = {
    "tier1-has-cross-region-copy": [
        Case(kind="passes", about="a replica", resources=[source, follower("far", WEST)], settings=TIER1),
        Case(kind="passes", about="buckets both ways", resources=both_ways, settings=TIER1),
        Case(
            kind="passes",
            about="replicas of a table, and a warehouse's snapshots",
            resources=[
                make(TABLE, inputs={"replicas": [{"regionName": WEST}]}),
                make("aws:redshift/cluster:Cluster", "dw", {"clusterIdentifier": "dw"}),
                make(
                    "aws:redshift/snapshotCopy:SnapshotCopy",
                    "c",
                    {"clusterIdentifier": "dw", "destinationRegion": WEST},
                ),
            ],
            settings=TIER1,
        ),
        Case(
            kind="passes",
            about="automated backups and a plan's copies",
            resources=[
                source,
                make(
                    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
                    "backups",
                    {"sourceDbInstanceArn": UNKNOWN},
                    uses={"sourceDbInstanceArn": source},
                    region=WEST,
                ),
                files,
                plan := make(
                    "aws:backup/plan:Plan",
                    "plan",
                    {
                        "rules": [
                            {"copyActions": [{"destinationVaultArn": "arn:aws:backup:us-west-2:1:backup-vault:v"}]}
                        ]
                    },
                ),
                make(
                    "aws:backup/selection:Selection",
                    "selection",
                    {"planId": UNKNOWN, "resources": [UNKNOWN]},
                    uses={"planId": plan, "resources": files},
                ),
            ],
            settings=TIER1,
        ),
        Case(
            kind="fails",
            about="a replica at home",
            resources=[source, follower("near", "us-east-1")],
            settings=TIER1,
            violated=["source:"],
        ),
        Case(
            kind="absent",
            about="tier 1 by its tag",
            resources=[make(TABLE, inputs={"tags": {"tier": "1"}}), make(TABLE, "b", {"tags": {"tier": "2"}})],
            violated=["it:"],
        ),
        Case(
            kind="unknown",
            resources=[make(TABLE, inputs={"replicas": [{"regionName": UNKNOWN}]})],
            settings=TIER1,
            undecided=["it:"],
        ),
        Case(
            kind="exempt",
            about="a member of a global cluster that another stack declares",
            resources=[make(CLUSTER, inputs={"globalClusterIdentifier": "shared"})],
            settings=TIER1,
        ),
        Case(
            kind="companion",
            about="a file system's replication",
            resources=[
                files,
                make(
                    FILE_REPLICATION,
                    inputs={"sourceFileSystemId": UNKNOWN, "destination": {"region": WEST}},
                    uses={"sourceFileSystemId": files},
                ),
            ],
            settings=TIER1,
        ),
    ],
    "secrets-images-in-dr-region": [
        Case(kind="passes", resources=[make(SECRET, inputs={"replicas": [{"region": WEST}]})]),
        Case(
            kind="passes",
            about="a registry",
            resources=[
                make(REGISTRY, inputs={"replicationConfiguration": {"rules": [{"destinations": [{"region": WEST}]}]}}),
                make(REPOSITORY, "images", {"name": "app"}),
            ],
        ),
        Case(
            kind="fails",
            about="at home",
            resources=[
                make(SECRET, inputs={"replicas": [{"region": "us-east-1"}]}),
                make(
                    REGISTRY,
                    "registry",
                    {"replicationConfiguration": {"rules": [{"destinations": [{"region": "us-east-1"}]}]}},
                ),
            ],
            violated=["it:replicas", "registry:replicationConfiguration.rules.0.destinations"],
        ),
        Case(
            kind="absent",
            resources=[make(SECRET), make(REPOSITORY, "images"), make(REGISTRY, "registry", region=WEST)],
            violated=["it:replicas", "images:", "registry:replicationConfiguration.rules"],
        ),
        Case(
            kind="unknown",
            resources=[
                make(SECRET, inputs={"replicas": UNKNOWN}),
                make(SECRET, "b", {"replicas": [{"region": UNKNOWN}]}),
            ],
            undecided=["it:replicas", "b:replicas"],
        ),
        Case(
            kind="companion",
            about="a registry takes some repositories only",
            resources=[
                make(
                    REGISTRY,
                    "registry",
                    {
                        "replicationConfiguration": {
                            "rules": [{"destinations": [{"region": WEST}], "repositoryFilters": [{"filter": "app"}]}]
                        }
                    },
                ),
                make(REPOSITORY, "taken", {"name": "app-web"}),
                make(REPOSITORY, "left", {"name": "other"}),
            ],
            violated=["left:"],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "secrets-images-in-dr-region": {"exempt": "no secret and no image is less needed after a failover"},
}
