"""The pack's settings: profiles, levels, thresholds, objectives, and every way to get them wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.core.objectives import Objectives
from policies.core.rules import Level, Metadata, Parameter, Rule, Severity, load_rules
from policies.core.settings import (
    POLICY,
    PackSettingsError,
    config_schema,
    profile_names,
    read_config,
    resolve_settings,
)


def _rule(name: str, severity: Severity = Severity.HIGH, **values: Any) -> Rule:  # noqa: ANN401 - passed on
    metadata = Metadata(title=name, subject="AWS", severity=severity, remediation=("mend it",), **values)
    return Rule(name, metadata, lambda _: ())


DAYS = Parameter(type="integer", default=7, minimum=1, description="days")
RULES = {
    "kept": _rule("kept", frameworks={"gdpr": ("Art. 32(1)(c)",)}, parameters={"days": DAYS}),
    "minor": _rule(
        "minor",
        Severity.LOW,
        parameters={
            "share": Parameter(type="number", default=0.5, description="share"),
            "named": Parameter(type="string", default="x", description="name"),
            "on": Parameter(type="boolean", default=True, description="switch"),
            "some": Parameter(type="array", default=[], description="list"),
        },
    ),
}


def test_defaults_are_the_production_profile_s() -> None:
    settings = resolve_settings({}, RULES)
    assert (settings.profile, settings.strict, settings.suppressions) == ("production", False, None)
    assert settings.levels == {"kept": Level.MANDATORY, "minor": Level.ADVISORY}
    assert settings.parameters["kept"] == {"days": 7}
    assert settings.objectives == Objectives()
    assert settings.tier1_rpo == 3600


def test_a_framework_s_profile_has_its_rules_only() -> None:
    assert resolve_settings({"profile": "gdpr"}, RULES).levels == {"kept": Level.MANDATORY, "minor": Level.DISABLED}
    assert resolve_settings({"profile": "baseline"}, RULES).levels == {"kept": Level.ADVISORY, "minor": Level.DISABLED}


def test_what_a_team_sets_wins() -> None:
    given = {
        "strict": True,
        "suppressions": "elsewhere.yaml",
        "objectives": {"rpo": "5m", "rto": 900, "retention_days": 30},
        "tier1_rpo": "15m",
        # A protocol without integers gives 14.0.
        "rules": {"kept": {"days": 14.0, "level": "advisory"}, "minor": {"share": 1, "on": False, "some": ["a"]}},
    }
    settings = resolve_settings(given, RULES)
    assert settings.strict
    assert settings.suppressions == "elsewhere.yaml"
    assert settings.objectives == Objectives(rpo=300, rto=900, retention_days=30, source="settings")
    assert settings.tier1_rpo == 900
    assert settings.levels["kept"] is Level.ADVISORY
    assert settings.parameters["kept"] == {"days": 14}
    assert settings.parameters["minor"] == {"share": 1, "named": "x", "on": False, "some": ["a"]}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"profil": "soc2"}, "profil: "),
        ({"profile": "iso"}, "profile: iso: there are baseline"),
        ({"strict": "perhaps"}, "strict: "),
        ({"rules": {"kep": {}}}, "rules.kep: no such rule"),
        ({"rules": {"kept": {"day": 1}}}, "rules.kept.day: no such threshold; there are level, days"),
        ({"rules": {"kept": {"level": "off"}}}, "rules.kept.level: off: mandatory, advisory or disabled"),
        ({"rules": {"kept": {"days": 0}}}, "rules.kept.days: 0: at least 1"),
        ({"rules": {"kept": {"days": "7"}}}, "rules.kept.days: 7: integer is expected"),
        ({"rules": {"kept": {"days": 7.5}}}, "rules.kept.days: 7.5: integer is expected"),
        ({"rules": {"kept": {"days": True}}}, "rules.kept.days: True: integer is expected"),
        ({"rules": {"minor": {"on": 1}}}, "rules.minor.on: 1: boolean is expected"),
        ({"rules": {"minor": {"named": 1}}}, "rules.minor.named: 1: string is expected"),
        ({"strict": "yes"}, "strict: yes: "),
        ({"strict": 1}, "strict: 1: "),
        ({"rules": {"minor": {"some": []}}}, "rules.minor.some: a list of at least one text"),
        ({"rules": {"minor": {"some": [1]}}}, "rules.minor.some: a list of at least one text"),
        ({"rules": {"minor": {"some": ["a", ""]}}}, "rules.minor.some: a list of at least one text"),
        ({"rules": {"minor": {"some": "a"}}}, "rules.minor.some: a: array is expected"),
        ({"rules": {"minor": {"share": float("nan")}}}, "rules.minor.share: nan: a finite number"),
        ({"rules": {"kept": {"days": 10**400}}}, "rules.kept.days: 1"),
        ({"objectives": {"rpo": "soon"}}, "objectives.rpo: soon: a duration"),
        ({"objectives": {"rpo": -5}}, "objectives.rpo: -5: a duration"),
        ({"objectives": {"rto": True}}, "objectives.rto: True: a duration"),
        ({"objectives": {"rto": ["5m"]}}, "objectives.rto: a duration"),
        ({"objectives": {"retention_days": -1}}, "objectives.retention_days: "),
        ({"objectives": {"retention_days": True}}, "objectives.retention_days: True: "),
        ({"objectives": {"retention_days": "7"}}, "objectives.retention_days: 7: "),
        ({"tier1_rpo": "x"}, "tier1_rpo: x: a duration"),
        ({"tier1_rpo": True}, "tier1_rpo: True: a duration"),
        ({"tier1_rpo": None}, "tier1_rpo: a duration"),
        ({"tier1_rpo": -1}, "tier1_rpo: -1: a duration"),
    ],
)
def test_mistakes_name_their_key(given: dict[str, Any], said: str) -> None:
    with pytest.raises(PackSettingsError) as raised:
        resolve_settings(given, RULES)
    assert str(raised.value).startswith(said)
    assert len(str(raised.value).splitlines()) == 1


def test_every_mistake_is_named_at_once() -> None:
    given = {"rules": {"kep": {}, "kept": {"days": 0}}, "tier1_rpo": "x"}
    with pytest.raises(PackSettingsError) as raised:
        resolve_settings(given, RULES)
    assert len(str(raised.value).splitlines()) == 3


def test_the_same_document_for_every_door() -> None:
    assert read_config(json.dumps({POLICY: {"strict": True}})) == {"strict": True}
    assert read_config("{}") == {}


def test_null_and_nothing_are_no_objectives() -> None:
    nothing = {"rpo": None, "rto": None, "retention_days": None}
    assert resolve_settings({"objectives": nothing}, RULES).objectives == Objectives()
    none = resolve_settings({"objectives": {"retention_days": 0}}, RULES).objectives
    assert none.retention_days is None
    assert resolve_settings({"objectives": {"retention_days": 7}}, RULES).objectives.retention_days == 7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100000, "nested too deeply"),
        ("{", "not JSON"),
        ("[]", "a JSON object"),
        ('{"rds-retention": {}}', "rds-retention: only"),
        ('{"settings": 1}', "settings: an"),
    ],
)
def test_a_document_of_another_shape(text: str, said: str) -> None:
    with pytest.raises(PackSettingsError, match=f"^{said}"):
        read_config(text)


def test_the_engine_s_schema_has_every_rule_and_threshold() -> None:
    schema = config_schema(RULES)
    assert schema["profile"]["enum"] == profile_names()
    of_rules = schema["rules"]
    assert not of_rules["additionalProperties"]
    assert of_rules["properties"].keys() == RULES.keys()
    kept = of_rules["properties"]["kept"]
    assert not kept["additionalProperties"]
    assert kept["properties"]["days"] == {"type": "integer", "description": "days", "minimum": 1}
    assert kept["properties"]["level"]["enum"] == ["mandatory", "advisory", "disabled"]


def test_the_engine_s_schema_refuses_what_we_refuse() -> None:
    schema = config_schema(RULES)
    assert schema["tier1_rpo"] == {"type": ["string", "number"], "minimum": 0}
    assert schema["objectives"]["properties"] == {
        "rpo": {"type": ["string", "number", "null"], "minimum": 0},
        "rto": {"type": ["string", "number", "null"], "minimum": 0},
        "retention_days": {"type": ["number", "null"], "minimum": 0},
    }
    some = schema["rules"]["properties"]["minor"]["properties"]["some"]
    assert (some["minItems"], some["items"]) == (1, {"type": "string", "minLength": 1})


def test_our_own_lists_are_as_we_ask_for_them() -> None:
    rules = load_rules()
    defaults = resolve_settings({}, rules).parameters
    assert resolve_settings({"rules": defaults}, rules).parameters == defaults
