"""One example of every type in the catalogue, in an order in which each finds what it needs.

A text ``@name.output`` stands for an output of the example of that name, ``@name`` for its identifier.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lifeboat.sandbox.provider import Value, Values

HOME = "us-east-1"
STANDBY = "us-west-2"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)

WRITE_LOGS = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}]}
)


def policy(action: str, resource: str) -> str:
    """A resource policy that lets the account do one thing."""
    statement = {
        "Sid": "Owner",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": action,
        "Resource": resource,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass(frozen=True)
class Example:
    """A resource to make.

    Attributes:
        name: By which others refer to it.
        token: Its type.
        inputs: As a program gives them.
        region: The provider that makes it.
        update: Inputs that change in place; tags where there is nothing else.
    """

    name: str
    token: str
    inputs: Values
    region: str = HOME
    update: Values = field(default_factory=dict[str, "Value"])


TAGS: Value = {"system": "reskflow", "environment": "test"}
MORE: Value = {"system": "reskflow", "owner": "data"}


def _vpc(side: str, region: str, cidr: str) -> list[Example]:
    name = f"vpc-{side}"
    return [
        Example(
            name,
            "aws:ec2/vpc:Vpc",
            {"cidrBlock": f"{cidr}.0.0/16", "enableDnsHostnames": True, "tags": TAGS},
            region,
            {"enableDnsHostnames": False},
        ),
        *(
            Example(
                f"subnet-{side}-{zone}",
                "aws:ec2/subnet:Subnet",
                {
                    "vpcId": f"@{name}",
                    "cidrBlock": f"{cidr}.{index}.0/24",
                    "availabilityZone": f"{region}{zone}",
                    "mapPublicIpOnLaunch": zone == "a",
                    "tags": TAGS,
                },
                region,
                {"mapPublicIpOnLaunch": zone != "a"},
            )
            for index, zone in enumerate("ab")
        ),
        Example(
            f"key-{side}",
            "aws:kms/key:Key",
            {
                "description": "databases",
                "enableKeyRotation": True,
                "deletionWindowInDays": 30,
                "policy": policy("kms:*", "*"),
                "tags": TAGS,
            },
            region,
            {"description": "databases and caches"},
        ),
        Example(
            f"db-subnets-{side}",
            "aws:rds/subnetGroup:SubnetGroup",
            {"name": "orders", "subnetIds": [f"@subnet-{side}-a", f"@subnet-{side}-b"], "tags": TAGS},
            region,
            {"description": "Isolated"},
        ),
        Example(
            f"db-parameters-{side}",
            "aws:rds/parameterGroup:ParameterGroup",
            {
                "name": "orders",
                "family": "postgres16",
                "parameters": [{"name": "rds.force_ssl", "value": "1", "applyMethod": "immediate"}],
                "tags": TAGS,
            },
            region,
        ),
        Example(
            f"cache-subnets-{side}",
            "aws:elasticache/subnetGroup:SubnetGroup",
            {"name": "sessions", "subnetIds": [f"@subnet-{side}-a", f"@subnet-{side}-b"], "tags": TAGS},
            region,
        ),
    ]


NETWORK = [
    *_vpc("home", HOME, "10.0"),
    *_vpc("standby", STANDBY, "10.1"),
    Example(
        "alias",
        "aws:kms/alias:Alias",
        {"name": "alias/reskflow-database", "targetKeyId": "@key-home"},
        HOME,
    ),
    Example("gateway", "aws:ec2/internetGateway:InternetGateway", {"vpcId": "@vpc-home", "tags": TAGS}),
    Example("address", "aws:ec2/eip:Eip", {"domain": "vpc", "tags": TAGS}),
    Example(
        "nat",
        "aws:ec2/natGateway:NatGateway",
        {"allocationId": "@address", "subnetId": "@subnet-home-a", "tags": TAGS},
    ),
    Example("table", "aws:ec2/routeTable:RouteTable", {"vpcId": "@vpc-home", "tags": TAGS}),
    Example(
        "route",
        "aws:ec2/route:Route",
        {"routeTableId": "@table", "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": "@nat"},
    ),
    Example(
        "association",
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        {"routeTableId": "@table", "subnetId": "@subnet-home-a"},
    ),
    Example(
        "endpoint",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        {
            "vpcId": "@vpc-home",
            "serviceName": "com.amazonaws.us-east-1.s3",
            "vpcEndpointType": "Gateway",
            "routeTableIds": ["@table"],
            "tags": TAGS,
        },
    ),
    Example("default-group", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", {"vpcId": "@vpc-home", "tags": TAGS}),
    Example(
        "group",
        "aws:ec2/securityGroup:SecurityGroup",
        {"name": "database", "description": "PostgreSQL", "vpcId": "@vpc-home", "tags": TAGS},
    ),
    Example(
        "interface-endpoint",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        {
            "vpcId": "@vpc-home",
            "serviceName": "com.amazonaws.us-east-1.kms",
            "vpcEndpointType": "Interface",
            "subnetIds": ["@subnet-home-a", "@subnet-home-b"],
            "securityGroupIds": ["@group"],
            "privateDnsEnabled": True,
            "tags": TAGS,
        },
    ),
    Example(
        "ingress",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        {
            "securityGroupId": "@group",
            "ipProtocol": "tcp",
            "fromPort": 5432,
            "toPort": 5432,
            "cidrIpv4": "10.0.0.0/8",
            "description": "sites",
            "tags": TAGS,
        },
    ),
    Example(
        "egress",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        {"securityGroupId": "@group", "ipProtocol": "-1", "cidrIpv4": "10.0.0.0/8", "tags": TAGS},
    ),
    Example(
        "peering",
        "aws:ec2/vpcPeeringConnection:VpcPeeringConnection",
        {"vpcId": "@vpc-home", "peerVpcId": "@vpc-standby", "peerRegion": STANDBY, "autoAccept": False, "tags": TAGS},
    ),
    Example(
        "accepter",
        "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter",
        {"vpcPeeringConnectionId": "@peering", "autoAccept": True, "tags": TAGS},
        STANDBY,
    ),
    Example(
        "logs",
        "aws:cloudwatch/logGroup:LogGroup",
        {"name": "/reskflow/flow", "retentionInDays": 30, "kmsKeyId": "@key-home.arn", "tags": TAGS},
        HOME,
        {"retentionInDays": 60},
    ),
    Example(
        "role",
        "aws:iam/role:Role",
        {"name": "flow-logs", "assumeRolePolicy": TRUST, "tags": TAGS},
        HOME,
        {"maxSessionDuration": 7200},
    ),
    Example(
        "role-policy",
        "aws:iam/rolePolicy:RolePolicy",
        {
            "name": "write",
            "role": "@role",
            "policy": WRITE_LOGS,
        },
    ),
    Example(
        "attachment",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {
            "role": "@role",
            "policyArn": "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole",
        },
    ),
    Example(
        "flow",
        "aws:ec2/flowLog:FlowLog",
        {
            "vpcId": "@vpc-home",
            "trafficType": "ALL",
            "logDestinationType": "cloud-watch-logs",
            "logDestination": "@logs.arn",
            "iamRoleArn": "@role.arn",
            "tags": TAGS,
        },
    ),
]


def _rule(hour: int) -> Value:
    """A day's backup, copied to the other side."""
    return {
        "ruleName": "daily",
        "targetVaultName": "@vault-home",
        "schedule": f"cron(0 {hour} * * ? *)",
        "startWindow": 60,
        "completionWindow": 180,
        "lifecycle": {"deleteAfter": 14},
        "copyActions": [{"destinationVaultArn": "@vault-standby.arn", "lifecycle": {"deleteAfter": 14}}],
    }


DATA = [
    Example("password", "random:index/randomPassword:RandomPassword", {"length": 32, "special": False}),
    Example(
        "db",
        "aws:rds/instance:Instance",
        {
            "identifier": "orders-us-east-1",
            "engine": "postgres",
            "engineVersion": "16.4",
            "instanceClass": "db.r6g.large",
            "allocatedStorage": 100,
            "storageType": "gp3",
            "storageEncrypted": True,
            "kmsKeyId": "@key-home.arn",
            "dbName": "orders",
            "username": "lifeboat",
            "password": "@password.result",
            "multiAz": True,
            "dbSubnetGroupName": "@db-subnets-home",
            "parameterGroupName": "@db-parameters-home",
            "vpcSecurityGroupIds": ["@group"],
            "backupRetentionPeriod": 7,
            "backupWindow": "03:00-04:00",
            "copyTagsToSnapshot": True,
            "deletionProtection": False,
            "iamDatabaseAuthenticationEnabled": True,
            "enabledCloudwatchLogsExports": ["postgresql", "upgrade"],
            "skipFinalSnapshot": True,
            "applyImmediately": True,
            "tags": TAGS,
        },
        HOME,
        {"instanceClass": "db.r6g.xlarge"},
    ),
    Example(
        "replica",
        "aws:rds/instance:Instance",
        {
            "identifier": "orders-us-west-2",
            "replicateSourceDb": "@db.arn",
            "instanceClass": "db.r6g.large",
            "storageEncrypted": True,
            "kmsKeyId": "@key-standby.arn",
            "dbSubnetGroupName": "@db-subnets-standby",
            "parameterGroupName": "@db-parameters-standby",
            "backupRetentionPeriod": 7,
            "skipFinalSnapshot": True,
            "tags": TAGS,
        },
        STANDBY,
        {"backupRetentionPeriod": 14},
    ),
    Example(
        "backups",
        "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
        {"sourceDbInstanceArn": "@db.arn", "kmsKeyId": "@key-standby.arn", "retentionPeriod": 14},
        STANDBY,
    ),
    *(
        Example(
            f"vault-{side}",
            "aws:backup/vault:Vault",
            {"name": f"orders-{region}", "kmsKeyArn": f"@key-{side}.arn", "tags": TAGS},
            region,
        )
        for side, region in (("home", HOME), ("standby", STANDBY))
    ),
    Example(
        "plan",
        "aws:backup/plan:Plan",
        {"name": "orders", "rules": [_rule(2)], "tags": TAGS},
        HOME,
        {"rules": [_rule(4)]},
    ),
    Example(
        "selection",
        "aws:backup/selection:Selection",
        {
            "name": "orders",
            "planId": "@plan",
            "iamRoleArn": "@role.arn",
            "resources": ["@db.arn"],
            "conditions": [{"stringLikes": [{"key": "aws:ResourceTag/system", "value": "resk*"}]}],
            "selectionTags": [{"type": "STRINGEQUALS", "key": "system", "value": "reskflow"}],
        },
    ),
    Example(
        "cluster-parameters",
        "aws:rds/clusterParameterGroup:ClusterParameterGroup",
        {
            "name": "orders-aurora",
            "family": "aurora-postgresql16",
            "parameters": [{"name": "rds.force_ssl", "value": "1", "applyMethod": "immediate"}],
            "tags": TAGS,
        },
    ),
    Example(
        "global",
        "aws:rds/globalCluster:GlobalCluster",
        {
            "globalClusterIdentifier": "orders",
            "engine": "aurora-postgresql",
            "engineVersion": "16.4",
            "databaseName": "orders",
            "storageEncrypted": True,
            "forceDestroy": True,
        },
        HOME,
        {"deletionProtection": False},
    ),
    Example(
        "cluster",
        "aws:rds/cluster:Cluster",
        {
            "clusterIdentifier": "orders-us-east-1",
            "engine": "aurora-postgresql",
            "engineVersion": "16.4",
            "globalClusterIdentifier": "@global",
            "masterUsername": "lifeboat",
            "masterPassword": "@password.result",
            "databaseName": "orders",
            "storageEncrypted": True,
            "kmsKeyId": "@key-home.arn",
            "dbSubnetGroupName": "@db-subnets-home",
            "dbClusterParameterGroupName": "@cluster-parameters",
            "vpcSecurityGroupIds": ["@group"],
            "backupRetentionPeriod": 7,
            "enabledCloudwatchLogsExports": ["postgresql"],
            "skipFinalSnapshot": True,
            "tags": TAGS,
        },
        HOME,
        {"backupRetentionPeriod": 14},
    ),
    Example(
        "member",
        "aws:rds/clusterInstance:ClusterInstance",
        {
            "identifier": "orders-us-east-1-1",
            "clusterIdentifier": "@cluster",
            "engine": "aurora-postgresql",
            "instanceClass": "db.r6g.large",
            "tags": TAGS,
        },
    ),
    Example(
        "secondary",
        "aws:rds/cluster:Cluster",
        {
            "clusterIdentifier": "orders-us-west-2",
            "engine": "aurora-postgresql",
            "engineVersion": "16.4",
            "globalClusterIdentifier": "@global",
            "storageEncrypted": True,
            "kmsKeyId": "@key-standby.arn",
            "dbSubnetGroupName": "@db-subnets-standby",
            "skipFinalSnapshot": True,
            "tags": TAGS,
        },
        STANDBY,
    ),
    Example(
        "cache-parameters",
        "aws:elasticache/parameterGroup:ParameterGroup",
        {
            "name": "sessions",
            "family": "redis7",
            "description": "sessions",
            "parameters": [{"name": "maxmemory-policy", "value": "noeviction"}],
            "tags": TAGS,
        },
    ),
    Example(
        "cache",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        {
            "replicationGroupId": "sessions-us-east-1",
            "description": "sessions",
            "engine": "redis",
            "engineVersion": "7.1",
            "nodeType": "cache.r7g.large",
            "numCacheClusters": 2,
            "automaticFailoverEnabled": True,
            "multiAzEnabled": True,
            "atRestEncryptionEnabled": True,
            "transitEncryptionEnabled": True,
            "kmsKeyId": "@key-home.arn",
            "authToken": "@password.result",
            "subnetGroupName": "@cache-subnets-home",
            "parameterGroupName": "@cache-parameters",
            "securityGroupIds": ["@group"],
            "snapshotRetentionLimit": 7,
            "applyImmediately": True,
            "tags": TAGS,
        },
        HOME,
        {"snapshotRetentionLimit": 14},
    ),
    Example(
        "global-cache",
        "aws:elasticache/globalReplicationGroup:GlobalReplicationGroup",
        {"globalReplicationGroupIdSuffix": "sessions", "primaryReplicationGroupId": "@cache"},
        HOME,
        {"globalReplicationGroupDescription": "sessions of both sites"},
    ),
    Example(
        "secondary-cache",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        {
            "replicationGroupId": "sessions-us-west-2",
            "description": "sessions",
            "globalReplicationGroupId": "@global-cache.globalReplicationGroupId",
            "numCacheClusters": 2,
            "automaticFailoverEnabled": True,
            "multiAzEnabled": True,
            "kmsKeyId": "@key-standby.arn",
            "subnetGroupName": "@cache-subnets-standby",
            "tags": TAGS,
        },
        STANDBY,
    ),
]


def _bucket(side: str, region: str) -> list[Example]:
    name = f"bucket-{side}"
    return [
        Example(
            name,
            "aws:s3/bucket:Bucket",
            {"bucket": f"reskflow-documents-{region}", "objectLockEnabled": side == "standby", "tags": TAGS},
            region,
        ),
        Example(
            f"versioning-{side}",
            "aws:s3/bucketVersioning:BucketVersioning",
            {"bucket": f"@{name}", "versioningConfiguration": {"status": "Enabled"}},
            region,
        ),
    ]


OBJECTS = [
    *_bucket("home", HOME),
    *_bucket("standby", STANDBY),
    Example(
        "encryption",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        {
            "bucket": "@bucket-home",
            "rules": [
                {
                    "applyServerSideEncryptionByDefault": {
                        "sseAlgorithm": "aws:kms",
                        "kmsMasterKeyId": "@key-home.arn",
                    },
                    "bucketKeyEnabled": True,
                }
            ],
        },
        HOME,
        {
            "rules": [
                {
                    "applyServerSideEncryptionByDefault": {
                        "sseAlgorithm": "aws:kms",
                        "kmsMasterKeyId": "@key-home.arn",
                    },
                    "bucketKeyEnabled": False,
                }
            ]
        },
    ),
    Example(
        "public-access",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        {
            "bucket": "@bucket-home",
            "blockPublicAcls": True,
            "blockPublicPolicy": True,
            "ignorePublicAcls": True,
            "restrictPublicBuckets": True,
        },
        HOME,
        {"blockPublicAcls": False},
    ),
    Example(
        "ownership",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        {"bucket": "@bucket-home", "rule": {"objectOwnership": "BucketOwnerEnforced"}},
        HOME,
        {"rule": {"objectOwnership": "BucketOwnerPreferred"}},
    ),
    Example(
        "bucket-policy",
        "aws:s3/bucketPolicy:BucketPolicy",
        {"bucket": "@bucket-home", "policy": policy("s3:GetObject", "arn:aws:s3:::reskflow-documents-us-east-1/*")},
        HOME,
        {"policy": policy("s3:*", "arn:aws:s3:::reskflow-documents-us-east-1/*")},
    ),
    Example(
        "replication",
        "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        {
            "bucket": "@bucket-home",
            "role": "@role.arn",
            "rules": [
                {
                    "id": "to-us-west-2",
                    "status": "Enabled",
                    "priority": 0,
                    "filter": {"prefix": ""},
                    "deleteMarkerReplication": {"status": "Enabled"},
                    "sourceSelectionCriteria": {
                        "replicaModifications": {"status": "Enabled"},
                        "sseKmsEncryptedObjects": {"status": "Enabled"},
                    },
                    "destination": {
                        "bucket": "@bucket-standby.arn",
                        "storageClass": "STANDARD_IA",
                        "encryptionConfiguration": {"replicaKmsKeyId": "@key-standby.arn"},
                        "replicationTime": {"status": "Enabled", "time": {"minutes": 15}},
                        "metrics": {"status": "Enabled", "eventThreshold": {"minutes": 15}},
                    },
                }
            ],
        },
    ),
    Example(
        "lifecycle",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        {
            "bucket": "@bucket-home",
            "rules": [
                {
                    "id": "tiers",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "transitions": [
                        {"days": 30, "storageClass": "STANDARD_IA"},
                        {"days": 90, "storageClass": "GLACIER"},
                        {"days": 180, "storageClass": "DEEP_ARCHIVE"},
                    ],
                    "noncurrentVersionExpiration": {"noncurrentDays": 90},
                    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
                }
            ],
        },
    ),
    Example(
        "lock",
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        {"bucket": "@bucket-standby", "rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 30}}},
        STANDBY,
        {"rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 60}}},
    ),
    Example(
        "object",
        "aws:s3/bucketObjectv2:BucketObjectv2",
        {
            "bucket": "@bucket-home",
            "key": "contract/lifeboat.json",
            "content": '{"version": 1}',
            "contentType": "application/json",
            "kmsKeyId": "@key-home.arn",
            "tags": TAGS,
        },
        HOME,
        {"content": '{"version": 2}'},
    ),
]

ROUTING = [
    Example(
        "secret",
        "aws:secretsmanager/secret:Secret",
        {
            "name": "reskflow/orders",
            "kmsKeyId": "@key-home.arn",
            "replicas": [{"region": STANDBY, "kmsKeyId": "@key-standby.arn"}],
            "recoveryWindowInDays": 7,
            "tags": TAGS,
        },
        HOME,
        {"description": "the orders database"},
    ),
    Example(
        "secret-version",
        "aws:secretsmanager/secretVersion:SecretVersion",
        {"secretId": "@secret", "secretString": "@password.result"},
    ),
    Example(
        "parameter",
        "aws:ssm/parameter:Parameter",
        {"name": "/reskflow/contract", "type": "String", "value": "{}", "tags": TAGS},
        HOME,
        {"value": '{"version": 1}'},
    ),
    Example(
        "topic",
        "aws:sns/topic:Topic",
        {"name": "reskflow-alerts", "kmsMasterKeyId": "@key-home", "tags": TAGS},
        HOME,
        {"displayName": "alerts"},
    ),
    Example(
        "topic-policy",
        "aws:sns/topicPolicy:TopicPolicy",
        {"arn": "@topic.arn", "policy": policy("SNS:Publish", "*")},
        HOME,
        {"policy": policy("SNS:Subscribe", "*")},
    ),
    Example(
        "database-events",
        "aws:rds/eventSubscription:EventSubscription",
        {
            "name": "reskflow-db-instance-events",
            "snsTopic": "@topic.arn",
            "sourceType": "db-instance",
            "sourceIds": ["orders", "payments"],
            "eventCategories": ["failover", "failure"],
            "tags": TAGS,
        },
        HOME,
        {"enabled": False, "eventCategories": ["failover", "failure", "deletion"], "sourceIds": ["orders", "billing"]},
    ),
    Example(
        "alarm",
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        {
            "name": "reskflow-switch-us-east-1",
            "namespace": "lifeboat/reskflow",
            "metricName": "SiteOff",
            "dimensions": {"Site": HOME},
            "statistic": "Maximum",
            "period": 60,
            "evaluationPeriods": 1,
            "datapointsToAlarm": 1,
            "threshold": 1,
            "comparisonOperator": "GreaterThanOrEqualToThreshold",
            "treatMissingData": "missing",
            "alarmActions": ["@topic.arn"],
            "tags": TAGS,
        },
        HOME,
        {"threshold": 2},
    ),
    Example(
        "zone",
        "aws:route53/zone:Zone",
        {"name": "reskflow.example", "forceDestroy": True, "tags": TAGS},
        HOME,
        {"comment": "ReskFlow"},
    ),
    Example(
        "check",
        "aws:route53/healthCheck:HealthCheck",
        {
            "type": "CLOUDWATCH_METRIC",
            "cloudwatchAlarmName": "@alarm",
            "cloudwatchAlarmRegion": HOME,
            "insufficientDataHealthStatus": "LastKnownStatus",
            "triggers": {"alarm": "1"},
            "tags": TAGS,
        },
        HOME,
        {"triggers": {"alarm": "2"}},
    ),
    Example(
        "endpoint-check",
        "aws:route53/healthCheck:HealthCheck",
        {
            "type": "HTTPS",
            "fqdn": "api.reskflow.example",
            "port": 443,
            "resourcePath": "/health",
            "requestInterval": 10,
            "failureThreshold": 3,
            "tags": TAGS,
        },
        HOME,
        {"failureThreshold": 2},
    ),
    Example(
        "record",
        "aws:route53/record:Record",
        {
            "zoneId": "@zone",
            "name": "api",
            "type": "CNAME",
            "ttl": 60,
            "records": ["us-east-1.example.com"],
            "setIdentifier": HOME,
            "failoverRoutingPolicies": [{"type": "PRIMARY"}],
            "healthCheckId": "@check",
        },
        HOME,
        {"ttl": 30},
    ),
    Example(
        "arc",
        "aws:route53recoverycontrol/cluster:Cluster",
        {"name": "reskflow", "tags": TAGS},
    ),
    Example(
        "panel",
        "aws:route53recoverycontrol/controlPanel:ControlPanel",
        {"name": "sites", "clusterArn": "@arc", "tags": TAGS},
    ),
    Example(
        "control",
        "aws:route53recoverycontrol/routingControl:RoutingControl",
        {"name": "us-east-1", "clusterArn": "@arc", "controlPanelArn": "@panel"},
    ),
    Example(
        "rule",
        "aws:route53recoverycontrol/safetyRule:SafetyRule",
        {
            "name": "never-all-off",
            "controlPanelArn": "@panel",
            "assertedControls": ["@control"],
            "waitPeriodMs": 5000,
            "ruleConfig": {"inverted": False, "threshold": 1, "type": "ATLEAST"},
            "tags": TAGS,
        },
    ),
]

CONTAINERS = [
    {
        "name": "warden",
        "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/warden:1",
        "essential": True,
        "portMappings": [{"containerPort": 8470, "hostPort": 8470, "protocol": "tcp"}],
        "environment": [{"name": "SITE", "value": HOME}, {"name": "STACK", "value": "reskflow"}],
    }
]

RECOVERY = [
    Example(
        "lease-table",
        "aws:dynamodb/table:Table",
        {
            "name": "reskflow-lease",
            "billingMode": "PAY_PER_REQUEST",
            "hashKey": "pk",
            "attributes": [{"name": "pk", "type": "S"}],
            "serverSideEncryption": {"enabled": True, "kmsKeyArn": "@key-home.arn"},
            "pointInTimeRecovery": {"enabled": True},
            "replicas": [
                {
                    "regionName": STANDBY,
                    "kmsKeyArn": "@key-standby.arn",
                    "consistencyMode": "STRONG",
                    "pointInTimeRecovery": True,
                    "propagateTags": True,
                }
            ],
            "globalTableWitness": {"regionName": "us-east-2"},
            "tags": TAGS,
        },
        HOME,
        {"deletionProtectionEnabled": True},
    ),
    Example(
        "plain-table",
        "aws:dynamodb/table:Table",
        {
            "name": "events",
            "hashKey": "pk",
            "rangeKey": "at",
            "attributes": [{"name": "pk", "type": "S"}, {"name": "at", "type": "N"}],
            "readCapacity": 5,
            "writeCapacity": 5,
        },
        HOME,
        {"readCapacity": 10, "pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 7}},
    ),
    Example(
        "cluster-of-tasks",
        "aws:ecs/cluster:Cluster",
        {"name": "reskflow-warden", "settings": [{"name": "containerInsights", "value": "disabled"}], "tags": TAGS},
        HOME,
        {"settings": [{"name": "containerInsights", "value": "enabled"}]},
    ),
    Example(
        "task",
        "aws:ecs/taskDefinition:TaskDefinition",
        {
            "family": "reskflow-warden",
            "containerDefinitions": json.dumps(CONTAINERS),
            "cpu": "256",
            "memory": "512",
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
            "taskRoleArn": "@role.arn",
            "executionRoleArn": "@role.arn",
            "tags": TAGS,
        },
    ),
    Example(
        "balancer",
        "aws:lb/loadBalancer:LoadBalancer",
        {
            "name": "reskflow-test-gate",
            "loadBalancerType": "network",
            "internal": True,
            "subnets": ["@subnet-home-a", "@subnet-home-b"],
            "securityGroups": ["@group"],
            "enableCrossZoneLoadBalancing": True,
            "tags": TAGS,
        },
        HOME,
        {"enableDeletionProtection": True},
    ),
    Example(
        "targets",
        "aws:lb/targetGroup:TargetGroup",
        {
            "name": "reskflow-test-gate",
            "targetType": "ip",
            "protocol": "TCP",
            "port": 8470,
            "vpcId": "@vpc-home",
            "deregistrationDelay": 5,
            "preserveClientIp": "false",
            "healthCheck": {
                "enabled": True,
                "protocol": "HTTP",
                "path": "/healthz",
                "port": "traffic-port",
                "interval": 10,
                "timeout": 5,
                "healthyThreshold": 2,
                "unhealthyThreshold": 10,
            },
            "tags": TAGS,
        },
        HOME,
        {
            "deregistrationDelay": 10,
            "healthCheck": {
                "enabled": True,
                "protocol": "HTTP",
                "path": "/gate",
                "port": "8470",
                "interval": 30,
                "timeout": 6,
                "healthyThreshold": 3,
                "unhealthyThreshold": 3,
            },
        },
    ),
    Example(
        "listener",
        "aws:lb/listener:Listener",
        {
            "loadBalancerArn": "@balancer.arn",
            "port": 8470,
            "protocol": "TCP",
            "defaultActions": [{"type": "forward", "targetGroupArn": "@targets.arn"}],
            "tags": TAGS,
        },
        HOME,
        {"port": 8471},
    ),
    Example(
        "service",
        "aws:ecs/service:Service",
        {
            "name": "reskflow-warden",
            "cluster": "@cluster-of-tasks",
            "taskDefinition": "@task.arn",
            "desiredCount": 1,
            "launchType": "FARGATE",
            "deploymentMaximumPercent": 100,
            "deploymentMinimumHealthyPercent": 0,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "networkConfiguration": {
                "subnets": ["@subnet-home-a", "@subnet-home-b"],
                "securityGroups": ["@group"],
                "assignPublicIp": False,
            },
            "loadBalancers": [{"targetGroupArn": "@targets.arn", "containerName": "warden", "containerPort": 8470}],
            "healthCheckGracePeriodSeconds": 300,
            "propagateTags": "SERVICE",
            "tags": TAGS,
        },
        HOME,
        {"desiredCount": 2, "deploymentMaximumPercent": 200},
    ),
    Example(
        "event-rule",
        "aws:cloudwatch/eventRule:EventRule",
        {
            "name": "reskflow-breakglass",
            "description": "Somebody took the role",
            "eventPattern": json.dumps({"source": ["aws.sts"]}),
            "state": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
            "tags": TAGS,
        },
        HOME,
        {"state": "DISABLED", "description": "Somebody took it"},
    ),
    Example(
        "event-target",
        "aws:cloudwatch/eventTarget:EventTarget",
        {
            "rule": "@event-rule.name",
            "targetId": "people",
            "arn": "@topic.arn",
            "inputTransformer": {
                "inputPaths": {"who": "$.detail.userIdentity.arn"},
                "inputTemplate": '"<who> took it"',
            },
        },
        HOME,
        {"inputTransformer": {"inputPaths": {"who": "$.detail.userIdentity.arn"}, "inputTemplate": '"<who>"'}},
    ),
]

EXAMPLES = [*NETWORK, *DATA, *OBJECTS, *ROUTING, *RECOVERY]


def resolve(value: Value, made: dict[str, tuple[str, Values]]) -> Value:
    """Inputs with every reference replaced by what was made."""
    if isinstance(value, dict):
        return {key: resolve(item, made) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, made) for item in value]
    if isinstance(value, str) and value.startswith("@"):
        name, _, output = value[1:].partition(".")
        identifier, outputs = made[name]
        return outputs[output] if output else cast("Value", identifier)
    return value
