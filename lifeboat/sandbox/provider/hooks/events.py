"""EventBridge: a target's parts are objects that must not be there when they say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lifeboat.sandbox.provider.values import Values


def without_empty(_context: Values, arguments: Values) -> Values:
    """The targets without empty parts."""
    targets = cast("list[Values]", arguments["Targets"])
    kept = [{name: item for name, item in target.items() if item != {}} for target in targets]
    return {**arguments, "Targets": cast("list[object]", kept)}  # pyright: ignore[reportReturnType]
