"""Reading a contract: from a stack's outputs, or from the copy that every site publishes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

import pulumi
from pydantic import ValidationError

from lifeboat_contract.errors import ContractError
from lifeboat_contract.models import VERSION, Contract

if TYPE_CHECKING:
    from collections.abc import Callable

_MAJOR = VERSION.partition(".")[0]
_LOCATION = re.compile(r"s3://(?P<bucket>[^/]+)/(?P<key>.+)")


def read(stack_reference: pulumi.StackReference, output: str = "contract") -> pulumi.Output[Contract]:
    """The contract that a platform stack exports.

    Args:
        stack_reference: the platform's stack, such as ``organization/lifeboat/reskflow``.
        output: the name of the stack's output.

    Returns:
        The contract. Inside ``apply`` it is a typed `Contract`; `lifeboat_contract.view` gives typed outputs instead.
        It fails with a `ContractError` of one line when the output is missing, of another major version or malformed.
    """

    def parsed(values: list[Any]) -> Contract:
        stack, document = values
        if document is None:
            raise ContractError(f"stack {stack} has no output {output!r}: is it a platform stack, and deployed?")
        return parse(document, origin=f"output {output!r} of stack {stack}")

    # The output is read by name, so that secrets among the stack's other outputs do not make the contract one.
    return pulumi.Output.all(stack_reference.name, stack_reference.get_output(output)).apply(parsed)


def read_document(
    text: str | bytes, fetch: Callable[[str, str], str | bytes] | None = None, origin: str = "document"
) -> Contract:
    """The contract in a published copy: the text of the object or of the parameter in any site.

    Args:
        text: JSON. A parameter holds 8 KiB at most, so that of a larger platform says where the object is instead.
        fetch: gets an object's text by bucket and key, to follow such a parameter.
        origin: where it comes from, for errors.

    Raises:
        ContractError: if it is no JSON, of another major version or malformed, or says where the contract is and
            there is no `fetch`; one line.
    """
    try:
        document = json.loads(text)
    except ValueError as fault:
        raise ContractError(f"{origin}: no JSON: {fault}") from None
    located = _LOCATION.fullmatch(str(_value(document, "location")))
    if located is None:
        return parse(document, origin=origin)
    if fetch is None:
        raise ContractError(f"{origin}: the contract is at {located[0]}: read that object, or give `fetch`")
    return read_document(fetch(located["bucket"], located["key"]), origin=located[0])


def parse(document: object, origin: str = "document") -> Contract:
    """The contract in plain values, as JSON or a stack output gives them (floats for whole numbers included).

    Args:
        document: a mapping.
        origin: where it comes from, for errors.

    Raises:
        ContractError: if it is of another major version or malformed; one line that names the first faults.
    """
    version = _value(document, "version")
    if not isinstance(version, str) or not re.fullmatch(r"\d+\.\d+", version):
        raise ContractError(f"{origin}: no contract: `version` is {version!r}, expected such as {VERSION!r}")
    if version.partition(".")[0] != _MAJOR:
        raise ContractError(
            f"{origin}: contract version {version} cannot be read by this reader, which reads {_MAJOR}.x: "
            f"install lifeboat-contract {version.partition('.')[0]}"
        )
    try:
        return Contract.model_validate(document)
    except ValidationError as faults:
        raise ContractError(f"{origin}: {_line(faults)}") from None


def _line(faults: ValidationError) -> str:
    """The first three faults in one line, without values: a malformed document may hold what should not be printed."""
    shown = [
        f"{'.'.join(str(part) for part in fault['loc']) or 'contract'}: {fault['msg']}"
        for fault in faults.errors(include_url=False, include_context=False, include_input=False)
    ]
    more = len(shown) - 3
    return "; ".join(shown[:3]) + (f"; and {more} more" if more > 0 else "")


def _value(document: object, key: str) -> object:
    """What a mapping has under a key; None for anything else."""
    return cast("dict[str, object]", document).get(key) if isinstance(document, dict) else None
