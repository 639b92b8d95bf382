"""Answers a question from a snapshot and the health of its checks, as Route 53 would; without any I/O.

A client of the sandbox asks one server for everything, so chains are followed to their end, over zones and into the
host names that AWS would answer for. Where Route 53 looks at who asks (latency, geography), nobody is anywhere here:
the first healthy record in the order of set identifiers answers.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from lifeboat.sandbox.live.zone import Record, canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lifeboat.sandbox.live.zone import Snapshot, Zone

_CHAIN: Final = 16
"""CNAMEs and aliases that are followed; more is a loop."""
_MULTIVALUE: Final = 8
"""Records that Route 53 puts into one multivalue answer."""


class Rcode(IntEnum):
    """The response codes that are used."""

    NOERROR = 0
    SERVFAIL = 2
    NXDOMAIN = 3
    REFUSED = 5


@dataclass(frozen=True)
class Row:
    """One resource record of an answer; `ttl` in seconds."""

    name: str
    type: str
    ttl: int
    value: str


@dataclass(frozen=True)
class Answer:
    """What a question is answered with."""

    rcode: Rcode
    rows: tuple[Row, ...] = ()
    authority: tuple[Row, ...] = ()
    authoritative: bool = True
    follow: str | None = None
    """Where the last row, a CNAME, leads to."""


@dataclass(frozen=True)
class _Names:
    """One zone by name."""

    apex: str
    records: dict[str, list[Record]]
    existing: frozenset[str]
    """Every name with records or hosts, and every name above one."""


class RoutingTable:
    """A snapshot, ordered for questions.

    Args:
        snapshot: Zones and host names.
        chance: Decides between weighted records, and which multivalue records answer.
    """

    def __init__(self, snapshot: Snapshot, chance: random.Random | None = None) -> None:
        self._hosts = {canonical(name): address for name, address in snapshot.hosts.items()}
        self._host_ttl = snapshot.host_ttl
        self._zones = {zone.name: _order(zone, self._hosts) for zone in snapshot.zones}
        self._chance = chance or random.Random()  # noqa: S311 - no secret

    def resolve(self, name: str, kind: str, healthy: Callable[[str], bool]) -> Answer:
        """Answer a question.

        Args:
            name: What is asked for.
            kind: The record type, such as ``A``.
            healthy: Whether the health check of an ID is healthy.
        """
        here, rows = canonical(name), tuple[Row, ...]()
        for _ in range(_CHAIN):
            found = self._find(here, kind, healthy, _CHAIN)
            rows += found.rows
            if found.follow is not None:
                here = canonical(found.follow)
            elif rows and found.rcode is Rcode.REFUSED:
                # The chain leaves what is known here.
                return Answer(Rcode.NOERROR, rows)
            else:
                return replace(found, rows=rows)
        return Answer(Rcode.SERVFAIL)

    def address(self, name: str, healthy: Callable[[str], bool]) -> str | None:
        """The first IPv4 address of a name, None when it has none."""
        rows = self.resolve(name, "A", healthy).rows
        return next((row.value for row in rows if row.type == "A"), None)

    def _find(self, name: str, kind: str, healthy: Callable[[str], bool], depth: int) -> Answer:
        """The records of one name; `depth` is how many aliases may still be followed."""
        zone = self._zone(name)
        if zone is None:
            address = self._host(name)
            return Answer(Rcode.REFUSED) if address is None else self._host_answer(name, kind, address)
        cut = _cut(zone, name)
        if cut is not None:
            return Answer(Rcode.NOERROR, authority=cut, authoritative=False)
        records = self._records(zone, name)
        if records is None:
            return self._absent(zone, name, kind)
        rows = self._answering(records, name, kind, healthy, depth)
        if not rows:
            return Answer(Rcode.NOERROR, authority=_negative(zone))
        leads = rows[-1].type == "CNAME" and kind != "CNAME"
        return Answer(Rcode.NOERROR, rows, follow=rows[-1].value if leads else None)

    def _records(self, zone: _Names, name: str) -> Sequence[Record] | None:
        """A name's own records, or the wildcard's that stands for it; None when there are none."""
        if name in zone.records or name in zone.existing or self._host(name) is not None:
            return zone.records.get(name)
        return _wildcard(zone, name)

    def _absent(self, zone: _Names, name: str, kind: str) -> Answer:
        """The answer for a name without records: a host's address, or that there is nothing."""
        address = self._host(name)
        if address is not None and kind == "A":
            return self._host_answer(name, kind, address)
        exists = address is not None or name in zone.existing
        return Answer(Rcode.NOERROR if exists else Rcode.NXDOMAIN, authority=_negative(zone))

    def _answering(
        self, records: Sequence[Record], name: str, kind: str, healthy: Callable[[str], bool], depth: int
    ) -> tuple[Row, ...]:
        """What a name's records answer; a CNAME answers for every type that has no record of its own."""
        matching = [record for record in records if record.type == kind]
        matching = matching or [record for record in records if record.type == "CNAME"]
        chosen = self._choose(matching, healthy)
        return tuple(row for record in chosen for row in self._rows(record, name, healthy, depth))

    def _rows(self, record: Record, name: str, healthy: Callable[[str], bool], depth: int) -> tuple[Row, ...]:
        if record.alias is None:
            return tuple(Row(name, record.type, record.ttl, value) for value in record.values)
        if depth == 0:
            return ()
        target = self._find(canonical(record.alias.name), record.type, healthy, depth - 1)
        # An alias answers in its own name with what its target says.
        return tuple(replace(row, name=name) for row in target.rows if row.type == record.type)

    def _zone(self, name: str) -> _Names | None:
        """The zone that answers for a name: the one with the longest name."""
        return next((self._zones[above] for above in _upward(name) if above in self._zones), None)

    def _host_answer(self, name: str, kind: str, address: str) -> Answer:
        rows = (Row(name, "A", self._host_ttl, address),) if kind == "A" else ()
        return Answer(Rcode.NOERROR, rows)

    def _host(self, name: str) -> str | None:
        if name in self._hosts:
            return self._hosts[name]
        return next((self._hosts[f"*.{above}"] for above in _upward(name)[1:] if f"*.{above}" in self._hosts), None)

    def _choose(self, records: Sequence[Record], healthy: Callable[[str], bool]) -> Sequence[Record]:
        """The records of one name and type that answer now."""
        if not records or records[0].identifier is None:
            return records[:1]
        alive = [record for record in records if self._alive(record, healthy, _CHAIN)]
        if records[0].failover is not None:
            return _failover(records, alive)
        if records[0].weight is not None:
            return self._weighted(records, alive)
        # With nothing healthy Route 53 answers as if all were.
        candidates = alive or list(records)
        if records[0].multivalue:
            return self._chance.sample(candidates, min(_MULTIVALUE, len(candidates)))
        return sorted(candidates, key=lambda record: record.identifier or "")[:1]

    def _weighted(self, records: Sequence[Record], alive: Sequence[Record]) -> Sequence[Record]:
        # Weightless records answer when no other can.
        candidates = alive or records
        heavy = [record for record in candidates if record.weight]
        if heavy:
            return self._chance.choices(heavy, [record.weight or 0 for record in heavy])
        return [self._chance.choice(candidates)]

    def _alive(self, record: Record, healthy: Callable[[str], bool], depth: int) -> bool:
        """Whether a record may answer; one without a health check always may."""
        if record.health_check is not None and not healthy(record.health_check):
            return False
        if record.alias is None or not record.alias.evaluate or depth == 0:
            return True
        target = canonical(record.alias.name)
        zone = self._zone(target)
        behind = [] if zone is None else [other for other in zone.records.get(target, ()) if other.type == record.type]
        return not behind or any(self._alive(other, healthy, depth - 1) for other in behind)


def _failover(records: Sequence[Record], alive: Sequence[Record]) -> Sequence[Record]:
    """Route 53's rule: the primary when it is healthy, else the secondary when that is, else the primary."""
    for rank, candidates in (("PRIMARY", alive), ("SECONDARY", alive), ("PRIMARY", records)):
        chosen = [record for record in candidates if record.failover == rank]
        if chosen:
            return chosen[:1]
    return records[:1]


def _order(zone: Zone, hosts: dict[str, str]) -> _Names:
    records: dict[str, list[Record]] = {}
    for record in zone.records:
        records.setdefault(record.name, []).append(record)
    named = [*records, *(host.removeprefix("*.") for host in hosts)]
    existing = frozenset(
        above for name in named for above in _upward(name) if above == zone.name or above.endswith(f".{zone.name}")
    )
    return _Names(zone.name, records, existing)


def _upward(name: str) -> list[str]:
    """A name and every name above it, ``a.b.c``, ``b.c``, ``c``."""
    labels = name.split(".")
    return [".".join(labels[position:]) for position in range(len(labels))]


def _wildcard(zone: _Names, name: str) -> list[Record] | None:
    """The wildcard below the closest name that exists."""
    for above in _upward(name)[1:]:
        if f"*.{above}" in zone.records:
            return zone.records[f"*.{above}"]
        if above in zone.existing:
            return None
    return None


def _cut(zone: _Names, name: str) -> tuple[Row, ...] | None:
    """The name servers that a part of the zone is delegated to, when `name` is in such a part."""
    for above in _upward(name):
        if above == zone.apex:
            return None
        for record in zone.records.get(above, ()):
            if record.type == "NS":
                return tuple(Row(above, "NS", record.ttl, value) for value in record.values)
    return None


def _negative(zone: _Names) -> tuple[Row, ...]:
    """The zone's SOA, with the seconds that a client may remember a name's absence for."""
    for record in zone.records.get(zone.apex, ()):
        if record.type == "SOA" and record.values:
            minimum = int(record.values[0].split()[-1])
            return (Row(zone.apex, "SOA", min(record.ttl, minimum), record.values[0]),)
    return ()
