"""The acting halves of the kinds of steps: a module for each one of `lifeboat.model.plan.steps`, of the same name.

Each is an `lifeboat.recovery.run_state.Action`.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifeboat.recovery.run_state import Action


@cache
def actions() -> Mapping[str, Action]:
    """Every acting half, by the kind that it performs."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: cast("Action", importlib.import_module(f"{__name__}.{name}")) for name in names}
