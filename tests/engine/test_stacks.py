"""This repository's stacks on a real engine: what the doors agree on, and that roles change while state does not."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import yaml

from lifeboat.sandbox import supervisor
from lifeboat.sandbox.environment import PASSPHRASE, exec_environment
from lifeboat.sandbox.up import up
from tests.engine.conftest import CHECKOUT, Cli, Sandbox, copy_checkout, start_sandbox
from tests.engine.normalised import differences, normalise, opened
from tests.moving import fail_over_cache, fail_over_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lifeboat.sandbox.state import Directory

# A test previews and deploys a whole stack up to eight times.
pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200)]


def _deployed(tmp_path_factory: pytest.TempPathFactory, stack: str, home: str) -> tuple[Sandbox, Cli]:
    started = start_sandbox(tmp_path_factory.mktemp(f"engine-{stack}"), stack, home)
    project = copy_checkout(tmp_path_factory.mktemp("checkout"), stack)
    cli = Cli(project, stack, exec_environment(started.directory, started.record))
    cli.init()
    cli.up()
    return started, cli


@pytest.fixture(scope="module")
def reskflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Cli]]:
    """ReskFlow: Aurora Global, Global Datastore."""
    started, cli = _deployed(tmp_path_factory, "reskflow", "us-east-1")
    yield started, cli
    supervisor.stop(started.directory)


@pytest.fixture(scope="module")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Cli]]:
    """StreamGate: a plain PostgreSQL replica."""
    started, cli = _deployed(tmp_path_factory, "prod", "eu-west-1")
    yield started, cli
    supervisor.stop(started.directory)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    """A sandbox's directory for the in-process door, beside the checkout's own settings."""
    from lifeboat.sandbox.state import Directory  # noqa: PLC0415 - needed at run time here only

    place = Directory(tmp_path / ".sandbox")
    for file in CHECKOUT.glob("Pulumi*.yaml"):
        shutil.copy(file, tmp_path)
    (tmp_path / "__main__.py").symlink_to(CHECKOUT / "__main__.py")
    yield place
    supervisor.stop(place)


@pytest.mark.parametrize("stack", ["reskflow", "prod"])
def test_both_doors_agree(stack: str, request: pytest.FixtureRequest, directory: Directory) -> None:
    cli: Cli = request.getfixturevalue(stack)[1]
    result = up(stack, directory, progress=lambda _: None)
    engine = normalise(cli.export("--show-secrets")["resources"])
    inprocess = normalise(opened(result.state, PASSPHRASE))
    assert engine.keys() == inprocess.keys()
    assert list(differences(engine, inprocess)) == []


def _nothing(cli: Cli, *arguments: str) -> None:
    cli.run("preview", "--refresh", "--expect-no-changes", *arguments)


def test_roles_change_and_reskflow_s_state_does_not(reskflow: tuple[Sandbox, Cli]) -> None:
    sandbox, cli = reskflow
    _nothing(cli)

    _promote(sandbox, "us-west-2")
    _nothing(cli)

    # Nothing is refreshed: with us-east-1 lost, so are the control planes of IAM and Route 53, for every site.
    sandbox.lose("us-east-1")
    cli.run("preview", "--expect-no-changes", "--target", "**us-west-2**")
    sandbox.lose()

    _promote(sandbox, "us-east-1")
    _nothing(cli)


def _promote(sandbox: Sandbox, region: str) -> None:
    """Make a site's database and cache the writers, as recovery would."""
    fail_over_database(sandbox.client, region)
    fail_over_cache(sandbox.client, region)


def test_roles_change_and_prod_s_state_gains_exactly_a_generation(prod: tuple[Sandbox, Cli]) -> None:
    sandbox, cli = prod
    _nothing(cli)

    _promote_replica(sandbox, "eu-central-1", "g1")
    _nothing(cli)

    sandbox.lose("eu-west-1")
    _nothing(cli, "--target", "**eu-central-1**")
    sandbox.lose()

    _generations(cli, ["eu-west-1-g1", "eu-central-1-g1", "eu-west-1-g2"])
    operations = cli.operations("--refresh")
    created = {name for name, kinds in operations.items() if kinds == {"create"}}
    assert created
    assert all("eu-west-1-g2" in name for name in created), created
    # What app teams read gains the new instance's endpoint, and wardens are told the new declaration, by a new revision
    # of their tasks; nothing else changes.
    published = {
        f"contract-publication-{region}-{kind}"
        for region in ("eu-west-1", "eu-central-1")
        for kind in ("object", "parameter")
    }
    wardens = ("eu-west-1", "eu-central-1", "eu-west-2")
    assert {name: kinds for name, kinds in operations.items() if name not in created} == {
        **{name: {"update"} for name in published},
        **{f"warden-{region}-task": {"replace"} for region in wardens},
        **{f"warden-{region}-service": {"update"} for region in wardens},
    }

    cli.up()
    _promote_replica(sandbox, "eu-west-1", "g2")
    _nothing(cli)


def _promote_replica(sandbox: Sandbox, region: str, generation: str) -> None:
    """Promote a plain replica as recovery would: with its retention, which is a day if nobody says so."""
    sandbox.client("rds", region).promote_read_replica(
        DBInstanceIdentifier=f"streamgate-prod-catalog-{region}-{generation}", BackupRetentionPeriod=14
    )


def _generations(cli: Cli, generations: list[str]) -> None:
    path = cli.project / f"Pulumi.{cli.stack}.yaml"
    document = yaml.safe_load(path.read_text())
    document["config"]["lifeboat:databases"][0]["generations"] = generations
    path.write_text(yaml.safe_dump(document))
