"""Somebody who breaks the simulated world, by its own chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.recovery.lease_parts import REGIONS, SITES, STORE, WITNESS

if TYPE_CHECKING:
    from tests.unit.recovery.lease_world import City


def break_things(city: City, until: float) -> None:
    """Schedule what goes wrong, from the world's own chance."""
    chance = city.world.random
    now = 80.0
    while now < until:
        act = chance.choice((partition, isolate, freeze, freeze, crash, lose, usurp, usurp))
        act(city, now, chance.uniform(3, 180))
        now += chance.uniform(20, 160)


def partition(city: City, when: float, seconds: float) -> None:
    """One way is cut: between two regions, or from one to the store."""
    first = city.world.random.choice(REGIONS)
    second = city.world.random.choice([*(region for region in REGIONS if region != first), city.keeps, city.keeps])
    city.world.at(when, lambda: city.network.cut.update({frozenset((first, second)): when + seconds}))


def usurp(city: City, when: float, seconds: float) -> None:
    """The holder loses the store alone, and at that moment a person decides that the other site takes over."""

    def begin() -> None:
        record = city.kept.record if city.kept else None
        if record is None or record.holder is None:
            return
        city.network.cut[frozenset((record.holder, city.keeps))] = when + seconds
        target = next(site for site in SITES if site != record.holder)
        city.world.begin(city.desk, lambda: city.run_failover(WITNESS, target, None, patience=150.0))

    city.world.at(when, begin)


def isolate(city: City, when: float, seconds: float) -> None:
    """A region reaches nothing, and its service goes on for whoever is inside."""
    region = city.world.random.choice(REGIONS)
    for other in (*(each for each in REGIONS if each != region), STORE):
        way = frozenset((region, other))
        city.world.at(when, lambda way=way: city.network.cut.update({way: when + seconds}))


def freeze(city: City, when: float, seconds: float) -> None:
    """A warden, a site's service or both stand still, and wake up as if nothing had been."""
    region = city.world.random.choice(REGIONS)
    both = [city.machines[region], *([city.sites[region].host] if region in city.sites else [])]
    for machine in city.world.random.choice((both, both[:1], both[1:])):
        city.world.at(when, lambda machine=machine: setattr(machine, "frozen_until", when + seconds))


def crash(city: City, when: float, seconds: float) -> None:
    """A warden ends without a word, and is started again."""
    region = city.world.random.choice(REGIONS)
    city.world.at(when, city.machines[region].crash)
    city.world.at(when + seconds, lambda: city.start_warden(region))


def lose(city: City, when: float, seconds: float) -> None:
    """A region: its service, its database, its warden and every way to it."""
    region = city.world.random.choice(SITES)
    site = city.sites[region]

    def down() -> None:
        city.machines[region].crash()
        site.up = False
        site.sessions += 1
        for other in (*(each for each in REGIONS if each != region), STORE):
            city.network.cut[frozenset((region, other))] = when + seconds

    def back() -> None:
        site.up = True
        city.start_warden(region)

    city.world.at(when, down)
    city.world.at(when + seconds, back)
