"""What a check says about a resource. Saying nothing is a pass."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from policies.core.values import UNKNOWN, UnknownPropertyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from policies.core.resource import Resource, View


class Kind(Enum):
    """How a check ended where it did not pass."""

    VIOLATION = "violation"
    UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One statement of a check.

    Attributes:
        kind: A violation, or undecided because a value is not known yet.
        urn: The resource it is about; empty for the stack as a whole.
        path: Dotted path of the property, or empty.
        message: What is expected. It never holds a property's value: rules see secrets in plain text.
        absent: The property is not declared, so that the provider's default rules.
    """

    kind: Kind
    urn: str
    path: str
    message: str
    absent: bool = False


def violation(about: Resource | View | None, property_: str, message: str, *, absent: bool = False) -> Result:
    """A violation; `about` is None for the stack as a whole."""
    return Result(kind=Kind.VIOLATION, urn=_urn(about), path=_path(about, property_), message=message, absent=absent)


def undecided(about: Resource | View | None, property_: str) -> Result:
    """Undecided because the property is unknown."""
    return unknown(_urn(about), _path(about, property_))


def unknown(urn: str, path: str) -> Result:
    """Undecided because of the property at a path from the resource's root."""
    return Result(kind=Kind.UNDECIDED, urn=urn, path=path, message=f"`{path}` is not known")


def require(about: Resource | View, property_: str, accepted: Callable[[Any], bool], expected: str) -> Iterator[Result]:
    """The everyday check: one property, one predicate. Absence is offered to the predicate as None.

    Args:
        about: The resource, or one item of a list in it.
        property_: Dotted path.
        accepted: Whether a value will do.
        expected: What would be accepted, to follow "must be": ``true``, ``at least 7 (days)``.
    """
    try:
        value = about.get(property_)
    except UnknownPropertyError:
        yield undecided(about, property_)
        return
    if value is UNKNOWN or not accepted(value):
        path = _path(about, property_)
        yield violation(about, property_, f"`{path}` must be {expected}", absent=value is None)


def attempt(about: Resource | View | None, check: Callable[[], Iterable[Result]]) -> Iterator[Result]:
    """Run one part of a check; an unknown value in it is undecided and leaves the check's other parts alone."""
    try:
        yield from check()
    except UnknownPropertyError as fault:
        yield unknown(_urn(about), fault.path)


def _urn(about: Resource | View | None) -> str:
    return "" if about is None else about.urn


def _path(about: Resource | View | None, property_: str) -> str:
    return property_ if about is None else ".".join(part for part in (about.prefix, property_) if part)
