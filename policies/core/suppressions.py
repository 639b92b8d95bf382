"""Suppressions are data: which rule, which resources, why, who answers for it, and until when.

.. code-block:: yaml

    - rule: backup-copy-other-account
      resource: "urn:pulumi:prod::lifeboat::*"
      reason: The second account is ordered, PLAT-1234
      owner: platform
      expires: 2027-03-31
"""

from __future__ import annotations

from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from policies.core.rules import Strict
from policies.core.settings import SUPPRESSIONS, PackSettingsError, lines

if TYPE_CHECKING:
    from collections.abc import Collection

_STACK_PARTS: Final = 2
Text = Annotated[str, Field(min_length=1)]


class Suppression(Strict):
    """One of them.

    Attributes:
        rule: The rule's name.
        resource: Pattern of URNs, ``*`` for any text. One that begins with the
            ``urn:pulumi:STACK::PROJECT::`` of another stack is not this stack's business.
        reason: Why.
        owner: Who answers for it.
        expires: The last day on which it holds.
    """

    rule: Text
    resource: Text
    reason: Text
    owner: Text
    expires: date

    def covers(self, rule: str, urn: str) -> bool:
        """Whether it is about this rule and resource."""
        return rule == self.rule and fnmatchcase(urn, self.resource)

    def concerns(self, stack_urn: str) -> bool:
        """Whether its pattern can match a resource of the stack with this root URN."""
        return all(
            fnmatchcase(own, part) or "*" in part
            for own, part in zip(
                stack_urn.split("::")[:_STACK_PARTS], self.resource.split("::")[:_STACK_PARTS], strict=False
            )
        )


def read_suppressions(name: str | None, rules: Collection[str], directory: Path = Path()) -> tuple[Suppression, ...]:
    """Read the file of suppressions.

    Args:
        name: As the settings name it; None for the usual file, which need not exist.
        rules: Names of all rules.
        directory: Where the program is; names are relative to it.

    Raises:
        PackSettingsError: with a line for each fault, the file's name in front.
    """
    file = directory / (name or SUPPRESSIONS)
    if name is None and not file.exists():
        return ()
    shown = name or SUPPRESSIONS
    try:
        return parse_suppressions(file.read_text(encoding="utf-8"), rules)
    except OSError as fault:
        raise PackSettingsError(f"suppressions: {shown}: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise PackSettingsError(f"suppressions: {shown}: not UTF-8 text") from None
    except PackSettingsError as fault:
        raise PackSettingsError("\n".join(f"{shown}: {each}" for each in str(fault).splitlines())) from None


def parse_suppressions(text: str, rules: Collection[str]) -> tuple[Suppression, ...]:
    """Read a file of suppressions.

    Args:
        text: YAML: a list.
        rules: Names of all rules.

    Raises:
        PackSettingsError: with a line for each fault.
    """
    try:
        document: Any = yaml.safe_load(text)
    except yaml.YAMLError as fault:
        raise PackSettingsError(f"not YAML: {' '.join(str(fault).split())}") from None
    try:
        found = TypeAdapter(list[Suppression]).validate_python(document or [])
    except ValidationError as fault:
        raise PackSettingsError("\n".join(lines(fault))) from None
    if unknown := sorted({each.rule for each in found} - set(rules)):
        raise PackSettingsError(
            "\n".join(f"rule: {name}: no such rule; `docs/policies.md` lists them" for name in unknown)
        )
    return tuple(found)
