"""From responses to a resource's outputs and inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from lifeboat.sandbox.catalogue import sdk
from lifeboat.sandbox.provider.equality import covers, is_zero, settle
from lifeboat.sandbox.provider.running import decode_tags
from lifeboat.sandbox.provider.shapes import from_response, member_name
from lifeboat.sandbox.provider.values import UNKNOWN, Value, Values, evaluate, has_unknown, render

if TYPE_CHECKING:
    from lifeboat.sandbox.catalogue import Entry
    from lifeboat.sandbox.catalogue.sdk import Field


@dataclass(frozen=True)
class Result:
    """A resource as it is.

    Attributes:
        id: The provider's identifier.
        outputs: Every output of the type by wire name; null when there is none.
        inputs: Inputs as they would have to be written to get what is there: different from what was written where
            the resource drifted.
    """

    id: str
    outputs: Values
    inputs: Values


def outputs(entry: Entry, context: Values, previous: Values, *, written: bool = False) -> Values:
    """Every output of a type.

    Args:
        entry: The type.
        context: The run's context: ``doc`` holds the responses, ``in`` the inputs.
        previous: Outputs known before, for what the responses do not say.
        written: The responses are those of writing: inputs win over them, because a later call may have set them.
    """
    found = {
        name: _output(entry, name, field, context, previous=previous, written=written)
        for name, field in sdk.resource_type(entry.token).outputs.items()
    }
    if "tagsAll" in found:
        found["tagsAll"] = found.get("tags") or {}
    return found


def _output(  # noqa: PLR0913 - one place where a value is looked for each
    entry: Entry, name: str, field: Field, context: Values, *, previous: Values, written: bool
) -> Value:
    running, wanted = entry.running, cast("Values", context["in"]).get(name)
    read = _read(entry, name, field, context)
    is_input = name in sdk.resource_type(entry.token).inputs
    if is_input and wanted is None and read in ("", [], {}):
        # Answers to writing leave out what is empty, answers to reading spell it out: both become null.
        read = None
    if read is not None:
        ordered = name in running.ordered
        if written and wanted is not None and not covers(wanted, read, ordered=ordered):
            return wanted
        return read if wanted is None else settle(wanted, read, ordered=ordered)
    if wanted is not None:
        return wanted
    if name in running.defaults:
        return cast("Value", running.defaults[name])
    return previous.get(name) if not is_input or name in running.computed else None


def _read(entry: Entry, name: str, field: Field, context: Values) -> Value:
    """A value as the responses give it; None when they say nothing."""
    running, doc = entry.running, cast("Values", context["doc"])
    if name in running.outputs:
        return from_response(field.kind, render(running.outputs[name], context), name, running.rename)
    if name == "region":
        return context["region"]
    if name in {"tags", "tagsAll"}:
        if running.tags is None or running.tags.path is None:
            return None
        return cast("Value", decode_tags(running.tags, evaluate(running.tags.path, doc)))
    member = member_name(doc, name, name, running.rename)
    return None if member is None else from_response(field.kind, doc[member], name, running.rename)


def inputs_of(entry: Entry, known: Values | None, found: Values) -> Values:
    """Inputs as a refresh reads them back.

    Args:
        entry: The type.
        known: Inputs in the state; None when the resource is being adopted.
        found: Outputs as they were just read.
    """
    fields = sdk.resource_type(entry.token).inputs
    running = entry.running
    if known is None:
        return {
            name: _strip(field, found[name])
            for name, field in fields.items()
            if name in found
            and name != "region"
            and not is_zero(found[name])
            and found[name] != running.defaults.get(name)
        }
    read: Values = {}
    for name, value in known.items():
        if name not in found or covers(value, found[name], ordered=name in running.ordered):
            read[name] = value
        elif not is_zero(found[name]):
            read[name] = _strip(fields[name], found[name])
    if "tags" in fields and not known.get("tags") and found.get("tags"):
        read["tags"] = found["tags"]
    return read


def _strip(field: Field, value: Value) -> Value:
    """A value without what only an output can have."""
    kind = field.kind
    if isinstance(value, dict) and kind.name == "object":
        return {k: _strip(kind.fields[k], v) for k, v in value.items() if k in kind.fields and not is_zero(v)}
    if isinstance(value, list) and kind.element is not None:
        inner = sdk.Field(kind.element, required=False)
        return [_strip(inner, item) for item in value]
    return value


def preview(entry: Entry, inputs: Values, region: str, previous: Values | None) -> Values:
    """Outputs as a preview knows them: inputs and defaults are known, the rest is unknown until it exists.

    Args:
        entry: The type.
        inputs: Checked inputs.
        region: The region in which the resource will be.
        previous: Outputs of the resource that is updated, None for a new one.
    """
    fields = sdk.resource_type(entry.token)
    known: Values = dict(previous) if previous else dict.fromkeys(fields.outputs, UNKNOWN)
    for name in fields.outputs:
        if name in inputs:
            known[name] = inputs[name]
        elif name in entry.running.defaults:
            known[name] = cast("Value", entry.running.defaults[name])
        elif name in fields.inputs and name not in entry.running.computed and not previous and name != "region":
            known[name] = None if entry.running.autoname != name else UNKNOWN
    if "region" in known:
        known["region"] = inputs.get("region") or region
    if "tagsAll" in known:
        tags = inputs.get("tags") or {}
        known["tagsAll"] = UNKNOWN if has_unknown(tags) else tags
    return known
