"""What is there at the end: every number that the stores of one region hold, read as any client would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.recovery.drill.workload import CLIENTS
from lifeboat.recovery.drill.writer import prefix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.physical import Physical
    from lifeboat.recovery.drill.measure import Order
    from lifeboat.recovery.drill.workload import Stores
    from lifeboat.recovery.ports import Ports, SqlConnection

_ORDERS = "SELECT client, number FROM orders WHERE client = ANY(%s)"


def found(ports: Ports, physical: Physical, stores: Stores, region: str) -> dict[str, frozenset[Order]]:
    """Everything that the workload wrote and a region has, by the stores' labels.

    Raises:
        psycopg.Error: when the database does not answer.
        redis.RedisError: when the cache does not.
        BotoCoreError, ClientError: when the API does not.
    """
    labels = stores.labels
    there: dict[str, frozenset[Order]] = {}
    if stores.database is not None:
        with ports.sql(region, stores.database) as session:
            there[labels["database"]] = orders(session)
    if stores.cache is not None:
        with ports.redis(region, stores.cache) as cache:
            keys = (key.decode() for name in CLIENTS for key in cache.scan_iter(match=f"{prefix(name)}*", count=1000))
            there[labels["cache"]] = frozenset(_numbered(keys))
    if stores.objects is not None:
        pages = ports.client("s3", region).get_paginator("list_objects_v2")
        bucket = physical.bucket(stores.objects, region)
        keys = (
            each["Key"]
            for name in CLIENTS
            for page in pages.paginate(Bucket=bucket, Prefix=prefix(name))
            for each in page.get("Contents", ())
        )
        there[labels["objects"]] = frozenset(_numbered(keys))
    return there


def orders(session: SqlConnection) -> frozenset[Order]:
    """Every order of the workload's clients that a database has."""
    rows = session.execute(_ORDERS, (list(CLIENTS),)).fetchall()
    return frozenset((str(client), int(number)) for client, number in rows)


def _numbered(keys: Iterable[str]) -> Iterable[Order]:
    for key in keys:
        _, client, number = key.split("/")
        yield client, int(number)
