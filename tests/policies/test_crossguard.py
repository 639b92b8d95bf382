"""The pack behind the SDK, fed as the engine feeds it: proxies over the wire's markers, a policy after the other."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, cast

import pytest
from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyProviderResource,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import (
    UNKNOWN_ARRAY_VALUE,
    UNKNOWN_NUMBER_VALUE,
    UNKNOWN_STRING_VALUE,
    unknown_checking_proxy,
)

from policies.core.results import require, violation
from policies.core.rules import Metadata, Rule, Severity
from policies.core.values import UNKNOWN, at_least
from policies.crossguard import Pack, plain, program_directory
from tests.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

BUCKET = "aws:s3/bucketV2:BucketV2"
OPTIONS = PolicyResourceOptions(
    protect=True,
    ignore_changes=["tags"],
    delete_before_replace=None,
    aliases=[],
    custom_timeouts=PolicyCustomTimeouts(0, 0, 0),
    additional_secret_outputs=[],
)


def _rule(name: str, severity: Severity, check: Any) -> Rule:  # noqa: ANN401 - a check
    parameters = {"days": {"type": "integer", "default": 7, "description": "days"}}
    values: dict[str, Any] = {"severity": severity, "types": ("aws:s3/bucket:Bucket",), "parameters": parameters}
    return Rule(name, Metadata(title=name, subject="AWS", remediation=("mend it",), **values), check)


def _days(resource: Any, context: Any) -> Iterable[Any]:  # noqa: ANN401 - a check
    return require(resource, "days", at_least(context.parameters["days"]), "more")


RULES = {
    "days": _rule("days", Severity.CRITICAL, _days),
    "minor": _rule("minor", Severity.LOW, lambda resource, _: [violation(resource, "x", "never right")]),
}


class Engine:
    """Plays one analysis: every resource's declaration, then the stack with what the provider answered."""

    def __init__(self, pack: Pack, config: Mapping[str, Any] | None = None) -> None:
        self.policies = pack.policies()
        self.config = config
        self.resources: list[PolicyResource] = []

    def declare(self, name: str, inputs: dict[str, Any], *, uses: Sequence[PolicyResource] = ()) -> PolicyResource:
        urn = f"urn:pulumi:dev::shop::{BUCKET}::{name}"
        args = ResourceValidationArgs(BUCKET, _proxy(inputs), urn, name, OPTIONS, None, self.config)
        for policy in self.policies:
            if isinstance(policy, ResourceValidationPolicy):
                policy.validate(args, _unexpected)
        return self.read(name, {**inputs, "arn": UNKNOWN_STRING_VALUE}, uses=uses)

    def read(self, name: str, outputs: dict[str, Any], *, uses: Sequence[PolicyResource] = ()) -> PolicyResource:
        provider = PolicyProviderResource("pulumi:providers:aws", _proxy({"region": "eu-west-1"}), "urn:p", "p")
        urn = f"urn:pulumi:dev::shop::{BUCKET}::{name}"
        found = PolicyResource(
            BUCKET, _proxy(outputs), urn, name, OPTIONS, provider, None, list(uses), {"bucket": list(uses)}
        )
        self.resources.append(found)
        return found

    def finish(self) -> dict[str, list[tuple[str, str]]]:
        """Text and URN's name of every report, by policy."""
        args = StackValidationArgs(self.resources)
        said: dict[str, list[tuple[str, str]]] = {}
        for policy in self.policies:
            if isinstance(policy, StackValidationPolicy):
                policy.validate(
                    args,
                    lambda message, urn=None, name=policy.name: said.setdefault(name, []).append(
                        (message, (urn or "").rpartition("::")[2])
                    ),
                )
        return said


def _proxy(bag: dict[str, Any]) -> Any:  # noqa: ANN401 - the SDK's proxy
    return unknown_checking_proxy(bag)


def _unexpected(message: str, _urn: str | None = None) -> None:
    raise AssertionError(message)


def test_proxies_become_plain_and_unknowns_marked() -> None:
    bag = {
        "text": "x",
        "number": 7.0,
        "none": None,
        "late": UNKNOWN_NUMBER_VALUE,
        "list": [1, UNKNOWN_STRING_VALUE, {"deep": UNKNOWN_ARRAY_VALUE, "flag": False}],
        "empty": {},
        "hidden": ["[secret]"],
    }
    read = plain(_proxy(bag))
    assert read == {
        "text": "x",
        "number": 7.0,
        "none": None,
        "late": UNKNOWN,
        "list": [1, UNKNOWN, {"deep": UNKNOWN, "flag": False}],
        "empty": {},
        "hidden": [UNKNOWN],
    }
    assert type(read) is dict
    assert type(read["list"]) is list


@pytest.fixture(autouse=True)
def _program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As the engine does: the pack starts in its own directory, and all it hears of the program's is the shell's.
    monkeypatch.chdir(ROOT / "policies")
    monkeypatch.setenv("PWD", str(tmp_path))
    (tmp_path / "Pulumi.yaml").touch()


def test_each_finding_is_reported_by_the_policy_of_its_severity() -> None:
    engine = Engine(Pack(RULES))
    engine.declare("few", {"days": 6.0})
    engine.declare("enough", {"days": 7.0})
    engine.declare("late", {"days": UNKNOWN_NUMBER_VALUE})
    said = engine.finish()
    assert said["critical"] == [("days: `days` must be more", "few")]
    assert said["undecided"] == [("days: `days` is not known", "late")]
    assert {name for _, name in said["advice"]} == {"few", "enough", "late"}
    assert said.keys() == {"critical", "undecided", "advice"}


def test_what_is_only_read_is_not_judged() -> None:
    engine = Engine(Pack(RULES))
    engine.read("foreign", {"days": 0})
    assert engine.finish() == {}


def test_what_the_engine_hands_over_as_declared_is_judged_since_nothing_tells_that_it_was_read() -> None:
    engine = Engine(Pack(RULES))
    found = engine.declare("external", {"days": 0})
    assert not {"external", "read"} & set(vars(found)) | {each for each in vars(found.opts) if "external" in each}
    assert engine.finish()["critical"] == [("days: `days` must be more", "external")]


def test_settings_reach_the_rules() -> None:
    config = {"strict": True, "rules": {"days": {"days": 3.0}, "minor": {"level": "disabled"}}}
    engine = Engine(Pack(RULES), config)
    engine.declare("few", {"days": 3})
    engine.declare("late", {"days": UNKNOWN_NUMBER_VALUE})
    assert engine.finish() == {"critical": [("days: `days` is not known", "late")]}


def test_wrong_settings_fail_and_nothing_else_is_said() -> None:
    engine = Engine(Pack(RULES), {"rules": {"dayz": {}, "days": {"days": "x"}}})
    engine.declare("few", {"days": 3})
    said = engine.finish()
    assert said.keys() == {"pack"}
    assert [message.split(":")[0] for message, _ in said["pack"]] == ["rules.dayz", "rules.days.days"]


def _write(tmp_path: Path, expires: str, name: str = "policy-suppressions.yaml") -> None:
    entry = {"rule": "days", "resource": "*few", "reason": "known", "owner": "me", "expires": expires}
    (tmp_path / name).write_text(json.dumps([entry]))


def test_suppressions_beside_the_program(tmp_path: Path) -> None:
    _write(tmp_path, "2999-12-31")
    engine = Engine(Pack(RULES))
    engine.declare("few", {"days": 3})
    said = engine.finish()
    assert said["suppressed"] == [("days: `days` must be more (accepted until 2999-12-31 by me: known)", "few")]
    assert "critical" not in said
    assert "pack" not in said


def test_an_expired_suppression_fails(tmp_path: Path) -> None:
    _write(tmp_path, "2020-01-01")
    engine = Engine(Pack(RULES))
    engine.declare("few", {"days": 3})
    said = engine.finish()
    assert "expired on 2020-01-01" in said["pack"][0][0]
    assert said["critical"]


def test_a_file_of_suppressions_that_is_not_there_or_not_right(tmp_path: Path) -> None:
    missing = Engine(Pack(RULES), {"suppressions": "gone.yaml"})
    missing.declare("few", {"days": 3})
    assert missing.finish()["pack"][0][0].startswith("suppressions: gone.yaml: ")
    (tmp_path / "wrong.yaml").write_text("- rule: days\n")
    wrong = Engine(Pack(RULES), {"suppressions": "wrong.yaml"})
    wrong.declare("few", {"days": 3})
    assert all(message.startswith("wrong.yaml: 0.") for message, _ in wrong.finish()["pack"])


@pytest.mark.parametrize("text", ["- expires: 2027-02-30\n", "[" * 100000])
def test_a_file_that_the_parser_dies_of_is_a_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "policy-suppressions.yaml").write_text(text)
    engine = Engine(Pack(RULES))
    engine.declare("few", {"days": 3})
    (fault,) = engine.finish()["pack"]
    assert fault[0].startswith("policy-suppressions.yaml: ")


def test_whatever_the_pack_breaks_on_is_a_line_without_any_value() -> None:
    engine = Engine(Pack(RULES))
    engine.declare("few", {"days": 3})
    engine.resources[0].dependencies = cast("Any", "hunter2")
    (fault,) = engine.finish()["pack"]
    assert fault[0].startswith("the pack itself failed with AttributeError at ")
    assert "hunter2" not in fault[0]


def test_the_program_is_where_the_cli_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deeper = tmp_path / "a" / "b"
    deeper.mkdir(parents=True)
    monkeypatch.setenv("PWD", str(deeper))
    assert program_directory() == tmp_path
    (tmp_path / "Pulumi.yaml").unlink()
    assert program_directory() == ROOT, "the project around the pack"
    monkeypatch.chdir(tmp_path)
    assert program_directory() == deeper
    monkeypatch.delenv("PWD")
    assert program_directory() == tmp_path


def test_options_provider_and_dependencies_arrive() -> None:
    seen: list[Any] = []

    def look(resource: Any, context: Any) -> Iterable[Any]:  # noqa: ANN401 - a check
        seen.append((resource, context.index.region(resource), context.index.targets(resource, "bucket")))
        return ()

    engine = Engine(Pack({"look": _rule("look", Severity.HIGH, look)}))
    first = engine.declare("first", {})
    engine.declare("second", {"bucket": UNKNOWN_STRING_VALUE}, uses=[first])
    engine.finish()
    resource, region, targets = seen[1]
    assert (resource.type, resource.protect, resource.ignore_changes) == ("aws:s3/bucket:Bucket", True, ("tags",))
    assert resource.outputs["arn"] is UNKNOWN
    assert region == "eu-west-1"
    assert [each.name for each in targets] == ["first"]


def test_another_run_in_the_same_process_starts_anew() -> None:
    pack = Pack(RULES)
    first = Engine(pack)
    first.declare("few", {"days": 3})
    assert first.finish()["critical"]
    second = Engine(pack)
    second.declare("enough", {"days": 7})
    said = second.finish()
    assert "critical" not in said
    assert said["advice"] == [("minor: never right", "enough")]


def test_the_engine_refuses_unknown_rules_by_the_schema() -> None:
    taking, *others = Pack(RULES).policies()
    schema = cast("Any", taking.config_schema).properties
    assert schema["rules"]["additionalProperties"] is False
    assert schema["rules"]["properties"].keys() == RULES.keys()
    assert all(policy.config_schema is None for policy in others)


def test_nothing_is_printed_before_the_port() -> None:
    # Unbuffered, as the engine runs it: the SDK does not flush the line.
    command = [sys.executable, "-u", str(ROOT / "policies" / "__main__.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as pack:
        assert pack.stdout
        # The engine takes the first line for the port, whatever it is.
        port = pack.stdout.readline()
        pack.terminate()
    assert 0 < int(port) < 65536
