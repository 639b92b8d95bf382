"""The commands from the outside: streams, exit codes, help."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.cli.arguments import complete_stack
from tests.unit.cli.engine import digest, needs, state, step
from tests.unit.contract.conftest import document as _document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.cli.conftest import Ran
    from tests.unit.cli.engine import FakePulumi

    Run = Callable[..., Ran]

contract_document = _document
"""The fixture of the contract's tests, under a name of its own."""

COMMANDS = [
    ["explain"],
    ["plan"],
    ["contract"],
    ["check"],
    ["up"],
    ["doctor"],
    *(["sandbox", name] for name in ("up", "status", "env", "exec", "down")),
]


def test_help_loads_no_sdk() -> None:
    program = (
        "import sys\nfrom lifeboat.cli.main import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit as ended:\n    assert not ended.code\n"
        "heavy = {'pulumi', 'pulumi_aws', 'boto3', 'botocore', 'moto', 'grpc', 'yaml', 'pydantic'}\n"
        "print('LOADED', *sorted(set(sys.modules) & heavy))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(run: Run, command: list[str]) -> None:
    ran = run(*command, "--help")
    assert ran.code == 0
    assert "For example" in ran.out
    assert f"lifeboat {' '.join(command)}" in ran.out.partition("For example")[2]


def test_the_command_alone_shows_help_and_is_bad_input(run: Run) -> None:
    ran = run()
    assert ran.code == 2
    assert "sandbox" in ran.out + ran.err


@pytest.mark.parametrize(
    "command",
    [["explain", "prd"], ["contract", "prd"], ["up", "prd", "--yes"], ["check", "prd"], ["sandbox", "up", "prd"]],
)
def test_an_unknown_stack_lists_those_there_are(run: Run, checkout: Path, command: list[str]) -> None:
    (checkout / "Pulumi.other.yaml").write_text("config: {}\n")
    ran = run(*command)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"lifeboat: no stack 'prd': there is no Pulumi.prd.yaml in {checkout}; stacks here: other, reskflow\n"
    )


def test_a_stack_name_is_never_a_path(run: Run, checkout: Path) -> None:
    (checkout / "sub").mkdir()
    (checkout / "sub" / "x.yaml").write_text("config: {}\n")
    assert run("explain", "/../sub/x").code == 2


def test_outside_of_a_project_is_bad_input(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run("explain", "reskflow")
    assert ran.code == 2
    assert ran.err.startswith("lifeboat: no Pulumi.yaml in ")


def test_bad_config_is_a_line_per_fault(run: Run, checkout: Path) -> None:
    file = checkout / "Pulumi.reskflow.yaml"
    file.write_text(
        file.read_text().replace("15m, rpo: 5m", "15 minutes, rpo: 5m").replace("home: us-east-1", "home: mars")
    )
    ran = run("explain", "reskflow")
    lines = ran.err.splitlines()
    assert (ran.code, ran.out) == (2, "")
    assert len(lines) == 2
    assert all(line.startswith("lifeboat: lifeboat:") for line in lines)
    assert {"home", "objectives"} == {line.split(":")[2].split(".")[0].strip() for line in lines}


def test_objectives_that_nothing_meets_are_bad_input_with_the_arithmetic(run: Run, checkout: Path) -> None:
    file = checkout / "Pulumi.reskflow.yaml"
    file.write_text(file.read_text().replace("{name: orders}", "{name: orders, mechanism: backups}"))
    ran = run("explain", "reskflow")
    assert (ran.code, ran.out) == (2, "")
    assert "24h05m" in ran.err
    assert "Traceback" not in ran.err


def test_completion_knows_the_stacks(checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (checkout / "Pulumi.prod.yaml").write_text("config: {}\n")
    assert complete_stack("") == ["prod", "reskflow"]
    assert complete_stack("re") == ["reskflow"]
    monkeypatch.chdir(tmp_path)
    assert complete_stack("") == []


def test_explain_prints_the_page_or_the_document(run: Run) -> None:
    page = run("explain", "reskflow")
    assert page.code == 0
    assert "database orders: " in page.out
    assert "\x1b[" not in page.out
    ran = run("explain", "reskflow", "--json")
    document = json.loads(ran.out)
    assert (document["stack"], document["home"], document["standby"]) == ("reskflow", "us-east-1", "us-west-2")
    assert {"database orders", "cache sessions", "objects uploads"} <= {
        each["capability"] for each in document["decisions"]
    }
    assert ran.err == ""


def _deploy(checkout: Path, outputs: dict[str, Any]) -> None:
    root = {"urn": "urn:pulumi:s::lifeboat::pulumi:pulumi:Stack::lifeboat-s", "type": "pulumi:pulumi:Stack"}
    directory = checkout / ".sandbox"
    directory.mkdir()
    document = {"version": 3, "deployment": {"resources": [{**root, "custom": False, "outputs": outputs}]}}
    (directory / "reskflow.json").write_text(json.dumps(document))


def test_contract_shows_what_the_sandbox_holds(run: Run, checkout: Path, contract_document: dict[str, Any]) -> None:
    _deploy(checkout, {"contract": contract_document, "password": "hunter2"})
    ran = run("contract", "reskflow", "--from", "sandbox", "--json")
    assert json.loads(ran.out) == contract_document
    assert ran.err == "from the sandbox\n"
    page = run("contract", "reskflow", "--from", "sandbox").out
    assert "orders.cluster-abc.us-west-2.rds.amazonaws.com:5432/orders" in page
    assert "RPO 5m: 1m enforced" in page
    assert "hunter2" not in page + ran.out


def test_contract_asks_the_cli_when_no_sandbox_runs(
    run: Run, pulumi: FakePulumi, contract_document: dict[str, Any]
) -> None:
    root = {"type": "pulumi:pulumi:Stack", "custom": False, "outputs": {"contract": contract_document}}
    pulumi.say("stack export", {"version": 3, "deployment": {"resources": [root]}})
    ran = run("contract", "reskflow", "--json")
    assert (json.loads(ran.out), ran.err) == (contract_document, "from the Pulumi CLI\n")


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (None, "lifeboat: reskflow is not deployed in the sandbox: lifeboat sandbox up reskflow"),
        ({}, "lifeboat: reskflow is deployed without a contract"),
        (
            {"contract": {"version": "9.0"}},
            "lifeboat: output 'contract' of reskflow: contract version 9.0 cannot be read",
        ),
    ],
)
def test_no_contract_is_a_failure_in_one_line(
    run: Run, checkout: Path, outputs: dict[str, Any] | None, said: str
) -> None:
    if outputs is not None:
        _deploy(checkout, outputs)
    ran = run("contract", "reskflow", "--from", "sandbox")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[1].startswith(said)
    assert len(ran.err.splitlines()) == 2


def test_contract_prints_its_schema(run: Run) -> None:
    assert json.loads(run("contract", "reskflow", "--schema").out)["x-contract-version"] == "1.1"


def test_up_refuses_with_3_and_says_what_to_do(run: Run, pulumi: FakePulumi) -> None:
    pulumi.say("stack export", state("orders-us-west-2"))
    failed = digest(errors=(needs("users-us-west-2", "users-us-east-1"),))
    pulumi.say("preview **us-west-2**", failed, code=255)
    ran = run("up", "reskflow", "--without", "us-east-1", "--yes")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.splitlines()[-2:] == [
        "lifeboat: us-west-2 needs something new that is not in it: users-us-west-2 needs users-us-east-1",
        "lifeboat: leave that out of the change until us-east-1 is back, or until it is given up as a site",
    ]


def test_up_prints_only_json_to_stdout(run: Run, pulumi: FakePulumi) -> None:
    pulumi.say("stack export", state())
    pulumi.say("preview", digest(step("create", "orders-us-east-1")))
    pulumi.say("up", "what the CLI prints for people\n")
    ran = run("up", "reskflow", "--yes", "--json")
    stages = [{"scope": "all", "changes": {"create": 1}}]
    assert json.loads(ran.out) == {"stack": "reskflow", "stages": stages, "export": None}
    assert "what the CLI prints for people" in ran.err
    assert "create     orders-us-east-1" in ran.err


def test_up_does_nothing_when_nobody_can_be_asked(run: Run, pulumi: FakePulumi) -> None:
    ran = run("up", "reskflow")
    assert (ran.code, ran.err) == (2, "lifeboat: --yes: absent, and there is no terminal to ask on\n")
    assert pulumi.calls() == []


def test_a_sandbox_that_does_not_run_says_so(run: Run) -> None:
    assert json.loads(run("sandbox", "status", "--json").out) == {
        "running": False,
        "stack": None,
        "endpoint": None,
        "pid": None,
    }
    assert run("sandbox", "status").code == 1
    for command in (["env"], ["exec", "--", "true"]):
        ran = run("sandbox", *command)
        assert (ran.code, ran.out, ran.err) == (1, "", "lifeboat: no sandbox runs here: lifeboat sandbox up STACK\n")
    down = run("sandbox", "down", "--json")
    assert (down.code, json.loads(down.out)) == (0, {"stopped": None})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--resume", "--bare"], "lifeboat: --resume: only servers have data to keep: leave out --bare and --empty"),
        (["--time-scale", "fast"], "lifeboat: --time-scale: fast: a positive number such as 60, or 'instant'"),
    ],
)
def test_options_that_make_no_sense_start_nothing(run: Run, checkout: Path, options: list[str], said: str) -> None:
    ran = run("sandbox", "up", "reskflow", *options)
    assert (ran.code, ran.err.splitlines()) == (2, [said])
    assert not (checkout / ".sandbox").exists()


def test_an_empty_sandbox_lives_from_up_to_down(run: Run, checkout: Path) -> None:
    up = run("sandbox", "up", "reskflow", "--empty", "--json")
    try:
        assert (up.code, set(json.loads(up.out))) == (0, {"endpoint", "pid"})
        status = json.loads(run("sandbox", "status", "--json").out)
        assert status == {"running": True, "stack": "reskflow", **json.loads(up.out)}
        shell = run("sandbox", "env")
        assert f"export AWS_ENDPOINT_URL={status['endpoint']}\n" in shell.out
        assert json.loads(run("sandbox", "env", "--json").out)["set"]["AWS_REGION"] == "us-east-1"
        script = 'echo "$AWS_ENDPOINT_URL"; command -v pulumi-resource-aws; echo "$1" >&2; exit 7'
        # Replaces its process: it needs one of its own.
        command = [sys.executable, "-c", "from lifeboat.cli.main import main; main()", "sandbox", "exec", "--"]
        words = [*command, "sh", "-c", script, "x", "--json"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (7, "--json\n")
        assert done.stdout.splitlines() == [
            status["endpoint"],
            str(checkout / ".sandbox" / "bin" / "pulumi-resource-aws"),
        ]
        missing = run("sandbox", "exec", "--", "no-such-command")
        assert (missing.code, missing.err) == (2, "lifeboat: no command 'no-such-command' on PATH\n")
        doctor = {check["name"]: check for check in json.loads(run("doctor", "--json").out)["checks"]}
        assert doctor["sandbox"]["state"] == "ok"
    finally:
        down = run("sandbox", "down", "--json")
    assert json.loads(down.out) == {"stopped": "reskflow"}
    assert run("sandbox", "status").code == 1


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setattr("lifeboat.deployment.project.Project.stacks", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("explain", "reskflow")
