"""A check as JUnit XML: a suite per subject, a case per rule."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from lifeboat.checks.report import accepted
from policies.core.judge import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.checks.report import Report
    from policies.core.judge import Finding
    from policies.core.rules import Rule

_FORBIDDEN: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, however it is written."""


def junit(report: Report) -> str:
    """The report as an XML document.

    A rule that is violated fails, unless it only advises. One that found nothing but what is undecided or suppressed is
    skipped: nobody has decided that it holds.
    """
    subjects: dict[str, list[ET.Element]] = defaultdict(list)
    findings: dict[str, list[Finding]] = defaultdict(list)
    for each in report.judgement.findings:
        findings[each.rule].append(each)
    for name, rule in report.rules.items():
        subjects[rule.metadata.subject].append(_case(rule, findings[name]))
    subjects["Policy pack"].append(_pack(report.judgement.faults))
    root = ET.Element("testsuites", name=_clean(f"lifeboat check {report.stack}".strip()))
    for subject, cases in subjects.items():
        suite = ET.SubElement(root, "testsuite", name=_clean(subject))
        suite.extend(cases)
    for element in (*root, root):
        element.set("tests", str(len(element.findall(".//testcase"))))
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            element.set(count, str(len(element.findall(f".//{tag}"))))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _case(rule: Rule, findings: Iterable[Finding]) -> ET.Element:
    case = ET.Element("testcase", classname=_clean(rule.metadata.subject), name=_clean(rule.name))
    failing = [each for each in findings if each.fails]
    others = [each for each in findings if not each.fails]
    waiting = [each for each in others if each.status is not Status.VIOLATION]
    if failing:
        steps = "\n".join(f"{number}. {step}" for number, step in enumerate(rule.metadata.remediation, start=1))
        message = f"{len(failing)} of severity {rule.metadata.severity.value}: {rule.metadata.title}"
        failure = ET.SubElement(case, "failure", type=rule.metadata.severity.value, message=_clean(message))
        failure.text = _clean(f"{_lines(failing)}\n{steps}")
    elif waiting:
        counts = {status: sum(each.status is status for each in waiting) for status in Status}
        message = ", ".join(f"{count} {status.value}" for status, count in counts.items() if count)
        ET.SubElement(case, "skipped", message=message)
    if others:
        ET.SubElement(case, "system-out").text = _clean(_lines(others))
    return case


def _pack(faults: Iterable[str]) -> ET.Element:
    case = ET.Element("testcase", classname="Policy pack", name="suppressions and rules")
    text = "\n".join(faults)
    if text:
        ET.SubElement(case, "error", type="fault", message=_clean(text.splitlines()[0])).text = _clean(text)
    return case


def _lines(findings: Iterable[Finding]) -> str:
    return "\n".join(_line(each) for each in findings)


def _line(finding: Finding) -> str:
    kind = "advice" if finding.status is Status.VIOLATION and not finding.fails else finding.status.value
    why = f" ({accepted(finding)})" if finding.suppression is not None else ""
    return f"{kind}: {finding.urn or 'the stack'}: {finding.message}{why}"


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("", text)
