"""Routing of every kind, and the topics that alarms publish to."""

from __future__ import annotations

from components.aws.alerts import AlertsArgs, SiteAlerts
from components.aws.routing import RoutedEndpoint, Routing, RoutingArgs, RoutingKind
from tests.components.harness import HOME, OTHER, WITNESS, Example, World

ZONE = "acme.example.com"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"


def routing(
    world: World, kind: RoutingKind = "alarm", zone_id: str | None = None, health: str = "us-east-1"
) -> Routing:
    return Routing(
        "routing",
        RoutingArgs(
            home=world.site(HOME),
            standby=world.site(OTHER),
            witness=world.site(WITNESS),
            health=world.site(health),
            alert_topic_arn=TOPIC,
            zone=ZONE,
            zone_id=zone_id,
            ttl=60,
            endpoints=[
                RoutedEndpoint(
                    name=name,
                    port=443,
                    path="/health/ready",
                    targets={region: f"{name}.{region}.{ZONE}" for region in (HOME, OTHER)},
                )
                for name in ("orders", "payments")
            ],
            kind=kind,
        ),
    )


def alerts(world: World) -> SiteAlerts:
    return SiteAlerts(f"alerts-{OTHER}", AlertsArgs(site=world.site(OTHER), key_arn=world.key(OTHER, "alerts")))


EXAMPLES = [
    Example(name="alerts", build=alerts),
    Example(name="routing-alarm", build=routing),
    Example(name="routing-control", build=lambda world: routing(world, "routing-control")),
    Example(name="routing-record", build=lambda world: routing(world, "record")),
    Example(name="routing-existing-zone", build=lambda world: routing(world, zone_id="Z0123456789")),
]
