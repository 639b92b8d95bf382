"""A world that is played: a clock that moves when somebody waits, and what happens then as a test says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lifeboat.recovery.drill.measure import Known
from lifeboat.recovery.drill.world import DrillError, Ran, Restored
from lifeboat.recovery.lease_record import LeaseRecord
from tests.unit.recovery.drill.parts import DATABASE, HOME, STANDBY, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lifeboat.recovery.drill.histories import Told
    from lifeboat.recovery.drill.measure import Order
    from lifeboat.recovery.drill.workload import Load
    from lifeboat.recovery.journal import Entry

STORES = {DATABASE: "order", "cache sessions": "key", "objects uploads": "object"}


@dataclass
class PlayedWorld:
    """A stack whose clients write once a second while somebody takes writes.

    Attributes:
        after: What happens so many seconds after the fault.
        answers: Exit codes of a command, by its first word, one a call; 0 when none is left.
        codes: The same, told by what a command does to the world.
        lease_lost: Nobody can read the lease.
        journal_lost: Nobody can read the journal.
        log: What was done to it, in order.
    """

    after: dict[float, Callable[[PlayedWorld], None]] = field(
        default_factory=dict[float, "Callable[[PlayedWorld], None]"]
    )
    answers: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    commands: dict[str, Callable[[PlayedWorld], None]] = field(
        default_factory=dict[str, "Callable[[PlayedWorld], None]"]
    )
    codes: dict[str, Callable[[PlayedWorld], int]] = field(default_factory=dict[str, "Callable[[PlayedWorld], int]"])
    resists: bool = False
    lease_lost: bool = False
    journal_lost: bool = False
    starts: bool = True
    log: list[str] = field(default_factory=list[str])
    journal: list[Entry] = field(default_factory=list["Entry"])
    ledger: list[Mapping[str, Any]] = field(default_factory=list["Mapping[str, Any]"])
    gone: set[Order] = field(default_factory=set["Order"])
    left: set[str] = field(default_factory=set[str])
    taken: set[str] = field(default_factory=set[str])
    commanded: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    now: float = 1000.0
    fault: float | None = None
    number: int = 0
    writes: list[Told] = field(default_factory=list["Told"])
    holder: LeaseRecord = field(default_factory=lambda: LeaseRecord.first(HOME, 60))
    serves: bool = True

    def start(self) -> None:
        self.log.append("start")
        if not self.starts:
            raise DrillError("the sandbox does not come up")

    def stop(self) -> None:
        self.log.append("stop")

    def clock(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now + 1_000_000

    def wait(self, seconds: float) -> None:
        self.now += seconds
        for at in sorted(self.after):
            if self.fault is not None and self.now - self.fault >= at:
                self.after.pop(at)(self)
        if self.serves:
            self.number += 1
            for store in STORES:
                self._write("ttl", store)
            self._write("keepalive", DATABASE)

    def _write(self, client: str, store: str) -> None:
        epoch, site = self.holder.epoch, self.holder.holder
        line = told(self.number, self.now, epoch=epoch, site=site, client=client, store=store)
        self.writes.append(line)

    def move(self, to: str) -> None:
        """Begin another epoch."""
        self.holder = LeaseRecord(epoch=self.holder.epoch + 1, holder=to, owner="", ttl=60, serving=to)
        self.serves = True

    def lease(self) -> LeaseRecord | None:
        return None if self.lease_lost else self.holder

    def entries(self) -> Sequence[Entry]:
        if self.journal_lost:
            raise DrillError("the journal cannot be read: no answer")
        return list(self.journal)

    def inject(self, documents: Sequence[Mapping[str, Any]]) -> str:
        kinds = "+".join(document["kind"] for document in documents)
        self.log.append(f"inject {kinds}")
        if not kinds.startswith("api-"):
            self.fault = self.now
            self.serves = kinds != "region-blackout"
        return kinds

    def heal(self, identifier: str) -> None:
        self.log.append(f"heal {identifier}")
        self.serves = True
        if self.resists:
            raise DrillError("not all is healed")

    def workload(self, directory: Path, load: Load) -> PlayedWorld.Clients:
        del directory
        self.log.append(f"workload {load.rate:g}/s")
        return PlayedWorld.Clients(self)

    def command(self, *words: str) -> Ran:
        self.log.append(" ".join(words[:2]))
        self.commanded.append(words)
        code = self.answers.get(words[0], [])
        result = code.pop(0) if code else 0
        if words[0] in self.codes:
            result = self.codes[words[0]](self)
        if result == 0 and words[0] in self.commands:
            self.commands[words[0]](self)
        return Ran(code=result, lines=(f"{words[0]} said so",))

    def found(self, region: str) -> Mapping[str, frozenset[Order]]:
        self.log.append(f"read {region}")
        kept = {store: set[tuple[str, int]]() for store in STORES}
        for each in self.writes:
            if each.write.known is Known.ACKNOWLEDGED and each.write.order not in self.gone:
                kept[each.write.store].add(each.write.order)
        return {store: frozenset(orders) for store, orders in kept.items()}

    def restore(self, until: float) -> Restored:
        self.log.append("restore")
        before = until - 1_000_000
        found = frozenset(each.write.order for each in self.writes if each.write.answered <= before) - self.gone
        return Restored(store="orders", found=found, seconds=4.0, removed=True)

    def calls(self) -> Sequence[Mapping[str, Any]]:
        return self.ledger

    def inventory(self) -> frozenset[str]:
        there = {f"{HOME} rds cluster orders", f"{STANDBY} rds cluster orders"}
        return frozenset((there | self.left) - self.taken)

    class Clients:
        """The workload."""

        def __init__(self, world: PlayedWorld) -> None:
            self._world = world

        def told(self) -> Sequence[Told]:
            return list(self._world.writes)

        def ended(self) -> list[str]:
            return []

        def stop(self) -> None:
            self._world.log.append("stop workload")
