"""The contract's JSON Schema, published beside this module. ``python -m lifeboat_contract.schema`` prints it."""

from __future__ import annotations

import json
import sys
from importlib import resources
from typing import Any, Final

from lifeboat_contract.models import VERSION, Contract

FILE: Final = f"contract-v{VERSION.partition('.')[0]}.schema.json"
"""Name of the published schema in this package."""

VERSION_KEY: Final = "x-contract-version"
"""Where a schema says which version of the contract it describes."""


def generate() -> dict[str, Any]:
    """The schema of the documents that this package reads and writes, from its models."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        VERSION_KEY: VERSION,
        **Contract.model_json_schema(mode="validation"),
    }


def render(schema: dict[str, Any]) -> str:
    """A schema as it is stored: indented, in the models' order, with a final newline."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def published() -> dict[str, Any]:
    """The schema that is published in this package."""
    return json.loads(resources.files("lifeboat_contract").joinpath(FILE).read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.stdout.write(render(generate()))
