"""`lifeboat sandbox fault` from the outside, against a sandbox of its API alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from lifeboat.cli.fault import complete_active, complete_kind
from lifeboat.sandbox import supervisor
from lifeboat.sandbox.state import Directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.unit.cli.conftest import Ran

    Run = Callable[..., Ran]

FAULT = ("sandbox", "fault")
REGION = "us-east-1"


@pytest.fixture
def running(checkout: Path) -> Iterator[Directory]:
    directory = Directory.of_project(checkout)
    supervisor.start(directory, stack="reskflow", account="123456789012", home=REGION)
    yield directory
    supervisor.stop(directory)


@pytest.mark.parametrize("command", ["list", "inject", "clear"])
def test_every_command_has_help_with_an_example(run: Run, command: str) -> None:
    ran = run(*FAULT, command, "--help")
    assert ran.code == 0
    assert f"lifeboat sandbox fault {command}" in ran.out.partition("For example")[2]


@pytest.mark.parametrize("command", [["list"], ["clear"], ["inject", "region-partition", "--region", REGION]])
def test_without_a_sandbox_it_says_so(run: Run, command: list[str]) -> None:
    ran = run(*FAULT, *command)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[-1] == "lifeboat: no sandbox runs here: lifeboat sandbox up STACK"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name the KIND of a fault, or a --file: lifeboat sandbox fault list shows the kinds"),
        (["flood"], "Input tag 'flood' found using 'kind' does not match any of the expected tags"),
        (["slow-disk"], "region: Field required"),
        (["slow-disk", "--region", REGION, "--param", "commit_ms"], "--param: commit_ms: NAME=VALUE"),
        (["slow-disk", "--region", REGION, "--param", "commit_ms=x"], "commit_ms: Input should be a valid number"),
        (["slow-disk", "--region", REGION, "--for", "30"], "--for: 30: a duration such as 15m"),
        (["slow-disk", "--file", "drill.yaml"], "--file says everything: leave KIND and the other options out"),
        (
            ["link", "--param", f"source_region={REGION}", "--param", "target_region=internet"],
            "say what is wrong with it: latency_ms, bytes_per_s, cut or reset",
        ),
        (["api-throttle", "--region", REGION, "--param", "fraction=2"], "fraction: Input should be less than or equal"),
        (["--file", "broken.yaml"], "broken.yaml: neither YAML nor JSON"),
        (["--file", "drill.yaml", "--json"], "fault 2: offset_s: Field required"),
    ],
)
def test_bad_input_is_told_before_a_sandbox_is_asked(run: Run, checkout: Path, arguments: list[str], said: str) -> None:
    (checkout / "broken.yaml").write_text("faults: [")
    faults = [{"kind": "region-partition", "region": REGION}, {"kind": "clock-skew", "agent": "a"}]
    (checkout / "drill.yaml").write_text(json.dumps({"faults": faults}))
    ran = run(*FAULT, "inject", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("lifeboat: ")
    assert said in ran.err


@pytest.mark.usefixtures("running")
def test_what_is_injected_is_listed_and_cleared(run: Run) -> None:
    kinds = run(*FAULT, "list").out
    assert "region-blackout  A region is gone" in kinds
    assert "commit_ms" in kinds
    injected = run(*FAULT, "inject", "credentials-expired", "--param", "principals=[AKIAOLD]", "--for", "5m", "--json")
    (row,) = json.loads(injected.out)["faults"]
    assert (row["id"], row["state"], row["until"] - row["since"]) == ("f1", "active", 300)
    assert row["parameters"] == {"for_s": 300, "principals": ["AKIAOLD"]}
    assert injected.err == "injecting credentials-expired\n"
    page = run(*FAULT, "inject", "region-partition", "--region", REGION, "--after", "1h").out
    assert "f2  region-partition  scheduled" in page
    listed = run(*FAULT, "list").out
    assert [line.split()[0] for line in listed.splitlines()] == ["id", "f1", "f2"]
    assert complete_active("f") == [("f1", "credentials-expired"), ("f2", "region-partition")]
    cleared = run(*FAULT, "clear", "f1")
    assert (cleared.code, cleared.out) == (0, "healed: f1\n")
    assert json.loads(run(*FAULT, "clear", "--json").out) == {"cleared": ["f2"]}
    cleared = run(*FAULT, "clear")
    assert (cleared.code, cleared.out) == (0, "there was nothing to heal\n")
    assert json.loads(run(*FAULT, "list", "--json").out)["active"] == []


@pytest.mark.usefixtures("running")
def test_an_unknown_fault_is_not_cleared_and_those_there_are_are_named(run: Run) -> None:
    def refusal() -> str:
        ran = run(*FAULT, "clear", "f999")
        assert (ran.code, ran.out) == (1, "")
        return ran.err.splitlines()[-1]

    assert refusal() == "lifeboat: ID: f999: there are no faults"
    for _ in range(2):
        run(*FAULT, "inject", "credentials-expired", "--param", "principals=[AKIAOLD]")
    assert refusal() == "lifeboat: ID: f999: there are f1, f2"
    assert [row["id"] for row in json.loads(run(*FAULT, "list", "--json").out)["active"]] == ["f1", "f2"]


def _client(service: str, endpoint: str) -> Any:  # noqa: ANN401 - each service's own
    return cast("Any", boto3).client(
        service,
        region_name="us-west-2",
        endpoint_url=endpoint,
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="sandbox",
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_a_composition_from_a_file_breaks_the_api_for_a_client(run: Run, checkout: Path, running: Directory) -> None:
    (checkout / "drill.yaml").write_text(
        "faults:\n"
        f"  - {{kind: region-blackout, region: {REGION}}}\n"
        "  - {kind: api-errors, region: us-west-2, services: [ec2]}\n"
    )
    record = running.running()
    assert record is not None
    client, other = _client("iam", record.endpoint), _client("ec2", record.endpoint)
    client.list_roles()
    assert run(*FAULT, "inject", "--file", "drill.yaml").code == 0
    with pytest.raises(ConnectionClosedError):
        client.list_roles()
    with pytest.raises(ClientError) as failed:
        other.describe_vpcs()
    assert "HTTPStatusCode': 50" in str(failed.value.response)
    assert run(*FAULT, "clear").code == 0
    client.list_roles()
    other.describe_vpcs()


@pytest.mark.usefixtures("running")
def test_what_the_sandbox_cannot_have_is_a_failure_in_one_line(run: Run) -> None:
    wanted = {
        ("slow-disk", "--region", REGION): f"there are no databases in {REGION}",
        ("clock-skew", "--param", "agent=a", "--param", "offset_s=5"): (
            "a is no agent of this sandbox: there are none"
        ),
        (
            *("link", "--param", "source_region=internet"),
            *("--param", f"target_region={REGION}", "--param", "latency_ms=80"),
        ): "this sandbox has no links",
    }
    for arguments, said in wanted.items():
        ran = run(*FAULT, "inject", *arguments)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.splitlines()[-1] == f"lifeboat: POST faults: {said}"
    assert json.loads(run(*FAULT, "list", "--json").out)["active"] == []


def test_completion_knows_the_kinds(checkout: Path) -> None:
    assert checkout.is_dir()
    assert [kind for kind, _ in complete_kind("replication")] == ["replication-lag", "replication-break"]
    assert complete_active("") == []
