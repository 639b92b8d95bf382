"""Which instance of a plain database is meant in a region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifeboat.model.physical import Physical
    from lifeboat.recovery.ports import Client


def plain_instance(rds: Client, physical: Physical, database: str, region: str, *, reader: bool) -> dict[str, Any]:
    """The instance of a plain database that is meant in a region, of those that are there.

    What was restored after the region's declared generations is younger than all of them. So is a replica that a
    rejoin builds beside them, declared or not, which is read alone: until it is promoted, what writes there is an older
    one.

    Args:
        rds: A client of that region.
        physical: The stack's names.
        database: The database's logical name.
        region: Where.
        reader: Reads are enough.

    Raises:
        LookupError: when there is none, or it cannot be connected to yet.
    """
    declared = physical.generations(database, region)
    names = [physical.next_instance(database, region), *declared]
    answer = rds.describe_db_instances(Filters=[{"Name": "db-instance-id", "Values": names}])
    found = {each["DBInstanceIdentifier"]: each for each in answer["DBInstances"] if "Endpoint" in each}
    there = [found[name] for name in names if name in found]
    writers = [each for each in there if not each.get("ReadReplicaSourceDBInstanceIdentifier")]
    # Where nothing writes, a declared one is what will.
    copies = [each for each in there if each["DBInstanceIdentifier"] in declared]
    meant = there if reader else [*writers, *copies]
    if not meant:
        raise LookupError(f"{region}: of the database {database} nothing is there to connect to: {' or '.join(names)}")
    return meant[0]
