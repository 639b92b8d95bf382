"""A check as JSON: ``lifeboat check --json``. Its keys are described in ``docs/policies.md`` and only ever grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policies.core.judge import Status

if TYPE_CHECKING:
    from lifeboat.checks.report import Report
    from policies.core.judge import Finding
    from policies.core.rules import Rule


def document(report: Report) -> dict[str, Any]:
    """The report as JSON-like values."""
    return {
        "stack": report.stack,
        "profile": report.profile,
        "strict": report.strict,
        "failed": report.failed,
        "rules": report.judgement.rules,
        "resources": report.judgement.resources,
        "findings": [_finding(each, report.rules[each.rule]) for each in report.judgement.findings],
        "faults": list(report.judgement.faults),
    }


def _finding(finding: Finding, rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "level": finding.level.value,
        "status": finding.status.value,
        "urn": finding.urn,
        "path": finding.path,
        "message": finding.message,
    }
    if finding.status is Status.VIOLATION:
        found["remediation"] = list(rule.metadata.remediation)
    if finding.suppression is not None:
        own = finding.suppression
        found["suppression"] = {
            "resource": own.resource,
            "reason": own.reason,
            "owner": own.owner,
            "expires": own.expires.isoformat(),
        }
    return found
