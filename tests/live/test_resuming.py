"""A failover, and what a sandbox that was killed knows of it when it resumes: who writes, and where names lead."""

from __future__ import annotations

import json
import os
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lifeboat.sandbox import supervisor
from lifeboat.sandbox.live.network import POSTGRES_PORT
from tests.live.interrupting import await_line, interrupted, nothing_runs, started
from tests.live.living import HOME, ORDERS, STANDBY, Sandbox, processes_in, project
from tests.live.waiting import until
from tests.moving import fail_over_cache, fail_over_database

if TYPE_CHECKING:
    from collections.abc import Iterator

HEALED = 60.0
"""Seconds; servers that were down start again one after the other."""
FOLLOWED = 180.0
"""Seconds: a switch's alarm looks at its metric each minute, and so does the check that follows it."""
RESUMED = ("--resume", "--no-wardens")
"""The writer was moved by API calls, which no lease knows of."""
USERS_OWN = {"AWS_SECRET_ACCESS_KEY": "the user's own", "PGPASSWORD": "the user's own", "EDITOR": "the user's own"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One whose database and cache were failed over to the standby region, each with writes from after that."""
    with project() as made, pytest.MonkeyPatch.context() as patch:
        for name, value in USERS_OWN.items():
            patch.setenv(name, value)
        made.up()
        made.post(made.resolve(ORDERS), "reader", 1)
        until(lambda: made.numbers(STANDBY, "reader") == [1])
        fail_over(made)
        yield made


def fail_over(sandbox: Sandbox) -> None:
    fail_over_database(sandbox.client, STANDBY)
    fail_over_cache(sandbox.client, STANDBY)
    front = sandbox.live["fronts"][STANDBY]
    until(lambda: sandbox.post(front, "reader", 2)[0] == 201, HEALED)
    until(lambda: sandbox.process("cache", STANDBY)["role"] == "primary", HEALED)
    with sandbox.cache(STANDBY) as cache:
        assert cache.set("session", "after the failover")


def writers(sandbox: Sandbox) -> dict[str, str]:
    """Region of who writes: as the sandbox says it, and as AWS does."""
    (group,) = sandbox.client("rds", HOME).describe_global_clusters()["GlobalClusters"]
    (store,) = sandbox.client("elasticache", HOME).describe_global_replication_groups()["GlobalReplicationGroups"]
    (cluster,) = [member["DBClusterArn"] for member in group["GlobalClusterMembers"] if member["IsWriter"]]
    (cache,) = [member["ReplicationGroupRegion"] for member in store["Members"] if member["Role"] == "PRIMARY"]
    roles = {
        row["kind"]: row["region"]
        for row in sandbox.live["processes"]
        if row["kind"] in {"database", "cache"} and row["role"] == "primary"
    }
    return {
        "orders": sandbox.live["active"],
        "cluster": cluster.split(":")[3],
        "store": cache,
        **roles,
    }


MOVED = dict.fromkeys(("orders", "cluster", "store", "database", "cache"), STANDBY)


def test_a_resume_that_is_interrupted_or_killed_does_not_forget_who_writes(sandbox: Sandbox) -> None:
    until(lambda: writers(sandbox) == MOVED)
    # The writer's. A replica that was killed may be copied anew by the time that the key is pressed.
    made = {path: path.stat().st_ino for path in sandbox.directory.data.glob(f"rds/{STANDBY}/*/*/data/PG_VERSION")}
    assert made
    os.kill(sandbox.record.pid, signal.SIGKILL)
    resuming = started(sandbox, *RESUMED)
    # After this line, servers start where the writers were.
    await_line(resuming, "starting its sites")
    assert "the local cloud is stopped, its data are kept" in interrupted(resuming)
    assert nothing_runs(sandbox)
    assert {path: path.stat().st_ino for path in made} == made
    resuming = started(sandbox, *RESUMED)
    await_line(resuming, "starting its sites")
    assert resuming.stderr is not None
    os.kill(sandbox.record.pid, signal.SIGKILL)
    with resuming:
        assert "Traceback" not in resuming.stderr.read()
    assert resuming.returncode == 1


def test_a_fault_is_refused_until_all_is_there_that_it_breaks(sandbox: Sandbox) -> None:
    # Continues the test above: nothing runs, and the writer is in the other region.
    resuming = started(sandbox, *RESUMED, "--json")
    await_line(resuming, "40 ")
    for words in (("inject", "process-killed", "--region", STANDBY, "--param", "process=cache"), ("clear",)):
        refused = sandbox.command("fault", *words)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.splitlines()[-1].endswith("not ready so far: a fault needs all that it breaks")
    assert sandbox.ask("fault", "list")["active"] == []
    out, err = resuming.communicate()
    assert (resuming.returncode, "Traceback" in err) == (0, False), err
    sandbox.contract = json.loads(out)["contract"]
    identifier = sandbox.ask("fault", "inject", "api-slow", "--region", HOME)["id"]
    assert sandbox.ask("fault", "clear", identifier) == {"cleared": [identifier]}


def test_who_wrote_last_writes_and_everybody_has_its_writes(sandbox: Sandbox) -> None:
    assert writers(sandbox) == MOVED
    assert sandbox.numbers(STANDBY, "reader") == [1, 2]
    assert until(lambda: sandbox.post(sandbox.live["fronts"][STANDBY], "reader", 3)[0] == 201)
    assert sandbox.post(sandbox.live["fronts"][HOME], "reader", 4)[0] == 503
    until(lambda: sandbox.numbers(HOME, "reader") == [1, 2, 3], HEALED)
    with sandbox.cache(HOME) as here, sandbox.cache(STANDBY) as there:
        assert there.get("session") == "after the failover"
        assert there.set("session", "after the resume")
        until(lambda: here.get("session") == "after the resume")


def test_names_lead_to_who_writes(sandbox: Sandbox) -> None:
    until(lambda: sandbox.resolve(ORDERS) == sandbox.live["fronts"][STANDBY], FOLLOWED)
    assert sandbox.post(sandbox.resolve(ORDERS), "reader", 5)[0] == 201
    (writer,) = [
        group["Endpoint"] for group in sandbox.client("rds", HOME).describe_global_clusters()["GlobalClusters"]
    ]
    assert sandbox.resolve(writer) == sandbox.process("database", STANDBY)["address"]


def test_every_file_is_its_owners_alone(sandbox: Sandbox) -> None:
    # Root's servers run as another account, which may go through, not look.
    through = 0o711 if os.geteuid() == 0 else 0o700
    wrong: dict[str, str] = {}
    for path in (sandbox.directory.path, *sandbox.directory.path.rglob("*")):
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            # A server's, which came and went.
            continue
        if stat.S_ISDIR(mode) and stat.S_IMODE(mode) in {0o700, through}:
            continue
        if not stat.S_ISLNK(mode) and mode & 0o077:
            wrong[str(path)] = oct(mode)
    assert wrong == {}
    site = sandbox.directory.data / "site"
    assert stat.S_IMODE(site.stat().st_mode) == stat.S_IMODE((site / HOME).stat().st_mode) == 0o700


def test_no_process_has_what_its_user_has(sandbox: Sandbox) -> None:
    told = {
        command: variables
        for pid, command in processes_in(sandbox.directory.path).items()
        if "the user's own" in (variables := Path(f"/proc/{pid}/environ").read_text())
    }
    assert told == {}


def test_status_asks_no_server(sandbox: Sandbox) -> None:
    until(lambda: all(part["ready"] for part in sandbox.parts), HEALED)
    pid = sandbox.process("database", HOME)["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        # A replica is asked whether it follows; one that stands still answers nobody, and who asks it waits.
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(supervisor.parts, sandbox.record)
            # Twice: one that had asked, too, would have ended together with the other, and the next one after it.
            rows = [sandbox.process("database", HOME) for _ in range(2)]
            assert not asked.done()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert [(row["pid"], row["port"]) for row in rows] == [(pid, POSTGRES_PORT)] * 2
