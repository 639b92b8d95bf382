"""Names that fail over: records that never change, and a switch per site that decides which of them answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pulumi
import pulumi_aws as aws

from components.aws import routing_alarm, routing_control, routing_health
from components.aws.promotion import RECORD, ignored
from components.aws.routing_switch import Switch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.aws.site import Site

RoutingKind = Literal["alarm", "record", "routing-control"]


@dataclass(frozen=True, kw_only=True)
class RoutedEndpoint:
    """One public name."""

    name: str
    """Label in the zone."""
    port: int
    """Port of the health check."""
    path: str
    """Path of the health check."""
    targets: Mapping[str, str]
    """Host name per region, one for each site."""


@dataclass(frozen=True, kw_only=True)
class RoutingArgs:
    """What `Routing` needs."""

    home: Site
    """The site that answers while no switch is set."""
    standby: Site
    witness: Site
    """Where the switch alarms live; its provider also makes what belongs to no site, so that the loss of either site
    leaves it usable."""
    health: Site
    """us-east-1, whatever the sites are: see `routing_health`."""
    alert_topic_arn: pulumi.Input[str]
    """Where the alarms on endpoint health checks publish, in us-east-1."""
    zone: str
    """DNS zone without a final dot."""
    zone_id: str | None
    """An existing zone to use; None makes one."""
    ttl: int
    """Seconds that resolvers keep an answer."""
    endpoints: Sequence[RoutedEndpoint]
    kind: RoutingKind

    @property
    def sites(self) -> tuple[Site, Site]:
        """Both, in the order of the failover pair."""
        return (self.home, self.standby)


class Routing(pulumi.ComponentResource):
    """A zone and its names.

    Invariant: no input depends on which site is active. Each name is a constant failover pair, whose records follow
    their own site's switch. The switches are set by Route 53's data plane or by a metric, never by an update, so that a
    failover needs neither Pulumi nor Route 53's control plane in us-east-1. While both switches allow traffic, and also
    while neither does, Route 53 answers with the first record of the pair.

    Kind ``record`` is the exception that a stack waives explicitly: plain records to the home site, which recovery
    edits, so that their targets carry ``ignoreChanges``.

    Endpoint health checks never move traffic, because a service with data must not flip before its database can take
    writes. They alert.
    """

    zone_id: pulumi.Output[str]
    name_servers: pulumi.Output[Sequence[str]]
    """What the parent zone must delegate to; empty for an existing zone."""
    names: dict[str, str]
    """Fully qualified name by endpoint."""
    switches: dict[str, Switch]
    """By region; empty for kind ``record``."""
    control_endpoints: pulumi.Output[dict[str, str]]
    """Kind ``routing-control``: data-plane endpoint of the cluster by region, to be kept where no API is needed to read
    it. Empty for the other kinds."""
    health_check_ids: dict[str, dict[str, pulumi.Output[str]]]
    """Endpoint health check by endpoint, then region."""

    def __init__(self, name: str, args: RoutingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:Routing", name, {}, opts)
        self._make_zone(name, args)
        self.switches = {}
        self.control_endpoints = pulumi.Output.from_input(dict[str, str]())
        match args.kind:
            case "alarm":
                for site in args.sites:
                    self.switches[site.region] = routing_alarm.switch(self, name, site, args.witness)
            case "routing-control":
                controls = routing_control.controls(self, name, args.sites, args.witness)
                self.switches.update(controls.switches)
                self.control_endpoints = controls.endpoints
            case "record":
                pass

        self.names = {endpoint.name: f"{endpoint.name}.{args.zone}" for endpoint in args.endpoints}
        for endpoint in args.endpoints:
            if args.kind == "record":
                self._plain_record(name, args, endpoint)
            else:
                self._failover_pair(name, args, endpoint)

        self.health_check_ids = routing_health.checks(
            self,
            name,
            args.health,
            args.alert_topic_arn,
            [
                routing_health.Probe(
                    endpoint=endpoint.name,
                    site=site,
                    host=endpoint.targets[site.region],
                    port=endpoint.port,
                    path=endpoint.path,
                )
                for endpoint in args.endpoints
                for site in args.sites
            ],
        )
        self.register_outputs(
            {
                "zone_id": self.zone_id,
                "name_servers": self.name_servers,
                "names": self.names,
                "switches": {region: vars(switch) for region, switch in self.switches.items()},
                "control_endpoints": self.control_endpoints,
                "health_check_ids": self.health_check_ids,
            }
        )

    def _make_zone(self, name: str, args: RoutingArgs) -> None:
        """Set the zone's outputs, of a new zone or of the one that the stack names."""
        if args.zone_id is not None:
            self.zone_id = pulumi.Output.from_input(args.zone_id)
            self.name_servers = pulumi.Output.from_input(list[str]())
            return
        zone = aws.route53.Zone(
            f"{name}-global-zone",
            name=args.zone,
            comment=f"Names of {args.witness.prefix}",
            force_destroy=False,
            tags=args.witness.named(args.zone),
            opts=pulumi.ResourceOptions(parent=self, provider=args.witness.provider, protect=True),
        )
        self.zone_id = zone.zone_id
        self.name_servers = zone.name_servers

    def _failover_pair(self, name: str, args: RoutingArgs, endpoint: RoutedEndpoint) -> None:
        """One record a site, each behind its site's switch."""
        for site, rank in zip(args.sites, ("PRIMARY", "SECONDARY"), strict=True):
            aws.route53.Record(
                f"{name}-{site.region}-{endpoint.name}-record",
                zone_id=self.zone_id,
                name=self.names[endpoint.name],
                type="CNAME",
                ttl=args.ttl,
                records=[endpoint.targets[site.region]],
                set_identifier=site.region,
                failover_routing_policies=[{"type": rank}],
                health_check_id=self.switches[site.region].health_check_id,
                opts=pulumi.ResourceOptions(parent=self, provider=site.provider),
            )

    def _plain_record(self, name: str, args: RoutingArgs, endpoint: RoutedEndpoint) -> None:
        """One record to the home site, which a failover edits."""
        aws.route53.Record(
            f"{name}-global-{endpoint.name}-record",
            zone_id=self.zone_id,
            name=self.names[endpoint.name],
            type="CNAME",
            ttl=args.ttl,
            records=[endpoint.targets[args.home.region]],
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=args.witness.provider,
                ignore_changes=ignored(RECORD),
            ),
        )
