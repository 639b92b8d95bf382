"""Backups for people: what there is to restore from, and what a verification found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from lifeboat.model.settings import format_duration
from lifeboat.recovery.backups import objective

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from lifeboat.model.physical import Physical
    from lifeboat.recovery.backups import Listing, ObjectsKept, RestorePoint
    from lifeboat.recovery.backups_report import Report
    from lifeboat.recovery.journal import Detail

_WORDS = {True: "ok", False: "NO", None: "unknown"}


def listed(
    listing: Listing, physical: Physical, verified: Mapping[tuple[str, str], Mapping[str, Detail]], now: float
) -> RenderableType:
    """What there is to restore from, newest first within a store and site.

    Args:
        listing: What was found.
        physical: The stack's names.
        verified: How the last verification ended, by store and region.
        now: Seconds since the epoch.
    """
    points = _table("store", "site", "what", "identifier", "age", "within RPO", "reaches back", "state")
    for point in listing.points:
        rpo = objective(physical, point.store)
        points.add_row(
            point.store,
            point.region,
            point.kind,
            point.identifier,
            format_duration(max(0.0, now - point.at)),
            "no RPO" if rpo is None else f"{'yes' if now - point.at <= rpo else 'no'}, {format_duration(rpo)}",
            "" if point.since is None else format_duration(max(0.0, point.at - point.since)),
            point.status + ("" if point.encrypted else ", NOT ENCRYPTED"),
        )
    objects = _table("objects", "site", "bucket", "objects", "former versions", "bytes", "newest", "versioning")
    for kept in listing.objects:
        objects.add_row(*_kept(kept, now))
    lines = [
        f"{store} in {region}: last verified {_ago(said, now)}: {said.get('result')}"
        for (store, region), said in sorted(verified.items())
    ] or ["no backup was verified so far"]
    return Group(
        points,
        *([Text(), objects] if listing.objects else []),
        Text(),
        *(Text(line) for line in lines),
        *(Text(f"{each.store} in {each.region} is not known: {each.said}") for each in listing.unlisted),
    )


def found(report: Report, now: float) -> RenderableType:
    """What a verification found.

    Args:
        report: The verification.
        now: Seconds since the epoch.
    """
    lines = [f"{report.run}: {'passed' if report.passed else 'FAILED'}, seed {report.seed}"]
    if report.point is not None:
        lines.append(_restored(report.point, report.moment, now))
    checks = _table("", "check", "found", "seconds")
    for check in report.checks:
        checks.add_row(_WORDS[check.passed], check.name, check.said, f"{check.seconds:.1f}" if check.seconds else "")
    ends: list[str] = []
    if report.seconds:
        ends.append(", ".join(f"{what} {seconds:.1f} s" for what, seconds in report.seconds.items()))
    if report.recovery_point is not None:
        ends.append(f"recovery point {_moment(report.recovery_point)}, as its newest heartbeat tells")
    ends += [f"removed what an earlier run had left: {name}" for name in report.removed]
    ends += [f"still there: {name}" for name in report.left]
    if report.alerted is not None:
        ends.append(f"told: {report.alerted}")
    return Group(*map(Text, lines), checks, *map(Text, ends))


def _restored(point: RestorePoint, moment: float | None, now: float) -> str:
    at = moment or point.at
    old = format_duration(max(0.0, now - at))
    return f"{point.kind} {point.identifier} of {point.store} in {point.region}, as it was at {_moment(at)} ({old} ago)"


def _kept(kept: ObjectsKept, now: float) -> tuple[str, ...]:
    more = "" if kept.complete else " or more"
    return (
        kept.store,
        kept.region,
        kept.bucket,
        f"{kept.objects}{more}",
        f"{kept.versions}{more}",
        f"{kept.size}{more}",
        "" if kept.at is None else format_duration(max(0.0, now - kept.at)),
        "on" if kept.versioned else "OFF",
    )


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _ago(said: Mapping[str, Detail], now: float) -> str:
    return f"{format_duration(max(0.0, now - float(said.get('wall') or 0)))} ago"
