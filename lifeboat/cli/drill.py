"""`lifeboat drill`."""

from __future__ import annotations

import shlex
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lifeboat.cli.arguments import Json, OptionalStack
from lifeboat.cli.output import progress, show, show_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifeboat.cli.design import Design
    from lifeboat.recovery.drill.compose import Subject
    from lifeboat.recovery.drill.evidence import Evidence
    from lifeboat.recovery.drill.scenario import Scenario


def complete_scenario(incomplete: str) -> list[tuple[str, str]]:
    """Scenarios that begin so, each with what happens in it."""
    from lifeboat.recovery.drill.scenario import scenarios

    return [(name, found.title) for name, found in scenarios().items() if name.startswith(incomplete)]


ScenarioName = Annotated[
    str, typer.Option("--scenario", metavar="NAME", help="What happens.", autocompletion=complete_scenario)
]
Seed = Annotated[int, typer.Option("--seed", help="Of clients, faults and durations; one more each repetition.")]
Repeat = Annotated[int, typer.Option("--repeat", metavar="N", min=1, max=1000, help="How often, each from nothing.")]
TimeScale = Annotated[
    float,
    typer.Option(
        "--time-scale", metavar="N", min=1, max=30, help="How many times faster detection and control plane are."
    ),
]
Rate = Annotated[float, typer.Option("--rate", metavar="R", min=1, max=500, help="Orders a second of all clients.")]
Keep = Annotated[bool, typer.Option("--keep", help="Leave the sandbox running afterwards; the last one, of several.")]
RecoveryOnly = Annotated[
    bool, typer.Option("--recovery-only", help="Ends once the stack has recovered: no rejoin, no failback.")
]
Output = Annotated[
    Path | None, typer.Option("--output", metavar="DIR", help="Takes the evidence; .lifeboat/drills/... if not told.")
]
Record = Annotated[
    bool, typer.Option("--record", help="Write measured durations of steps to records/; at time scale 1 only.")
]
List = Annotated[bool, typer.Option("--list", help="Show the scenarios, and do nothing.")]


def drill(  # noqa: PLR0913 - each is an option of the command
    stack: OptionalStack = None,
    *,
    scenario: ScenarioName = "region-failure",
    seed: Seed = 0,
    repeat: Repeat = 1,
    time_scale: TimeScale = 10,
    rate: Rate = 20,
    recovery_only: RecoveryOnly = False,
    keep: Keep = False,
    output: Output = None,
    record: Record = False,
    list_: List = False,
    json: Json = False,
) -> None:
    """Rehearse the day: deploy STACK into a local cloud of its own, put clients on it, break it, and measure.

    Exits with 0 when the objective is met and every invariant holds, and with 1 when not. The evidence is a JSON record
    and a page for people.

    For example:

      lifeboat drill --list

      lifeboat drill reskflow --scenario region-failure --seed 7

      lifeboat drill reskflow --recovery-only

      lifeboat drill reskflow --scenario graceful-switchover --repeat 20 --rate 120

      lifeboat drill reskflow --time-scale 1 --repeat 3 --json | jq '.[].recovery.rto'
    """
    from lifeboat.deployment.project import InputError
    from lifeboat.model.physical import Physical
    from lifeboat.recovery.drill.scenario import ScenarioError, scenarios
    from lifeboat.recovery.drill.scenario import scenario as named
    from lifeboat.recovery.drill.workload import unfit

    if list_:
        _list(json=json)
        return
    try:
        wanted = named(scenario)
    except ScenarioError as fault:
        raise InputError(*str(fault).splitlines()) from None
    if stack is None:
        raise InputError(f"STACK: absent; the scenarios are {', '.join(scenarios())}")
    if record and time_scale != 1:
        raise InputError(f"--record: --time-scale {time_scale:g}: accepted is 1, since real I/O is not scaled")
    from lifeboat.cli.design import load_design

    design = load_design(stack)
    if (why := unfit(Physical(settings=design.settings, topology=design.topology))) is not None:
        raise InputError(f"{stack}: {why}")
    # As Ctrl-C does: what was started is ended in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    drills: list[Evidence] = []
    with progress() as line:
        for number in range(repeat):
            chosen = seed + number
            subject = _subject(
                stack, design, wanted, seed=chosen, scale=time_scale, rate=rate, recovery_only=recovery_only
            )
            directory = _directory(design, output, scenario, chosen, several=repeat > 1)
            kept = keep and number == repeat - 1
            drills.append(_carried_out(subject, design, directory, line, keep=kept, record=record))
            line(f"evidence: {directory / 'evidence.html'}")
    _print(drills, json=json)
    if not all(each.verdict.passed for each in drills):
        raise typer.Exit(1)


def _list(*, json: bool) -> None:
    from lifeboat.recovery.drill.scenario import scenarios
    from lifeboat.reporting.drill import listing

    if json:
        show_json([each.model_dump(mode="json") for each in scenarios().values()])
    else:
        show(listing(scenarios()))


def _subject(  # noqa: PLR0913 - what a drill is repeated by
    stack: str, design: Design, scenario: Scenario, *, seed: int, scale: float, rate: float, recovery_only: bool
) -> Subject:
    from lifeboat.model.physical import Physical
    from lifeboat.recovery.drill.compose import Subject

    told = {"--scenario": scenario.name, "--seed": seed, "--time-scale": f"{scale:g}", "--rate": f"{rate:g}"}
    options = [f"{name}={value}" for name, value in told.items()] + ["--recovery-only"] * recovery_only
    return Subject(
        stack=stack,
        physical=Physical(settings=design.settings, topology=design.topology),
        scenario=scenario,
        seed=seed,
        scale=scale,
        rate=rate,
        command=shlex.join(["lifeboat", "drill", stack, *options]),
        recovery_only=recovery_only,
    )


def _directory(design: Design, output: Path | None, scenario: str, seed: int, *, several: bool) -> Path:
    """Where a drill's files go: a new directory each time, or the one that was named."""
    from datetime import UTC, datetime

    if output is not None:
        return (output / f"seed-{seed}" if several else output).resolve()
    taken = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    return design.project.root / ".lifeboat" / "drills" / f"{taken}-{scenario}-{seed}"


def _carried_out(  # noqa: PLR0913 - the same
    subject: Subject, design: Design, directory: Path, line: Callable[[str], None], *, keep: bool, record: bool
) -> Evidence:
    from lifeboat.recovery.drill.page import page
    from lifeboat.recovery.drill.run import Drill
    from lifeboat.recovery.drill.sandbox_world import How, SandboxWorld
    from lifeboat.sandbox.state import write_private

    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    how = How(stack=subject.stack, root=design.project.root, seed=subject.seed, scale=subject.scale, keep=keep)
    world = SandboxWorld(how, subject.physical, line)
    carried = Drill(subject, world, directory, line)
    evidence = carried.run()
    write_private(directory / "evidence.json", evidence.text())
    write_private(directory / "evidence.html", page(evidence))
    if record:
        for path in carried.record(design.project.root / "records"):
            line(f"measured: {path}")
    return evidence


def _print(drills: list[Evidence], *, json: bool) -> None:
    from lifeboat.reporting.drill import result, summary

    if json:
        show_json([each.model_dump(mode="json") for each in drills])
        return
    for each in drills:
        show(result(each))
    if len(drills) > 1:
        show(summary(drills))
