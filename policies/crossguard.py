"""The pack as the engine runs it: one policy collects what resources declare, the others report what the judge found.

The engine decodes every resource anew for every policy (docs/adr/0009). So the rules are not policies: they run
once, over one index, and each finding is reported by the policy of its severity.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    ResourceValidationPolicy,
    StackValidationPolicy,
)
from pulumi_policy import Severity as EngineSeverity
from pulumi_policy.proxy import UnknownValueError

from policies.core.index import Index
from policies.core.judge import Finding, Judgement, Status, judge, place
from policies.core.resource import Provider, Resource, canonical
from policies.core.rules import Level, Severity, load_rules
from policies.core.settings import POLICY, PackSettingsError, config_schema, resolve_settings
from policies.core.suppressions import read_suppressions
from policies.core.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi_policy import (
        PolicyProviderResource,
        PolicyResource,
        ReportViolation,
        ResourceValidationArgs,
        StackValidationArgs,
    )

    from policies.core.rules import Rule

_HIDDEN: Final = "[secret]"
"""What the engine has in place of an encrypted value of a state that it analyzes: it has no key."""
_ABOUT: Final = {
    "advice": "What rules find that the profile only advises on.",
    "undecided": "What cannot be judged before an update has made it known.",
    "suppressed": "What is accepted for now, with its reason, its owner and its last day.",
}


class Pack:
    """The policies, and what they share between the resources of one run."""

    def __init__(self, rules: Mapping[str, Rule] | None = None) -> None:
        self._rules = load_rules() if rules is None else rules
        self._settings: Mapping[str, Any] = {}
        self._declared: dict[str, Mapping[str, Any]] = {}
        self._judged: Judgement | None = None

    def policies(self) -> list[Policy]:
        """The policies; the one that takes the settings comes first, and the one that judges second."""
        return [
            ResourceValidationPolicy(
                name=POLICY,
                description="Takes the pack's settings and every resource's declaration; it finds nothing itself.",
                validate=self._collect,
                enforcement_level=EnforcementLevel.ADVISORY,
                config_schema=PolicyConfigSchema(config_schema(self._rules)),
            ),
            StackValidationPolicy(
                name="pack",
                description="Faults of the pack's input: settings, expired or unmatched suppressions, broken rules.",
                validate=self._judge,
                enforcement_level=EnforcementLevel.MANDATORY,
            ),
            *(self._reporting(severity) for severity in Severity),
            *(
                StackValidationPolicy(
                    name=name,
                    description=about,
                    validate=self._reporter(_CHOSEN[name]),
                    enforcement_level=EnforcementLevel.ADVISORY,
                )
                for name, about in _ABOUT.items()
            ),
        ]

    def _reporting(self, severity: Severity) -> Policy:
        return StackValidationPolicy(
            name=severity.value,
            description=f"Violations of mandatory rules of {severity.value} severity.",
            validate=self._reporter(lambda finding: finding.fails and finding.severity is severity),
            enforcement_level=EnforcementLevel.MANDATORY,
            severity=EngineSeverity(severity.value),
        )

    def _reporter(self, chosen: Callable[[Finding], bool]) -> Callable[[StackValidationArgs, ReportViolation], None]:
        def report(_: StackValidationArgs, violate: ReportViolation) -> None:
            for finding in self._judged.findings if self._judged else ():
                if chosen(finding):
                    violate(line(finding), finding.urn or None)

        return report

    def _collect(self, args: ResourceValidationArgs, _: ReportViolation) -> None:
        if self._judged is not None:
            # The first resource of another run in the same process.
            self._judged, self._declared = None, {}
        self._settings = args.get_config()
        self._declared[args.urn] = plain(args.props)

    def _judge(self, args: StackValidationArgs, violate: ReportViolation) -> None:
        try:
            settings = resolve_settings(self._settings, self._rules)
            suppressions = read_suppressions(settings.suppressions, self._rules, program_directory())
            index = Index(self._resource(each) for each in args.resources)
            self._judged = judge(index, self._rules, settings, suppressions, today=datetime.now(UTC).date())
        except PackSettingsError as fault:
            self._judged = _faulty(*str(fault).splitlines())
        except Exception as fault:  # noqa: BLE001 - whatever a policy raises ends the engine's run without a word
            # Not the exception's text: it may hold a property's value.
            self._judged = _faulty(f"the pack itself failed with {type(fault).__name__} at {place(fault)}")
        for fault in self._judged.faults:
            violate(fault, None)

    def _resource(self, found: PolicyResource) -> Resource:
        return Resource(
            urn=found.urn,
            type=canonical(found.resource_type),
            inputs=self._declared.get(found.urn),
            outputs=plain(found.props),
            protect=found.opts.protect,
            ignore_changes=tuple(found.opts.ignore_changes),
            parent=found.opts.parent or "",
            provider=_provider(found.provider),
            dependencies=tuple(each.urn for each in found.dependencies),
            property_dependencies={
                key: tuple(each.urn for each in resources) for key, resources in found.property_dependencies.items()
            },
        )


def program_directory() -> Path:
    """Where ``Pulumi.yaml`` is, as the CLI looks for it: in the shell's directory, else in one above.

    The engine starts a pack in the pack's own directory and hands on no other, but for the shell's variable. Where
    that leads nowhere, as with ``pulumi -C``, it is the project around the pack.
    """
    shell = Path(os.environ.get("PWD") or Path.cwd())
    around = (shell, *shell.parents, *Path.cwd().parents)
    return next((each for each in around if (each / "Pulumi.yaml").exists()), shell)


def line(finding: Finding) -> str:
    """A finding in one line, as every way of running the pack shows it."""
    text = f"{finding.rule}: {finding.message}"
    if finding.suppression is None:
        return text
    own = finding.suppression
    return f"{text} (accepted until {own.expires} by {own.owner}: {own.reason})"


def _faulty(*faults: str) -> Judgement:
    return Judgement(findings=(), faults=faults, rules=0, resources=0)


def plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The SDK's proxies as plain Python, with `UNKNOWN` where they would raise, and for what is encrypted."""
    if isinstance(value, str) or not hasattr(value, "__len__"):
        return UNKNOWN if value == _HIDDEN else value
    if hasattr(value, "keys"):
        return {key: _read(value, key) for key in value}
    return [_read(value, position) for position in range(len(value))]


def _read(proxy: Any, key: str | int) -> Any:  # noqa: ANN401 - JSON
    try:
        value = proxy[key]
    except UnknownValueError:
        return UNKNOWN
    return plain(value)


def _provider(found: PolicyProviderResource | None) -> Provider | None:
    return None if found is None else Provider(urn=found.urn, type=found.resource_type, inputs=plain(found.props))


_CHOSEN: Final[Mapping[str, Callable[[Finding], bool]]] = {
    "advice": lambda finding: finding.status is Status.VIOLATION and finding.level is Level.ADVISORY,
    "undecided": lambda finding: finding.status is Status.UNDECIDED,
    "suppressed": lambda finding: finding.status is Status.SUPPRESSED,
}
