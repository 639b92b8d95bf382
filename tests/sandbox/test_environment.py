"""The variables of `sandbox env` and `exec`."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import boto3
import pytest

from lifeboat.recovery.system_ports import Surroundings
from lifeboat.sandbox import environment
from lifeboat.sandbox.state import Directory, Record

if TYPE_CHECKING:
    from pathlib import Path

USERS_OWN = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/home/someone",
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ROLE_ARN": "arn:aws:iam::999999999999:role/admin",
    "AWS_ENDPOINT_URL_RDS": "https://rds.us-east-1.amazonaws.com",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_ACCESS_KEY_ID": "real",
    "PULUMI_ACCESS_TOKEN": "real",
    "PULUMI_BACKEND_URL": "s3://real",
    "PULUMI_CONFIG_PASSPHRASE_FILE": "/real",
    "HTTPS_PROXY": "http://proxy:3128",
    "NO_PROXY": "corp.example",
}


@pytest.fixture
def record() -> Record:
    return Record(
        pid=1,
        identity="i",
        port=40123,
        token="one-time",
        stack="reskflow",
        account="123456789012",
        home="us-east-1",
        started=0.0,
    )


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path / "a project's" / ".sandbox")


def test_exec_takes_away_whatever_would_win(directory: Directory, record: Record) -> None:
    made = environment.exec_environment(directory, record, USERS_OWN)
    assert [name for name, value in made.items() if "real" in value or "999999999999" in value] == []
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL_RDS", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"} & set(made)
    assert made["AWS_ENDPOINT_URL"] == "http://127.0.0.1:40123"
    assert made["PULUMI_BACKEND_URL"] == directory.backend.as_uri()
    assert made["NO_PROXY"] == "127.0.0.1,localhost,corp.example"
    assert made["HOME"] == "/home/someone"


def test_exec_alone_finds_the_plugins(directory: Directory, record: Record) -> None:
    made = environment.exec_environment(directory, record, USERS_OWN)
    assert made["PATH"] == f"{directory.bin}{os.pathsep}/usr/bin:/bin"
    assert "PATH" not in environment.variables(directory, record, USERS_OWN)


def test_shell_does_the_same_as_exec_but_for_the_path(directory: Directory, record: Record) -> None:
    lines = environment.shell(directory, record, USERS_OWN)
    show = "import json, os; print(json.dumps(dict(os.environ)))"
    answer = subprocess.run(  # our own lines and interpreter
        ["/bin/sh", "-c", f'{lines}\n"$0" -c "$1"', sys.executable, show],
        env=USERS_OWN,
        capture_output=True,
        text=True,
        check=True,
    )
    seen: dict[str, str] = json.loads(answer.stdout)
    wanted = environment.exec_environment(directory, record, USERS_OWN) | {"PATH": USERS_OWN["PATH"]}
    assert {name: seen[name] for name in wanted} == wanted
    assert not set(environment.removed(USERS_OWN)) & set(seen)


def test_boto3_under_these_variables_reaches_the_sandbox(
    gateway: Record, sandbox_directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in environment.removed(USERS_OWN):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.variables(sandbox_directory, gateway).items():
        monkeypatch.setenv(name, value)
    session = boto3.Session()
    assert session.client("sts").get_caller_identity()["Account"] == gateway.account
    assert session.client("s3").meta.endpoint_url == gateway.endpoint
    assert session.region_name == "us-east-1"


def test_files_that_stand_in_for_the_users_own(sandbox_directory: Directory, gateway: Record) -> None:
    assert f"region = {gateway.home}" in sandbox_directory.aws_config.read_text()
    modes = {path.stat().st_mode & 0o777 for path in (sandbox_directory.aws_config, sandbox_directory.aws_credentials)}
    assert modes == {0o600}


def test_recovery_finds_a_living_sandbox_by_what_is_set_and_nothing_without_its_token(
    directory: Directory, record: Record
) -> None:
    living = dataclasses.replace(record, name_server="127.9.8.1", detection_scale=10.0)
    made = environment.exec_environment(directory, living, USERS_OWN)
    here = Surroundings.of(made)
    assert here.name_server == ("127.9.8.1", 5300)
    assert here.site_url.format(host="orders.example.com", port=443) == "http://orders.example.com:8080"
    assert (here.pace.scale, here.encrypted) == (10.0, False)
    del made[environment.TOKEN_VARIABLE]
    assert Surroundings.of(made) == Surroundings()


def test_without_servers_nothing_tells_where_they_are(directory: Directory, record: Record) -> None:
    assert not {name for name in environment.variables(directory, record, {}) if "NAME_SERVER" in name}
