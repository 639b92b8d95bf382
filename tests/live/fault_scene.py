"""What a client of a living sandbox sees: stock clients that try once, and tell what they met in a word."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import urllib.error
import urllib.request
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

import boto3
import dns.resolver
import psycopg
import redis
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from redis.backoff import NoBackoff
from redis.retry import Retry

from lifeboat.sandbox import supervisor
from lifeboat.sandbox.environment import ACCESS_KEY, SECRET_KEY
from lifeboat.sandbox.live.network import HTTP_PORT
from lifeboat.sandbox.live.world_config import load_network
from tests.live.living import HOME, ORDERS, STANDBY, Client, Connection, Sandbox
from tests.live.waiting import until
from tests.moving import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable

WELL: Final = "well"
"""What a client says that met nothing wrong."""
NO: Final = "no"
BUYER: Final = "buyer"
PATIENCE: Final = 1
"""Seconds that a client waits for an answer which a fault may keep from it for good."""
_MOMENT: Final = 1.0
"""Seconds within which replication brings a row, when nothing is wrong and the machine has time; else ask again."""
_CHANGE: Final = 120.0
"""Seconds; a fault may restart servers."""
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_WORDS: Final = {
    "File too large": "disk full",
    "invalid page": "corrupted",
    "refused": "refused",
    "canceling statement due to statement timeout": "too slow",
}


class Scene:
    """A deployed sandbox and its clients.

    Args:
        sandbox: It runs, and everything in it is well.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._kept: dict[str, http.client.HTTPConnection] = {}
        server = sandbox.live["name_server"]
        self._resolver = dns.resolver.Resolver(configure=False)
        self._resolver.nameservers, self._resolver.port = [server["address"]], server["port"]
        self._numbers = itertools.count(1)
        self._clients: dict[tuple[object, ...], Client] = {}
        standby = sandbox.contract["sites"][STANDBY]
        self._password = sandbox.secret(standby["databases"]["orders"]["secret_arn"])
        self._token = sandbox.secret(standby["caches"]["sessions"]["secret_arn"])
        self.fronts = {region: self.resolve(f"orders.{region}.reskflow.example.com") for region in (HOME, STANDBY)}
        """Where clients on the internet reach each site."""
        _, given = load_network(sandbox.directory.path)
        self.inside = {region: given[f"site-{region}"] for region in (HOME, STANDBY)}
        """Where a neighbour in its region reaches it."""

    def close(self) -> None:
        """Close what clients keep open."""
        for client in (*self._clients.values(), *self._kept.values()):
            client.close()

    def inject(self, kind: str, **parameters: object) -> str:
        """What `lifeboat sandbox fault inject` does."""
        document = {"kind": kind, **parameters}
        return supervisor.control(self.sandbox.record, "POST", "faults", document, deadline=_CHANGE)["id"]

    def clear(self, identifier: str | None = None) -> list[str]:
        """What `lifeboat sandbox fault clear` does."""
        name = "faults" if identifier is None else f"faults?id={identifier}"
        return supervisor.control(self.sandbox.record, "DELETE", name, deadline=_CHANGE)["cleared"]

    def number(self) -> int:
        """One that nobody has had."""
        return next(self._numbers)

    def resolve(self, name: str) -> str:
        """An address, from a stock resolver without a cache."""
        return str(self._resolver.resolve(name, "A")[0])

    def api(self, service: str, region: str, *, caller: str | None = None, key: str = ACCESS_KEY) -> Client:
        """Plain boto3, which does not try again and waits for a second.

        Args:
            service: Such as ``rds``.
            region: Whose API it asks.
            caller: The region that it is in, by the application ID that every SDK can be told; None: none.
            key: Its access key's ID.
        """
        known = (service, region, caller, key, self.sandbox.record.endpoint)
        if known not in self._clients:
            config = Config(
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
                connect_timeout=PATIENCE,
                read_timeout=PATIENCE,
                user_agent_appid=caller,
            )
            session = boto3.session.Session(aws_access_key_id=key, aws_secret_access_key=SECRET_KEY)
            endpoint = self.sandbox.record.endpoint
            self._clients[known] = session.client(service, region_name=region, endpoint_url=endpoint, config=config)
        return self._clients[known]

    def order(self, front: str | None = None) -> tuple[str, int]:
        """Post the next order, through its name in the DNS unless a site's address is given.

        Returns:
            What the client met, and the order's number.
        """
        number = self.number()
        order = {"client": BUYER, "number": number, "payload": {"item": "tea"}}
        request = urllib.request.Request(
            f"http://{front or self.resolve(ORDERS)}:{HTTP_PORT}/orders",
            json.dumps(order).encode(),
            {"Host": ORDERS, "Content-Type": "application/json"},
        )
        return answer_to(request), number

    def get(self, front: str, path: str) -> str:
        """What a client meets that asks a site for something."""
        return answer_to(urllib.request.Request(f"http://{front}:{HTTP_PORT}{path}", headers={"Host": ORDERS}))

    def keep_asking(self, region: str) -> str:
        """What a client of a site's meets that keeps its connection for as long as it serves."""
        if region not in self._kept:
            self._kept[region] = http.client.HTTPConnection(self.fronts[region], HTTP_PORT, timeout=PATIENCE)
        connection = self._kept[region]
        try:
            connection.request("GET", "/health/live", headers={"Host": ORDERS})
            connection.getresponse().read()
        except (OSError, http.client.HTTPException) as fault:
            connection.close()
            return "silence" if isinstance(fault, TimeoutError) else type(fault).__name__
        return WELL

    def times(self, region: str) -> dict[str, datetime]:
        """What time it is to a site, as its answer says twice."""
        request = urllib.request.Request(f"http://{self.inside[region]}:{HTTP_PORT}/health")
        with _DIRECT.open(request, timeout=PATIENCE) as answer:
            date = parsedate_to_datetime(answer.headers["Date"])
            return {"clock": datetime.fromisoformat(json.load(answer)["clock"]), "date": date}

    def database(self, region: str) -> Connection:
        """As any client of PostgreSQL's, by the name that the contract tells."""
        found = self.sandbox.contract["sites"][region]["databases"]["orders"]
        return psycopg.connect(
            host=self.resolve(found["writer_endpoint"]),
            port=found["port"],
            user="reskflow_owner",
            password=self._password,
            dbname=found["database"],
            connect_timeout=2,
            autocommit=True,
        )

    def sql(self, region: str, statement: str, *settings: str) -> str:
        """What a client of PostgreSQL's meets with a statement; ``well`` when it is carried out."""
        try:
            with contextlib.closing(self.database(region)) as connection:
                for each in (*settings, statement):
                    connection.execute(each.encode())
        except psycopg.errors.ConnectionTimeout:
            return "silence"
        except psycopg.Error as fault:
            return next((word for text, word in _WORDS.items() if text in str(fault)), str(fault))
        return WELL

    def true(self, region: str, expression: str) -> bool:
        """What a database says of an expression of SQL's."""
        with contextlib.closing(self.database(region)) as connection:
            return connection.execute(f"SELECT {expression}".encode()).fetchone() == (True,)

    def numbers(self, region: str) -> set[int]:
        """Numbers of the orders in a region's database."""
        with contextlib.closing(self.database(region)) as connection:
            rows = connection.execute("SELECT number FROM orders WHERE client = %s", [BUYER]).fetchall()
        return {number for (number,) in rows}

    def cache(self, region: str) -> redis.Redis:
        """As any client of Redis's, which does not try again."""
        found = self.sandbox.contract["sites"][region]["caches"]["sessions"]
        return redis.Redis(
            host=self.resolve(found["primary_endpoint"]),
            password=self._token,
            decode_responses=True,
            socket_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),
        )

    def ping(self, region: str) -> str:
        """What a client of Redis's meets."""
        with self.cache(region) as client:
            try:
                client.ping()
            except redis.TimeoutError:
                return "silence"
            except redis.ConnectionError as fault:
                return "refused" if "refused" in str(fault) else str(fault)
        return WELL

    def row_crosses(self) -> str:
        """Whether the other region has an order that home's site just took."""
        answer, number = self.order(self.inside[HOME])
        assert answer == WELL, answer
        return within(lambda: number in self.numbers(STANDBY))

    def key_crosses(self) -> str:
        """Whether the other region has a key that was just set in home's cache."""
        value = str(self.number())
        with self.cache(HOME) as here, self.cache(STANDBY) as there:
            here.set("crosses", value)
            return within(lambda: there.get("crosses") == value)

    def object_crosses(self, source: str, target: str) -> str:
        """Whether one region's bucket has an object that was just put into another's; asked from inside of both."""
        key = f"crosses-{self.number()}"
        here, there = self.api("s3", source, caller=source), self.api("s3", target, caller=target)
        here.put_object(Bucket=f"{PREFIX}-uploads-{source}", Key=key, Body=b"tea")
        bucket = f"{PREFIX}-uploads-{target}"
        return within(lambda: met(lambda: there.head_object(Bucket=bucket, Key=key)) == WELL)


def met(call: Callable[[], object]) -> str:
    """What an AWS client meets: ``well``, the error's code, or the exception when there is no answer."""
    try:
        call()
    except ClientError as fault:
        return str(fault.response["Error"]["Code"])
    except BotoCoreError as fault:
        return type(fault).__name__
    return WELL


def answer_to(request: urllib.request.Request) -> str:
    """What an HTTP client meets: ``well``, the status, or what its connection met."""
    try:
        _DIRECT.open(request, timeout=PATIENCE).close()
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return str(refusal.code)
    except TimeoutError:
        return "silence"
    except OSError as fault:
        reason = fault.reason if isinstance(fault, urllib.error.URLError) else fault
        return "silence" if isinstance(reason, TimeoutError) else type(reason).__name__
    return WELL


def yes(holds: bool) -> str:
    """Tell something that holds or not."""
    return WELL if holds else NO


def within(condition: Callable[[], bool]) -> str:
    """Whether something comes true in a moment; what never does is only known by waiting."""
    try:
        return yes(until(condition, _MOMENT))
    except AssertionError:
        return NO
