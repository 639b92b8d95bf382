"""The judge: what becomes of results, of suppressions, and of a rule that breaks."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from policies.core.index import Index
from policies.core.judge import Status, guarded_properties, judge
from policies.core.results import require, undecided, violation
from policies.core.rules import Level, Metadata, Rule, Severity
from policies.core.settings import resolve_settings
from policies.core.suppressions import Suppression
from policies.core.values import UNKNOWN
from tests.policies.harness import TODAY, make

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from policies.core.judge import Judgement
    from policies.core.resource import Resource

BUCKET = "aws:s3/bucket:Bucket"


def _rule(name: str, check: Callable[..., Iterable[Any]], **values: Any) -> Rule:  # noqa: ANN401 - passed on
    values = {"severity": Severity.HIGH, "types": (BUCKET,), **values}
    return Rule(name, Metadata(title=name, subject="AWS", remediation=("mend it",), **values), check)


def _judge(
    *rules: Rule,
    resources: Sequence[Resource] | None = None,
    suppressions: Sequence[Suppression] = (),
    **settings: Any,  # noqa: ANN401 - passed on
) -> Judgement:
    named = {rule.name: rule for rule in rules}
    index = Index([make(BUCKET)] if resources is None else resources)
    return judge(index, named, resolve_settings(settings, named), suppressions, today=TODAY)


def _accept(rule: str, resource: str = "*", expires: date = TODAY) -> Suppression:
    return Suppression(rule=rule, resource=resource, reason="r", owner="o", expires=expires)


fails = _rule("fails", lambda resource, _: [violation(resource, "x", "`x` must be y", absent=True)], default="it is z")
waits = _rule("waits", lambda resource, _: [undecided(resource, "x")])


def test_a_violation_carries_its_rule_s_weight_and_default() -> None:
    judgement = _judge(fails, resources=[make(BUCKET), make("aws:kms/key:Key"), make(BUCKET, "read", read_only=True)])
    (finding,) = judgement.findings
    assert (finding.rule, finding.severity, finding.level) == ("fails", Severity.HIGH, Level.MANDATORY)
    assert finding.message == "`x` must be y; it is absent, and it is z"
    assert finding.fails
    assert judgement.failed
    assert (judgement.rules, judgement.resources) == (1, 2)


def test_levels() -> None:
    assert not _judge(fails, rules={"fails": {"level": "advisory"}}).failed
    off = _judge(fails, rules={"fails": {"level": "disabled"}})
    assert (off.findings, off.rules) == ((), 0)


def test_undecided_fails_only_the_strict() -> None:
    assert [each.status for each in _judge(waits).findings] == [Status.UNDECIDED]
    assert not _judge(waits).failed
    assert _judge(waits, strict=True).having(Status.VIOLATION)


def test_an_unknown_that_a_rule_does_not_catch_is_undecided_for_that_resource() -> None:
    rule = _rule("reads", lambda resource, _: require(resource, "y", lambda _: resource.get("x") is None, "absent"))
    late, plain = make(BUCKET, "late", {"x": UNKNOWN}), make(BUCKET, "plain", {"x": 1})
    found = _judge(rule, resources=[late, plain]).findings
    assert [(each.status, each.urn, each.path) for each in found] == [
        (Status.UNDECIDED, late.urn, "x"),
        (Status.VIOLATION, plain.urn, "y"),
    ]


def test_a_broken_rule_is_a_fault_and_the_others_go_on() -> None:
    def broken(resource: Resource, _: object) -> Iterable[Any]:
        yield violation(resource, "before", "found before it broke")
        raise ValueError("hunter2")

    judgement = _judge(_rule("broken", broken), fails)
    assert [each.rule for each in judgement.findings] == ["broken", "fails"]
    (fault,) = judgement.faults
    assert fault.startswith("broken: the rule itself failed with ValueError at broken:")
    assert "hunter2" not in fault
    assert judgement.failed


def test_a_rule_over_the_stack_runs_once() -> None:
    rule = _rule("stack", lambda context: [violation(None, "", str(len(context.index)))], types=())
    (finding,) = _judge(rule, resources=[make(BUCKET), make(BUCKET, "two")]).findings
    assert (finding.urn, finding.message) == ("", "2")


def test_what_a_rule_says_twice_is_one_finding() -> None:
    rule = _rule("twice", lambda resource, _: [violation(resource, "x", "x"), violation(resource, "x", "x")])
    assert len(_judge(rule).findings) == 1


def test_a_suppression_holds_to_its_last_day() -> None:
    judgement = _judge(fails, suppressions=[_accept("fails")])
    (finding,) = judgement.findings
    assert finding.status is Status.SUPPRESSED
    assert finding.suppression
    assert finding.suppression.owner == "o"
    assert not judgement.failed


def test_an_expired_suppression_fails_and_covers_nothing() -> None:
    judgement = _judge(fails, suppressions=[_accept("fails", expires=date(2026, 11, 20))])
    assert judgement.findings[0].fails
    (fault,) = judgement.faults
    assert "expired on 2026-11-20" in fault


def test_an_unneeded_suppression_fails() -> None:
    (fault,) = _judge(
        fails, suppressions=[_accept("fails"), _accept("fails", "urn:pulumi:test::project::*gone")]
    ).faults
    assert "matches no finding" in fault


def test_an_expired_suppression_of_any_stack_fails_wherever_its_pattern_begins() -> None:
    (fault,) = _judge(
        _rule("holds", lambda *_: ()),
        suppressions=[_accept("holds", "*::aws:s3/bucket:Bucket::gone", date(2020, 1, 1))],
    ).faults
    assert "expired on 2020-01-01" in fault


def test_suppressions_of_other_stacks_and_of_rules_that_are_off_are_left_alone() -> None:
    others = [_accept("fails", "urn:pulumi:prod::*", date(2020, 1, 1)), _accept("waits", expires=date(2020, 1, 1))]
    judgement = _judge(fails, waits, suppressions=others, rules={"waits": {"level": "disabled"}})
    assert judgement.faults == ()


def test_an_empty_stack_is_fine() -> None:
    judgement = _judge(fails, resources=[], suppressions=[_accept("fails")])
    assert (judgement.findings, judgement.faults) == ((), ())


def test_guarded_properties_by_type() -> None:
    guards = [{"type": BUCKET, "property": "rules.*.status"}, {"type": BUCKET, "property": "opts.protect"}]
    expected = {BUCKET: {"rules.*.status": "g", "opts.protect": "g"}}
    assert guarded_properties({"g": _rule("g", lambda *_: (), guards=guards)}) == expected
