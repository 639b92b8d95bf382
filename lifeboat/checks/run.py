"""Runs the pack: settings and suppressions first, then the stack, then the judge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lifeboat.checks.report import Report
from lifeboat.deployment.project import InputError
from policies.core.judge import judge
from policies.core.rules import Level, load_rules
from policies.core.settings import PackSettingsError, read_config, resolve_settings
from policies.core.state import StateError, index_of_state
from policies.core.suppressions import read_suppressions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from policies.core.rules import Rule
    from policies.core.settings import PackSettings
    from policies.core.suppressions import Suppression


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How to judge, all of it read and found usable.

    Attributes:
        rules: All rules.
        settings: Levels, thresholds and objectives.
        suppressions: What is accepted.
    """

    rules: Mapping[str, Rule]
    settings: PackSettings
    suppressions: Sequence[Suppression]


def prepare(
    directory: Path,
    *,
    config: Path | None = None,
    suppressions: Path | None = None,
    profile: str | None = None,
    strict: bool = False,
) -> Asked:
    """Read the pack's settings and suppressions.

    Args:
        directory: Where the program is.
        config: A Pulumi policy configuration; None for the pack's defaults.
        suppressions: A file that takes the place of the usual one, and of the one that the settings name.
        profile: Takes the place of the settings' profile.
        strict: Undecided counts as a violation, whatever the settings say.

    Raises:
        InputError: with a line for each fault.
    """
    rules = load_rules()
    given: dict[str, Any] = _config(config) if config is not None else {}
    if profile is not None:
        given["profile"] = profile
    if strict:
        given["strict"] = True
    if suppressions is not None:
        given["suppressions"] = str(suppressions.absolute())
    try:
        settings = resolve_settings(given, rules)
        return Asked(
            rules=rules,
            settings=settings,
            suppressions=read_suppressions(settings.suppressions, rules, directory),
        )
    except PackSettingsError as fault:
        raise InputError(*str(fault).splitlines()) from None


def judge_state(asked: Asked, state: str, *, name: str, stack: str | None) -> Report:
    """Judge a stack's state.

    Args:
        asked: How.
        state: A deployment as text.
        name: What the state is called in a fault.
        stack: The stack that it must be of; None for any.

    Raises:
        InputError: when it cannot be read, or is of another stack.
    """
    try:
        index = index_of_state(state)
    except StateError as fault:
        raise InputError(f"{name}: {fault}") from None
    found = next((each.urn.split("::")[0].rpartition(":")[2] for each in index), stack or "")
    if stack is not None and found != stack:
        raise InputError(f"STACK: {stack}: {name} is of stack {found}")
    settings = asked.settings
    return Report(
        stack=found,
        profile=settings.profile,
        strict=settings.strict,
        rules={name: rule for name, rule in asked.rules.items() if settings.levels[name] is not Level.DISABLED},
        levels=settings.levels,
        judgement=judge(index, asked.rules, settings, asked.suppressions, today=datetime.now(UTC).date()),
    )


def read_text(option: str, file: Path) -> str:
    """The text of a file that an option names.

    Raises:
        InputError: when it cannot be read, or is no text.
    """
    try:
        return file.read_text(encoding="utf-8")
    except OSError as fault:
        raise InputError(f"{option}: {file}: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{option}: {file}: not UTF-8 text") from None


def _config(file: Path) -> dict[str, Any]:
    text = read_text("--config", file)
    try:
        return read_config(text)
    except PackSettingsError as fault:
        raise InputError(*(f"--config: {file}: {line}" for line in str(fault).splitlines())) from None
