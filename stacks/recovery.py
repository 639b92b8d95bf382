"""What recovers the stack: the lease, three wardens, and the way in for people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.aws import cache, database
from components.aws.breakglass import Breakglass, BreakglassArgs, BreakglassSite
from components.aws.keys import Purpose
from components.aws.lease import LeaseSite, LeaseTable, LeaseTableArgs
from components.aws.objects import LifecycleSpec, ObjectsSite, ObjectStore, ObjectStoreArgs
from components.aws.warden import FAILOVER, WRITABLE, Warden, WardenArgs, WayIn, WayOut
from components.aws.warden_alarms import WardenAlarms, WardenAlarmsArgs
from components.aws.witness_network import ZONES, WitnessNetwork, WitnessNetworkArgs
from lifeboat.model import regions
from lifeboat.model.design import LeaseStore
from lifeboat.model.naming import GATE_PORT, LEASE_STORE
from stacks.failover_scope import failover_scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi

    from components.aws.recovery_statements import FailoverScope
    from components.aws.site import Site
    from lifeboat.model.design import Topology
    from lifeboat.model.settings import Settings
    from stacks.foundation import Foundation

ANYWHERE = "0.0.0.0/0"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - in a container of its own; the security group lets in one port from the balancer
"""Where a warden listens that gateways ask: its task's address is not known before."""
HTTPS = 443
LEASE_HISTORY_DAYS = 1
"""Days that replaced versions of the lease's object are kept: it is replaced each ten seconds."""


def build_recovery(settings: Settings, topology: Topology, foundation: Foundation) -> dict[str, pulumi.Output[str]]:
    """Create the lease, a warden in each site and in the witness, and a break-glass role for those who may take it.

    Returns:
        By site: what its gateways ask.
    """
    gates: dict[str, pulumi.Output[str]] = {}
    _lease(topology, foundation)
    scope = failover_scope(settings, topology)
    witness = foundation.witness
    for site in foundation.sites:
        network = foundation.networks[site.region]
        ways_out = (*_front_doors(settings), *_stores(topology, foundation))
        way_in = WayIn(cidr=network.cidr, port=GATE_PORT)
        place = _Place(site, network.vpc_id, network.private_subnet_ids, ways_out, way_in)
        gate = _warden(settings, foundation, scope, place).gate_url
        if gate is not None:
            gates[site.region] = gate
    network = WitnessNetwork(
        f"network-{witness.region}",
        WitnessNetworkArgs(
            site=witness,
            zones=regions.usual_zones(witness.region)[:ZONES],
            flow_log_days=settings.network.flow_log_days,
            logs_key_arn=foundation.key(witness, Purpose.LOGS),
        ),
    )
    place = _Place(witness, network.vpc_id, network.subnet_ids, _front_doors(settings), None)
    _warden(settings, foundation, scope, place)
    WardenAlarms(
        "warden-alarms",
        WardenAlarmsArgs(
            witness=witness,
            watched=(*foundation.sites, witness),
            topic_arn=foundation.alerts[witness.region].topic_arn,
        ),
    )
    if settings.breakglass.principals:
        Breakglass(
            "breakglass",
            BreakglassArgs(
                witness=witness,
                places=[
                    BreakglassSite(site=site, topic_arn=foundation.alerts[site.region].topic_arn)
                    for site in (*foundation.sites, witness)
                ],
                principals=settings.breakglass.principals,
                session_seconds=settings.breakglass.session,
                scope=scope,
            ),
        )
    return gates


def _lease(topology: Topology, foundation: Foundation) -> None:
    """The table, or a bucket in the witness and one in each site for what stands in while the witness is lost."""
    if topology.lease is LeaseStore.STRONG_TABLE:
        home, other = (LeaseSite(site=site, key_arn=foundation.key(site, Purpose.LEASE)) for site in foundation.sites)
        LeaseTable(LEASE_STORE, LeaseTableArgs(home=home, other=other, witness=foundation.witness.region))
        return
    ObjectStore(
        LEASE_STORE,
        ObjectStoreArgs(
            sites={
                site.region: ObjectsSite(site=site, key_arn=foundation.key(site, Purpose.LEASE))
                for site in (*foundation.sites, foundation.witness)
            },
            # Each is written on conditions of its own; a copy would be one more writer.
            replicate=False,
            lifecycle=LifecycleSpec(noncurrent_expire_days=LEASE_HISTORY_DAYS),
        ),
    )


@dataclass(frozen=True)
class _Place:
    """Where a warden stands."""

    site: Site
    vpc_id: pulumi.Output[str]
    subnet_ids: Sequence[pulumi.Output[str]]
    ways_out: Sequence[WayOut]
    way_in: WayIn | None
    """None in the witness, which has no gate, and begins no run."""


def _warden(settings: Settings, foundation: Foundation, scope: FailoverScope, place: _Place) -> Warden:
    site = place.site
    return Warden(
        f"warden-{site.region}",
        WardenArgs(
            site=site,
            vpc_id=place.vpc_id,
            subnet_ids=place.subnet_ids,
            public_address=site is foundation.witness,
            ways_out=place.ways_out,
            way_in=place.way_in,
            image=settings.warden.image_in(site.region, settings.account),
            configuration=_configuration(settings, place),
            scope=scope,
            logs_key_arn=foundation.key(site, Purpose.LOGS),
            log_days=settings.network.flow_log_days,
        ),
    )


def _configuration(settings: Settings, place: _Place) -> str:
    """A warden's file: see `lifeboat.recovery.warden_config`."""
    of_a_site: dict[str, object] = {}
    if place.way_in is not None:
        gate = {"gate": f"{WRITABLE}/gate.json", "address": EVERYWHERE, "port": place.way_in.port}
        of_a_site = {"failover_command": list(FAILOVER), **gate}
    return json.dumps(
        {
            "region": place.site.region,
            "settings": json.loads(settings.document()),
            **of_a_site,
        }
    )


def _front_doors(settings: Settings) -> tuple[WayOut, ...]:
    """AWS's APIs, and what clients of the stack's endpoints connect to."""
    ports = {HTTPS, *(endpoint.port for endpoint in (settings.dns.endpoints if settings.dns else ()))}
    return tuple(WayOut(cidr=ANYWHERE, port=port) for port in sorted(ports))


def _stores(topology: Topology, foundation: Foundation) -> tuple[WayOut, ...]:
    """Databases and caches of both sites, as far as there are any."""
    ports = [*([database.PORT] if topology.databases else []), *([cache.PORT] if topology.caches else [])]
    return tuple(WayOut(cidr=cidr, port=port) for cidr in foundation.cidrs() for port in ports)
