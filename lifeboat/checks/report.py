"""What a check found, with all that its readers need to know of the stack, the settings and the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from policies.core.judge import Status
from policies.core.rules import Level, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from policies.core.judge import Finding, Judgement
    from policies.core.rules import Rule

_URN_PARTS: Final = 4
ORDER: Final = {severity: place for place, severity in enumerate(Severity)}
"""Severities, the worst first."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """A judged stack.

    Attributes:
        stack: Its name.
        profile: The profile's name.
        strict: Whether undecided counts as a violation.
        rules: The rules that ran, by name.
        levels: Level by rule.
        judgement: What they found.
    """

    stack: str
    profile: str
    strict: bool
    rules: Mapping[str, Rule]
    levels: Mapping[str, Level]
    judgement: Judgement

    @property
    def failed(self) -> bool:
        """Whether a deployment must stop."""
        return self.judgement.failed

    @property
    def violations(self) -> tuple[Finding, ...]:
        """What fails the check, the worst first."""
        return _sorted(each for each in self.judgement.findings if each.fails)

    @property
    def advice(self) -> tuple[Finding, ...]:
        """Violations that the profile only advises on, the worst first."""
        return _sorted(
            each
            for each in self.judgement.findings
            if each.status is Status.VIOLATION and each.level is not Level.MANDATORY
        )

    @property
    def undecided(self) -> tuple[Finding, ...]:
        """What depends on a value that is not known, the worst first."""
        return _sorted(self.judgement.having(Status.UNDECIDED))

    @property
    def suppressed(self) -> tuple[Finding, ...]:
        """What is accepted for now, the worst first."""
        return _sorted(self.judgement.having(Status.SUPPRESSED))


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda each: (ORDER[each.severity], each.rule, each.urn, each.path)))


def resource_name(urn: str) -> str:
    """The logical name of a URN; ``the stack`` for the empty one, which stands for all of it."""
    return urn.split("::", _URN_PARTS - 1)[-1] if urn else "the stack"


def resource_type(urn: str) -> str:
    """The type token of a URN, without its parents'; empty for the stack as a whole."""
    parts = urn.split("::", _URN_PARTS - 1)
    return parts[2].rpartition("$")[2] if len(parts) == _URN_PARTS else ""


def accepted(finding: Finding) -> str:
    """Why, by whom and how long a finding is accepted; empty for one that is not."""
    own = finding.suppression
    return "" if own is None else f"until {own.expires} by {own.owner}: {own.reason}"
