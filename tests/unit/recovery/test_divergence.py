"""The divergence report: of the old writer, and not lost when a rejoin is begun again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from lifeboat.recovery import divergence
from lifeboat.recovery.endpoints import plain_instance
from lifeboat.recovery.journal import Detail, Entry, Event
from lifeboat.recovery.lease_record import LeaseRecord
from lifeboat.recovery.lease_store import Versioned
from lifeboat.recovery.steps import divergence as step
from tests.unit.recovery.memory import EAST, WEST, MemoryJournal
from tests.unit.recovery.test_system_ports import HOME, STANDBY, Rds, instance, physical

LOSS: dict[str, Detail] = {"orders-seconds": 7.5, "said": "orders: 7.5 s of writes are in us-east-1 alone", "took": 1.0}


def entry(run: str, number: int, key: str, detail: dict[str, Detail], event: Event = Event.DONE) -> Entry:
    return Entry(run=run, seq=number, wall=float(number), event=event, step=key, detail=detail)


def reported(journal: MemoryJournal, run: str, epoch: int, detail: dict[str, Detail] = LOSS) -> None:
    journal.append(entry(run, 1, "divergence", detail))
    journal.append(entry(run, 2, "decide", {"epoch": epoch}))


def run_of(journal: MemoryJournal, name: str = "") -> Any:  # noqa: ANN401 - a run, as far as it is used
    """A rejoin of the east in epoch 2, in which nothing that keeps data differs any more."""
    record = LeaseRecord.first(EAST, 60).stop(EAST).take(WEST, 1)
    return SimpleNamespace(
        run=name,
        entries=journal,
        lease=SimpleNamespace(read=lambda: Versioned(version=1, record=record)),
        physical=SimpleNamespace(topology=SimpleNamespace(databases=(), object_stores=())),
        plan=SimpleNamespace(source=EAST, target=WEST),
    )


def test_a_rejoin_that_is_begun_again_tells_what_the_first_one_found() -> None:
    journal = MemoryJournal()
    reported(journal, "rejoin-20270131T120000Z-1f3a", 2)
    # The second one found it overwritten; what counts is the first.
    reported(journal, "rejoin-20270131T130000Z-2b4c", 2, {"orders-seconds": 0.0, "said": "nothing is missing"})
    outcome = step.perform(cast("Any", None), run_of(journal))
    assert outcome.said == (
        "rejoin-20270131T120000Z-1f3a had found: orders: 7.5 s of writes are in us-east-1 alone. "
        "Now: nothing keeps data"
    )
    assert outcome.facts == {"first": "rejoin-20270131T120000Z-1f3a", "first-orders-seconds": 7.5}


@pytest.mark.parametrize(
    ("name", "epoch"),
    [
        # Of another outage; of another kind of run; its own, when it is resumed.
        ("rejoin-20261231T120000Z-1f3a", 1),
        ("failover-20270131T120000Z-1f3a", 2),
        ("rejoin-20270131T120000Z-9d9d", 2),
    ],
)
def test_what_is_no_earlier_rejoin_of_this_epoch_is_not_told(name: str, epoch: int) -> None:
    journal = MemoryJournal()
    reported(journal, name, epoch)
    outcome = step.perform(cast("Any", None), run_of(journal, "rejoin-20270131T120000Z-9d9d"))
    assert (outcome.said, outcome.facts) == ("nothing keeps data", {})


def test_a_rejoin_that_was_refused_reported_nothing() -> None:
    journal = MemoryJournal()
    journal.append(entry("rejoin-20270131T120000Z-1f3a", 1, "", {}, Event.REFUSED))
    assert divergence.first_report(run_of(journal)) is None


class Sessions:
    """Databases of both sites: each instance with its rows."""

    def __init__(self, **rows: int) -> None:
        self._rows = rows
        self._there = {
            STANDBY: Rds(instance(f"shop-test-ledger-{STANDBY}-g1")),
            HOME: Rds(
                instance(f"shop-test-ledger-{HOME}-g1"),
                instance(f"shop-test-ledger-{HOME}-g2", ReadReplicaSourceDBInstanceIdentifier="arn:aws:rds:…"),
            ),
        }

    def sql(self, region: str, database: str, *, reader: bool = False, best_effort: bool = False) -> Any:  # noqa: ANN401
        del best_effort
        found = plain_instance(self._there[region], physical("replica"), database, region, reader=reader)
        return Session(self._rows[found["DBInstanceIdentifier"].removeprefix("shop-test-ledger-").replace("-", "_")])

    def client(self, _service: str, _region: str) -> Any:  # noqa: ANN401 - boto3's
        """Of S3, whose buckets are empty."""
        return SimpleNamespace(get_paginator=lambda _name: SimpleNamespace(paginate=lambda **_asked: [{}]))


class Session:
    """One of them: a table, and no heartbeats."""

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_fault: object) -> None:
        return

    def execute(self, query: Any, _parameters: object = ()) -> Any:  # noqa: ANN401
        text = query if isinstance(query, str) else query.as_string(None)
        tables = [("public", "lines")] if "pg_stat_user_tables" in text else [(None,)]
        found = [(self._rows,)] if text.startswith("SELECT count") else tables
        return SimpleNamespace(fetchone=lambda: found[0], fetchall=lambda: found)


def test_the_old_writer_is_compared_and_not_the_replica_that_was_built_beside_it() -> None:
    run: Any = SimpleNamespace(
        physical=physical("replica"), ports=Sessions(eu_west_1_g1=5, eu_west_1_g2=3, eu_central_1_g1=3)
    )
    found, *_ = divergence.report(run, back=HOME, active=STANDBY)
    assert found.said == "ledger: no heartbeat to compare, 2 rows more in 1 tables"
