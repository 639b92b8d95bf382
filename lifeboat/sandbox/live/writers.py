"""Which server took over from which, kept where it outlives every process: a life that resumes goes on with it.

A family's file, ``writers.json`` in ``data/rds`` or ``data/cache``, has under ``writers`` the key of each server whose
place another one took, and that one's key; under ``parted`` the keys of those that left the one they followed, which
goes on writing beside them. It is written before the promotion: from then on the old one may lack writes.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from lifeboat.sandbox.state import SandboxError, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FILE: Final = "writers.json"
_SYSTEM, _TIMELINE = "Database system identifier", "Latest checkpoint's TimeLineID"


@dataclass(frozen=True, kw_only=True)
class Past:
    """Who wrote last, where that is not as a stack that is deployed anew has it.

    Attributes:
        writers: Key of who writes, by the key of who did.
        parted: Keys of those that write on their own, beside what they followed.
    """

    writers: Mapping[str, str] = field(default_factory=dict[str, str])
    parted: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.writers or self.parted)


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
    # Whoever took over from it before does not count any more; and it followed until now, so that it had not left.
    writers = {**known.writers, former: writer}
    writers.pop(writer, None)
    _keep(data, Past(writers=writers, parted=tuple(each for each in known.parted if each not in {writer, former})))


def parted(data: Path, writer: str) -> None:
    """Keep, on the disk when this returns, that a server leaves what it followed, and writes from now on.

    Args:
        data: The family's directory.
        writer: Its key.

    Raises:
        SandboxError: when that cannot be kept; then it must not be promoted.
    """
    known = _read(data)
    _keep(data, Past(writers=known.writers, parted=tuple(sorted({*known.parted, writer}))))


def past(data: Path, home: str) -> Past:
    """Who wrote last, for a life that resumes.

    Args:
        data: The sandbox's, of all families.
        home: The region whose copies a stack that is deployed anew begins with.

    Raises:
        SandboxError: when that cannot be told, or home's copy may lack writes for a reason that was not kept.
    """
    writers: dict[str, str] = {}
    left: list[str] = []
    explained: set[str] = set()
    for family in ("rds", "cache"):
        known = _read(data / family)
        explained |= {*known.writers, *known.writers.values()}
        for former in sorted(known.writers):
            writer = _last(known.writers, former)
            # A writer that was deleted has nothing that could be lost.
            if former.startswith(f"{home}/") and _directory(data, writer).is_dir():
                writers[former] = writer
        for key in known.parted:
            place = _directory(data, key)
            if not place.is_dir() or _follows(place):
                # Deleted, made anew since as a replica, or ended before it was promoted.
                continue
            if family == "cache":
                raise _refusal(key, "it left its datastore and took writes of its own")
            left.append(key)
            explained.add(key)
    _require_explained(data / "rds", home, explained)
    return Past(writers=writers, parted=tuple(left))


def _last(writers: Mapping[str, str], former: str) -> str:
    """Who writes at the end of a chain of take-overs."""
    seen = [former]
    while seen[-1] in writers and writers[seen[-1]] not in seen:
        seen.append(writers[seen[-1]])
    return seen[-1]


def _directory(data: Path, key: str) -> Path:
    region, kind, identifier = key.split("/", 2)
    return data / "cache" / region / identifier if kind == "cache" else data / "rds" / region / kind / identifier


def _follows(place: Path) -> bool:
    return (place / "data" / "standby.signal").exists()


def _require_explained(data: Path, home: str, explained: set[str]) -> None:
    """See that home's copies are those that count, or that it was kept why they are not.

    A promotion begins a timeline, so that a copy of a later one than home's tells of it whatever the file says.
    """
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
            key = str(copies[home][1].relative_to(data))
            if key not in explained and str(place.relative_to(data)) not in explained:
                raise _refusal(key, f"{place.relative_to(data)} is on timeline {newest}, it on {copies[home][0]}")
    for place in sorted((data / home).glob("*/*")):
        key = str(place.relative_to(data))
        if _follows(place) and key not in explained:
            raise _refusal(key, "its writer was in another region when the sandbox ended")


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


def _read(data: Path) -> Past:
    path = data / _FILE
    try:
        found = cast("dict[str, Any]", json.loads(path.read_text()))
        return Past(writers=dict(found["writers"]), parted=tuple(found["parted"]))
    except FileNotFoundError:
        return Past()
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise SandboxError(f"{path}: cannot be read, so that nobody knows who wrote last: {fault}") from fault


def _keep(data: Path, known: Past) -> None:
    path = data / _FILE
    try:
        write_private(path, json.dumps({"writers": dict(known.writers), "parted": known.parted}, indent=1) + "\n")
        for written in (path, data):
            descriptor = os.open(written, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except OSError as fault:
        raise SandboxError(f"{path}: cannot be written: {fault.strerror}: nobody takes over") from fault


def _refusal(key: str, why: str) -> SandboxError:
    return SandboxError(
        f"{key}: {why}, and may have writes that are nowhere else: --resume would lose them; start without it, "
        f"from nothing"
    )
