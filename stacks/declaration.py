"""The declaration resource: what was declared and resolved, where policies can read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.aws.declaration import (
    Declaration,
    DeclarationArgs,
    DeclaredBound,
    DeclaredObjective,
    DeclaredStore,
)
from lifeboat.model.settings.stores import Cache, ObjectStore

if TYPE_CHECKING:
    from lifeboat.model.design import Bound, Topology
    from lifeboat.model.settings import Settings
    from lifeboat.model.settings.stores import Database


def declare(settings: Settings, topology: Topology) -> None:
    """Create the stack's declaration."""
    declared = settings.objectives
    waived = settings.routing.waive_record
    Declaration(
        "declaration",
        DeclarationArgs(
            system=settings.system,
            environment=settings.environment,
            home=topology.home.region,
            sites=[site.region for site in topology.sites],
            witness=topology.witness,
            strategy=topology.strategy.value,
            routing=None if topology.routing is None else topology.routing.value,
            strict=declared.strict,
            rto=_bound(topology.rto),
            rpo=None if topology.rpo is None else _bound(topology.rpo),
            objectives=[
                DeclaredObjective(
                    scope=f"objectives.{scope}",
                    rto_seconds=objective.rto,
                    rpo_seconds=objective.rpo,
                    availability=objective.availability,
                )
                for scope, objective in declared.scopes.items()
            ],
            stores=_stores(settings, topology),
            waivers={} if waived is None else {"routing.waive_record": waived},
        ),
    )


def _bound(bound: Bound) -> DeclaredBound:
    return DeclaredBound(seconds=bound.seconds, bound_class=bound.klass.value)


def _retention_days(store: Database | Cache | ObjectStore) -> int | None:
    if isinstance(store, ObjectStore):
        return store.lifecycle.noncurrent_expire_days
    if isinstance(store, Cache):
        return None if store.rebuildable else store.snapshot_days
    return store.backups.retention_days


def _stores(settings: Settings, topology: Topology) -> list[DeclaredStore]:
    kinds = {"database": topology.databases, "cache": topology.caches, "objects": topology.object_stores}
    bounds = {decision.capability: verdict.bound for decision in topology.decisions for verdict in decision.verdicts}
    stores = [
        DeclaredStore(
            kind=kind,
            name=design.settings.name,
            mechanism=design.mechanism.value,
            rpo_seconds=design.rpo,
            retention_days=_retention_days(design.settings),
            bound=_bound(bounds[key]) if (key := f"{kind} {design.settings.name}") in bounds else None,
        )
        for kind, designs in kinds.items()
        for design in designs
    ]
    secrets = (DeclaredStore(kind="secret", name=secret.name, mechanism="replicated") for secret in settings.secrets)
    # An update publishes the contract again, into both sites: nothing in it can be lost.
    return [*stores, *secrets, DeclaredStore(kind="objects", name="contract", mechanism="published")]
