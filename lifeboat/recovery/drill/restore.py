"""A damaged database restored beside itself, to a moment; read; and removed again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import psycopg
from botocore.exceptions import BotoCoreError, ClientError

from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.recovery.drill.readers import orders
from lifeboat.recovery.drill.world import DrillError, Restored
from lifeboat.recovery.journal import told_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifeboat.model.physical import Physical
    from lifeboat.recovery.drill.measure import Order
    from lifeboat.recovery.ports import Ports

_Found = TypeVar("_Found")
_AVAILABLE: Final = "available"
_LOOK: Final = 0.5
_CONNECT_SECONDS: Final = 10


@dataclass(frozen=True, kw_only=True)
class Isolated:
    """Where a copy is restored to.

    Attributes:
        ports: The outside.
        physical: The stack's names.
        database: Whose copy, by logical name.
        region: Where.
        deadline: Real seconds that the restore, and then its removal, may take.
    """

    ports: Ports
    physical: Physical
    database: str
    region: str
    deadline: float

    @property
    def name(self) -> str:
        """What the copy is called."""
        return f"{self.physical.prefix}-{self.database}-{self.region}-restored"

    def restore(self, until: float) -> Restored:
        """Restore, read, remove.

        Args:
            until: The moment, seconds since the epoch.

        Raises:
            DrillError: when it does not become readable; what was made is removed.
        """
        began = self.ports.clock()
        try:
            try:
                self._ask(datetime.fromtimestamp(until, tz=UTC))
                found = self._until(self._readable, f"{self.name} can be read")
                seconds = self.ports.clock() - began
            finally:
                self._remove()
            self._until(lambda: not self._there() or None, f"{self.name} is gone")
        except (ClientError, BotoCoreError, psycopg.Error, OSError, LookupError) as fault:
            raise DrillError(f"restore of {self.database}: {told_of(fault)}") from fault
        return Restored(store=self.database, found=found, seconds=seconds, removed=True)

    @property
    def _aurora(self) -> bool:
        return self.physical.database(self.database).mechanism is DatabaseMechanism.AURORA_GLOBAL

    @property
    def _rds(self) -> Any:  # noqa: ANN401 - boto3 makes it at run time
        return self.ports.client("rds", self.region)

    def _ask(self, moment: datetime) -> None:
        own = self.physical.database(self.database).settings
        group = f"{self.physical.prefix}-{self.database}-{self.region}"
        if not self._aurora:
            self._rds.restore_db_instance_to_point_in_time(
                SourceDBInstanceIdentifier=self.physical.instance(self.database, self.region),
                TargetDBInstanceIdentifier=self.name,
                RestoreTime=moment,
                DBInstanceClass=own.instance_class,
                DBSubnetGroupName=group,
                PubliclyAccessible=False,
                DeletionProtection=False,
            )
            return
        made = self._rds.restore_db_cluster_to_point_in_time(
            DBClusterIdentifier=self.name,
            SourceDBClusterIdentifier=self.physical.cluster(self.database, self.region),
            RestoreToTime=moment,
            DBSubnetGroupName=group,
            DeletionProtection=False,
        )["DBCluster"]
        self._rds.create_db_instance(
            DBInstanceIdentifier=f"{self.name}-1",
            DBClusterIdentifier=self.name,
            DBInstanceClass=own.instance_class,
            Engine=made["Engine"],
            PubliclyAccessible=False,
        )

    def _there(self) -> dict[str, Any] | None:
        try:
            if self._aurora:
                found = self._rds.describe_db_clusters(DBClusterIdentifier=self.name)["DBClusters"]
            else:
                found = self._rds.describe_db_instances(DBInstanceIdentifier=self.name)["DBInstances"]
        except ClientError as fault:
            if "NotFound" in str(fault.response.get("Error", {}).get("Code")):
                return None
            raise
        return dict(found[0]) if found else None

    def _instance_status(self) -> str:
        """A cluster's copy is read by way of its instance."""
        name = f"{self.name}-1" if self._aurora else self.name
        instances = self._rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        return str(instances[0]["DBInstanceStatus"])

    def _readable(self) -> frozenset[Order] | None:
        found = self._there()
        if found is None or self._instance_status() != _AVAILABLE:
            return None
        endpoint = found["Endpoint"]
        host, port = (endpoint, found["Port"]) if self._aurora else (endpoint["Address"], endpoint["Port"])
        own = self.physical.database(self.database).settings
        secret = self.ports.client("secretsmanager", self.region).get_secret_value(
            SecretId=self.physical.password(self.database)
        )["SecretString"]
        try:
            with psycopg.connect(
                host=self.ports.resolve(host)[0],
                port=port,
                user=own.username,
                password=secret,
                dbname=own.database,
                connect_timeout=_CONNECT_SECONDS,
                autocommit=True,
            ) as session:
                return orders(session)
        except (psycopg.OperationalError, OSError):
            # It is available, and its server is about to be.
            return None

    def _remove(self) -> None:
        if self._there() is None:
            return
        if self._aurora:
            self._rds.delete_db_instance(DBInstanceIdentifier=f"{self.name}-1", SkipFinalSnapshot=True)
            self._rds.delete_db_cluster(DBClusterIdentifier=self.name, SkipFinalSnapshot=True)
        else:
            self._rds.delete_db_instance(DBInstanceIdentifier=self.name, SkipFinalSnapshot=True)

    def _until(self, look: Callable[[], _Found | None], what: str) -> _Found:
        end = self.ports.clock() + self.deadline
        while True:
            found = look()
            if found is not None:
                return found
            if self.ports.clock() > end:
                raise DrillError(f"{what}: not so within {self.deadline:.0f} s")
            self.ports.wait(None, _LOOK)
