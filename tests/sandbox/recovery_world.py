"""A small stack in the running sandbox's APIs, and ports to it that can be killed at any call.

Control planes are moto's; databases, caches, sites and names are played, as far as steps ask them.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
from botocore.config import Config

from lifeboat.model.physical import Physical
from lifeboat.model.plan.derivation import derive
from lifeboat.model.plan.graph import Mode, Plan
from lifeboat.model.settings.load import from_stack_file
from lifeboat.model.topology import resolve
from lifeboat.recovery import assembly
from lifeboat.recovery.claim import here
from lifeboat.recovery.lease_record import LeaseRecord
from lifeboat.recovery.ports import HttpAnswer, Pace
from lifeboat.recovery.run_state import WARDEN, Consent
from lifeboat.recovery.runner import Outside, Runner
from lifeboat.recovery.views import Sight, View
from lifeboat.sandbox import supervisor

if TYPE_CHECKING:
    from collections.abc import Generator

    from lifeboat.recovery.journal import Listener
    from lifeboat.sandbox.state import Record

EAST, WEST, WITNESS = "us-east-1", "us-west-2", "us-east-2"
SITES = (EAST, WEST)
GONE = f"somebody@{socket.gethostname()} pid 1 started 0 on {here()} #"
"""A runner of this machine that has ended."""
STACK = """
config:
  lifeboat:system: shop
  lifeboat:environment: test
  lifeboat:account: "123456789012"
  lifeboat:objectives: { stack: { rto: 15m, rpo: 5m } }
  lifeboat:home: us-east-1
  lifeboat:sites:
    - { region: us-east-1, cidr: 10.10.0.0/16 }
    - { region: us-west-2, cidr: 10.20.0.0/16 }
  lifeboat:witness: us-east-2
  lifeboat:approval: automatic
  lifeboat:lease: { ttl: 30s, confirm_for: 10s }
  lifeboat:databases:
    - { name: orders, version: "16.8", mechanism: aurora-global, database: shop, username: owner }
  lifeboat:caches:
    - { name: sessions, mechanism: global-datastore, rebuildable: false }
  lifeboat:object_stores:
    - { name: uploads, mechanism: replication, rpo: 24h }
  lifeboat:dns: { zone: shop.example.com, ttl: 1s, endpoints: [ { name: orders } ] }
"""
Client: TypeAlias = Any
"""Whatever is made at run time: a boto3 client, a statement, an argument."""


class Killed(BaseException):
    """The process is ended: nothing of it runs on."""


@dataclass
class Death:
    """Ends a process at one of its calls.

    Attributes:
        at: Which call, from 1; 0 for none.
        after: After it was answered, not before.
    """

    at: int = 0
    after: bool = False
    calls: int = 0
    dead: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def before(self) -> int:
        with self.lock:
            self._live()
            self.calls += 1
            number = self.calls
            if number == self.at and not self.after:
                self.dead = True
            self._live()
            return number

    def answered(self, number: int) -> None:
        with self.lock:
            if number == self.at and self.after:
                self.dead = True
            self._live()

    def _live(self) -> None:
        if self.dead:
            raise Killed


class Outages:
    """Regions that do not answer; every call to one is noted."""

    def __init__(self) -> None:
        self.lost: frozenset[str] = frozenset()
        self.asked: list[str] = []


class PlayedPorts:
    """Ports to the sandbox's APIs; what is no API is played: a database that takes writes where moto has the writer."""

    def __init__(self, world: RecoveryWorld, death: Death, pace: Pace) -> None:
        self.world = world
        self._death = death
        self._pace = pace

    @property
    def pace(self) -> Pace:
        return self._pace

    def client(self, service: str, region: str, **_how: object) -> Client:
        return _Mortal(self.world.client(service, region), self._death, self.world.outages, region)

    def sql(self, region: str, database: str, *, reader: bool = False, best_effort: bool = False) -> Client:
        del reader, best_effort
        number = self._death.before()
        session = PlayedSession(self.world, region, database)
        self._death.answered(number)
        return session

    def redis(self, region: str, cache: str, *, best_effort: bool = False) -> Client:
        del best_effort
        raise LookupError(f"{region}: the cache {cache} is not played")

    def http(self, url: str, *, timeout: float, **_request: object) -> HttpAnswer:
        del timeout
        number = self._death.before()
        lost = any(region in url for region in self.world.outages.lost)
        self._death.answered(number)
        if lost:
            raise ConnectionError(f"{url}: no answer")
        return HttpAnswer(status=200)

    def site_url(self, host: str, port: int) -> str:
        return f"https://{host}:{port}"

    def resolve(self, host: str) -> tuple[str, ...]:
        number = self._death.before()
        serving = self.world.lease().serving
        self._death.answered(number)
        site = next((site for site in SITES if site in host), serving or EAST)
        return (f"127.0.0.{SITES.index(site) + 1}",)

    def clock(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    def wait(self, event: threading.Event | None, seconds: float) -> bool:
        # The APIs answer at once: a long pause between two looks would only be waited for.
        return (event or threading.Event()).wait(min(max(seconds, 0.0), 0.05))


class _Mortal:
    """A boto3 client of a process that may be ended at any call."""

    def __init__(self, client: Client, death: Death, outages: Outages, region: str) -> None:
        self._client = client
        self._death = death
        self._outages = outages
        self._region = region

    def __getattr__(self, name: str) -> Client:
        attribute = getattr(self._client, name)
        if name not in self._client.meta.method_to_api_mapping:
            return attribute

        def ask(**arguments: object) -> object:
            number = self._death.before()
            if self._region in self._outages.lost:
                self._outages.asked.append(f"{self._region}: {name}")
                raise ConnectionError(f"{self._region} is lost")
            answer = attribute(**arguments)
            self._death.answered(number)
            return answer

        return ask

    def get_paginator(self, name: str) -> Client:
        return type(self._client).get_paginator(self, name)


class PlayedSession:
    """A database session: it takes writes where moto has the writer, and remembers rows by name."""

    def __init__(self, world: RecoveryWorld, region: str, database: str) -> None:
        self._world = world
        self._region = region
        self._database = database

    def __enter__(self) -> PlayedSession:
        return self

    def __exit__(self, *_fault: object) -> None:
        return

    def execute(self, query: Client, parameters: tuple[Any, ...] = ()) -> _Rows:
        text = query if isinstance(query, str) else query.as_string(None)
        writer = self._world.writer()
        if "pg_is_in_recovery" in text:
            return _Rows([(self._region != writer,)])
        if text == "SELECT current_database()":
            return _Rows([("shop",)])
        if "lifeboat_heartbeat.mark" in text:
            # Replication is at once here: what one copy was told, the other has.
            return _Rows([("1.5",)])
        if "INSERT" in text and self._region == writer:
            self._world.rows.add((self._region, parameters[0]))
        if text.startswith("SELECT count"):
            return _Rows([(int((self._region, parameters[0]) in self._world.rows) if parameters else 0,)])
        return _Rows([])


class _Rows:
    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows[0] if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows


class RecoveryWorld:
    """The stack's APIs in a running sandbox."""

    def __init__(self, gateway: Record, stack: str = STACK) -> None:
        self._gateway = gateway
        self._session = boto3.session.Session(aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="sandbox")
        self._clients: dict[tuple[str, str], Client] = {}
        self._making = threading.Lock()
        settings = from_stack_file(stack, "Pulumi.shop.yaml")
        self.physical = Physical(settings=settings, topology=resolve(settings))
        self.outages = Outages()
        self.rows: set[tuple[str, str]] = set()

    def client(self, service: str, region: str) -> Client:
        with self._making:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._session.client(
                    service,
                    region_name=region,
                    endpoint_url=self._gateway.endpoint,
                    config=Config(retries={"total_max_attempts": 1}, max_pool_connections=20),
                )
            return self._clients[service, region]

    def build(self, *, stopped: bool = True) -> None:
        """Make everything anew, held by home; `stopped`: home has said itself that its writes have stopped."""
        supervisor.control(self._gateway, "POST", "reset", deadline=60)
        self.outages.lost = frozenset()
        self.outages.asked.clear()
        self.rows.clear()
        self._database()
        self._cache()
        for region in SITES:
            self.client("s3", region).create_bucket(
                Bucket=self.physical.bucket("uploads", region),
                **({} if region == EAST else {"CreateBucketConfiguration": {"LocationConstraint": region}}),
            )
        for region in (*SITES, WITNESS):
            self.client("sns", region).create_topic(Name=f"{self.physical.prefix}-alerts-{region}")
        secrets = self.client("secretsmanager", EAST)
        for name in (self.physical.password("orders"), self.physical.token("sessions")):
            secrets.create_secret(Name=name, SecretString="hidden", AddReplicaRegions=[{"Region": WEST}])
        self.make_lease(stopped=stopped)

    def _database(self) -> None:
        name = self.physical.global_cluster("orders")
        common = {"Engine": "aurora-postgresql", "EngineVersion": "16.8"}
        self.client("rds", EAST).create_global_cluster(GlobalClusterIdentifier=name, **common)
        for region in SITES:
            cluster = self.physical.cluster("orders", region)
            first = {"MasterUsername": "owner", "MasterUserPassword": "hidden-1", "DatabaseName": "shop"}
            key = self.client("kms", region).create_key()["KeyMetadata"]["Arn"]
            self.client("rds", region).create_db_cluster(
                DBClusterIdentifier=cluster,
                GlobalClusterIdentifier=name,
                BackupRetentionPeriod=7,
                StorageEncrypted=True,
                KmsKeyId=key,
                **common,
                **(first if region == EAST else {}),
            )
            self.client("rds", region).create_db_instance(
                DBInstanceIdentifier=f"{cluster}-1",
                DBClusterIdentifier=cluster,
                DBInstanceClass="db.r6g.large",
                Engine="aurora-postgresql",
            )

    def _cache(self) -> None:
        east = self.client("elasticache", EAST)
        first = self.physical.replication_group("sessions", EAST)
        east.create_replication_group(
            ReplicationGroupId=first,
            ReplicationGroupDescription=first,
            Engine="redis",
            CacheNodeType="cache.r6g.large",
            NumCacheClusters=2,
        )
        made = east.create_global_replication_group(
            GlobalReplicationGroupIdSuffix=f"{self.physical.prefix}-sessions", PrimaryReplicationGroupId=first
        )["GlobalReplicationGroup"]["GlobalReplicationGroupId"]
        second = self.physical.replication_group("sessions", WEST)
        self.client("elasticache", WEST).create_replication_group(
            ReplicationGroupId=second, ReplicationGroupDescription=second, GlobalReplicationGroupId=made
        )

    def make_lease(self, *, stopped: bool) -> None:
        """The lease's table, and a lease that home holds."""
        table = self.physical.lease_table
        east = self.client("dynamodb", EAST)
        east.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        east.update_table(
            TableName=table,
            ReplicaUpdates=[{"Create": {"RegionName": WEST}}],
            GlobalTableWitnessUpdates=[{"Create": {"RegionName": WITNESS}}],
            MultiRegionConsistency="STRONG",
        )
        record = LeaseRecord.first(EAST, self.physical.settings.lease.ttl)
        store = assembly.lease_store(self.physical, self.ports())
        store.create(record.stop(EAST) if stopped else record)

    def measure_lags(self, seconds: float) -> None:
        """Each copy in the west is that far behind, as CloudWatch has it."""
        cluster, group = self.physical.cluster("orders", WEST), self.physical.replication_group("sessions", WEST)
        for namespace, metric, dimension, identifier, unit in (
            ("AWS/RDS", "AuroraGlobalDBReplicationLag", "DBClusterIdentifier", cluster, 1000),
            ("AWS/ElastiCache", "GlobalDatastoreReplicationLag", "ReplicationGroupId", group, 1),
        ):
            point = {"MetricName": metric, "Dimensions": [{"Name": dimension, "Value": identifier}]}
            self.client("cloudwatch", WEST).put_metric_data(
                Namespace=namespace, MetricData=[{**point, "Value": seconds * unit}]
            )

    def lose(self, region: str) -> None:
        """No call to a region is answered any more, and both other viewpoints see that."""
        self.outages.lost = frozenset({region})
        self.see(region, Sight(lost=True, reason="no answer"))

    def see(self, region: str, sight: Sight) -> None:
        """Both other viewpoints see that of a region."""
        store = assembly.lease_store(self.physical, self.ports(), WEST)
        for observer in (WEST, WITNESS):
            view = View(observer=observer, process="1", beat=1, sights={region: sight})
            store.publish(observer, view.dump())

    def ports(self, death: Death | None = None, scale: float = 12) -> PlayedPorts:
        return PlayedPorts(self, death or Death(), Pace(scale=scale))

    def lease(self) -> LeaseRecord:
        """The lease, read without any port."""
        store = assembly.lease_store(self.physical, _Direct(self, Death(), Pace()), WEST)
        return store.read().record

    def writer(self) -> str:
        """The region of the cluster that moto has as the writer."""
        found = self.client("rds", WEST).describe_global_clusters(
            GlobalClusterIdentifier=self.physical.global_cluster("orders")
        )["GlobalClusters"][0]
        arn = next(member["DBClusterArn"] for member in found["GlobalClusterMembers"] if member["IsWriter"])
        return str(arn).split(":")[3]

    def snapshot(self) -> dict[str, Any]:
        """The control plane, as its describing calls have it, and who holds the lease."""
        rds, cache = self.client("rds", WEST), self.client("elasticache", WEST)
        datastores = cache.describe_global_replication_groups(ShowMemberInfo=True)["GlobalReplicationGroups"]
        record = self.lease()
        return {
            "epoch": record.epoch,
            "holder": record.holder,
            "serving": record.serving,
            "fenced": sorted(record.fenced),
            "run": record.run,
            "writer": self.writer(),
            "members": [each["GlobalClusterMembers"] for each in rds.describe_global_clusters()["GlobalClusters"]],
            "clusters": [
                (each["DBClusterIdentifier"], each["Status"], each.get("ReplicationSourceIdentifier"))
                for region in SITES
                for each in self.client("rds", region).describe_db_clusters()["DBClusters"]
            ],
            "datastores": [(each["GlobalReplicationGroupId"], each["Status"], each["Members"]) for each in datastores],
        }

    def plan(self, mode: Mode = Mode.FAILOVER, lost: frozenset[str] = frozenset({EAST}), **ends: str) -> Plan:
        return derive(self.physical.settings, self.physical.topology, mode=mode, lost=lost, **ends)

    def outside(self, death: Death | None = None, *, listeners: tuple[Listener, ...] = (), runner: str = "") -> Outside:
        return assembly.outside(
            self.physical,
            self.ports(death),
            near=WEST,
            lost=self.outages.lost,
            listeners=listeners,
            runner=runner or GONE + str(time.monotonic_ns()),
        )

    def runner(self, plan: Plan | None = None, death: Death | None = None, **options: Client) -> Runner:
        return Runner(plan or self.plan(), self.outside(death, **options))


class _Direct(PlayedPorts):
    """Of no process: they cannot be killed, and no region is lost to them."""

    def client(self, service: str, region: str, **_how: object) -> Client:
        return self.world.client(service, region)


CONSENT = Consent(by=(WARDEN,))


@contextlib.contextmanager
def killed() -> Generator[None]:
    """Whatever is killed in here stays quiet."""
    with contextlib.suppress(Killed):
        yield
