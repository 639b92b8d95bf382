"""Running the catalogue's calls."""

from __future__ import annotations

import importlib
import time
from typing import TYPE_CHECKING, cast

from botocore.model import StructureShape

from lifeboat.sandbox.provider.clients import operation_model
from lifeboat.sandbox.provider.errors import ProviderError
from lifeboat.sandbox.provider.shapes import member_name, to_request
from lifeboat.sandbox.provider.values import Value, Values, evaluate, render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from botocore.model import Shape

    from lifeboat.sandbox.catalogue.schema import Call, Entry, Tags
    from lifeboat.sandbox.provider.clients import Clients

_RETRY_FOR = 30.0
_POLL = 0.2
"""Seconds between calls: no API tells when it is done, as the vendor's provider asks again too."""
_NOT_SENT = frozenset({"tags", "tagsAll", "region"})


class Run:
    """One operation on one resource: its context, and the calls made in it.

    Args:
        entry: The type.
        clients: Where calls go.
        context: See ``lifeboat.sandbox.catalogue.schema``; ``doc`` is filled as responses come.
    """

    def __init__(self, entry: Entry, clients: Clients, context: Values) -> None:
        self.entry = entry
        self.context = context
        self._clients = clients
        context.setdefault("doc", {})

    @property
    def doc(self) -> Values:
        """What the responses so far say."""
        return cast("Values", self.context["doc"])

    def create(self) -> None:
        """Make the create calls, with tags where the type takes them."""
        inputs = cast("Values", self.context["in"])
        tags = self.entry.running.tags
        for position, call in enumerate(self.entry.running.create):
            if call.triggers and not any(inputs.get(name) is not None for name in call.triggers):
                continue
            self._make(call, inputs, self._tag_argument(tags) if position == 0 else {})

    def read(self, only: Sequence[str] | None = None) -> bool:
        """Make the read calls.

        Args:
            only: Make just those with these ``into`` names; all by default.

        Returns:
            Whether the resource exists.
        """
        for call in self.entry.running.read:
            if only is not None and (call.into is None or call.into not in only):
                continue
            try:
                result = self._make(call, {}, {})
            except ProviderError as error:
                if error.code in self.entry.running.missing:
                    return False
                raise
            if call.into is None and result is None:
                return False
        return True

    def update(self, changed: frozenset[str]) -> None:
        """Make the update calls that the changed properties need."""
        inputs = cast("Values", self.context["in"])
        for call in self.entry.running.update:
            if call.triggers and not changed.intersection(call.triggers):
                continue
            sent = inputs if call.send == "all" else {k: v for k, v in inputs.items() if k in changed}
            if call.send == "changed" and not call.triggers and not self._sends_any(call, sent):
                continue
            self._make(call, sent, {})

    def delete(self) -> None:
        """Make the delete calls; what is gone already counts as deleted."""
        for call in self.entry.running.delete:
            try:
                self._make(call, {}, {})
            except ProviderError as error:
                if error.code not in self.entry.running.missing:
                    raise

    def retag(self, before: Values, after: Values) -> None:
        """Write tags that differ and remove those that are gone."""
        tags = self.entry.running.tags
        if tags is None:
            return
        dropped = [] if tags.replace and after else [name for name in before if name not in after]
        added = after if tags.replace else {k: v for k, v in after.items() if before.get(k) != v}
        if dropped and tags.remove is not None:
            self.context["drop"] = cast("Value", dropped)
            self._make(tags.remove, {}, {})
        if added and tags.add is not None:
            self.context["tags"] = encode_tags(tags, added)
            self._make(tags.add, {}, {})

    def wait(self) -> None:
        """Read until the waited value is there.

        Raises:
            ProviderError: If it becomes a failed one, or does not come in time.
        """
        wait = self.entry.running.wait
        if wait is None:
            return
        limit = time.monotonic() + wait.timeout
        while (state := evaluate(wait.path, self.doc)) not in wait.ready:
            if state in wait.failed or time.monotonic() > limit:
                raise ProviderError("wait", "UnexpectedState", f"{wait.path} is {state!r}, expected {wait.ready}")
            if not self.read():
                raise ProviderError("wait", "NotFound", f"{self.context.get('id')} is gone")
            if evaluate(wait.path, self.doc) not in wait.ready:
                # The API can only be asked again, see `_POLL`.
                time.sleep(_POLL)

    def _make(self, call: Call, sent: Values, extra: Values) -> Value:
        """Make a call, once for each item of ``each``; returns what was kept of the (last) response."""
        if call.each is None:
            return self._once(call, sent, extra, self.context)
        items = evaluate(str(render(call.each, self.context)), self.context)
        results = [
            self._once(call, sent, extra, {**self.context, "item": item})
            for item in (items if isinstance(items, list) else [])
        ]
        if call.into is not None:
            self.doc[call.into] = results
        return results[-1] if results else None

    def _once(self, call: Call, sent: Values, extra: Values, context: Values) -> Value:
        if call.when is not None and not evaluate(call.when, context):
            return {}
        named = self._by_name(call, sent)
        wrapped: Values = named if call.wrap is None else {call.wrap: named}
        arguments = _merge({**wrapped, **extra}, cast("Values", render(dict(call.args), context)))
        if call.prepare is not None:
            prepared = _hook(self._service(), call.prepare)(context, arguments)
            if prepared is None:
                return {}
            arguments = prepared
        region = render(call.region or self.entry.running.region or "${region}", context)
        response = self._call(call, str(region), arguments)
        if call.result is None and call.into is None:
            return {}
        kept = evaluate(str(render(call.result, context)), response) if call.result is not None else response
        if call.into is not None:
            self.doc[call.into] = kept
        elif isinstance(kept, dict):
            self.doc.update(kept)
        return kept

    def _call(self, call: Call, region: str, arguments: Values) -> Values:
        service = call.service or self._service()
        limit = time.monotonic() + _RETRY_FOR
        while True:
            try:
                return self._clients.call(service, region, call.op, arguments)
            except ProviderError as error:
                if error.code in call.ignore:
                    return {}
                if error.code not in call.retry or time.monotonic() > limit:
                    raise
            # Nor does one tell when nothing depends any more on what is to be deleted.
            time.sleep(_POLL)

    def _by_name(self, call: Call, inputs: Values) -> Values:
        """Inputs that an operation's members take, by name."""
        if call.send == "none":
            return {}
        members = self._members(call)
        rename = self.entry.running.rename
        found: Values = {}
        for prop, value in inputs.items():
            name = None if prop in _NOT_SENT or prop in call.skip else member_name(members, prop, prop, rename)
            if name is not None and value is not None:
                found[name] = to_request(members[name], value, prop, rename)
        return found

    def _sends_any(self, call: Call, sent: Values) -> bool:
        members, rename = self._members(call), self.entry.running.rename
        names = (p for p in sent if p not in _NOT_SENT and p not in call.skip)
        return any(member_name(members, prop, prop, rename) is not None for prop in names)

    def _members(self, call: Call) -> Mapping[str, Shape]:
        shape = operation_model(call.service or self._service(), call.op).input_shape
        if call.wrap is not None and isinstance(shape, StructureShape):
            shape = shape.members[call.wrap]
        return cast("Mapping[str, Shape]", shape.members) if isinstance(shape, StructureShape) else {}

    def _tag_argument(self, tags: Tags | None) -> Values:
        wanted = cast("Values | None", cast("Values", self.context["in"]).get("tags"))
        if tags is None or tags.member is None or not wanted:
            return {}
        encoded = encode_tags(tags, wanted)
        if tags.resource_type is not None:
            return {tags.member: [{"ResourceType": tags.resource_type, "Tags": encoded}]}
        return {tags.member: encoded}

    def _service(self) -> str:
        return self.entry.running.service or ""


def _merge(base: Values, over: Values) -> Values:
    """Two structures in one; the second wins."""
    merged = dict(base)
    for key, item in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, item) if isinstance(below, dict) and isinstance(item, dict) else item
    return merged


def encode_tags(tags: Tags, wanted: Values) -> Value:
    """Tags as a type's API writes them."""
    if tags.keys is None:
        return wanted
    key, value = tags.keys
    return [{key: name, value: content} for name, content in wanted.items()]


def decode_tags(tags: Tags, read: Value) -> Values | None:
    """Tags as they were read; None when the response holds none at all. Tags of the vendor's own are left out."""
    if isinstance(read, dict):
        found = read
    elif isinstance(read, list) and tags.keys is not None:
        key, value = tags.keys
        found = {str(item.get(key)): item.get(value) for item in read if isinstance(item, dict)}
    else:
        return None
    return {name: content for name, content in found.items() if not name.startswith("aws:")}


def _hook(service: str, name: str) -> Callable[[Values, Values], Values | None]:
    module = importlib.import_module(f"lifeboat.sandbox.provider.hooks.{service}")
    return getattr(module, name)
