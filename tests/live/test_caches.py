"""Caches as their clients see them: boto3 for the API, the stock Redis client for the data."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
from botocore.exceptions import ClientError
from moto import mock_aws

from lifeboat.sandbox.live.effects import Effects
from lifeboat.sandbox.live.links import UNSHAPED, Links
from lifeboat.sandbox.state import SandboxError
from tests.live.cacheworld import CUT, EAST, KEYS, TOKEN, WEST, World
from tests.live.farm import Farm, farm, patch_moto
from tests.live.waiting import DEADLINE, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def land() -> Iterator[tuple[Farm, Links]]:
    patch_moto()
    with farm() as made:
        links = Links(made.directory, made.network, made.processes)
        links.start()
        yield made, links
        links.stop()


@pytest.fixture
def world(land: tuple[Farm, Links]) -> Iterator[World]:
    """Effects take no time, unless a test makes it live anew."""
    with mock_aws():
        made = World(*land)
        made.live(Effects(1, "instant"))
        yield made
        made.shape(UNSHAPED)
        for client in made.clients:
            client.close()
        for caches in made.made:
            caches.close()
    # Without a model, nothing is wanted.
    with mock_aws():
        made.caches.reconcile()


def answered(client: redis.Redis, key: str) -> Callable[[], bool]:
    """Whether a key has a value, for a server that may not answer yet."""

    def found() -> bool:
        try:
            return client.get(key) is not None
        except redis.RedisError:
            return False

    return found


def listens(client: redis.Redis) -> bool:
    """Whether a server answers, whatever it has; one that loads its data does not so far."""
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def test_a_key_written_at_home_is_read_in_the_other_region(world: World) -> None:
    world.pair()
    world.client(EAST).set("order", "42")
    for kind in ("PrimaryEndpoint", "ReaderEndpoint"):
        there = world.client(WEST, kind=kind)
        until(answered(there, "order"))
        assert there.get("order") == "42"
        with pytest.raises(redis.ReadOnlyError):
            there.set("order", "43")


def test_a_thousand_keys_survive_the_promotion(world: World) -> None:
    identifier = world.pair()
    wanted = {f"order-{number}": str(number) for number in range(1000)}
    world.client(EAST).mset(wanted)
    until(lambda: world.client(WEST).dbsize() == 1000)
    world.fail_over(identifier, WEST)
    world.caches.settle(DEADLINE)
    assert world.datastore(identifier)["Status"] == "available"
    west, east = world.client(WEST), world.client(EAST)
    assert west.mget(list(wanted)) == list(wanted.values())
    west.set("after", "1")
    until(answered(east, "after"))
    with pytest.raises(redis.ReadOnlyError):
        east.set("order-0", "x")
    assert [world.row(region)["role"] for region in (EAST, WEST)] == ["replica", "primary"]


def test_until_the_promotion_is_done_the_old_roles_hold(world: World) -> None:
    world.caches.close()
    world.live(Effects(1, 1))
    identifier = world.pair()
    world.fail_over(identifier, WEST)
    assert world.datastore(identifier)["Status"] == "modifying"
    world.caches.reconcile()
    world.client(EAST).set("order", "42")
    with pytest.raises(redis.ReadOnlyError):
        world.client(WEST).set("order", "43")
    with pytest.raises(ClientError, match="is being modified"):
        world.fail_over(identifier, EAST)


def test_a_lost_region_follows_when_it_lives_again(world: World) -> None:
    identifier = world.pair()
    world.client(EAST).set("before", "1")
    until(answered(world.client(WEST), "before"))
    world.caches.hold(KEYS[EAST])
    with pytest.raises(redis.ConnectionError):
        world.client(EAST).ping()
    world.fail_over(identifier, WEST)
    until(lambda: world.row(WEST)["role"] == "primary")
    world.client(WEST).set("meanwhile", "1")
    assert world.row(EAST)["state"] == "held"
    world.caches.release(KEYS[EAST])
    until(lambda: world.row(EAST)["state"] == "running")
    until(answered(world.client(EAST), "meanwhile"))
    assert world.client(EAST).get("before") == "1"
    with pytest.raises(redis.ReadOnlyError):
        world.client(EAST).set("order", "1")


def test_a_primary_that_is_cut_off_from_its_successor_takes_writes_and_loses_them(world: World) -> None:
    identifier = world.pair()
    world.shape(CUT)
    world.fail_over(identifier, WEST)
    until(lambda: world.row(WEST)["role"] == "primary")
    world.caches.reconcile()
    world.client(EAST).set("order", "of the old side")
    world.client(WEST).set("order", "of the new side")
    world.shape(UNSHAPED)
    until(lambda: world.client(EAST).get("order") == "of the new side")


def test_a_link_that_is_cut_grows_the_lag_and_heals(world: World) -> None:
    world.pair()
    east, west = world.client(EAST), world.client(WEST)
    world.shape(CUT)
    east.set("order", "42")
    until(lambda: (world.caches.lag(KEYS[WEST]) or 0) > 1)
    assert west.get("order") is None
    world.shape(UNSHAPED)
    until(answered(west, "order"))
    until(lambda: world.caches.lag(KEYS[WEST]) == 0)


def test_a_heartbeat_leaves_no_key(world: World) -> None:
    world.pair()
    world.caches.lag(KEYS[WEST])
    assert world.client(EAST).dbsize() == 0


@pytest.mark.parametrize("region", [EAST, WEST])
def test_a_lag_that_cannot_be_told_is_none(world: World, region: str) -> None:
    world.pair()
    world.caches.freeze(KEYS[region])
    assert world.row(region)["state"] == "frozen"
    assert world.caches.lag(KEYS[WEST]) is None
    world.caches.thaw(KEYS[region])
    until(lambda: world.caches.lag(KEYS[WEST]) == 0)


@pytest.mark.parametrize("token", [None, "a token of somebody else"])
def test_without_its_token_a_client_is_refused(world: World, token: str | None) -> None:
    world.create()
    with pytest.raises(redis.AuthenticationError):
        world.client(EAST, token).get("order")


def test_without_a_token_anybody_is_served(world: World) -> None:
    world.create(AuthToken=None)
    assert world.client(EAST, None).set("order", "42")


def test_a_token_is_rotated_then_set(world: World) -> None:
    world.create()
    new = "another token of sixteen"
    for strategy, old_serves in (("ROTATE", True), ("SET", False)):
        world.api(EAST).modify_replication_group(
            ReplicationGroupId="sessions", AuthToken=new, AuthTokenUpdateStrategy=strategy, ApplyImmediately=True
        )
        world.caches.reconcile()
        assert world.client(EAST, new).ping()
        if old_serves:
            assert world.client(EAST).ping()
        else:
            with pytest.raises(redis.AuthenticationError):
                world.client(EAST).ping()


@pytest.mark.parametrize(
    "command", ["CONFIG GET *", "REPLICAOF NO ONE", "SHUTDOWN", "ACL LIST", "SAVE", "DEBUG SLEEP 0"]
)
def test_what_manages_a_server_is_refused(world: World, command: str) -> None:
    world.create()
    with pytest.raises(redis.exceptions.NoPermissionError):
        world.client(EAST).execute_command(*command.split())


def test_a_killed_server_is_back_with_its_data(world: World) -> None:
    world.create()
    world.client(EAST).set("order", "42")
    first = world.row(EAST)["pid"]
    world.kill(EAST)
    until(lambda: world.row(EAST)["pid"] not in {first, None})
    # It has a process before it listens.
    until(lambda: listens(world.client(EAST)))
    assert world.client(EAST).get("order") == "42"


def test_a_killed_server_is_down_for_as_long_as_a_node_is_replaced(world: World) -> None:
    world.caches.close()
    world.live(Effects(1, 1))
    world.create()
    world.kill(EAST)
    world.caches.reconcile()
    assert world.row(EAST)["state"] == "down"


@pytest.mark.parametrize(("appends", "kept"), [(False, None), (True, "42")])
def test_a_group_of_one_node_keeps_what_its_parameters_keep(world: World, appends: bool, kept: str | None) -> None:
    api = world.api(EAST)
    api.create_cache_parameter_group(
        CacheParameterGroupName="tuned", CacheParameterGroupFamily="redis2.6", Description="tuned"
    )
    chosen = {"maxmemory-policy": "allkeys-lru", **({"appendonly": "yes"} if appends else {})}
    api.modify_cache_parameter_group(
        CacheParameterGroupName="tuned",
        ParameterNameValues=[{"ParameterName": name, "ParameterValue": value} for name, value in chosen.items()],
    )
    world.create(NumCacheClusters=1, AutomaticFailoverEnabled=False, CacheParameterGroupName="tuned")
    assert world.client(EAST).info("memory")["maxmemory_policy"] == "allkeys-lru"
    world.client(EAST).set("order", "42")
    first = world.row(EAST)["pid"]
    world.kill(EAST)
    until(lambda: world.row(EAST)["pid"] not in {first, None})
    # It has a process before it listens.
    until(lambda: listens(world.client(EAST)))
    assert world.client(EAST).get("order") == kept


def test_deletion_leaves_no_process_no_data_and_no_name(world: World) -> None:
    world.create()
    pid = world.row(EAST)["pid"]
    data = world.land.directory / "data" / "cache" / EAST / "sessions"
    assert data.is_dir()
    world.api(EAST).delete_replication_group(ReplicationGroupId="sessions")
    world.caches.notify()
    world.caches.settle(DEADLINE)
    assert not Path(f"/proc/{pid}").exists()
    assert not data.exists()
    assert world.caches.names == {}


def test_a_group_made_anew_under_its_name_is_empty(world: World) -> None:
    world.create()
    world.client(EAST).set("order", "42")
    world.api(EAST).delete_replication_group(ReplicationGroupId="sessions")
    world.create()
    world.caches.reconcile()
    assert world.client(EAST).dbsize() == 0


def test_a_secondary_that_leaves_takes_writes(world: World) -> None:
    identifier = world.pair()
    world.api(EAST).disassociate_global_replication_group(
        GlobalReplicationGroupId=identifier, ReplicationGroupId="sessions", ReplicationGroupRegion=WEST
    )
    world.caches.reconcile()
    assert world.client(WEST).set("order", "42")


def test_the_next_life_finds_the_data(world: World) -> None:
    world.create()
    world.client(EAST).set("order", "42")
    world.caches.close()
    assert world.row(EAST)["pid"] is None
    world.live(Effects(1, "instant"))
    world.caches.settle(DEADLINE)
    assert world.client(EAST).get("order") == "42"


def test_secrets_are_in_closed_files_only(world: World) -> None:
    world.pair()
    for region in (EAST, WEST):
        arguments = Path(f"/proc/{world.row(region)['pid']}/cmdline").read_text()
        log = world.land.processes.log(f"cache-{region}-sessions").read_text()
        settings = world.land.directory / "data" / "cache" / region / "sessions" / "redis.conf"
        assert stat.S_IMODE(settings.stat().st_mode) == 0o600
        for text in (arguments, log, str(world.caches.status())):
            assert TOKEN not in text
            assert (world.land.directory / "cache-secret").read_text() not in text


def test_every_host_name_of_the_api_leads_to_the_region_s_server(world: World) -> None:
    world.create()
    group = world.api(EAST).describe_replication_groups(ReplicationGroupId="sessions")["ReplicationGroups"][0]
    members = group["NodeGroups"][0]["NodeGroupMembers"]
    expected = {world.endpoint(EAST), world.endpoint(EAST, "ReaderEndpoint")}
    expected |= {member["ReadEndpoint"]["Address"] for member in members}
    assert set(world.caches.names) == expected
    assert set(world.caches.names.values()) == {world.row(EAST)["address"]}


def test_what_metrics_and_faults_ask_for(world: World) -> None:
    world.pair()
    (replica,) = world.caches.replicas()
    assert (replica.key, replica.region, replica.identifier) == (KEYS[WEST], WEST, "sessions")
    assert replica.lag() == 0
    assert world.caches.keys(WEST) == [KEYS[WEST]]
    assert world.row(WEST)["source"] == KEYS[EAST]


def test_what_is_not_ready_is_named(world: World) -> None:
    world.create()
    world.caches.hold(KEYS[EAST])
    with pytest.raises(SandboxError, match=r"not ready after 0\.\d+ s: us-east-1/cache/sessions \(held\)"):
        world.caches.settle(0.01)


def test_an_unknown_server_is_named(world: World) -> None:
    with pytest.raises(SandboxError, match="no cache us-east-1/cache/x; there are: none"):
        world.caches.hold("us-east-1/cache/x")


def test_a_fault_is_cleared_although_its_server_is_gone_for_good(world: World) -> None:
    world.create()
    world.caches.hold(KEYS[EAST])
    world.caches.hold(KEYS[EAST])
    world.api(EAST).delete_replication_group(ReplicationGroupId="sessions")
    world.caches.settle(DEADLINE)
    world.caches.release(KEYS[EAST])
    world.caches.thaw(KEYS[EAST])
    assert world.caches.lag(KEYS[EAST]) is None
