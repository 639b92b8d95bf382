"""What a check may ask besides its resource."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from policies.core.objectives import Objectives, tagged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from policies.core.index import Index
    from policies.core.resource import Resource


@dataclass(frozen=True, kw_only=True)
class Context:
    """The stack, the rule's thresholds, and what is demanded.

    Attributes:
        index: The stack.
        parameters: The rule's thresholds, complete.
        fallback: What the pack's settings demand of every resource.
        tier1_rpo: Seconds: who may lose no more than this is of tier 1, unless a tier is declared.
        guarded: Guarded properties by type, with the rule that guards them.
    """

    index: Index
    parameters: Mapping[str, Any]
    fallback: Objectives = field(default_factory=Objectives)
    tier1_rpo: float = 3600
    guarded: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, "Mapping[str, str]"])

    def objectives(self, resource: Resource) -> Objectives:
        """What is demanded of a resource: by a declaration, else by its tags, else by the pack's settings."""
        return self.index.declared.of(resource) or tagged(resource) or self.fallback

    def tier1(self, resource: Resource) -> bool:
        """Whether a resource must survive the loss of a region."""
        demanded = self.objectives(resource)
        if demanded.tier is not None:
            return demanded.tier <= 1
        return demanded.rpo is not None and demanded.rpo <= self.tier1_rpo
