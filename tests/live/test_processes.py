"""Servers live no longer than the sandbox, whichever of its processes ends first, and however."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lifeboat.sandbox.live import processes as live_processes
from lifeboat.sandbox.live.account import lent_account
from lifeboat.sandbox.live.processes import Processes, Server, environment, servers_live
from lifeboat.sandbox.state import SandboxError, process_identity
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

FOREVER = ("import signal,sys\nprint('ready', flush=True)\nsignal.pause()\n",)
DEAF = ("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready', flush=True)\nsignal.pause()\n",)

GATEWAY = """
import sys
from pathlib import Path
from lifeboat.sandbox.live.processes import Processes, Server
processes = Processes(Path(sys.argv[1]))
for name in ("one", "two"):
    print(processes.start(Server(name=name, argv=["/bin/sleep", "1000"], cwd=Path("/"), env={})), flush=True)
print(processes.keeper_pid, flush=True)
sys.stdin.read()
"""


def python(name: str, code: tuple[str, ...], **more: object) -> Server:
    return Server(name=name, argv=[sys.executable, "-c", *code], cwd=Path("/"), env={}, **more)  # type: ignore[arg-type]


def gone(pid: int) -> bool:
    return process_identity(pid) is None


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    running = Processes(tmp_path)
    yield running
    running.close()


def started(processes: Processes, server: Server) -> int:
    pid = processes.start(server)
    until(lambda: "ready" in processes.log(server.name).read_text())
    return pid


def test_a_server_is_known_by_its_name_until_it_ends(processes: Processes) -> None:
    pid = started(processes, python("one", FOREVER))
    assert (processes.pid("one"), processes.names()) == (pid, ["one"])
    with pytest.raises(SandboxError, match="one: runs already"):
        processes.start(python("one", FOREVER))
    processes.stop("one")
    assert gone(pid)
    assert (processes.pid("one"), processes.names()) == (None, [])
    # The name is free again.
    started(processes, python("one", FOREVER))


def test_an_end_is_told_with_its_cause(tmp_path: Path) -> None:
    ends: list[tuple[str, int]] = []
    processes = Processes(tmp_path, lambda name, code: ends.append((name, code)))
    started(processes, python("one", FOREVER))
    processes.send("one", signal.SIGKILL)
    until(lambda: ends == [("one", -signal.SIGKILL)])
    processes.close()


def test_a_server_that_does_not_listen_is_ended_by_force(processes: Processes) -> None:
    pid = started(processes, python("deaf", DEAF))
    processes.stop("deaf", deadline=0.1)
    assert gone(pid)


def test_a_stopped_server_is_ended_too(processes: Processes) -> None:
    pid = started(processes, python("one", FOREVER))
    processes.send("one", signal.SIGSTOP)
    processes.stop("one")
    assert gone(pid)


def test_a_command_is_run_to_its_end(processes: Processes) -> None:
    processes.run(python("done", ("print('well')",)), 10)
    with pytest.raises(SandboxError, match=r"failing: the last word: see .*failing\.log"):
        processes.run(python("failing", ("print('the last word'); raise SystemExit(3)",)), 10)
    with pytest.raises(SandboxError, match=r"slow: not done within 0\.1 s"):
        processes.run(python("slow", FOREVER), 0.1)
    assert processes.names() == []


def test_a_program_that_is_not_there_is_named(processes: Processes) -> None:
    with pytest.raises(SandboxError, match="/nowhere: No such file"):
        processes.start(Server(name="x", argv=["/nowhere"], cwd=Path("/"), env={}))


def test_after_the_end_nothing_is_started(tmp_path: Path) -> None:
    running = Processes(tmp_path)
    running.close()
    with pytest.raises(SandboxError, match="their keeper is gone"):
        running.start(python("late", FOREVER))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends an account")
def test_root_lends_its_servers_an_account(processes: Processes) -> None:
    account = lent_account()
    assert account is not None
    pid = started(
        processes,
        Server(name="lent", argv=["/bin/sh", "-c", "echo ready; sleep 1000"], cwd=Path("/"), env={}, account=account),
    )
    assert Path(f"/proc/{pid}").stat().st_uid == account.uid


@pytest.mark.parametrize("victim", ["gateway", "keeper"])
def test_nothing_outlives_a_kill(tmp_path: Path, victim: str) -> None:
    gateway = subprocess.Popen(
        [sys.executable, "-c", GATEWAY, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert gateway.stdout is not None
    servers = [int(gateway.stdout.readline()) for _ in range(2)]
    keeper = int(gateway.stdout.readline())
    assert servers_live(tmp_path)
    os.kill(gateway.pid if victim == "gateway" else keeper, signal.SIGKILL)
    until(lambda: all(gone(pid) for pid in servers))
    until(lambda: not servers_live(tmp_path))
    gateway.kill()
    gateway.communicate()
    until(lambda: gone(keeper))


def test_after_a_kill_the_next_start_waits_for_the_last_server(tmp_path: Path) -> None:
    first = Processes(tmp_path)
    pid = started(first, python("deaf", DEAF))
    os.kill(first.keeper_pid, signal.SIGKILL)
    until(lambda: gone(pid))
    first.close()
    second = Processes(tmp_path)
    started(second, python("deaf", FOREVER))
    second.close()
    assert not servers_live(tmp_path)


def test_what_a_server_writes_is_its_owners_alone(processes: Processes, tmp_path: Path) -> None:
    written = tmp_path / "written"
    processes.run(python("one", (f"open({str(written)!r}, 'w')",)), 10)
    assert written.stat().st_mode & 0o777 == 0o600


def test_a_server_begins_with_its_limits_and_learns_of_them_by_an_error(processes: Processes, tmp_path: Path) -> None:
    source, written = tmp_path / "source", tmp_path / "written"
    source.write_bytes(bytes(1000))
    copy = ["/bin/cp", str(source), str(written)]
    with pytest.raises(SandboxError, match=r"limited: .*File too large"):
        processes.run(Server(name="limited", argv=copy, cwd=Path("/"), env={}, limits={"RLIMIT_FSIZE": 500}), 10)
    assert written.stat().st_size == 500
    processes.run(Server(name="free", argv=copy, cwd=Path("/"), env={}), 10)
    assert written.stat().st_size == 1000


def test_a_log_is_bounded_while_it_is_written(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_processes, "LOG_BYTES", 1000)
    talk = (
        "import signal\nprint('first' + 'x' * 2000, flush=True)\nprint('ready', flush=True)\n"
        "signal.sigwait([signal.SIGUSR1])\nprint('second', flush=True)\nsignal.pause()\n"
    )
    started(processes, python("talker", ("import signal\nsignal.pthread_sigmask(0, [signal.SIGUSR1])\n" + talk,)))
    log = processes.log("talker")
    for _ in range(2):
        processes.bound_logs()
    processes.send("talker", signal.SIGUSR1)
    until(lambda: log.read_text() == "second\n")
    aside = log.with_name("talker.log.1")
    assert aside.read_text().startswith("firstx")
    assert aside.stat().st_mode & 0o777 == 0o600


def test_neither_keeper_nor_server_has_what_its_user_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "ANYTHING"):
        monkeypatch.setenv(name, "the user's own")
    processes = Processes(tmp_path)
    try:
        assert "the user's own" not in Path(f"/proc/{processes.keeper_pid}/environ").read_text()
        assert environment().keys() <= {*os.environ} - {"AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "ANYTHING"}
        assert "PATH" in environment()
    finally:
        processes.close()
