"""Durations that drills measured, read from a project's ``records/*.json``. `records/README.md` has the format."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lifeboat.model.plan.graph import Mode
from lifeboat.model.records import Measurement, Subject

if TYPE_CHECKING:
    from pathlib import Path

    from lifeboat.model.records import Records


class Where(StrEnum):
    """What a record was measured in."""

    AWS = "aws"
    SANDBOX = "sandbox"
    """Its durations of AWS's part are drawn from our own timings: they say nothing about AWS."""


class RecordError(ValueError):
    """A file of records cannot be used; prints one line a fault."""


_Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Measured(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    mechanism: str | None = None
    seconds: tuple[_Seconds, ...] = Field(min_length=1)


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1]
    where: Where
    taken: str
    stack: str
    mode: Mode
    by: str
    steps: tuple[_Measured, ...]


def load_records(directory: Path, where: Where = Where.AWS) -> Records:
    """Everything that was measured, runs of the same thing in several files together.

    Args:
        directory: A project's ``records``; without it nothing was measured.
        where: What the projection is about. Records of the other are left out.

    Raises:
        RecordError: for a file that is no record, with its name and every fault.
    """
    found: dict[Subject, Measurement] = {}
    for path in sorted(directory.glob("*.json")):
        record = _read(path)
        if record.where is not where:
            continue
        for step in record.steps:
            subject = Subject(record.mode, step.kind, step.mechanism)
            source = f"{directory.name}/{path.name}"
            earlier = found.get(subject)
            found[subject] = Measurement(
                seconds=step.seconds if earlier is None else (*earlier.seconds, *step.seconds),
                source=source if earlier is None else f"{earlier.source}, {source}",
            )
    return found


def _read(path: Path) -> _Record:
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as fault:
        raise RecordError(f"{path}: no JSON: {fault}") from None
    try:
        return _Record.model_validate(content)
    except ValidationError as error:
        faults = (f"{path}: {'.'.join(map(str, each['loc'])) or 'the whole'}: {each['msg']}" for each in error.errors())
        raise RecordError("\n".join(faults)) from None
