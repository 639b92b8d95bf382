"""Synthetic stacks: services as a team would declare them in two regions, with companions, replicas and alarms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from policies.core.resource import Provider, Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT: Final = "123456789012"
HOME, AWAY = "us-east-1", "us-west-2"
BUCKET: Final = "aws:s3/bucket:Bucket"
_PROVIDERS = {
    region: Provider(
        urn=f"urn:pulumi:bench::bench::pulumi:providers:aws::{region}",
        type="pulumi:providers:aws",
        inputs={"region": region, "allowedAccountIds": f'["{ACCOUNT}"]'},
    )
    for region in (HOME, AWAY)
}
_TAGS = {"tier": "1", "rpo": "15m", "rto": "1h", "owner": "bench", "data-class": "internal"}
_WINDOW = {"startWindow": 60, "completionWindow": 180, "lifecycle": {"deleteAfter": 35}}


def resources(count: int) -> list[Resource]:
    """So many resources, a service after the other."""
    found: list[Resource] = []
    number = 0
    while len(found) < count:
        found += _Service(f"s{number:04d}").resources()
        number += 1
    return found[:count]


class _Service:
    """An Aurora Global database, a replicated bucket, a table, a secret, names with failover, and a backup plan."""

    def __init__(self, name: str) -> None:
        self._name = name

    def resources(self) -> Iterator[Resource]:
        """In an order in which each depends on earlier ones only."""
        keys = {region: self._key(region) for region in (HOME, AWAY)}
        yield from keys.values()
        yield from self._database(keys)
        yield from self._buckets(keys)
        yield from self._rest(keys)
        yield from self._names()

    def _make(
        self, type_: str, suffix: str, region: str, inputs: dict[str, Any], arn: str = "", **uses: Resource
    ) -> Resource:
        name = f"{self._name}-{region}-{suffix}"
        urns = {key: (each.urn,) for key, each in uses.items()}
        return Resource(
            urn=f"urn:pulumi:bench::bench::{type_}::{name}",
            type=type_,
            inputs={**inputs, "tags": {**_TAGS, "Name": name}},
            outputs={"id": name, "arn": arn or f"arn:aws:any:{region}:{ACCOUNT}:{name}", "region": region},
            protect=True,
            provider=_PROVIDERS[region],
            dependencies=tuple(urn for each in urns.values() for urn in each),
            property_dependencies=urns,
        )

    def _key(self, region: str) -> Resource:
        arn = f"arn:aws:kms:{region}:{ACCOUNT}:key/{self._name}"
        return self._make(
            "aws:kms/key:Key", "key", region, {"enableKeyRotation": True, "deletionWindowInDays": 30}, arn
        )

    def _database(self, keys: dict[str, Resource]) -> Iterator[Resource]:
        name = f"{self._name}-orders"
        world = self._make(
            "aws:rds/globalCluster:GlobalCluster",
            "world",
            HOME,
            {"globalClusterIdentifier": name, "storageEncrypted": True, "deletionProtection": True},
        )
        yield world
        group = {"parameters": [{"name": "rds.force_ssl", "value": "1"}], "family": "aurora-postgresql16"}
        for region, key in keys.items():
            parameters = self._make("aws:rds/clusterParameterGroup:ClusterParameterGroup", "parameters", region, group)
            yield parameters
            inputs: dict[str, Any] = {
                "clusterIdentifier": f"{name}-{region}",
                "engine": "aurora-postgresql",
                "globalClusterIdentifier": name,
                "dbClusterParameterGroupName": parameters.outputs["id"],
                "kmsKeyId": key.outputs["arn"],
                "storageEncrypted": True,
                "deletionProtection": True,
                "backupRetentionPeriod": 14,
                "copyTagsToSnapshot": True,
                "finalSnapshotIdentifier": f"{name}-last",
                **({"masterUsername": "root", "masterPassword": "bench"} if region == HOME else {}),
            }
            cluster = self._make(
                "aws:rds/cluster:Cluster",
                "orders",
                region,
                inputs,
                f"arn:aws:rds:{region}:{ACCOUNT}:cluster:{name}-{region}",
                globalClusterIdentifier=world,
                kmsKeyId=key,
                dbClusterParameterGroupName=parameters,
            )
            yield cluster
            for zone in "ab":
                yield self._make(
                    "aws:rds/clusterInstance:ClusterInstance",
                    f"orders-{zone}",
                    region,
                    {
                        "clusterIdentifier": f"{name}-{region}",
                        "instanceClass": "db.r6g.large",
                        "availabilityZone": region + zone,
                    },
                    clusterIdentifier=cluster,
                )
        lag = {
            "namespace": "AWS/RDS",
            "metricName": "AuroraGlobalDBReplicationLag",
            "dimensions": {"DBClusterIdentifier": f"{name}-{AWAY}"},
            "comparisonOperator": "GreaterThanThreshold",
            "threshold": 60000,
            "period": 60,
            "evaluationPeriods": 3,
            "treatMissingData": "breaching",
            "alarmActions": [f"arn:aws:sns:{AWAY}:{ACCOUNT}:alerts"],
        }
        yield self._make("aws:cloudwatch/metricAlarm:MetricAlarm", "lag", AWAY, lag)

    def _buckets(self, keys: dict[str, Resource]) -> Iterator[Resource]:
        names = {region: f"{self._name}-files-{region}" for region in (HOME, AWAY)}
        buckets = {
            region: self._make(BUCKET, "files", region, {"bucket": name}, f"arn:aws:s3:::{name}")
            for region, name in names.items()
        }
        yield from buckets.values()
        for region, other in ((HOME, AWAY), (AWAY, HOME)):
            bucket, name = buckets[region], names[region]
            statement = {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
            encryption = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": keys[region].outputs["arn"]}
            blocked = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
            goal = {"bucket": f"arn:aws:s3:::{names[other]}", "storageClass": "STANDARD"}
            companions: dict[str, dict[str, Any]] = {
                "Versioning": {"versioningConfiguration": {"status": "Enabled"}},
                "ServerSideEncryptionConfiguration": {"rules": [{"applyServerSideEncryptionByDefault": encryption}]},
                "PublicAccessBlock": dict.fromkeys(blocked, True),
                "Policy": {"policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})},
                "LifecycleConfiguration": {
                    "rules": [{"id": "old", "status": "Enabled", "noncurrentVersionExpiration": {"noncurrentDays": 30}}]
                },
                "ReplicationConfig": {
                    "role": f"arn:aws:iam::{ACCOUNT}:role/{self._name}",
                    "rules": [{"id": "all", "status": "Enabled", "filter": {"prefix": ""}, "destination": goal}],
                },
            }
            for kind, inputs in companions.items():
                yield self._make(
                    f"aws:s3/bucket{kind}:Bucket{kind}", kind, region, {"bucket": name, **inputs}, bucket=bucket
                )

    def _rest(self, keys: dict[str, Resource]) -> Iterator[Resource]:
        table = self._make(
            "aws:dynamodb/table:Table",
            "sessions",
            HOME,
            {
                "name": f"{self._name}-sessions",
                "hashKey": "id",
                "pointInTimeRecovery": {"enabled": True},
                "serverSideEncryption": {"enabled": True, "kmsKeyArn": keys[HOME].outputs["arn"]},
                "deletionProtectionEnabled": True,
                "replicas": [{"regionName": AWAY, "pointInTimeRecovery": True, "kmsKeyArn": keys[AWAY].outputs["arn"]}],
            },
            serverSideEncryption=keys[HOME],
        )
        yield table
        yield self._make(
            "aws:secretsmanager/secret:Secret",
            "secret",
            HOME,
            {
                "name": self._name,
                "kmsKeyId": keys[HOME].outputs["arn"],
                "replicas": [{"region": AWAY, "kmsKeyId": keys[AWAY].outputs["arn"]}],
            },
            kmsKeyId=keys[HOME],
        )
        vaults = {
            region: self._make(
                "aws:backup/vault:Vault",
                "vault",
                region,
                {"name": f"{self._name}-vault", "kmsKeyArn": key.outputs["arn"]},
                f"arn:aws:backup:{region}:{ACCOUNT}:backup-vault:{self._name}-vault",
                kmsKeyArn=key,
            )
            for region, key in keys.items()
        }
        yield from vaults.values()
        copy = {"destinationVaultArn": vaults[AWAY].outputs["arn"], "lifecycle": {"deleteAfter": 35}}
        rule = {
            "ruleName": "hourly",
            "targetVaultName": f"{self._name}-vault",
            "schedule": "cron(0 * ? * * *)",
            "copyActions": [copy],
            **_WINDOW,
        }
        plan = self._make(
            "aws:backup/plan:Plan", "plan", HOME, {"name": self._name, "rules": [rule]}, rules=vaults[AWAY]
        )
        yield plan
        yield self._make(
            "aws:backup/selection:Selection",
            "selection",
            HOME,
            {
                "planId": plan.outputs["id"],
                "name": "all",
                "iamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/backup",
                "resources": [table.outputs["arn"], f"arn:aws:s3:::{self._name}-*"],
            },
            planId=plan,
            resources=table,
        )
        yield self._make(
            "aws:cloudwatch/logGroup:LogGroup", "logs", HOME, {"name": f"/{self._name}", "retentionInDays": 400}
        )

    def _names(self) -> Iterator[Resource]:
        for region, role in ((HOME, "PRIMARY"), (AWAY, "SECONDARY")):
            name = f"{self._name}.{region}.bench.example.com"
            check = self._make(
                "aws:route53/healthCheck:HealthCheck",
                "check",
                region,
                {
                    "type": "HTTPS",
                    "fqdn": name,
                    "port": 443,
                    "resourcePath": "/health",
                    "requestInterval": 10,
                    "failureThreshold": 3,
                },
            )
            yield check
            yield self._make(
                "aws:route53/record:Record",
                "record",
                region,
                {
                    "zoneId": "Z0123456789",
                    "name": f"{self._name}.bench.example.com",
                    "type": "CNAME",
                    "ttl": 30,
                    "records": [name],
                    "setIdentifier": region,
                    "failoverRoutingPolicies": [{"type": role}],
                    "healthCheckId": check.outputs["id"],
                },
                healthCheckId=check,
            )
