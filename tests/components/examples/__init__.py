"""Builders of every component, one module each; the contract test runs over all of them."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.components.harness import Example


def all_examples() -> list[Example]:
    """Every module's `EXAMPLES`, in order of module name."""
    found: list[Example] = []
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        examples: list[Example] = import_module(f"{__name__}.{module}").EXAMPLES
        found.extend(examples)
    return found
