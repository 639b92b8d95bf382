"""What goes wrong outside of the command is a line and an exit code."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
import redis
from botocore.exceptions import ClientError

from lifeboat.cli.faults import BAD_INPUT, FAILED, judge
from lifeboat.sandbox.inprocess.config import ConfigError, read_config
from lifeboat.sandbox.up import NoStackError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.conftest import Ran

    Run = Callable[..., Ran]

LIFEBOAT = [sys.executable, "-c", "from lifeboat.cli.main import main; main()"]
BROKEN = Path("/proc/self/mem")
"""Reading its first page is an input/output error, for root too."""


def test_a_directory_is_no_stack(run: Run, checkout: Path) -> None:
    (checkout / "Pulumi.dir.yaml").mkdir()
    ran = run("explain", "dir")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith("stacks here: reskflow\n")


@pytest.mark.skipif(not BROKEN.exists(), reason="needs a file whose reading fails")
def test_settings_that_cannot_be_read_are_bad_input(run: Run, checkout: Path) -> None:
    (checkout / "Pulumi.bad.yaml").symlink_to(BROKEN)
    ran = run("explain", "bad")
    assert (ran.code, ran.err) == (2, "lifeboat: Pulumi.bad.yaml: Input/output error\n")
    with pytest.raises(ConfigError, match=r"^Pulumi\.bad\.yaml: Input/output error$"):
        read_config(checkout, "bad", passphrase=None)


def test_settings_that_are_no_text_are_bad_input(run: Run, checkout: Path) -> None:
    (checkout / "Pulumi.bad.yaml").write_bytes(b"\xff\xfe")
    ran = run("explain", "bad")
    assert (ran.code, ran.err) == (2, "lifeboat: Pulumi.bad.yaml: not UTF-8 text\n")
    with pytest.raises(ConfigError, match=r"^Pulumi\.bad\.yaml: not UTF-8 text$"):
        read_config(checkout, "bad", passphrase=None)


@pytest.mark.parametrize("command", [["status"], ["up", "reskflow", "--empty"], ["env"]], ids=" ".join)
def test_a_file_where_the_sandbox_belongs_is_a_line(run: Run, checkout: Path, command: list[str]) -> None:
    (checkout / ".sandbox").touch()
    ran = run("sandbox", *command)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err in {
        f"lifeboat: {checkout}/.sandbox: File exists\n",
        f"lifeboat: {checkout}/.sandbox/sandbox.json: Not a directory\n",
    }


@pytest.mark.parametrize("command", [["status"], ["up", "reskflow", "--empty"], ["down"]], ids=" ".join)
def test_a_directory_where_the_record_belongs_is_a_line(run: Run, checkout: Path, command: list[str]) -> None:
    record = checkout / ".sandbox" / "sandbox.json"
    record.mkdir(parents=True)
    ran = run("sandbox", *command)
    assert (ran.code, ran.out, ran.err) == (1, "", f"lifeboat: {record}: Is a directory\n")


def test_doctor_tells_of_a_sandbox_that_cannot_be_read(run: Run, checkout: Path) -> None:
    (checkout / ".sandbox").touch()
    checks = {check["name"]: check for check in json.loads(run("doctor", "--json").out)["checks"]}
    assert checks["sandbox"]["found"] == f"{checkout}/.sandbox/sandbox.json: Not a directory"


def _lifeboat(checkout: Path, *arguments: str, stdout: int) -> tuple[int, str]:
    """Exit code and stderr of the command in a process of its own."""
    # Unbuffered output fails where it is written; what users have fails later, at a flush.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [*LIFEBOAT, *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        cwd=checkout,
        env=environment,
        check=False,
    )
    return done.returncode, done.stderr


# The first is longer than Python's buffer; the second stays in it until the end.
OUTPUTS = pytest.mark.parametrize("arguments", [["explain", "reskflow", "--json"], ["sandbox", "down", "--json"]])


@OUTPUTS
def test_a_reader_that_went_away_ends_the_command_quietly(checkout: Path, arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    assert _lifeboat(checkout, *arguments, stdout=writer) == (1, "")
    os.close(writer)


def test_a_fault_that_nobody_reads_keeps_its_exit_code(checkout: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    words = [*LIFEBOAT, "explain", "nope"]
    done = subprocess.run(words, stdout=writer, stderr=writer, cwd=checkout, env=environment, check=False)
    os.close(writer)
    assert done.returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
@OUTPUTS
def test_a_full_disk_is_a_line(checkout: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        assert _lifeboat(checkout, *arguments, stdout=full.fileno()) == (1, "lifeboat: No space left on device\n")


@pytest.mark.parametrize(("closed", "arguments", "code"), [(1, ["explain", "reskflow"], 0), (2, ["explain", "no"], 2)])
def test_a_stream_that_the_caller_closed_takes_everything(
    checkout: Path, closed: int, arguments: list[str], code: int
) -> None:
    words = ["/bin/sh", "-c", f'exec "$@" {closed}>&-', "sh", *LIFEBOAT, *arguments]
    done = subprocess.run(words, capture_output=True, text=True, cwd=checkout, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_the_systems_words_name_the_file() -> None:
    denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/x/y")
    assert judge(denied) == (FAILED, ("/x/y: Permission denied",))
    # Replacing a file goes by a temporary one that no user knows.
    moved = IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), "/x/.y.1", None, "/x/y")
    assert judge(moved) == (FAILED, ("/x/y: Is a directory",))
    assert judge(BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))) == (FAILED, ())
    # No word of the system's: raised by a program, which is a bug.
    assert judge(OSError("made up")) is None


def test_a_database_s_error_is_a_line() -> None:
    told = psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction\nLINE 1: INSERT")
    assert judge(told) == (FAILED, ("cannot execute INSERT in a read-only transaction",))
    assert judge(psycopg.InterfaceError()) == (FAILED, ("InterfaceError",))


def test_a_refusal_of_a_cloud_or_a_cache_is_a_line() -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetItem")
    assert judge(denied) == (FAILED, ("An error occurred (AccessDenied) when calling the GetItem operation: no",))
    assert judge(redis.AuthenticationError("invalid password")) == (FAILED, ("invalid password",))


def test_stacks_and_programs_that_are_not_there_are_bad_input(run: Run, checkout: Path) -> None:
    assert judge(NoStackError("no stack")) == (BAD_INPUT, ("no stack",))
    assert judge(ConfigError("no mapping")) == (BAD_INPUT, ("no mapping",))
    team = checkout / "team"
    team.mkdir()
    ran = run("sandbox", "deploy", str(team), "nope")
    assert (ran.code, ran.out, ran.err) == (2, "", f"lifeboat: no Pulumi.yaml in {team}\n")
    (team / "Pulumi.yaml").write_text("name: team\n")
    (team / "Pulumi.dev.yaml").write_text("config: {}\n")
    ran = run("sandbox", "deploy", str(team), "nope")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"lifeboat: no stack 'nope': there is no Pulumi.nope.yaml in {team}; stacks here: dev\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("config: [}\n", "Pulumi.bad.yaml: line 1, column 10: "),
        ("", "Pulumi.bad.yaml: config: absent or no mapping: accepted is a mapping"),
        ("config:\n  a: 1\n  a: 2\n", "Pulumi.bad.yaml: line 3, column 3: the key a stands twice: accepted is YAML"),
    ],
)
def test_a_broken_file_is_named(run: Run, checkout: Path, text: str, said: str) -> None:
    (checkout / "Pulumi.bad.yaml").write_text(text)
    ran = run("explain", "bad")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"lifeboat: {said}")
    assert len(ran.err.splitlines()) == 1


def test_the_contracts_schema_needs_no_stack_and_everything_else_does(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run("contract")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "lifeboat: STACK: absent: accepted is one of reskflow\n"
    monkeypatch.chdir(tmp_path)
    assert json.loads(run("contract", "--schema").out)["x-contract-version"] == "1.1"


def test_the_sandbox_is_the_projects_wherever_in_it_one_stands(
    run: Run, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = checkout / "components" / "aws"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    up = run("sandbox", "up", "reskflow", "--empty", "--json")
    try:
        assert (checkout / ".sandbox" / "sandbox.json").is_file()
        assert not (below / ".sandbox").exists()
        status = run("sandbox", "status", "--json")
        assert (status.code, json.loads(status.out)["pid"]) == (0, json.loads(up.out)["pid"])
        assert run("sandbox", "env").code == 0
    finally:
        down = run("sandbox", "down", "--json")
    assert json.loads(down.out) == {"stopped": "reskflow"}
