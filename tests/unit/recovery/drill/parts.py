"""What tests of the drill are made of: a stack, writes, journal entries, calls."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lifeboat.model.physical import Physical
from lifeboat.model.settings.load import from_stack_file
from lifeboat.model.topology import resolve
from lifeboat.recovery.drill.compose import Subject
from lifeboat.recovery.drill.histories import Told
from lifeboat.recovery.drill.measure import Known, Write
from lifeboat.recovery.drill.scenario import scenario
from lifeboat.recovery.journal import Entry, Event
from tests.unit.cli.conftest import STACK_FILE

if TYPE_CHECKING:
    from lifeboat.recovery.journal import Detail

HOME, STANDBY, WITNESS = "us-east-1", "us-west-2", "us-east-2"
DATABASE = "database orders"
DNS = """\
  lifeboat:dns:
    zone: reskflow.example.com
    endpoints:
      - {name: orders}
"""
RUN = "failover-20270131T120000Z-1f3a"


def physical(more: str = "", *, text: str = STACK_FILE + DNS) -> Physical:
    settings = from_stack_file(text + more, "Pulumi.reskflow.yaml")
    return Physical(settings=settings, topology=resolve(settings))


def subject(
    name: str = "region-failure", *, scale: float = 10, text: str = STACK_FILE + DNS, recovery_only: bool = False
) -> Subject:
    return Subject(
        stack="reskflow",
        physical=physical(text=text),
        scenario=scenario(name),
        seed=7,
        scale=scale,
        rate=20,
        command=f"lifeboat drill reskflow --scenario={name} --seed=7",
        recovery_only=recovery_only,
    )


def told(number: int, answered: float, *, epoch: int = 1, committed: bool = True, **changed: Any) -> Told:  # noqa: ANN401
    write = Write(
        client="ttl",
        store=DATABASE,
        number=number,
        sent=answered - 0.01,
        answered=answered,
        known=Known.ACKNOWLEDGED,
        epoch=epoch,
        honours_ttl=True,
        site=HOME if epoch % 2 else STANDBY,
    )
    return Told(write=replace(write, **changed), committed=committed)


def entry(seq: int, wall: float, event: Event, step: str | None = None, *, run: str = RUN, **detail: Detail) -> Entry:
    return Entry(run=run, seq=seq, wall=wall, event=event, step=step, detail=detail)


def opened(seq: int, wall: float, *, run: str = RUN, mode: str = "failover", lost: str = HOME) -> Entry:
    source, target = (STANDBY, HOME) if mode == "failback" else (HOME, STANDBY)
    return entry(seq, wall, Event.OPENED, run=run, mode=mode, source=source, target=target, lost=lost)


def failover(at: float) -> list[Entry]:
    """A failover that ended well, opened at a moment, and the ledger that it opened."""
    return [
        opened(1, at),
        entry(2, at + 0.1, Event.DONE, "decide", said="decided by warden"),
        entry(3, at + 0.2, Event.STARTED, "fence"),
        entry(4, at + 1, Event.DONE, "fence", said="us-east-1 has stopped", took=0.8),
        entry(5, at + 1, Event.STARTED, "promote-database/orders"),
        entry(6, at + 4, Event.DONE, "promote-database/orders", said="orders takes writes", took=3.0),
        entry(7, at + 4, Event.STARTED, "verify"),
        entry(8, at + 5, Event.DONE, "verify", said="names answer", took=1.0),
        entry(9, at + 5, Event.ENDED, result="done"),
        entry(1, at + 4, Event.STARTED, run="exposure", store="orders"),
    ]


def call(time: float, **changed: object) -> dict[str, object]:
    """A call of the standby's warden that the lost region did not answer."""
    usual: dict[str, object] = {
        "number": 1,
        "time": time,
        "service": "rds",
        "operation": "DescribeDBClusters",
        "region": HOME,
        "plane": "control",
        "principal": "AKIAIOSFODNN7EXAMPLE",
        "caller": STANDBY,
        "answer": "lost",
        "seconds": 3.0,
        "conditions": ["f1-0-api"],
    }
    return usual | changed
