"""What a check may ask besides its resource."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from policies.core.objectives import Objectives

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
        guarded: Paths of guarded properties by type, with the rule that guards each; ``*`` is any item of a list.
    """

    index: Index
    parameters: Mapping[str, Any]
    fallback: Objectives = field(default_factory=Objectives)
    tier1_rpo: float = 3600
    guarded: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, "Mapping[str, str]"])

    def objectives(self, resource: Resource) -> Objectives:
        """What is demanded of a resource, each by the first that does: a declaration, its tags, the pack's settings.

        An objective that is not known raises when it is read.
        """
        return self.index.declared.demanded(resource).over(self.fallback)

    def tier1(self, resource: Resource) -> bool:
        """Whether a resource must survive the loss of a region.

        Raises:
            UnknownPropertyError: when that depends on an objective that is not known.
        """
        demanded = self.objectives(resource)
        if demanded.without_rpo:
            # Declared as what can be made again, whatever tier its stack is tagged with.
            return False
        if demanded.tier is not None:
            return demanded.tier <= 1
        return demanded.rpo is not None and demanded.rpo <= self.tier1_rpo
