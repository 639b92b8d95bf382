"""Kinds of steps, one a module: its `KIND` and `steps(context)`, which yields those that a plan needs, maybe none.

`PlanStep.after` names keys, or whole kinds: ``fence`` stands for every step of the module `fence` that the plan has.
A kind that the plan has no step of is then nothing to wait for.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lifeboat.model.plan.context import Context
    from lifeboat.model.plan.graph import PlanStep


class Kind(NamedTuple):
    """One module of this package."""

    name: str
    steps: Callable[[Context], Iterable[PlanStep]]


@cache
def kinds() -> tuple[Kind, ...]:
    """Every kind there is, by name.

    Raises:
        ValueError: for a module whose `KIND` is not its own name.
    """
    found: list[Kind] = []
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda each: each.name):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        if module.name != loaded.KIND:
            raise ValueError(f"{loaded.__name__}: its KIND is {loaded.KIND!r}, accepted is its own name")
        found.append(Kind(loaded.KIND, loaded.steps))
    return tuple(found)
