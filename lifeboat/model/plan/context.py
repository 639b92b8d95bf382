"""What the steps of a plan are made from: the design, what is lost, and the few things that several of them need."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lifeboat.model.design import LeaseStore
from lifeboat.model.physical import Physical
from lifeboat.model.plan.graph import Call, Mode, Plane
from lifeboat.model.settings.sites import Strategy
from lifeboat.model.settings.stores import CacheMechanism, DatabaseMechanism, ObjectMechanism

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifeboat.model.design import CacheDesign, DatabaseDesign, ObjectsDesign, Topology
    from lifeboat.model.settings import Settings
    from lifeboat.model.settings.objectives import Phases
    from lifeboat.model.timings import Timing

READS_ONLY = "nothing to take back: it only reads"
"""`PlanStep.undo` of a step that changes nothing."""

LEAST_DEADLINE = 30.0
"""Seconds: what is given up sooner is given up for a single slow answer."""

CLIENT_SESSIONS: Final = (
    "FROM pg_stat_activity AS activity JOIN pg_roles AS role ON role.oid = activity.usesysid "
    "WHERE activity.datname = current_database() AND activity.pid <> pg_backend_pid() "
    "AND activity.backend_type = 'client backend' "
    "AND (NOT role.rolsuper OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user))"
)
"""Clients' sessions only: replication goes on, so that the standby gets what was committed. On RDS the master user
may not end those of the service's own superuser, which do not write a customer's data."""

END_SESSIONS = f"SELECT pg_terminate_backend(activity.pid) {CLIENT_SESSIONS}"
"""A session keeps the read-only default that it began with."""

_LEASE_FILE = "lease.json"

RENEWAL = 10
"""Seconds between two renewals of the lease."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """One way from one site to the other."""

    settings: Settings
    topology: Topology
    mode: Mode
    source: str
    """As `Plan.source`."""
    target: str
    """As `Plan.target`."""
    lost: frozenset[str]

    @property
    def graceful(self) -> bool:
        """Whether the active site moves while both answer."""
        return self.mode in {Mode.SWITCHOVER, Mode.FAILBACK}

    @property
    def moves(self) -> bool:
        """Whether the active site changes at all."""
        return self.mode is not Mode.REJOIN

    @property
    def scales(self) -> bool:
        """Whether the target's compute was left smaller, and is brought to its full size. Home keeps its own."""
        smaller = self.topology.strategy is not Strategy.ACTIVE_ACTIVE
        return self.moves and smaller and self.target != self.topology.home.region

    @property
    def names(self) -> Physical:
        """What things are called in the account."""
        return Physical(settings=self.settings, topology=self.topology)

    @property
    def declared(self) -> Phases:
        """Phases whose durations the stack declares for the loss of a region; a planned move is timed by itself."""
        phases = self.settings.objectives.stack.phases
        return phases if self.mode is Mode.FAILOVER else type(phases)()

    @property
    def databases(self) -> tuple[DatabaseDesign, ...]:
        """Every database."""
        return self.topology.databases

    @property
    def replicated_caches(self) -> tuple[CacheDesign, ...]:
        """Caches whose data reaches the other site."""
        return tuple(cache for cache in self.topology.caches if cache.mechanism is CacheMechanism.GLOBAL_DATASTORE)

    @property
    def replicated_objects(self) -> tuple[ObjectsDesign, ...]:
        """Object stores whose data reaches the other site."""
        return tuple(store for store in self.topology.object_stores if store.mechanism is not ObjectMechanism.NONE)

    @property
    def unprotected(self) -> tuple[str, ...]:
        """Stores that have no second copy once the target is active.

        After a planned move, Aurora, Global Datastore and buckets simply copy the other way.
        """
        if self.mode is Mode.FAILOVER:
            designs = (*self.databases, *self.replicated_caches, *self.replicated_objects)
            return tuple(design.settings.name for design in designs)
        one_way = (design for design in self.databases if design.mechanism is not DatabaseMechanism.AURORA_GLOBAL)
        return tuple(design.settings.name for design in one_way)

    def instance(self, database: str, region: str) -> str:
        """The youngest instance of a plain database in a region; the first one's name where none is declared there."""
        if any(each.region == region for each in self.names.database(database).instances):
            return self.names.instance(database, region)
        return f"{self.names.prefix}-{database}-{region}-g1"

    def next_instance(self, design: DatabaseDesign, region: str) -> str:
        """The instance of a plain database that would be the next generation in a region."""
        return self.names.next_instance(design.settings.name, region)

    def lease_call(self, operation: str) -> Call:
        """A call to where the lease lives: ``GetItem`` or ``PutItem`` of the table, the same of an object.

        The table's replicas and its witness are a quorum; the nearest surviving replica is asked.
        """
        if self.topology.lease is LeaseStore.WITNESS_OBJECT:
            as_object = operation.replace("Item", "Object")
            return Call(service="s3", operation=as_object, region=self.topology.witness, plane=Plane.DATA)
        quorum = frozenset({*(site.region for site in self.topology.sites), self.topology.witness})
        return Call(service="dynamodb", operation=operation, region=self.target, plane=Plane.DATA, quorum=quorum)

    @property
    def lease_read(self) -> tuple[Call, ...]:
        """Reading the lease and what stands beside it."""
        return (self.lease_call("GetItem"),)

    @property
    def lease_write(self) -> tuple[Call, ...]:
        """Reading it, and replacing it on the condition that nobody else has."""
        return (self.lease_call("GetItem"), self.lease_call("PutItem"))

    @property
    def views_read(self) -> tuple[Call, ...]:
        """Reading what the wardens see, which stands beside the lease."""
        each = self.topology.lease is LeaseStore.WITNESS_OBJECT
        return (self.lease_call("GetItem" if each else "BatchGetItem"),)

    @property
    def journal_read(self) -> tuple[Call, ...]:
        """Listing the runs in the journal, which stands beside the lease, and reading some."""
        in_objects = self.topology.lease is LeaseStore.WITNESS_OBJECT
        reads = ("ListItemsV2", "GetItem") if in_objects else ("Scan", "BatchGetItem")
        return tuple(self.lease_call(operation) for operation in reads)

    @property
    def run_read(self) -> tuple[Call, ...]:
        """Reading what the journal has of one run."""
        reads = ("ListItemsV2", "GetItem") if self.topology.lease is LeaseStore.WITNESS_OBJECT else ("BatchGetItem",)
        return tuple(self.lease_call(operation) for operation in reads)

    @property
    def ledger_write(self) -> tuple[Call, ...]:
        """Reading the ledger of time without protection, which stands beside the journal, and adding to it."""
        return (*self.run_read, self.lease_call("PutItem"))

    def session(self, region: str, *statements: str) -> tuple[Call, ...]:
        """Sessions with the databases of a region: where they are, and their passwords, are asked there first."""
        aurora = [design.mechanism is DatabaseMechanism.AURORA_GLOBAL for design in self.databases]
        where = (
            *(["DescribeDBClusters"] if any(aurora) else []),
            *(["DescribeDBInstances"] if not all(aurora) else []),
        )
        if not where:
            return ()
        return (
            *control("rds", region, *where),
            *data("secretsmanager", region, "GetSecretValue"),
            *data("postgresql", region, *statements),
        )

    @property
    def show_lease(self) -> str:
        """The command that prints the lease, and keeps it in a file."""
        if self.topology.lease is LeaseStore.WITNESS_OBJECT:
            read = aws("s3api get-object", self.topology.witness, bucket=self.names.lease_bucket, key=_LEASE_FILE)
            return f"{read} {_LEASE_FILE} && cat {_LEASE_FILE}"
        key = '{"pk": {"S": "lease"}}'
        read = aws("dynamodb get-item --consistent-read --query Item", self.target, table_name=self._table, key=key)
        return f"{read} | tee {_LEASE_FILE}"

    def change_lease(self, change: str) -> tuple[str, ...]:
        """The lines that read the lease, tell the change, and write it back unless somebody else has since."""
        if self.topology.lease is LeaseStore.WITNESS_OBJECT:
            to = {"bucket": self.names.lease_bucket, "key": _LEASE_FILE, "body": _LEASE_FILE}
            write = aws("s3api put-object", self.topology.witness, **to, if_match="$ETAG_THAT_YOU_SAW")
        else:
            write = aws(
                "dynamodb put-item",
                self.target,
                table_name=self._table,
                item=f"file://{_LEASE_FILE}",
                condition_expression="version = :seen",
                expression_attribute_values="$SEEN",
            )
        return (
            self.show_lease,
            f"# In {_LEASE_FILE}: {change}; raise the version by one.",
            '# SEEN=\'{":seen": {"N": "THE VERSION THAT YOU SAW"}}\''
            if self.topology.lease is LeaseStore.STRONG_TABLE
            else "# ETAG_THAT_YOU_SAW is in the answer above.",
            write,
            "# If the condition fails, somebody else acts: stop and ask.",
        )

    @property
    def _table(self) -> str:
        return self.names.lease_table

    def global_datastore(self, cache: str) -> str:
        """The line that puts a Global Datastore's identifier, a part of which AWS chose, into a variable."""
        adopted = self.names.cache(cache).settings.import_.get("global")
        if adopted is not None:
            return f"DATASTORE={shlex.quote(adopted)}"
        ending = f"-{self.names.prefix}-{cache}"
        query = f"GlobalReplicationGroups[?ends_with(GlobalReplicationGroupId, '{ending}')].GlobalReplicationGroupId"
        return (
            "DATASTORE=$("
            + aws("elasticache describe-global-replication-groups --output text", self.target, query=query)
            + ")"
        )


def control(service: str, region: str, *operations: str, best_effort: bool = False) -> tuple[Call, ...]:
    """Calls to a control plane."""
    return tuple(
        Call(service=service, operation=operation, region=region, plane=Plane.CONTROL, best_effort=best_effort)
        for operation in operations
    )


def data(service: str, region: str, *operations: str, best_effort: bool = False) -> tuple[Call, ...]:
    """Calls to a data plane."""
    return tuple(
        Call(service=service, operation=operation, region=region, plane=Plane.DATA, best_effort=best_effort)
        for operation in operations
    )


def deadline(timing: Timing, least: float = LEAST_DEADLINE) -> float:
    """When a step is given up: at twice its p95, not before `least` seconds."""
    return max(least, 2 * timing.p95)


def aws(command: str, region: str, **options: str) -> str:
    """A command of the AWS CLI, with its values quoted for a shell; one that names a variable stays open to it."""
    said = [f"aws {command} --region {region}"]
    said += [f"--{name.replace('_', '-')} {_quoted(value)}" for name, value in options.items()]
    return " ".join(said)


def aws_tagged(tags: Mapping[str, str]) -> str:
    """Filters that find what carries these tags."""
    return " ".join(f"{_quoted(f'Name=tag:{name},Values={value}')}" for name, value in tags.items())


def _quoted(value: str) -> str:
    return f'"{value}"' if value.startswith("$") else shlex.quote(value)
