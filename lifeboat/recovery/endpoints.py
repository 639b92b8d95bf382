"""Which instance of a plain database is meant in a region."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifeboat.model.physical import Physical
    from lifeboat.recovery.ports import Client


def plain_instance(rds: Client, physical: Physical, database: str, region: str, *, reader: bool) -> dict[str, Any]:
    """The instance of a plain database that is meant in a region, of those that are there.

    What was restored after the region's declared generations is younger than all of them. So is a replica that a
    rejoin builds beside them, which is read alone: until it is promoted, what writes there is the declared one.

    Args:
        rds: A client of that region.
        physical: The stack's names.
        database: The database's logical name.
        region: Where.
        reader: Reads are enough.

    Raises:
        LookupError: when there is none, or it cannot be connected to yet.
    """
    names = [physical.next_instance(database, region)]
    with contextlib.suppress(LookupError):
        names.append(physical.instance(database, region))
    answer = rds.describe_db_instances(Filters=[{"Name": "db-instance-id", "Values": names}])
    found = {each["DBInstanceIdentifier"]: each for each in answer["DBInstances"]}
    for each in (found[name] for name in names if name in found):
        copies = bool(each.get("ReadReplicaSourceDBInstanceIdentifier"))
        declared = each["DBInstanceIdentifier"] == names[-1]
        if "Endpoint" in each and (reader or not copies or declared):
            return each
    raise LookupError(f"{region}: of the database {database} nothing is there to connect to: {' or '.join(names)}")
