"""Clients' files, while they grow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lifeboat.recovery.drill import history
from lifeboat.recovery.drill.histories import Source, Tail, acknowledgements
from tests.unit.recovery.drill.parts import DATABASE, HOME, STANDBY, told

if TYPE_CHECKING:
    from pathlib import Path


def line(number: int, *, status: int | None = 201) -> str:
    return json.dumps(
        {
            "client": "ttl",
            "number": number,
            "attempt": 1,
            "due_at": 1.0,
            "sent_at": 1.0,
            "answered_at": 2.0,
            "sent_monotonic": 1.0,
            "answered_monotonic": 2.0,
            "outcome": "acknowledged",
            "site": HOME,
            "epoch": 1,
            "status": status,
            "reason": "",
        }
    )


def test_a_file_is_read_as_far_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "ttl.jsonl"
    tail = Tail([Source(path=path, store=DATABASE, honours_ttl=True)])
    assert tail.told() == []
    path.write_text(f"{line(1)}\n{line(2)[:20]}")
    assert [each.write.number for each in tail.told()] == [1]
    with path.open("a") as file:
        file.write(f"{line(2)[20:]}\n{line(3, status=200)}\n")
    assert [(each.write.number, each.committed) for each in tail.told()] == [(1, True), (2, True), (3, False)]


def test_an_order_found_again_by_the_next_site_is_no_second_writer() -> None:
    again = told(1, 5.0, epoch=1, site=STANDBY, committed=False)
    lines = [told(1, 1.0), told(2, 4.0, epoch=2), again]
    assert history.check(acknowledgements(lines, DATABASE)).one_writer
    twice = [told(1, 1.0), told(2, 4.0, epoch=1, site=STANDBY)]
    assert not history.check(acknowledgements(twice, DATABASE)).one_writer


def test_other_stores_follow_and_prove_nothing() -> None:
    assert acknowledgements([told(1, 1.0, store="cache sessions")], DATABASE) == []
