"""What a change means, from the catalogue: in place, replaces, refused, or needing two updates. Pure."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from lifeboat.sandbox.catalogue import load
from lifeboat.sandbox.catalogue.schema import Case, Property
from lifeboat.sandbox.provider.equality import is_zero, same

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lifeboat.sandbox.catalogue import Catalogue, Change, Entry
    from lifeboat.sandbox.provider.values import Value, Values

Outcome = Literal["none", "in-place", "replaces", "refused", "needs-two-updates"]
Detail = Literal["add", "add-replace", "update", "update-replace", "delete", "delete-replace"]

_UNDESCRIBED = Property.model_validate({"change": "in-place", "from": "unproven"})
_REGION = Property.model_validate({"change": "replaces", "from": "vendor: enhanced region support guide"})
_PART = re.compile(r'\["([^"]+)"\]|\[(\d+)\]|([^.\[\]]+)')


@dataclass(frozen=True, kw_only=True)
class Diff:
    """What an update of a resource would do.

    Attributes:
        detailed: Changed properties and how, in the engine's words; ``-replace`` where the property forces it.
        replaces: Properties that force a replacement.
        refused: Properties whose change the vendor refuses, with its error. Moot when something else replaces.
        two_updates: Properties that take effect only at a second update.
        delete_before_replace: The old one must go first, because both would have the same name.
    """

    detailed: Mapping[str, Detail] = field(default_factory=dict[str, Detail])
    replaces: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict[str, str])
    two_updates: tuple[str, ...] = ()
    delete_before_replace: bool = False

    @property
    def changes(self) -> bool:
        """Whether anything would change."""
        return bool(self.detailed)

    @property
    def changed(self) -> tuple[str, ...]:
        """The changed properties, by name."""
        return tuple(sorted(self.detailed))

    @property
    def outcome(self) -> Outcome:
        """The change as one word: the gravest that applies."""
        if not self.detailed:
            return "none"
        if self.replaces:
            return "replaces"
        if self.refused:
            return "refused"
        return "needs-two-updates" if self.two_updates else "in-place"


def outcome(  # noqa: PLR0913 - the facts of one preview of one resource
    token: str,
    old_inputs: Values,
    new_inputs: Values,
    ignore_changes: Sequence[str] = (),
    *,
    read_back: Values | None = None,
    catalogue: Catalogue | None = None,
) -> Diff:
    """What a preview would show for one resource, with no CLI and no cloud.

    Args:
        token: Type token.
        old_inputs: Inputs in the state.
        new_inputs: Inputs of the program; ``UNKNOWN`` where they are not known yet.
        ignore_changes: Property paths, wire names.
        read_back: What a refresh read where it differs from the state, by property; null where it read nothing.
        catalogue: Another one than the shipped one.
    """
    entry = (catalogue or load()).get(token)
    return compare(entry, {**old_inputs, **(read_back or {})}, new_inputs, ignore_changes)


def compare(
    entry: Entry, old: Values, new: Values, ignore_changes: Sequence[str] = (), *, region: str | None = None
) -> Diff:
    """Compare inputs in the state with those of the program.

    Args:
        entry: The type.
        old: Inputs in the state.
        new: Inputs of the program; ``ignore_changes`` are set back first.
        ignore_changes: Property paths, wire names.
        region: The provider's region, which a resource has that names none.
    """
    running = entry.running
    new = reset(new, old, ignore_changes)
    detailed: dict[str, Detail] = {}
    replaces: list[str] = []
    refused: dict[str, str] = {}
    twice: list[str] = []
    for name in sorted((old.keys() | new.keys()) - {"__defaults"}):
        default = region if name == "region" else cast("Value", running.defaults.get(name))
        before, after = _or(old.get(name), default), _or(new.get(name), default)
        kept = name in running.computed and new.get(name) is None
        if kept or same(before, after, ordered=name in running.ordered):
            continue
        change, message = meaning(entry, name, before, after)
        verb = "add" if is_zero(before) else "delete" if is_zero(after) else "update"
        detailed[name] = cast("Detail", f"{verb}-replace" if change == "replaces" else verb)
        if change == "replaces":
            replaces.append(name)
        elif change == "refused":
            refused[name] = message or f"{name} cannot be changed"
        elif change == "needs-two-updates":
            twice.append(name)
    taken = running.autoname is not None and same(old.get(running.autoname), new.get(running.autoname))
    return Diff(
        detailed=detailed,
        replaces=tuple(replaces),
        refused=refused,
        two_updates=tuple(twice),
        delete_before_replace=bool(replaces) and taken,
    )


def meaning(entry: Entry, name: str, before: Value, after: Value) -> tuple[Change, str | None]:
    """What changing one property from one value to another means, and the vendor's words when it refuses."""
    known = entry.meaning.properties.get(name) or (_REGION if name == "region" else _UNDESCRIBED)
    case = next((case for case in known.cases if _fits(case, before, after)), None)
    return (case.change, case.message or known.message) if case else (known.change, known.message)


def reset(new: Values, old: Values, paths: Sequence[str]) -> Values:
    """New inputs with each ignored path as it was: what the engine does with ``ignoreChanges`` before it compares."""
    if not paths:
        return new
    result = copy.deepcopy(new)
    for path in paths:
        parts = [a or (int(b) if b else c) for a, b, c in _PART.findall(path)]
        if parts:
            _reset(result, old, parts)
    return result


def _reset(new: Value, old: Value, parts: list[str | int]) -> None:
    part, rest = parts[0], parts[1:]
    if isinstance(new, dict) and isinstance(part, str):
        before = old.get(part) if isinstance(old, dict) else None
        if rest and part in new:
            _reset(new[part], before, rest)
        elif not rest and before is None:
            new.pop(part, None)
        elif not rest:
            new[part] = before
    elif isinstance(new, list) and isinstance(part, int) and isinstance(old, list) and part < min(len(new), len(old)):
        if rest:
            _reset(new[part], old[part], rest)
        else:
            new[part] = old[part]


def _fits(case: Case, before: Value, after: Value) -> bool:
    return all(
        state == "any" or (state == "unset") == is_zero(value)
        for state, value in ((case.before, before), (case.after, after))
    )


def _or(value: Value, default: Value) -> Value:
    return default if value is None else value
