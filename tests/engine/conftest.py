"""A sandbox and a Pulumi CLI in it. Without a CLI on PATH the whole tier is one skip that says so."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from lifeboat.sandbox import supervisor
from lifeboat.sandbox.environment import exec_environment
from lifeboat.sandbox.plugin.executables import write_executables
from lifeboat.sandbox.state import Directory, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "123456789012"
PROGRAMS = Path(__file__).parent / "programs"
SENTINEL = "test_engine_is_here"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a CLI, leave only the test that says so: its skip carries how many others were left out."""
    engine = [item for item in items if item.get_closest_marker("engine")]
    if shutil.which("pulumi") or not engine:
        return
    sentinels = [item for item in engine if item.name == SENTINEL]
    left_out = [item for item in engine if item not in sentinels]
    for sentinel in sentinels:
        reason = f"ENGINE TIER NOT RUN: {len(left_out)} tests need a Pulumi CLI on PATH; `lifeboat doctor` says how"
        # The CLI is in no package registry: its absence is told, and fails nobody.
        sentinel.add_marker(pytest.mark.skip(reason=reason))
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@dataclass
class Sandbox:
    """A running sandbox with its directory, and the projects made in it."""

    directory: Directory
    record: Record

    def control(self, name: str, document: object = None, *, method: str = "POST") -> Any:  # noqa: ANN401 - JSON
        """A control call to the gateway."""
        return supervisor.control(self.record, method, name, document)

    def client(self, service: str, region: str) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
        """A boto3 client of the sandbox."""
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.record.endpoint,
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",
        )

    def lose(self, *regions: str) -> None:
        """Lose these regions, and no others."""
        self.control("regions", dict.fromkeys(regions, "lost"))


@dataclass
class Cli:
    """The Pulumi CLI on one stack of one project, in the sandbox's own environment."""

    project: Path
    stack: str
    environ: dict[str, str]

    def run(self, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one command.

        Args:
            arguments: what follows ``pulumi``.
            ok: whether it must succeed; otherwise it must fail.
        """
        executable = shutil.which("pulumi", path=self.environ["PATH"])
        assert executable
        done = subprocess.run(
            [executable, *arguments, "--non-interactive", "--stack", self.stack],
            cwd=self.project,
            env=self.environ,
            text=True,
            capture_output=True,
            check=False,
            timeout=300,
        )
        assert (done.returncode == 0) == ok, (
            f"pulumi {' '.join(arguments)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        )
        return done

    def init(self) -> None:
        """Make the stack."""
        self.run("stack", "init")

    def up(self, *arguments: str, ok: bool = True) -> str:
        """Update without a preview; what was printed."""
        done = self.run("up", "--yes", "--skip-preview", *arguments, ok=ok)
        return done.stdout + done.stderr

    def preview(self, *arguments: str) -> dict[str, Any]:
        """A preview's digest."""
        text = self.run("preview", "--json", *arguments).stdout
        return json.loads(text[text.index("{") :])

    def operations(self, *arguments: str) -> dict[str, set[str]]:
        """A preview's steps: logical name → operations, unchanged resources left out."""
        found: dict[str, set[str]] = {}
        for step in self.preview(*arguments)["steps"]:
            if step["op"] not in {"same", "refresh", "read"}:
                found.setdefault(step["urn"].rpartition("::")[2], set()).add(step["op"])
        return found

    def set(self, key: str, value: str) -> None:
        """Set a configuration value."""
        self.run("config", "set", key, value)

    def export(self, *arguments: str) -> dict[str, Any]:
        """The stack's deployment."""
        return json.loads(self.run("stack", "export", *arguments).stdout)["deployment"]

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets shown."""
        return json.loads(self.run("stack", "output", "--json", "--show-secrets").stdout)

    def empty(self) -> None:
        """Destroy everything, protected resources too, and remove the stack."""
        self.run("state", "unprotect", "--all", "--yes")
        self.run("destroy", "--yes", "--skip-preview")


def write_project(directory: Path, program: str, *, settings: str = "") -> Path:
    """Write a project around one of the test programs; its directory."""
    root = directory / program
    root.mkdir()
    shutil.copy(PROGRAMS / program / "__main__.py", root)
    (root / "Pulumi.yaml").write_text(
        f"name: {program}\n"
        "runtime:\n"
        "  name: python\n"
        f"  options: {{toolchain: pip, virtualenv: {sys.prefix}}}\n"
        "config:\n"
        '  pulumi:disable-default-providers: ["aws"]\n'
    )
    if settings:
        (root / "Pulumi.dev.yaml").write_text(settings)
    return root


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox of the engine tests' own, with the plugin executables."""
    started = start_sandbox(tmp_path_factory.mktemp("engine"), "dev", "us-east-1")
    yield started
    supervisor.stop(started.directory)


@pytest.fixture(scope="session")
def environ(sandbox: Sandbox) -> dict[str, str]:
    """What ``lifeboat sandbox exec`` gives a command."""
    return exec_environment(sandbox.directory, sandbox.record)


CHECKOUT = Path(__file__).parents[2]


def copy_checkout(directory: Path, stack: str) -> Path:
    """The checkout's own program as a project of its own: the CLI writes its salt into a stack's file."""
    root = directory / stack
    root.mkdir()
    for name in ("__main__.py", "stacks", "components", "lifeboat"):
        (root / name).symlink_to(CHECKOUT / name)
    text = (CHECKOUT / "Pulumi.yaml").read_text()
    (root / "Pulumi.yaml").write_text(text.replace("virtualenv: .venv", f"virtualenv: {sys.prefix}"))
    shutil.copy(CHECKOUT / f"Pulumi.{stack}.yaml", root)
    return root


def start_sandbox(directory: Path, stack: str, home: str) -> Sandbox:
    """A sandbox in a directory, with the plugin executables."""
    place = Directory(directory / ".sandbox")
    record = supervisor.start(place, stack=stack, account=ACCOUNT, home=home)
    write_executables(place.bin)
    return Sandbox(place, record)
