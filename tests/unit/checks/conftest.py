"""A judged stack with a finding of every kind, by rules of the tests' own."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.checks.report import Report
from policies.core.index import Index
from policies.core.judge import judge
from policies.core.results import require, violation
from policies.core.rules import Level, Metadata, Rule
from policies.core.settings import resolve_settings
from policies.core.suppressions import Suppression
from policies.core.values import UNKNOWN, is_true
from tests.policies.harness import make

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from policies.core.context import Context
    from policies.core.resource import Resource
    from policies.core.results import Result

BUCKET = "aws:s3/bucket:Bucket"
TODAY = date(2026, 11, 21)
SECRET = "hunter2"
DAYS = {"type": "integer", "default": 7, "description": "Days kept", "source": "FSBP asks for 7"}


def _safe(resource: Resource, _: Context) -> Iterable[Result]:
    yield from require(resource, "safe", is_true, "true")


def _twice(resource: Resource, _: Context) -> Iterable[Result]:
    yield violation(resource, "", "it needs <one>")
    yield violation(resource, "", "it needs another & more")


def _whole(context: Context) -> Iterable[Result]:
    if len(context.index):
        yield violation(None, "", "there is nothing in another region")


def _breaks(resource: Resource, _: Context) -> Iterable[Result]:
    raise ZeroDivisionError(resource.urn)


def _rule(name: str, severity: str, check: Any, **metadata: Any) -> Rule:  # noqa: ANN401 - a check, and its data
    known = {
        "title": f"Title of {name}",
        "subject": "Subject | one",
        "severity": severity,
        "types": [BUCKET],
        "remediation": ["First do this.", "Then that."],
        **metadata,
    }
    return Rule(name, Metadata.model_validate(known), check)


RULES = {
    rule.name: rule
    for rule in (
        _rule("is-safe", "critical", _safe, default="it is not safe by default", frameworks={"soc2": ["A1.2"]}),
        _rule("is-double", "high", _twice, ids={"checkov": ["CKV_1"]}, exempt="Nobody."),
        _rule("is-low", "low", _safe, subject="Subject two", parameters={"days": DAYS}),
        _rule("is-whole", "medium", _whole, types=[], subject="Subject two"),
        _rule("is-fine", "medium", lambda *_: (), subject="Subject two"),
    )
}


def report(
    resources: Sequence[Resource],
    *,
    suppressions: Sequence[Suppression] = (),
    settings: Mapping[str, Any] | None = None,
    rules: Mapping[str, Rule] | None = None,
) -> Report:
    chosen = RULES if rules is None else rules
    resolved = resolve_settings(settings or {}, chosen)
    return Report(
        stack="test",
        profile=resolved.profile,
        strict=resolved.strict,
        rules={name: rule for name, rule in chosen.items() if resolved.levels[name] is not Level.DISABLED},
        levels=resolved.levels,
        judgement=judge(Index(resources), chosen, resolved, suppressions, today=TODAY),
    )


@pytest.fixture
def stack() -> list[Resource]:
    """Buckets that fail, that are not decided yet, and that are accepted."""
    return [
        make(BUCKET, "bad", {"password": SECRET}),
        make(BUCKET, "later", {"safe": UNKNOWN}),
        make(BUCKET, "accepted \x07 [bold]", {"safe": False}),
    ]


@pytest.fixture
def full(stack: list[Resource]) -> Report:
    """A report with a violation, advice, undecided, suppressed, and two faults."""
    accepted = Suppression(
        rule="is-safe", resource="*accepted*", reason="Ordered \x00 <soon>", owner="team", expires=date(2027, 1, 31)
    )
    expired = accepted.model_copy(update={"rule": "is-low", "expires": date(2026, 1, 31)})
    rules = {**RULES, "is-broken": _rule("is-broken", "high", _breaks, subject="Subject two")}
    return report(stack, suppressions=[accepted, expired], rules=rules)


@pytest.fixture
def clean() -> Report:
    """A report without any finding."""
    return report([make(BUCKET, "good", {"safe": True})], rules={name: RULES[name] for name in ("is-safe", "is-fine")})
