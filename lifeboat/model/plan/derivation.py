"""From a design to the plan for one day: collects the steps, orders them, refuses what would ask the dead."""

from __future__ import annotations

import heapq
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from lifeboat.model import regions
from lifeboat.model.plan.context import Context
from lifeboat.model.plan.graph import Mode, Plan, PlanStep, Stage
from lifeboat.model.plan.planes import obstacle
from lifeboat.model.plan.refusals import PlanRefused, Unplannable
from lifeboat.model.plan.steps import kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lifeboat.model.design import Topology
    from lifeboat.model.settings import Settings


def derive(  # noqa: PLR0913 - a way has two ends, and each of them matters
    settings: Settings,
    topology: Topology,
    *,
    mode: Mode,
    lost: Iterable[str] = (),
    source: str | None = None,
    target: str | None = None,
) -> Plan:
    """The plan for one way from one site to the other.

    Args:
        settings: What the stack declares.
        topology: What was decided for it.
        mode: What the plan is for.
        lost: Regions that do not answer. One of a failover's is the site that was active.
        source: As `Plan.source`; where it is not told, the lost site, or home, or for a failback the other one.
        target: As `Plan.target`; where it is not told, the site that the source is not.

    Raises:
        Unplannable: when these regions are no such way, with what would be.
        PlanRefused: when a call whose answer is needed needs what is lost; a reason a line.
    """
    away = frozenset(lost)
    source, target = _ends(topology, mode, away, source, target)
    context = Context(settings=settings, topology=topology, mode=mode, source=source, target=target, lost=away)
    steps = arranged(step for kind in kinds() for step in kind.steps(context))
    found: dict[tuple[str, str, str], list[str]] = {}
    for step in steps:
        for call in step.calls:
            why = obstacle(call, away)
            if why is not None:
                found.setdefault((step.key, call.service, why), []).append(call.operation)
    if found:
        said = [f"{key}: {service} {' and '.join(names)} {why}" for (key, service, why), names in found.items()]
        raise PlanRefused(said)
    return Plan(mode=mode, source=source, target=target, lost=away, steps=steps)


def arranged(found: Iterable[PlanStep]) -> tuple[PlanStep, ...]:
    """Steps in an order that respects `PlanStep.after`, with kinds in it replaced by the keys of their steps.

    Raises:
        ValueError: for a key that stands twice, an `after` that is neither a key nor a kind, or a circle.
    """
    steps: dict[str, PlanStep] = {}
    of_kind: dict[str, set[str]] = {kind.name: set() for kind in kinds()}
    for step in found:
        if step.key in steps:
            raise ValueError(f"{step.key}: two steps have this key")
        steps[step.key] = step
        of_kind.setdefault(step.kind, set()).add(step.key)
    for key, step in steps.items():
        after: set[str] = set()
        for name in step.after:
            if name not in of_kind and name not in steps:
                raise ValueError(f"{key}: comes after {name!r}, which is neither a step nor a kind of steps")
            after |= of_kind.get(name, {name})
        steps[key] = replace(step, after=frozenset(after))
    return tuple(_ordered(steps))


def _ordered(steps: Mapping[str, PlanStep]) -> Iterator[PlanStep]:
    """Of what may come next always the earliest stage, by key: as people read it, and the same each time."""
    graph = TopologicalSorter({key: step.after for key, step in steps.items()})
    try:
        graph.prepare()
    except CycleError as circle:
        raise ValueError(f"steps wait for each other: {' -> '.join(circle.args[1])}") from None
    stages = list(Stage)
    ready: list[tuple[int, str]] = []
    while graph.is_active():
        for key in graph.get_ready():
            heapq.heappush(ready, (stages.index(steps[key].stage), key))
        _, key = heapq.heappop(ready)
        graph.done(key)
        yield steps[key]


def _ends(
    topology: Topology, mode: Mode, lost: frozenset[str], source: str | None, target: str | None
) -> tuple[str, str]:
    """The sites that a plan leads from and to."""
    home, standby = topology.home.region, topology.standby.region
    for region in sorted(lost):
        if not regions.known(region):
            near = regions.nearest(region) or home
            raise Unplannable("lost", region, f"an AWS region, such as {near}")
    for name, region in (("source", source), ("target", target)):
        if region not in {None, home, standby}:
            raise Unplannable(name, str(region), f"a site, {home} or {standby}")
    if source is None and target is not None:
        source = standby if target == home else home
    if mode is Mode.FAILOVER:
        source = _lost_site(topology, lost, source)
    source = source or (standby if mode is Mode.FAILBACK else home)
    other = standby if source == home else home
    if target not in {None, other}:
        raise Unplannable("target", str(target), f"{other}, the site that {source} is not")
    return source, other


def _lost_site(topology: Topology, lost: frozenset[str], source: str | None) -> str:
    """The site that a failover leaves: the lost one."""
    sites = tuple(site.region for site in topology.sites)
    gone = [region for region in sites if region in lost]
    if not gone:
        told = ", ".join(sorted(lost)) or "nothing"
        unmoved = f"; without {topology.witness}, the witness, nobody moves" if topology.witness in lost else ""
        raise Unplannable("lost", told, f"a site, {' or '.join(sites)}{unmoved}")
    if len(gone) == len(sites):
        raise PlanRefused((f"{' and '.join(gone)} are lost: no site is left that could take over",))
    if source not in {None, *gone}:
        raise Unplannable("source", str(source), f"{gone[0]}, the site that is lost")
    return gone[0]
