"""Runs the rules over an index: what they find, what is suppressed, and what is wrong with the pack's own input.

An exception in a rule is a finding about that rule, and the others go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from policies.core.context import Context
from policies.core.results import Kind, unknown
from policies.core.rules import Level, Severity
from policies.core.values import UnknownPropertyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from policies.core.index import Index
    from policies.core.resource import Resource
    from policies.core.results import Result
    from policies.core.rules import Rule
    from policies.core.settings import PackSettings
    from policies.core.suppressions import Suppression


class Status(Enum):
    """What became of a result."""

    VIOLATION = "violation"
    UNDECIDED = "undecided"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A result with its rule's name and weight.

    Attributes:
        rule: The rule's name.
        severity: The rule's.
        level: Mandatory or advisory.
        status: Violation, undecided or suppressed.
        urn: The resource; empty for the stack as a whole.
        path: Dotted path, or empty.
        message: One line without any property's value.
        suppression: What suppresses it.
    """

    rule: str
    severity: Severity
    level: Level
    status: Status
    urn: str
    path: str
    message: str
    suppression: Suppression | None = None

    @property
    def fails(self) -> bool:
        """Whether it stops a deployment."""
        return self.status is Status.VIOLATION and self.level is Level.MANDATORY


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """All that a run says.

    Attributes:
        findings: In order of rule and resource.
        faults: What is wrong with suppressions and rules, a line each; any of them fails the run.
        rules: Rules that ran.
        resources: Resources that were judged.
    """

    findings: tuple[Finding, ...]
    faults: tuple[str, ...]
    rules: int
    resources: int

    @property
    def failed(self) -> bool:
        """Whether a deployment must stop."""
        return bool(self.faults) or any(finding.fails for finding in self.findings)

    def having(self, status: Status) -> tuple[Finding, ...]:
        """The findings of one status."""
        return tuple(finding for finding in self.findings if finding.status is status)


def judge(
    index: Index,
    rules: Mapping[str, Rule],
    settings: PackSettings,
    suppressions: Sequence[Suppression] = (),
    *,
    today: date,
) -> Judgement:
    """Judge a stack.

    Args:
        index: The stack.
        rules: All rules; the settings choose among them.
        settings: Levels, thresholds and objectives.
        suppressions: What is accepted, with a reason and an end.
        today: The day that suppressions are held against.
    """
    active = {name: rule for name, rule in rules.items() if settings.levels[name] is not Level.DISABLED}
    faults: list[str] = []
    findings: list[Finding] = []
    used: set[int] = set()
    current = [each for each in suppressions if each.expires >= today]
    guarded = guarded_properties(rules)
    for name, rule in active.items():
        context = Context(
            index=index,
            parameters=settings.parameters[name],
            fallback=settings.objectives,
            tier1_rpo=settings.tier1_rpo,
            guarded=guarded,
        )
        # Parts of a rule may say the same of the same thing.
        results = dict.fromkeys(_results(rule, context, faults))
        for result in results:
            suppression = next((each for each in current if each.covers(name, result.urn)), None)
            if suppression is not None:
                used.add(id(suppression))
            findings.append(_finding(rule, settings, result, suppression))
    faults += _unused(suppressions, active, index, used, today)
    return Judgement(
        findings=tuple(findings),
        faults=tuple(faults),
        rules=len(active),
        resources=sum(resource.inputs is not None for resource in index),
    )


def guarded_properties(rules: Mapping[str, Rule]) -> dict[str, dict[str, str]]:
    """The rule by type and by path of each guarded property, where ``*`` stands for any item of a list."""
    found: dict[str, dict[str, str]] = {}
    for name, rule in rules.items():
        for guard in rule.metadata.guards:
            found.setdefault(guard.type, {}).setdefault(guard.property, name)
    return found


def _results(rule: Rule, context: Context, faults: list[str]) -> Iterator[Result]:
    subjects: Sequence[Resource | None] = context.index.of(*rule.metadata.types) if rule.metadata.types else (None,)
    for subject in subjects:
        try:
            yield from rule.run(subject, context)
        except Exception as fault:  # noqa: BLE001 - a broken rule must not hide what the others find
            urn = "" if subject is None else subject.urn
            if isinstance(fault, UnknownPropertyError):
                yield unknown(urn, fault.path)
            else:
                # Not the exception's text: it may hold a property's value.
                kind = type(fault).__name__
                faults.append(f"{rule.name}: the rule itself failed with {kind} at {place(fault)}: {urn or 'stack'}")


def place(fault: Exception) -> str:
    """Function and line that raised, which unlike the exception's text hold no property's value."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"


def _finding(rule: Rule, settings: PackSettings, result: Result, suppression: Suppression | None) -> Finding:
    if suppression is not None:
        status = Status.SUPPRESSED
    elif result.kind is Kind.UNDECIDED and not settings.strict:
        status = Status.UNDECIDED
    else:
        status = Status.VIOLATION
    message = result.message
    if result.absent and rule.metadata.default:
        message = f"{message}; it is absent, and {rule.metadata.default}"
    return Finding(
        rule=rule.name,
        severity=rule.metadata.severity,
        level=settings.levels[rule.name],
        status=status,
        urn=result.urn,
        path=result.path,
        message=message,
        suppression=suppression,
    )


def _unused(
    suppressions: Sequence[Suppression], active: Mapping[str, Rule], index: Index, used: set[int], today: date
) -> Iterator[str]:
    root = next(iter(index), None)
    for each in suppressions:
        if each.rule not in active or root is None or not each.concerns(root.urn):
            continue
        what = f"suppression of {each.rule} for {each.resource} (owner {each.owner})"
        if each.expires < today:
            yield f"{what}: expired on {each.expires}; renew it with a reason, or remove it"
        elif id(each) not in used:
            yield f"{what}: matches no finding; remove it"
