"""What is promised of best effort and of a way back, where a database or a lease is not as it was."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import psycopg
import pytest

from lifeboat.model.plan.graph import Mode
from lifeboat.recovery.backups_verify import Surroundings as Verification
from lifeboat.recovery.backups_verify import Verifier
from lifeboat.recovery.lease_record import LeaseRecord
from lifeboat.recovery.ports import BEST_EFFORT_SECONDS
from lifeboat.recovery.steps import fence, stop_writes
from lifeboat.recovery.system_ports import Surroundings, SystemPorts
from tests.unit.recovery.memory import EAST, WEST
from tests.unit.recovery.test_system_ports import HOME, Cloud, instance, physical

if TYPE_CHECKING:
    from lifeboat.recovery.run_state import Outcome


class Slow(Cloud):
    """APIs that answer only when they are told to."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.password = "hidden"
        self.asked = 0

    def describe_db_instances(self, **_: object) -> dict[str, Any]:
        self.asked += 1
        self.open.wait()
        return {"DBInstances": [instance(f"shop-test-ledger-{HOME}-g1")]}

    def get_secret_value(self, **_: str) -> dict[str, str]:
        return {"SecretString": self.password}


class Ports(SystemPorts):
    """Ports to them, whose clock is set."""

    def __init__(self, cloud: Slow) -> None:
        super().__init__(physical(), Surroundings(encrypted=False), remember=True)
        self.cloud = cloud
        self.now = 0.0

    def client(self, service: str, region: str, **_how: object) -> Any:  # noqa: ANN401 - boto3's
        del service, region
        return self.cloud

    def resolve(self, host: str) -> tuple[str, ...]:
        del host
        return ("127.0.0.1",)

    def clock(self) -> float:
        return self.now


class Server:
    """A database that lets in who has the password, once it answers; each attempt takes its seconds."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self.password = "hidden"
        self.takes = 0.0
        self.attempts: list[str] = []

    def connect(self, *, password: str, **_asked: object) -> str:
        self.attempts.append(password)
        self.ports.now += self.takes
        if self.takes or password != self.password:
            raise psycopg.OperationalError("timeout expired" if self.takes else "no such password")
        return "a session"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server(Ports(Slow()))
    monkeypatch.setattr(psycopg, "connect", made.connect)
    assert made.ports.sql(HOME, "ledger", best_effort=True) == "a session"
    made.attempts.clear()
    return made


def test_a_known_way_that_hangs_is_not_gone_twice(server: Server) -> None:
    server.takes = 2.0
    with pytest.raises(psycopg.OperationalError, match="timeout"):
        server.ports.sql(HOME, "ledger", best_effort=True)
    assert server.attempts == ["hidden"]
    assert server.ports.now <= BEST_EFFORT_SECONDS


def test_apis_that_hang_take_no_more_than_is_left(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[float] = []

    def within(ask: object, seconds: float, what: str) -> None:
        del ask
        left.append(seconds)
        raise TimeoutError(what)

    monkeypatch.setattr("lifeboat.recovery.system_ports.within", within)
    server.takes = 2.0
    with pytest.raises(psycopg.OperationalError, match="timeout"):
        server.ports.sql(HOME, "ledger", best_effort=True)
    # What the first attempt took, what is left to be told, and one attempt by what was told.
    assert left == [BEST_EFFORT_SECONDS - 2.0 - 2.0]


def test_another_password_is_asked_for_within_the_same_call(server: Server) -> None:
    server.password = server.ports.cloud.password = "another"
    assert server.ports.sql(HOME, "ledger", best_effort=True) == "a session"
    assert server.attempts == ["hidden", "another"]
    # And it is known from then on.
    asked = server.ports.cloud.asked
    assert server.ports.sql(HOME, "ledger", best_effort=True) == "a session"
    assert server.ports.cloud.asked == asked


def test_a_way_is_asked_for_anew_though_the_retired_one_still_lets_in(server: Server) -> None:
    server.ports.now += 61.0
    server.ports.cloud.password = server.password = "another"
    assert server.ports.sql(HOME, "ledger", best_effort=True) == "a session"
    assert server.attempts == ["another"]


def test_a_known_way_holds_while_nobody_tells_another_and_that_is_asked_once_a_minute(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def within(ask: object, seconds: float, what: str) -> None:
        del ask, seconds
        asked.append(what)
        raise TimeoutError(what)

    monkeypatch.setattr("lifeboat.recovery.system_ports.within", within)
    server.ports.now += 61.0
    for _ in range(3):
        assert server.ports.sql(HOME, "ledger", best_effort=True) == "a session"
    assert len(asked) == 1


def test_who_needs_the_answer_waits_for_the_apis(server: Server) -> None:
    server.password = server.ports.cloud.password = "another"
    server.ports.cloud.open.clear()
    opened = threading.Timer(0.05, server.ports.cloud.open.set)
    opened.start()
    assert server.ports.sql(HOME, "ledger") == "a session"
    opened.join()


@pytest.mark.parametrize(
    ("encrypted", "authorities", "mode"),
    [(True, "/etc/rds.pem", "verify-full"), (True, None, "require"), (False, None, "disable")],
)
def test_a_restored_database_is_verified_like_every_other_one(
    monkeypatch: pytest.MonkeyPatch, encrypted: bool, authorities: str | None, mode: str
) -> None:
    seen: list[dict[str, Any]] = []

    def connect(**asked: object) -> None:
        seen.append(asked)

    monkeypatch.setattr(psycopg, "connect", connect)
    monkeypatch.setattr("lifeboat.recovery.backups_verify.backups_place.admit", lambda *_asked: None)
    ports: Any = SimpleNamespace(resolve=lambda _host: ("127.0.0.1",), clock=lambda: 0.0)
    here = Verification(
        physical=physical(),
        ports=ports,
        lease=cast("Any", None),
        journal=cast("Any", None),
        mirror=None,
        encrypted=encrypted,
        authorities=authorities,
        who="ada",
        progress=lambda _line: None,
    )
    bench: Any = SimpleNamespace(ports=ports, deadline=60.0)
    endpoint: Any = SimpleNamespace(host="verified.example.com", port=5432, password="hidden")
    point: Any = SimpleNamespace(store="ledger")
    Verifier(here)._connect(bench, cast("Any", None), point, endpoint)
    (asked,) = seen
    assert (asked["sslmode"], asked["sslrootcert"], asked["host"]) == (mode, authorities, "verified.example.com")


class Run(SimpleNamespace):
    """A failover out of the east, decided and fenced in an epoch."""

    def change(self, transition: Any) -> LeaseRecord:  # noqa: ANN401 - a transition of the lease
        self.record = transition(self.record)
        return cast("LeaseRecord", self.record)


def run_of(record: LeaseRecord, **facts: dict[str, Any]) -> Any:  # noqa: ANN401 - a run, as far as it is used
    return Run(record=record, facts=facts, plan=SimpleNamespace(source=EAST, target=WEST, mode=Mode.FAILOVER))


FENCED = LeaseRecord.first(EAST, 60).fence(EAST)
AGAIN = FENCED.unfence(EAST).fence(EAST)
"""Freed by somebody meanwhile, in a new epoch, and fenced again there."""


def undone(step: Any, run: Any) -> Outcome:  # noqa: ANN401 - a module
    return cast("Outcome", step.undo(cast("Any", None), run))


@pytest.mark.parametrize("step", [fence, stop_writes])
def test_an_abort_lifts_the_fence_of_its_own_epoch_and_once(step: object) -> None:
    run = run_of(FENCED, decide={"epoch": 1})
    assert undone(step, run).said == f"{EAST} may write again, in epoch 2"
    assert undone(step, run).said == f"{EAST} may write again, in epoch 2"
    assert (run.record.epoch, run.record.fenced) == (2, frozenset())


@pytest.mark.parametrize("step", [fence, stop_writes])
def test_an_abort_leaves_the_fence_of_another_epoch(step: object) -> None:
    run = run_of(AGAIN, decide={"epoch": 1}, fence={"epoch": 1})
    assert undone(step, run).said == f"{EAST} stays fenced: epoch 2 is not the one of this run, 1"
    assert run.record == AGAIN
    run = run_of(AGAIN, decide={"epoch": 1}, fence={"epoch": 2})
    assert undone(step, run).said == f"{EAST} may write again, in epoch 3"


def test_an_abort_lifts_nothing_once_another_site_holds_the_lease() -> None:
    taken = FENCED.stop(EAST).take(WEST, 1)
    run = run_of(taken, decide={"epoch": 1})
    assert undone(fence, run).said == f"{EAST} stays fenced: {WEST} holds epoch 2"
    assert run.record == taken
