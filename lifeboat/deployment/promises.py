"""The contract of a deployed stack: out of a deployment file, or out of the CLI's backend."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lifeboat_contract import Contract, ContractError, parse

from lifeboat.deployment.engine import Engine

if TYPE_CHECKING:
    from pathlib import Path

_STACK = "pulumi:pulumi:Stack"


def recorded(file: Path, stack: str) -> Contract:
    """The contract in a deployment file.

    Raises:
        ContractError: if there is no such file, or no contract in it.
    """
    try:
        document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ContractError(f"{stack} is not deployed in the sandbox: lifeboat sandbox up {stack}") from None
    return _contract(document, stack)


def deployed(root: Path, stack: str) -> Contract:
    """The contract in the state that the Pulumi CLI's backend holds.

    Raises:
        InputError: without a CLI.
        EngineError: if the backend does not answer.
        ContractError: if there is no contract in it.
    """
    return _contract(Engine.here(root, stack).export(), stack)


def _contract(document: dict[str, Any], stack: str) -> Contract:
    resources: list[dict[str, Any]] = document.get("deployment", document).get("resources") or []
    stacks: list[dict[str, Any]] = [each.get("outputs") or {} for each in resources if each["type"] == _STACK]
    outputs = stacks[0] if stacks else {}
    if "contract" not in outputs:
        raise ContractError(f"{stack} is deployed without a contract")
    return parse(outputs["contract"], origin=f"output 'contract' of {stack}")
