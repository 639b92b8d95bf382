"""The pack's settings: one JSON object, the same for `pulumi ... --policy-pack-config` and `lifeboat check --config`.

.. code-block:: json

    {"settings": {
        "profile": "soc2",
        "strict": true,
        "rules": {"rds-retention": {"days": 14}, "log-retention": {"level": "disabled"}}
    }}
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

from pydantic import Field, StrictBool, ValidationError

from policies.core.durations import days, duration
from policies.core.objectives import Objectives
from policies.core.rules import Level, Severity, Strict
from policies.core.values import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from policies.core.rules import Rule

PROFILES: Final = Path(__file__).parents[1] / "profiles"
POLICY: Final = "settings"
"""The key of a Pulumi policy configuration that holds the settings: the name of the policy that takes them."""
LEVEL: Final = "level"
DEFAULT_PROFILE: Final = "production"
SUPPRESSIONS: Final = "policy-suppressions.yaml"
"""Read from the program's directory where the settings name no other file."""


class PackSettingsError(ValueError):
    """The settings cannot be used; each line names the key, its value and what is accepted."""


class Profile(Strict):
    """A named choice of rules, levels and thresholds.

    Attributes:
        title: What it is for.
        framework: Only rules that a requirement of this framework stands behind; empty for no such limit.
        only: Only these rules; empty for no such limit.
        levels: Level by severity.
        rules: Level and thresholds of single rules.
    """

    title: str
    framework: str = ""
    only: tuple[str, ...] = ()
    levels: dict[Severity, Level]
    rules: dict[str, dict[str, Any]] = Field(default_factory=dict[str, dict[str, Any]])


class Demanded(Strict):
    """Objectives of every resource for which neither a declaration nor tags speak.

    Attributes:
        rpo: Seconds, or a duration such as ``5m``.
        rto: The same.
        retention_days: Days.
    """

    # Any, since a union of types would make several faults of one.
    rpo: Any = None
    rto: Any = None
    retention_days: Annotated[float | None, Field(ge=0, strict=True, allow_inf_nan=False)] = None


class Document(Strict):
    """The settings as written."""

    profile: str = DEFAULT_PROFILE
    strict: StrictBool = False
    suppressions: str | None = None
    objectives: Demanded = Demanded()
    tier1_rpo: Any = 3600
    rules: dict[str, dict[str, Any]] = Field(default_factory=dict[str, dict[str, Any]])


@dataclass(frozen=True, kw_only=True)
class PackSettings:
    """What the judge works with.

    Attributes:
        profile: The profile's name.
        strict: Undecided counts as a violation.
        suppressions: The file of suppressions, as written; None for the usual one.
        objectives: What is demanded where nobody else demands.
        tier1_rpo: Seconds, see `Context`.
        levels: Level by rule.
        parameters: Complete thresholds by rule.
    """

    profile: str
    strict: bool
    suppressions: str | None
    objectives: Objectives
    tier1_rpo: float
    levels: Mapping[str, Level]
    parameters: Mapping[str, Mapping[str, Any]]


def profile_names() -> list[str]:
    """The profiles there are."""
    return sorted(path.stem for path in PROFILES.glob("*.json"))


def load_profile(name: str) -> Profile:
    """A profile by name.

    Raises:
        PackSettingsError: when there is none.
    """
    if name not in profile_names():
        raise PackSettingsError(f"profile: {name}: there are {', '.join(profile_names())}")
    return Profile.model_validate_json((PROFILES / f"{name}.json").read_text(encoding="utf-8"))


def resolve_settings(given: Mapping[str, Any], rules: Mapping[str, Rule]) -> PackSettings:
    """Settings from their document.

    Args:
        given: The object under `POLICY`.
        rules: All rules.

    Raises:
        PackSettingsError: with a line for each fault.
    """
    try:
        document = Document.model_validate(dict(given))
    except ValidationError as fault:
        raise PackSettingsError("\n".join(lines(fault))) from None
    profile = load_profile(document.profile)
    faults: list[str] = []
    levels: dict[str, Level] = {}
    parameters: dict[str, dict[str, Any]] = {}
    for name, rule in rules.items():
        levels[name] = _level(profile, rule)
        parameters[name] = {key: parameter.default for key, parameter in rule.metadata.parameters.items()}
    for written in (profile.rules, document.rules):
        for name, values in written.items():
            if name not in rules:
                faults.append(f"rules.{name}: no such rule; `docs/policies.md` lists them")
                continue
            for key, value in values.items():
                if key == LEVEL:
                    if value not in [level.value for level in Level]:
                        faults.append(f"rules.{name}.level: {value}: mandatory, advisory or disabled is expected")
                    else:
                        levels[name] = Level(value)
                elif (complaint := _complaint(rules[name], key, value)) is not None:
                    faults.append(f"rules.{name}.{key}: {complaint}")
                else:
                    parameters[name][key] = value
    demanded = document.objectives
    times = {"objectives.rpo": demanded.rpo, "objectives.rto": demanded.rto, "tier1_rpo": document.tier1_rpo}
    seconds = {key: duration(value) for key, value in times.items()}
    faults += [
        f"{key}: {_shown(value)}a duration such as 300, 5m or 1h is expected"
        for key, value in times.items()
        if seconds[key] is None and (value is not None or key not in _OPTIONAL)
    ]
    if faults:
        raise PackSettingsError("\n".join(faults))
    asked = any(value is not None for value in (demanded.rpo, demanded.rto, demanded.retention_days))
    return PackSettings(
        profile=document.profile,
        strict=document.strict,
        suppressions=document.suppressions,
        objectives=Objectives(
            rpo=seconds["objectives.rpo"],
            rto=seconds["objectives.rto"],
            retention_days=days(demanded.retention_days),
            source="settings" if asked else "",
        ),
        tier1_rpo=cast("float", seconds["tier1_rpo"]),
        levels=levels,
        parameters=parameters,
    )


def read_config(text: str) -> dict[str, Any]:
    """The settings' document in a Pulumi policy configuration.

    Raises:
        PackSettingsError: when it is no JSON object, or has other keys.
    """
    try:
        document = json.loads(text)
    except ValueError as fault:
        raise PackSettingsError(f"not JSON: {fault}") from None
    except RecursionError:
        raise PackSettingsError("nested too deeply") from None
    if not isinstance(document, dict):
        raise PackSettingsError("a JSON object is expected")
    mapping = cast("dict[str, Any]", document)
    if unknown := sorted(mapping.keys() - {POLICY}):
        raise PackSettingsError(f"{unknown[0]}: only {POLICY!r} is expected; rules are set under {POLICY}.rules")
    settings = mapping.get(POLICY, {})
    if not isinstance(settings, dict):
        raise PackSettingsError(f"{POLICY}: an object is expected")
    return cast("dict[str, Any]", settings)


def config_schema(rules: Mapping[str, Rule]) -> dict[str, dict[str, Any]]:
    """JSON schema of each of the settings, so that the engine refuses an unknown rule or threshold by itself."""
    time = {"type": ["string", "number"], "minimum": 0}
    none = {**time, "type": ["string", "number", "null"]}
    return {
        "profile": {"type": "string", "enum": profile_names()},
        "strict": {"type": "boolean"},
        "suppressions": {"type": ["string", "null"]},
        "objectives": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"rpo": none, "rto": none, "retention_days": {"type": ["number", "null"], "minimum": 0}},
        },
        "tier1_rpo": time,
        "rules": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                name: {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        LEVEL: {"type": "string", "enum": [level.value for level in Level]},
                        **{key: _schema(rule, key) for key in rule.metadata.parameters},
                    },
                }
                for name, rule in rules.items()
            },
        },
    }


def _schema(rule: Rule, key: str) -> dict[str, Any]:
    parameter = rule.metadata.parameters[key]
    schema: dict[str, Any] = {"type": parameter.type, "description": parameter.description}
    if parameter.minimum is not None:
        schema["minimum"] = parameter.minimum
    if parameter.type == "array":
        schema |= {"minItems": 1, "items": {"type": "string", "minLength": 1}}
    return schema


def _level(profile: Profile, rule: Rule) -> Level:
    if profile.framework and profile.framework not in rule.metadata.frameworks:
        return Level.DISABLED
    if profile.only and rule.name not in profile.only:
        return Level.DISABLED
    return profile.levels[rule.metadata.severity]


_OPTIONAL: Final = ("objectives.rpo", "objectives.rto")
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "boolean": (bool,),
    "array": (list,),
}


def _complaint(rule: Rule, key: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    """What is wrong with a threshold, or None."""
    parameter = rule.metadata.parameters.get(key)
    if parameter is None:
        return f"no such threshold; there are {', '.join((LEVEL, *rule.metadata.parameters))}"
    # A protocol that has only one kind of number gives whole ones as 7.0.
    whole = isinstance(value, float) and value.is_integer() and parameter.type == "integer"
    if not (whole or isinstance(value, _TYPES[parameter.type])) or (
        isinstance(value, bool) != (parameter.type == "boolean")
    ):
        return f"{_shown(value)}{parameter.type} is expected"
    if parameter.type == "array" and not _is_texts(value):
        return "a list of at least one text is expected, and nothing but texts"
    if parameter.type in {"integer", "number"} and number(value) is None:
        return f"{_shown(value)}a finite number is expected"
    if parameter.minimum is not None and cast("float", value) < parameter.minimum:
        return f"{value}: at least {parameter.minimum:g} is expected"
    return None


def _is_texts(value: Any) -> bool:  # noqa: ANN401 - JSON
    return bool(value) and all(isinstance(item, str) and item for item in cast("list[Any]", value))


def lines(fault: ValidationError) -> list[str]:
    """A line for each fault of a document: the key, its value where that is one line, what is accepted."""
    return [_line(each) for each in fault.errors()]


def _line(each: ErrorDetails) -> str:
    key = ".".join(str(part) for part in each["loc"]) or "document"
    if each["type"] == "extra_forbidden":
        return f"{key}: there is no such key"
    return f"{key}: {_shown(each['input'])}{each['msg']}"


def _shown(written: Any) -> str:  # noqa: ANN401 - JSON
    """A value before its complaint, where it is one line."""
    return f"{' '.join(str(written).split())}: " if isinstance(written, (str, int, float)) else ""
