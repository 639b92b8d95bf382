"""A gateway with a name server and nothing else: `with naming(directory) as stack`.

The gateway is a process of its own, because its patches stay in moto for good. Looks are frequent, so that no test
waits for Route 53's real intervals.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
import dns.resolver
from botocore.config import Config

from lifeboat.sandbox.environment import ACCESS_KEY, SECRET_KEY
from lifeboat.sandbox.gateway.__main__ import moto_settings
from lifeboat.sandbox.live.network import HTTP_PORT
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "123456789012"
TOKEN = "names-test-token"
ZONE = "example.com"
EAST, WEST, WITNESS = "us-east-1", "us-west-2", "us-east-2"
DATABASE = "orders.abcdefghijkl.us-east-1.rds.amazonaws.com"

Client: TypeAlias = Any
"""A boto3 client: its methods are made at run time."""


class Site(http.server.ThreadingHTTPServer):
    """A front door that answers 200 to everything."""

    daemon_threads = True

    def __init__(self, address: str) -> None:
        super().__init__((address, HTTP_PORT), _Door)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Door(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"{self.headers['Host']} {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Say nothing."""


@dataclass
class Stack:
    """The running gateway, seen from outside."""

    process: subprocess.Popen[str]
    facts: dict[str, Any]
    zone_id: str = ""
    clients: dict[tuple[str, str], Client] = field(default_factory=dict)

    @functools.cached_property
    def resolver(self) -> dns.resolver.Resolver:
        """A stock resolver that asks the sandbox's name server and nobody else."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = [self.facts["address"]], self.facts["port"]
        return resolver

    def site(self, region: str) -> str:
        return self.facts["sites"][region]

    def client(self, service: str, region: str = EAST) -> Client:
        if (service, region) not in self.clients:
            self.clients[service, region] = boto3.session.Session(ACCESS_KEY, SECRET_KEY).client(
                service,
                region_name=region,
                endpoint_url=self.facts["gateway"],
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self.clients[service, region]

    def address_of(self, name: str, **options: object) -> str:
        return self.resolver.resolve(f"{name}.{ZONE}", "A", **options)[0].address

    def order(self, command: str) -> None:
        """Have the gateway do `command`, see `main`."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        self.facts["pid"] = json.loads(self.process.stdout.readline())

    def check(self, reference: str, **config: object) -> str:
        made = self.client("route53").create_health_check(CallerReference=reference, HealthCheckConfig=config)
        return made["HealthCheck"]["Id"]

    def endpoint(self, reference: str, region: str, name: str) -> str:
        host = f"{name}.{region}.{ZONE}"
        return self.check(
            reference,
            Type="HTTPS",
            FullyQualifiedDomainName=host,
            Port=443,
            ResourcePath="/health/ready",
            RequestInterval=10,
            FailureThreshold=2,
        )

    def switch(self, region: str, label: str, *, period: int = 60) -> str:
        """A site's switch as production makes it; `period` in seconds."""
        self.client("cloudwatch", WITNESS).put_metric_alarm(
            AlarmName=f"{label}-{region}",
            Namespace=f"Lifeboat/{label}",
            MetricName="SwitchOpen",
            Dimensions=[{"Name": "Site", "Value": region}],
            Statistic="Maximum",
            Period=period,
            EvaluationPeriods=1,
            DatapointsToAlarm=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="missing",
        )
        return self.check(
            f"{label}-{region}",
            Type="CLOUDWATCH_METRIC",
            AlarmIdentifier={"Region": WITNESS, "Name": f"{label}-{region}"},
            InsufficientDataHealthStatus="LastKnownStatus",
        )

    def set_switch(self, region: str, label: str, *, opened: bool, ago: float = 60) -> None:
        """Publish a switch's level as of some seconds ago: the minute that runs does not count yet."""
        datum = {
            "MetricName": "SwitchOpen",
            "Dimensions": [{"Name": "Site", "Value": region}],
            "Value": float(opened),
            "Timestamp": time.time() - ago,
        }
        self.client("cloudwatch", WITNESS).put_metric_data(Namespace=f"Lifeboat/{label}", MetricData=[datum])

    def pair(self, name: str, primary: str, secondary: str) -> None:
        """A failover pair of CNAMEs, behind the two health checks."""
        for region, rank, check in ((EAST, "PRIMARY", primary), (WEST, "SECONDARY", secondary)):
            self.record(
                name,
                "CNAME",
                [f"{name}.{region}.{ZONE}"],
                SetIdentifier=region,
                Failover=rank,
                HealthCheckId=check,
            )

    def record(self, name: str, kind: str, values: list[str], **more: object) -> None:
        record = {
            "Name": f"{name}.{ZONE}",
            "Type": kind,
            "TTL": 60,
            "ResourceRecords": [{"Value": value} for value in values],
            **more,
        }
        self.client("route53").change_resource_record_sets(
            HostedZoneId=self.zone_id, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
        )

    def found(self, check: str) -> str:
        """What Route 53's API says of a health check."""
        said = self.client("route53").get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
        return said[0]["StatusReport"]["Status"]


@contextlib.contextmanager
def naming(directory: Path) -> Iterator[Stack]:
    """A gateway and a name server that answers for an empty zone."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.live.naming", str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        stack = Stack(process, json.loads(process.stdout.readline()))
        made = stack.client("route53").create_hosted_zone(Name=ZONE, CallerReference="zone")
        stack.zone_id = made["HostedZone"]["Id"].rpartition("/")[2]
        until(lambda: _exists(stack, ZONE))
        yield stack
    finally:
        # One that a test stopped would not notice.
        process.send_signal(signal.SIGCONT)
        process.communicate()


def _exists(stack: Stack, name: str) -> bool:
    try:
        stack.resolver.resolve(name, "SOA")
    except dns.resolver.NoNameservers:
        return False
    return True


def main(directory: Path) -> None:
    """Be the gateway: commands on standard input are ``restart`` and ``stop``, its end ends everything."""
    os.environ.update(moto_settings(ACCOUNT))
    # moto reads its settings when it is imported.
    from lifeboat.sandbox.gateway.assembly import assemble  # noqa: PLC0415  # see above
    from lifeboat.sandbox.live.names import Names, Pace  # noqa: PLC0415  # imports moto
    from lifeboat.sandbox.live.network import Network  # noqa: PLC0415  # with the rest
    from lifeboat.sandbox.live.processes import Processes  # noqa: PLC0415  # with the rest
    from lifeboat.sandbox.live.routing_state import Outside  # noqa: PLC0415  # imports moto

    server = assemble(token=TOKEN, stack="names").server
    network, processes = Network.claim(), Processes(directory)
    sites = {region: network.address(f"site-{region}") for region in (EAST, WEST)}
    gateway = f"http://127.0.0.1:{server.port}"
    application: Any = server.app
    names = Names(
        processes=processes,
        network=network,
        control=application.control,
        directory=directory,
        account=ACCOUNT,
        gateway=gateway,
        token=TOKEN,
        outside=lambda: Outside(hosts={DATABASE: network.address("database")}, sites=sites),
        pace=Pace(evaluation=0, probe_interval=0.05, poll=0.05),
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    names.start()
    address, port = names.address
    facts = {"gateway": gateway, "address": address, "port": port, "sites": sites}
    facts["database"] = network.address("database")
    until(names.answers)
    facts["pid"] = processes.pid("nameserver")
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
    for line in sys.stdin:
        names.stop()
        if line.strip() == "restart":
            names.start()
            until(names.answers)
        sys.stdout.write(json.dumps(processes.pid("nameserver")) + "\n")
        sys.stdout.flush()
    processes.close()
    network.close()
    server.server_close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
