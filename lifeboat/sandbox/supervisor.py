"""The life of a sandbox's process: start it, tell how it is, stop it.

Invariants:
1. Only a process that this project's record or its held lock names, with the start time that it had then, is ever
   signalled.
2. At most one gateway serves a directory: it holds the directory's lock for as long as it lives.
3. While that lock is held, or a server of its lives, nothing of the directory is removed.
4. A start that fails or is interrupted leaves no process and no record. A caller that is killed itself leaves a gateway
   that signs its lock, so that the next start or stop finds it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifeboat.sandbox import environment
from lifeboat.sandbox.interrupts import interrupts_held
from lifeboat.sandbox.live.processes import environment as inherited
from lifeboat.sandbox.live.processes import servers_live
from lifeboat.sandbox.state import Directory, Gateway, Record, SandboxError, locked, process_identity
from lifeboat.sandbox.waiting import comes_true

if TYPE_CHECKING:
    from lifeboat.sandbox.live.world_config import Live

START_DEADLINE = 60.0
"""Seconds a gateway may take until it answers; 1 is usual, a cold disk is slower."""
STOP_DEADLINE = 20.0
"""Seconds a gateway may take to end on request before it is killed; with several databases it takes a few."""
KILL_DEADLINE = 20.0
"""Seconds until a killed gateway is gone, and until its servers are; these have three to end politely."""
SIGN_DEADLINE = 2.0
"""Seconds that a gateway which took the lock may take to sign it; less than a millisecond is usual."""
_ANSWER_TIMEOUT = 5.0
_SERVERS_TIMEOUT = 30.0
"""Seconds: each server is asked, and one that hangs is given time."""


class UnknownCallError(SandboxError):
    """The sandbox does not have what was asked for."""


class StartError(SandboxError):
    """The gateway did not come up."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """How a sandbox is."""

    record: Record | None
    """The recorded sandbox, None when there is none."""
    running: bool
    """Its process lives and answers."""
    summary: str
    """One line for people, such as ``running: reskflow on http://127.0.0.1:40123 (pid 4711)``."""


def start(  # noqa: PLR0913 - what a sandbox is told
    directory: Directory,
    *,
    stack: str,
    account: str,
    home: str,
    live: Live | None = None,
    deadline: float = START_DEADLINE,
) -> Record:
    """Start a gateway from nothing: whatever an older one left is stopped and removed first.

    Args:
        directory: where it is recorded.
        stack: whom it is for.
        account: the AWS account that it plays, 12 digits.
        home: the stack's home region.
        live: how it lives, and whether it keeps an older one's data; None: APIs alone.
        deadline: seconds to wait until it answers.

    Raises:
        StartError: when it ends, or does not answer in time; its last words are in the text.
    """
    stop(directory, keep_data=live is not None and live.resume)
    directory.create()
    pid: int | None = None
    try:
        # No interrupt between the process and its number: nobody would know whom to end.
        with interrupts_held():
            pid = _spawn(directory, stack=stack, account=account, home=home, live=live)
        record = _await_healthy(directory, pid, deadline)
        environment.write_files(directory, record)
    except BaseException:
        with interrupts_held():
            if pid is not None and not _ended(pid):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            _await_servers_gone(directory)
            directory.record_path.unlink(missing_ok=True)
        raise
    return record


def stop(directory: Directory, *, keep_data: bool = False) -> Gateway | None:
    """End the directory's gateway, recorded or not, and remove what it left; logs stay.

    Args:
        directory: where it is recorded.
        keep_data: leave what a gateway that resumes it needs.

    Returns:
        The gateway that ran (its record, where there was one), None when none did.

    Raises:
        SandboxError: when its process does not end, or the lock is held by one that may not be ended; nothing is
            removed then. The same when one of its servers does not end.
    """
    if not directory.path.is_dir():
        return None
    gateway = directory.running()
    if gateway is None and locked(directory):
        # Its caller was killed in the second between its start and its record, or the record was damaged since.
        comes_true(lambda: directory.holder() is not None or not locked(directory), SIGN_DEADLINE)
        gateway = directory.holder()
    if gateway is not None:
        _end(gateway)
    # The last thread of a process that was killed may let go a moment after the first is gone.
    if not comes_true(lambda: not locked(directory), KILL_DEADLINE if gateway else 0.0):
        raise SandboxError(_held(directory))
    _await_servers_gone(directory)
    directory.clean(keep_data=keep_data)
    return gateway


def _await_servers_gone(directory: Directory) -> None:
    """Servers whose gateway was killed are ended by its keeper, which takes a moment."""
    if not comes_true(lambda: not servers_live(directory.path), KILL_DEADLINE):
        lock = directory.keeper_lock_path
        raise SandboxError(f"{lock}: servers of the sandbox do not end: end the process that `fuser {lock}` tells")


def _held(directory: Directory) -> str:
    try:
        pid = Gateway.load(directory.lock_path.read_text()).pid
    except ValueError:
        pid = "unknown"
    return (
        f"{directory.lock_path}: held by a process that is not the one it names (pid {pid}): "
        f"end the one that `fuser {directory.lock_path}` tells"
    )


def status(directory: Directory) -> Status:
    """How the sandbox is, asked of itself."""
    record = directory.read_record()
    if record is None:
        holder = directory.holder()
        unrecorded = holder and f"process {holder.pid} of {holder.stack} runs without a record"
        summary = f"{unrecorded}: lifeboat sandbox down ends it" if unrecorded else "not running"
        return Status(record=None, running=False, summary=summary)
    if not record.alive:
        return Status(
            record=record, running=False, summary=f"not running: {record.stack}'s process {record.pid} is gone"
        )
    if not answers(record):
        return Status(
            record=record, running=False, summary=f"process {record.pid} does not answer on {record.endpoint}"
        )
    return Status(
        record=record, running=True, summary=f"running: {record.stack} on {record.endpoint} (pid {record.pid})"
    )


def answers(record: Record) -> bool:
    """Whether the gateway that a record names answers on its port and knows its token."""
    try:
        answer = control(record, "POST", "token")
    except (OSError, SandboxError):
        return False
    return answer == {"pid": record.pid, "stack": record.stack}


def parts(record: Record) -> list[dict[str, Any]]:
    """What has to be ready of a living sandbox, as `world_status.parts` describes it: each server is asked.

    Raises:
        OSError: when it does not answer.
        SandboxError: when it does not answer as a living sandbox does.
    """
    found: list[dict[str, Any]] = control(record, "GET", "parts", deadline=_SERVERS_TIMEOUT)
    return found


def living(record: Record) -> dict[str, Any] | None:
    """How the servers of a running sandbox are, as `world_status.document` describes it; None: it has none.

    Raises:
        OSError: when it does not answer.
        SandboxError: when it does not answer as a sandbox does.
    """
    try:
        found: dict[str, Any] = control(record, "GET", "live", deadline=_SERVERS_TIMEOUT)
    except UnknownCallError:
        return None
    return found


def control(
    record: Record, method: str, name: str, document: object = None, *, deadline: float = _ANSWER_TIMEOUT
) -> Any:  # noqa: ANN401  # each call's own JSON
    """Make one control call, such as ``control(record, "POST", "regions", {"us-east-1": "lost"})``; the answer's JSON.

    Args:
        record: The running sandbox.
        method: HTTP's.
        name: Of the call, with its query.
        document: What is sent, as JSON; None: nothing.
        deadline: Seconds that the answer may take.

    Raises:
        OSError: when nobody answers.
        UnknownCallError: when there is no such call.
        SandboxError: when the answer is another refusal.
    """
    connection = http.client.HTTPConnection("127.0.0.1", record.port, timeout=deadline)
    try:
        body = None if document is None else json.dumps(document)
        connection.request(method, f"/_lifeboat/{name}", body, {"Authorization": f"Bearer {record.token}"})
        response = connection.getresponse()
        answer: Any = json.loads(response.read())
    except (http.client.HTTPException, ValueError) as fault:
        raise SandboxError(f"port {record.port} is not a sandbox's") from fault
    finally:
        connection.close()
    if response.status == http.client.NOT_FOUND:
        raise UnknownCallError(f"{method} {name}: {answer['error']}")
    if response.status != http.client.OK:
        raise SandboxError(f"{method} {name}: {answer['error']}")
    return answer


def _spawn(directory: Directory, *, stack: str, account: str, home: str, live: Live | None = None) -> int:
    """Start the gateway's process, its output in the log; it makes a session of its own and outlives its caller."""
    appended = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.posix_spawn(
        sys.executable,
        [
            *(sys.executable, "-m", "lifeboat.sandbox.gateway"),
            *("--directory", str(directory.path), "--stack", stack, "--account", account, "--home", home),
            *(live.arguments() if live else ()),
        ],
        inherited(),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(directory.gateway_log), appended, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )


def _ended(pid: int) -> bool:
    """Whether a process is gone; a child of ours is laid to rest on the way."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return process_identity(pid) is None


def _await_healthy(directory: Directory, pid: int, deadline: float) -> Record:
    def healthy() -> Record | None:
        record = directory.read_record()
        return record if record is not None and record.pid == pid and answers(record) else None

    if not comes_true(lambda: _ended(pid) or healthy() is not None, deadline):
        raise StartError(f"the sandbox did not answer within {deadline:.0f} s: see {directory.gateway_log}")
    record = healthy()
    if record is None:
        raise StartError(f"the sandbox did not start: {_last_line(directory)}")
    return record


def _last_line(directory: Directory) -> str:
    lines = directory.gateway_log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it said nothing in {directory.gateway_log}"


def _end(gateway: Gateway) -> None:
    for number, deadline in ((signal.SIGTERM, STOP_DEADLINE), (signal.SIGKILL, KILL_DEADLINE)):
        # Between two looks a process may end and another get its number: look each time, right before.
        if not gateway.alive:
            return
        os.kill(gateway.pid, number)
        if comes_true(lambda: _ended(gateway.pid) or not gateway.alive, deadline):
            return
    raise SandboxError(f"process {gateway.pid} of the sandbox does not end")
