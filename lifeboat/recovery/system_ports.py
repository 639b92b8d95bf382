"""The real outside: AWS by boto3, databases by psycopg, caches by redis, sites by HTTP.

Inside a sandbox (and nowhere else, see `Surroundings`) a few of its variables say what is different there.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import boto3
import dns.exception
import dns.resolver
import psycopg
import redis
import urllib3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from redis.backoff import NoBackoff
from redis.retry import Retry

from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.recovery.bounded import within
from lifeboat.recovery.endpoints import plain_instance
from lifeboat.recovery.ports import BEST_EFFORT_SECONDS, CHANGE_SECONDS, HttpAnswer, Pace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifeboat.model.physical import Physical
    from lifeboat.recovery.ports import CacheClient, Client, SqlConnection

_ATTEMPTS: Final = 6
_CONNECT_SECONDS: Final = 4
_READ_SECONDS: Final = 15
"""Seconds that an attempt may take; a step's own deadline bounds all of them."""
_BEST_CONNECT: Final = 2
_BEST_READ: Final = BEST_EFFORT_SECONDS - _BEST_CONNECT
_SHORT: Final = Config(connect_timeout=_BEST_CONNECT, read_timeout=_BEST_READ, retries={"total_max_attempts": 1})
_USUAL: Final = Config(
    connect_timeout=_CONNECT_SECONDS,
    read_timeout=_READ_SECONDS,
    retries={"mode": "adaptive", "total_max_attempts": _ATTEMPTS},
)
_CHANGING: Final = Config(
    connect_timeout=_CONNECT_SECONDS,
    read_timeout=CHANGE_SECONDS - _CONNECT_SECONDS,
    retries={"mode": "standard", "total_max_attempts": 1},
)
_SQL_CONNECT: Final = 10
_SQL_STATEMENT: Final = 30
_REDIS_SECONDS: Final = 5
_NAME_SECONDS: Final = 5
_POSTGRES_PORT: Final = 5432
_WAY_SECONDS: Final = 60.0
"""Real seconds for which a way that is known is not asked for anew."""
_UNTOLD: Final = (BotoCoreError, ClientError, LookupError, TimeoutError)
"""What asking the APIs for a way may end with."""
_BLOCK: Final = 65536

TOKEN_VARIABLE: Final = "LIFEBOAT_SANDBOX_TOKEN"  # noqa: S105  # a name
"""Set inside a sandbox: only there the others below are honoured."""
NAME_SERVER_VARIABLE: Final = "LIFEBOAT_NAME_SERVER"
"""``ADDRESS:PORT`` of the name server that knows the sandbox's names."""
TIME_SCALE_VARIABLE: Final = "LIFEBOAT_TIME_SCALE"
SITE_URL_VARIABLE: Final = "LIFEBOAT_SITE_URL"
"""How a site is reached, such as ``http://{host}:8080``; ``{port}`` is the declared one."""
PLAIN_VARIABLE: Final = "LIFEBOAT_PLAIN_TRANSPORT"
"""Anything: databases and caches speak without TLS."""
CLOCK_VARIABLE: Final = "LIFEBOAT_CLOCK_OFFSET"
"""Path of a file with the seconds that the wall clock is ahead; no file, no offset."""
AUTHORITY_VARIABLE: Final = "PGSSLROOTCERT"
"""libpq's own, honoured everywhere: path of a bundle of certificates that databases are verified by."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is different inside a sandbox."""

    pace: Pace = field(default_factory=Pace)
    name_server: tuple[str, int] | None = None
    """None: the system's."""
    site_url: str = "https://{host}:{port}"
    encrypted: bool = True
    """Databases and caches demand TLS."""
    authorities: str | None = None
    """Path of the certificates that a database's must be signed by, and be for its host; None: none is verified."""
    clock_offset: Path | None = None
    """File of how wrong the wall clock is; None: it is the system's."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Surroundings:
        """As an environment says; without a sandbox's token production's, but for whom databases are verified by.

        Raises:
            ValueError: when a variable cannot be used.
        """
        authorities = environment.get(AUTHORITY_VARIABLE) or None
        if not environment.get(TOKEN_VARIABLE):
            return cls(authorities=authorities)
        server = environment.get(NAME_SERVER_VARIABLE)
        return cls(
            pace=Pace(scale=float(environment.get(TIME_SCALE_VARIABLE) or 1)),
            name_server=_address(server) if server else None,
            site_url=environment.get(SITE_URL_VARIABLE) or cls.site_url,
            encrypted=not environment.get(PLAIN_VARIABLE),
            authorities=authorities,
            clock_offset=Path(environment[CLOCK_VARIABLE]) if environment.get(CLOCK_VARIABLE) else None,
        )


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"{NAME_SERVER_VARIABLE}: {text}: accepted is ADDRESS:PORT")
    return host, int(port)


def ssl_mode(*, encrypted: bool, authorities: str | None) -> str:
    """How strictly libpq is to look at a database that it connects to: see `Surroundings`."""
    if not encrypted:
        return "disable"
    return "require" if authorities is None else "verify-full"


@dataclass(frozen=True, kw_only=True)
class _Way:
    """How a database was reached."""

    host: str
    port: int
    password: str = field(repr=False)


class SystemPorts:
    """`lifeboat.recovery.ports.Ports` as they are.

    Args:
        physical: Names in the stack's account.
        surroundings: What is different here; nothing in production.
        remember: Go by a database's endpoint and password as they were when it let us in last, if they cannot be had
            anew: whoever is to fence a database must not need an API for that.
    """

    def __init__(self, physical: Physical, surroundings: Surroundings | None = None, *, remember: bool = False) -> None:
        self._physical = physical
        self._here = surroundings or Surroundings()
        self._clients: dict[tuple[str, str, int, str | None], Any] = {}
        # boto3's sessions are not for several threads; the clients that they make are.
        self._making = threading.Lock()
        self._session: Any = None
        self._remember = remember
        self._ways: dict[tuple[str, str, bool], _Way] = {}
        self._asked: dict[tuple[str, str, bool], float] = {}

    @property
    def pace(self) -> Pace:
        """How much faster than declared the protocol runs."""
        return self._here.pace

    def client(  # noqa: PLR0913 - how it is asked
        self,
        service: str,
        region: str,
        *,
        best_effort: bool = False,
        once: bool = False,
        changes: bool = False,
        endpoint: str | None = None,
    ) -> Client:
        """A boto3 client."""
        how = _SHORT if best_effort or once else _CHANGING if changes else _USUAL
        key = (service, region, id(how), endpoint)
        with self._making:
            if key not in self._clients:
                self._session = self._session or boto3.session.Session()
                self._clients[key] = self._session.client(
                    service, region_name=region, endpoint_url=endpoint, config=how
                )
            return self._clients[key]

    def sql(self, region: str, database: str, *, reader: bool = False, best_effort: bool = False) -> SqlConnection:
        """A psycopg connection."""
        key = (region, database, reader)
        known = self._ways.get(key)
        if known is None:
            return self._connect_by(key, self._way(key, best_effort=best_effort), best_effort=best_effort)
        began = self.clock()
        if began - self._asked.get(key, began) > _WAY_SECONDS:
            # One that was retired may still let in whoever knew it. Asked no oftener when nobody answers.
            self._asked[key] = began
            with contextlib.suppress(*_UNTOLD):
                known = self._way_within(key, best_effort=best_effort, spent=0.0)
                self._ways[key] = known
        try:
            return self._connect(database, known, best_effort=best_effort)
        except (psycopg.Error, OSError):
            # It may have moved, or have another password.
            with contextlib.suppress(*_UNTOLD):
                way = self._way_within(key, best_effort=best_effort, spent=self.clock() - began)
                if way != known:
                    return self._connect_by(key, way, best_effort=best_effort)
            raise

    def _way_within(self, key: tuple[str, str, bool], *, best_effort: bool, spent: float) -> _Way:
        """As `_way`; on best effort in the time that is left for it, so that APIs which hang do not take it."""
        if not best_effort:
            return self._way(key, best_effort=False)
        left = BEST_EFFORT_SECONDS - _BEST_CONNECT - spent
        return within(lambda: self._way(key, best_effort=True), left, f"{key[1]}: not told in time where it is")

    def _way(self, key: tuple[str, str, bool], *, best_effort: bool) -> _Way:
        """How to reach a database, as its region's APIs have it now."""
        region, database, reader = key
        host, port = self._database_endpoint(region, database, reader=reader, best_effort=best_effort)
        password = self._secret(region, self._physical.password(database), best_effort=best_effort)
        return _Way(host=host, port=port, password=password)

    def _connect_by(self, key: tuple[str, str, bool], way: _Way, *, best_effort: bool) -> SqlConnection:
        made = self._connect(key[1], way, best_effort=best_effort)
        if self._remember:
            self._ways[key] = way
            self._asked[key] = self.clock()
        return made

    def _connect(self, database: str, way: _Way, *, best_effort: bool) -> SqlConnection:
        own = self._physical.database(database).settings
        statement = _BEST_READ if best_effort else _SQL_STATEMENT
        return psycopg.connect(
            host=way.host,
            hostaddr=self.resolve(way.host)[0],
            port=way.port,
            user=own.username,
            password=way.password,
            dbname=own.database,
            sslmode=ssl_mode(encrypted=self._here.encrypted, authorities=self._here.authorities),
            sslrootcert=self._here.authorities,
            connect_timeout=_BEST_CONNECT if best_effort else _SQL_CONNECT,
            # A server that is cut off while it works sends nothing: the kernel gives up then.
            tcp_user_timeout=int(statement * 1000),
            options=f"-c statement_timeout={int(statement * 1000)}",
            application_name="lifeboat",
            autocommit=True,
        )

    def redis(self, region: str, cache: str, *, best_effort: bool = False) -> CacheClient:
        """A redis client."""
        groups = self.client("elasticache", region, best_effort=best_effort).describe_replication_groups(
            ReplicationGroupId=self._physical.replication_group(cache, region)
        )["ReplicationGroups"]
        endpoint = groups[0]["NodeGroups"][0]["PrimaryEndpoint"]
        seconds = _BEST_READ if best_effort else _REDIS_SECONDS
        return redis.Redis(
            # By name, since TLS compares it with the certificate's; the sandbox's names only its own server knows.
            host=endpoint["Address"] if self._here.name_server is None else self.resolve(endpoint["Address"])[0],
            port=endpoint["Port"],
            password=self._secret(region, self._physical.token(cache), best_effort=best_effort),
            ssl=self._here.encrypted,
            socket_connect_timeout=_BEST_CONNECT if best_effort else seconds,
            socket_timeout=seconds,
            retry=Retry(NoBackoff(), 0),
        )

    def http(  # noqa: PLR0913 - what a request is
        self,
        url: str,
        *,
        timeout: float,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        address: str | None = None,
    ) -> HttpAnswer:
        """One request."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        secure = parts.scheme == "https"
        end = time.monotonic() + timeout
        connect_to = address or self.resolve(host)[0]
        pool = (
            urllib3.HTTPSConnectionPool(connect_to, parts.port, server_hostname=host, assert_hostname=host)
            if secure
            else urllib3.HTTPConnectionPool(connect_to, parts.port)
        )
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

        def ask() -> HttpAnswer:
            try:
                answer = pool.request(
                    method,
                    target,
                    body=body,
                    headers={"Host": parts.netloc.rpartition("@")[2], "Connection": "close", **(headers or {})},
                    timeout=urllib3.Timeout(total=timeout),
                    retries=False,
                    redirect=False,
                    preload_content=False,
                )
                read = bytearray()
                while block := answer.read1(_BLOCK):
                    read += block
                    if time.monotonic() > end:
                        answer.close()
                        raise TimeoutError(f"{url}: its answer did not end within {timeout:g} s")
            except urllib3.exceptions.HTTPError as fault:
                raise ConnectionError(f"{url}: {fault}") from fault
            finally:
                pool.close()
            return HttpAnswer(
                status=answer.status,
                body=bytes(read),
                headers={name.lower(): value for name, value in answer.headers.items()},
            )

        # The client's own timeout is for each time that it reads: who trickles has all the time.
        return within(ask, end - time.monotonic(), f"{url}: no whole answer within {timeout:g} s")

    def site_url(self, host: str, port: int) -> str:
        """Where a site's gateway answers."""
        return self._here.site_url.format(host=host, port=port)

    def resolve(self, host: str) -> tuple[str, ...]:
        """Addresses of a host now."""
        server = self._here.name_server
        if server is None:
            # The system's takes as long as it likes.
            found = within(
                lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM),
                _NAME_SECONDS,
                f"{host}: no answer from the system's resolver within {_NAME_SECONDS} s",
            )
            return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
        if all(part.isdecimal() for part in host.split(".")):
            return (host,)
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port, resolver.lifetime = [server[0]], server[1], _NAME_SECONDS
        try:
            return tuple(str(record) for record in resolver.resolve(host, "A"))
        except dns.exception.DNSException as fault:
            raise OSError(f"{host}: {fault}") from fault

    def clock(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since the epoch."""
        offset = 0.0
        if self._here.clock_offset is not None:
            with contextlib.suppress(FileNotFoundError, ValueError):
                offset = float(self._here.clock_offset.read_text())
        return time.time() + offset

    def wait(self, event: threading.Event | None, seconds: float) -> bool:
        """Wait for real seconds."""
        return (event or threading.Event()).wait(max(0.0, seconds))

    def _database_endpoint(self, region: str, database: str, *, reader: bool, best_effort: bool) -> tuple[str, int]:
        rds = self.client("rds", region, best_effort=best_effort)
        if self._physical.database(database).mechanism is DatabaseMechanism.AURORA_GLOBAL:
            found = rds.describe_db_clusters(DBClusterIdentifier=self._physical.cluster(database, region))
            cluster = found["DBClusters"][0]
            endpoint = cluster.get("ReaderEndpoint") if reader else None
            return endpoint or cluster["Endpoint"], cluster["Port"]
        found = plain_instance(rds, self._physical, database, region, reader=reader)
        return found["Endpoint"]["Address"], found["Endpoint"].get("Port", _POSTGRES_PORT)

    def _secret(self, region: str, name: str, *, best_effort: bool) -> str:
        secrets = self.client("secretsmanager", region, best_effort=best_effort)
        return str(secrets.get_secret_value(SecretId=name)["SecretString"])
