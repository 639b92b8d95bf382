"""The random provider: values of its own making, from the operating system's generator, never logged."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING, Final, cast

from lifeboat.sandbox.provider.errors import ProviderError

if TYPE_CHECKING:
    from lifeboat.sandbox.provider.values import Values

_SPECIAL: Final = "!@#$%&*()-_=+[]{}<>:?"
_CLASSES: Final = (
    ("lower", "minLower", string.ascii_lowercase),
    ("upper", "minUpper", string.ascii_uppercase),
    ("numeric", "minNumeric", string.digits),
    ("special", "minSpecial", _SPECIAL),
)


def generate(inputs: Values) -> Values:
    """Make a new password.

    Args:
        inputs: Checked inputs.

    Returns:
        The type's computed outputs; ``bcryptHash`` is left out, because the standard library cannot compute it.

    Raises:
        ProviderError: If the minima exceed the length.
    """
    return {"result": _text(inputs)}


def _text(inputs: Values) -> str:
    """Characters of every class that is on, at least as many as asked of each, in random order."""
    picked: list[str] = []
    allowed = ""
    for switch, minimum, characters in _CLASSES:
        if inputs.get(switch) is False:
            continue
        chosen = str(inputs.get("overrideSpecial") or characters) if switch == "special" else characters
        allowed += chosen
        picked.extend(secrets.choice(chosen) for _ in range(cast("int", inputs.get(minimum) or 0)))
    length = cast("int", inputs["length"])
    if length < max(1, len(picked)) or not allowed:
        raise ProviderError(
            "create", "InvalidArguments", f"length: {length}: at least {max(1, len(picked))} of some class"
        )
    picked.extend(secrets.choice(allowed) for _ in range(length - len(picked)))
    secrets.SystemRandom().shuffle(picked)
    return "".join(picked)
