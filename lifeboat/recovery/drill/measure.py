"""What clients saw of a drill, as numbers: recovery time, stragglers, downtime, and what of the acknowledged is gone.

Everything is under one clock: the monotonic clock of the machine that the drill runs on. Nothing is scaled here; who
rehearses at a time scale scales durations back before holding them against an objective.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence


Order: TypeAlias = tuple[str, int]
"""A client and the number of one of its writes."""


class Known(StrEnum):
    """What a client knows of one write."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """It left, and no answer says what became of it."""


@dataclass(frozen=True, kw_only=True)
class Write:
    """One time that a client sent one numbered write. Times are monotonic seconds."""

    client: str
    store: str
    """What it was written to, such as ``orders``."""
    number: int
    sent: float
    answered: float
    known: Known
    epoch: int | None
    """The lease's epoch that it was committed in, where the answer tells."""
    honours_ttl: bool
    """Whether the client looks names up as the TTL demands; otherwise it keeps its connections."""
    site: str | None = None
    """The region that answered; None when none did."""

    @property
    def order(self) -> Order:
        """Which write it is, whatever store took it: client and number."""
        return self.client, self.number


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What one store lost of what it had acknowledged."""

    store: str
    acknowledged: int
    """Writes that were acknowledged."""
    lost_orders: frozenset[Order]
    """Those of them that are not there after the recovery."""
    seconds: float
    """From the oldest of the lost acknowledgements to the fault, or to the last of them; 0 when none is lost."""
    unknown: int
    """Writes of which the client knows nothing. They are no loss, and no success either."""
    unknown_kept: int
    """Those of them that are there."""

    @property
    def lost(self) -> int:
        """How many are lost."""
        return len(self.lost_orders)


@dataclass(frozen=True, kw_only=True)
class Inconsistency:
    """Numbers that one store has and another, which was written the same ones, has not."""

    one: str
    other: str
    only_in_one: int
    only_in_other: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What clients measured; seconds, None where it never came to that."""

    rto: float | None
    """From the fault to the first durable write through DNS: the first acknowledgement, in a later epoch than those
    before the fault, of a client that honours the TTL."""
    last_straggler: float | None
    """From the fault until every client had its first acknowledgement of a later epoch."""
    downtime: float | None
    """The longest time without any acknowledgement, between the last before the recovery and the first after."""
    losses: tuple[Loss, ...]
    inconsistencies: tuple[Inconsistency, ...]
    refused: int
    """Writes that were refused after the fault."""

    @property
    def lost(self) -> int:
        """Acknowledged writes lost, of all stores."""
        return sum(loss.lost for loss in self.losses)

    @property
    def rpo(self) -> float:
        """Seconds of the store that lost most."""
        return max((loss.seconds for loss in self.losses), default=0.0)


def measure(writes: Iterable[Write], *, fault: float, found: Mapping[str, Collection[Order]], store: str) -> Measured:
    """Judge a drill by its clients' histories.

    Args:
        writes: Every attempt of every client.
        fault: When the fault began, monotonic seconds.
        found: By store, what is there after the recovery.
        store: The one whose acknowledgements tell that the service is back: the others follow its writer.
    """
    known = sorted(writes, key=lambda write: write.answered)
    durable = [write for write in known if write.store == store and write.known is Known.ACKNOWLEDGED]
    before = max((write.epoch or 0 for write in durable if write.answered <= fault), default=0)
    later = [write for write in durable if write.answered > fault and (write.epoch or 0) > before]
    firsts: dict[str, float] = {}
    for write in later:
        firsts.setdefault(write.client, write.answered - fault)
    clients = {write.client for write in known if write.store == store}
    through_dns = [write.answered - fault for write in later if write.honours_ttl]
    return Measured(
        rto=min(through_dns, default=None),
        last_straggler=max(firsts.values()) if clients and firsts.keys() == clients else None,
        downtime=_downtime(durable, later),
        losses=tuple(_loss(name, known, fault, kept) for name, kept in sorted(found.items())),
        inconsistencies=tuple(_inconsistencies(known, fault, found)),
        refused=sum(write.known is Known.REFUSED and write.sent >= fault for write in known),
    )


def _downtime(durable: Sequence[Write], later: Sequence[Write]) -> float | None:
    """The longest silence that ends with, or before, the first acknowledgement of the new epoch."""
    if not later:
        return None
    times = [write.answered for write in durable if write.answered <= later[0].answered]
    return max((after - before for before, after in pairwise(times)), default=None)


def _loss(store: str, writes: Sequence[Write], fault: float, found: Collection[Order]) -> Loss:
    """What became of a store's writes; of several attempts at one, an acknowledgement outweighs the others."""
    own = [write for write in writes if write.store == store]
    acknowledged: dict[Order, float] = {}
    for write in own:
        if write.known is Known.ACKNOWLEDGED:
            acknowledged.setdefault(write.order, write.answered)
    unknown = {write.order for write in own if write.known is Known.UNKNOWN} - acknowledged.keys()
    kept = frozenset(found)
    lost = {order: at for order, at in acknowledged.items() if order not in kept}
    return Loss(
        store=store,
        acknowledged=len(acknowledged),
        lost_orders=frozenset(lost),
        # A site that was cut off may have gone on for a while: what it acknowledged then is lost all the same.
        seconds=max(fault, *lost.values()) - min(lost.values()) if lost else 0.0,
        unknown=len(unknown),
        unknown_kept=len(unknown & kept),
    )


def _inconsistencies(
    writes: Sequence[Write], fault: float, found: Mapping[str, Collection[Order]]
) -> Iterable[Inconsistency]:
    """Between stores that the same clients wrote the same numbers to, and both acknowledged before the fault."""
    acknowledged: dict[str, set[Order]] = defaultdict(set)
    for write in writes:
        if write.known is Known.ACKNOWLEDGED and write.answered <= fault:
            acknowledged[write.store].add(write.order)
    for one, other in combinations(sorted(found), 2):
        both = acknowledged[one] & acknowledged[other]
        first, second = both & frozenset(found[one]), both & frozenset(found[other])
        yield Inconsistency(one=one, other=other, only_in_one=len(first - second), only_in_other=len(second - first))
