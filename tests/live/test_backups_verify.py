"""Backups are restored, read and removed again: real servers behind RDS's API, and real damage to be found."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from lifeboat.model.physical import Physical
from lifeboat.model.settings.load import from_stack_file
from lifeboat.model.topology import resolve
from lifeboat.recovery import backups, heartbeats
from lifeboat.recovery.backups import Kind
from lifeboat.recovery.backups_removal import leftovers
from lifeboat.recovery.backups_report import Wish, verified
from lifeboat.recovery.backups_verify import Surroundings, Verifier, pick
from lifeboat.recovery.errors import RecoveryRefused
from lifeboat.recovery.lease_record import Hold, RunClaim
from lifeboat.recovery.system_ports import Surroundings as Transport
from lifeboat.recovery.system_ports import SystemPorts
from tests.live.databases import EAST, OWNER, WEST, Cloud, clouds
from tests.live.waiting import until
from tests.unit.recovery.memory import MemoryJournal, MemoryLease

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from lifeboat.recovery.backups import Listing
    from lifeboat.recovery.backups_report import Report

STACK = f"""
config:
  lifeboat:system: shop
  lifeboat:environment: test
  lifeboat:account: "123456789012"
  lifeboat:objectives: {{ stack: {{ rto: 30m, rpo: 5m }} }}
  lifeboat:home: us-east-1
  lifeboat:sites:
    - {{ region: us-east-1, cidr: 10.10.0.0/16 }}
    - {{ region: us-west-2, cidr: 10.20.0.0/16 }}
  lifeboat:witness: us-east-2
  lifeboat:approval: automatic
  lifeboat:databases:
    - {{ name: orders, version: "16.8", mechanism: replica, database: shop, username: {OWNER["user"]} }}
    - name: stock
      version: "16.8"
      mechanism: aurora-global
      database: shop
      username: {OWNER["user"]}
      import: {{ global: shop, us-east-1: shop-east, us-west-2: shop-west }}
"""
ORDERS, STOCK = "shop-test-orders-us-east-1-g1", "shop-east"
PAGE, ROWS = 8192, 2000
_SDK: Any = boto3


class Shop:
    """A deployed stack of two databases, as far as a verification asks for it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        settings = from_stack_file(STACK, "Pulumi.shop.yaml")
        self.physical = Physical(settings=settings, topology=resolve(settings))
        self.lease, self.journal = MemoryLease(), MemoryJournal()
        self._deploy()
        self.ports = LivingPorts(self)

    def client(self, service: str, region: str = EAST) -> Any:  # noqa: ANN401 - boto3's
        if service == "rds":
            return self.cloud.rds(region)
        return _SDK.client(service, region_name=region, aws_access_key_id="a", aws_secret_access_key="b")

    def _deploy(self) -> None:
        ec2, rds, kms = self.client("ec2"), self.client("rds"), self.client("kms")
        subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"][:2]]
        key = kms.create_key()["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName="alias/shop-test-database", TargetKeyId=key)
        for name in ("orders", "stock"):
            ec2.create_security_group(GroupName=f"shop-test-{name}-{EAST}", Description=name)
            rds.create_db_subnet_group(
                DBSubnetGroupName=f"shop-test-{name}-{EAST}", DBSubnetGroupDescription=name, SubnetIds=subnets
            )
            self.client("secretsmanager").create_secret(
                Name=self.physical.password(name), SecretString=OWNER["password"]
            )
        rds.create_db_parameter_group(
            DBParameterGroupName="shop-test-orders-postgres16", DBParameterGroupFamily="postgres16", Description="x"
        )
        rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=f"shop-test-stock-aurora-postgresql16-{EAST}",
            DBParameterGroupFamily="aurora-postgresql16",
            Description="x",
        )
        topic = self.client("sns").create_topic(Name=f"shop-test-alerts-{EAST}")["TopicArn"]
        self._queue = self.client("sqs").create_queue(QueueName="people")["QueueUrl"]
        self.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{EAST}:123456789012:people")
        self.key = key

    def alerts(self) -> list[str]:
        """What people were told since the last look."""
        sqs = self.client("sqs")
        found = sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
        for each in found:
            sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=each["ReceiptHandle"])
        return [json.loads(each["Body"])["Message"] for each in found]

    def verify(self, database: str, *, newest: bool = False, seed: int = 0, keep: bool = False) -> Report:
        wish = Wish(site=EAST, database=database, newest=newest, seed=seed, keep=keep, deadline=120.0)
        return self.verifier().verify(wish)

    def seed(self, database: str, kind: Kind, identifier: str = "") -> int:
        """One that picks a backup of a kind."""
        points = [each for each in self.listing().points if (each.store, each.region) == (database, EAST)]
        for seed in range(1000):
            picked, _ = pick(points, Wish(seed=seed))
            if picked.kind is kind and identifier in picked.identifier:
                return seed
        raise AssertionError(f"no {kind} among {points}")

    def listing(self) -> Listing:
        return backups.listing(self.physical, self.ports, databases_only=True)

    def verifier(self, progress: Callable[[str], None] = lambda _line: None) -> Verifier:
        return Verifier(
            Surroundings(
                physical=self.physical,
                ports=self.ports,
                lease=lambda _ports: self.lease,
                journal=self.journal,
                mirror=None,
                encrypted=False,
                who="ada",
                progress=progress,
            )
        )

    def snapshot(self, name: str) -> None:
        self.cloud.rds(EAST).create_db_snapshot(DBInstanceIdentifier=ORDERS, DBSnapshotIdentifier=name)
        until(lambda: self._snapshots(name) == ["available"])

    def _snapshots(self, name: str) -> list[str]:
        found = self.cloud.rds(EAST).describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"]
        return [each["Status"] for each in found]

    def drop(self, name: str) -> None:
        self.cloud.rds(EAST).delete_db_snapshot(DBSnapshotIdentifier=name)

    def execute(self, key: str, *statements: str) -> None:
        """As the owner, at a database."""
        with self.cloud.login(key) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def names(self) -> set[str]:
        """Every instance, cluster and security group that is there."""
        rds = self.cloud.rds(EAST)
        return {
            *(each["DBInstanceIdentifier"] for each in rds.describe_db_instances()["DBInstances"]),
            *(each["DBClusterIdentifier"] for each in rds.describe_db_clusters()["DBClusters"]),
            *(each["GroupName"] for each in self.client("ec2").describe_security_groups()["SecurityGroups"]),
        }


class LivingPorts(SystemPorts):
    """The real ones, with names that only these servers have."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop.physical, Transport(encrypted=False))
        self._shop = shop
        self.ahead = 0.0
        """Seconds that its wall clock is ahead."""

    def wall(self) -> float:
        return super().wall() + self.ahead

    def wait(self, event: threading.Event | None, seconds: float) -> bool:
        # Effects are done at once here: a long pause between two looks would only be waited for.
        return super().wait(event, min(seconds, 0.1))

    def client(self, service: str, region: str, **_how: Any) -> Any:  # noqa: ANN401 - boto3's
        return self._shop.client(service, region)

    def resolve(self, host: str) -> tuple[str, ...]:
        units = list(self._shop.cloud.databases.servers.values())
        found = [unit.server.place.address for unit in units if host in unit.wanted.hosts]
        if not found:
            raise OSError(f"{host}: no such name")
        return tuple(found)


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """A stack with some orders in it, and none of its backups restored."""
    with clouds() as cloud:
        made = Shop(cloud)
        cloud.instance(
            DBInstanceIdentifier=ORDERS,
            StorageEncrypted=True,
            KmsKeyId=made.key,
            DeletionProtection=True,
            DBSubnetGroupName=f"shop-test-orders-{EAST}",
        )
        rds = cloud.rds(EAST)
        rds.create_global_cluster(GlobalClusterIdentifier="shop", Engine="aurora-postgresql")
        rds.create_db_cluster(
            DBClusterIdentifier=STOCK,
            Engine="aurora-postgresql",
            GlobalClusterIdentifier="shop",
            MasterUsername=OWNER["user"],
            MasterUserPassword=OWNER["password"],
            DatabaseName="shop",
            StorageEncrypted=True,
            KmsKeyId=made.key,
            DeletionProtection=True,
        )
        rds.create_db_instance(
            DBInstanceIdentifier=f"{STOCK}-1",
            DBClusterIdentifier=STOCK,
            DBInstanceClass="db.r6g.large",
            Engine="aurora-postgresql",
        )
        cloud.settle()
        for key in (f"{EAST}/db/{ORDERS}", f"{EAST}/cluster/{STOCK}"):
            made.execute(
                key,
                heartbeats.SCHEMA,
                "CREATE TABLE customer (number int PRIMARY KEY)",
                """CREATE TABLE orders (number int PRIMARY KEY, customer int NOT NULL REFERENCES customer,
                     amount int CHECK (amount > 0), note text)""",
                "INSERT INTO customer SELECT generate_series(1, 50)",
                "INSERT INTO orders SELECT n, 1 + n % 50, n, repeat('x', 500) FROM generate_series(1, 2000) n",
                "INSERT INTO lifeboat_heartbeat.heartbeat VALUES ('us-east-1', 1, clock_timestamp())",
            )
        yield made


@pytest.fixture(autouse=True)
def tidy(shop: Shop) -> Iterator[None]:
    """Nothing is left of a test's restores, nor of what people were told."""
    before = shop.names()
    yield
    assert shop.names() == before
    shop.alerts()


def by_name(report: Report) -> dict[str, bool | None]:
    return {check.name: check.passed for check in report.checks}


def restored(shop: Shop, report: Report) -> None:
    """See that everything was found well, and that everything of it is gone."""
    assert report.faults == []
    assert report.passed
    assert report.rows["public.orders"] == ROWS
    found = by_name(report)
    for name in ("encryption", "size", "readable", "constraints", "size of source", "rows of source", "fresh"):
        assert found[name] is True, name
    assert found["recovery point"] is True
    assert set(report.seconds) == {"restore", "read", "remove"}
    assert (report.left, report.alerted, shop.alerts()) == ([], None, [])


def test_the_newest_backup_of_an_instance_is_restored_read_and_removed(shop: Shop) -> None:
    report = shop.verify("orders", newest=True)
    restored(shop, report)
    assert report.point is not None
    assert report.point.kind is Kind.WINDOW
    last = verified(shop.journal)["orders", EAST]
    assert (last["run"], last["result"], last["backup"]) == (report.run, "done", ORDERS)
    # The new password is nobody's: neither in the journal nor in the report.
    assert not [
        entry for entry in shop.journal.read(report.run) if entry.detail.get("MasterUserPassword", "...") != "..."
    ]


def test_a_cluster_is_restored_from_a_snapshot_and_to_a_moment(shop: Shop) -> None:
    # Taken when the cluster was made: what was written since is explained.
    first = shop.verify("stock", seed=shop.seed("stock", Kind.AUTOMATED))
    assert first.faults == ["recovery point: no heartbeat in it, and the source had one by then"] or first.passed
    assert "public.orders" not in first.rows
    report = shop.verify("stock", newest=True)
    assert report.point is not None
    assert report.point.kind is Kind.WINDOW
    restored(shop, report)


def test_a_snapshot_with_a_damaged_page_fails_and_people_are_told(shop: Shop) -> None:
    shop.snapshot("rotten")
    _damage(shop, "rotten", "orders")
    report = shop.verify("orders", seed=shop.seed("orders", Kind.MANUAL, "rotten"))
    shop.drop("rotten")
    assert not report.passed
    assert by_name(report)["readable"] is False
    assert any("public.orders: invalid page in block" in fault for fault in report.faults)
    assert report.alerted == shop.physical.alerts(EAST)
    (told,) = shop.alerts()
    assert report.run in told
    assert "invalid page in block" in told
    assert report.left == []
    assert verified(shop.journal)["orders", EAST]["result"] == "failed"


def test_a_snapshot_whose_rows_break_their_constraints_fails(shop: Shop) -> None:
    server = shop.cloud.server(f"{EAST}/db/{ORDERS}")
    with server.connect(dbname="shop") as superuser:
        # As only a fault of the engine or of storage does it: no trigger looks.
        superuser.execute("SET session_replication_role = replica")
        superuser.execute("DELETE FROM customer WHERE number = 7")
    shop.snapshot("orphans")
    shop.execute(f"{EAST}/db/{ORDERS}", "INSERT INTO customer VALUES (7)")
    report = shop.verify("orders", seed=shop.seed("orders", Kind.MANUAL, "orphans"))
    shop.drop("orphans")
    assert report.faults == [f"constraints: public.orders: orders_customer_fkey is violated by {ROWS // 50}"]
    assert len(shop.alerts()) == 1


def test_an_interrupt_removes_what_was_restored(shop: Shop) -> None:
    def interrupt(line: str) -> None:
        if line.startswith("3/4"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.verifier(interrupt).verify(Wish(site=EAST, database="orders", newest=True))
    run = shop.journal.runs()[-1]
    ended = shop.journal.read(run)[-1]
    assert (ended.event.value, ended.detail["result"]) == ("ended", "aborted")
    assert shop.alerts() == []


def test_what_was_kept_is_removed_by_a_later_run_once_it_has_expired(shop: Shop) -> None:
    report = shop.verify("stock", newest=True, keep=True)
    assert report.passed
    assert report.place is not None
    assert {report.place, f"{report.place}-1"} < shop.names()
    assert {line.rpartition(" ")[2] for line in report.left} == {report.place, f"{report.place}-1"}
    # Runs that have no time for a restore still look for what earlier ones left.
    hurried = Wish(site=EAST, database="orders", newest=True, deadline=1.0)
    assert shop.verifier().verify(hurried).removed == []
    assert [place.name for place, _ in leftovers(shop.physical, shop.ports, EAST)] == [report.place]
    shop.ports.ahead = 86_400.0
    try:
        assert shop.verifier().verify(replace(hurried, deadline=20.0)).removed == [f"{EAST}: {report.place}"]
    finally:
        shop.ports.ahead = 0.0


def test_a_restore_that_does_not_end_fails_at_its_deadline_and_is_removed(shop: Shop) -> None:
    shop.cloud.effects.durations["restore-rds-instance"] = 3600.0
    try:
        wish = Wish(site=EAST, database="orders", newest=True, deadline=3.0)
        report = shop.verifier().verify(wish)
    finally:
        shop.cloud.effects.durations.clear()
    assert any("not done within 3 s" in fault or "by the deadline" in fault for fault in report.faults)
    assert report.left == []
    assert len(shop.alerts()) == 1


def test_while_the_stack_is_moved_or_held_nothing_is_restored(shop: Shop) -> None:
    seen = shop.lease.now
    calls = len(shop.cloud.effects.asked)
    for change, said in (
        ({"run": RunClaim(id="failover-1", runner="x", kind="failover", target=WEST, beat=0)}, "run failover-1 is"),
        ({"hold": Hold(by="ada", reason="network maintenance")}, "held by ada: network maintenance"),
    ):
        shop.lease.now = replace(seen, record=replace(seen.record, **change))
        before = set(shop.journal.runs())
        with pytest.raises(RecoveryRefused, match=said):
            shop.verify("orders")
        (run,) = set(shop.journal.runs()) - before
        assert [entry.event.value for entry in shop.journal.read(run)] == ["refused"]
    shop.lease.now = seen
    assert len(shop.cloud.effects.asked) == calls


def test_every_kind_of_backup_is_listed(shop: Shop) -> None:
    shop.snapshot("by-hand")
    found = shop.listing()
    shop.drop("by-hand")
    assert {(each.store, each.kind, each.cluster) for each in found.points if each.region == EAST} == {
        ("orders", Kind.AUTOMATED, False),
        ("orders", Kind.MANUAL, False),
        ("orders", Kind.WINDOW, False),
        ("stock", Kind.AUTOMATED, True),
        ("stock", Kind.WINDOW, True),
    }
    assert all(each.encrypted and each.key == shop.key for each in found.points)
    # The other site was never deployed.
    assert {(each.store, each.region) for each in found.unlisted} == {("stock", WEST)}


def _damage(shop: Shop, snapshot: str, table: str) -> None:
    """Turn bytes of a table's first page over in a snapshot, as a fault of storage does."""
    with shop.cloud.server(f"{EAST}/db/{ORDERS}").connect(dbname="shop") as connection:
        ((path,),) = connection.execute("SELECT pg_relation_filepath(%s)", [table]).fetchall()
    (base,) = (shop.cloud.farm.directory / "data").glob(f"rds-backups/base/{EAST}/*/{snapshot}/*")
    with (base / path).open("r+b") as file:
        file.seek(PAGE - 64)
        file.write(b"\xff" * 64)
