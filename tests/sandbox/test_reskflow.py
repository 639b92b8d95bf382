"""ReskFlow in the local cloud, as a user sees it: the command, then plain boto3 with what `sandbox env` exports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import boto3
import pytest
from lifeboat_contract import Contract, read_document

from tests.project import link_project

HOME, STANDBY, WITNESS = "us-east-1", "us-west-2", "us-east-2"
PREFIX = "reskflow-production"
LIFEBOAT = str(Path(sys.executable).with_name("lifeboat"))

Client: TypeAlias = Callable[[str, str], Any]


@dataclass(frozen=True)
class Deployed:
    """What `sandbox up reskflow --json` printed, and boto3 in the environment that `sandbox env` exports."""

    answer: dict[str, Any]
    client: Client
    project: Path

    @property
    def contract(self) -> Contract:
        return Contract.model_validate(self.answer["contract"])


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    project = link_project(tmp_path_factory.mktemp("reskflow"))
    command = [LIFEBOAT, "sandbox", "up", "reskflow", "--bare", "--json"]
    up = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    try:
        assert up.returncode == 0, up.stderr
        shell = subprocess.run(
            ["/bin/sh", "-c", f'eval "$({LIFEBOAT} sandbox env)" && exec {sys.executable} -c "$0"', PRINT_ENVIRONMENT],
            cwd=project,
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "AWS_PROFILE": "a-real-one"},
        )
        environment: dict[str, str] = json.loads(shell.stdout)
        assert "AWS_PROFILE" not in environment
        session = boto3.session.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        )

        def client(service: str, region: str) -> Any:  # noqa: ANN401 - clients are made at run time
            return session.client(service, region_name=region, endpoint_url=environment["AWS_ENDPOINT_URL"])

        yield Deployed(json.loads(up.stdout), client, project)
    finally:
        subprocess.run([LIFEBOAT, "sandbox", "down"], cwd=project, check=True, capture_output=True)


PRINT_ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"


def test_the_answer_counts_resources_and_holds_the_contract(deployed: Deployed) -> None:
    assert set(deployed.answer) == {"contract", "elapsed_s", "resources"}
    assert deployed.answer["resources"]["real"] > 300
    assert deployed.answer["resources"]["recorded"] == 0
    assert deployed.contract.home == HOME
    assert set(deployed.contract.sites) == {HOME, STANDBY}


def test_a_database_in_both_regions_each_with_a_key_of_its_own_region(deployed: Deployed) -> None:
    members = deployed.client("rds", HOME).describe_global_clusters()["GlobalClusters"][0]["GlobalClusterMembers"]
    assert {member["DBClusterArn"].split(":")[3]: member["IsWriter"] for member in members} == {
        HOME: True,
        STANDBY: False,
    }
    for region in (HOME, STANDBY):
        (cluster,) = deployed.client("rds", region).describe_db_clusters()["DBClusters"]
        assert cluster["KmsKeyId"] == deployed.contract.site(region).keys["database"]
        assert f":{region}:" in cluster["KmsKeyId"]
        assert cluster["StorageEncrypted"]
        assert cluster["DeletionProtection"]
        key = deployed.client("kms", region).describe_key(KeyId=cluster["KmsKeyId"])["KeyMetadata"]
        assert not key["MultiRegion"]


def test_the_recovery_point_is_enforced_by_the_engine(deployed: Deployed) -> None:
    for region in (HOME, STANDBY):
        rds = deployed.client("rds", region)
        (cluster,) = rds.describe_db_clusters()["DBClusters"]
        parameters = rds.describe_db_cluster_parameters(DBClusterParameterGroupName=cluster["DBClusterParameterGroup"])[
            "Parameters"
        ]
        values = {parameter["ParameterName"]: parameter.get("ParameterValue") for parameter in parameters}
        assert values["rds.global_db_rpo"] == "300"
        assert values["rds.force_ssl"] == "1"


def test_a_cache_in_both_regions(deployed: Deployed) -> None:
    for region, role in ((HOME, "PRIMARY"), (STANDBY, "SECONDARY")):
        (group,) = deployed.client("elasticache", region).describe_replication_groups()["ReplicationGroups"]
        assert group["GlobalReplicationGroupInfo"]["GlobalReplicationGroupMemberRole"].upper() == role
        assert group["KmsKeyId"] == deployed.contract.site(region).keys["cache"]
        assert group["TransitEncryptionEnabled"]
        assert group["MultiAZ"] == "enabled"


@pytest.mark.parametrize("store", ["uploads", "logs", "config", "blockchain", "backups"])
def test_buckets_replicate_both_ways(deployed: Deployed, store: str) -> None:
    for region, other in ((HOME, STANDBY), (STANDBY, HOME)):
        s3 = deployed.client("s3", region)
        bucket = deployed.contract.site(region).buckets[store].bucket
        (rule,) = s3.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"]["Rules"]
        destination = rule["Destination"]
        assert destination["Bucket"] == deployed.contract.site(other).buckets[store].arn
        assert (
            destination["EncryptionConfiguration"]["ReplicaKmsKeyID"] == deployed.contract.site(other).keys["objects"]
        )
        assert rule["Status"] == "Enabled"
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        timed = store in {"uploads", "config", "blockchain"}
        assert ("ReplicationTime" in destination) == timed


def test_the_failover_pair_with_its_checks_and_switches(deployed: Deployed) -> None:
    route53 = deployed.client("route53", HOME)
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    records = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    pair = {r["SetIdentifier"]: r for r in records if r["Name"] == "orders.reskflow.example.com."}
    assert {site: record["Failover"] for site, record in pair.items()} == {HOME: "PRIMARY", STANDBY: "SECONDARY"}
    checks = {check["Id"]: check["HealthCheckConfig"] for check in route53.list_health_checks()["HealthChecks"]}
    alarms = {
        alarm["AlarmName"]: alarm for alarm in deployed.client("cloudwatch", WITNESS).describe_alarms()["MetricAlarms"]
    }
    for record in pair.values():
        switch = checks[record["HealthCheckId"]]
        assert switch["InsufficientDataHealthStatus"] == "LastKnownStatus"
        assert switch["AlarmIdentifier"]["Region"] == WITNESS
        alarm = alarms[switch["AlarmIdentifier"]["Name"]]
        assert alarm["TreatMissingData"] == "missing"
        assert alarm["Statistic"] == "Maximum"
        assert (alarm["Period"], alarm["EvaluationPeriods"]) == (60, 1)
    probed = {check["FullyQualifiedDomainName"] for check in checks.values() if check["Type"] == "HTTPS"}
    assert {f"orders.{region}.reskflow.example.com" for region in (HOME, STANDBY)} <= probed


def test_secrets_are_readable_in_the_standby(deployed: Deployed) -> None:
    texts: dict[str, set[str]] = {}
    for region in (HOME, STANDBY):
        secrets = deployed.client("secretsmanager", region)
        for name in ("orders-password", "sessions-token", "jwt-signing"):
            found = secrets.get_secret_value(SecretId=f"{PREFIX}-{name}")
            assert f":{region}:" in found["ARN"]
            texts.setdefault(name, set()).add(found["SecretString"])
    assert {name: len(values) for name, values in texts.items()} == dict.fromkeys(texts, 1)


def test_flow_logs_in_each_vpc(deployed: Deployed) -> None:
    for region in (HOME, STANDBY):
        ec2 = deployed.client("ec2", region)
        vpc = deployed.contract.site(region).network.vpc_id
        (log,) = ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [vpc]}])["FlowLogs"]
        assert log["TrafficType"] == "ALL"


@pytest.mark.parametrize("region", [HOME, STANDBY])
def test_the_contract_is_published_in_every_site(deployed: Deployed, region: str) -> None:
    bucket = deployed.contract.site(region).buckets["contract"].bucket
    s3 = deployed.client("s3", region)

    def fetch(bucket: str, key: str) -> bytes:
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    assert read_document(fetch(bucket, f"lifeboat/{region}/contract.json")) == deployed.contract
    parameter = deployed.client("ssm", region).get_parameter(Name=f"/lifeboat/{PREFIX}/contract")["Parameter"]
    assert read_document(parameter["Value"], fetch) == deployed.contract


def test_no_secret_in_the_state_file(deployed: Deployed) -> None:
    state = (deployed.project / ".sandbox" / "reskflow.json").read_text()
    secrets = deployed.client("secretsmanager", HOME)
    for listed in secrets.list_secrets()["SecretList"]:
        assert secrets.get_secret_value(SecretId=listed["ARN"])["SecretString"] not in state


def test_an_app_team_deploys_against_the_contract(deployed: Deployed) -> None:
    command = [LIFEBOAT, "sandbox", "deploy", "examples/app_team", "reskflow", "--json"]
    done = subprocess.run(command, cwd=deployed.project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["resources"] == {"real": 6, "recorded": 0}
    for region in (HOME, STANDBY):
        promised = deployed.contract.site(region).databases["orders"]
        parameter = deployed.client("ssm", region).get_parameter(Name=f"/orders-api/{region}/settings")["Parameter"]
        settings = json.loads(parameter["Value"])
        assert (settings["host"], settings["port"]) == (promised.writer_endpoint, 5432)
        assert answer["outputs"][f"database-{region}"] == promised.writer_endpoint
        assert answer["outputs"][f"port-{region}"] == promised.port


@pytest.mark.parametrize("region", [HOME, STANDBY])
def test_what_gateways_ask_is_in_their_own_network_and_leads_to_the_wardens_task(
    deployed: Deployed, region: str
) -> None:
    site, elb = deployed.contract.site(region), deployed.client("elbv2", region)
    asked = urlsplit(site.gate_url)
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    assert (balancer["DNSName"], balancer["Scheme"]) == (asked.hostname, "internal")
    assert balancer["VpcId"] == site.network.vpc_id
    assert {each["SubnetId"] for each in balancer["AvailabilityZones"]} == set(site.network.private_subnet_ids)
    (listener,) = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    assert (listener["Protocol"], listener["Port"]) == ("TCP", asked.port)
    (action,) = listener["DefaultActions"]
    name = f"{PREFIX}-warden-{region}"
    (service,) = deployed.client("ecs", region).describe_services(cluster=name, services=[name])["services"]
    (registered,) = service["loadBalancers"]
    assert (registered["targetGroupArn"], registered["containerPort"]) == (action["TargetGroupArn"], asked.port)
