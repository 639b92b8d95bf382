"""`lifeboat backups`."""

from __future__ import annotations

import os
import secrets
import signal
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lifeboat.cli.arguments import Json, Stack
from lifeboat.cli.output import progress, show, show_json, tell

if TYPE_CHECKING:
    from types import FrameType

    from lifeboat.cli.recovery import Reached
    from lifeboat.recovery.backups import RestorePoint
    from lifeboat.recovery.backups_report import Report, Wish

app = typer.Typer(help="What there is to restore from, and whether it can be.", no_args_is_help=True)


class Pick(StrEnum):
    """Which backup is verified."""

    RANDOM = "random"
    NEWEST = "newest"


Site = Annotated[str | None, typer.Option("--site", metavar="REGION", help="Only backups in this site.")]
Database = Annotated[str | None, typer.Option("--database", metavar="NAME", help="Only backups of this database.")]
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, help="Decides what is picked, to repeat a run; drawn if not told.")
]
Picked = Annotated[Pick, typer.Option("--pick", help="A random backup, or the newest one.")]
Keep = Annotated[
    bool, typer.Option("--keep", help="Leave what was restored there, to be looked at; a later run removes it.")
]
Deadline = Annotated[
    str, typer.Option("--deadline", metavar="DURATION", help="How long restoring and reading may take, such as 4h.")
]


@app.command("list")
def list_(stack: Stack, *, json: Json = False) -> None:
    """Print what each store of a stack can be restored from in each site, how old it is, and when it was last verified.

    For example:

      lifeboat backups list reskflow

      lifeboat backups list reskflow --json
    """
    from lifeboat.cli import recovery
    from lifeboat.recovery import backups
    from lifeboat.recovery.backups_report import verified
    from lifeboat.reporting.backups import listed

    reached = recovery.reach(stack)
    found = backups.listing(reached.physical, reached.ports)
    past, now = verified(reached.journal()), reached.ports.wall()
    if not json:
        show(listed(found, reached.physical, past, now))
        return
    show_json(
        {
            "stack": stack,
            "points": [
                {**_point(each), "age": round(now - each.at, 1), "rpo": backups.objective(reached.physical, each.store)}
                for each in found.points
            ],
            "objects": [asdict(each) for each in found.objects],
            "unlisted": [asdict(each) for each in found.unlisted],
            "verified": [dict(each) for each in past.values()],
        }
    )


@app.command()
def verify(  # noqa: PLR0913 - each is an option of the command
    stack: Stack,
    *,
    site: Site = None,
    database: Database = None,
    seed: Seed = None,
    pick: Picked = Pick.RANDOM,
    keep: Keep = False,
    deadline: Deadline = "4h",
    json: Json = False,
) -> None:
    """Restore a backup into an isolated place, check that it can be used, report, and remove the place again.

    Exits with 1 when the backup cannot be used, and tells people by the region's topic; with 3 while the stack is being
    moved, or held. Nothing that the stack uses is changed.

    For example:

      lifeboat backups verify reskflow

      lifeboat backups verify reskflow --site us-west-2 --database orders --pick newest --json
    """
    from lifeboat.cli import recovery
    from lifeboat.deployment.project import InputError
    from lifeboat.model.settings.base import parse_duration
    from lifeboat.recovery.backups_report import Wish
    from lifeboat.reporting.backups import found

    reached = recovery.reach(stack)
    _known(reached, site, database)
    try:
        seconds = parse_duration(deadline)
    except ValueError as fault:
        raise InputError(f"--deadline: {deadline}: accepted is {fault}") from None
    wish = Wish(
        site=site,
        database=database,
        seed=secrets.randbelow(2**31) if seed is None else seed,
        newest=pick is Pick.NEWEST,
        keep=keep,
        deadline=seconds,
    )
    # Whoever ends it politely gets the place removed too.
    signal.signal(signal.SIGTERM, _interrupted)
    report = _verify(reached, wish)
    if json:
        show_json({"stack": stack, **_document(report)})
    else:
        show(found(report, reached.ports.wall()))
    for fault in report.faults:
        tell(f"lifeboat: {fault}")
    if not report.passed:
        raise typer.Exit(1)


def _verify(reached: Reached, wish: Wish) -> Report:
    from lifeboat.recovery.assembly import lease_store
    from lifeboat.recovery.backups_verify import Surroundings, Verifier
    from lifeboat.recovery.claim import user_name
    from lifeboat.recovery.journal import Mirror
    from lifeboat.recovery.system_ports import Surroundings as Transport

    here = Transport.of(os.environ)
    with progress() as line:
        return Verifier(
            Surroundings(
                physical=reached.physical,
                ports=reached.ports,
                lease=lambda ports: lease_store(reached.physical, ports),
                journal=reached.journal(),
                mirror=Mirror(reached.root / ".lifeboat" / "journal"),
                encrypted=here.encrypted,
                authorities=here.authorities,
                who=user_name(),
                progress=line,
            )
        ).verify(wish)


def _known(reached: Reached, site: str | None, database: str | None) -> None:
    from lifeboat.deployment.project import InputError

    sites = [each.region for each in reached.physical.topology.sites]
    databases = [each.settings.name for each in reached.physical.topology.databases]
    if site is not None and site not in sites:
        raise InputError(f"--site: {site}: accepted is a site, {' or '.join(sites)}")
    if not databases:
        raise InputError(f"{reached.stack} has no database: there is nothing to verify")
    if database is not None and database not in databases:
        raise InputError(f"--database: {database}: accepted is {' or '.join(databases)}")


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _point(point: RestorePoint) -> dict[str, Any]:
    return {**asdict(point), "kind": point.kind.value}


def _document(report: Report) -> dict[str, Any]:
    return {**asdict(report), "point": None if report.point is None else _point(report.point)}
