"""Faults as they are written down: read from JSON or YAML, and described for whoever writes them."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, cast, get_args

from pydantic import Field, TypeAdapter, ValidationError

from lifeboat.sandbox.live.fault_kinds import BaseFault, Fault
from lifeboat.sandbox.state import SandboxInputError

_ONE: Final[TypeAdapter[Fault]] = TypeAdapter(Annotated[Fault, Field(discriminator="kind")])


def parse(document: object) -> list[Fault]:
    """Read one fault, a list of them, or ``{"faults": [...]}``.

    Raises:
        SandboxInputError: when it is none of these, with a line for each thing that is wrong.
    """
    rows = _rows(document)
    if not rows:
        raise SandboxInputError("no fault is given: a fault, or a list of them")
    faults: list[Fault] = []
    wrong: list[str] = []
    for number, row in enumerate(rows, 1):
        try:
            faults.append(_ONE.validate_python(row))
        except ValidationError as fault:
            prefix = f"fault {number}: " if len(rows) > 1 else ""
            wrong += [f"{prefix}{line}" for line in _lines(fault)]
    if wrong:
        raise SandboxInputError("\n".join(wrong))
    return faults


def catalogue() -> list[dict[str, Any]]:
    """Every kind.

    Returns:
        Rows with ``kind``, ``what`` it is, and its ``parameters``, each with ``name``, ``required``, ``default`` and
        ``what``; those that all kinds have come last.
    """
    return [
        {
            "kind": kind_of(model),
            "what": (model.__doc__ or "").strip().splitlines()[0],
            "parameters": [
                {
                    "name": name,
                    "required": field.is_required(),
                    "default": None if field.is_required() else field.default,
                    "what": field.description,
                }
                for name, field in sorted(model.model_fields.items(), key=_common)
                if name != "kind"
            ],
        }
        for model in _models()
    ]


def kind_of(model: type[BaseFault]) -> str:
    """The name of a kind."""
    annotation: object = model.model_fields["kind"].annotation
    return str(get_args(annotation or Literal)[0])


def _models() -> tuple[type[BaseFault], ...]:
    return get_args(Fault)


def _common(field: tuple[str, object]) -> bool:
    return field[0] in BaseFault.model_fields


def _rows(document: object) -> list[object]:
    if isinstance(document, dict):
        mapping = cast("dict[str, object]", document)
        return _rows(mapping["faults"]) if set(mapping) == {"faults"} else [mapping]
    return cast("list[object]", document) if isinstance(document, list) else [document]


def _lines(fault: ValidationError) -> list[str]:
    lines: list[str] = []
    for each in fault.errors():
        # The first part of a place is the kind.
        place = ".".join(str(part) for part in each["loc"][1:])
        message = each["msg"].removeprefix("Value error, ")
        lines.append(f"{place}: {message}" if place else message)
    return lines
