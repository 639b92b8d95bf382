"""A cloud in this process with real databases behind it: moto, patched, and what makes its RDS live."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
import psycopg
import pytest
from moto import mock_aws

from lifeboat.sandbox.live.databases import Databases
from tests.live.farm import Farm, farm, patch_moto

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lifeboat.sandbox.live.postgres import Postgres

EAST, WEST = "us-east-1", "us-west-2"
OWNER = {"user": "shop_owner", "password": "correct horse battery"}
ACCOUNT = "123456789012"
Client: TypeAlias = Any
Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


class Durations:
    """Effects take no time, those named excepted [s]."""

    def __init__(self) -> None:
        self.durations: dict[str, float] = {}
        self.asked: list[str] = []

    def seconds(self, operation: str) -> float:
        self.asked.append(operation)
        return self.durations.get(operation, 0.0)


class Straight:
    """Links that lead straight to what they are opened to, or nowhere while they are cut."""

    def __init__(self) -> None:
        self.opened: set[tuple[str, str, str]] = set()
        self.cut = False
        self.on_open: Callable[[], object] | None = None

    def open(self, name: str, source_region: str, target_region: str, address: str, port: int) -> str:
        assert port
        self.opened.add((name, source_region, target_region))
        called, self.on_open = self.on_open, None
        if called is not None:
            called()
        return "127.0.0.1" if self.cut else address


class Cloud:
    """Databases, and clients of their two sides."""

    def __init__(self, land: Farm) -> None:
        self.farm = land
        self.effects, self.links = Durations(), Straight()
        self._clients: dict[str, Client] = {}
        self.databases = self._databases()

    def _databases(self) -> Databases:
        made = Databases(
            self.farm.directory,
            self.farm.network,
            self.farm.processes,
            self.farm.account,
            self.effects.seconds,
            self.links,
        )
        made.start()
        return made

    def restart(self) -> None:
        """Let the databases end, and others take over their directory."""
        self.databases.close()
        self.databases = self._databases()

    def settle(self) -> None:
        self.databases.settle(30)

    def rds(self, region: str) -> Client:
        if region not in self._clients:
            client = boto3.client("rds", region_name=region, aws_access_key_id="a", aws_secret_access_key="b")
            # As the gateway does, before it answers.
            client.meta.events.register("after-call.rds", lambda **_: self.databases.notify())
            self._clients[region] = client
        return self._clients[region]

    def server(self, key: str) -> Postgres:
        return self.databases.servers[key].server

    def roles(self) -> dict[str, str]:
        """Each database's role, as its data are."""
        return {key: unit.role for key, unit in self.databases.servers.items()}

    def login(self, key: str, **changed: str) -> Connection:
        """As the owner, at the address of a database."""
        place = self.server(key).place
        return psycopg.connect(
            host=place.address,
            port=place.port,
            dbname="shop",
            connect_timeout=2,
            autocommit=True,
            **{**OWNER, **changed},
        )

    def instance(self, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - a request's own
        request = {
            "DBInstanceIdentifier": "orders-g1",
            "DBInstanceClass": "db.m6g.large",
            "Engine": "postgres",
            "AllocatedStorage": 20,
            "BackupRetentionPeriod": 7,
            "MasterUsername": OWNER["user"],
            "MasterUserPassword": OWNER["password"],
            "DBName": "shop",
            **more,
        }
        return self.rds(EAST).create_db_instance(**request)["DBInstance"]

    def replica(self) -> None:
        self.rds(WEST).create_db_instance_read_replica(
            DBInstanceIdentifier="orders-g1",
            SourceDBInstanceIdentifier=f"arn:aws:rds:{EAST}:{ACCOUNT}:db:orders-g1",
            SourceRegion=EAST,
        )

    def instance_status(self, region: str, identifier: str = "orders-g1") -> str:
        found = self.rds(region).describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
        return str(found["DBInstanceStatus"])

    def aurora(self) -> None:
        """A global cluster of two regions."""
        self.rds(EAST).create_global_cluster(GlobalClusterIdentifier="shop", Engine="aurora-postgresql")
        owner = {"MasterUsername": OWNER["user"], "MasterUserPassword": OWNER["password"], "DatabaseName": "shop"}
        for region, name, more in ((EAST, "shop-east", owner), (WEST, "shop-west", {})):
            client = self.rds(region)
            client.create_db_cluster(
                DBClusterIdentifier=name, Engine="aurora-postgresql", GlobalClusterIdentifier="shop", **more
            )
            client.create_db_instance(
                DBInstanceIdentifier=f"{name}-1",
                DBClusterIdentifier=name,
                DBInstanceClass="db.r6g.large",
                Engine="aurora-postgresql",
            )

    def fail_over(self, key: str) -> None:
        self.rds(key.partition("/")[0]).failover_global_cluster(
            GlobalClusterIdentifier="shop", TargetDbClusterIdentifier=arn(key), AllowDataLoss=True
        )

    def switch_over(self, key: str) -> None:
        self.rds(key.partition("/")[0]).switchover_global_cluster(
            GlobalClusterIdentifier="shop", TargetDbClusterIdentifier=arn(key)
        )

    def writer(self) -> str:
        """Key of the member that AWS says writes."""
        (found,) = self.rds(EAST).describe_global_clusters()["GlobalClusters"]
        (writer,) = [member["DBClusterArn"] for member in found["GlobalClusterMembers"] if member["IsWriter"]]
        _, _, _, region, _, kind, identifier = writer.split(":")
        return f"{region}/{kind}/{identifier}"

    def global_status(self) -> str:
        (found,) = self.rds(EAST).describe_global_clusters()["GlobalClusters"]
        return str(found["Status"])


def arn(key: str) -> str:
    region, kind, identifier = key.split("/")
    return f"arn:aws:rds:{region}:{ACCOUNT}:{kind}:{identifier}"


def fill(connection: Connection, *rows: int) -> None:
    with connection:
        connection.execute("CREATE TABLE IF NOT EXISTS orders (number bigint PRIMARY KEY)")
        connection.cursor().executemany("INSERT INTO orders VALUES (%s)", [(number,) for number in rows])


def numbers(connection: Connection) -> list[int]:
    """What is in the table; nothing when there is none so far."""
    with connection:
        try:
            return [number for (number,) in connection.execute("SELECT number FROM orders ORDER BY number")]
        except psycopg.errors.UndefinedTable:
            return []


def empty(connection: Connection) -> None:
    """See that there is nothing in the table."""
    with connection:
        connection.execute("DROP TABLE IF EXISTS orders")


@contextlib.contextmanager
def clouds() -> Iterator[Cloud]:
    """An empty cloud."""
    patch_moto()
    with mock_aws(), farm() as land:
        made = Cloud(land)
        try:
            yield made
        finally:
            # Without a keeper no server runs any more: nobody waits for polite ends, which are not tried here.
            land.processes.close()
            made.databases.close()


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """An empty cloud of a test's own."""
    with clouds() as made:
        yield made
