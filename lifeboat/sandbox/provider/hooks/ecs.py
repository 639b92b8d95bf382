"""ECS: container definitions are a text in the SDK, and a list in the API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lifeboat.sandbox.provider.values import Values


def container_definitions(context: Values, arguments: Values) -> Values:
    """``containerDefinitions`` as the list that its text holds."""
    written = cast("str", cast("Values", context["in"])["containerDefinitions"])
    return {**arguments, "containerDefinitions": json.loads(written)}
