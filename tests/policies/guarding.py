"""Which inputs of our own stacks a rule guards, and which none does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from policies.core.judge import guarded_properties
from tests.policies.harness import rules
from tests.policies.own import STACKS, own

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA = Path(__file__).parent / "data" / "unguarded.yaml"


@dataclass(frozen=True, kw_only=True)
class Unguarded:
    """Inputs of one type that no rule guards.

    Attributes:
        plain: Those that protect nothing: names, sizes, wiring.
        protective: Those that protect something, with the reason why no rule guards them.
    """

    plain: frozenset[str]
    protective: Mapping[str, str]


@cache
def occurring() -> dict[str, frozenset[str]]:
    """Inputs by type that occur in our own stacks; components and providers are no resources of a cloud."""
    found: dict[str, set[str]] = {}
    for stack in STACKS:
        for resource in own(stack):
            if resource.type.startswith("aws:"):
                found.setdefault(resource.type, set()).update(resource.inputs or ())
    return {type_: frozenset(names) for type_, names in found.items()}


@cache
def guarded() -> dict[str, frozenset[str]]:
    """Inputs by type that some rule guards, or something in them."""
    return {
        type_: frozenset(path.split(".", 1)[0] for path in paths)
        for type_, paths in guarded_properties(rules()).items()
    }


@cache
def unguarded() -> dict[str, Unguarded]:
    """What the data file says of the others."""
    document: dict[str, dict[str, list[str] | dict[str, str]]] = yaml.safe_load(DATA.read_text(encoding="utf-8")) or {}
    return {
        type_: Unguarded(plain=frozenset(each.get("plain", ())), protective=dict(each.get("protective", {})))
        for type_, each in document.items()
    }


def report() -> list[str]:
    """A line for each protective input that no rule guards, as documentation shows it: type, input, reason."""
    return [
        f"{type_} {name}: {reason}"
        for type_, each in sorted(unguarded().items())
        for name, reason in sorted(each.protective.items())
    ]
