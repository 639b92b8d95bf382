"""The declaration, as the engine and its policies see it.

Policies judge resources that are about to be made, and know nothing of stack files. So what a stack declared, and what
was resolved from it, travels as the inputs of one resource.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class DeclaredObjective:
    """What one scope demands."""

    scope: str
    """Settings path, such as ``objectives.stack`` or ``objectives.services.orders``."""
    rto_seconds: float | None = None
    rpo_seconds: float | None = None
    availability: float | None = None
    """Percent of time."""


@dataclass(frozen=True, kw_only=True)
class DeclaredBound:
    """The worst that the design gives, and how sure that is."""

    seconds: float
    bound_class: str
    """``enforced``, ``documented``, ``alarmed`` or ``typical``."""


@dataclass(frozen=True, kw_only=True)
class DeclaredStore:
    """One store with state."""

    kind: str
    """``database``, ``cache``, ``objects`` or ``secret``."""
    name: str
    mechanism: str
    rpo_seconds: float | None = None
    """The strictest RPO demanded of it; None where what is in it can be made again."""
    retention_days: float | None = None
    """Days for which a past state must be restorable in its own region."""
    bound: DeclaredBound | None = None
    """What the mechanism gives."""


@dataclass(frozen=True, kw_only=True)
class DeclarationArgs:
    """What was declared and what was resolved from it. Nothing in it is an output: policies see it in every preview."""

    system: str
    environment: str
    home: str
    sites: Sequence[str]
    """Regions, home first."""
    witness: str
    strategy: str
    routing: str | None
    """``alarm``, ``record`` or ``routing-control``; None without a zone."""
    strict: bool
    """Every objective needs an enforced or documented bound."""
    rto: DeclaredBound
    rpo: DeclaredBound | None
    """The worst of the stores; None without one that has an RPO."""
    objectives: Sequence[DeclaredObjective]
    stores: Sequence[DeclaredStore]
    waivers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Reason by waived setting, such as ``routing.waive_record``."""


class Declaration(pulumi.ComponentResource):
    """Carries `DeclarationArgs` as inputs, by the same names. It makes nothing."""

    def __init__(self, name: str, args: DeclarationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:Declaration", name, asdict(args), opts)
        self.register_outputs({})
