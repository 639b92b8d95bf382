"""The real ports, as far as they can be seen without AWS: whom they ask, by which name, and for how long."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from botocore.exceptions import EndpointConnectionError

from lifeboat.model.physical import Physical
from lifeboat.model.settings.load import load
from lifeboat.model.topology import resolve
from lifeboat.recovery import system_ports
from lifeboat.recovery.bounded import within
from lifeboat.recovery.claim import SILENCE, Claim
from lifeboat.recovery.endpoints import plain_instance
from lifeboat.recovery.guarded_ports import Guard, GuardedPorts
from lifeboat.recovery.journal import Journal
from lifeboat.recovery.ports import CHANGE_SECONDS
from lifeboat.recovery.system_ports import Surroundings, SystemPorts
from tests.unit.model.declarations import changed
from tests.unit.recovery.memory import MemoryJournal, MemoryLease

if TYPE_CHECKING:
    from collections.abc import Generator

HOME, STANDBY = "eu-west-1", "eu-central-1"
CACHE = "master.shop.example.amazonaws.com"


def physical(mechanism: str = "replicated-backups") -> Physical:
    settings = load(
        changed(
            ("objectives", {"stack": {"rto": "48h", "rpo": "48h"}}),
            ("databases", [{"name": "ledger", "mechanism": mechanism}]),
            ("caches", [{"name": "baskets"}]),
        )
    )
    return Physical(settings=settings, topology=resolve(settings))


class Rds:
    """Instances of one region."""

    def __init__(self, *instances: dict[str, Any]) -> None:
        self.instances = instances

    def describe_db_instances(self, *, Filters: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's name
        (only,) = Filters
        assert only["Name"] == "db-instance-id"
        return {"DBInstances": [each for each in self.instances if each["DBInstanceIdentifier"] in only["Values"]]}


def instance(name: str, **more: object) -> dict[str, Any]:
    return {"DBInstanceIdentifier": name, "Endpoint": {"Address": f"{name}.example.com"}, **more}


def test_what_was_restored_is_connected_to_where_it_stands() -> None:
    restored = instance(f"shop-test-ledger-{STANDBY}-g1")
    assert plain_instance(Rds(restored), physical(), "ledger", STANDBY, reader=False) == restored
    with pytest.raises(LookupError, match=f"{STANDBY}: of the database ledger nothing is there to connect to"):
        plain_instance(Rds(), physical(), "ledger", STANDBY, reader=False)
    coming = Rds({"DBInstanceIdentifier": restored["DBInstanceIdentifier"]})
    with pytest.raises(LookupError, match="nothing is there to connect to"):
        plain_instance(coming, physical(), "ledger", STANDBY, reader=False)


def test_a_restored_generation_goes_before_the_declared_one() -> None:
    former, restored = (instance(f"shop-test-ledger-{HOME}-g{number}") for number in (1, 2))
    assert plain_instance(Rds(former), physical(), "ledger", HOME, reader=False) == former
    assert plain_instance(Rds(former, restored), physical(), "ledger", HOME, reader=False) == restored


def test_a_replica_that_is_built_beside_the_declared_one_is_read_alone() -> None:
    former = instance(f"shop-test-ledger-{HOME}-g1")
    built = instance(f"shop-test-ledger-{HOME}-g2", ReadReplicaSourceDBInstanceIdentifier="arn:aws:rds:…")
    there, names = Rds(former, built), physical("replica")
    assert plain_instance(there, names, "ledger", HOME, reader=False) == former
    assert plain_instance(there, names, "ledger", HOME, reader=True) == built
    # A declared one may well be a replica.
    assert plain_instance(
        Rds({**former, "ReadReplicaSourceDBInstanceIdentifier": "arn"}), names, "ledger", HOME, reader=False
    )


class Cloud:
    """Every service of a region."""

    def describe_replication_groups(self, **_: str) -> dict[str, Any]:
        return {"ReplicationGroups": [{"NodeGroups": [{"PrimaryEndpoint": {"Address": CACHE, "Port": 6379}}]}]}

    def describe_db_instances(self, **_: object) -> dict[str, Any]:
        return {"DBInstances": [instance(f"shop-test-ledger-{HOME}-g1")]}

    def get_secret_value(self, **_: str) -> dict[str, str]:
        return {"SecretString": "hidden"}


class CloudPorts(SystemPorts):
    """Ports to it; its names are known here."""

    def client(self, service: str, region: str, **_how: object) -> Any:  # noqa: ANN401 - boto3's
        assert service in {"elasticache", "rds", "secretsmanager"}
        assert region == HOME
        return Cloud()

    def resolve(self, host: str) -> tuple[str, ...]:
        assert host.endswith(".com")
        return ("127.0.0.1",)


def test_a_cache_is_connected_to_by_the_name_that_its_certificate_is_for() -> None:
    def asked(surroundings: Surroundings) -> dict[str, Any]:
        found: dict[str, Any] = (
            CloudPorts(physical(), surroundings).redis(HOME, "baskets").connection_pool.connection_kwargs
        )
        return found

    production = asked(Surroundings())
    assert production["host"] == CACHE
    # What the client compares with the certificate is the host that it was given.
    assert production.get("ssl_check_hostname", True) is True
    assert asked(Surroundings(name_server=("127.0.0.1", 53), encrypted=False))["host"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("environment", "mode", "authorities"),
    [
        ({}, "require", None),
        ({"PGSSLROOTCERT": "/etc/rds.pem"}, "verify-full", "/etc/rds.pem"),
    ],
)
def test_a_database_is_verified_by_the_authorities_that_are_told(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], mode: str, authorities: str | None
) -> None:
    seen: list[dict[str, Any]] = []

    def connect(**asked: object) -> None:
        seen.append(asked)

    monkeypatch.setattr(psycopg, "connect", connect)
    CloudPorts(physical(), Surroundings.of(environment)).sql(HOME, "ledger")
    (asked,) = seen
    assert (asked["sslmode"], asked["sslrootcert"]) == (mode, authorities)
    assert asked["host"] == f"shop-test-ledger-{HOME}-g1.example.com"


def test_a_system_resolver_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hang(*_asked: object, **_how: object) -> None:
        over.wait()

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr(system_ports, "_NAME_SECONDS", 0.05)
    try:
        with pytest.raises(OSError, match=r"hangs\.example\.com: no answer from the system's resolver"):
            SystemPorts(physical()).resolve("hangs.example.com")
    finally:
        over.set()


def test_what_is_bounded_gives_its_answer_or_its_fault() -> None:
    assert within(lambda: 3, 5, "late") == 3
    with pytest.raises(LookupError, match="mine"):
        within(_raise, 5, "late")


def _raise() -> None:
    raise LookupError("mine")


@contextmanager
def trickling(head: bytes) -> Generator[int]:
    """A server that answers a byte at a time, for as long as somebody listens."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                try:
                    connection.sendall(head)
                    while not over.wait(0.02):
                        connection.sendall(b"x")
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: "])
def test_an_answer_that_trickles_is_given_up(head: bytes) -> None:
    with (
        trickling(head) as port,
        pytest.raises(TimeoutError, match=r"within 0\.3 s"),
    ):
        SystemPorts(physical()).http(f"http://127.0.0.1:{port}/", timeout=0.3)


class UnansweredPorts(SystemPorts):
    """Nobody answers: what is sent is noted."""

    def __init__(self) -> None:
        super().__init__(physical())
        self.seconds: list[float] = []
        """What each attempt may take."""

    def client(self, service: str, region: str, **how: Any) -> Any:  # noqa: ANN401 - boto3's
        made = super().client(service, region, **how)

        def send(**_event: object) -> None:
            self.seconds.append(made.meta.config.connect_timeout + made.meta.config.read_timeout)
            raise EndpointConnectionError(endpoint_url="https://rds.example.com")

        made.meta.events.register(f"before-send.{service}", send, unique_id="nobody")
        return made


def test_a_call_that_changes_something_is_over_before_another_runner_may_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("botocore.endpoint.time.sleep", float)
    ports = UnansweredPorts()
    journal = Journal("r", MemoryJournal(), mirror=None, wall=ports.wall, clock=ports.clock, listeners=())
    client = GuardedPorts(ports, Guard(around=journal.around, check=lambda: None)).client("rds", HOME)
    with pytest.raises(EndpointConnectionError):
        client.describe_global_clusters()
    assert len(ports.seconds) > 1
    ports.seconds.clear()
    with pytest.raises(EndpointConnectionError):
        client.modify_db_instance(DBInstanceIdentifier="shop")
    assert sum(ports.seconds) <= CHANGE_SECONDS
    # The last call may begin just before the claim counts as lost; it is over before the silence is.
    time = Time()
    claim = Claim("r", runner="me", kind="failover", target=HOME, store=MemoryLease(), ports=time)
    time.now = SILENCE - CHANGE_SECONDS
    assert claim.lost


class Time(SystemPorts):
    """A clock that is set."""

    def __init__(self) -> None:
        super().__init__(physical())
        self.now = 0.0

    def clock(self) -> float:
        return self.now
