"""Our own stacks with one protection taken away at a time: the rule that guards it must notice.

Every guard is tried on every resource of its type, with each of its weaker values and without the property at all.
A rule that exempts replicas need not notice what a replica loses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from policies.core.index import Index
from policies.core.judge import Status, judge
from policies.core.roles import is_replica
from policies.core.rules import Level
from policies.core.settings import resolve_settings
from tests.policies.guarding import guarded, occurring, report, unguarded
from tests.policies.harness import TODAY, rules
from tests.policies.own import STACKS, own

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from policies.core.resource import Resource
    from policies.core.rules import Guard

PROTECT = "opts.protect"
IGNORE_CHANGES = "opts.ignoreChanges"
GONE = object()

DEFAULTS = resolve_settings({}, rules())


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A resource with one property changed, and what was done to it."""

    original: Resource
    resource: Resource
    path: str
    change: str


def _violations(rule: str, index: Index) -> set[tuple[str, str, str]]:
    levels = {name: Level.MANDATORY if name == rule else Level.DISABLED for name in rules()}
    judgement = judge(index, rules(), replace(DEFAULTS, levels=levels), today=TODAY)
    assert judgement.faults == ()
    return {(each.urn, each.path, each.message) for each in judgement.having(Status.VIOLATION)}


def _concrete(value: Any, segments: Sequence[str]) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - JSON
    """The paths that a guard's path stands for in a bag; only those that lead to something."""
    if not segments:
        if value is not None:
            yield ()
        return
    first, rest = segments[0], segments[1:]
    if isinstance(value, list):
        positions = range(len(value)) if first == "*" else [int(first)] if first.isdigit() else []
        inner = {str(position): value[position] for position in positions if position < len(value)}
    elif isinstance(value, dict):
        inner = value if first == "*" else {first: value.get(first)}
    else:
        return
    for key, item in inner.items():
        for path in _concrete(item, rest):
            yield (key, *path)


def _changed(value: Any, path: Sequence[str], new: object) -> Any:  # noqa: ANN401 - JSON
    """A copy of a bag with the value at a path replaced, or taken out for `GONE`."""
    key, rest = path[0], path[1:]
    if isinstance(value, list):
        position = int(key)
        middle = [_changed(value[position], rest, new)] if rest else [] if new is GONE else [new]
        return [*value[:position], *middle, *value[position + 1 :]]
    if not isinstance(value, dict) or (key not in value and rest):
        return value
    kept = {name: item for name, item in value.items() if name != key}
    if rest:
        return {**kept, key: _changed(value[key], rest, new)}
    return kept if new is GONE else {**kept, key: new}


def _mutated(resource: Resource, path: Sequence[str], new: object) -> Resource:
    dependencies = dict(resource.property_dependencies)
    if len(path) == 1:
        # Neither a literal nor nothing is made from another resource's outputs.
        dependencies.pop(path[0], None)
    return replace(
        resource,
        inputs=_changed(resource.inputs, path, new),
        outputs=_changed(resource.outputs, path, new),
        property_dependencies=dependencies,
    )


def _mutants(resource: Resource, guard: Guard) -> Iterator[Mutant]:
    if guard.property == PROTECT:
        if resource.protect:
            yield Mutant(
                original=resource, resource=replace(resource, protect=False), path=PROTECT, change="not protected"
            )
        return
    if guard.property == IGNORE_CHANGES:
        for added in guard.weaken:
            ignoring = replace(resource, ignore_changes=(*resource.ignore_changes, added))
            yield Mutant(original=resource, resource=ignoring, path=IGNORE_CHANGES, change=f"ignores {added}")
        return
    for path in _concrete(resource.inputs, guard.property.split(".")):
        changes = [*(() if guard.optional else (GONE,)), *guard.weaken]
        for number, new in enumerate(changes):
            change = "removed" if new is GONE else f"weakened to value {number}"
            yield Mutant(original=resource, resource=_mutated(resource, path, new), path=".".join(path), change=change)


def _subjects(index: Index, guard: Guard, reported: set[str]) -> list[Resource]:
    """The resources that a guard is about and its rule has nothing against."""
    return [
        each
        for each in index.of(guard.type)
        if each.urn not in reported
        and all(any(each.peek(path) == value for value in values) for path, values in guard.where.items())
        and any(True for _ in _mutants(each, guard))
    ]


def _exempt(rule: str, resource: Resource, index: Index) -> bool:
    said = rules()[rule].metadata.exempt.lower()
    return ("replicas" in said or "secondaries" in said) and is_replica(resource, index)


def _tried(rule: str) -> Iterator[tuple[Mutant, bool]]:
    """Every mutant of our stacks that a rule is to notice, and whether it did."""
    for stack in STACKS:
        index = own(stack)
        guards = [guard for guard in rules()[rule].metadata.guards if index.of(guard.type)]
        before = _violations(rule, index) if guards else set()
        reported = {urn for urn, _, _ in before}
        for guard in guards:
            for subject in _subjects(index, guard, reported):
                for mutant in _mutants(subject, guard):
                    changed = Index(mutant.resource if each is mutant.original else each for each in index)
                    noticed = bool(_violations(rule, changed) - before)
                    if noticed or not _exempt(rule, mutant.resource, changed):
                        yield mutant, noticed


@pytest.mark.parametrize("rule", list(rules()))
def test_a_rule_notices_what_it_guards(rule: str) -> None:
    survived = [
        f"{mutant.original.type} {mutant.original.name}: {mutant.path} {mutant.change}"
        for mutant, noticed in _tried(rule)
        if not noticed
    ]
    assert survived == []


def test_our_stacks_try_most_of_the_rules_for_aws() -> None:
    present = {type_ for stack in STACKS for type_ in own(stack).types}
    mute = [
        name
        for name, rule in rules().items()
        if any(guard.type in present for guard in rule.metadata.guards) and next(_tried(name), None) is None
    ]
    tried = [name for name in rules() if next(_tried(name), None) is not None]
    print(f"{len(tried)} rules are tried on our stacks; not tried although a type is there: {', '.join(mute)}")  # noqa: T201
    assert len(tried) > len(mute)


def test_every_input_of_our_stacks_is_guarded_or_says_why_not(record_property: Any) -> None:  # noqa: ANN401
    unlisted: list[str] = []
    for type_, names in sorted(occurring().items()):
        listed = unguarded().get(type_)
        known = guarded().get(type_, frozenset()) | (listed.plain | listed.protective.keys() if listed else set())
        unlisted += [f"{type_}: {name}" for name in sorted(names - known)]
    assert unlisted == [], (
        "say in data/unguarded.yaml whether it protects anything, and if it does, why no rule guards it"
    )
    lines = report()
    record_property("protective_unguarded", len(lines))
    print(f"{len(lines)} protective inputs without a rule:", *lines, sep="\n  ")  # noqa: T201 - shown by -rP


def test_the_list_of_unguarded_inputs_is_true() -> None:
    stale: list[str] = []
    for type_, each in unguarded().items():
        listed = each.plain | each.protective.keys()
        wrong = (listed - occurring().get(type_, frozenset())) | (listed & guarded().get(type_, frozenset()))
        stale += [f"{type_}: {name}" for name in sorted(wrong | (each.plain & each.protective.keys()))]
        assert all(reason.strip() for reason in each.protective.values())
    assert stale == [], "guarded by now, gone, or listed twice"


def _bag() -> Mapping[str, Any]:
    return {"rules": [{"days": 1, "to": {"key": "k"}}, {"days": 2}], "tags": {"a": "b"}}


def test_a_path_with_stars_means_every_item() -> None:
    assert list(_concrete(_bag(), ["rules", "*", "days"])) == [("rules", "0", "days"), ("rules", "1", "days")]
    assert list(_concrete(_bag(), ["rules", "*", "to", "key"])) == [("rules", "0", "to", "key")]
    assert list(_concrete(_bag(), ["rules", "days"])) == []
    assert list(_concrete(_bag(), ["tags", "*"])) == [("tags", "a")]


def test_one_thing_is_changed_and_nothing_else() -> None:
    assert _changed(_bag(), ("rules", "0", "to", "key"), GONE)["rules"][0] == {"days": 1, "to": {}}
    assert _changed(_bag(), ("rules", "1", "days"), 9)["rules"][1] == {"days": 9}
    assert _changed(_bag(), ("rules", "0"), GONE)["rules"] == [{"days": 2}]
    assert _changed(_bag(), ("tags",), GONE) == {"rules": _bag()["rules"]}
    assert _changed({"other": 1}, ("rules", "0"), GONE) == {"other": 1}
