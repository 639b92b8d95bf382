"""The table after an `up`: what stands where, by which mechanism, how good that is, what the standby costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from lifeboat.model.bounds import duration, method
from lifeboat.model.design import Quantity
from lifeboat.model.settings import format_duration
from lifeboat.model.settings.sites import Nat
from lifeboat.model.settings.stores import DatabaseMechanism, ObjectMechanism

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from lifeboat.model.design import DatabaseDesign, Decision, Topology, Verdict
    from lifeboat.model.settings import Settings
    from lifeboat.reporting.cost import Estimate
    from lifeboat.reporting.prices import Prices


@dataclass(frozen=True, kw_only=True)
class Row:
    """One capability."""

    capability: str
    home: str
    standby: str
    mechanism: str
    bounds: tuple[str, ...]
    """One line per quantity: the strictest objective beside its bound and the bound's class."""
    monthly: str
    """The standby's cost."""


def rows(settings: Settings, topology: Topology, estimate: Estimate) -> tuple[Row, ...]:
    """The table's rows: the network first, then what holds data, then what switches traffic."""
    sheet = _Sheet(topology, estimate)
    found = [sheet.row("network", sheet.networks(), f"NAT {topology.nat}", decided="nat")]
    found += [
        sheet.row(f"database {each.settings.name}", sheet.instances(each), each.mechanism)
        for each in topology.databases
    ]
    for cache in topology.caches:
        nodes = f"{cache.settings.nodes} x {cache.settings.node_type}"
        found.append(sheet.row(f"cache {cache.settings.name}", (nodes, nodes), cache.mechanism))
    for store in topology.object_stores:
        other = "none" if store.mechanism is ObjectMechanism.NONE else "bucket"
        found.append(sheet.row(f"objects {store.settings.name}", ("bucket", other), store.mechanism))
    found.append(sheet.row("secrets", ("secrets", "replicas"), "replication"))
    found.append(sheet.row("keys", ("own keys", "own keys"), "a key per site and purpose"))
    if topology.routing is not None and settings.dns is not None:
        found.append(sheet.row("routing", ("switch", "switch"), topology.routing))
    return tuple(found)


def overview(settings: Settings, topology: Topology, estimate: Estimate, prices: Prices) -> RenderableType:
    """The table with what lies below it: recovery time, cost."""
    table = Table(show_lines=False, pad_edge=False, header_style="bold", box=None)
    for heading in ("capability", f"{topology.home.region} (home)", topology.standby.region, "mechanism"):
        table.add_column(heading, overflow="fold")
    table.add_column("bound against objective", overflow="fold")
    table.add_column("standby, $ a month", justify="right")
    for row in rows(settings, topology, estimate):
        table.add_row(row.capability, row.home, row.standby, row.mechanism, "\n".join(row.bounds), row.monthly)
    return Group(table, Text(), *recovery(topology), *total(estimate, prices))


def recovery(topology: Topology) -> Iterator[Text]:
    """Recovery time and the worst recovery point, each with its class."""
    strategy = f"{topology.strategy}, {topology.standby_capacity:.0%} of the home site's compute in the standby"
    yield Text(f"strategy  {strategy}")
    rto = topology.rto
    beside = f"; conservative estimate {duration(rto.conservative.seconds)}" if rto.conservative is not None else ""
    yield Text(
        f"RTO       {duration(rto.seconds)} for the loss of {topology.home.region} "
        f"({rto.klass}; {method(rto)}, not a measurement{beside})"
    )
    if topology.rpo is not None:
        yield Text(f"RPO       {format_duration(topology.rpo.seconds)}, the worst of the stores ({topology.rpo.klass})")


def total(estimate: Estimate, prices: Prices) -> Iterator[Text]:
    """The sum, how old its prices are, and what it lacks."""
    least = "at least " if estimate.missing else ""
    yield Text(
        f"standby   {least}${estimate.monthly_usd:,.0f} a month in {estimate.region} at list prices of "
        f"{prices.oldest().isoformat()}, traffic and stored data apart"
    )
    for missing in estimate.missing:
        yield Text(f"          {missing}")


def next_steps(stack: str, lifeboat: str) -> RenderableType:
    """What to do after a sandbox is up.

    Args:
        stack: The stack that was deployed.
        lifeboat: How the command is called here, such as ``.venv/bin/lifeboat``.
    """
    steps = (
        ("look around", f'eval "$({lifeboat} sandbox env)"', "then any AWS CLI or boto3 sees both sites"),
        ("ask why", f"{lifeboat} explain {stack}", "every decision, its reason, what was rejected"),
        ("read the contract", f"{lifeboat} contract {stack}", "what app teams get; examples/app_team uses it"),
        ("use a real CLI", f"{lifeboat} sandbox up {stack} --empty", "then `sandbox exec -- pulumi ...`"),
        ("stop", f"{lifeboat} sandbox down", "ends the local cloud and removes its state"),
    )
    table = Table.grid(padding=(0, 2))
    for title, command, what in steps:
        table.add_row(Text(title), Text(command, style="bold"), Text(what, style="dim"))
    return Group(Text(), Text("What next", style="bold"), table)


def bound_line(verdict: Verdict) -> str:
    """A verdict in a few words: ``RPO 1m enforced, 5m wanted``."""
    quantity = verdict.demand.quantity.upper()
    missed = "" if verdict.met else ": MISSED"
    how = f"{method(verdict.bound)} " if verdict.demand.quantity is Quantity.RTO else ""
    return (
        f"{quantity} {how}{format_duration(verdict.bound.seconds)} {verdict.bound.klass}, "
        f"{format_duration(verdict.demand.seconds)} wanted{missed}"
    )


@dataclass(frozen=True)
class _Sheet:
    """Makes rows of one design."""

    topology: Topology
    estimate: Estimate

    def row(self, capability: str, cells: tuple[str, str], mechanism: str, decided: str = "") -> Row:
        """A row with the verdicts of the decision by that name, which is the capability's unless told."""
        decision = _decision(self.topology, decided or capability)
        return Row(
            capability=capability,
            home=cells[0],
            standby=cells[1],
            mechanism=mechanism,
            bounds=tuple(bound_line(verdict) for verdict in _strictest(decision)) if decision else (),
            monthly=_monthly(self.estimate, capability),
        )

    def networks(self) -> tuple[str, str]:
        """Cells of the network, home first."""
        home, standby = (
            f"{len(site.zones)} zones, {len(site.zones) if self.topology.nat is Nat.PER_ZONE else 1} NAT"
            for site in self.topology.sites
        )
        return home, standby

    def instances(self, database: DatabaseDesign) -> tuple[str, str]:
        """Cells of a database, home first."""
        settings = database.settings
        sizes = (settings.instance_class, settings.standby_instance_class or settings.instance_class)
        if database.mechanism is DatabaseMechanism.AURORA_GLOBAL:
            counts, nothing = (database.home_instances, database.standby_instances), "storage only"
        else:
            regions = [instance.region for instance in database.instances]
            counts = (regions.count(self.topology.home.region), regions.count(self.topology.standby.region))
            # Where no instance runs, one can be restored: every plain mechanism keeps backups in both regions.
            nothing = "backups"
        home, standby = (f"{count} x {size}" if count else nothing for count, size in zip(counts, sizes, strict=True))
        return home, standby


def _decision(topology: Topology, capability: str) -> Decision | None:
    return next((decision for decision in topology.decisions if decision.capability == capability), None)


def _strictest(decision: Decision) -> list[Verdict]:
    """One verdict per quantity: a missed one before the strictest objective."""
    found: dict[str, Verdict] = {}
    for verdict in sorted(decision.verdicts, key=lambda each: (each.met, each.demand.seconds)):
        found.setdefault(verdict.demand.quantity, verdict)
    return [found[quantity] for quantity in sorted(found)]


def _monthly(estimate: Estimate, capability: str) -> str:
    lines = estimate.of(capability)
    priced = [line.monthly_usd for line in lines if line.monthly_usd is not None]
    missing = any(line.note.startswith("no price") for line in lines)
    if not priced:
        return "no price" if missing else "by use" if lines else ""
    return ("> " if missing else "") + f"{sum(priced):,.0f}"
