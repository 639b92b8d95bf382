"""A preview on the real engine: our program against a flat one of as many resources, both against the sandbox."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from benchmarks.measure import in_turn, note, report
from lifeboat.sandbox.environment import exec_environment
from lifeboat.sandbox.state import Directory
from lifeboat.sandbox.up import up

if TYPE_CHECKING:
    from collections.abc import Mapping

STACK = "reskflow"
SENTINEL = "4dabf18193072939515e22adb298388d"
"""Marks a secret in a deployment file; see Pulumi's ``sdk/go/common/resource``."""


def compare_previews(project: Path) -> None:
    """Preview the stack and its flat twin, in turn, from an empty state.

    Args:
        project: A linked project; its sandbox is started anew.
    """
    note("deploying once, to know the resources ...")
    directory = Directory.of_project(project)
    result = up(STACK, directory, progress=lambda _: None)
    state = json.loads(result.state.read_text())
    flat = flat_resources(state["deployment"]["resources"])
    resources = project / "resources.json"
    resources.write_text(json.dumps(flat))
    twin = project / "flat"
    twin.mkdir()
    shutil.copy(Path(__file__).parent / "flat" / "__main__.py", twin)
    (twin / "Pulumi.yaml").write_text(
        f"name: flat\nruntime:\n  name: python\n  options: {{toolchain: pip, virtualenv: {sys.prefix}}}\n"
    )
    environment = exec_environment(directory, result.record, {**os.environ, "BENCH_RESOURCES": str(resources)})
    for place in (project, twin):
        pulumi(place, environment, "stack", "init", "--stack", STACK)
    preview = ("preview", "--stack", STACK, "--suppress-outputs")
    series = in_turn(
        {
            f"pulumi preview, {STACK}": lambda: pulumi(project, environment, *preview),
            "pulumi preview, flat program": lambda: pulumi(twin, environment, *preview),
        }
    )
    report(
        f"a preview of {len(flat)} resources on the real engine",
        series,
        f"ratio {series[0].median / series[1].median:.2f} (aim: at most 1.15)",
    )


def flat_resources(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every AWS resource with literal inputs, and the region of its provider."""
    regions = {
        f"{resource['urn']}::{resource['id']}": resource["inputs"]["region"]
        for resource in resources
        if resource["type"] == "pulumi:providers:aws"
    }
    return [
        {
            "type": resource["type"],
            "name": resource["urn"].rpartition("::")[2],
            "inputs": _literal(resource["inputs"]),
            "region": regions[resource["provider"]],
        }
        for resource in resources
        if resource["type"].startswith("aws:")
    ]


def _literal(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        return [_literal(each) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        known = cast("dict[str, Any]", value)
        return "placeholder-of-a-secret" if SENTINEL in known else {key: _literal(known[key]) for key in known}
    return value


def pulumi(project: Path, environment: Mapping[str, str], *arguments: str) -> None:
    """Run the CLI on PATH in a project, silently; it must succeed."""
    subprocess.run(  # noqa: S603 - the user's own CLI, our arguments
        ["pulumi", *arguments, "--non-interactive"],  # noqa: S607 - found on PATH, as everywhere
        cwd=project,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
