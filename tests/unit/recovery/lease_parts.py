"""What the simulated world is made of: a network, stores behind it, gates and sites."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ReadTimeoutError

from lifeboat.recovery.fence import FenceError
from lifeboat.recovery.gatefile import NO_EPOCH, GateState
from lifeboat.recovery.lease_object import LEASE_KEY
from lifeboat.recovery.lease_record import LeaseRecord, load
from lifeboat.recovery.lease_store import DEADLINE, Absent, Conflict, Unreachable, Versioned
from lifeboat.recovery.ports import Pace
from tests.unit.recovery.lease_simulation import CURRENT, Machine, World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.unit.recovery.lease_world import City

EAST, WEST, WITNESS = "us-east-1", "us-west-2", "us-east-2"
SITES = (EAST, WEST)
REGIONS = (EAST, WEST, WITNESS)
STORE = "store"
TTL, MARGIN, CONFIRM_FOR = 60.0, 5.0, 20.0
DRIFT = 0.02
"""At most; the margin covers two clocks that are wrong by this over `TTL`, and `RESIDUAL`."""
RESIDUAL = 2.0
"""Seconds from a site's last look at its gate to the commit, at most: then the database ends the transaction."""
PACE = Pace()


class Network:
    """Ways between regions and to the store; each message takes its time, some for long."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.cut: dict[frozenset[str], float] = {}

    def reaches(self, source: str, target: str) -> bool:
        return source == target or self.cut.get(frozenset((source, target)), 0.0) <= self._world.now

    def ask(self, source: str, target: str, act: Callable[[], object]):  # noqa: ANN201 - what `act` answers
        """Have something done elsewhere; Unreachable without an answer in time, whether or not it was done."""
        there, back = self.delay(), self.delay()
        box: list[object] = []

        def arrive() -> None:
            try:
                box.append(act())
            except (Conflict, ClientError) as fault:
                box.append(fault)

        if self.reaches(source, target):
            # It arrives, and is made, whether or not anybody still waits for the answer.
            self._world.at(self._world.now + there, arrive)
        CURRENT.task.wait(min(there + back, DEADLINE))
        if not box or there + back > DEADLINE or not self.reaches(source, target):
            raise Unreachable("no answer")
        if isinstance(box[0], Exception):
            raise box[0]
        return box[0]

    def delay(self) -> float:
        late = self._world.random.random() < 0.01
        return self._world.random.uniform(0.5, 40.0) if late else self._world.random.uniform(0.001, 0.08)


class SimStore:
    """A register behind the network, as one region reaches it."""

    def __init__(self, city: City, region: str) -> None:
        self._city = city
        self._region = region

    def read(self) -> Versioned:
        found = self._call(lambda: self._city.kept)
        if found is None:
            raise Absent("no lease")
        return found

    def read_to_renew(self, site: str) -> Versioned:
        assert site
        return self.read()

    def create(self, record: LeaseRecord) -> Versioned:
        return self._call(lambda: self._write(None, record))

    def replace(self, seen: Versioned, record: LeaseRecord) -> Versioned:
        return self._call(lambda: self._write(seen, record))

    def publish(self, region: str, text: str) -> None:
        self._call(lambda: self._city.views.update({region: text}))

    def views(self) -> Mapping[str, str]:
        return self._call(lambda: dict(self._city.views))

    def _write(self, seen: Versioned | None, record: LeaseRecord) -> Versioned:
        version = seen.version if seen else 0
        if (self._city.kept.version if self._city.kept else 0) != version:
            raise Conflict("changed")
        return self._city.note(Versioned(version=version + 1, record=record))

    def _call(self, act: Callable[[], object]):  # noqa: ANN202 - what `act` answers
        city, task = self._city, CURRENT.task
        task.machine.stall()
        answer = city.network.ask(self._region, STORE, act)
        task.machine.stall()
        return answer


class SimS3:
    """A bucket's API as one region reaches it: just what the lease's store asks of it."""

    def __init__(self, city: City, source: str, region: str) -> None:
        self._city = city
        self._source = source
        self._region = region

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        def act() -> dict[str, Any]:
            found = self._city.objects.get((Bucket, Key))
            if found is None:
                raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
            return {"Body": io.BytesIO(found[0]), "ETag": found[1]}

        return self._ask(act)

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str, **given: str) -> dict[str, Any]:  # noqa: N803
        assert ContentType

        def act() -> dict[str, Any]:
            found = self._city.objects.get((Bucket, Key))
            if "IfNoneMatch" in given and found is not None:
                raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
            if "IfMatch" in given and (found is None or found[1] != given["IfMatch"]):
                raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
            # As S3 has it: the same content has the same tag.
            etag = hashlib.sha256(Body).hexdigest()
            self._city.objects[Bucket, Key] = (Body, etag)
            if Key == LEASE_KEY:
                text = json.loads(Body)
                self._city.note(Versioned(version=text["version"], record=load(text["record"])))
            return {"ETag": etag}

        return self._ask(act)

    def _ask(self, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        CURRENT.task.machine.stall()
        try:
            answer = self._city.network.ask(self._source, self._region, act)
        except Unreachable:
            raise ReadTimeoutError(endpoint_url=self._region) from None
        CURRENT.task.machine.stall()
        return answer


class SimGate:
    """A gate's file: it outlives its writer, and shuts by itself."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._state = GateState(open=False, epoch=NO_EPOCH)

    def state(self) -> GateState:
        state = self._state
        if state.open and self._machine.clock() >= state.until:
            return GateState(open=False, epoch=state.epoch, reason="time is over")
        return state

    @property
    def promised(self) -> float:
        """Clients here look at the gate themselves."""
        return 0.0

    def open(self, epoch: int, until: float) -> None:
        self._machine.stall()
        self._state = GateState(open=True, epoch=epoch, until=until)

    def shut(self, epoch: int, reason: str, *, fenced: bool) -> None:
        self._machine.stall()
        self._state = GateState(open=False, epoch=epoch, reason=reason, fenced=fenced)


@dataclass
class Site:
    """A region's service and its database."""

    region: str
    machine: Machine
    host: Machine
    """What the service runs on: stands still apart from the warden's, has the same clock."""
    gate: SimGate
    up: bool = True
    writable: bool = False
    read_only: bool = False
    sessions: int = 0
    """Counts up when the database ends every session."""

    def fence(self) -> None:
        CURRENT.task.wait(self.machine.world.random.uniform(0.05, 1.5))
        if not self.up or self.machine.world.random.random() < 0.1:
            raise FenceError("no answer")
        if self.writable:
            self.read_only = True
            self.sessions += 1

    def lift(self) -> None:
        CURRENT.task.wait(self.machine.world.random.uniform(0.05, 1.5))
        if not self.up or not self.writable:
            raise FenceError("takes no writes so far")
        self.read_only = False
