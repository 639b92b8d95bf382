"""A world with a primary, a replica in another region behind a real link, and a site; all of them real servers."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import psycopg

from lifeboat.sandbox.gateway.conditions import Conditions
from lifeboat.sandbox.live.bare_world import NoServers
from lifeboat.sandbox.live.clocks import Clocks
from lifeboat.sandbox.live.fault_world import OUTSIDE
from lifeboat.sandbox.live.links import Links
from lifeboat.sandbox.live.network import HTTP_PORT, POSTGRES_PORT
from lifeboat.sandbox.live.postgres import Postgres
from lifeboat.sandbox.live.postgres_setup import Owner, Passwords, Place, Source
from lifeboat.sandbox.live.site_store import Credentials
from lifeboat.sandbox.live.sites import SiteConfig, Sites
from lifeboat.sandbox.live.world_parts import BreakableSites
from tests.live.farm import Farm, farm
from tests.live.listening import listening

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

EAST, WEST = "us-east-1", "us-west-2"
PRIMARY, REPLICA = f"{EAST}/db/orders", f"{WEST}/db/orders"
OWNER = Owner(user="shop_owner", password="secret", database="shop")


class Servers:
    """Databases by key, without moto: nobody but faults starts or ends them."""

    def __init__(self, found: dict[str, Postgres], sources: dict[str, str]) -> None:
        self.found = found
        self.sources = sources

    def keys(self, region: str) -> Sequence[str]:
        return sorted(key for key in self.found if key.startswith(f"{region}/"))

    def hold(self, key: str) -> None:
        self.found[key].thaw()
        self.found[key].kill()
        # The keeper tells a moment later; nobody may take it for running until then.
        self.found[key].stop("immediate")

    def release(self, key: str) -> None:
        if self.found[key].pid is None:
            self.found[key].start()

    def freeze(self, key: str) -> None:
        self.found[key].freeze()

    def thaw(self, key: str) -> None:
        self.found[key].thaw()

    def source_region(self, key: str) -> str | None:
        return self.sources.get(key)

    def directory(self, key: str) -> Path:
        return self.found[key].place.directory

    def pids(self, key: str) -> Sequence[int]:
        return self.found[key].pids()

    def connect(self, key: str, dbname: str) -> psycopg.Connection[tuple[Any, ...]]:
        return self.found[key].connect(dbname=dbname)


class Stage:
    """The world, and what a client does in it."""

    def __init__(self, made: Farm) -> None:
        self.farm = made
        self.directory = made.directory
        self.regions = [EAST, WEST]
        self.conditions = Conditions()
        self.clocks = Clocks(made.directory)
        self.links = Links(made.directory, made.network, made.processes)
        self.links.start()
        self.caches = self.wardens = NoServers()
        self.primary, self.replica = self._server("primary"), self._server("replica")
        self.primary.create(OWNER)
        way = self.links.open("replica", EAST, WEST, self.primary.place.address, POSTGRES_PORT)
        self.replica.clone_from(Source(way, POSTGRES_PORT))
        self.replica.start()
        self.databases = Servers({PRIMARY: self.primary, REPLICA: self.replica}, {REPLICA: EAST})
        places = Sites(made.directory, made.network, made.processes)
        self.sites = BreakableSites(places)
        credentials = Credentials(
            host=self.primary.place.address, port=POSTGRES_PORT, user=OWNER.user, password="secret", database="shop"
        )
        places.start(EAST, SiteConfig(credentials=credentials))
        listening(places, EAST)
        self.site_address = self.links.open("site", EAST, OUTSIDE, places.address(EAST), HTTP_PORT)
        with self.login() as connection:
            connection.execute("CREATE TABLE orders (number bigint PRIMARY KEY, filler text STORAGE EXTERNAL)")

    def _server(self, name: str) -> Postgres:
        place = Place(
            name=name,
            directory=self.directory / "data" / name,
            address=self.farm.network.address(name),
            passwords=Passwords.kept_in(self.directory / "passwords.json"),
            account=self.farm.account,
        )
        return Postgres(place, self.farm.processes)

    def login(self, server: Postgres | None = None) -> psycopg.Connection[tuple[Any, ...]]:
        place = (server or self.primary).place
        return psycopg.connect(
            host=place.address,
            port=place.port,
            user=OWNER.user,
            password=OWNER.password,
            dbname=OWNER.database,
            connect_timeout=2,
            autocommit=True,
        )

    def write(self, *numbers: int, bytes_each: int = 1) -> None:
        with self.login() as connection:
            rows = [(number, "x" * bytes_each) for number in numbers]
            connection.cursor().executemany("INSERT INTO orders VALUES (%s, %s)", rows)

    def read(self, server: Postgres | None = None) -> set[int]:
        with self.login(server) as connection:
            return {row[0] for row in connection.execute("SELECT number FROM orders")}

    def close(self) -> None:
        self.links.stop()


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    with farm() as made:
        found = Stage(made)
        try:
            yield found
        finally:
            found.close()
