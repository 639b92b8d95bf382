"""A whole living sandbox, used from outside: its commands, a stock resolver, any HTTP client, boto3, psycopg, redis."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
import dns.resolver
import psycopg
import redis
from botocore.config import Config

from lifeboat.sandbox import supervisor
from lifeboat.sandbox.environment import ACCESS_KEY, SECRET_KEY
from lifeboat.sandbox.live.network import HTTP_PORT
from lifeboat.sandbox.state import Directory, Record
from tests.project import link_project

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME, STANDBY, WITNESS = "us-east-1", "us-west-2", "us-east-2"
ORDERS = "orders.reskflow.example.com"
LIFEBOAT = str(Path(sys.executable).with_name("lifeboat"))
Client: TypeAlias = Any
"""A boto3 client: its methods are made at run time."""
Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


class Sandbox:
    """One that runs in a project of its own.

    Args:
        project: Directory of its ``Pulumi.yaml``.
    """

    def __init__(self, project: Path) -> None:
        self.project = project
        self.directory = Directory.of_project(project)
        self.contract: dict[str, Any] = {}
        """What app teams read."""
        self._clients: dict[tuple[str, ...], Client] = {}

    @property
    def record(self) -> Record:
        found = self.directory.running()
        assert found is not None, "no sandbox runs"
        return found

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ``lifeboat sandbox WORDS``."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        command = [LIFEBOAT, "sandbox", *words]
        return subprocess.run(command, cwd=self.project, capture_output=True, text=True, check=False, env=variables)

    def ask(self, *words: str) -> Any:  # noqa: ANN401 - each command's own JSON
        """Run a command that must succeed, for the JSON that it prints."""
        done = self.command(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def up(self, *options: str, wardens: bool = False) -> dict[str, Any]:
        """Deploy; without wardens, whoever moves a database moves gate and traffic along."""
        mode = () if wardens else ("--no-wardens",)
        answer: dict[str, Any] = self.ask("up", "reskflow", "--time-scale", "instant", *mode, *options)
        self.contract = answer["contract"]
        return answer

    @property
    def live(self) -> dict[str, Any]:
        """What `status --json` says of its servers."""
        found = supervisor.living(self.record)
        assert found is not None
        return found

    @property
    def parts(self) -> list[dict[str, Any]]:
        """What an `up` waits for."""
        return supervisor.parts(self.record)

    def process(self, kind: str, region: str) -> dict[str, Any]:
        """A server's row of the status."""
        (found,) = [row for row in self.live["processes"] if (row["kind"], row["region"]) == (kind, region)]
        return found

    def resolve(self, name: str) -> str:
        """As a stock resolver does."""
        server = self.live["name_server"]
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = [server["address"]], server["port"]
        return str(resolver.resolve(name, "A")[0])

    def client(self, service: str, region: str) -> Client:
        """Plain boto3, which does not try again."""
        endpoint = self.record.endpoint
        key = (service, region, endpoint)
        if key not in self._clients:
            config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, connect_timeout=5)
            session = boto3.session.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY)
            self._clients[key] = session.client(service, region_name=region, endpoint_url=endpoint, config=config)
        return self._clients[key]

    def secret(self, arn: str) -> str:
        region = arn.split(":")[3]
        return self.client("secretsmanager", region).get_secret_value(SecretId=arn)["SecretString"]

    def database(self, region: str) -> Connection:
        """As any client of PostgreSQL's, by the name that the contract tells."""
        found = self.contract["sites"][region]["databases"]["orders"]
        address = self.resolve(found["writer_endpoint"])
        return psycopg.connect(
            host=address,
            port=found["port"],
            user="reskflow_owner",
            password=self.secret(self.contract["sites"][STANDBY]["databases"]["orders"]["secret_arn"]),
            dbname=found["database"],
            connect_timeout=2,
            autocommit=True,
        )

    def cache(self, region: str) -> redis.Redis:
        """As any client of Redis's."""
        found = self.contract["sites"][region]["caches"]["sessions"]
        address = self.resolve(found["primary_endpoint"])
        return redis.Redis(host=address, password=self.secret(found["secret_arn"]), decode_responses=True)

    def post(self, address: str, client: str, number: int) -> tuple[int, dict[str, Any]]:
        """An order over HTTP: status and answer."""
        order = {"client": client, "number": number, "payload": {"item": "tea"}}
        with contextlib.closing(http.client.HTTPConnection(address, HTTP_PORT, timeout=2)) as connection:
            connection.request("POST", "/orders", json.dumps(order), {"Host": ORDERS})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def refusal(self, address: str, client: str, number: int) -> str | None:
        """Why a site did not take an order, None when it did not tell.

        To be awaited where a gate has just shut: its site closes connections then, also those that ask nothing yet.
        """
        status, answer = self.post(address, client, number)
        assert status not in {200, 201}, answer
        return answer["reason"] if status == HTTPStatus.SERVICE_UNAVAILABLE else None

    def numbers(self, region: str, client: str) -> list[int]:
        """Numbers of a client's orders in a region's database."""
        with self.database(region) as connection:
            try:
                rows = connection.execute("SELECT number FROM orders WHERE client = %s ORDER BY 1", [client]).fetchall()
            except psycopg.errors.UndefinedTable:
                return []
        return [number for (number,) in rows]


@contextlib.contextmanager
def project() -> Iterator[Sandbox]:
    """A project in which no sandbox runs yet; none does afterwards."""
    # Not pytest's directory, which only its user may enter: root's servers run as somebody else.
    directory = Path(tempfile.mkdtemp(prefix="lifeboat-living-"))
    directory.chmod(0o711)
    made = Sandbox(link_project(directory))
    try:
        yield made
    finally:
        down = made.command("down")
        shutil.rmtree(directory)
        assert down.returncode == 0, down.stderr


def processes_in(directory: Path) -> dict[int, str]:
    """Processes that work in a directory, or were started with something in it, by PID; zombies are gone already."""
    found: dict[int, str] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            place = (entry / "cwd").readlink()
            if str(directory) in command or place == directory or directory in place.parents:
                found[int(entry.name)] = command
    return found
