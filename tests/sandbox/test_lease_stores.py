"""The lease's stores against the sandbox's APIs: conditional writes, replicas that are lost, the stand-in.

Multi-region strong consistency cannot be shown here: every "replica" is one table (docs/fidelity.md).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from lifeboat.recovery.lease import LeaseWatch
from lifeboat.recovery.lease_object import Bucket, ObjectStore
from lifeboat.recovery.lease_record import LeaseRecord
from lifeboat.recovery.lease_store import Absent, Conflict, LeaseStore, Unreachable, change
from lifeboat.recovery.lease_table import TableStore
from lifeboat.recovery.ports import Pace

if TYPE_CHECKING:
    from lifeboat.sandbox.state import Record
    from tests.sandbox.conftest import Client, Clients

EAST, WEST, WITNESS = "us-east-1", "us-west-2", "us-east-2"
TABLE = "shop-test-lease"
FIRST = LeaseRecord.first(EAST, 60)


class Net:
    """Clients by region; some regions do not answer, or answer too late."""

    def __init__(self, clients: dict[str, Client]) -> None:
        self.clients = clients
        self.lost: set[str] = set()
        self.late: set[str] = set()
        self.busy: dict[str, int] = {}
        """How many of the next calls fail by themselves, by region; each did what it was asked to."""

    def __call__(self, region: str) -> Client:
        if region in self.lost:
            raise ConnectTimeoutError(endpoint_url=f"https://{region}")
        if self.busy.get(region):
            return Busy(self, region)
        return Late(self.clients[region]) if region in self.late else self.clients[region]


class Late:
    """Does what it is asked to, and its answer is lost."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Client:
        def call(**arguments: object) -> None:
            getattr(self._client, name)(**arguments)
            raise ReadTimeoutError(endpoint_url="https://late")

        return call


class Busy:
    """Does what it is asked to, and says that it failed."""

    def __init__(self, net: Net, region: str) -> None:
        self._net = net
        self._region = region

    def __getattr__(self, name: str) -> Client:
        def call(**arguments: object) -> object:
            answer = getattr(self._net.clients[self._region], name)(**arguments)
            if not self._net.busy[self._region]:
                return answer
            self._net.busy[self._region] -= 1
            raise ClientError(
                {"Error": {"Code": "InternalServerError"}, "ResponseMetadata": {"HTTPStatusCode": 500}}, name
            )

        return call


@pytest.fixture
def table_net(clean_gateway: Record, clients: Clients) -> Net:
    assert clean_gateway
    one = clients("dynamodb", EAST)
    one.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return Net({EAST: one, WEST: one})


@pytest.fixture
def bucket_net(clean_gateway: Record, clients: Clients) -> Net:
    assert clean_gateway
    made = {region: clients("s3", region) for region in (EAST, WEST, WITNESS)}
    for region, client in made.items():
        where = {} if region == EAST else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        client.create_bucket(Bucket=f"shop-test-lease-{region}", **where)
    return Net(made)


def table(net: Net) -> TableStore:
    return TableStore(net, table=TABLE, regions=(EAST, WEST), viewers=(EAST, WEST, WITNESS))


def buckets(net: Net) -> ObjectStore:
    made = {region: Bucket(region=region, name=f"shop-test-lease-{region}") for region in (EAST, WEST, WITNESS)}
    return ObjectStore(net, witness=made[WITNESS], sites=(made[EAST], made[WEST]), viewers=(EAST, WEST, WITNESS))


@pytest.fixture(params=["table", "object"])
def store(request: pytest.FixtureRequest) -> TableStore | ObjectStore:
    kind: str = request.param
    return (
        table(request.getfixturevalue("table_net"))
        if kind == "table"
        else buckets(request.getfixturevalue("bucket_net"))
    )


def test_what_is_written_is_read(store: TableStore | ObjectStore) -> None:
    with pytest.raises(Absent, match="no lease"):
        store.read()
    store.create(FIRST)
    with pytest.raises(Conflict):
        store.create(FIRST)
    seen = store.read()
    assert (seen.version, seen.record) == (1, FIRST)
    wanted = FIRST.hold_by("ops", "a drill").fence(WEST)
    written = store.replace(seen, wanted)
    assert (store.read().version, store.read().record) == (2, wanted)
    assert store.replace(written, wanted.release()).version == 3


def test_of_two_writers_that_read_the_same_one_wins(store: TableStore | ObjectStore) -> None:
    store.create(FIRST)
    seen = store.read()
    start, won, lost = threading.Barrier(6), [], []

    def write(number: int) -> None:
        start.wait(10)
        try:
            store.replace(seen, seen.record.renew(EAST, 1, owner=f"w{number}", ttl=60))
            won.append(f"w{number}")
        except Conflict:
            lost.append(f"w{number}")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(won) == 1
    assert len(lost) == 5
    assert store.read().record.owner == won[0]


def test_changes_of_many_are_all_made(store: LeaseStore) -> None:
    store.create(FIRST)
    sites = [f"site-{number}" for number in range(4)]
    threads = [
        threading.Thread(target=change, args=(store, lambda record, site=site: record.fence(site))) for site in sites
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert store.read().record.fenced == set(sites)


def test_views_are_kept_by_region(store: TableStore | ObjectStore) -> None:
    assert store.views() == {}
    store.publish(EAST, "one")
    store.publish(WITNESS, "two")
    store.publish(EAST, "three")
    assert store.views() == {EAST: "three", WITNESS: "two"}


def test_another_replica_answers_for_one_that_is_lost(table_net: Net) -> None:
    store = table(table_net)
    seen = store.create(FIRST)
    table_net.lost = {EAST}
    assert store.read().record == FIRST
    store.replace(seen, FIRST.fence(WEST))
    table_net.lost = {EAST, WEST}
    with pytest.raises(Unreachable, match=f"{WEST}: .*{EAST}: "):
        store.read()


@pytest.mark.parametrize("kind", ["table", "object"])
def test_who_fails_by_itself_is_asked_again_and_a_write_is_made_once(kind: str, request: pytest.FixtureRequest) -> None:
    net: Net = request.getfixturevalue(f"{'table' if kind == 'table' else 'bucket'}_net")
    store = table(net) if kind == "table" else buckets(net)
    busy, lost = (EAST, WEST) if kind == "table" else (WITNESS, EAST)
    seen = store.create(FIRST)
    # Nobody else could answer instead.
    net.lost = {lost}
    net.busy = {busy: 2}
    assert store.read().record == FIRST
    net.busy = {busy: 2}
    wanted = FIRST.hold_by("ops", "a drill")
    written = store.replace(seen, wanted)
    assert net.busy == {busy: 0}
    assert (written.version, store.read().record) == (2, wanted)
    # Somebody else's is not taken for one's own.
    store.replace(written, wanted.release())
    net.busy = {busy: 1}
    with pytest.raises(Conflict):
        store.replace(written, wanted.hold_by("others", "theirs"))


def test_a_write_whose_answer_was_lost_is_recognised_at_another_replica(table_net: Net) -> None:
    store = table(table_net)
    seen = store.create(FIRST)
    table_net.late = {EAST}
    written = store.replace(seen, FIRST.fence(WEST))
    assert (written.version, store.read().version) == (2, 2)
    # Somebody else's is not taken for one's own.
    with pytest.raises(Conflict):
        store.replace(seen, FIRST.fence(EAST))


def renew(store: ObjectStore) -> None:
    seen = store.read_to_renew(EAST)
    store.replace(seen, seen.record.renew(EAST, seen.record.epoch, owner="warden", ttl=60))


def test_losing_the_witness_the_holder_renews_by_its_stand_in_and_nobody_takes(bucket_net: Net) -> None:
    store = buckets(bucket_net)
    store.create(FIRST)
    renew(store)
    bucket_net.lost = {WITNESS}
    renew(store)
    before = store.read_to_renew(EAST).aside
    renew(store)
    aside = store.read_to_renew(EAST)
    assert aside.aside != before
    with pytest.raises(Unreachable, match="renewed, not changed"):
        store.replace(aside, aside.record.take(WEST, 1))
    with pytest.raises(Unreachable, match=f"{WEST} has no open stand-in"):
        store.read_to_renew(WEST)
    bucket_net.lost = set()
    assert store.read().aside == aside.aside
    bucket_net.lost = {WITNESS, WEST}
    with pytest.raises(Unreachable):
        renew(store)


def test_a_take_closes_the_stand_in_and_what_was_renewed_meanwhile_refuses_it(bucket_net: Net) -> None:
    store = buckets(bucket_net)
    store.create(FIRST)
    renew(store)
    seen = store.read()
    bucket_net.lost = {WITNESS}
    renew(store)
    aside = store.read_to_renew(EAST)
    bucket_net.lost = set()
    with pytest.raises(Conflict, match="renewed the stand-in"):
        store.replace(seen, seen.record.take(WEST, 1))
    seen = store.read()
    assert store.replace(seen, seen.record.take(WEST, 1)).record.holder == WEST
    # The old holder, cut off from the witness, is not even told that there is a lease to renew.
    bucket_net.lost = {WITNESS}
    with pytest.raises(Unreachable, match="no open stand-in"):
        store.read_to_renew(EAST)
    with pytest.raises(Conflict):
        store.replace(aside, aside.record.renew(EAST, 1, owner="warden", ttl=60))


def test_a_take_that_failed_leaves_the_stand_in_to_be_opened_by_the_next_renewal(bucket_net: Net) -> None:
    store = buckets(bucket_net)
    store.create(FIRST)
    renew(store)
    seen = store.read()
    renewed = store.replace(seen, seen.record.renew(EAST, 1, owner="warden", ttl=60))
    with pytest.raises(Conflict):
        store.replace(seen, seen.record.take(WEST, 1))
    assert store.read().record == renewed.record
    renew(store)
    bucket_net.lost = {WITNESS}
    renew(store)


def test_no_take_without_the_target(bucket_net: Net) -> None:
    store = buckets(bucket_net)
    store.create(FIRST)
    seen = store.read()
    bucket_net.lost = {WEST}
    renew(store)
    with pytest.raises(Unreachable):
        store.replace(store.read(), seen.record.take(WEST, 1))
    # A fence is a word to the holder, and needs no more than the witness.
    change(store, lambda record: record.fence(EAST))


def test_a_stand_in_is_nobodys_word_but_its_holders(bucket_net: Net) -> None:
    store = buckets(bucket_net)
    store.create(FIRST)
    renew(store)
    # The stand-in is as old as its opening, and knows of neither.
    change(store, lambda record: record.hold_by("ops", "a drill").fence(WEST))
    bucket_net.lost = {WITNESS}
    with pytest.raises(Unreachable):
        store.read()
    with pytest.raises(Unreachable):
        change(store, lambda record: record.release())


def test_a_place_that_did_not_answer_once_is_no_sign_of_life(bucket_net: Net) -> None:
    store, now = buckets(bucket_net), 0.0
    store.create(FIRST)
    renew(store)
    watch = LeaseWatch(margin=5, pace=Pace(), clock=lambda: now)
    watch.look(store)
    now = 40.0
    bucket_net.lost = {WITNESS}
    with pytest.raises(Unreachable):
        watch.look(store)
    bucket_net.lost = {WEST}
    watch.look(store)
    bucket_net.lost = set()
    now = 50.0
    watch.look(store)
    assert watch.remaining == 15
    # Where the holder may be renewing out of sight its time is not over.
    now = 66.0
    bucket_net.lost = {WEST}
    watch.look(store)
    assert not watch.expired
    bucket_net.lost = set()
    watch.look(store)
    assert watch.expired


def test_that_a_holder_stopped_is_not_said_before_its_stand_in_is_closed(bucket_net: Net) -> None:
    store = buckets(bucket_net)
    store.create(FIRST)
    renew(store)
    bucket_net.lost = {WEST}
    change(store, lambda record: record.fence(EAST))
    with pytest.raises(Unreachable):
        change(store, lambda record: record.stop(EAST))
    assert not store.read().record.has_stopped
    bucket_net.lost = set()
    change(store, lambda record: record.stop(EAST))
    assert store.read().record.has_stopped
    # A warden that starts anew, and has lost its gate's file too, does not get to renew by it.
    bucket_net.lost = {WITNESS}
    with pytest.raises(Unreachable):
        store.read_to_renew(EAST)
