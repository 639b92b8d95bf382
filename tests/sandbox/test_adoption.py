"""A stack around a database and a bucket that exist already, with a key, a network and tags of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.sandbox.up import deploy_into
from tests.project import link_project

if TYPE_CHECKING:
    from pathlib import Path

    from lifeboat.sandbox.state import Directory, Record
    from tests.sandbox.conftest import Clients

HOME, OTHER, ACCOUNT = "us-east-1", "us-west-2", "123456789012"
DATABASE, BUCKET = "legacy-ledger", "legacy-files"
OLD_TAGS = [{"Key": "Owner", "Value": "who knows"}]


@dataclass(frozen=True, kw_only=True)
class Before:
    """What was there first."""

    key_arn: str
    instance: dict[str, Any]


@pytest.fixture
def before(clean_gateway: Record, clients: Clients) -> Before:
    """A database and a bucket with an object, in a network and with a key of somebody else's."""
    del clean_gateway
    ec2, rds, s3 = clients("ec2", HOME), clients("rds", HOME), clients("s3", HOME)
    key_arn: str = clients("kms", HOME).create_key(Description="legacy")["KeyMetadata"]["Arn"]
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.77.{at}.0/24", AvailabilityZone=f"{HOME}{zone}")["Subnet"][
            "SubnetId"
        ]
        for at, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="legacy", Description="legacy", VpcId=vpc)["GroupId"]
    rds.create_db_subnet_group(DBSubnetGroupName="legacy", DBSubnetGroupDescription="legacy", SubnetIds=subnets)
    rds.create_db_instance(
        DBInstanceIdentifier=DATABASE,
        DBInstanceClass="db.m5.large",
        Engine="postgres",
        EngineVersion="16.8",
        AllocatedStorage=50,
        DBName="books",
        MasterUsername="keeper",
        MasterUserPassword="swordfish!",
        DBSubnetGroupName="legacy",
        VpcSecurityGroupIds=[group],
        StorageEncrypted=True,
        KmsKeyId=key_arn,
        BackupRetentionPeriod=1,
        Tags=OLD_TAGS,
    )
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": OLD_TAGS})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn}}
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket=BUCKET, Key="invoice", Body=b"paid")
    return Before(key_arn=key_arn, instance=_instance(clients, HOME))


def _instance(clients: Clients, region: str) -> dict[str, Any]:
    (found,) = clients("rds", region).describe_db_instances()["DBInstances"]
    return found


def test_a_database_and_a_bucket_are_adopted_with_their_data(
    before: Before, clean_gateway: Record, sandbox_directory: Directory, tmp_path: Path, clients: Clients
) -> None:
    config: dict[str, Any] = {
        "system": "shop",
        "environment": "test",
        "account": ACCOUNT,
        "objectives": {"stack": {"rto": "1h", "rpo": "15m"}},
        "home": HOME,
        "sites": [{"region": HOME, "cidr": "10.1.0.0/16"}, {"region": OTHER, "cidr": "10.2.0.0/16"}],
        "witness": "us-east-2",
        "databases": [{"name": "ledger", "mechanism": "replica", "version": "16.8", "import": {HOME: DATABASE}}],
        "object_stores": [{"name": "files", "import": {HOME: BUCKET}}],
        "network": {"interface_endpoints": []},
    }
    project = link_project(tmp_path)
    settings = {"config": {f"lifeboat:{key}": value for key, value in config.items()}}
    (project / "Pulumi.adoption.yaml").write_text(json.dumps(settings))
    deployed = deploy_into(
        project, "adoption", directory=sandbox_directory, record=clean_gateway, progress=lambda _: None
    )

    instance = _instance(clients, HOME)
    stays = ("DbiResourceId", "InstanceCreateTime", "KmsKeyId", "MasterUsername", "DBName", "VpcSecurityGroups")
    assert {name: instance[name] for name in stays} == {name: before.instance[name] for name in stays}
    assert instance["KmsKeyId"] == before.key_arn
    assert instance["DBSubnetGroup"]["DBSubnetGroupName"] == "legacy"
    assert (instance["DBInstanceClass"], instance["AllocatedStorage"]) == ("db.r6g.large", 100)
    assert instance["MultiAZ"]
    assert instance["DeletionProtection"]
    assert instance["BackupRetentionPeriod"] > 1
    tags = {tag["Key"]: tag["Value"] for tag in instance["TagList"]}
    assert (tags["System"], tags["Name"]) == ("shop", DATABASE)
    assert "Owner" not in tags
    replica = _instance(clients, OTHER)
    assert replica["ReadReplicaSourceDBInstanceIdentifier"] == instance["DBInstanceArn"]
    keys = deployed.deployment.plain_outputs["contract"]["sites"]
    assert replica["KmsKeyId"] == keys[OTHER]["keys"]["database"]

    s3 = clients("s3", HOME)
    assert s3.get_object(Bucket=BUCKET, Key="invoice")["Body"].read() == b"paid"
    (rule,) = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == keys[HOME]["keys"]["objects"]
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]}
    assert (tags["System"], tags["Name"]) == ("shop", BUCKET)
    assert "Owner" not in tags
    assert keys[HOME]["buckets"]["files"]["bucket"] == BUCKET

    resources = {resource.name: resource for resource in deployed.deployment.resources}
    adopted = resources[f"ledger-{HOME}-g1"]
    assert (adopted.import_id, adopted.inputs["dbSubnetGroupName"]) == (DATABASE, "legacy")
    assert resources[f"files-{HOME}"].import_id == BUCKET
    assert not resources[f"ledger-{OTHER}-g1"].import_id
