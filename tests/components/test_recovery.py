"""The lease, the wardens and the break-glass role: what each may do, and what it needs."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, cast

import pulumi_aws as aws
import pytest

from components.aws.failover_policy import NEVER, failover_policy
from components.aws.routing_alarm import METRIC as SWITCH
from lifeboat.model.naming import GATE_PORT, gate_balancer
from lifeboat.model.plan.derivation import derive
from lifeboat.model.plan.graph import Mode
from lifeboat.model.settings.load import from_stack_file
from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.model.topology import resolve
from lifeboat.recovery.switches import BEAT_DIMENSION, BEAT_METRIC
from lifeboat.recovery.warden_config import WardenConfig
from stacks.failover_scope import failover_scope
from stacks.recovery import EVERYWHERE
from tests.components.examples.recovery import (
    BUCKETS,
    HEAD,
    IMAGE,
    PEOPLE,
    SCOPE,
    alarms,
    breakglass,
    lease,
    warden,
    witness_network,
)
from tests.components.harness import ACCOUNT, HOME, OTHER, PREFIX, WITNESS, Deployment, deploy, regions_in
from tests.program import evaluate
from tests.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from lifeboat.model.design import Topology
    from lifeboat.model.plan.graph import Call
    from lifeboat.model.settings import Settings

NAMESPACE = f"Lifeboat/{PREFIX}"
ASKED_OTHERWISE = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "service-quotas:ListServiceQuotas": "servicequotas:ListServiceQuotas",
}
"""IAM's name for a call, where it is another one."""
NOT_AWS = {"dns", "http", "postgresql", "redis"}
RECORDS = "{ kind: record, waive_record: It is a test }"
STACK = (
    HEAD
    + """\
  lifeboat:databases: [ { name: orders, mechanism: MECHANISM, rpo: 48h } ]
  lifeboat:caches: [ { name: sessions, mechanism: global-datastore }, { name: pages, mechanism: rebuild } ]
  lifeboat:object_stores: [ { name: uploads, mechanism: replication, rpo: 24h } ]
"""
)


def allowed(policy: dict[str, Any], action: str, region: str) -> list[dict[str, Any]]:
    """Statements that allow an action in a region."""
    return [
        statement
        for statement in policy["Statement"]
        if statement["Effect"] == "Allow"
        and any(fnmatchcase(action, each) for each in statement["Action"])
        and region in statement.get("Condition", {}).get("StringEquals", {}).get("aws:RequestedRegion", region)
        and _names(statement["Resource"], region)
    ]


def _names(resources: str | list[str], region: str) -> bool:
    each = [resources] if isinstance(resources, str) else resources
    return any(region in resource or not regions_in(resource) for resource in each)


def denied(policy: dict[str, Any], action: str, resource: str) -> bool:
    """Whether some statement denies an action on a resource."""
    return any(
        any(fnmatchcase(action, each) for each in statement["Action"])
        if "Action" in statement
        else not any(fnmatchcase(action, each) for each in statement["NotAction"])
        for statement in policy["Statement"]
        if statement["Effect"] == "Deny"
        and (
            any(fnmatchcase(resource, each) for each in statement["Resource"])
            if "Resource" in statement
            else not any(fnmatchcase(resource, each) for each in statement["NotResource"])
        )
    )


def of_a_stack(mechanism: str, routing: str) -> tuple[Settings, Topology]:
    """A stack that asks for nothing which its database's mechanism, or its routing, cannot do."""
    objectives = "{ failures: [ { failure: zone, rto: 24h } ] }"
    if routing != RECORDS:
        objectives = "{ stack: { rto: 48h, rpo: 48h } }"
    text = STACK.replace("OBJECTIVES", objectives).replace("ROUTING", routing).replace("MECHANISM", mechanism)
    settings = from_stack_file(text)
    return settings, resolve(settings)


def asked(call: Call) -> str:
    action = f"{call.service}:{call.operation}"
    return ASKED_OTHERWISE.get(action, action)


def policy_of(deployment: Deployment, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(deployment.named(name).inputs["policy"])
    return document


@pytest.mark.parametrize("stack", ["reskflow", "prod"])
@pytest.mark.parametrize("mode", [Mode.FAILOVER, Mode.SWITCHOVER])
def test_the_role_may_do_every_call_of_a_plan(stack: str, mode: Mode) -> None:
    settings = from_stack_file((ROOT / f"Pulumi.{stack}.yaml").read_text())
    assert refused(settings, resolve(settings), mode) == set()


@pytest.mark.parametrize("mechanism", list(DatabaseMechanism))
@pytest.mark.parametrize("routing", ["{ kind: alarm }", "{ kind: routing-control }", RECORDS])
@pytest.mark.parametrize("mode", [Mode.FAILOVER, Mode.SWITCHOVER])
def test_the_role_may_do_every_call_whatever_the_mechanism_and_the_routing(
    mechanism: DatabaseMechanism, routing: str, mode: Mode
) -> None:
    assert refused(*of_a_stack(mechanism, routing), mode) == set()


def refused(settings: Settings, topology: Topology, mode: Mode) -> set[str]:
    """Calls of a plan that the policy does not allow, or denies whatever they touch."""
    policy = failover_policy(failover_scope(settings, topology))
    lost = (topology.home.region,) if mode is Mode.FAILOVER else ()
    calls = [call for _, call in derive(settings, topology, mode=mode, lost=lost).calls()]
    assert any(call.service == "rds" for call in calls)
    return {
        f"{asked(call)} in {call.region}"
        for call in calls
        if call.service not in NOT_AWS
        and (not allowed(policy, asked(call), call.region) or denied(policy, asked(call), "arn:aws:any"))
    }


def test_a_restore_from_a_vault_is_handed_the_role_that_may_restore_and_no_other() -> None:
    policy: Any = failover_policy(failover_scope(*of_a_stack("backups", "{ kind: alarm }")))
    role = "arn:aws:iam::123456789012:role/shop-test-orders-us-east-2-backup"
    (handed,) = allowed(policy, "iam:PassRole", "us-east-2")
    assert any(fnmatchcase(role, each) for each in handed["Resource"])
    assert handed["Condition"] == {"StringEquals": {"iam:PassedToService": "backup.amazonaws.com"}}
    assert not denied(policy, "iam:PassRole", role)
    assert denied(policy, "iam:PassRole", "arn:aws:iam::123456789012:role/admin")
    assert denied(policy, "iam:PutRolePolicy", role)
    without = failover_policy(failover_scope(*of_a_stack("aurora-global", "{ kind: alarm }")))
    assert denied(without, "iam:PassRole", role)
    assert not allowed(without, "iam:PassRole", "us-east-2")


def test_whoever_may_hold_the_lease_may_list_the_runs() -> None:
    assert allowed(failover_policy(SCOPE), "dynamodb:Scan", OTHER)
    assert allowed(failover_policy(BUCKETS), "s3:ListBucket", WITNESS)


def test_nothing_may_be_destroyed_whatever_else_is_allowed() -> None:
    policy: Any = failover_policy(SCOPE)
    *_, deny = policy["Statement"]
    assert (deny["Effect"], deny["Resource"]) == ("Deny", "*")
    for action in ("rds:DeleteDBCluster", "s3:DeleteObjectVersion", "dynamodb:DeleteItem", "kms:ScheduleKeyDeletion"):
        assert any(fnmatchcase(action, never) for never in NEVER), action


def test_what_changes_something_names_what_it_changes() -> None:
    for scope in (SCOPE, BUCKETS):
        policy: Any = failover_policy(scope)
        for statement in policy["Statement"]:
            looks = all(re.match(r".+:(Describe|Get|List)", action) for action in statement["Action"])
            if statement["Effect"] == "Allow" and statement["Resource"] == "*":
                assert looks or statement["Condition"]["StringEquals"]["cloudwatch:namespace"] == NAMESPACE
                assert "Condition" in statement


def test_the_switches_metric_is_written_in_the_witness_and_in_no_other_namespace() -> None:
    policy = failover_policy(SCOPE)
    (statement,) = allowed(policy, "cloudwatch:PutMetricData", WITNESS)
    assert statement["Condition"]["StringEquals"]["cloudwatch:namespace"] == NAMESPACE
    assert allowed(policy, "cloudwatch:PutMetricData", HOME) == []
    program = evaluate("reskflow")
    switches = [each for each in program.resources if each.inputs.get("metricName") == SWITCH]
    wardens = [
        json.loads(each.inputs["policy"])
        for each in program.resources
        if each.type == "aws:iam/rolePolicy:RolePolicy" and "PutMetricData" in each.inputs["policy"]
    ]
    # Three wardens and the people; nothing else of the stack writes metrics.
    assert len(wardens) == 4
    for document in wardens:
        (put,) = [each for each in document["Statement"] if "cloudwatch:PutMetricData" in each["Action"]]
        assert {put["Condition"]["StringEquals"]["cloudwatch:namespace"]} == {
            each.inputs["namespace"] for each in switches
        }


def test_secrets_and_keys_are_those_of_the_stack() -> None:
    policy = failover_policy(SCOPE)
    (secrets,) = allowed(policy, "secretsmanager:GetSecretValue", OTHER)
    assert all(f":secret:{PREFIX}-" in arn and arn.endswith("-??????") for arn in secrets["Resource"])
    for statement in allowed(policy, "kms:Decrypt", OTHER):
        (aliases,) = statement["Condition"]["ForAnyValue:StringEquals"].values()
        assert all(alias.startswith(f"alias/{PREFIX}-") for alias in aliases)
        assert statement["Condition"]["StringEquals"]["kms:ViaService"]


def test_an_object_lease_is_in_all_three_regions_and_the_table_in_none() -> None:
    policy = failover_policy(BUCKETS)
    (hold,) = allowed(policy, "s3:PutObject", WITNESS)
    assert hold["Resource"] == [f"arn:aws:s3:::{PREFIX}-lease-{region}/*" for region in (HOME, OTHER, WITNESS)]
    assert allowed(policy, "dynamodb:PutItem", HOME) == []


def test_the_lease_is_strongly_consistent_and_each_replica_has_its_own_key() -> None:
    (table,) = deploy(lease).of(aws.dynamodb.Table)
    (replica,) = table.inputs["replicas"]
    assert table.inputs["name"] == f"{PREFIX}-lease"
    assert (replica["regionName"], replica["consistencyMode"]) == (OTHER, "STRONG")
    assert table.inputs["globalTableWitness"] == {"regionName": WITNESS}
    assert f":{HOME}:" in table.inputs["serverSideEncryption"]["kmsKeyArn"]
    assert f":{OTHER}:" in replica["kmsKeyArn"]
    assert table.inputs["deletionProtectionEnabled"] is replica["deletionProtectionEnabled"] is True
    assert table.inputs["pointInTimeRecovery"]["enabled"] is replica["pointInTimeRecovery"] is True


def test_where_no_table_spans_the_regions_the_lease_is_an_object_in_each_of_them() -> None:
    program = evaluate("reskflow", config={"lifeboat:witness": "eu-west-1"})
    buckets = {each.inputs["bucket"] for each in program.resources if each.type == "aws:s3/bucket:Bucket"}
    regions = ("us-east-1", "us-west-2", "eu-west-1")
    assert {f"reskflow-production-lease-{region}" for region in regions} <= buckets
    assert not any(each.type.startswith("aws:dynamodb/") for each in program.resources)


def test_a_sites_own_network_connects_to_a_wardens_balancer_alone_and_nothing_to_the_witnesss() -> None:
    deployment = deploy(warden)
    task, balancer = (deployment.named(f"warden-{HOME}-{part}") for part in ("access", "balancer-access"))
    rules = deployment.of(aws.vpc.SecurityGroupIngressRule)
    assert all(each.inputs["fromPort"] == each.inputs["toPort"] == GATE_PORT for each in rules)
    assert {
        (each.inputs["securityGroupId"], each.inputs.get("cidrIpv4"), each.inputs.get("referencedSecurityGroupId"))
        for each in rules
    } == {(f"{balancer.name}-id", "10.1.0.0/16", None), (f"{task.name}-id", None, f"{balancer.name}-id")}
    (out,) = (
        each
        for each in deployment.of(aws.vpc.SecurityGroupEgressRule)
        if each.inputs["securityGroupId"] == f"{balancer.name}-id"
    )
    assert out.inputs["referencedSecurityGroupId"] == f"{task.name}-id"
    assert out.inputs["fromPort"] == out.inputs["toPort"] == GATE_PORT
    assert deploy(lambda world: warden(world, WITNESS)).of(aws.vpc.SecurityGroupIngressRule) == ()


def test_a_warden_connects_where_it_was_told() -> None:
    for region in (HOME, WITNESS):
        deployment = deploy(lambda world, region=region: warden(world, region))
        ways = {
            (each.inputs["cidrIpv4"], each.inputs["toPort"])
            for each in deployment.of(aws.vpc.SecurityGroupEgressRule)
            if each.inputs["securityGroupId"] == f"warden-{region}-access-id"
        }
        assert ways == {("0.0.0.0/0", 443), ("10.0.0.0/16", 5432)}
        (service,) = deployment.of(aws.ecs.Service)
        assert service.inputs["networkConfiguration"]["assignPublicIp"] == (region == WITNESS)


def test_what_the_contract_says_to_ask_leads_to_the_wardens_task() -> None:
    deployment = deploy(warden)
    (balancer,), (targets,), (listener,), (service,), (task,) = (
        deployment.of(kind)
        for kind in (aws.lb.LoadBalancer, aws.lb.TargetGroup, aws.lb.Listener, aws.ecs.Service, aws.ecs.TaskDefinition)
    )
    assert deployment.values["gate_url"] == f"http://{balancer.state['dnsName']}:{GATE_PORT}/gate"
    assert (balancer.inputs["loadBalancerType"], balancer.inputs["internal"]) == ("network", True)
    assert balancer.inputs["subnets"] == ["subnet-1", "subnet-2"]
    assert balancer.inputs["securityGroups"] == [f"warden-{HOME}-balancer-access-id"]
    assert balancer.inputs["enableCrossZoneLoadBalancing"]
    assert balancer.inputs["enableDeletionProtection"]
    assert listener.inputs["loadBalancerArn"] == balancer.state["arn"]
    assert (listener.inputs["protocol"], listener.inputs["port"]) == ("TCP", GATE_PORT)
    assert listener.inputs["defaultActions"] == [{"type": "forward", "targetGroupArn": targets.state["arn"]}]
    assert (targets.inputs["targetType"], targets.inputs["protocol"], targets.inputs["port"]) == (
        "ip",
        "TCP",
        GATE_PORT,
    )
    # With it, connections would come from gateways, whom the task's group does not know.
    assert targets.inputs["preserveClientIp"] == "false"
    check = targets.inputs["healthCheck"]
    assert (check["protocol"], check["path"], check["port"]) == ("HTTP", "/healthz", "traffic-port")
    (container,) = json.loads(task.inputs["containerDefinitions"])
    (mapping,) = container["portMappings"]
    assert mapping["containerPort"] == mapping["hostPort"] == GATE_PORT
    assert service.inputs["loadBalancers"] == [
        {"targetGroupArn": targets.state["arn"], "containerName": container["name"], "containerPort": GATE_PORT}
    ]
    # ECS refuses a target group that nothing listens for.
    assert listener.urn in service.depends_on


def test_what_a_balancers_checks_find_replaces_no_warden_that_starts_or_is_busy_for_a_moment() -> None:
    deployment = deploy(warden)
    (targets,), (service,) = (deployment.of(kind) for kind in (aws.lb.TargetGroup, aws.ecs.Service))
    check = targets.inputs["healthCheck"]
    assert check["interval"] * check["unhealthyThreshold"] >= 100
    assert service.inputs["healthCheckGracePeriodSeconds"] >= 300


def test_the_witness_has_nothing_to_ask() -> None:
    deployment = deploy(lambda world: warden(world, WITNESS))
    assert deployment.of(aws.lb.LoadBalancer) == deployment.of(aws.lb.TargetGroup) == ()
    assert deployment.values["gate_url"] is None
    (service,) = deployment.of(aws.ecs.Service)
    assert not {"loadBalancers", "healthCheckGracePeriodSeconds"} & set(service.inputs)


@pytest.mark.parametrize(
    "prefix", ["acme-production", "a-b", "internal-production", f"{'s' * 24}-{'e' * 24}", f"{'s' * 17}-{'e' * 24}"]
)
def test_a_balancers_name_is_one_that_aws_takes(prefix: str) -> None:
    name = gate_balancer(prefix)
    assert len(name) <= 32
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert not name.startswith("internal-")


def test_prefixes_cut_alike_have_balancers_of_their_own() -> None:
    long = "s" * 24
    assert gate_balancer(f"{long}-production") != gate_balancer(f"{long}-prototype")


def test_there_is_never_more_than_one_warden_in_a_region() -> None:
    (service,) = deploy(warden).of(aws.ecs.Service)
    assert (service.inputs["desiredCount"], service.inputs["deploymentMaximumPercent"]) == (1, 100)
    assert service.inputs["waitForSteadyState"] is False


def test_a_warden_runs_without_rights_it_does_not_need() -> None:
    deployment = deploy(warden)
    (task,) = deployment.of(aws.ecs.TaskDefinition)
    (container,) = json.loads(task.inputs["containerDefinitions"])
    assert container["readonlyRootFilesystem"] is True
    assert not container["user"].startswith("0")
    (configuration,) = container["environment"]
    assert json.loads(configuration["value"]) == {"region": HOME}
    assert f"${configuration['name']}" in container["command"][-1]
    for role in deployment.of(aws.iam.Role):
        (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
        assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    worker = policy_of(deployment, f"warden-{HOME}-worker-role-policy")
    (pull,) = [each for each in worker["Statement"] if each["Sid"] == "PullTheImage"]
    assert pull["Resource"] == f"arn:aws:ecr:{HOME}:{ACCOUNT}:repository/lifeboat-warden"


def test_each_warden_is_told_what_a_warden_takes(tmp_path: Path) -> None:
    program = evaluate("reskflow")
    told: dict[str, WardenConfig] = {}
    for task in program.resources:
        if task.type == "aws:ecs/taskDefinition:TaskDefinition":
            (container,) = json.loads(task.inputs["containerDefinitions"])
            file = tmp_path / "warden.json"
            file.write_text(container["environment"][0]["value"])
            told[program.region(task) or ""] = WardenConfig.read(file)
    assert {region: config.region for region, config in told.items()} == {each: each for each in (HOME, OTHER, WITNESS)}
    # It has no way to the sites' stores, and begins no run.
    assert {region for region, config in told.items() if config.gate is None} == {WITNESS}
    assert {region for region, config in told.items() if not config.failover_command} == {WITNESS}
    assert all(config.settings.prefix == "reskflow-production" for config in told.values())
    # Where gateways ask; the witness's has none, and answers nobody but itself.
    where = {region: (config.address, config.port) for region, config in told.items()}
    everywhere = (EVERYWHERE, GATE_PORT)
    assert where == {HOME: everywhere, OTHER: everywhere, WITNESS: ("127.0.0.1", 0)}


def test_an_image_from_elsewhere_needs_no_registry_of_aws() -> None:
    deployment = deploy(lambda world: warden(world, image="ghcr.io/acme/warden:1"))
    assert "ecr" not in json.dumps(policy_of(deployment, f"warden-{HOME}-worker-role-policy"))
    assert IMAGE not in json.dumps([each.inputs for each in deployment.children])


def test_a_silent_warden_alarms_by_the_metric_that_wardens_publish() -> None:
    deployment = deploy(alarms)
    found = deployment.of(aws.cloudwatch.MetricAlarm)
    assert {each.inputs["dimensions"][BEAT_DIMENSION] for each in found} == {HOME, OTHER, WITNESS}
    for alarm in found:
        assert deployment.region(alarm) == WITNESS
        assert (alarm.inputs["namespace"], alarm.inputs["metricName"]) == (NAMESPACE, BEAT_METRIC)
        assert alarm.inputs["treatMissingData"] == "breaching"
        assert alarm.inputs["alarmActions"]


def test_the_witness_has_a_way_out_and_no_address_by_itself() -> None:
    deployment = deploy(witness_network)
    (route,) = deployment.of(aws.ec2.Route)
    assert route.inputs["destinationCidrBlock"] == "0.0.0.0/0"
    assert deployment.of(aws.ec2.NatGateway) == ()
    assert all(subnet.inputs["mapPublicIpOnLaunch"] is False for subnet in deployment.of(aws.ec2.Subnet))


def test_people_take_the_role_with_a_second_factor_in_the_stacks_regions() -> None:
    deployment = deploy(breakglass)
    (role,) = deployment.of(aws.iam.Role)
    (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"AWS": sorted(PEOPLE)}
    assert trust["Condition"]["Bool"] == {"aws:MultiFactorAuthPresent": "true"}
    assert trust["Condition"]["NumericLessThan"] == {"aws:MultiFactorAuthAge": "900"}
    assert trust["Condition"]["StringEquals"] == {"aws:RequestedRegion": [HOME, OTHER, WITNESS]}
    assert role.inputs["maxSessionDuration"] == 3600
    assert deployment.region(role) == WITNESS


def test_taking_the_role_is_told_of_in_the_region_where_it_is_taken() -> None:
    deployment = deploy(breakglass)
    rules = {deployment.region(each): each for each in deployment.of(aws.cloudwatch.EventRule)}
    assert rules.keys() == {HOME, OTHER, WITNESS}
    for region, rule in rules.items():
        pattern = json.loads(rule.inputs["eventPattern"])
        assert matches(pattern, taking("breakglass"))
        assert matches(pattern, taking("breakglass", error="AccessDenied"))
        assert not matches(pattern, taking("warden-us-east-1"))
        assert not matches(pattern, taking("warden-us-east-1", error="AccessDenied"))
        assert not matches(pattern, taking("breakglass") | {"source": "aws.iam"})
        assert rule.inputs["state"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
        (target,) = [each for each in deployment.of(aws.cloudwatch.EventTarget) if deployment.region(each) == region]
        assert f":{region}:" in target.inputs["arn"]


def taking(role: str, error: str | None = None) -> dict[str, Any]:
    """What EventBridge hears of a role that somebody takes; CloudTrail keeps silent about what it refused to do."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/{PREFIX}-{role}"
    detail: dict[str, Any] = {"eventSource": "sts.amazonaws.com", "eventName": "AssumeRole"}
    if error is None:
        detail["requestParameters"] = {"roleArn": arn, "roleSessionName": "somebody"}
    else:
        message = f"User: {PEOPLE[0]} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        detail |= {"errorCode": error, "errorMessage": message, "requestParameters": None}
    return {"source": "aws.sts", "detail-type": "AWS API Call via CloudTrail", "detail": detail}


def matches(pattern: dict[str, Any], event: dict[str, Any] | None) -> bool:
    """Whether an event fits a pattern, as far as the patterns here go: values, ``wildcard`` and ``$or``."""
    if event is None:
        return False
    found: list[bool] = []
    for name, wanted in pattern.items():
        if name == "$or":
            found.append(any(matches(each, event) for each in wanted))
        elif isinstance(wanted, dict):
            found.append(matches(cast("dict[str, Any]", wanted), event.get(name)))
        else:
            said = event.get(name, "")
            found.append(
                any(said == each or ("wildcard" in each and fnmatchcase(said, each["wildcard"])) for each in wanted)
            )
    return all(found)


def test_nobody_who_may_take_the_role_means_no_role() -> None:
    program = evaluate("reskflow", config={"lifeboat:breakglass": "{}"})
    assert not any("breakglass" in each.name for each in program.resources)
