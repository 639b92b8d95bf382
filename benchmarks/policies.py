"""The policy pack: what it adds to a preview, how it grows with the stack, and Checkov on the same resources."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from benchmarks.measure import Series, in_turn, note, report
from benchmarks.preview import STACK, flat_resources, pulumi
from benchmarks.stacks import resources
from lifeboat.sandbox.environment import exec_environment
from lifeboat.sandbox.state import Directory
from lifeboat.sandbox.up import up
from policies.core.index import Index
from policies.core.judge import judge
from policies.core.rules import load_rules
from policies.core.settings import POLICY, resolve_settings
from tests.project import ROOT

if TYPE_CHECKING:
    from policies.core.resource import Resource

PREVIEWED: Final = 200
SIZES: Final = (1_000, 10_000)
_TERRAFORM: Final = {
    "kms/key": "kms_key",
    "rds/globalCluster": "rds_global_cluster",
    "rds/clusterParameterGroup": "rds_cluster_parameter_group",
    "rds/cluster": "rds_cluster",
    "rds/clusterInstance": "rds_cluster_instance",
    "cloudwatch/metricAlarm": "cloudwatch_metric_alarm",
    "cloudwatch/logGroup": "cloudwatch_log_group",
    "s3/bucketReplicationConfig": "s3_bucket_replication_configuration",
    "backup/vault": "backup_vault",
    "backup/plan": "backup_plan",
    "backup/selection": "backup_selection",
    "dynamodb/table": "dynamodb_table",
    "secretsmanager/secret": "secretsmanager_secret",
    "route53/healthCheck": "route53_health_check",
    "route53/record": "route53_record",
}


def compare_policy_previews(project: Path) -> None:
    """Preview a flat program on the real engine with the pack and without, in turn.

    Args:
        project: A linked project; its sandbox is started anew.
    """
    note("deploying once, to know the resources ...")
    directory = Directory.of_project(project)
    result = up(STACK, directory, progress=lambda _: None)
    flat = flat_resources(json.loads(result.state.read_text())["deployment"]["resources"])[:PREVIEWED]
    place = project / "judged"
    place.mkdir()
    (place / "resources.json").write_text(json.dumps(flat))
    shutil.copy(Path(__file__).parent / "flat" / "__main__.py", place)
    (place / "Pulumi.yaml").write_text(
        f"name: judged\nruntime:\n  name: python\n  options: {{toolchain: pip, virtualenv: {sys.prefix}}}\n"
    )
    # What is found must not end a preview that is only to be timed.
    advice = {POLICY: {"rules": {name: {"level": "advisory"} for name in load_rules()}}}
    (place / "config.json").write_text(json.dumps(advice))
    environment = exec_environment(directory, result.record) | {"BENCH_RESOURCES": str(place / "resources.json")}
    pulumi(place, environment, "stack", "init", "--stack", STACK)
    preview = ("preview", "--stack", STACK, "--suppress-outputs")
    pack = ("--policy-pack", str(ROOT / "policies"), "--policy-pack-config", str(place / "config.json"))
    series = in_turn(
        {
            "pulumi preview": lambda: pulumi(place, environment, *preview),
            "pulumi preview --policy-pack policies": lambda: pulumi(place, environment, *preview, *pack),
        }
    )
    added = series[1].median / series[0].median - 1
    report(
        f"a preview of {len(flat)} resources on the real engine",
        series,
        f"the pack adds {added:.0%} (aim: at most 25 %)",
    )


def compare_judging() -> None:
    """The whole pack in process at two sizes, and Checkov on as many resources as the smaller one has."""
    stacks = {size: resources(size) for size in SIZES}
    small, large = SIZES
    series = in_turn({f"the pack, {size:,} resources": _judging(stacks[size]) for size in SIZES})
    report(
        f"{len(load_rules())} rules in process, the index among it",
        series,
        f"{small:,} resources {series[0].median:.2f} s (aim: less than 3 s), "
        f"time({large:,})/time({small:,}) {series[1].median / series[0].median:.1f} (aim: at most 12)",
    )
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        checkov = _install_checkov(directory)
        if checkov is None:
            note("SKIPPED: Checkov cannot be installed here")
            return
        plan = directory / "plan.json"
        plan.write_text(json.dumps(terraform_plan(stacks[small])))
        checks = _checkov(checkov, plan)
        pack = _pack_process(directory)
        compared = in_turn(
            {
                "the pack, a process": lambda: _run(pack),
                "checkov, a process": lambda: _checkov(checkov, plan),
            },
            rounds=3,
        )
        _report_checkov(compared, small, checks)


def _report_checkov(series: list[Series], size: int, checks: int) -> None:
    ratio = series[1].median / series[0].median
    report(
        f"{size:,} resources, start-up included; Checkov reads them as a Terraform plan and made {checks:,} checks",
        series,
        f"checkov takes {ratio:.1f} times as long",
    )


def _judging(stack: list[Resource]) -> Any:  # noqa: ANN401 - a call that is timed
    rules = load_rules()
    settings, today = resolve_settings({}, rules), datetime.now(UTC).date()

    def run() -> None:
        judgement = judge(Index(stack), rules, settings, today=today)
        if judgement.faults:
            raise RuntimeError(judgement.faults[0])

    return run


def _pack_process(directory: Path) -> list[str]:
    """A command that reads a state of the smaller stack and judges it, from nothing."""
    state = directory / "state.json"
    entries = [
        {
            "urn": each.urn,
            "type": each.type,
            "custom": True,
            "inputs": each.inputs,
            "outputs": each.outputs,
            "protect": each.protect,
            "provider": f"{each.provider.urn}::id" if each.provider else "",
            "dependencies": each.dependencies,
            "propertyDependencies": each.property_dependencies,
        }
        for each in resources(SIZES[0])
    ]
    state.write_text(json.dumps({"version": 3, "deployment": {"resources": entries}}))
    return [sys.executable, "-m", "benchmarks.judge", str(state)]


def _run(command: list[str]) -> None:
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command


def _install_checkov(directory: Path) -> Path | None:
    """Checkov in an environment of its own, which is thrown away; None when it cannot be had."""
    note("installing Checkov into an environment of its own ...")
    place = directory / "checkov"
    uv = str(Path(sys.executable).with_name("uv"))
    for command in (
        [uv, "venv", "-q", "--python", sys.executable, str(place)],
        [uv, "pip", "install", "-q", "--python", str(place / "bin" / "python"), "checkov"],
    ):
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own command
        if done.returncode:
            note(done.stderr.strip()[-500:])
            return None
    return place / "bin" / "checkov"


def _checkov(executable: Path, plan: Path) -> int:
    """Run Checkov without its platform; how many checks it made."""
    command = [
        *(str(executable.with_name("python")), str(executable), "-f", str(plan), "--framework", "terraform_plan"),
        *("-o", "json", "--compact", "--quiet", "--soft-fail", "--skip-download"),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own command
    summary = cast("dict[str, int]", json.loads(done.stdout)["summary"])
    return summary["passed"] + summary["failed"]


def terraform_plan(stack: list[Resource]) -> dict[str, Any]:
    """The plan that Terraform would show for the same resources."""
    planned: list[dict[str, Any]] = []
    for each in stack:
        module = each.type.split(":")[1]
        type_ = "aws_" + _TERRAFORM.get(module, _snake(module.replace("/", "_")))
        name = each.name.replace(".", "_")
        common = {"address": f"{type_}.{name}", "mode": "managed", "type": type_, "name": name}
        planned.append({**common, "values": {_snake(key): _block(item) for key, item in (each.inputs or {}).items()}})
    changes = [
        {
            **{key: each[key] for key in ("address", "mode", "type", "name")},
            "change": {"actions": ["create"], "before": None, "after": each["values"]},
        }
        for each in planned
    ]
    root = {"resources": planned}
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": root},
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": []}},
    }


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _block(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Terraform has a block as a list of one, and maps only for tags and dimensions, whose keys begin with capitals."""
    if isinstance(value, dict):
        bag = cast("dict[str, Any]", value)
        if any(key[:1].isupper() or "-" in key for key in bag):
            return bag
        return [{_snake(key): _block(item) for key, item in bag.items()}]
    if isinstance(value, list):
        found = [_block(item) for item in cast("list[Any]", value)]
        return [each[0] if isinstance(each, list) else each for each in found]
    return value
