"""What `doctor` finds, on environments made for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lifeboat.diagnosis import Check, State, diagnose
from tests.unit.cli.engine import FakePulumi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.cli.conftest import Ran


def _named(checks: tuple[Check, ...]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_python_and_the_packages_are_here(tmp_path: Path) -> None:
    found = _named(diagnose({"PATH": ""}, tmp_path))
    assert found["Python"].state is State.OK
    assert found["packages of the program"].state is State.OK
    assert "pulumi-aws 7." in found["packages of the program"].found


def test_what_is_missing_says_what_it_costs_and_how_to_get_it(tmp_path: Path) -> None:
    found = _named(diagnose({"PATH": ""}, tmp_path))
    for name in ("Pulumi CLI", "AWS credentials"):
        assert found[name].state is State.OPTIONAL
        assert found[name].costs
        assert found[name].get
    assert "provider plugins" not in found


@pytest.mark.parametrize(
    ("plugins", "state"),
    [
        ([{"name": "aws", "kind": "resource", "version": "7.51.1"}], State.OPTIONAL),
        ([{"name": name, "kind": "resource", "version": "7.51.1"} for name in ("aws", "random")], State.OK),
        ([{"name": name, "kind": "language", "version": "1"} for name in ("aws", "random")], State.OPTIONAL),
        (None, State.OPTIONAL),
    ],
)
def test_the_cli_tells_its_version_and_plugins(tmp_path: Path, plugins: object, state: State) -> None:
    fake = FakePulumi.install(tmp_path)
    fake.say("version", "v3.260.0\n")
    fake.say("plugin ls", json.dumps(plugins))
    found = _named(diagnose({"PATH": fake.path}, tmp_path))
    assert found["Pulumi CLI"].state is State.OK
    assert found["Pulumi CLI"].found.startswith(f"v3.260.0 at {fake.directory}/pulumi, SDK 3.")
    assert found["provider plugins"].state is state


def test_a_cli_that_answers_nonsense_is_no_cli(tmp_path: Path) -> None:
    fake = FakePulumi.install(tmp_path)
    fake.say("version", "segmentation fault", code=0)
    found = _named(diagnose({"PATH": fake.path}, tmp_path))
    assert found["Pulumi CLI"].state is State.OPTIONAL


def test_a_sandboxs_plugin_on_path_is_a_danger_outside_of_the_sandbox_only(tmp_path: Path) -> None:
    plugin = tmp_path / "pulumi-resource-aws"
    plugin.write_text("#!/bin/sh\n")
    plugin.chmod(0o755)
    outside = _named(diagnose({"PATH": str(tmp_path)}, tmp_path))
    assert outside["pulumi-resource-aws"].state is State.DANGER
    assert outside["pulumi-resource-aws"].get == f"take {tmp_path} off PATH"
    inside = _named(diagnose({"PATH": str(tmp_path), "LIFEBOAT_SANDBOX_TOKEN": "x"}, tmp_path))
    assert inside["shell"].state is State.OK


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "hunter2"}, "environment variables"),
        ({"AWS_PROFILE": "prod"}, "the profile prod"),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/hunter2"}, "a web identity token"),
        ({"LIFEBOAT_SANDBOX_TOKEN": "hunter2", "AWS_PROFILE": "prod"}, "the sandbox's fake ones"),
    ],
)
def test_credentials_are_found_and_never_shown(tmp_path: Path, environ: dict[str, str], found: str) -> None:
    checks = diagnose({"PATH": "", **environ}, tmp_path)
    assert _named(checks)["AWS credentials"].found == f"{found} (not tried)"
    assert "hunter2" not in str(checks)


def test_credentials_in_a_file_are_found_by_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".aws" / "credentials"
    file.parent.mkdir()
    file.write_text("[default]\naws_secret_access_key = hunter2\n")
    assert _named(diagnose({"PATH": ""}, tmp_path))["AWS credentials"].found == f"{file} (not tried)"


def test_doctor_exits_with_1_on_danger(
    run: Callable[..., Ran], checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    calm = run("doctor", "--json")
    checks = {check["name"]: check["state"] for check in json.loads(calm.out)["checks"]}
    assert (calm.code, checks["sandbox"], checks["Pulumi CLI"]) == (0, "optional", "optional")
    plugin = checkout / "pulumi-resource-random"
    plugin.write_text("#!/bin/sh\n")
    plugin.chmod(0o755)
    monkeypatch.setenv("PATH", str(checkout))
    ran = run("doctor")
    assert ran.code == 1
    assert "danger    pulumi-resource-random" in ran.out
    assert "wins over the installed plugin" in " ".join(ran.out.split())
