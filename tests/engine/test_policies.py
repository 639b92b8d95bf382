"""The policy pack on a real engine: whatever way it runs, it says the same."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from lifeboat.sandbox import supervisor
from lifeboat.sandbox.environment import exec_environment
from lifeboat.sandbox.state import Directory
from lifeboat.sandbox.up import up
from policies.core.judge import Status, judge
from policies.core.rules import load_rules
from policies.core.settings import POLICY, resolve_settings
from policies.core.state import index_of_state
from policies.crossguard import line
from tests.engine.conftest import CHECKOUT, Cli, copy_checkout, write_project
from tests.project import link_project

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from policies.core.judge import Judgement

pytestmark = pytest.mark.engine

PACK = CHECKOUT / "policies"
RULES = load_rules()
# So demanding that our own stack, which keeps the defaults, does not please it.
DEMANDING = {
    name: {key: each.default * 1000 + 999 for key, each in rule.metadata.parameters.items() if each.type == "integer"}
    for name, rule in RULES.items()
}

Said: TypeAlias = "set[tuple[str, str, str]]"
"""The engine's policy, the URN and the text of every finding."""


def _config(directory: Path, settings: Mapping[str, Any]) -> Path:
    path = directory / "policy-config.json"
    path.write_text(json.dumps({POLICY: settings}))
    return path


def _run(command: list[str], directory: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    executable = shutil.which("pulumi")
    assert executable
    return subprocess.run(
        [executable, *command],
        cwd=directory,
        # As a shell that went there.
        env={**environ, "PWD": str(directory)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def _said(text: str, root: str) -> Said:
    """The findings among the engine's events, a JSON object a line."""
    events = [json.loads(each) for each in text.splitlines() if each.startswith("{")]
    found: Said = set()
    for event in events:
        if reported := event.get("policyEvent"):
            urn = reported.get("resourceUrn", "")
            # The policy's description, then the finding; what is about no resource is about the stack.
            said = reported["message"].strip().splitlines()[1:]
            found.add((reported["policyName"], "" if urn == root else urn, "\n".join(said)))
    return found


def _preview(cli: Cli, settings: Mapping[str, Any]) -> tuple[int, Said, str]:
    """A preview with the pack: exit code, findings, everything printed."""
    done = _run(
        [
            *("preview", "--non-interactive", "--stack", cli.stack, "--json"),
            *("--policy-pack", str(PACK), "--policy-pack-config", str(_config(cli.project, settings))),
        ],
        cli.project,
        {**cli.environ, "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"},
    )
    return done.returncode, _said(done.stdout, _root(cli)), done.stdout + done.stderr


def _root(cli: Cli) -> str:
    name = (cli.project / "Pulumi.yaml").read_text().split("name: ")[1].split()[0]
    return f"urn:pulumi:{cli.stack}::{name}::pulumi:pulumi:Stack::{name}-{cli.stack}"


def _judged(judgement: Judgement) -> Said:
    """What the judge found, under the names of the engine's policies."""
    policies = {Status.SUPPRESSED: "suppressed", Status.UNDECIDED: "undecided"}
    return {
        (policies.get(each.status, each.severity.value if each.fails else "advice"), each.urn, line(each))
        for each in judgement.findings
    }


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Cli]]:
    """ReskFlow's state file, and a CLI in whose backend nothing is deployed yet."""
    directory = Directory.of_project(link_project(tmp_path_factory.mktemp("policies")))
    result = up("reskflow", directory, progress=lambda _: None)
    project = copy_checkout(tmp_path_factory.mktemp("checkout"), "reskflow")
    cli = Cli(project, "reskflow", exec_environment(directory, result.record))
    cli.init()
    yield result.state, cli
    supervisor.stop(directory)


def _state(path: Path, settings: Mapping[str, Any]) -> Judgement:
    today = datetime.now(UTC).date()
    return judge(index_of_state(path.read_text()), RULES, resolve_settings(settings, RULES), today=today)


@pytest.mark.parametrize("settings", [{}, {"rules": DEMANDING}], ids=["defaults", "demanding"])
def test_the_engine_reads_a_state_as_we_do(
    deployed: tuple[Path, Cli], settings: dict[str, Any], tmp_path: Path
) -> None:
    state, cli = deployed
    command = ["policy", "analyze", "--file", str(state), "--policy-pack", str(PACK), "-j"]
    # In the program's directory, which has no suppressions.
    done = _run([*command, "--policy-pack-config", str(_config(tmp_path, settings))], cli.project, cli.environ)
    judgement = _state(state, settings)
    assert judgement.faults == ()
    assert _said(done.stdout, _root(cli)) == _judged(judgement)
    assert (done.returncode != 0) == judgement.failed, done.stderr
    if settings:
        assert len({each.rule for each in judgement.having(Status.VIOLATION)}) > 1, "nothing was compared"


def test_a_first_preview_finds_what_it_can_and_passes_nothing_over(deployed: tuple[Path, Cli]) -> None:
    state, cli = deployed
    code, said, printed = _preview(cli, {"rules": DEMANDING})
    assert code != 0, printed[-4000:]
    later = _judged(_state(state, {"rules": DEMANDING}))
    found = {each for each in said if each[0] != "undecided"}
    assert found - later == set(), "a preview must not find what is not there"
    undecided = {(urn, text.split(":")[0]) for policy, urn, text in said if policy == "undecided"}
    silent = {each for each in later - found if (each[1], each[2].split(":")[0]) not in undecided}
    assert silent == set(), "a preview must not pass over what is there"


def test_a_later_preview_finds_what_the_state_has(deployed: tuple[Path, Cli]) -> None:
    state, first = deployed
    cli = Cli(first.project, first.stack, first.environ)
    cli.run("stack", "import", "--file", str(state))
    _, said, printed = _preview(cli, {"rules": DEMANDING})
    assert said == _judged(_state(state, {"rules": DEMANDING})), printed[-4000:]


@pytest.fixture(scope="module")
def small(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A program that knows nothing of this project: plain resources of the SDK."""
    cli = Cli(write_project(tmp_path_factory.mktemp("policies"), "small"), "judged", environ)
    cli.init()
    return cli


def test_a_program_of_anybody_s_is_judged(small: Cli) -> None:
    code, said, _ = _preview(small, {"rules": {"kms-rotation": {"level": "mandatory"}}})
    assert code != 0
    assert [text for policy, _, text in said if policy == "pack"] == []
    rotated = {urn.rpartition("::")[2] for _, urn, text in said if text.startswith("kms-rotation:")}
    assert rotated == {"keys-us-east-1-secrets", "keys-us-west-2-secrets"}


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"rules": {"rds-retentoin": {"days": 7}}}, "rds-retentoin"),
        ({"rules": {"rds-retention": {"day": 7}}}, "day"),
        ({"profile": "iso"}, "profile"),
    ],
)
def test_the_engine_refuses_names_that_do_not_exist(small: Cli, settings: dict[str, Any], name: str) -> None:
    code, said, printed = _preview(small, settings)
    assert code != 0
    assert said == set(), "refused before anything is judged"
    assert "validating policy config" in printed
    assert name in printed


def test_the_pack_refuses_a_setting_that_does_not_exist(small: Cli) -> None:
    # The engine's schema closes what is in a setting, not the list of settings.
    code, said, _ = _preview(small, {"profil": "soc2"})
    assert code != 0
    assert said == {("pack", "", "profil: there is no such key")}


def test_an_expired_suppression_fails_what_would_pass(small: Cli) -> None:
    off = {"rules": {name: {"level": "advisory"} for name in RULES}}
    assert _preview(small, off)[0] == 0
    suppressions = small.project / "policy-suppressions.yaml"
    suppressions.write_text(
        '[{rule: kms-rotation, resource: "*", reason: ordered, owner: platform, expires: 2020-01-01}]\n'
    )
    code, said, _ = _preview(small, off)
    suppressions.unlink()
    assert code != 0
    (fault,) = [text for policy, _, text in said if policy == "pack"]
    assert "expired on 2020-01-01" in fault
