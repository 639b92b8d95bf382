"""What a journal does with entries whose answers were lost."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from lifeboat.recovery.errors import JournalLost
from lifeboat.recovery.guarded_ports import Guard
from lifeboat.recovery.journal import Entry, ExternalCall, Journal, Taken
from lifeboat.recovery.step_runs import StoppedError
from tests.unit.recovery.memory import MemoryJournal


class Store(MemoryJournal):
    """Keeps every entry; the first answer is lost, and found again by a second attempt where the client makes one."""

    def __init__(self, *, again: bool) -> None:
        super().__init__()
        self._again = again
        self._answered = False

    def append(self, entry: Entry) -> None:
        super().append(entry)
        if not self._answered:
            self._answered = True
            if self._again:
                raise Taken(Entry.of(entry.document()))
            raise JournalLost("no answer")


def journal(store: MemoryJournal) -> Journal:
    return Journal("r", store, mirror=None, wall=time.time, clock=time.monotonic)


def call(operation: str) -> ExternalCall:
    return ExternalCall(service="rds", operation=operation, region="us-west-2", reads=False, step="a")


def test_after_a_lost_entry_no_call_is_made() -> None:
    store = Store(again=False)
    of, made = journal(store), list[str]()
    for operation in ("CreateOne", "CreateTwo"):
        with pytest.raises(JournalLost, match="no answer"), of.around(call(operation)):
            made.append(operation)
    assert made == []
    assert [entry.detail["operation"] for entry in store.read("r")] == ["CreateOne"]


def test_an_entry_that_the_client_sent_twice_is_one() -> None:
    store = Store(again=True)
    with journal(store).around(call("CreateOne")):
        pass
    assert [entry.event.value for entry in store.read("r")] == ["intent", "outcome"]


class Slow(MemoryJournal):
    """Takes so long for an entry that another runner may act by then."""

    def __init__(self) -> None:
        super().__init__()
        self.late = False

    def append(self, entry: Entry) -> None:
        super().append(entry)
        self.late = True


def test_who_waited_too_long_for_its_intent_makes_no_call() -> None:
    store = Slow()

    def check() -> None:
        if store.late:
            raise StoppedError("the run was stopped")

    guard = Guard(around=journal(store).around, check=check, step="a")
    with pytest.raises(StoppedError):
        guard.call("rds", "CreateOne", "us-west-2", lambda: pytest.fail("made"), reads=False)
    assert [entry.event.value for entry in store.read("r")] == ["intent", "outcome"]
    assert store.read("r")[1].detail["fault"] == "the run was stopped"


class Before(MemoryJournal):
    """Has an entry of another call under each number, by whoever writes."""

    def append(self, entry: Entry) -> None:
        raise Taken(replace(entry, detail={**entry.detail, "operation": "CreateOther"}))


def test_an_entry_of_another_call_is_not_taken_for_this_one() -> None:
    with pytest.raises(JournalLost, match="another process writes"), journal(Before()).around(call("CreateOne")):
        pytest.fail("made without its intent in the journal")
