"""The stack `prod` in the running sandbox's APIs, in this world's regions: a plain replica, and rows that follow it.

What an instance has is what was written to it, and what its source had whenever both could be reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import errors

from lifeboat.recovery import assembly
from lifeboat.recovery.endpoints import plain_instance
from lifeboat.recovery.lease_record import LeaseRecord
from lifeboat.recovery.ports import Pace
from lifeboat.sandbox import supervisor
from tests.project import ROOT
from tests.sandbox.recovery_world import EAST, SITES, WEST, WITNESS, Client, Death, PlayedPorts, RecoveryWorld

if TYPE_CHECKING:
    from lifeboat.sandbox.state import Record

STORES = ("media", "archive")
DATABASE = "catalog"


def prod(*generations: str) -> str:
    """The stack's file; with generations, once people have added one."""
    text = (ROOT / "Pulumi.prod.yaml").read_text()
    for theirs, ours in (("eu-west-1", EAST), ("eu-central-1", WEST), ("eu-west-2", WITNESS)):
        text = text.replace(theirs, ours)
    if generations:
        text = text.replace(
            f"    - name: {DATABASE}\n", f"    - name: {DATABASE}\n      generations: [{', '.join(generations)}]\n"
        )
    return text


class PlainWorld(RecoveryWorld):
    """Built once, and then told another declaration by `declare`."""

    def __init__(self, gateway: Record) -> None:
        super().__init__(gateway, prod())
        self.kept: dict[str, dict[str, str]] = {}
        """By instance: rows, by name."""
        self.cut = False
        """Nothing is copied from one region to the other."""

    def declare(self, gateway: Record, *generations: str) -> None:
        """What people write into the stack's file."""
        self.physical = RecoveryWorld(gateway, prod(*generations)).physical

    def build(self, *, stopped: bool = True) -> None:
        supervisor.control(self._gateway, "POST", "reset", deadline=60)
        self.outages.lost = frozenset()
        self.outages.asked.clear()
        self.kept.clear()
        self.cut = False
        physical = self.physical
        for region in SITES:
            self._ground(region)
            for store in STORES:
                self.client("s3", region).create_bucket(
                    Bucket=physical.bucket(store, region),
                    **({} if region == EAST else {"CreateBucketConfiguration": {"LocationConstraint": region}}),
                )
        self._instances()
        for region in (*SITES, WITNESS):
            self.client("sns", region).create_topic(Name=f"{physical.prefix}-alerts-{region}")
        secrets = self.client("secretsmanager", EAST)
        for name in (physical.password(DATABASE), physical.token("pages"), physical.secret("stream-tokens")):
            secrets.create_secret(Name=name, SecretString="hidden", AddReplicaRegions=[{"Region": WEST}])
        self.make_lease(stopped=stopped)

    def _ground(self, region: str) -> None:
        """What an instance stands on."""
        ec2, rds, group = self.client("ec2", region), self.client("rds", region), f"{self._base}-{region}"
        second = 10 * (SITES.index(region) + 1)
        vpc = ec2.create_vpc(CidrBlock=f"10.{second}.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{second}.{number}.0/24", AvailabilityZone=f"{region}{zone}")
            for number, zone in enumerate("ab")
        ]
        ec2.create_security_group(GroupName=group, Description=group, VpcId=vpc)
        rds.create_db_subnet_group(
            DBSubnetGroupName=group,
            DBSubnetGroupDescription=group,
            SubnetIds=[subnet["Subnet"]["SubnetId"] for subnet in subnets],
        )
        rds.create_db_parameter_group(
            DBParameterGroupName=f"{self._base}-postgres16", DBParameterGroupFamily="postgres16", Description="declared"
        )

    @property
    def _base(self) -> str:
        return f"{self.physical.prefix}-{DATABASE}"

    def _placed(self, region: str) -> dict[str, Any]:
        group = f"{self._base}-{region}"
        found = self.client("ec2", region).describe_security_groups(
            Filters=[{"Name": "group-name", "Values": [group]}]
        )["SecurityGroups"]
        return {
            "DBInstanceClass": "db.m6g.large",
            "DBSubnetGroupName": group,
            "VpcSecurityGroupIds": [found[0]["GroupId"]],
            "DBParameterGroupName": f"{self._base}-postgres16",
            "KmsKeyId": self.client("kms", region).create_key()["KeyMetadata"]["Arn"],
            "MultiAZ": True,
            "DeletionProtection": True,
            "CopyTagsToSnapshot": True,
            "Tags": [{"Key": "System", "Value": "streamgate"}, {"Key": "Name", "Value": f"{self._base}-{region}-g1"}],
        }

    def _instances(self) -> None:
        physical = self.physical
        self.client("rds", EAST).create_db_instance(
            DBInstanceIdentifier=physical.instance(DATABASE, EAST),
            Engine="postgres",
            EngineVersion=physical.database(DATABASE).settings.version,
            AllocatedStorage=20,
            MasterUsername="owner",
            MasterUserPassword="hidden-1",
            DBName="streamgate",
            BackupRetentionPeriod=14,
            StorageEncrypted=True,
            **self._placed(EAST),
        )
        west = self.client("rds", WEST)
        west.create_db_instance_read_replica(
            DBInstanceIdentifier=physical.instance(DATABASE, WEST),
            SourceDBInstanceIdentifier=physical.instance_arn(DATABASE, EAST),
            **self._placed(WEST),
        )
        west.start_db_instance_automated_backups_replication(
            SourceDBInstanceArn=physical.instance_arn(DATABASE, EAST),
            BackupRetentionPeriod=14,
            KmsKeyId=self.client("kms", WEST).create_key()["KeyMetadata"]["Arn"],
        )

    def measure_lag(self, region: str) -> None:
        """The replica in a region keeps up, as CloudWatch has it."""
        dimension = {"Name": "DBInstanceIdentifier", "Value": self.physical.instance(DATABASE, region)}
        self.client("cloudwatch", region).put_metric_data(
            Namespace="AWS/RDS", MetricData=[{"MetricName": "ReplicaLag", "Dimensions": [dimension], "Value": 1.0}]
        )

    def instances(self, region: str) -> dict[str, dict[str, Any]]:
        found = self.client("rds", region).describe_db_instances()["DBInstances"]
        return {each["DBInstanceIdentifier"]: each for each in found}

    def copy(self) -> None:
        """Replicas get what their sources have."""
        if self.cut or self.outages.lost:
            return
        for region in SITES:
            for name, each in self.instances(region).items():
                source = str(each.get("ReadReplicaSourceDBInstanceIdentifier") or "").rpartition(":")[2]
                if source:
                    self.kept[name] = {**self.kept.get(name, {}), **self.kept.get(source, {})}

    def make_lease(self, *, stopped: bool) -> None:
        super().make_lease(stopped=stopped)
        assert isinstance(self.lease(), LeaseRecord)

    def told_to_stop(self, region: str) -> None:
        """A site's warden says that its writes have stopped, as it does when it finds itself fenced."""
        store = assembly.lease_store(self.physical, self.ports(), WEST)
        seen = store.read()
        if region in seen.record.fenced and region not in seen.record.stopped:
            store.replace(seen, seen.record.stop(region))

    def ports(self, death: Death | None = None, scale: float = 60) -> PlainPorts:
        return PlainPorts(self, death or Death(), Pace(scale=scale))


class PlainPorts(PlayedPorts):
    """A database is found as in production, and only then played; a gateway that is asked has heard of the fence."""

    def sql(self, region: str, database: str, *, reader: bool = False, best_effort: bool = False) -> Client:
        del best_effort
        world = self.world
        if region in world.outages.lost:
            raise ConnectionError(f"{region} is lost")
        world.copy()
        found = plain_instance(world.client("rds", region), world.physical, database, region, reader=reader)
        return PlainSession(world, found)

    def wait(self, event: Any, seconds: float) -> bool:  # noqa: ANN401 - an event or None
        for region in set(SITES) - self.world.outages.lost:
            self.world.told_to_stop(region)
        return super().wait(event, seconds)


class PlainSession:
    """Sessions with one instance."""

    def __init__(self, world: PlainWorld, found: dict[str, Any]) -> None:
        self._copies = bool(found.get("ReadReplicaSourceDBInstanceIdentifier"))
        self._rows = world.kept.setdefault(found["DBInstanceIdentifier"], {})

    def __enter__(self) -> PlainSession:
        return self

    def __exit__(self, *_fault: object) -> None:
        return

    def close(self) -> None:
        return

    def execute(  # noqa: PLR0911 - an answer a statement
        self, query: Client, parameters: tuple[Any, ...] = ()
    ) -> Answer:
        text = query if isinstance(query, str) else query.as_string(None)
        if "pg_is_in_recovery" in text:
            return Answer((self._copies,))
        if "INSERT" in text:
            if self._copies:
                raise errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction")
            mark = "mark" in text
            self._rows[f"mark {parameters[0]}" if mark else str(parameters[0])] = "1.5"
            return Answer(("1.5",)) if mark else Answer()
        if "lifeboat_heartbeat.mark" in text and "SELECT" in text:
            said = self._rows.get(f"mark {parameters[0]}")
            return Answer() if said is None else Answer((said,))
        if "pg_stat_user_tables" in text:
            return Answer(("public", "videos"))
        if "max(beat_at)" in text:
            return Answer((float(self._rows.get(f"beat {parameters[0]}", 0)) or None,))
        if text.startswith("SELECT count") and parameters:
            return Answer((int(parameters[0] in self._rows),))
        if text.startswith("SELECT count"):
            return Answer((sum(name.startswith("video") for name in self._rows),))
        if text == "SELECT current_database()":
            return Answer(("streamgate",))
        return Answer()


class Answer:
    """Rows."""

    def __init__(self, *rows: tuple[Any, ...]) -> None:
        self._rows = rows

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows[0] if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)
