"""Caches that follow moto's model, with links between their regions, and clients of both the API and the data."""

from __future__ import annotations

import functools
import os
import signal
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from lifeboat.sandbox.live.caches import Caches
from lifeboat.sandbox.live.links import Links, Shape
from tests.live.waiting import DEADLINE, until

if TYPE_CHECKING:
    from lifeboat.sandbox.live.effects import Effects
    from tests.live.farm import Farm

EAST, WEST = "us-east-1", "us-west-2"
ACCOUNT = "123456789012"
TOKEN = "a token of twenty-four \"'\\"
KEYS = {EAST: "us-east-1/cache/sessions", WEST: "us-west-2/cache/sessions"}
CUT = Shape(cut=True)

Client: TypeAlias = Any
"""A boto3 client: its methods are made at run time."""
Request: TypeAlias = Any
"""An argument of a boto3 call."""


@functools.cache
def api(region: str) -> Client:
    return boto3.client("elasticache", region, aws_access_key_id="key", aws_secret_access_key="secret")


class World:
    """A network, links, and caches that follow moto's model."""

    def __init__(self, land: Farm, links: Links) -> None:
        self.land = land
        self.links = links
        self.made: list[Caches] = []
        self.clients: list[redis.Redis] = []

    def live(self, effects: Effects) -> Caches:
        land = self.land
        caches = Caches(land.directory, ACCOUNT, land.network, land.processes, land.account, effects, self.links)
        caches.start()
        self.made.append(caches)
        return caches

    @property
    def caches(self) -> Caches:
        return self.made[-1]

    def api(self, region: str) -> Client:
        return api(region)

    def create(self, region: str = EAST, **more: Request) -> None:
        wanted: dict[str, Any] = {
            "ReplicationGroupId": "sessions",
            "ReplicationGroupDescription": "sessions",
            "NumCacheClusters": 2,
            "AutomaticFailoverEnabled": True,
            "AuthToken": TOKEN,
        }
        if "GlobalReplicationGroupId" not in more:
            wanted |= {"Engine": "redis", "EngineVersion": "7.1", "CacheNodeType": "cache.r7g.large"}
        wanted = {name: value for name, value in {**wanted, **more}.items() if value is not None}
        self.api(region).create_replication_group(**wanted)
        self.caches.settle(DEADLINE)

    def pair(self) -> str:
        """A global datastore whose secondary is in step with its primary."""
        self.create(EAST)
        made = self.api(EAST).create_global_replication_group(
            GlobalReplicationGroupIdSuffix="sessions", PrimaryReplicationGroupId="sessions"
        )
        identifier = str(made["GlobalReplicationGroup"]["GlobalReplicationGroupId"])
        self.create(WEST, GlobalReplicationGroupId=identifier)
        until(lambda: self.caches.lag(KEYS[WEST]) == 0)
        return identifier

    def fail_over(self, identifier: str, region: str) -> None:
        self.api(region).failover_global_replication_group(
            GlobalReplicationGroupId=identifier, PrimaryRegion=region, PrimaryReplicationGroupId="sessions"
        )
        self.caches.notify()

    def datastore(self, identifier: str) -> dict[str, Any]:
        found = self.api(WEST).describe_global_replication_groups(GlobalReplicationGroupId=identifier)
        return found["GlobalReplicationGroups"][0]

    def row(self, region: str) -> dict[str, Any]:
        return next((row for row in self.caches.status() if row["region"] == region), {"state": "none"})

    def kill(self, region: str) -> None:
        """End a server from outside; when this returns it is gone."""
        pid = self.row(region)["pid"]
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.row(region)["pid"] != pid)

    def endpoint(self, region: str, kind: str = "PrimaryEndpoint") -> str:
        found = self.api(region).describe_replication_groups(ReplicationGroupId="sessions")
        return str(found["ReplicationGroups"][0]["NodeGroups"][0][kind]["Address"])

    def client(self, region: str, token: str | None = TOKEN, kind: str = "PrimaryEndpoint") -> redis.Redis:
        """A client that tries once."""
        address = self.caches.names[self.endpoint(region, kind)]
        made = redis.Redis(
            host=address, password=token, decode_responses=True, socket_timeout=5, retry=Retry(NoBackoff(), 0)
        )
        self.clients.append(made)
        return made

    def shape(self, shape: Shape) -> None:
        self.links.shape(EAST, WEST, shape)
        self.links.shape(WEST, EAST, shape)
