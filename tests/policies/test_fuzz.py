"""Property bags nobody would write: no rule may break over one, and none may repeat what is in one.

Bags are drawn from the SDKs' own input types, over the bags of the rules' cases: values of the right type and of any
other, absent, and not known yet at every depth. Each stack is judged by the whole pack.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.core.index import Index
from policies.core.judge import judge
from policies.core.objectives import DECLARATION_SUFFIX
from policies.core.resource import Provider, Resource
from policies.core.settings import resolve_settings
from policies.core.values import UNKNOWN
from tests.policies import sdk
from tests.policies.harness import TODAY, rules
from tests.policies.test_rules import CASES
from tests.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

    from lifeboat.sandbox.catalogue.sdk import Field, Kind

MARKER = "zqx"
"""In every free text; no message may hold it."""
NAMES = ("r0", "r1", "r2", "r3")
DEPTH = 6
OUTPUTS = ("id", "arn", "name", "region", "tagsAll", "bucket", "identifier", "keyId")

# Nothing else is ever read, so that nothing else need be drawn.
READ = frozenset(
    word for file in (ROOT / "policies").rglob("*.py") for word in re.findall(r"\w+", file.read_text(encoding="utf-8"))
)

_DOCUMENTS = (
    f'{{"Statement": [{{"Effect": "Deny", "Action": "{MARKER}", "Principal": {{"AWS": ["{MARKER}"]}}}}]}}',
    f'{{"Statement": {{"Effect": "Deny", "Principal": "*", "Condition": {{"Bool": ["{MARKER}"]}}}}}}',
    '{"Statement": [1, null, {"Action": 7, "Condition": null}]}',
    f'[["{MARKER}"]]',
    "null",
    "{",
    '{"a": NaN}',
    "\ud800",
)
_TEXTS = (
    *(f"{MARKER} {number}" for number in range(3)),
    f"arn:aws:rds:us-west-2:210987654321:cluster:{MARKER}",
    f"arn:aws:kms:eu-west-1:123456789012:key/mrk-{MARKER}",
    f"arn:aws:::{MARKER}",
    f"projects/{MARKER}/locations/europe-west1",
    *(f"arn:aws:s3:::{name}" for name in NAMES),
    *NAMES,
    *("us-east-1", "us-east-1a", "europe-west1", "Enabled", "ENABLED", "true", "7", "0", "", "*"),
    *("cron(0 5 ? * * *)", "cron(99 * * * ? *)", "rate(1 hour)", "rate(x)", "0 */4 * * *", "P1D", "86400s", "7776000s"),
    *("15m", "1e400", "nan", "-1", "٣", "9" * 5000),
    *_DOCUMENTS,
)
_NUMBERS = (0, 1, 2, 7, 30, 35, 60, 90, 443, 3600, 86400, -1, 0.5, 35.0, 10**400, 1e308, "35", "1e999")
_JUNK = (
    UNKNOWN,
    UNKNOWN,
    None,
    True,
    -1,
    MARKER,
    [],
    {},
    [UNKNOWN],
    [None],
    [[]],
    [{}],
    [{"a": UNKNOWN}],
    {"a": UNKNOWN},
    {"": None},
    {"a": [MARKER]},
)

_LOOSE = (*_TEXTS, *_JUNK)
_SCALARS: Mapping[str, Sequence[Any]] = {
    "boolean": (True, False, True, False, "true", "False", *_JUNK[:8]),
    "integer": (*_NUMBERS, *_JUNK[:6]),
    "number": (*_NUMBERS, *_JUNK[:6]),
    "string": _LOOSE,
    "any": _LOOSE,
}


@cache
def _values(kind: Kind, depth: int) -> SearchStrategy[Any]:
    """Values of a type, now and then something else."""
    junk = st.sampled_from(_JUNK)
    if kind.name in _SCALARS or depth == DEPTH:
        return st.sampled_from(_SCALARS.get(kind.name, _LOOSE))
    if kind.name == "object":
        fields = _bags(kind.fields, depth + 1)
        return st.one_of(fields, fields, fields, junk)
    item = junk if kind.element is None else _values(kind.element, depth + 1)
    if kind.name == "list":
        # A single object stands for a list of one where the provider allows no more.
        items = st.lists(item, max_size=3)
        return st.one_of(items, items, item, junk)
    keys = st.sampled_from(("rpo", "RTO", "tier", "retention-days", "owner", "data-class", "", MARKER))
    return st.one_of(st.dictionaries(keys, item, max_size=3), junk)


def _bags(fields: Mapping[str, Field], depth: int = 0) -> SearchStrategy[dict[str, Any]]:
    """Bags with any of the inputs that some rule reads."""
    read = {name: _values(field.kind, depth) for name, field in fields.items() if name in READ}
    if not read:
        return st.just({})
    return st.lists(st.sampled_from(sorted(read)), max_size=6, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: read[name] for name in names})
    )


@cache
def _declared(type_: str) -> SearchStrategy[dict[str, Any]]:
    """Inputs of a resource: those of a case, some of them replaced."""
    if type_.endswith(DECLARATION_SUFFIX):
        anything = st.sampled_from((*_JUNK, *_NUMBERS, "database", "objectives.stack", *NAMES))
        entry = st.dictionaries(
            st.sampled_from(("kind", "name", "scope", "tier", "rpo_seconds", "rto_seconds", "retention_days")), anything
        )
        entries = st.one_of(st.lists(st.one_of(entry, entry, anything), max_size=3), anything)
        return st.fixed_dictionaries({"objectives": entries, "stores": entries})
    drawn = _bags(sdk.inputs(type_))
    known = [
        each.inputs
        for cases in CASES.values()
        for case in cases
        for each in case.resources
        if each.type == type_ and each.inputs
    ]
    return st.builds(lambda base, over: {**base, **over}, st.sampled_from([{}, *known]), drawn)


@cache
def _types(rule: str) -> Sequence[str]:
    known = rules()[rule].metadata
    types = {*known.types, *known.concerns, *(guard.type for guard in known.guards)}
    types |= {
        each.type for case in CASES.get(rule, ()) for each in case.resources if not each.type.startswith("pulumi:")
    }
    return sorted(type_ for type_ in types if type_.endswith(DECLARATION_SUFFIX) or _is_known(type_))


def _is_known(type_: str) -> bool:
    try:
        sdk.inputs(type_)
    except KeyError:
        # A component of some case.
        return False
    return True


_settings = st.fixed_dictionaries(
    {},
    optional={
        "strict": st.booleans(),
        "objectives": st.sampled_from([{"rpo": "5m", "rto": 900}, {"retention_days": 30}]),
    },
)


@st.composite
def stacks(draw: DrawFn, rule: str) -> list[Resource]:
    """A few resources that a rule looks at, with any dependencies between them."""
    types = draw(st.lists(st.sampled_from([*_types(rule), "any:index:Declaration"]), min_size=1, max_size=len(NAMES)))
    urns = [f"urn:pulumi:test::project::{type_}::{name}" for type_, name in zip(types, NAMES, strict=False)]
    loose = st.sampled_from(_LOOSE)
    others = st.lists(st.sampled_from((*urns, "urn:pulumi:test::project::gone:a:B::gone")), max_size=2).map(tuple)
    found: list[Resource] = []
    for urn, type_ in zip(urns, types, strict=True):
        inputs = draw(st.one_of(_declared(type_), _declared(type_), _declared(type_), st.none()))
        provider = draw(st.none() | st.dictionaries(st.sampled_from(("region", "allowedAccountIds", "project")), loose))
        by_input = draw(st.dictionaries(st.sampled_from(sorted(inputs)), others, max_size=3)) if inputs else {}
        found.append(
            Resource(
                urn=urn,
                type=type_,
                inputs=inputs,
                outputs=draw(st.dictionaries(st.sampled_from(OUTPUTS), loose, max_size=4)),
                protect=draw(st.booleans()),
                ignore_changes=draw(st.sampled_from(((), ("tags",), ("*",), ("a[0].b", "")))),
                parent=draw(st.sampled_from(("", *urns))),
                provider=None if provider is None else Provider(urn="p", type="pulumi:providers:any", inputs=provider),
                dependencies=tuple(each for urns_ in by_input.values() for each in urns_),
                property_dependencies=by_input,
            )
        )
    return found


@pytest.mark.parametrize("rule", list(rules()))
def test_no_rule_breaks_and_no_message_leaks(rule: str) -> None:
    @settings(derandomize=True, max_examples=8, database=None)
    @given(stack=stacks(rule), chosen=_settings)
    def judged(stack: list[Resource], chosen: dict[str, Any]) -> None:
        judgement = judge(Index(stack), rules(), resolve_settings(chosen, rules()), today=TODAY)
        assert judgement.faults == ()
        assert [each.message for each in judgement.findings if MARKER in each.message] == []

    judged()
