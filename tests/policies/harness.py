"""Stacks for rules, written as short as they can be, and what a rule says of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from policies.core.index import Index
from policies.core.judge import Status, judge
from policies.core.resource import Provider, Resource, canonical
from policies.core.rules import Level, load_rules
from policies.core.settings import resolve_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from policies.core.judge import Judgement
    from policies.core.suppressions import Suppression

TODAY = date(2026, 11, 21)
ACCOUNT = "123456789012"
rules = cache(load_rules)


def make(
    type_: str,
    name: str = "it",
    inputs: Mapping[str, Any] | None = None,
    *,
    region: str = "us-east-1",
    account: str = ACCOUNT,
    outputs: Mapping[str, Any] | None = None,
    uses: Mapping[str, Resource | Sequence[Resource]] | None = None,
    read_only: bool = False,
    protect: bool = False,
    ignore_changes: Sequence[str] = (),
    parent: Resource | None = None,
) -> Resource:
    """A resource as the pack sees it.

    Args:
        type_: Type token.
        name: Logical name.
        inputs: Declared properties; `policies.core.values.UNKNOWN` for what a preview cannot know.
        region: Of its provider.
        account: The only one that the provider allows.
        outputs: What the provider answered, such as ``arn``.
        uses: By input: the resources whose outputs it is made from.
        read_only: The program only looks it up.
        protect: The resource option.
        ignore_changes: The resource option.
        parent: The component around it.
    """
    package = type_.split(":", 1)[0]
    needed = {key: (each,) if isinstance(each, Resource) else tuple(each) for key, each in (uses or {}).items()}
    urns = {key: tuple(each.urn for each in resources) for key, resources in needed.items()}
    return Resource(
        urn=f"urn:pulumi:test::project::{type_}::{name}",
        type=canonical(type_),
        inputs=None if read_only else dict(inputs or {}),
        outputs=dict(outputs or {}),
        protect=protect,
        ignore_changes=tuple(ignore_changes),
        parent="" if parent is None else parent.urn,
        provider=Provider(
            urn=f"urn:pulumi:test::project::pulumi:providers:{package}::{package}-{region}",
            type=f"pulumi:providers:{package}",
            inputs={"region": region, "allowedAccountIds": f'["{account}"]'},
        ),
        dependencies=tuple(dict.fromkeys(urn for each in urns.values() for urn in each)),
        property_dependencies=urns,
    )


def judged(
    rule: str,
    resources: Sequence[Resource],
    *,
    parameters: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    suppressions: Sequence[Suppression] = (),
) -> Judgement:
    """What one rule says of a stack."""
    chosen = {**(settings or {}), "rules": {rule: {**(parameters or {}), "level": "mandatory"}}}
    resolved = resolve_settings(chosen, rules())
    # The others are there, since one rule asks what they guard, but do not run.
    levels = {name: level if name == rule else Level.DISABLED for name, level in resolved.levels.items()}
    return judge(Index(resources), rules(), replace(resolved, levels=levels), suppressions, today=TODAY)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A stack, and what one rule must say of it.

    Attributes:
        kind: ``passes``, ``fails``, ``absent``, ``unknown``, ``exempt`` or ``companion``.
        about: What is special; part of the test's name.
        resources: The stack.
        violated: ``name:property`` of every violation; only ``:property`` for one of the stack as a whole.
        undecided: The same of everything undecided.
        parameters: Thresholds.
        settings: The pack's settings, such as ``objectives``.
    """

    kind: str
    about: str = ""
    resources: Sequence[Resource]
    violated: Sequence[str] = ()
    undecided: Sequence[str] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def run(self, rule: str, suppressions: Sequence[Suppression] = ()) -> Judgement:
        """What the rule says."""
        return judged(
            rule, self.resources, parameters=self.parameters, settings=self.settings, suppressions=suppressions
        )


def said(judgement: Judgement, status: Status) -> list[str]:
    """``name:property`` of every finding of a status, sorted."""
    return sorted(f"{each.urn.rpartition('::')[2]}:{each.path}" for each in judgement.having(status))
