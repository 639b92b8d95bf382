"""One program, two doors: the same URNs, types, inputs and outputs, once generated identifiers have their owners' names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from lifeboat.sandbox import supervisor
from lifeboat.sandbox.environment import PASSPHRASE, exec_environment
from lifeboat.sandbox.inprocess.run import deploy
from lifeboat.sandbox.plugin.operations import Backend
from lifeboat.sandbox.plugin.wire import SECRET, SIGNATURE
from lifeboat.sandbox.up import deploy_into
from tests.engine.conftest import ACCOUNT, Cli, Sandbox, start_sandbox, write_project
from tests.engine.normalised import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine")]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A second sandbox, for the second door: names would collide in one."""
    started = start_sandbox(tmp_path_factory.mktemp("inprocess"), "dev", "us-east-1")
    yield started
    supervisor.stop(started.directory)


@pytest.fixture(scope="module")
def both(sandbox: Sandbox, other: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cli, Path]]:
    """The small stack through both doors: the CLI, and the in-process state file."""
    sandbox.control("reset")
    project = write_project(tmp_path_factory.mktemp("doors"), "small")
    deployed = deploy_into(project, "dev", directory=other.directory, record=other.record)
    cli = Cli(project, "dev", exec_environment(sandbox.directory, sandbox.record))
    cli.run("stack", "rm", "--yes", "--force", "--preserve-config", expect=None)
    cli.init()
    cli.up()
    yield cli, deployed.path
    cli.empty()


def opened(path: Path, other: Sandbox) -> list[dict[str, Any]]:
    """Resources of an in-process state file, as ``--show-secrets`` would export them."""
    from lifeboat.sandbox.inprocess.passphrase import Crypter  # noqa: PLC0415 - used here only

    document = json.loads(path.read_text())["deployment"]
    crypter = Crypter.from_salt(PASSPHRASE, document["secrets_providers"]["state"]["salt"])

    def shown(value: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, dict):
            mapping = cast("dict[str, Any]", value)
            if mapping.get(SIGNATURE) == SECRET:
                return {SIGNATURE: SECRET, "plaintext": crypter.decrypt(mapping["ciphertext"])}
            return {key: shown(item) for key, item in mapping.items()}
        return [shown(item) for item in cast("list[Any]", value)] if isinstance(value, list) else value

    return shown(document["resources"])
