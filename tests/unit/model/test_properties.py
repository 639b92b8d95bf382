"""Whatever the settings: a refusal with reasons, or every objective met by a bound of the class it demands.

The oracle here reads objectives and documented losses on its own; it shares no arithmetic with the model.
"""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from lifeboat.model.design import BoundClass, Quantity, Verdict
from lifeboat.model.settings import Settings, SettingsError
from lifeboat.model.settings.load import load
from lifeboat.model.settings.sites import RoutingKind, Strategy
from lifeboat.model.settings.stores import Cache
from lifeboat.model.topology import Refused, resolve
from tests.unit.model.declarations import sound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.model.design import Topology

QUICK = settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SURE = {BoundClass.ENFORCED, BoundClass.DOCUMENTED}
LOSSES = {
    "backups": (86_700, BoundClass.TYPICAL),
    "replicated-backups": (600, BoundClass.TYPICAL),
    "replica": (300, BoundClass.ALARMED),
    "rebuild": (math.inf, BoundClass.ENFORCED),
    "global-datastore": (1, BoundClass.TYPICAL),
    "none": (math.inf, BoundClass.ENFORCED),
    "replication": (14_400, BoundClass.TYPICAL),
    "time-control": (900, BoundClass.DOCUMENTED),
}
"""What each mechanism loses at worst, seconds, as the project's table of timings has it."""

ANY = tuple(f"{n}{unit}" for n, unit in product((1, 2, 5, 9, 15, 30, 45), "smh"))
COMMON = ("15m", "30m", "1h", "2h", "4h", "24h", "25h", "7d")
SERVICES = ("orders", "pages", "chat")
FAILURES = ("instance", "zone", "region", "database", "application", "system", "corruption")
served = st.lists(st.sampled_from(SERVICES), unique=True)


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping in which every key may be absent."""
    return st.fixed_dictionaries({}, optional=fields)


def mostly(usual: object, *others: object) -> st.SearchStrategy[Any]:
    """One value more often than all the others together, so that enough declarations have a design."""
    return st.sampled_from([usual] * (len(others) + 3) + list(others))


phases = st.just({}) | optional(
    detect=st.sampled_from(["1m", "5m"]),
    decide=st.sampled_from(["0s", "5m", "30m"]),
    recover=st.sampled_from(["30m", "1h", "2h"]),
    verify=st.sampled_from(["0s", "10m"]),
)


@st.composite
def declarations(draw: st.DrawFn) -> dict[str, Any]:
    """A declaration that mostly holds together, every choice left open or made."""
    config = sound()
    durations = st.sampled_from(draw(mostly(COMMON, ANY)))
    objective = optional(rto=durations, availability=mostly(99, 99.5, 99.9, 99.95, 99.99, 99.999), phases=phases)
    failure = st.builds(
        lambda name, rto, rest: {"failure": name, "rto": rto, **rest},
        st.sampled_from(FAILURES),
        durations,
        optional(rpo=durations, phases=phases),
    )
    config["objectives"] = {
        "strict": draw(mostly(False, True)),
        "stack": {**draw(objective), "rpo": draw(durations)},
        "services": [{"name": name, **draw(objective)} for name in SERVICES],
        "failures": draw(st.lists(failure, unique_by=lambda item: item["failure"], max_size=2)),
    }
    config["databases"] = [
        {
            "name": f"db{at}",
            "services": draw(served),
            "mechanism": draw(mostly("auto", "backups", "replicated-backups", "replica", "aurora-global")),
            "instance_class": draw(mostly("db.r6g.large", "db.m6g.large")),
            **draw(optional(rpo=durations)),
        }
        for at in range(draw(st.integers(0, 2)))
    ]
    config["caches"] = [
        {
            "name": "baskets",
            "services": draw(served),
            "rebuildable": draw(st.booleans()),
            "mechanism": draw(mostly("auto", "rebuild", "global-datastore")),
        }
    ]
    objects = {"name": "files", "mechanism": draw(mostly("auto", "none", "replication", "time-control"))}
    config["object_stores"] = [{**objects, **draw(optional(rpo=durations))}]
    config["strategy"] = draw(mostly("auto", *Strategy))
    config["network"] = draw(optional(nat=mostly("auto", "shared", "per-zone")))
    config["routing"] = draw(optional(kind=st.sampled_from(["auto", "alarm", "routing-control"])))
    config["approval"] = draw(mostly("automatic", "one", "two"))
    config["lease"] = draw(optional(ttl=st.sampled_from(["30s", "5m"]), confirm_for=st.sampled_from(["10s", "1m"])))
    if draw(mostly(False, True)):
        del config["dns"]
        config["routing"] = {}
    return config


def loaded(config: dict[str, Any]) -> Settings | SettingsError:
    """The settings, or what is wrong with them."""
    try:
        return load(config)
    except SettingsError as error:
        return error


def outcome(config: dict[str, Any]) -> tuple[Settings, Topology] | SettingsError | Refused:
    """The design, or why there is none."""
    declared = loaded(config)
    if isinstance(declared, SettingsError):
        return declared
    try:
        return declared, resolve(declared)
    except Refused as refused:
        return refused


def well_said(error: SettingsError | Refused) -> bool:
    """Whether an error gives at least one reason, each one line that begins with a key."""
    lines = [str(fault) for fault in error.faults] if isinstance(error, SettingsError) else list(error.reasons)
    return bool(lines) and all(line.startswith("lifeboat:") and "\n" not in line for line in lines)


def demanded(declared: Settings) -> Iterator[tuple[str, Quantity]]:
    """Every objective that is written down, as scope and quantity."""
    objectives = declared.objectives
    scopes = {
        "objectives.stack": objectives.stack,
        **{f"objectives.services.{service.name}": service for service in objectives.services},
        **{f"objectives.failures.{failure.failure}": failure for failure in objectives.failures},
    }
    for path, scope in scopes.items():
        if scope.rto is not None:
            yield path, Quantity.RTO
        if scope.availability is not None:
            yield f"{path}.availability", Quantity.RTO
        if scope.rpo is not None:
            yield path, Quantity.RPO


def check(declared: Settings, topology: Topology) -> None:
    """Every objective is answered, every answer is good enough, and what stores lose is what their mechanisms lose."""
    verdicts: list[Verdict] = [verdict for decision in topology.decisions for verdict in decision.verdicts]
    answered = {(verdict.demand.scope, verdict.demand.quantity) for verdict in verdicts}
    own = {store.rpo is not None for store in (*declared.databases, *declared.object_stores)}
    for scope, quantity in demanded(declared):
        # An RPO of a region's loss speaks to nobody where every store has its own.
        replaced = quantity is Quantity.RPO and own == {True} and declared.caches[0].rebuildable
        assert (scope, quantity) in answered or replaced, scope
    for verdict in verdicts:
        assert verdict.met
        assert verdict.bound.seconds <= verdict.demand.seconds
        assert not verdict.demand.strict or verdict.bound.klass in SURE
        assert verdict.demand.strict is declared.objectives.strict
    for design in (*topology.databases, *topology.caches, *topology.object_stores):
        if isinstance(design.settings, Cache) and design.settings.rebuildable:
            assert design.rpo is None
            continue
        assert design.rpo is not None
        enforced = getattr(design, "global_rpo", None)
        lost, klass = LOSSES.get(
            design.mechanism, (enforced or 10, BoundClass.ENFORCED if enforced else BoundClass.TYPICAL)
        )
        assert lost <= design.rpo
        assert klass in SURE or not declared.objectives.strict
    assert all(decision.reason and decision.chosen_by for decision in topology.decisions)


@QUICK
@given(declarations())
def test_refused_with_reasons_or_every_objective_met(config: dict[str, Any]) -> None:
    found = outcome(config)
    event(type(found).__name__)
    if isinstance(found, tuple):
        check(*found)
        assert resolve(found[0]) == found[1]
    else:
        assert well_said(found)


def rank(topology: Topology) -> tuple[int, int]:
    """Cost of routing and strategy."""
    routing = topology.routing or RoutingKind.ALARM
    return (list(RoutingKind).index(routing), list(Strategy).index(topology.strategy))


def relaxed(value: object) -> object:
    """The same with twice the time wherever an objective gives one."""
    if isinstance(value, list):
        return [relaxed(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: item * 2 if key in {"rto", "rpo"} else relaxed(item) for key, item in value.items()}


@QUICK
@given(declarations())
def test_asking_for_less_never_costs_more(config: dict[str, Any]) -> None:
    before = outcome(config)
    if not isinstance(before, tuple):
        return
    twice = relaxed(config)
    assert isinstance(twice, dict)
    after = outcome(twice)
    assert isinstance(after, tuple)
    assert rank(after[1]) <= rank(before[1])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _paths(value: object, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*way, key)
        yield from _paths(item, (*way, key))


PATHS = tuple(_paths(sound()))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PATHS), json_values)
def test_whatever_stands_anywhere_is_loaded_or_a_fault(path: tuple[str | int, ...], value: object) -> None:
    config: Any = sound()
    place = config
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    found = loaded(config)
    assert isinstance(found, Settings) or well_said(found)


@pytest.mark.parametrize("key", Settings.model_fields)
@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [[]], {"config": {}}])
def test_a_whole_section_of_nonsense_is_a_fault(key: str, value: object) -> None:
    found = loaded({**sound(), key: value})
    assert isinstance(found, Settings) or well_said(found)
