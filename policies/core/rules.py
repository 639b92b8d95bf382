"""What a rule is: metadata from a data file, and a function of the same name that checks.

Every module of `policies.rules` has a YAML file beside it. The two are joined here by the rule's name, and a rule with
only one of both is an error.
"""

from __future__ import annotations

from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from policies.core.context import Context
    from policies.core.resource import Resource
    from policies.core.results import Result

    ResourceCheck = Callable[[Resource, Context], Iterable[Result]]
    StackCheck = Callable[[Context], Iterable[Result]]

RULES: Final = Path(__file__).parents[1] / "rules"


class Severity(Enum):
    """How bad a violation is, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Level(Enum):
    """What a violation does."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"
    DISABLED = "disabled"


class Strict(BaseModel):
    """Data files: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Guard(Strict):
    """A property whose loss or weakening a rule must notice; the mutation test tries each.

    Attributes:
        type: The resource's type.
        property: Dotted path of the input, ``*`` for every item of a list; ``opts.protect`` for the resource option;
            ``opts.ignoreChanges``, which each of `weaken` is added to.
        weaken: Values to try in its place besides removing it.
        optional: Removing it is harmless, since the default is safe or another property serves: only `weaken` is tried.
        where: Only resources whose input at a path has one of these values.
    """

    type: str
    property: str
    weaken: tuple[Any, ...] = ()
    optional: bool = False
    where: dict[str, tuple[Any, ...]] = {}


class Parameter(Strict):
    """A threshold that a profile or a team may set; a fragment of JSON schema.

    Attributes:
        type: JSON type.
        default: Its value when nobody sets it.
        description: What it means, with its unit.
        minimum: The least that is accepted.
        source: Where the default comes from.
    """

    type: Annotated[str, Field(pattern="^(integer|number|string|boolean|array)$")]
    default: Any
    description: str
    minimum: float | None = None
    source: str = ""


class Identifiers(Strict):
    """What other tools call the same finding."""

    checkov: tuple[str, ...] = ()
    config: tuple[str, ...] = ()
    prowler: tuple[str, ...] = ()
    fsbp: tuple[str, ...] = ()
    trivy: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


class Metadata(Strict):
    """Everything about a rule but its code.

    Attributes:
        title: One sentence that says what holds where the rule passes.
        subject: Headline in the documentation.
        severity: How bad a violation is.
        types: Types whose resources are judged one by one; empty for a rule over the whole stack.
        concerns: Types that a rule over the whole stack looks at.
        unique: Nobody else has this rule (★), or only at runtime or in another format (☆).
        frameworks: Requirements by framework: ``pci-dss``, ``soc2``, ``gdpr``.
        ids: What other tools call it.
        default: The provider's default that makes absence a violation, or harmless.
        exempt: Roles that are not asked, and why.
        guards: Properties whose loss it must notice.
        remediation: Steps to take.
        parameters: Its thresholds.
    """

    title: str
    subject: str
    severity: Severity
    types: tuple[str, ...] = ()
    concerns: tuple[str, ...] = ()
    unique: Annotated[str, Field(pattern="^(★|☆|)$")] = ""
    frameworks: dict[Annotated[str, Field(pattern="^(pci-dss|soc2|gdpr)$")], tuple[str, ...]] = {}
    ids: Identifiers = Identifiers()
    default: str = ""
    exempt: str = ""
    guards: tuple[Guard, ...] = ()
    remediation: tuple[str, ...]
    parameters: dict[str, Parameter] = {}


class Rule:
    """A rule: its name, what is known about it, and its check.

    Attributes:
        name: As in the catalogue.
        metadata: From the data file.
        check: Takes a resource and the context, or, for a rule over the whole stack, the context alone.
    """

    def __init__(self, name: str, metadata: Metadata, check: ResourceCheck | StackCheck) -> None:
        self.name = name
        self.metadata = metadata
        self.check = check

    def run(self, resource: Resource | None, context: Context) -> Iterable[Result]:
        """Check one resource, or, for a rule without types, the stack."""
        if resource is None:
            return cast("StackCheck", self.check)(context)
        return cast("ResourceCheck", self.check)(resource, context)


def load_rules(directory: Path = RULES) -> dict[str, Rule]:
    """Every rule by name, in the order of the data files.

    Raises:
        ValueError: when a data file and its module do not have the same rules.
        pydantic.ValidationError: when a data file is wrong.
    """
    rules: dict[str, Rule] = {}
    for file in sorted(directory.glob("*.yaml")):
        checks: Mapping[str, Any] = import_module(f"policies.rules.{file.stem}").CHECKS
        text = file.read_text(encoding="utf-8")
        entries = cast("dict[str, Any]", yaml.load(text, Loader=_loader()))  # noqa: S506 - a safe loader
        if differing := entries.keys() ^ checks.keys() | entries.keys() & rules.keys():
            raise ValueError(f"{file.name}: {', '.join(sorted(differing))}: needs one entry and one check, once")
        for name, entry in entries.items():
            rules[name] = Rule(name, Metadata.model_validate(entry), checks[name])
    return rules


def _loader() -> Any:  # noqa: ANN401 - one of two classes
    # The C loader reads the catalogue in a tenth of the time; not every platform's wheel has it.
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)
