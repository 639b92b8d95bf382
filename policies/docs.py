"""Writes ``docs/policies.md``: the prose of ``policies/data`` around the rules' metadata.

Run it by ``python -m policies.docs``.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Final, cast

import yaml

from policies.core.rules import Level, Severity, load_rules
from policies.core.settings import load_profile, profile_names, resolve_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from policies.core.rules import Metadata, Rule
    from policies.core.settings import PackSettings

PAGE: Final = Path(__file__).parents[1] / "docs" / "policies.md"
DATA: Final = Path(__file__).parent / "data"

_TOOLS: Final = {
    "checkov": "Checkov",
    "config": "AWS Config",
    "fsbp": "Security Hub FSBP",
    "trivy": "Trivy",
    "prowler": "Prowler",
    "other": "elsewhere",
}
_FRAMEWORKS: Final = {"pci-dss": "PCI DSS 4.0", "soc2": "SOC 2", "gdpr": "GDPR"}


def page(rules: Mapping[str, Rule], omitted: Mapping[str, str]) -> str:
    """The whole page.

    Args:
        rules: All rules.
        omitted: Names of the catalogue that are no rule, with the reason.
    """
    settings = {name: resolve_settings({"profile": name}, rules) for name in profile_names()}
    marks = [rule.metadata.unique for rule in rules.values()]
    return Template((DATA / "policies.md").read_text(encoding="utf-8")).substitute(
        count=len(rules),
        unique=marks.count("★"),
        rare=marks.count("☆"),
        profiles=_profiles(settings),
        rules="\n".join(_rules(rules, settings)),
        omitted=_omissions(omitted),
    )


def read_omitted() -> dict[str, str]:
    """Names of the catalogue that are no rule, with the reason."""
    return cast("dict[str, str]", yaml.safe_load((DATA / "omitted.yaml").read_text(encoding="utf-8")))


def _profiles(settings: Mapping[str, PackSettings]) -> str:
    rows: list[tuple[str, ...]] = []
    for name, resolved in settings.items():
        profile = load_profile(name)
        levels = list(resolved.levels.values())
        by_level = [
            f"{level.value}: {', '.join(each.value for each in Severity if profile.levels[each] is level)}"
            for level in Level
            if level in profile.levels.values()
        ]
        if profile.framework:
            by_level.append(f"only rules that a requirement of {_FRAMEWORKS[profile.framework]} stands behind")
        by_level += [
            f"{rule}: {', '.join(f'{key} {_shown(value)}' for key, value in values.items())}"
            for rule, values in profile.rules.items()
        ]
        counts = (str(levels.count(level)) for level in (Level.MANDATORY, Level.ADVISORY))
        rows.append((f"`{name}`", profile.title, "<br>".join(by_level), *counts))
    return _table(("profile", "for", "levels", "mandatory", "advisory"), rows)


def _rules(rules: Mapping[str, Rule], settings: Mapping[str, PackSettings]) -> Iterator[str]:
    subjects: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules.values():
        subjects[rule.metadata.subject].append(rule)
    for subject in sorted(subjects):
        yield f"## {subject}\n"
        yield _table(
            ("rule", "", "severity", "holds when it passes"),
            [
                (
                    f"[{each.name}](#{each.name})",
                    each.metadata.unique,
                    each.metadata.severity.value,
                    each.metadata.title,
                )
                for each in subjects[subject]
            ],
        )
        for rule in subjects[subject]:
            yield _section(rule, settings)


def _section(rule: Rule, settings: Mapping[str, PackSettings]) -> str:
    known = rule.metadata
    facts = [fact for fact in _facts(rule.name, known, settings) if fact]
    steps = [f"{number}. {step}" for number, step in enumerate(known.remediation, start=1)]
    heading = (
        f"### {rule.name}\n\n{known.title} ({known.severity.value}{f', {known.unique}' if known.unique else ''}).\n"
    )
    parts = [heading, *(f"- {fact}" for fact in facts), ""]
    if known.parameters:
        rows = [
            (f"`{key}`", each.description, f"`{_shown(each.default)}`", each.source)
            for key, each in known.parameters.items()
        ]
        parts.append(_table(("threshold", "what it is", "default", "from"), rows))
    return "\n".join((*parts, *steps, ""))


def _facts(name: str, known: Metadata, settings: Mapping[str, PackSettings]) -> Iterator[str]:
    if known.types:
        yield f"Judges each {_codes(known.types)}"
    elif known.concerns:
        yield f"Judges the stack as a whole: {_codes(known.concerns)}"
    guarded: dict[str, dict[str, None]] = defaultdict(dict)
    for guard in known.guards:
        guarded[guard.type][guard.property] = None
    if guarded:
        yield f"Properties: {'; '.join(f'{_codes(paths)} of `{type_}`' for type_, paths in guarded.items())}"
    if known.default:
        yield f"Where nothing is declared: {known.default}"
    if known.exempt:
        yield f"Exempt: {known.exempt}"
    for framework, requirements in known.frameworks.items():
        yield f"{_FRAMEWORKS[framework]}: {', '.join(requirements)}"
    found = cast("Iterable[tuple[str, Sequence[str]]]", known.ids)
    names = [f"{_TOOLS[tool]} {', '.join(names)}" for tool, names in found if names]
    if names:
        yield f"The same in other tools: {'; '.join(names)}"
    for level in (Level.MANDATORY, Level.ADVISORY):
        profiles = [profile for profile, resolved in settings.items() if resolved.levels[name] is level]
        if profiles:
            yield f"{level.value.capitalize()} in {_codes(profiles)}"


def _omissions(omitted: Mapping[str, str]) -> str:
    if not omitted:
        return "None: every name of the catalogue that this pack began with is a rule.\n"
    return _table(("name", "why it is no rule"), [(name, " ".join(reason.split())) for name, reason in omitted.items()])


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _shown(value: Any) -> str:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return ", ".join(str(item) for item in cast("list[Any]", value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(load_rules(), read_omitted()), encoding="utf-8")
