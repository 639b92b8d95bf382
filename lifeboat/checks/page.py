"""A check for people: what fails, what to do about it, then what only advises, waits or is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from lifeboat.checks.report import ORDER, accepted, resource_name, resource_type
from policies.core.rules import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType

    from lifeboat.checks.report import Report
    from policies.core.judge import Finding

_STYLES: Final = {Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow", Severity.LOW: "cyan"}


def page(report: Report) -> RenderableType:
    """The whole page."""
    parts: list[RenderableType] = []
    groups: tuple[tuple[str, Sequence[Finding]], ...] = (
        ("violations", report.violations),
        ("advice: does not fail this check", report.advice),
        ("undecided: depends on what is not known yet", report.undecided),
        ("suppressed: accepted for now", report.suppressed),
    )
    for title, findings in groups:
        if findings:
            parts += [Text(title, style="bold"), _table(findings), Text()]
        if findings and findings is groups[0][1]:
            parts += [Text("what to do", style="bold"), *_remediation(report, findings), Text()]
    if report.judgement.faults:
        parts.append(Text("the pack itself", style="bold"))
        parts += [Text(f"  {fault}", style="red") for fault in report.judgement.faults]
        parts.append(Text())
    return Group(*parts, Text(summary(report), style="bold red" if report.failed else "bold green"))


def summary(report: Report) -> str:
    """One line: how it went, what was judged, by what."""
    others = (
        (len(report.advice), "advised"),
        (len(report.undecided), "undecided"),
        (len(report.suppressed), "suppressed"),
        (len(report.judgement.faults), "faults of the pack"),
    )
    counts = [_by_severity(report.violations), *(f"{count} {what}" for count, what in others if count)]
    judged = f"{_number(report.judgement.resources, 'resource')}, {_number(report.judgement.rules, 'rule')}"
    return (
        f"{'FAILED' if report.failed else 'passed'}: {', '.join(counts)}; "
        f"{report.stack or 'an empty stack'}: {judged} of {report.profile}{', strict' if report.strict else ''}"
    )


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _by_severity(findings: Sequence[Finding]) -> str:
    by_severity = [(each, sum(finding.severity is each for finding in findings)) for each in ORDER]
    detail = ", ".join(f"{count} {severity.value}" for severity, count in by_severity if count)
    return f"{_number(len(findings), 'violation')}{f' ({detail})' if detail else ''}"


def _table(findings: Iterable[Finding]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    for _ in range(3):
        table.add_column(overflow="fold")
    for each in findings:
        resource = Text(resource_name(each.urn))
        if each.urn:
            resource.append(f"\n{resource_type(each.urn)}", style="dim")
        message = Text(each.message)
        if each.suppression is not None:
            message.append(f"\n{accepted(each)}", style="dim")
        severity = Text(f"  {each.severity.value}", style=_STYLES[each.severity])
        table.add_row(severity, Text(each.rule), resource, message)
    return table


def _remediation(report: Report, findings: Iterable[Finding]) -> Iterator[RenderableType]:
    for name in dict.fromkeys(each.rule for each in findings):
        metadata = report.rules[name].metadata
        yield Text(f"  {name}: {metadata.title}")
        table = Table.grid(padding=(0, 1))
        for number, step in enumerate(metadata.remediation, start=1):
            table.add_row(Text(f"    {number}."), Text(step))
        yield table
