"""Ctrl-C at any moment of `sandbox up`: nothing goes on behind the back of whoever pressed it."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from lifeboat.sandbox.interrupts import interrupts_cancel, interrupts_held
from lifeboat.sandbox.live.processes import servers_live
from tests.live.interrupting import await_line, interrupted, nothing_runs, started
from tests.live.living import Sandbox, project
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with project() as made:
        yield made


def test_while_the_gateway_starts(sandbox: Sandbox) -> None:
    command = started(sandbox)
    until(lambda: sandbox.directory.holder() is not None and servers_live(sandbox.directory.path))
    lines = interrupted(command)
    assert "the local cloud is stopped" in lines
    assert nothing_runs(sandbox)
    assert not sandbox.directory.data.exists()


def test_while_it_comes_alive(sandbox: Sandbox) -> None:
    # While it deploys: `tests/sandbox/test_check.py`; while it resumes: `test_resuming`.
    command = started(sandbox)
    await_line(command, "starting its sites")
    lines = interrupted(command)
    assert "interrupted: stopping the local cloud" in lines
    assert "the local cloud is stopped" in lines
    assert nothing_runs(sandbox)
    assert not sandbox.directory.data.exists()


def test_an_interrupt_waits_for_what_must_not_be_left_half_done() -> None:
    done: list[str] = []

    def press_twice() -> None:
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            done.append("whole")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            press_twice()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert done == ["whole"]


def test_an_interrupt_cancels_a_task_and_never_raises_inside_its_loop() -> None:
    loop = asyncio.new_event_loop()
    seen: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    def press() -> None:
        signal.raise_signal(signal.SIGINT)
        seen.append("the callback ended")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        task = loop.create_task(work())
        loop.call_later(0.01, press)
        with pytest.raises(KeyboardInterrupt), interrupts_cancel(task):
            loop.run_until_complete(task)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
        loop.close()
    assert seen == ["the callback ended", "cancelled"]
