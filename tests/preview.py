"""`pulumi preview --refresh` without a CLI: read everything back, run the program on what was read, ask the catalogue.

The program's inputs are not taken from the state but made anew, from outputs as they are now: so an endpoint, a
listing or a version that a promotion changes reaches whatever depends on it, as it would in the engine.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from pulumi.runtime import mocks

from lifeboat.sandbox.catalogue import load
from lifeboat.sandbox.catalogue.sdk import resource_type
from lifeboat.sandbox.environment import PASSPHRASE
from lifeboat.sandbox.plugin.wire import SECRET, SIGNATURE, holds_unknown, reveal
from lifeboat.sandbox.provider import Diff, Provider, Result, outcome
from tests.engine.normalised import opened
from tests.program import PROVIDER, Evaluation, evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lifeboat.sandbox.state import Record

READERS = 8
"""Resources read at once."""
TABLE = "aws:dynamodb/table:Table"
GLOBAL = ("aws:iam/", "aws:route53/")
"""Types whose control plane is in us-east-1, wherever their provider is."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One resource of a state file, in plain text."""

    urn: str
    type: str
    id: str
    region: str
    """The provider's; empty for `random`."""
    inputs: dict[str, Any]
    outputs: dict[str, Any]

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rpartition("::")[2]

    def within(self, lost: str) -> bool:
        """Whether it cannot be read while a region is lost; nothing is while none is."""
        # A table's replicas are read in their own regions.
        replicas = self.inputs["replicas"] if self.type == TABLE else ()
        regions = {self.region, *(replica["regionName"] for replica in replicas)}
        return bool(lost) and (lost in regions or (lost == "us-east-1" and self.type.startswith(GLOBAL)))


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What an update would do, by logical name."""

    created: frozenset[str]
    deleted: frozenset[str]
    changed: Mapping[str, Diff]
    unguarded: Mapping[str, Diff]
    """What would change if the program ignored no changes."""
    evaluation: Evaluation


class _Refreshed(mocks.Mocks):
    """Answers for what exists with its outputs, and for what is new with what a preview knows of it."""

    def __init__(self, stored: Mapping[tuple[str, str], tuple[str, dict[str, Any]]]) -> None:
        self._stored = stored

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """The program looks nothing up."""
        raise AssertionError(f"the program called {args.token}")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """See the class."""
        if args.typ.startswith("pulumi:providers:"):
            return f"{args.name}-id", args.inputs
        return self._stored.get((args.typ, args.name), (None, args.inputs))


class Previewer:
    """Previews of one deployed stack.

    Args:
        stack: The stack's name.
        state: Its state file.
        record: The sandbox that holds it.
    """

    def __init__(self, stack: str, state: Path, record: Record) -> None:
        self._stack = stack
        resources = opened(state, PASSPHRASE)
        regions = {
            f"{each['urn']}::{each['id']}": each["inputs"]["region"] for each in resources if each["type"] == PROVIDER
        }
        self.stored = tuple(
            Stored(
                urn=each["urn"],
                type=each["type"],
                id=each["id"],
                region=regions.get(each["provider"], ""),
                inputs=_plain(each.get("inputs") or {}),
                outputs=_plain(each.get("outputs") or {}),
            )
            for each in resources
            if each["custom"] and not each["type"].startswith("pulumi:")
        )
        self._providers = {
            region: Provider(region=region, account=record.account, endpoint=record.endpoint, catalogue=load())
            for region in {each.region for each in self.stored}
        }
        self.found: dict[str, Result] = {}
        """What the last refresh read, by URN."""

    def read(self, stored: Stored) -> Result:
        """One resource as it is now.

        Raises:
            ProviderError: when its region does not answer.
        """
        found = self._providers[stored.region].read(stored.type, stored.id, stored.inputs, stored.outputs)
        assert found is not None, f"{stored.urn} is gone"
        return found

    def refresh(self, *, lost: str = "") -> None:
        """Read everything back, except what a lost region does not answer for: that stays as the state has it."""
        with ThreadPoolExecutor(READERS) as pool:
            alive = [each for each in self.stored if not each.within(lost)]
            self.found = dict(zip((each.urn for each in alive), pool.map(self.read, alive), strict=True))

    def preview(self, *, config: Mapping[str, str] | None = None) -> Preview:
        """What an update would do now, after what `refresh` read.

        Args:
            config: Values by full key that replace the stack's own.
        """
        kept = {
            (each.type, each.name): (each.id, self.found[each.urn].outputs if each.urn in self.found else each.outputs)
            for each in self.stored
        }
        assert len(kept) == len(self.stored), "a type and a name stand for one resource"
        program = evaluate(self._stack, answers=_Refreshed(kept), preview=True, config=config)
        asked = {each.urn: each for each in program.resources}
        before = {each.urn: each for each in self.stored}
        changed: dict[str, Diff] = {}
        unguarded: dict[str, Diff] = {}
        for urn in asked.keys() & before.keys():
            stored, wanted = before[urn], reveal(program.raw[urn])
            diff = self._outcome(stored, wanted, ())
            if diff.changes:
                unguarded[stored.name] = diff
                ignored = asked[urn].ignore_changes
                guarded = self._outcome(stored, wanted, ignored) if ignored else diff
                if guarded.changes:
                    changed[stored.name] = guarded
        return Preview(
            created=frozenset(asked[urn].name for urn in asked.keys() - before.keys()),
            deleted=frozenset(before[urn].name for urn in before.keys() - asked.keys()),
            changed=changed,
            unguarded=unguarded,
            evaluation=program,
        )

    def apply(self, preview: Preview) -> None:
        """Create, update and replace what a preview shows, as far as it is known; deletions are left out."""
        for asked in preview.evaluation.resources:
            wanted = reveal(preview.evaluation.raw[asked.urn])
            if holds_unknown(wanted):
                continue
            region = preview.evaluation.region(asked) or ""
            provider = self._providers[region]
            replaced = asked.name in preview.changed and preview.changed[asked.name].outcome == "replaces"
            if asked.name in preview.created or replaced:
                inputs, _ = provider.check(asked.type, None, wanted, name=asked.name)
                made = provider.create(asked.type, inputs)
                self._put(
                    Stored(
                        urn=asked.urn,
                        type=asked.type,
                        id=made.id,
                        region=region,
                        inputs=inputs,
                        outputs=made.outputs,
                    )
                )
            elif asked.name in preview.changed:
                old = next(each for each in self.stored if each.urn == asked.urn)
                inputs, _ = provider.check(old.type, old.inputs, wanted, name=old.name)
                outputs = provider.update(old.type, old.id, old.outputs, inputs, old_inputs=old.inputs)
                self._put(replace(old, inputs=inputs, outputs=outputs))

    def _put(self, new: Stored) -> None:
        self.stored = (*(each for each in self.stored if each.urn != new.urn), new)

    def _outcome(self, stored: Stored, wanted: dict[str, Any], ignored: tuple[str, ...]) -> Diff:
        inputs, failures = self._providers[stored.region].check(stored.type, stored.inputs, wanted, name=stored.name)
        assert failures == [], stored.urn
        found = self.found.get(stored.urn)
        if found is None:
            return outcome(stored.type, stored.inputs, inputs, ignored)
        # The vendor compares with all that it read, also where the program says nothing.
        settable = resource_type(stored.type).inputs.keys() & found.outputs.keys() - {"region"}
        read_back = {name: found.inputs.get(name) for name in stored.inputs | found.inputs}
        read_back |= {name: found.outputs[name] for name in settable}
        return outcome(stored.type, stored.inputs, inputs, ignored, read_back=read_back)


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    """A state file's value without the marks around its secrets."""
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        if mapping.get(SIGNATURE) == SECRET:
            return json.loads(mapping["plaintext"])
        return {key: _plain(item) for key, item in mapping.items()}
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[Any]", value)]
    return value
