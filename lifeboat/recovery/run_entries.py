"""What the entries of one run tell about it, all of them or those so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.recovery.journal import Event
from lifeboat.recovery.run_state import Consent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lifeboat.recovery.journal import Entry

ABORTING = "aborting"
"""The detail of an entry by which a run began to be taken back."""


def opening(entries: Sequence[Entry]) -> Entry | None:
    """How the run began; None when it did not, such as one that was refused."""
    return next((entry for entry in entries if entry.event is Event.OPENED), None)


def consent_of(entries: Sequence[Entry]) -> Consent | None:
    """Who agreed to the run; None when it did not begin."""
    opened = opening(entries)
    if opened is None:
        return None
    by = str(opened.detail.get("by", ""))
    return Consent(by=tuple(filter(None, by.split(","))), loss=bool(opened.detail.get("loss")))


def result_of(entries: Sequence[Entry]) -> str | None:
    """How the run ended; None when it is not over."""
    if not entries or entries[-1].event is not Event.ENDED:
        return None
    return str(entries[-1].detail.get("result"))


def is_aborting(entries: Sequence[Entry]) -> bool:
    """Whether somebody began to take the run back."""
    return any(entry.event is Event.OPENED and entry.detail.get(ABORTING) for entry in entries)


def done(entries: Sequence[Entry]) -> Mapping[str, Entry]:
    """Steps that ended well and were not taken back since, each by the entry that says so."""
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry.step and entry.event is Event.DONE:
            found[entry.step] = entry
        elif entry.step and entry.event is Event.UNDONE:
            found.pop(entry.step, None)
    return found


def to_take_back(entries: Sequence[Entry]) -> Sequence[str]:
    """Steps that began and were neither taken back nor found to stand, the latest first."""
    gone = {entry.step for entry in entries if entry.event in {Event.UNDONE, Event.STANDS}}
    begun = [entry.step for entry in entries if entry.event is Event.STARTED and entry.step]
    return [key for key in dict.fromkeys(reversed(begun)) if key not in gone]


def said(ended: Mapping[str, Entry]) -> dict[str, str]:
    """What each step said when it ended, by key, of what `done` gives."""
    return {key: str(entry.detail.get("said", "done")) for key, entry in ended.items()}
