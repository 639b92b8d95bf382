"""`lifeboat sandbox ...`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lifeboat.cli import fault
from lifeboat.cli.arguments import Json, Stack
from lifeboat.cli.output import progress, show, show_json

if TYPE_CHECKING:
    from lifeboat.cli.design import Design
    from lifeboat.sandbox.state import Directory, Record

app = typer.Typer(
    help="A local cloud on loopback: no account, no container engine, nothing real in reach.",
    no_args_is_help=True,
)
app.add_typer(fault.app, name="fault")


Empty = Annotated[bool, typer.Option("--empty", help="Start the APIs alone and deploy nothing: for a Pulumi CLI.")]
Bare = Annotated[bool, typer.Option("--bare", help="The APIs alone: no databases, caches, sites or names.")]
TimeScale = Annotated[
    str,
    typer.Option("--time-scale", metavar="N|instant", help="How many times faster than AWS the control plane is."),
]
DetectionScale = Annotated[
    float,
    typer.Option(
        "--detection-scale", metavar="N", help="How many times faster than declared a loss is found: 1 to 30."
    ),
]
NoWardens = Annotated[
    bool,
    typer.Option(
        "--no-wardens", help="Nobody decides: whoever promotes a database by its API moves gate and traffic along."
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="Same seed, same durations of the control plane.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Keep the data of the sandbox that ran here; the APIs begin anew.")
]


@app.command("up")
def up(  # noqa: PLR0913 - options
    stack: Stack,
    *,
    empty: Empty = False,
    bare: Bare = False,
    time_scale: TimeScale = "60",
    detection_scale: DetectionScale = 1.0,
    no_wardens: NoWardens = False,
    seed: Seed = 0,
    resume: Resume = False,
    json: Json = False,
) -> None:
    """Start a local cloud and deploy STACK into it. An older one is removed first: each `up` starts from nothing.

    Its databases, caches, sites and names are real servers on loopback.

    For example:

      lifeboat sandbox up reskflow

      lifeboat sandbox up reskflow --time-scale 1 --seed 7

      lifeboat sandbox up reskflow --detection-scale 10

      lifeboat sandbox up reskflow --resume

      lifeboat sandbox up prod --bare --json | jq '.contract.sites | keys'

      lifeboat sandbox up prod --empty && lifeboat sandbox exec -- pulumi stack init prod
    """
    from lifeboat.cli.design import load_design
    from lifeboat.deployment.project import InputError
    from lifeboat.sandbox.live.world_config import parse_time_scale, require_detection_scale

    # Faults of the configuration come before anything is started or stopped.
    design = load_design(stack)
    scale = parse_time_scale(time_scale)
    detection = require_detection_scale(detection_scale)
    if resume and (empty or bare):
        raise InputError("--resume: only servers have data to keep: leave out --bare and --empty")
    if empty:
        _start(stack, design, json=json)
        return

    import shutil

    from lifeboat.reporting.living import reach
    from lifeboat.reporting.overview import next_steps, overview
    from lifeboat.sandbox.state import Directory
    from lifeboat.sandbox.up import Living
    from lifeboat.sandbox.up import up as deploy

    living = (
        None
        if bare
        else Living(seed=seed, time_scale=scale, resume=resume, detection_scale=detection, wardens=not no_wardens)
    )
    with progress() as line:
        result = deploy(stack, Directory.of_project(), progress=line, living=living)
    if json:
        resources = {"real": result.real, "recorded": result.recorded}
        elapsed = round(result.elapsed_s, 3)
        answer = {"contract": result.contract, "elapsed_s": elapsed, "resources": resources}
        show_json(answer if result.live is None else {**answer, "live": result.live})
        return
    show(overview(design.settings, design.topology, design.estimate, design.prices))
    show(f"resources {result.real} made, {result.recorded} only recorded, in {result.elapsed_s:.1f} s")
    # Called by its path, it has to be called so again: an environment's commands need not be on PATH.
    lifeboat = sys.argv[0] if "/" in sys.argv[0] and shutil.which("lifeboat") is None else "lifeboat"
    if result.live is not None:
        show(reach(result.live, result.contract, lifeboat))
    show(next_steps(stack, lifeboat))


def _start(stack: str, design: Design, *, json: bool) -> None:
    from lifeboat.sandbox.plugin.executables import write_executables
    from lifeboat.sandbox.state import Directory
    from lifeboat.sandbox.supervisor import start

    directory = Directory.of_project()
    record = start(directory, stack=stack, account=design.settings.account, home=design.settings.home)
    write_executables(directory.bin)
    if json:
        show_json({"endpoint": record.endpoint, "pid": record.pid})
    else:
        show(f"running, with nothing deployed: {stack} on {record.endpoint} (pid {record.pid})")


@app.command("deploy")
def deploy(
    program: Annotated[
        Path,
        typer.Argument(help="Directory of the program's Pulumi.yaml.", exists=True, file_okay=False, resolve_path=True),
    ],
    stack: Annotated[str, typer.Argument(help="The program's stack: a Pulumi.STACK.yaml beside it.")],
    *,
    json: Json = False,
) -> None:
    """Deploy another program's stack into the sandbox that runs, such as an app team's. It needs no Pulumi CLI.

    The program finds the platform's contract by StackReference, as it would with a CLI.

    For example:

      lifeboat sandbox up reskflow && lifeboat sandbox deploy examples/app_team reskflow
    """
    from lifeboat.deployment.project import Project
    from lifeboat.sandbox.up import deploy_into

    # Without a program and its stack there is nothing to deploy, whether a sandbox runs or not.
    Project.at(program).text(stack)
    directory, record = _running()
    with progress() as line:
        deployed = deploy_into(program, stack, directory=directory, record=record, progress=line)
    outputs = deployed.deployment.shown_outputs
    if json:
        show_json({"outputs": outputs, "resources": {"real": deployed.real, "recorded": deployed.recorded}})
        return
    for name, value in outputs.items():
        show(f"{name}  {value}")
    show(f"resources {deployed.real} made, {deployed.recorded} only recorded, in {deployed.seconds:.1f} s")


@app.command("status")
def status(*, json: Json = False) -> None:
    """Say whether a sandbox runs, where, and how its servers are: lag and faults. Exits with 1 when none answers.

    For example:

      lifeboat sandbox status --json
    """
    from lifeboat.reporting.living import state
    from lifeboat.sandbox.state import Directory
    from lifeboat.sandbox.supervisor import living
    from lifeboat.sandbox.supervisor import status as look

    found = look(Directory.of_project())
    record = found.record
    live = living(record) if record and found.running else None
    if json:
        document = {
            "running": found.running,
            "stack": record.stack if record else None,
            "endpoint": record.endpoint if record else None,
            "pid": record.pid if record else None,
        }
        show_json(document if live is None else {**document, "live": live})
    else:
        show(found.summary)
        if live is not None:
            show(state(live))
    if not found.running:
        raise typer.Exit(1)


@app.command("env")
def env(*, json: Json = False) -> None:
    """Print shell lines that point the AWS CLI, boto3 and Pulumi at the sandbox, and nowhere else.

    PATH is left alone: plugins of the sandbox are found inside `lifeboat sandbox exec` only.

    For example:

      eval "$(lifeboat sandbox env)"
    """
    from lifeboat.sandbox.environment import removed, shell, variables

    directory, record = _running()
    if json:
        show_json({"set": variables(directory, record), "unset": removed()})
    else:
        sys.stdout.write(shell(directory, record))


@app.command("exec", context_settings={"ignore_unknown_options": True})
def exec_(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="The command, after two dashes.")],
) -> None:
    """Run a command in the sandbox's environment, with its provider plugins first on PATH; the exit code is its own.

    For example:

      lifeboat sandbox exec -- pulumi preview --stack reskflow

      lifeboat sandbox exec -- aws rds describe-db-instances --region us-west-2
    """
    import shutil

    from lifeboat.deployment.project import InputError
    from lifeboat.sandbox.environment import exec_environment

    directory, record = _running()
    environment = exec_environment(directory, record)
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        raise InputError(f"no command {command[0]!r} on PATH")
    sys.stdout.flush()
    # The command takes this process's place: signals, terminal and exit code are its own.
    os.execve(program, command, environment)  # noqa: S606  (running the user's command is what `exec` is for)


@app.command("down")
def down(*, json: Json = False) -> None:
    """Stop the sandbox and remove its state. Succeeds when none runs.

    For example:

      lifeboat sandbox down
    """
    from lifeboat.sandbox.state import Directory
    from lifeboat.sandbox.supervisor import stop

    stopped = stop(Directory.of_project())
    if json:
        show_json({"stopped": stopped.stack if stopped else None})
    else:
        show(f"stopped: {stopped.stack}" if stopped else "no sandbox was running")


def _running() -> tuple[Directory, Record]:
    from lifeboat.sandbox.state import Directory, SandboxError

    directory = Directory.of_project()
    record = directory.running()
    if record is None:
        raise SandboxError("no sandbox runs here: lifeboat sandbox up STACK")
    return directory, record
