"""Steps of mechanisms that no example's failover takes: plain replicas, backups, routing controls, records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from lifeboat.model.plan.graph import Mode
from lifeboat.model.routing_document import RoutingDocument
from lifeboat.recovery.endpoints import plain_instance
from lifeboat.recovery.guarded_ports import Guard, GuardedPorts
from lifeboat.recovery.journal import Journal
from lifeboat.recovery.lease_record import LeaseRecord
from lifeboat.recovery.lease_store import Versioned
from lifeboat.recovery.ports import Pace
from lifeboat.recovery.run_state import Consent, StepRun
from lifeboat.recovery.steps import actions
from lifeboat.sandbox import supervisor
from tests.declared import Made, undeclared
from tests.sandbox.recovery_world import CONSENT, EAST, WEST, WITNESS, Client, Death, PlayedPorts, RecoveryWorld
from tests.unit.recovery.memory import MemoryJournal

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import Plan
    from lifeboat.recovery.journal import ExternalCall
    from lifeboat.sandbox.state import Record

PEOPLE = Consent(by=("ada",))
RUN = "failover-20270131T120000Z-1f3a"
_COMMON = """
config:
  lifeboat:system: shop
  lifeboat:environment: test
  lifeboat:account: "123456789012"
  lifeboat:home: us-east-1
  lifeboat:sites:
    - { region: us-east-1, cidr: 10.10.0.0/16 }
    - { region: us-west-2, cidr: 10.20.0.0/16 }
  lifeboat:witness: us-east-2
  lifeboat:approval: one
"""


def database(mechanism: str) -> str:
    return f"""{_COMMON}
  lifeboat:objectives: {{ stack: {{ rto: 48h, rpo: 48h }} }}
  lifeboat:databases:
    - {{ name: orders, version: "16.8", mechanism: {mechanism}, database: shop, username: owner,
        backups: {{ retention_days: 9 }} }}
"""


def routed(routing: str) -> str:
    return f"""{_COMMON}
  lifeboat:objectives: {{ failures: [ {{ failure: zone, rto: 24h }} ] }}
  lifeboat:dns: {{ zone: shop.example.com, ttl: 1s, endpoints: [ {{ name: orders }} ] }}
  lifeboat:routing: {routing}
"""


class Ports(PlayedPorts):
    """With clients of services that the sandbox has not, which answer as told and check what they are asked."""

    def __init__(self, world: RecoveryWorld, told: dict[str, Client]) -> None:
        super().__init__(world, Death(), Pace(scale=10))
        self._told = told

    def client(self, service: str, region: str, **_how: object) -> Client:
        return self._told.get(service) or super().client(service, region)


class PlainWorld(RecoveryWorld):
    """A stack of one plain database: what writes is what was restored, and home's before that."""

    def writer(self) -> str:
        restored = self.physical.next_instance("orders", WEST)
        found = self.client("rds", WEST).describe_db_instances()["DBInstances"]
        return WEST if restored in {each["DBInstanceIdentifier"] for each in found} else EAST

    def ports(self, death: Death | None = None, scale: float = 12) -> PlainPorts:
        return PlainPorts(self, death or Death(), Pace(scale=scale))


class PlainPorts(PlayedPorts):
    """A database is found as in production, and only then played."""

    def sql(self, region: str, database: str, *, reader: bool = False, best_effort: bool = False) -> Client:
        plain_instance(self.client("rds", region), self.world.physical, database, region, reader=reader)
        return super().sql(region, database, reader=reader, best_effort=best_effort)


class OneLease:
    """A lease that the target holds."""

    def __init__(self) -> None:
        self.now = Versioned(version=1, record=LeaseRecord.first(EAST, 60).stop(EAST).take(WEST, 1))

    def read(self) -> Versioned:
        return self.now

    def replace(self, seen: Versioned, record: LeaseRecord) -> Versioned:
        self.now = Versioned(version=seen.version + 1, record=record)
        return self.now


class Stage:
    """A stack of one mechanism, and its steps one by one."""

    def __init__(self, gateway: Record, stack: str, mode: Mode = Mode.FAILOVER) -> None:
        supervisor.control(gateway, "POST", "reset", deadline=60)
        self.world = PlainWorld(gateway, stack)
        self.physical = self.world.physical
        lost = frozenset({EAST}) if mode is Mode.FAILOVER else frozenset[str]()
        self.plan: Plan = self.world.plan(mode, lost, **({} if lost else {"source": EAST}))
        self.told: dict[str, Client] = {}
        self.made: list[Made] = []

    def before(self, call: ExternalCall) -> None:
        self.made.append(Made(call.step, call.service, call.operation, call.region))

    def after(self, call: ExternalCall, seconds: float, fault: str | None) -> None:
        pass

    def run(self, key: str) -> StepRun:
        ports = Ports(self.world, self.told)
        journal = Journal(RUN, MemoryJournal(), mirror=None, wall=ports.wall, clock=ports.clock, listeners=(self,))
        guarded: Any = GuardedPorts(ports, Guard(around=journal.around, check=lambda: None, step=key))
        lease: Any = OneLease()
        return StepRun(
            run=RUN,
            plan=self.plan,
            physical=self.physical,
            ports=guarded,
            lease=lease,
            views=lease,
            entries=MemoryJournal(),
            consent=CONSENT,
            watch=lease,
            viewpoint="operator",
            deadline=ports.clock() + 60,
            facts={},
            progress=lambda _text: None,
        )

    def perform(self, key: str) -> str:
        """As the runner does it: unless it is done."""
        step, run = self.plan.by_key[key], self.run(key)
        action = actions()[step.kind]
        return "so already" if action.done(step, run) else action.perform(step, run).said

    def undo(self, key: str) -> None:
        step: Any = self.plan.by_key[key]
        undo: Any = getattr(actions()[step.kind], "undo")  # noqa: B009 - not every kind has it
        undo(step, self.run(key))

    def undeclared(self) -> set[Made]:
        return undeclared(self.plan, self.made)

    def home(self) -> str:
        """Make the writer at home, and all that a restored one stands on in the other site; its identifier."""
        name = self.physical.instance("orders", EAST)
        self._rds(EAST).create_db_instance(
            DBInstanceIdentifier=name,
            Engine="postgres",
            EngineVersion="16.8",
            DBInstanceClass="db.r6g.large",
            AllocatedStorage=20,
            MasterUsername="owner",
            MasterUserPassword="hidden-1",
            DBName="shop",
            BackupRetentionPeriod=9,
        )
        ec2, group = self.world.client("ec2", WEST), f"{self.physical.prefix}-orders-{WEST}"
        vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{number}.0/24", AvailabilityZone=f"{WEST}{zone}")
            for number, zone in enumerate("ab")
        ]
        ec2.create_security_group(GroupName=group, Description=group, VpcId=vpc)
        self._rds(WEST).create_db_subnet_group(
            DBSubnetGroupName=group,
            DBSubnetGroupDescription=group,
            SubnetIds=[subnet["Subnet"]["SubnetId"] for subnet in subnets],
        )
        self._rds(WEST).create_db_parameter_group(
            DBParameterGroupName=f"{self.physical.prefix}-orders-postgres16",
            DBParameterGroupFamily="postgres16",
            Description="as declared",
        )
        kms = self.world.client("kms", WEST)
        kms.create_alias(
            AliasName=f"alias/{self.physical.prefix}-database",
            TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"],
        )
        return name

    def instances(self) -> dict[str, dict[str, Any]]:
        return {each["DBInstanceIdentifier"]: each for each in self._rds(WEST).describe_db_instances()["DBInstances"]}

    def _rds(self, region: str) -> Client:
        return self.world.client("rds", region)


def stubbed(service: str, region: str = WEST) -> tuple[Client, Stubber]:
    client: Client = boto3.session.Session(
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="sandbox", region_name=region
    ).client(service)
    stub = Stubber(client)
    stub.activate()
    return client, stub


def test_a_plain_replica_is_promoted_with_its_retention_once_its_backup_is_over(gateway: Record) -> None:
    stage = Stage(gateway, database("replica"))
    stage.home()
    name = stage.physical.instance("orders", WEST)
    rds = stage.world.client("rds", WEST)
    rds.create_db_instance_read_replica(
        DBInstanceIdentifier=name, SourceDBInstanceIdentifier=stage.physical.instance_arn("orders", EAST)
    )
    answers = iter(["backing-up", "backing-up"])

    def busy(parsed: dict[str, Any], **_event: object) -> None:
        for each in parsed["DBInstances"]:
            each["DBInstanceStatus"] = next(answers, each["DBInstanceStatus"])

    rds.meta.events.register("after-call.rds.DescribeDBInstances", busy)
    said = stage.perform("promote-database/orders")
    rds.meta.events.unregister("after-call.rds.DescribeDBInstances", busy)
    assert next(answers, None) is None
    assert said == f"orders takes writes in {WEST}"
    promoted = stage.instances()[name]
    assert not promoted.get("ReadReplicaSourceDBInstanceIdentifier")
    assert promoted["BackupRetentionPeriod"] == 9
    assert stage.perform("promote-database/orders") == "so already"
    assert stage.undeclared() == set()


def test_replicated_backups_are_restored_where_the_declared_ones_stand_and_once(gateway: Record) -> None:
    stage = Stage(gateway, database("replicated-backups"))
    stage.home()
    stage.world.client("rds", WEST).start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=stage.physical.instance_arn("orders", EAST), BackupRetentionPeriod=9
    )
    stage.perform("promote-database/orders")
    ((name, restored),) = stage.instances().items()
    assert name == f"{stage.physical.prefix}-orders-{WEST}-g1"
    assert restored["DBSubnetGroup"]["DBSubnetGroupName"] == f"{stage.physical.prefix}-orders-{WEST}"
    assert restored["BackupRetentionPeriod"] == 9
    assert stage.perform("promote-database/orders") == "so already"
    assert stage.undeclared() == set()
    stage.undo("promote-database/orders")
    assert stage.instances() == {}


def test_a_failover_from_backups_ends_with_a_writer_that_everybody_finds(gateway: Record) -> None:
    stage = Stage(gateway, database("replicated-backups"))
    source = stage.home()
    world = stage.world
    world.make_lease(stopped=True)
    world.client("sns", WEST).create_topic(Name=f"{world.physical.prefix}-alerts-{WEST}")
    world.client("secretsmanager", WEST).create_secret(Name=world.physical.password("orders"), SecretString="hidden")
    world.client("rds", WEST).start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=world.physical.instance_arn("orders", EAST), BackupRetentionPeriod=9
    )
    world.lose(EAST)
    report = world.runner().start(PEOPLE)
    assert report.result == "done", report
    assert world.lease().holder == WEST
    assert report.steps["verify"].startswith(f"written and read back in {WEST}: orders; answering: ")
    assert list(stage.instances()) == [world.physical.next_instance("orders", WEST)]
    assert source not in stage.instances()
    assert world.outages.asked == []


def test_a_planned_move_takes_and_copies_a_last_snapshot_and_restores_it(gateway: Record) -> None:
    stage = Stage(gateway, database("replicated-backups"), Mode.SWITCHOVER)
    stage.home()
    stage.perform("drain/orders")
    (snapshot,) = stage.world.client("rds", WEST).describe_db_snapshots()["DBSnapshots"]
    assert snapshot["DBSnapshotIdentifier"] == f"{stage.physical.instance('orders', EAST)}-{RUN.lower()}"
    stage.perform("promote-database/orders")
    assert list(stage.instances()) == [f"{stage.physical.prefix}-orders-{WEST}-g1"]
    assert stage.undeclared() == set()
    stage.undo("drain/orders")
    left = stage.world.client("rds", WEST).describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert snapshot["DBSnapshotIdentifier"] not in {each["DBSnapshotIdentifier"] for each in left}


def test_the_newest_copy_in_a_vault_is_restored_by_a_job_that_is_ordered_once(gateway: Record) -> None:
    stage = Stage(gateway, database("backups"))
    stage.home()
    vault = f"{stage.physical.prefix}-orders-{WEST}"
    name = f"{stage.physical.prefix}-orders-{WEST}-g1"
    client, stub = stubbed("backup")
    stage.told["backup"] = client
    point = f"arn:aws:backup:{WEST}:123456789012:recovery-point:"
    points = [
        {"RecoveryPointArn": f"{point}old", "Status": "COMPLETED", "CreationDate": 1_700_000_000},
        {"RecoveryPointArn": f"{point}new", "Status": "COMPLETED", "CreationDate": 1_800_000_000},
        {"RecoveryPointArn": f"{point}half", "Status": "PARTIAL", "CreationDate": 1_900_000_000},
    ]
    stub.add_response("list_recovery_points_by_backup_vault", {"RecoveryPoints": points}, {"BackupVaultName": vault})
    group = stage.world.client("ec2", WEST).describe_security_groups(
        Filters=[{"Name": "group-name", "Values": [vault]}]
    )["SecurityGroups"][0]["GroupId"]
    metadata = {
        "DBInstanceIdentifier": name,
        "DBInstanceClass": stage.physical.database("orders").settings.instance_class,
        "DBSubnetGroupName": vault,
        "DBParameterGroupName": f"{stage.physical.prefix}-orders-postgres16",
        "VpcSecurityGroupIds": f'["{group}"]',
        "MultiAZ": "true",
        "PubliclyAccessible": "false",
        "DeletionProtection": "true",
    }
    asked = {
        "RecoveryPointArn": f"{point}new",
        "Metadata": metadata,
        "IamRoleArn": f"arn:aws:iam::123456789012:role/{vault}-backup",
        "IdempotencyToken": f"{RUN}-orders",
        "ResourceType": "RDS",
    }
    stub.add_response("start_restore_job", {"RestoreJobId": "job"}, asked)
    stub.add_response("describe_restore_job", {"Status": "RUNNING"}, {"RestoreJobId": "job"})
    stub.add_response("describe_restore_job", {"Status": "COMPLETED"}, {"RestoreJobId": "job"})

    def restored(parsed: dict[str, Any], **_event: object) -> None:
        if parsed["Status"] == "COMPLETED":
            stage.world.client("rds", WEST).create_db_instance(
                DBInstanceIdentifier=name, Engine="postgres", DBInstanceClass="db.r6g.large", AllocatedStorage=20
            )

    client.meta.events.register("after-call.backup.DescribeRestoreJob", restored)
    stage.perform("promote-database/orders")
    stub.assert_no_pending_responses()
    assert stage.instances()[name]["BackupRetentionPeriod"] == 9
    assert stage.perform("promote-database/orders") == "so already"
    assert stage.undeclared() == set()


@pytest.fixture
def controls_stage(gateway: Record) -> tuple[Stage, Any, list[dict[str, str]]]:
    """Controls behind two endpoints and one in the lost region; the stub that both are, and what turns the controls."""
    stage = Stage(gateway, routed("{ kind: routing-control }"))
    place = stage.plan.by_key["switch-routing"].region
    controls = {
        site: f"arn:aws:route53-recovery-control::123456789012:controlpanel/p/routingcontrol/{site}"
        for site in (EAST, WEST)
    }
    document = RoutingDocument(
        endpoints={region: f"https://{region}.example.com/v1" for region in (EAST, place, "eu-west-1")},
        controls=controls,
    )
    stage.world.client("ssm", WEST).put_parameter(
        Name=f"/lifeboat/{stage.physical.prefix}/routing", Value=document.text(), Type="String"
    )
    client, stub = stubbed("route53-recovery-cluster", place)
    stage.told["route53-recovery-cluster"] = client
    entries = [
        {"RoutingControlArn": controls[EAST], "RoutingControlState": "Off"},
        {"RoutingControlArn": controls[WEST], "RoutingControlState": "On"},
    ]
    return stage, stub, entries


def turned_at(stage: Stage) -> list[str]:
    return [call.region for call in stage.made if call.service == "route53-recovery-cluster"]


def test_routing_controls_are_turned_in_one_call_where_they_stand(
    controls_stage: tuple[Stage, Any, list[dict[str, str]]],
) -> None:
    stage, stub, entries = controls_stage
    stub.add_response("update_routing_control_states", {}, {"UpdateRoutingControlStateEntries": entries})
    assert stage.perform("switch-routing") == f"traffic goes to {WEST} by routing-control"
    stub.assert_no_pending_responses()
    assert turned_at(stage) == [stage.plan.by_key["switch-routing"].region]
    assert stage.undeclared() == set()


def test_the_next_endpoint_turns_the_controls_where_one_does_not_answer(
    controls_stage: tuple[Stage, Any, list[dict[str, str]]],
) -> None:
    stage, stub, entries = controls_stage
    asked = {"UpdateRoutingControlStateEntries": entries}
    out = "EndpointTemporarilyUnavailableException"
    stub.add_client_error("update_routing_control_states", out, http_status_code=503, expected_params=asked)
    stub.add_response("update_routing_control_states", {}, asked)
    stage.perform("switch-routing")
    stub.assert_no_pending_responses()
    # Never the one in the region that is lost.
    assert turned_at(stage) == [stage.plan.by_key["switch-routing"].region, "eu-west-1"]


def test_what_an_endpoint_refuses_no_other_one_is_asked(
    controls_stage: tuple[Stage, Any, list[dict[str, str]]],
) -> None:
    stage, stub, _ = controls_stage
    stub.add_client_error("update_routing_control_states", "AccessDeniedException", http_status_code=403)
    with pytest.raises(Exception, match="AccessDenied"):
        stage.perform("switch-routing")
    assert len(turned_at(stage)) == 1


def test_records_are_edited_where_that_was_waived(gateway: Record) -> None:
    stage = Stage(gateway, routed("{ kind: record, waive_record: It is a test }"), Mode.SWITCHOVER)
    route53 = stage.world.client("route53", EAST)
    zone = route53.create_hosted_zone(Name="shop.example.com", CallerReference="1")["HostedZone"]["Id"]
    stage.perform("switch-routing")
    found = {each["Name"]: each for each in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]}
    dns = stage.physical.settings.dns
    assert dns is not None
    record = found["orders.shop.example.com."]
    assert (record["Type"], record["ResourceRecords"]) == ("CNAME", [{"Value": dns.target(dns.endpoints[0], WEST)}])
    assert stage.undeclared() == set()


@pytest.mark.parametrize("mechanism", ["replicated-backups", "backups"])
def test_without_a_copy_a_restore_says_what_is_missing(gateway: Record, mechanism: str) -> None:
    stage = Stage(gateway, database(mechanism))
    stage.home()
    if mechanism == "backups":
        client, stub = stubbed("backup")
        stage.told["backup"] = client
        stub.add_response("list_recovery_points_by_backup_vault", {"RecoveryPoints": []})
    with pytest.raises(Exception, match=r"has no (replicated backups of|finished copy of)"):
        stage.perform("promote-database/orders")
    assert stage.instances() == {}
    assert WITNESS not in {call.region for call in stage.made}
