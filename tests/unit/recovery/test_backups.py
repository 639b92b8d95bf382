"""What a backup is picked by, and how it is compared with its source: decisions that need no server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lifeboat.recovery.backups import Kind, RestorePoint
from lifeboat.recovery.backups_checks import Facts, Source, recovery_point, rows_compared, size_compared
from lifeboat.recovery.backups_report import MODE, Wish, verified
from lifeboat.recovery.backups_verify import own_address, pick, refusals
from lifeboat.recovery.errors import StepFailed
from lifeboat.recovery.journal import Entry, Event
from lifeboat.recovery.lease_record import Hold, LeaseRecord, RunClaim
from tests.unit.recovery.memory import EAST, WEST, MemoryJournal

if TYPE_CHECKING:
    from collections.abc import Mapping

AT = 1_800_000_000.0
MIB = 2**20


def point(name: str, *, at: float = AT, since: float | None = None, status: str = "available") -> RestorePoint:
    kind = Kind.MANUAL if since is None else Kind.WINDOW
    return RestorePoint(
        store="orders", region=EAST, kind=kind, identifier=name, cluster=False, at=at, since=since, status=status
    )


def test_a_seed_picks_the_same_backup_whatever_order_they_are_listed_in() -> None:
    points = [point(f"snapshot-{number}") for number in range(20)]
    picked = [pick(points, Wish(seed=seed))[0].identifier for seed in range(50)]
    assert picked == [pick(points[::-1], Wish(seed=seed))[0].identifier for seed in range(50)]
    assert len(set(picked)) > 10


def test_of_a_window_any_moment_in_it_is_picked() -> None:
    window = point("window", since=AT - 3600)
    moments = [pick([window], Wish(seed=seed))[1] for seed in range(50)]
    assert all(moment is not None and AT - 3600 <= moment <= AT for moment in moments)
    assert len(set(moments)) == 50
    assert pick([window], Wish(newest=True)) == (window, None)


def test_the_newest_is_picked_of_those_that_can_be_restored() -> None:
    points = [point("old", at=AT - 60), point("new"), point("broken", at=AT + 60, status="failed")]
    assert pick(points, Wish(newest=True))[0].identifier == "new"
    assert {pick(points, Wish(seed=seed))[0].identifier for seed in range(50)} == {"old", "new"}


def test_no_backup_at_all_is_a_failure() -> None:
    with pytest.raises(StepFailed, match="there is no backup"):
        pick([point("broken", status="failed"), point("begun", status="creating")], Wish())


def source(
    rows: int, *, inserted: int, since: float | None = AT - 60, epoch: int | None = 3, unmoved: bool = False
) -> Source:
    facts = Facts(size=100 * MIB, rows={"public.orders": rows}, epoch=epoch)
    return Source(facts=facts, since=since, inserted={"public.orders": inserted}, unmoved=unmoved)


@pytest.mark.parametrize(
    ("theirs", "passed"),
    [
        (source(100, inserted=0), True),
        (source(90, inserted=0), True),
        (source(150, inserted=50), True),
        (source(150, inserted=49), False),
        # Nobody knows what was inserted between the backup and the beginning of the statistics.
        (source(150, inserted=49, since=AT + 1), None),
        (source(150, inserted=49, since=None), None),
        # Nor what another server inserted, whose statistics went with it.
        (source(150, inserted=49, epoch=4), None),
        (source(150, inserted=49, epoch=None), None),
        (source(150, inserted=49, epoch=None, unmoved=True), False),
        (None, None),
    ],
)
def test_the_source_may_have_only_those_rows_more_that_were_inserted_since(
    theirs: Source | None, passed: bool | None
) -> None:
    facts = Facts(rows={"public.orders": 100}, epoch=3)
    assert rows_compared(facts, theirs, AT)[0] is passed


def test_a_table_that_the_backup_lacks_has_no_rows_in_it() -> None:
    assert rows_compared(Facts(epoch=3), source(10, inserted=10), AT)[0] is True
    passed, said = rows_compared(Facts(epoch=3), source(10, inserted=9), AT)
    assert passed is False
    assert "public.orders lacks 10 rows, 9 were inserted since" in said


@pytest.mark.parametrize(("size", "passed"), [(100, True), (10, True), (9, False), (1000, True), (1001, False)])
def test_a_backup_is_about_as_large_as_its_source(size: int, passed: bool) -> None:
    assert size_compared(Facts(size=size * MIB), source(0, inserted=0))[0] is passed


def test_nothing_is_said_of_the_size_of_databases_that_are_nearly_empty() -> None:
    small = Source(facts=Facts(size=MIB // 2), since=None, inserted={})
    assert size_compared(Facts(size=8 * MIB), small)[0] is True


@pytest.mark.parametrize(
    ("beat", "theirs", "passed"),
    [
        (AT - 5, AT + 60, True),
        (AT - 61, AT + 60, False),
        # It was silent already: as old in the source.
        (AT - 500, AT - 500, True),
        (AT - 561, AT - 500, False),
        (AT - 5, None, True),
        (None, None, None),
        (None, AT - 500, False),
        # It began after the backup.
        (None, AT + 60, None),
    ],
)
def test_the_newest_heartbeat_is_as_young_as_what_was_restored(
    beat: float | None, theirs: float | None, passed: bool | None
) -> None:
    compared = Source(facts=Facts(beat=theirs), since=None, inserted={})
    assert recovery_point(Facts(beat=beat), compared, at=AT, limit=60)[0] is passed


def test_nothing_is_verified_while_the_stack_is_moved_or_held() -> None:
    record = LeaseRecord.first(EAST, 60)
    assert refusals(record) == []
    moved = LeaseRecord.first(EAST, 60).claim_run(RunClaim(id="failover-1", runner="ada", kind="failover", target=WEST))
    assert refusals(moved) == ["run failover-1 is under way: verify when it is over"]
    held = LeaseRecord.first(EAST, 60).hold_by("ada", "maintenance")
    assert held.hold == Hold(by="ada", reason="maintenance")
    assert refusals(held) == ["held by ada: maintenance: verify after `lifeboat release`"]


def test_the_last_verification_of_each_database_and_site_counts() -> None:
    journal = MemoryJournal()

    def ended(run: str, detail: Mapping[str, str]) -> None:
        journal.append(Entry(run=run, seq=1, wall=AT, event=Event.ENDED, detail=detail))

    ended(f"{MODE}-20270101T000000Z-1", {"result": "failed", "database": "orders", "region": EAST})
    ended(f"{MODE}-20270102T000000Z-2", {"result": "done", "database": "orders", "region": EAST})
    ended(f"{MODE}-20270103T000000Z-3", {"result": "failed", "database": "orders", "region": WEST})
    ended("failover-20270104T000000Z-4", {"result": "failed", "database": "orders", "region": EAST})
    assert {key: each["result"] for key, each in verified(journal).items()} == {
        ("orders", EAST): "done",
        ("orders", WEST): "failed",
    }


def test_the_host_is_let_through_by_the_address_that_it_comes_from() -> None:
    assert own_address("127.0.0.1", 5432) == "127.0.0.1"
