"""A small stack's life on a real engine, in the sandbox."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lifeboat.sandbox import supervisor
from lifeboat.sandbox.environment import PASSPHRASE, TOKEN_VARIABLE, exec_environment
from lifeboat.sandbox.up import deploy_into
from tests.engine.conftest import Cli, Sandbox, start_sandbox, write_project
from tests.engine.normalised import differences, normalise, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lifeboat.sandbox.inprocess.run import Deployed

# What the CLI writes for a value that a preview cannot know.
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def stack(sandbox: Sandbox, environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The small stack, deployed."""
    cli = Cli(write_project(tmp_path_factory.mktemp("projects"), "small"), "dev", environ)
    cli.init()
    cli.up()
    yield cli
    sandbox.lose()


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Another sandbox, for the other door: in one, names would collide."""
    started = start_sandbox(tmp_path_factory.mktemp("second"), "dev", "us-east-1")
    yield started
    supervisor.stop(started.directory)


@pytest.fixture(scope="module")
def twin(second: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """The small stack, deployed in process."""
    project = write_project(tmp_path_factory.mktemp("twin"), "small")
    # The sandbox's own project: its state file has no project in its name.
    shutil.copy(project / "Pulumi.yaml", second.directory.path.parent)
    return deploy_into(project, "dev", directory=second.directory, record=second.record)


@pytest.fixture
def settings(stack: Cli) -> Iterator[Cli]:
    """The small stack, whose settings a test may change."""
    yield stack
    for path in stack.project.glob("Pulumi.dev.yaml"):
        kept = [line for line in path.read_text().splitlines() if "encryptionsalt" in line]
        path.write_text("\n".join(kept) + "\n")


def test_engine_is_here() -> None:
    executable = shutil.which("pulumi")
    assert executable
    done = subprocess.run([executable, "version"], capture_output=True, check=True)
    assert done.stdout.startswith(b"v3.")


def test_both_doors_agree(stack: Cli, twin: Deployed) -> None:
    engine = normalise(stack.export("--show-secrets")["resources"])
    inprocess = normalise(opened(twin.path, PASSPHRASE))
    assert engine.keys() == inprocess.keys()
    assert list(differences(engine, inprocess)) == []


def test_an_app_team_reads_the_stack_through_both_doors(
    sandbox: Sandbox, environ: dict[str, str], stack: Cli, twin: Deployed, second: Sandbox, tmp_path: Path
) -> None:
    project = write_project(tmp_path, "consumer")
    deployed = deploy_into(project, "dev", directory=second.directory, record=second.record)
    plain = deployed.deployment.plain_outputs
    assert (plain["port"], plain["password"]) == (5432, twin.deployment.plain_outputs["password"])
    (group,) = second.client("ec2", "us-east-1").describe_security_groups(GroupIds=[plain["group"]])["SecurityGroups"]
    assert group["VpcId"] == twin.deployment.plain_outputs["vpcs"]["us-east-1"]

    cli = Cli(project, "dev", environ)
    cli.init()
    cli.up()
    mine, theirs = cli.outputs(), stack.outputs()
    assert (mine["port"], mine["password"]) == (5432, theirs["password"])
    (group,) = sandbox.client("ec2", "us-east-1").describe_security_groups(GroupIds=[mine["group"]])["SecurityGroups"]
    assert group["VpcId"] == theirs["vpcs"]["us-east-1"]
    cli.empty()


def test_the_cli_takes_the_in_process_state(second: Sandbox, twin: Deployed, stack: Cli) -> None:
    cli = Cli(stack.project, "dev", exec_environment(second.directory, second.record))
    cli.init()
    cli.run("stack", "import", "--file", str(twin.path))
    assert cli.outputs() == twin.deployment.plain_outputs
    # What one door made, the other finds as it should be.
    cli.up("--refresh", "--expect-no-changes")


def test_policies_read_the_in_process_state(environ: dict[str, str], twin: Deployed, tmp_path: Path) -> None:
    pytest.importorskip("pulumi_policy", reason="no pulumi-policy here: a policy pack cannot run")
    (tmp_path / "PulumiPolicy.yaml").write_text(
        f"runtime:\n  name: python\n  options: {{toolchain: pip, virtualenv: {sys.prefix}}}\n"
    )
    (tmp_path / "__main__.py").write_text(
        "from pulumi_policy import EnforcementLevel, PolicyPack, StackValidationPolicy\n"
        "def count(args, report):\n"
        "    keys = [r for r in args.resources if r.resource_type == 'aws:kms/key:Key']\n"
        "    report(f'{len(args.resources)} resources, {len(keys)} keys')\n"
        "PolicyPack('p', policies=[StackValidationPolicy('c', 'Counts.', count, EnforcementLevel.ADVISORY)])\n"
    )
    executable = shutil.which("pulumi")
    assert executable
    command = [executable, "policy", "analyze", "--file", str(twin.path), "--policy-pack", str(tmp_path)]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120)
    # Stack, three providers, two networks of three, two keys, password, secret and its version.
    assert "15 resources, 2 keys" in done.stdout


def test_up_again_changes_nothing(stack: Cli) -> None:
    stack.up("--expect-no-changes")


def test_a_refresh_finds_no_drift(stack: Cli) -> None:
    stack.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_a_refresh_finds_what_changed_outside(sandbox: Sandbox, stack: Cli) -> None:
    vpc = stack.outputs()["vpcs"]["us-west-2"]
    sandbox.client("ec2", "us-west-2").create_tags(Resources=[vpc], Tags=[{"Key": "owner", "Value": "somebody"}])
    assert stack.operations("--refresh") == {"network-us-west-2-vpc": {"update"}}
    stack.up("--refresh")


def test_every_setting_changes_in_its_own_way(settings: Cli) -> None:
    settings.set("ignored", "not seen")
    assert settings.operations() == {}
    settings.set("tag", "somebody")
    tagged = {"network-us-east-1-vpc", "network-us-west-2-vpc", "network-us-east-1-subnet", "network-us-west-2-subnet"}
    tagged |= {"keys-us-east-1-secrets", "keys-us-west-2-secrets", "orders-us-east-1-secret"}
    assert settings.operations() == {name: {"update"} for name in tagged}
    settings.set("cidr", "10.0.2.0/24")
    replaced = {"network-us-east-1-subnet", "network-us-west-2-subnet"}
    expected = {name: {"replace" if name in replaced else "update"} for name in tagged}
    # The components carry the range as an input of their own.
    expected |= {"network-us-east-1": {"update"}, "network-us-west-2": {"update"}}
    assert settings.operations() == expected


def test_a_preview_of_a_new_stack_knows_what_it_can(stack: Cli) -> None:
    fresh = Cli(stack.project, "fresh", stack.environ)
    fresh.init()
    steps = {step["urn"].rpartition("::")[2]: step["newState"] for step in fresh.preview()["steps"]}
    assert len(steps) == 14
    assert steps["network-us-east-1-subnet"]["inputs"]["cidrBlock"] == "10.0.1.0/24"
    # What only the cloud can say is unknown, and a secret stays one although it is.
    assert steps["network-us-east-1-subnet"]["inputs"]["vpcId"] == UNKNOWN_TEXT
    assert steps["orders-us-east-1-secret-version"]["inputs"]["secretString"] == "[secret]"


def test_secrets_are_never_plain_text(sandbox: Sandbox, stack: Cli) -> None:
    password: str = stack.outputs()["password"]
    assert len(password) == 32
    exported = stack.run("stack", "export").stdout
    assert password not in exported
    for path in (*sandbox.directory.backend.rglob("*"), *sandbox.directory.logs.rglob("*")):
        assert not path.is_file() or password.encode() not in path.read_bytes(), path


def test_what_is_protected_stays(stack: Cli) -> None:
    done = stack.run("destroy", "--yes", "--skip-preview", ok=False)
    assert "keys-us-east-1-secrets" in done.stdout + done.stderr
    assert "protect" in done.stdout + done.stderr
    kept = {resource["type"] for resource in stack.export()["resources"]}
    assert kept == {"pulumi:pulumi:Stack", "pulumi:providers:aws", "aws:kms/key:Key"}
    stack.up()


@pytest.mark.parametrize(("token", "said"), [(None, "is not set"), ("wrong", "not the running sandbox's token")])
def test_no_token_no_provider(stack: Cli, token: str | None, said: str) -> None:
    environ = {key: value for key, value in stack.environ.items() if key != TOKEN_VARIABLE}
    other = Cli(stack.project, stack.stack, environ | ({TOKEN_VARIABLE: token} if token else {}))
    assert said in other.up("--refresh=true", ok=False)


def test_a_dead_region(sandbox: Sandbox, settings: Cli) -> None:
    settings.set("tag", "survivor")
    sandbox.lose("us-east-1")
    assert "GetCallerIdentity" in settings.up(ok=False)
    settings.up("--target", "**us-west-2**")
    sandbox.lose()
    vpcs = settings.outputs()["vpcs"]
    tags = {
        region: sandbox.client("ec2", region).describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"]
        for region, vpc in vpcs.items()
    }
    assert {"Key": "owner", "Value": "survivor"} in tags["us-west-2"]
    assert {"Key": "owner", "Value": "nobody"} in tags["us-east-1"]
    # The state is whole: what the dead site missed is the only change left.
    assert {name for name in settings.operations("--refresh") if "us-west-2" in name} == set()
    settings.up("--refresh")
    settings.up("--expect-no-changes")


def test_no_real_stack_is_within_reach(sandbox: Sandbox, stack: Cli, tmp_path: Path) -> None:
    backend = tmp_path / "real"
    backend.mkdir()
    real = {**os.environ, "PULUMI_BACKEND_URL": backend.as_uri(), "PULUMI_CONFIG_PASSPHRASE": "real"}
    Cli(stack.project, "prod", real).init()
    before = {path: path.read_bytes() for path in backend.rglob("*") if path.is_file()}
    inside = exec_environment(sandbox.directory, sandbox.record, {**real, "AWS_PROFILE": "prod"})
    done = Cli(stack.project, "prod", inside).run("up", "--yes", "--skip-preview", ok=False)
    assert "no stack named 'prod' found" in done.stdout + done.stderr
    assert {path: path.read_bytes() for path in backend.rglob("*") if path.is_file()} == before


def test_destroy_leaves_nothing(sandbox: Sandbox, stack: Cli) -> None:
    stack.empty()
    assert not stack.export().get("resources")
    for region in ("us-east-1", "us-west-2"):
        vpcs = sandbox.client("ec2", region).describe_vpcs()["Vpcs"]
        assert [vpc for vpc in vpcs if not vpc["IsDefault"]] == []
        assert sandbox.client("secretsmanager", region).list_secrets()["SecretList"] == []
        kms = sandbox.client("kms", region)
        states = [kms.describe_key(KeyId=k["KeyId"])["KeyMetadata"]["KeyState"] for k in kms.list_keys()["Keys"]]
        assert set(states) <= {"PendingDeletion"}
