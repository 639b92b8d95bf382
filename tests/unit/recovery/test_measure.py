"""What clients saw of a drill, as numbers."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lifeboat.recovery.drill.measure import Known, Write, measure

OLD, NEW = 1, 2
FAULT = 100.0


def write(number: int, answered: float, **changed: object) -> Write:
    whole = Write(
        client="a",
        store="orders",
        number=number,
        sent=answered - 0.01,
        answered=answered,
        known=Known.ACKNOWLEDGED,
        epoch=OLD if answered <= FAULT else NEW,
        honours_ttl=True,
    )
    return replace(whole, **changed)  # type: ignore[arg-type]


def orders(*numbers: int) -> dict[str, set[tuple[str, int]]]:
    return {"orders": {("a", number) for number in numbers}}


def test_the_recovery_time_is_the_first_durable_write_through_dns() -> None:
    writes = [
        write(1, 99),
        write(2, 101, epoch=OLD),
        write(3, 110, known=Known.REFUSED, epoch=None),
        write(4, 130, client="keeps", honours_ttl=False),
        write(5, 140),
        write(6, 141),
    ]
    found = measure(writes, fault=FAULT, found=orders(1, 2, 5, 6), store="orders")
    assert found.rto == 40
    assert found.last_straggler == 40
    assert found.downtime == 29
    assert found.refused == 1


def test_a_client_that_never_came_back_has_no_last_straggler() -> None:
    writes = [write(1, 99), write(1, 99, client="lost"), write(2, 140)]
    assert measure(writes, fault=FAULT, found=orders(1, 2), store="orders").last_straggler is None


def test_without_a_later_epoch_nothing_recovered() -> None:
    found = measure([write(1, 99), write(2, 120, epoch=OLD)], fault=FAULT, found=orders(1, 2), store="orders")
    assert (found.rto, found.last_straggler, found.downtime) == (None, None, None)


def test_lost_acknowledgements_are_counted_with_the_time_they_span() -> None:
    writes = [write(1, 90), write(2, 96), write(3, 98), write(4, 103, epoch=OLD), write(5, 150)]
    found = measure(writes, fault=FAULT, found=orders(1, 3, 5), store="orders")
    (loss,) = found.losses
    assert (loss.acknowledged, loss.lost, loss.seconds) == (5, 2, 7)
    assert (found.lost, found.rpo) == (2, 7)


def test_an_unknown_write_is_neither_lost_nor_kept_unless_it_is_there() -> None:
    writes = [
        write(1, 99),
        write(2, 99, known=Known.UNKNOWN, epoch=None),
        write(3, 99, known=Known.UNKNOWN, epoch=None),
        write(3, 150),
        write(4, 99, known=Known.UNKNOWN, epoch=None),
    ]
    (loss,) = measure(writes, fault=FAULT, found=orders(1, 3, 4), store="orders").losses
    assert (loss.lost, loss.unknown, loss.unknown_kept) == (0, 2, 1)


def test_stores_that_disagree_about_what_both_acknowledged() -> None:
    writes = [write(n, 90 + n) for n in range(1, 5)] + [write(n, 90 + n, store="uploads") for n in range(1, 4)]
    found = {"orders": {("a", 1), ("a", 2), ("a", 4)}, "uploads": {("a", 2), ("a", 3)}}
    (between,) = measure(writes, fault=FAULT, found=found, store="orders").inconsistencies
    assert (between.one, between.other) == ("orders", "uploads")
    assert (between.only_in_one, between.only_in_other) == (1, 1)


@given(st.sets(st.integers(1, 60)), st.sets(st.integers(1, 60)))
def test_what_was_acknowledged_is_there_or_lost(acknowledged: set[int], kept: set[int]) -> None:
    writes = [write(number, 10 + number) for number in acknowledged]
    (loss,) = measure(writes, fault=FAULT, found=orders(*kept), store="orders").losses
    assert loss.lost == len(acknowledged - kept)
    assert (loss.seconds == 0) == (loss.lost == 0)
