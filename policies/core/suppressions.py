"""Suppressions are data: which rule, which resources, why, who answers for it, and until when.

.. code-block:: yaml

    - rule: backup-copy-other-account
      resource: "urn:pulumi:prod::lifeboat::*"
      reason: The second account is ordered, PLAT-1234
      owner: platform
      expires: 2027-03-31
"""

from __future__ import annotations

import re
from datetime import date
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from policies.core.rules import Strict
from policies.core.settings import SUPPRESSIONS, PackSettingsError, lines

if TYPE_CHECKING:
    from collections.abc import Collection

_URN: Final = "urn:pulumi:"
_STACK_PARTS: Final = 2
Text = Annotated[str, Field(min_length=1)]


class Suppression(Strict):
    """One of them.

    Attributes:
        rule: The rule's name.
        resource: Pattern of URNs, ``*`` for any text; nothing else is special. One that begins with the
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
        return rule == self.rule and fnmatchcase(urn, _glob(self.resource))

    def concerns(self, stack_urn: str) -> bool:
        """Whether its pattern is about the stack with this root URN; one that is no URN's is about every stack."""
        if not self.resource.startswith(_URN):
            return True
        parts = self.resource.split("::")
        is_starred = False
        for own, part in zip(stack_urn.split("::")[:_STACK_PARTS], parts, strict=False):
            start, star, _ = part.partition("*")
            if fnmatchcase(own, _glob(part)):
                is_starred = is_starred or bool(star)
            elif star and own.startswith(start):
                return True
            else:
                # A star before it may have taken all up to the type, which has a colon, or up to the name.
                return is_starred and (":" in part or part is parts[-1])
        return True


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> str:
    """The pattern for `fnmatch`, to which more than a star is special."""
    return re.sub(r"[\[?]", r"[\g<0>]", pattern)


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
    except ValueError as fault:
        raise PackSettingsError(f"suppressions: {shown!r}: {fault}") from None


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
    except ValueError as fault:
        # A date that no calendar has, or a number with too many digits; the parser does not say where.
        raise PackSettingsError(f"a date or a number that there is not: {fault}") from None
    except RecursionError:
        raise PackSettingsError("nested too deeply") from None
    try:
        found = TypeAdapter(list[Suppression]).validate_python([] if document is None else document)
    except ValidationError as fault:
        raise PackSettingsError("\n".join(lines(fault))) from None
    if unknown := sorted({each.rule for each in found} - set(rules)):
        raise PackSettingsError(
            "\n".join(f"rule: {name}: no such rule; `docs/policies.md` lists them" for name in unknown)
        )
    return tuple(found)
