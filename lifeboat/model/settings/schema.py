"""The JSON Schema of a ``Pulumi.<stack>.yaml``, for editors; ``docs/schema/stack.schema.json`` is its committed text.

``python -m lifeboat.model.settings.schema`` prints it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from lifeboat.model.settings.faults import NAMESPACE
from lifeboat.model.settings.root import Settings


def stack_schema() -> dict[str, Any]:
    """Schema of a whole stack file: our keys described, the keys of other namespaces left alone."""
    settings = Settings.model_json_schema(by_alias=True)
    keys = {f"{NAMESPACE}:{name}": entry for name, entry in settings["properties"].items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Lifeboat stack",
        "description": "A Pulumi stack's file; everything a system must survive is declared under lifeboat: keys.",
        "type": "object",
        "required": ["config"],
        "properties": {
            "config": {
                "type": "object",
                "required": [f"{NAMESPACE}:{name}" for name in settings["required"]],
                "properties": keys,
                # Pulumi's own keys (aws:region, ...) are its business; an unknown key of ours is a mistake.
                "patternProperties": {f"^(?!{NAMESPACE}:)[^:]+:.+$": {}},
                "additionalProperties": False,
            }
        },
        "$defs": settings["$defs"],
    }


def stack_schema_text() -> str:
    """The schema as the committed file has it."""
    return json.dumps(stack_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(stack_schema_text())
