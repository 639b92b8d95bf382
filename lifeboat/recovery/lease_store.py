"""What keeps the lease: one record that is only ever replaced on condition, and a view of each warden beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lifeboat.recovery.lease_record import LeaseRecord

DEADLINE: Final = 5.0
"""Seconds that one place of a store has to answer; real seconds, which no time scale divides."""
PATIENCE: Final = 2.0
"""Seconds for which a place that answers, and says: later, is asked again; real ones too."""
_ATTEMPTS: Final = 20


class StoreError(Exception):
    """The store did not do what was asked; its text is one line for the user."""


class Conflict(StoreError):  # noqa: N818 - an outcome that callers expect, not a fault
    """Somebody else wrote since this record was read; nothing was written."""


class Unreachable(StoreError):  # noqa: N818 - the same
    """No place of the store answered in time. A write may or may not have been made."""


class Absent(StoreError):  # noqa: N818 - the same
    """The store answers, and holds no lease."""


@dataclass(frozen=True, kw_only=True)
class Versioned:
    """A record as it was read or written.

    Attributes:
        version: Counts accepted changes, from 1.
        record: What it says.
        token: What the store compares before it replaces; only the store reads it.
        aside: The pulse of what the holder renews where the store's own place does not answer; empty when there is no
            such thing; None when it was not asked, or did not answer.
    """

    version: int
    record: LeaseRecord
    token: str = ""
    aside: str | None = ""


class LeaseStore(Protocol):
    """A linearisable register: a read sees every write that ended before it began."""

    def read(self) -> Versioned:
        """What holds now.

        Raises:
            Unreachable: when no place answers in time.
            Absent: when there is no lease so far.
        """
        ...

    def create(self, record: LeaseRecord) -> Versioned:
        """Write the first record.

        Raises:
            Conflict: when there is one.
            Unreachable: when no place answers in time.
        """
        ...

    def replace(self, seen: Versioned, record: LeaseRecord) -> Versioned:
        """Write a record in place of the one that was read, if that still holds.

        Raises:
            Conflict: when another holds by now.
            Unreachable: when no place answers in time: it may have been written all the same.
        """
        ...


class HolderStore(LeaseStore, Protocol):
    """The register as its holder reaches it."""

    def read_to_renew(self, site: str) -> Versioned:
        """What holds now, for the site's own renewal and for nothing else.

        Where the store's own place does not answer, it may be what held when that was renewed last: enough to renew
        it, and too old for any other decision.

        Args:
            site: Who renews.

        Raises:
            Unreachable: when no place answers in time that the site could renew by.
            Absent: when there is no lease so far.
        """
        ...


class ViewStore(Protocol):
    """Texts of the wardens, one a region; the latest one wins."""

    def publish(self, region: str, text: str) -> None:
        """Replace a region's text.

        Raises:
            Unreachable: when no place answers in time.
        """
        ...

    def views(self) -> Mapping[str, str]:
        """Every region's text.

        Raises:
            Unreachable: when no place answers in time.
        """
        ...


def change(store: LeaseStore, transition: Callable[[LeaseRecord], LeaseRecord]) -> Versioned:
    """Make a transition on whatever holds now; again when somebody else wrote meanwhile.

    Only for changes that stay right whatever was written between: not for `take`, which is decided by one record.

    Args:
        store: Where.
        transition: From the record that holds to the one that shall; what it raises is passed on.

    Raises:
        StoreError: as the store's, or when others write faster than this.
    """
    for _ in range(_ATTEMPTS):
        seen = store.read()
        wanted = transition(seen.record)
        if wanted == seen.record:
            return seen
        try:
            return store.replace(seen, wanted)
        except Conflict:
            continue
    raise StoreError(f"the lease was changed by others {_ATTEMPTS} times in a row: try again")
