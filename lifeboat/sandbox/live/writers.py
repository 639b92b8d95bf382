"""Which server took over from which, kept where it outlives every process: a life that resumes begins with home's copy.

A family's file, ``writers.json`` in ``data/rds`` or ``data/cache``, has the key of each server whose place another one
took, and that one's key. It is written before the promotion: from then on the old one may lack writes.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Final, cast

from lifeboat.sandbox.state import SandboxError, write_private

if TYPE_CHECKING:
    from pathlib import Path

_FILE: Final = "writers.json"
_SYSTEM, _TIMELINE = "Database system identifier", "Latest checkpoint's TimeLineID"


def took_over(data: Path, writer: str, former: str) -> None:
    """Keep, on the disk when this returns, that one server writes from now on where another one did.

    Args:
        data: The family's directory.
        writer: Key of the one that is about to write.
        former: Key of the one that it followed.

    Raises:
        SandboxError: when that cannot be kept; then nobody must be promoted.
    """
    known = _read(data)
    # Whoever took over from it before does not count any more.
    known.pop(writer, None)
    path = data / _FILE
    try:
        write_private(path, json.dumps({**known, former: writer}, indent=1) + "\n")
        for written in (path, data):
            descriptor = os.open(written, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except OSError as fault:
        raise SandboxError(f"{path}: cannot be written: {fault.strerror}: nobody takes over") from fault


def require_writers(data: Path, home: str) -> None:
    """See that nobody took over from a server of home's.

    Args:
        data: The sandbox's, of all families.
        home: The region whose copies a life that resumes begins with.

    Raises:
        SandboxError: when somebody did, or it cannot be told.
    """
    for family in ("rds", "cache"):
        for former, writer in sorted(_read(data / family).items()):
            region, kind, identifier = writer.split("/", 2)
            place = data / family / region / (identifier if kind == "cache" else f"{kind}/{identifier}")
            # A writer that was deleted has nothing that could be lost.
            if former.startswith(f"{home}/") and place.is_dir():
                raise _refusal(former, f"{writer} took over from it")
    _require_timelines(data / "rds", home)


def _require_timelines(data: Path, home: str) -> None:
    """See that no copy is of a later timeline than home's: a promotion begins one, whatever the file says."""
    latest: dict[str, dict[str, tuple[int, Path]]] = {}
    for control in sorted(data.glob("*/*/*/data/global/pg_control")):
        place = control.parents[2]
        region = place.parents[1].name
        facts = _facts(place / "data")
        copies = latest.setdefault(facts[_SYSTEM], {})
        copies[region] = max(copies.get(region, (0, place)), (int(facts[_TIMELINE]), place))
    for copies in latest.values():
        newest, place = max(copies.values())
        if home in copies and copies[home][0] < newest:
            key = copies[home][1].relative_to(data)
            raise _refusal(str(key), f"{place.relative_to(data)} is on timeline {newest}, it on {copies[home][0]}")


def _facts(data: Path) -> dict[str, str]:
    # Loads a client of PostgreSQL's, which only a sandbox with data needs.
    from lifeboat.sandbox.live.postgres_setup import binary  # noqa: PLC0415

    # A fixed program, and a directory of ours as its argument.
    done = subprocess.run(  # noqa: S603
        [binary("pg_controldata"), str(data)], capture_output=True, text=True, check=False, env={"LC_ALL": "C"}
    )
    facts = {name: value.strip() for name, _, value in (line.partition(":") for line in done.stdout.splitlines())}
    if done.returncode or not {_SYSTEM, _TIMELINE} <= facts.keys():
        raise SandboxError(f"{data}: pg_controldata cannot read it: start without --resume, from nothing")
    return facts


def _read(data: Path) -> dict[str, str]:
    path = data / _FILE
    try:
        found: object = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as fault:
        raise SandboxError(f"{path}: cannot be read, so that nobody knows who wrote last: {fault}") from fault
    return dict(cast("dict[str, str]", found))


def _refusal(former: str, why: str) -> SandboxError:
    return SandboxError(
        f"{former}: {why}, and may have writes that it lacks: --resume would lose them; start without it, from nothing"
    )
