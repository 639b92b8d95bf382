"""A check as SARIF 2.1.0, the format that code scanning services take.

A resource has no line in a file. So each result names its URN as a logical location, and the stack's settings file as
the physical one, without which GitHub shows nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from lifeboat.checks.report import accepted, resource_name, resource_type
from policies.core.judge import Status
from policies.core.rules import Level, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.checks.report import Report
    from policies.core.judge import Finding
    from policies.core.rules import Rule

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
VERSION: Final = "2.1.0"

_SCORES: Final = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}
"""Inside the ranges that GitHub reads as critical (above 9.0), high (7.0), medium (4.0) and low (0.1)."""


def sarif(report: Report) -> dict[str, Any]:
    """The report as a SARIF log of one run."""
    index = {name: position for position, name in enumerate(report.rules)}
    prints = _fingerprints(report)
    results = [_result(report, finding, index[finding.rule], next(prints)) for finding in report.judgement.findings]
    run = {
        "tool": {
            "driver": {
                "name": "lifeboat",
                "version": version("lifeboat"),
                "rules": [_rule(rule, report.levels[name]) for name, rule in report.rules.items()],
            }
        },
        # Up to the last slash it is the category, which keeps the results of several stacks apart.
        "automationDetails": {"id": f"lifeboat/{report.stack}/"},
        "invocations": [
            {
                "executionSuccessful": not report.judgement.faults,
                "exitCode": int(report.failed),
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": fault}} for fault in report.judgement.faults
                ],
            }
        ],
        "results": results,
        "properties": {"profile": report.profile, "strict": report.strict},
    }
    return {"$schema": SCHEMA, "version": VERSION, "runs": [run]}


def _rule(rule: Rule, level: Level) -> dict[str, Any]:
    known = rule.metadata
    about = [f"{known.title}."]
    if known.default:
        about.append(f"Default: {known.default}.")
    if known.exempt:
        about.append(f"Exempt: {known.exempt}")
    steps = [f"{number}. {step}" for number, step in enumerate(known.remediation, start=1)]
    return {
        "id": rule.name,
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": " ".join(about)},
        "help": {"text": "\n".join(steps), "markdown": "\n".join((f"**{known.title}**", "", *steps))},
        "defaultConfiguration": {"level": _level(known.severity, level)},
        # With the tag `security` GitHub sorts by the score, without it by the level.
        "properties": {
            "tags": list(dict.fromkeys(("security", *_tags(rule)))),
            "security-severity": _SCORES[known.severity],
            "subject": known.subject,
        },
    }


def _tags(rule: Rule) -> Iterator[str]:
    for framework, requirements in rule.metadata.frameworks.items():
        yield from (f"{framework}:{requirement}" for requirement in requirements)
    for tool, names in rule.metadata.ids:
        yield from (f"{tool}:{name}" for name in names)


def _level(severity: Severity, level: Level) -> str:
    if level is Level.MANDATORY:
        return "error"
    return "note" if severity is Severity.LOW else "warning"


def _result(report: Report, finding: Finding, index: int, fingerprint: str) -> dict[str, Any]:
    name, type_ = resource_name(finding.urn), resource_type(finding.urn)
    is_open = finding.status is Status.UNDECIDED
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        # What is open has no level, says the standard.
        "kind": "open" if is_open else "fail",
        "level": "none" if is_open else _level(finding.severity, finding.level),
        "message": {"text": f"{name}{f' ({type_})' if type_ else ''}: {finding.message}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {
                        "uri": quote(f"Pulumi.{report.stack}.yaml" if report.stack else "Pulumi.yaml")
                    },
                    "region": {"startLine": 1},
                },
                "logicalLocations": [
                    {"name": name, "fullyQualifiedName": finding.urn, "kind": "resource"}
                    if finding.urn
                    else {"name": name, "fullyQualifiedName": report.stack, "kind": "stack"}
                ],
            }
        ],
        # GitHub compares only the first, and would make it from the file's first line.
        "partialFingerprints": {"primaryLocationLineHash": fingerprint, "lifeboatFinding/v1": fingerprint},
        "properties": {"severity": finding.severity.value, "mandatory": finding.level is Level.MANDATORY},
    }
    if finding.path:
        result["properties"]["path"] = finding.path
    if finding.suppression is not None:
        own = finding.suppression
        result["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": f"accepted {accepted(finding)}",
                "properties": {"owner": own.owner, "expires": own.expires.isoformat(), "resource": own.resource},
            }
        ]
    return result


def _fingerprints(report: Report) -> Iterator[str]:
    """What stays the same over runs: the rule, the resource, the property, and the position among these."""
    seen = Counter[tuple[str, str, str]]()
    for finding in report.judgement.findings:
        key = (finding.rule, finding.urn, finding.path)
        text = "\n".join((*key, str(seen[key])))
        seen[key] += 1
        yield hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
