"""Clients' files of what they were told, as the drill reads them while they grow."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from lifeboat.recovery.drill.history import Acknowledgement
from lifeboat.recovery.drill.measure import Known, Write
from lifeboat.sandbox.live.client_history import Attempt

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Source:
    """One client's file.

    Attributes:
        path: JSON lines of `lifeboat.sandbox.live.client_history.Attempt`.
        store: What the client writes to, such as ``database orders``.
        honours_ttl: As `Write` has it.
    """

    path: Path
    store: str
    honours_ttl: bool


@dataclass(frozen=True, kw_only=True)
class Told:
    """One line of a client's file.

    Attributes:
        write: As it is measured.
        committed: It was written then, as the site said, and not found to be there from an earlier attempt.
    """

    write: Write
    committed: bool


class Tail:
    """Reads files as far as they are written, each line once.

    Args:
        sources: The files; one that is not there so far is read once it is.
    """

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = tuple(sources)
        self._read: dict[Path, int] = {}
        self._told: list[Told] = []

    def told(self) -> list[Told]:
        """Every whole line so far, file by file as they were read.

        Raises:
            ValueError: when a line is no client's.
        """
        for source in self._sources:
            self._told += self._new(source)
        return list(self._told)

    def _new(self, source: Source) -> list[Told]:
        try:
            with source.path.open("rb") as file:
                file.seek(self._read.get(source.path, 0))
                whole, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        self._read[source.path] = self._read.get(source.path, 0) + len(whole) + len(newline)
        return [_told(Attempt.load(line), source) for line in whole.decode().splitlines()]


def _told(attempt: Attempt, source: Source) -> Told:
    write = Write(
        client=attempt.client,
        store=source.store,
        number=attempt.number,
        sent=attempt.sent_monotonic,
        answered=attempt.answered_monotonic,
        known=Known(attempt.outcome.value),
        epoch=attempt.epoch,
        honours_ttl=source.honours_ttl,
        site=attempt.site,
    )
    return Told(write=write, committed=attempt.status == HTTPStatus.CREATED)


def acknowledgements(told: Iterable[Told], store: str) -> list[Acknowledgement]:
    """What a history of one store's writers is proven from.

    An order that was sent again and found to be there is left out: whoever answers then tells the epoch in which it was
    committed, perhaps by another site.
    """
    return [
        Acknowledgement(
            epoch=each.write.epoch,
            site=each.write.site,
            began=each.write.sent,
            ended=each.write.answered,
            write=f"{each.write.client}/{each.write.number}",
        )
        for each in told
        if each.committed
        and each.write.store == store
        and each.write.known is Known.ACKNOWLEDGED
        and each.write.epoch is not None
        and each.write.site is not None
    ]
