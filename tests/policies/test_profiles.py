"""The profiles that come with the pack, held against its rules."""

from __future__ import annotations

import pytest

from policies.core.rules import Level, Severity
from policies.core.settings import load_profile, profile_names, resolve_settings
from tests.policies.harness import rules

every_profile = pytest.mark.parametrize("name", profile_names())


@every_profile
def test_a_profile_can_be_used(name: str) -> None:
    settings = resolve_settings({"profile": name}, rules())
    assert settings.levels.keys() == rules().keys()
    assert any(level is Level.MANDATORY for level in settings.levels.values())


@every_profile
def test_a_profile_says_what_becomes_of_every_severity(name: str) -> None:
    profile = load_profile(name)
    assert profile.levels.keys() == set(Severity)
    assert profile.title.endswith(".")
    assert set(profile.only) <= rules().keys()


def test_only_a_framework_s_own_rules_are_on() -> None:
    for name in profile_names():
        framework = load_profile(name).framework
        if framework:
            levels = resolve_settings({"profile": name}, rules()).levels
            chosen = {rule for rule, level in levels.items() if level is not Level.DISABLED}
            assert chosen == {rule for rule in rules() if framework in rules()[rule].metadata.frameworks}


def test_production_leaves_nothing_out() -> None:
    assert Level.DISABLED not in resolve_settings({"profile": "production"}, rules()).levels.values()
