"""Why there is no plan: what was asked makes none, or the plan would need what is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class PlanRefused(ValueError):  # noqa: N818 - a refusal is an answer, not an error
    """The plan needs an answer from what is lost; carries every reason, and prints one line each."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("\n".join(self.reasons))


class Unplannable(ValueError):  # noqa: N818 - said of what was asked
    """What was asked is no way from one site to the other."""

    def __init__(self, field: str, value: str, accepted: str) -> None:
        self.field = field
        """The argument of `derive`: ``lost``, ``source`` or ``target``."""
        self.value = value
        self.accepted = accepted
        """Completes "accepted is ..."."""
        super().__init__(f"{field}: {value}: accepted is {accepted}")
