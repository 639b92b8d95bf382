"""Two regions of a shop to try for real: a database and its standby, a site before each, names for all of them."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifeboat.sandbox.live.network import HTTP_PORT
from lifeboat.sandbox.live.postgres import Postgres
from lifeboat.sandbox.live.postgres_setup import Owner, Passwords, Place
from lifeboat.sandbox.live.site_store import Credentials
from lifeboat.sandbox.live.sites import SiteConfig, Sites
from tests.live.farm import Farm, farm
from tests.live.listening import listening
from tests.live.names import Zone, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME, AWAY = "us-east-1", "us-west-2"
HOST = "shop.example.com"
PASSWORD = "it's a pass:word\\"
OWNER = Owner(user="shop_owner", password=PASSWORD, database="shop")


@dataclass(frozen=True)
class Answer:
    """What a site said."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def closes(self) -> bool:
        """Whether it was the connection's last answer."""
        return self.headers.get("Connection") == "close"


class Shop:
    """Databases and sites by region; the zone's answers have a TTL of 0."""

    def __init__(self, land: Farm, zone: Zone) -> None:
        self.land = land
        self.zone = zone
        self.sites = Sites(land.directory, land.network, land.processes)
        passwords = Passwords.kept_in(land.directory / "passwords.json")
        self.databases = {
            region: Postgres(
                Place(
                    name=f"db-{region}",
                    directory=land.directory / "data" / region,
                    address=land.network.address(f"db-{region}"),
                    passwords=passwords,
                    account=land.account,
                ),
                land.processes,
            )
            for region in (HOME, AWAY)
        }
        self.databases[HOME].create(OWNER)
        self.databases[AWAY].clone_from(self.databases[HOME].source())
        self.databases[AWAY].start()
        self.lead_to(HOME)

    def lead_to(self, region: str) -> None:
        """Let the shop's name lead to a region."""
        names = {f"db.{each}.example.com": server.place.address for each, server in self.databases.items()}
        names[HOST] = self.sites.address(region)
        self.zone.text = "\n".join(f"{name}. 0 IN A {address}" for name, address in names.items())

    def config(self, region: str, **changes: float) -> SiteConfig:
        credentials = Credentials(
            host=f"db.{region}.example.com", port=5432, user="shop_owner", password=PASSWORD, database="shop"
        )
        usual = SiteConfig(credentials=credentials, hosts=(f"{region}.{HOST}",), request_timeout=5.0)
        return dataclasses.replace(usual, **changes)

    def start(self, region: str, **changes: float) -> None:
        self.sites.start(region, self.config(region, **changes))
        listening(self.sites, region)

    def numbers(self, region: str, client: str) -> list[int]:
        """What a region's database has of a client."""
        with self.databases[region].connect(dbname="shop") as connection:
            rows = connection.execute("SELECT number FROM orders WHERE client = %s ORDER BY 1", [client]).fetchall()
        return [number for (number,) in rows]

    def connect(self, region: str) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.sites.address(region), HTTP_PORT, timeout=20)

    def ask(self, region: str, method: str, path: str, body: object = None) -> Answer:
        with contextlib.closing(self.connect(region)) as connection:
            return ask(connection, method, path, body)

    def order(self, region: str, client: str, number: int) -> Answer:
        return self.ask(region, "POST", "/orders", {"client": client, "number": number, "payload": {"n": number}})


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: object = None) -> Answer:
    """One request on a connection."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body)
    connection.request(method, path, data)
    response = connection.getresponse()
    return Answer(response.status, dict(response.headers), json.loads(response.read()))


@contextlib.contextmanager
def shop() -> Iterator[Shop]:
    """A shop whose databases run and whose sites do not yet."""
    with farm() as land:
        zone = Zone()
        with serve(zone, land.network.name_server):
            yield Shop(land, zone)
