"""What the commands make of runs that were begun, of a way back, and of who asks: a runner that only notes."""

from __future__ import annotations

import getpass
import io
import json
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from lifeboat.cli import recovery
from lifeboat.model.plan.graph import Mode
from lifeboat.recovery import backups_verify
from lifeboat.recovery.claim import user_name
from lifeboat.recovery.errors import RecoveryRefused, StepFailed
from lifeboat.recovery.journal import Entry, Event
from lifeboat.recovery.lease_record import RunClaim
from lifeboat.recovery.lease_store import change
from lifeboat.recovery.runner import Report
from tests.unit.recovery.memory import EAST, WEST, MemoryJournal, MemoryLease

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifeboat.model.plan.graph import Plan
    from lifeboat.recovery.run_state import Consent
    from tests.unit.cli.conftest import Ran

    Run = Callable[..., Ran]

RUN = "run-20270131T120000Z-1f3a"


@dataclass
class Outside:
    """What the commands reach, and what they had carried out."""

    lease: MemoryLease = field(default_factory=MemoryLease)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    did: list[tuple[str, str, Mode, str, str, set[str]]] = field(
        default_factory=list["tuple[str, str, Mode, str, str, set[str]]"]
    )
    """How, which run, and the plan's mode, source, target and lost regions."""
    ends: dict[Mode, Report | Exception] = field(default_factory=dict[Mode, "Report | Exception"])
    """How a plan of a mode ends; well, where nothing is told."""

    def opened(self, mode: str, source: str = EAST, lost: str = "", target: str = "") -> None:
        told = {"mode": mode, "source": source, "target": target or (WEST if source == EAST else EAST), "lost": lost}
        self.note(Event.OPENED, **told)

    def note(self, event: Event, **detail: str) -> None:
        self.journal.append(Entry(run=RUN, seq=1, wall=0.0, event=event, detail=detail))

    def claimed(self, kind: str, target: str = WEST) -> None:
        change(self.lease, lambda now: now.claim_run(RunClaim(id=RUN, runner="p", kind=kind, target=target)))


@dataclass
class Runner:
    """Notes what it is to do."""

    outside: Outside
    of: Plan

    def start(self, consent: Consent) -> Report:
        assert consent.by
        return self._end("start", "new")

    def resume(self, run: str, consent: Consent) -> Report:
        assert consent.by
        return self._end("resume", run)

    def abort(self, run: str) -> Report:
        return self._end("abort", run)

    def _end(self, how: str, run: str) -> Report:
        plan = self.of
        self.outside.did.append((how, run, plan.mode, plan.source, plan.target, set(plan.lost)))
        end = self.outside.ends.get(plan.mode, Report(run=run, result="done", steps={}))
        if isinstance(end, Exception):
            raise end
        return end


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    """The stack's outside, which every command reaches from here on."""
    made = Outside()

    def lease(_: object) -> MemoryLease:
        return made.lease

    def journal(_: object) -> MemoryJournal:
        return made.journal

    def runner(_: object, plan: Plan, *_how: object) -> Runner:
        return Runner(made, plan)

    for way in (lease, journal, runner):
        monkeypatch.setattr(recovery.Reached, way.__name__, way)
    return made


@pytest.mark.parametrize("how", ["resume", "abort"])
@pytest.mark.parametrize(
    ("command", "mode", "source", "lost", "given"),
    [
        ("failover", Mode.FAILOVER, EAST, EAST, []),
        ("failover", Mode.FAILOVER, WEST, WEST, []),
        ("failover", Mode.FAILOVER, WEST, WEST, ["--lost", WEST]),
        ("failover", Mode.SWITCHOVER, WEST, "", []),
        ("failover", Mode.SWITCHOVER, WEST, "", ["--graceful"]),
        ("rejoin", Mode.REJOIN, EAST, "", []),
        ("failback", Mode.FAILBACK, WEST, "", []),
    ],
)
def test_a_run_is_gone_on_with_as_it_was_begun(
    run: Run, outside: Outside, how: str, command: str, mode: Mode, source: str, lost: str, given: list[str]
) -> None:
    outside.opened(mode, source, lost)
    ran = run(command, "reskflow", *given, f"--{how}", RUN)
    assert (ran.code, ran.err) == (0, "")
    target = WEST if source == EAST else EAST
    assert outside.did == [(how, RUN, mode, source, target, {lost} - {""})]


@pytest.mark.parametrize(
    ("command", "mode", "target", "lost"),
    [
        ("failover", Mode.FAILOVER, WEST, {EAST}),
        ("failover", Mode.SWITCHOVER, EAST, set[str]()),
        ("rejoin", Mode.REJOIN, WEST, set[str]()),
        ("failback", Mode.FAILBACK, EAST, set[str]()),
    ],
)
def test_a_run_without_an_entry_is_gone_on_with_as_it_was_claimed(
    run: Run, outside: Outside, command: str, mode: Mode, target: str, lost: set[str]
) -> None:
    outside.claimed(mode, target)
    assert run(command, "reskflow", "--resume", RUN).code == 0
    source = WEST if target == EAST else EAST
    assert outside.did == [("resume", RUN, mode, source, target, lost)]


@pytest.mark.parametrize("opened", [True, False])
def test_a_holders_own_rejoin_is_gone_on_with(run: Run, outside: Outside, *, opened: bool) -> None:
    if opened:
        outside.opened("rejoin", EAST, target=EAST)
    else:
        change(outside.lease, lambda now: now.fence(EAST))
        outside.claimed("rejoin", EAST)
    assert run("rejoin", "reskflow", "--resume", RUN).code == 0
    assert outside.did == [("resume", RUN, Mode.REJOIN, EAST, EAST, set())]


def test_a_fence_makes_no_rejoin_of_another_run(run: Run, outside: Outside) -> None:
    change(outside.lease, lambda now: now.fence(EAST))
    outside.claimed("failover")
    _bad_input(run("rejoin", "reskflow", "--resume", RUN), outside, "a failover: accepted is `lifeboat failover")


@pytest.mark.parametrize(
    ("mode", "command", "given", "said"),
    [
        ("failover", "failover", ["--lost", WEST], f"was begun with --lost {EAST}"),
        ("failover", "failover", ["--graceful"], f"was begun with --lost {EAST}"),
        ("failover", "failover", ["--lost", EAST, "--graceful"], "either --lost REGION or --graceful"),
        ("switchover", "failover", ["--lost", EAST], "was begun with --graceful"),
        ("rejoin", "failover", [], "a rejoin: accepted is `lifeboat rejoin reskflow`"),
        ("switchover", "failback", [], "a switchover: accepted is `lifeboat failover reskflow`"),
        ("failback", "rejoin", [], "a failback: accepted is `lifeboat failback reskflow`"),
        ("failover", "failover", ["--abort", RUN], "--resume and --abort: accepted is one of them"),
    ],
)
def test_what_contradicts_a_run_is_bad_input(
    run: Run, outside: Outside, mode: str, command: str, given: list[str], said: str
) -> None:
    outside.opened(mode, EAST, EAST if mode == "failover" else "")
    _bad_input(run(command, "reskflow", *given, "--resume", RUN), outside, said)


@pytest.mark.parametrize("command", ["failover", "rejoin", "failback"])
def test_what_is_no_move_is_bad_input(run: Run, outside: Outside, command: str) -> None:
    # As `lifeboat backups verify` begins.
    outside.note(Event.OPENED, site=WEST, store="orders")
    _bad_input(run(command, "reskflow", "--resume", RUN), outside, "moves nothing")


@pytest.mark.parametrize("option", ["--resume", "--abort"])
def test_no_such_run_is_bad_input(run: Run, outside: Outside, option: str) -> None:
    _bad_input(run("failover", "reskflow", option, RUN), outside, "no run that was begun")
    outside.note(Event.REFUSED, mode="failover", source=EAST, lost=EAST)
    _bad_input(run("failover", "reskflow", option, RUN), outside, "no run that was begun")
    _bad_input(run("failover", "reskflow", option, ""), outside, f"{option}: empty")


def _bad_input(ran: Ran, outside: Outside, said: str) -> None:
    assert (ran.code, ran.out, outside.did) == (2, "", [])
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1


WAY_BACK = [
    (RecoveryRefused("held by ada", "release it"), ["not gone back: held by ada", "release it", "--graceful"]),
    (StepFailed("it broke"), ["not gone back: it broke", "lifeboat status reskflow"]),
    (
        Report(run="back", result="failed", steps={}, faults=("drain: too late",), warnings=("still claimed",)),
        ["back: failed", "drain: too late", "still claimed", "lifeboat failover reskflow --resume back"],
    ),
    (Report(run="back", result="done", steps={}), ["back: done"]),
]


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(("end", "said"), WAY_BACK, ids=["refused", "broken", "failed", "done"])
def test_a_failback_that_goes_back_reports_whatever_becomes_of_that(
    run: Run, outside: Outside, end: Report | Exception, said: list[str], *, as_json: bool
) -> None:
    home = Report(run="home", result="failed", steps={}, faults=("9 % of requests fail",), go_back=True)
    outside.ends = {Mode.FAILBACK: home, Mode.SWITCHOVER: end}
    ran = run("failback", "reskflow", "--yes", *(["--json"] if as_json else []))
    assert ran.code == 1
    assert [(mode, source, target) for _, _, mode, source, target, _ in outside.did] == [
        (Mode.FAILBACK, WEST, EAST),
        (Mode.SWITCHOVER, EAST, WEST),
    ]
    if as_json:
        assert json.loads(ran.out)["run"] == "home"
    else:
        assert ran.out.startswith("home: failed")
    assert "9 % of requests fail" in ran.out
    assert all(each in ran.err for each in said)


class Terminal(io.StringIO):
    """Somebody who answers."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1)])
def test_a_question_leaves_stdout_to_the_result(
    run: Run, outside: Outside, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    ran = run("failover", "reskflow", "--graceful", "--json")
    assert ran.code == code
    assert len(outside.did) == 1 - code
    # The prompt's own library writes a blank there.
    assert (json.loads(ran.out)["result"] if outside.did else ran.out.strip()) == ("done" if outside.did else "")
    assert "switchover: us-east-1 to us-west-2. Begin?" in ran.err
    assert len(ran.err.splitlines()) > 1


@pytest.mark.parametrize("fault", [KeyError("uid not found"), OSError("no name")])
def test_a_user_without_a_name_is_told_by_number(
    run: Run, outside: Outside, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def nobody() -> str:
        raise fault

    monkeypatch.setattr(getpass, "getuser", nobody)
    number = str(os.getuid())
    assert user_name() == number
    assert recovery.consent(None).by == (number,)
    assert run("hold", "reskflow", "--reason", "maintenance").code == 0
    held = outside.lease.now.record.hold
    assert held is not None
    assert held.by == number


def test_a_backup_is_verified_by_a_user_without_a_name(
    run: Run, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError("uid not found")

    asked: list[str] = []

    class Verifier:
        """Refuses, once it knows who asks."""

        def __init__(self, here: backups_verify.Surroundings) -> None:
            asked.append(here.who)

        def verify(self, wish: object) -> None:
            raise RecoveryRefused(f"not today: {wish}")

    monkeypatch.setattr(getpass, "getuser", nobody)
    monkeypatch.setattr(backups_verify, "Verifier", Verifier)
    assert run("backups", "verify", "reskflow").code == 3
    assert asked == [str(os.getuid())]
    assert outside.did == []
