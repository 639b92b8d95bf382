"""The life of a sandbox's process, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lifeboat.sandbox import supervisor
from lifeboat.sandbox.state import Directory, Gateway, Lock, SandboxError, locked, process_identity
from lifeboat.sandbox.waiting import comes_true

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT = "123456789012"


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    made = Directory(tmp_path / ".sandbox")
    yield made
    supervisor.stop(made)


def start(directory: Directory, stack: str = "reskflow") -> supervisor.Record:
    return supervisor.start(directory, stack=stack, account=ACCOUNT, home="us-east-1")


def test_start_status_stop(directory: Directory) -> None:
    record = start(directory)
    status = supervisor.status(directory)
    assert status.running
    assert status.summary == f"running: reskflow on {record.endpoint} (pid {record.pid})"
    assert os.getsid(record.pid) == record.pid
    assert supervisor.stop(directory) == record
    assert process_identity(record.pid) is None
    assert supervisor.status(directory).summary == "not running"
    assert supervisor.stop(directory) is None


def test_modes_are_closed(directory: Directory) -> None:
    start(directory)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (directory.path, *directory.path.iterdir())}
    assert {name for name, mode in modes.items() if mode & 0o077} == set()
    assert modes["sandbox.json"] == 0o600


def test_a_second_start_replaces_the_first_and_what_it_left(directory: Directory) -> None:
    first = start(directory)
    leftovers = [directory.deployment("reskflow"), directory.backend / "stack.json"]
    for leftover in leftovers:
        leftover.write_text("{}")
    second = start(directory, "prod")
    assert process_identity(first.pid) is None
    assert (second.stack, second.token == first.token) == ("prod", False)
    assert [leftover for leftover in leftovers if leftover.exists()] == []


def test_a_killed_sandbox_is_noticed_and_starts_again(directory: Directory) -> None:
    first = start(directory)
    os.kill(first.pid, signal.SIGKILL)
    os.waitpid(first.pid, 0)
    assert supervisor.status(directory).summary == f"not running: reskflow's process {first.pid} is gone"
    assert supervisor.answers(start(directory))


def test_a_recycled_pid_is_never_signalled(directory: Directory) -> None:
    directory.create()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        record = replace(example(bystander.pid), identity="another boot:1")
        directory.write_record(record)
        assert not supervisor.status(directory).running
        assert supervisor.stop(directory) is None
        assert bystander.poll() is None
        assert not directory.record_path.exists()
        bystander.communicate(b"\n")


def example(pid: int) -> supervisor.Record:
    return supervisor.Record(
        pid=pid,
        identity=process_identity(pid) or "",
        port=1,
        token="t",
        stack="reskflow",
        account=ACCOUNT,
        home="us-east-1",
        started=0.0,
    )


def test_a_process_that_does_not_answer_is_not_running(directory: Directory) -> None:
    directory.create()
    directory.write_record(example(os.getpid()))
    status = supervisor.status(directory)
    assert not status.running
    assert status.summary == f"process {os.getpid()} does not answer on http://127.0.0.1:1"
    directory.record_path.unlink()


@pytest.mark.parametrize("signed", ["", "half a {", "a recycled pid"])
def test_a_lock_that_tells_nobody_to_end_stops_everything(
    directory: Directory, monkeypatch: pytest.MonkeyPatch, signed: str
) -> None:
    monkeypatch.setattr(supervisor, "SIGN_DEADLINE", 0.1)
    directory.create()
    directory.record_path.write_text("half a record")
    holder = Lock(directory.lock_path)
    assert holder.acquire()
    if signed == "a recycled pid":
        holder.sign(Gateway(pid=os.getpid(), identity="another boot:1", stack="reskflow"))
    else:
        directory.lock_path.write_text(signed)
    assert directory.holder() is None
    pid = os.getpid() if signed == "a recycled pid" else "unknown"
    # The holder is no gateway that may be ended; none must serve beside it, and what it has is its own.
    for call in (start, supervisor.stop):
        with pytest.raises(SandboxError, match=rf"gateway\.lock: held by a process that .* \(pid {pid}\)"):
            call(directory)
    assert directory.record_path.read_text() == "half a record"
    holder.close()
    assert not locked(directory)


def test_a_start_that_fails_says_why_and_leaves_nothing(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    directory.create()
    holder = Lock(directory.lock_path)
    assert holder.acquire()
    # Two starts at once: the other one's gateway takes the lock after this one's look at it.
    monkeypatch.setattr(supervisor, "stop", lambda _, **__: None)
    with pytest.raises(supervisor.StartError, match="another gateway runs here"):
        start(directory)
    monkeypatch.undo()
    holder.close()
    assert not directory.record_path.exists()
    assert not locked(directory)


@pytest.mark.parametrize("text", [None, "", "half a {", '{"pid": 1}'])
def test_a_gateway_whose_record_is_lost_is_found_by_its_lock(directory: Directory, text: str | None) -> None:
    record = start(directory)
    directory.record_path.unlink()
    if text is not None:
        directory.record_path.write_text(text)
    status = supervisor.status(directory)
    assert (status.running, status.record) == (False, None)
    assert status.summary == (f"process {record.pid} of reskflow runs without a record: lifeboat sandbox down ends it")
    stopped = supervisor.stop(directory)
    assert stopped is not None
    assert (stopped.pid, stopped.stack) == (record.pid, "reskflow")
    assert process_identity(record.pid) is None
    assert not directory.record_path.exists()
    assert supervisor.stop(directory) is None


def test_an_interrupted_start_leaves_no_process(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    pids: list[int] = []

    def interrupted(_directory: Directory, pid: int, _deadline: float) -> None:
        pids.append(pid)
        raise KeyboardInterrupt

    monkeypatch.setattr(supervisor, "_await_healthy", interrupted)
    with pytest.raises(KeyboardInterrupt):
        start(directory)
    assert process_identity(pids[0]) is None
    assert not directory.record_path.exists()


def test_a_gateway_whose_caller_was_killed_is_found_and_stopped(directory: Directory) -> None:
    directory.create()
    pid = supervisor._spawn(directory, stack="reskflow", account=ACCOUNT, home="us-east-1")  # its caller dies here
    assert comes_true(lambda: locked(directory), supervisor.START_DEADLINE)  # as it would have waited
    second = start(directory)
    assert process_identity(pid) is None
    assert supervisor.answers(second)
