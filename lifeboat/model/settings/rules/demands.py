"""Rules on objectives: each scope once, and each demand with something that could answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.settings.base import format_duration
from lifeboat.model.settings.faults import Fault, Path, absent, fault
from lifeboat.model.settings.objectives import Failure, Objective, Objectives
from lifeboat.model.settings.stores import Cache, Database, ObjectMechanism, ObjectStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.model.settings.draft import Draft

_STORES = ("databases", "caches", "object_stores")


def faults(draft: Draft) -> Iterator[Fault]:
    """Scopes once; a time to recover; an RPO wherever data lives, and data wherever an RPO is."""
    objectives = draft.objectives
    if objectives is None:
        return
    yield from _twice(objectives)
    if draft.whole("objectives"):
        yield from _no_time(objectives)
        yield from _no_rpo(draft, objectives)
        yield from _no_data(draft, objectives)
    yield from _detection(draft, objectives)


def kept(store: Database | Cache | ObjectStore) -> bool:
    """Whether its data must survive; what can be rebuilt need not."""
    return not (isinstance(store, Cache) and store.rebuildable)


def _scopes(objectives: Objectives) -> Iterator[tuple[Path, Objective]]:
    yield ("objectives", "stack"), objectives.stack
    for at, service in enumerate(objectives.services):
        yield ("objectives", "services", at), service
    for at, failure in enumerate(objectives.failures):
        yield ("objectives", "failures", at), failure


def _twice(objectives: Objectives) -> Iterator[Fault]:
    names = [service.name for service in objectives.services]
    for at, name in enumerate(names):
        if name in names[:at]:
            yield fault(("objectives", "services", at, "name"), name, "a service that stands once in the list")
    failures = [objective.failure for objective in objectives.failures]
    for at, failure in enumerate(failures):
        if failure in failures[:at]:
            yield fault(
                ("objectives", "failures", at, "failure"),
                failure.value,
                "a class of failure that stands once in the list",
            )


def _no_time(objectives: Objectives) -> Iterator[Fault]:
    bounding = [scope for _, scope in _scopes(objectives) if scope.rto is not None or scope.availability is not None]
    if not bounding:
        yield absent(
            ("objectives", "stack", "rto"),
            "a duration such as 1h, or an availability beside it, here or for a service",
        )


def _no_rpo(draft: Draft, objectives: Objectives) -> Iterator[Fault]:
    whole = [
        objectives.stack,
        *(scope for scope in objectives.failures if scope.failure in {Failure.REGION, Failure.SYSTEM}),
    ]
    if any(scope.rpo is not None for scope in whole):
        return
    services = {service.name: service for service in objectives.services}
    for listed in draft.stores:
        store = listed.item
        if (
            not draft.whole(*listed.path, "rpo")
            or not kept(store)
            or getattr(store, "mechanism", None) is ObjectMechanism.NONE
        ):
            continue
        if store.rpo is None and all(name not in services or services[name].rpo is None for name in store.services):
            accepted = "a duration such as 15m: RPO is a required setting where data lives, here or in objectives.stack"
            yield absent((*listed.path, "rpo"), accepted)


def _no_data(draft: Draft, objectives: Objectives) -> Iterator[Fault]:
    if not all(draft.whole(key) for key in _STORES):
        return
    stores: list[Database | Cache | ObjectStore] = [listed.item for listed in draft.stores]
    holding = [store for store in stores if kept(store)]
    serving = {name for store in holding for name in store.services}
    for path, scope in _scopes(objectives):
        if scope.rpo is None or (path[1] == "failures" and getattr(scope, "failure", None) is Failure.APPLICATION):
            continue
        name = getattr(scope, "name", None)
        if not holding:
            accepted = "no RPO: the stack keeps no data (a database, objects, a cache), so no mechanism could meet it"
            yield fault((*path, "rpo"), format_duration(scope.rpo), accepted)
        elif name is not None and name not in serving:
            accepted = f"no RPO: no store lists {name} in its services, so no mechanism could meet it"
            yield fault((*path, "rpo"), format_duration(scope.rpo), accepted)


def _detection(draft: Draft, objectives: Objectives) -> Iterator[Fault]:
    if draft.lease is None:
        return
    for path, scope in _scopes(objectives):
        failure = getattr(scope, "failure", None)
        if failure not in {None, Failure.REGION, Failure.SYSTEM}:
            continue
        detect = scope.phases.detect
        if detect is not None and detect < draft.lease.confirm_for:
            confirm = format_duration(draft.lease.confirm_for)
            yield fault(
                (*path, "phases", "detect"),
                format_duration(detect),
                f"{confirm} or more: lease.confirm_for takes that long",
            )
