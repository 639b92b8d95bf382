"""The lease, wardens, their alarms, the witness's network and the break-glass role."""

from __future__ import annotations

from dataclasses import replace

from components.aws.breakglass import Breakglass, BreakglassArgs, BreakglassSite
from components.aws.lease import LeaseSite, LeaseTable, LeaseTableArgs
from components.aws.recovery_statements import FailoverScope
from components.aws.warden import Warden, WardenArgs, WayIn, WayOut
from components.aws.warden_alarms import WardenAlarms, WardenAlarmsArgs
from components.aws.witness_network import WitnessNetwork, WitnessNetworkArgs
from lifeboat.model.naming import GATE_PORT
from tests.components.harness import ACCOUNT, HOME, OTHER, PREFIX, WITNESS, Example, World

SITES = (HOME, OTHER)
SCOPE = FailoverScope(
    account=ACCOUNT,
    prefix=PREFIX,
    sites=SITES,
    witness=WITNESS,
    global_clusters=[f"{PREFIX}-orders"],
    clusters={region: [f"{PREFIX}-orders-{region}"] for region in SITES},
    datastores=[f"*-{PREFIX}-sessions"],
    replication_groups={region: [f"{PREFIX}-sessions-{region}"] for region in SITES},
    buckets=[f"{PREFIX}-uploads-{region}" for region in SITES],
    secrets=[f"{PREFIX}-orders-password", f"{PREFIX}-sessions-token"],
    tags={"System": "acme", "Environment": "production"},
)
BUCKETS = replace(SCOPE, lease_buckets={region: f"{PREFIX}-lease-{region}" for region in (*SITES, WITNESS)})
IMAGE = f"{ACCOUNT}.dkr.ecr.{HOME}.amazonaws.com/lifeboat-warden:1"
PEOPLE = [f"arn:aws:iam::{ACCOUNT}:user/break-glass/{name}" for name in ("second", "first")]
HEAD = """
config:
  lifeboat:system: shop
  lifeboat:environment: test
  lifeboat:account: "123456789012"
  lifeboat:home: us-west-2
  lifeboat:sites:
    - { region: us-west-2, cidr: 10.10.0.0/16 }
    - { region: us-east-2, cidr: 10.20.0.0/16 }
  lifeboat:witness: us-east-1
  lifeboat:approval: one
  lifeboat:objectives: OBJECTIVES
  lifeboat:routing: ROUTING
  lifeboat:dns: { zone: shop.example.com, endpoints: [ { name: orders } ] }
"""
"""Of a stack's file, with words in capitals for what tests vary."""


def topic(region: str) -> str:
    return f"arn:aws:sns:{region}:{ACCOUNT}:{PREFIX}-alerts-{region}"


def lease(world: World) -> LeaseTable:
    home, other = (LeaseSite(site=world.site(region), key_arn=world.key(region, "lease")) for region in SITES)
    return LeaseTable("lease", LeaseTableArgs(home=home, other=other, witness=WITNESS))


def way_in() -> WayIn:
    return WayIn(cidr="10.1.0.0/16", port=GATE_PORT)


def warden(world: World, region: str = HOME, image: str = IMAGE) -> Warden:
    return Warden(
        f"warden-{region}",
        WardenArgs(
            site=world.site(region),
            vpc_id="vpc-1",
            subnet_ids=["subnet-1", "subnet-2"],
            public_address=region == WITNESS,
            ways_out=[WayOut(cidr="0.0.0.0/0", port=443), WayOut(cidr="10.0.0.0/16", port=5432)],
            way_in=None if region == WITNESS else way_in(),
            image=image,
            configuration=f'{{"region": "{region}"}}',
            scope=SCOPE,
            logs_key_arn=world.key(region, "logs"),
            log_days=90,
        ),
    )


def alarms(world: World) -> WardenAlarms:
    return WardenAlarms(
        "warden-alarms",
        WardenAlarmsArgs(
            witness=world.site(WITNESS),
            watched=[world.site(region) for region in (*SITES, WITNESS)],
            topic_arn=topic(WITNESS),
        ),
    )


def witness_network(world: World) -> WitnessNetwork:
    return WitnessNetwork(
        f"network-{WITNESS}",
        WitnessNetworkArgs(
            site=world.site(WITNESS),
            zones=[f"{WITNESS}a", f"{WITNESS}b"],
            flow_log_days=90,
            logs_key_arn=world.key(WITNESS, "logs"),
        ),
    )


def breakglass(world: World, scope: FailoverScope = SCOPE) -> Breakglass:
    return Breakglass(
        "breakglass",
        BreakglassArgs(
            witness=world.site(WITNESS),
            places=[BreakglassSite(site=world.site(region), topic_arn=topic(region)) for region in (*SITES, WITNESS)],
            principals=PEOPLE,
            session_seconds=3600,
            scope=scope,
        ),
    )


EXAMPLES = [
    Example(name="lease-table", build=lease),
    Example(name="warden-site", build=warden),
    Example(name="warden-witness", build=lambda world: warden(world, WITNESS, "ghcr.io/acme/warden:1")),
    Example(name="warden-alarms", build=alarms),
    Example(name="witness-network", build=witness_network),
    Example(name="breakglass", build=breakglass),
]
