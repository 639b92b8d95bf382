"""What every store of a site stands on: provider, keys, network, alerts' region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi_aws as aws

from components.aws.alerts import AlertsArgs, SiteAlerts
from components.aws.keys import KeysArgs, Purpose, SiteKeys
from components.aws.network import NetworkArgs, SiteNetwork
from components.aws.peering import Peering, PeeringArgs, PeeringSide
from components.aws.site import Site
from lifeboat.model.design import LeaseStore
from lifeboat.model.settings import Settings, format_duration
from lifeboat.model.settings.sites import Nat

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi

    from lifeboat.model.design import SiteDesign, Topology

HEALTH_METRICS_REGION = "us-east-1"
"""Route 53 publishes metrics of health checks here only (Route 53 developer guide, "Monitoring health checks")."""


@dataclass(frozen=True, kw_only=True)
class Foundation:
    """Sites by region; networks of the two that hold data, keys of these and of what stands beside them."""

    home: Site
    standby: Site
    witness: Site
    health: Site
    """Where alarms on health checks live; one of the others when one is in that region."""
    keys: Mapping[str, SiteKeys]
    networks: Mapping[str, SiteNetwork]
    zones: Mapping[str, tuple[str, ...]]
    """Availability zones by region, in order of the subnets."""
    alerts: Mapping[str, SiteAlerts]
    """By region: every one that has alarms."""

    @property
    def sites(self) -> tuple[Site, Site]:
        """The sites that hold data, home first."""
        return (self.home, self.standby)

    def key(self, site: Site, purpose: Purpose) -> pulumi.Output[str]:
        """ARN of a site's key for one purpose."""
        return self.keys[site.region].arns[purpose]

    def cidrs(self) -> tuple[str, ...]:
        """The ranges that may reach a store: both sites', since either may hold the writer."""
        return tuple(network.cidr for network in self.networks.values())


def site_tags(settings: Settings, topology: Topology) -> dict[str, str]:
    """Tags of every resource: whose it is, and the stack's objectives as policies and people read them."""
    tags = {
        "System": settings.system,
        "Environment": settings.environment,
        "ManagedBy": "lifeboat",
        "rto": format_duration(topology.demanded_rto),
    }
    if topology.demanded_rpo is not None:
        tags["rpo"] = format_duration(topology.demanded_rpo)
    return {**tags, **settings.tags}


def lay_foundation(settings: Settings, topology: Topology) -> Foundation:
    """Create providers, keys, networks and the peering between them."""
    tags = site_tags(settings, topology)
    sites: dict[str, Site] = {}

    def site(region: str) -> Site:
        if region not in sites:
            sites[region] = Site(
                region=region,
                account=settings.account,
                prefix=f"{settings.system}-{settings.environment}",
                # A wrong profile must stop before it touches anything.
                provider=aws.Provider(f"aws-{region}", region=region, allowed_account_ids=[settings.account]),
                tags=tags,
            )
        return sites[region]

    home, standby = site(topology.home.region), site(topology.standby.region)
    witness, health = site(topology.witness), site(HEALTH_METRICS_REGION)
    keys = {
        place.region: SiteKeys(f"keys-{place.region}", KeysArgs(site=place, purposes=tuple(Purpose)))
        for place in (home, standby)
    }
    beside: dict[str, tuple[Purpose, ...]] = {health.region: (Purpose.ALERTS,)}
    # A warden stands in the witness, with its logs; the lease, where it is an object, lies there.
    beside[witness.region] = (
        Purpose.LOGS,
        Purpose.ALERTS,
        *((Purpose.LEASE,) if topology.lease is LeaseStore.WITNESS_OBJECT else ()),
    )
    for region, purposes in beside.items():
        if region not in keys:
            keys[region] = SiteKeys(f"keys-{region}", KeysArgs(site=site(region), purposes=purposes))
    networks = {
        design.region: _network(site(design.region), design, keys[design.region], settings, topology)
        for design in topology.sites
    }
    Peering(
        "peering",
        PeeringArgs(
            requester=PeeringSide(site=home, network=networks[home.region]),
            accepter=PeeringSide(site=standby, network=networks[standby.region]),
        ),
    )
    return Foundation(
        home=home,
        standby=standby,
        witness=witness,
        health=health,
        keys=keys,
        networks=networks,
        zones={design.region: design.zones for design in topology.sites},
        alerts={
            region: SiteAlerts(f"alerts-{region}", AlertsArgs(site=site(region), key_arn=regional.arns[Purpose.ALERTS]))
            for region, regional in keys.items()
        },
    )


def _network(site: Site, design: SiteDesign, keys: SiteKeys, settings: Settings, topology: Topology) -> SiteNetwork:
    return SiteNetwork(
        f"network-{site.region}",
        NetworkArgs(
            site=site,
            cidr=design.cidr,
            zones=design.zones,
            nat_per_zone=topology.nat is Nat.PER_ZONE,
            interface_endpoints=settings.network.interface_endpoints,
            flow_log_days=settings.network.flow_log_days,
            logs_key_arn=keys.arns[Purpose.LOGS],
        ),
    )
