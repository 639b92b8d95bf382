"""The name server as a client meets it: a stock resolver over UDP and TCP, boto3, and sites that come and go."""

from __future__ import annotations

import functools
import http.client
import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.resolver
import pytest

from tests.live.naming import DATABASE, EAST, TOKEN, WEST, WITNESS, ZONE, Site, Stack, naming
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with naming(tmp_path_factory.mktemp("names")) as running:
        yield running


def answers(stack: Stack, name: str, region: str) -> bool:
    """Whether a name leads to a region's site; not before it exists."""
    try:
        return stack.address_of(name) == stack.site(region)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return False


def flip(stack: Stack, label: str, *, opened: bool, towards: str) -> None:
    """Set home's switch, of a period of a second, until its name leads to a region."""
    until(lambda: stack.set_switch(EAST, label, opened=opened, ago=0) or answers(stack, label, towards))


def lost(stack: Stack, *regions: str) -> None:
    connection = http.client.HTTPConnection(stack.facts["gateway"].removeprefix("http://"), timeout=5)
    try:
        body = json.dumps(dict.fromkeys(regions, "lost"))
        connection.request("POST", "/_lifeboat/regions", body, {"Authorization": f"Bearer {TOKEN}"})
        assert connection.getresponse().status == 200
    finally:
        connection.close()


def test_a_switch_moves_a_failover_pair_and_back(stack: Stack) -> None:
    label = "flips"
    stack.pair(label, stack.switch(EAST, label, period=1), stack.switch(WEST, label, period=1))
    until(lambda: answers(stack, label, EAST))
    flip(stack, label, opened=True, towards=WEST)
    flip(stack, label, opened=False, towards=EAST)


def test_a_silent_switch_stays_where_it_was_through_a_restart_and_a_lost_region(stack: Stack) -> None:
    label = "latched"
    primary = stack.switch(EAST, label, period=1)
    stack.pair(label, primary, stack.switch(WEST, label, period=1))
    until(lambda: answers(stack, label, EAST))
    flip(stack, label, opened=True, towards=WEST)
    until(lambda: stack.found(primary) == "too little data: LastKnownStatus")
    assert answers(stack, label, WEST)
    stack.order("restart")
    assert answers(stack, label, WEST)
    lost(stack, WITNESS)
    stack.order("restart")
    assert answers(stack, label, WEST)
    lost(stack)


def test_metrics_of_a_lost_region_say_nothing(stack: Stack) -> None:
    label = "unheard"
    primary = stack.switch(EAST, label)
    stack.pair(label, primary, stack.switch(WEST, label))
    until(lambda: answers(stack, label, EAST))
    stack.set_switch(EAST, label, opened=True)
    until(lambda: answers(stack, label, WEST))
    lost(stack, WITNESS)
    until(lambda: stack.found(primary) == "too little data: LastKnownStatus")
    lost(stack)
    until(lambda: stack.found(primary) == "the metric breaches its alarm")


def test_both_switches_open_answer_with_the_primary(stack: Stack) -> None:
    label = "dark"
    primary, secondary = stack.switch(EAST, label), stack.switch(WEST, label)
    stack.pair(label, primary, secondary)
    stack.set_switch(EAST, label, opened=True)
    until(lambda: answers(stack, label, WEST))
    stack.set_switch(WEST, label, opened=True)
    until(lambda: answers(stack, label, EAST))
    until(lambda: stack.found(secondary) == "the metric breaches its alarm")
    assert stack.found(primary) == "the metric breaches its alarm"


def test_settings_of_an_alarm_are_copied_when_its_check_is_made(stack: Stack) -> None:
    label = "copied"
    primary = stack.switch(EAST, label)
    stack.pair(label, primary, stack.switch(WEST, label))
    until(lambda: "too little data" in stack.found(primary))
    # A threshold that nothing reaches: the check that is there goes on with the old one.
    stack.client("cloudwatch", WITNESS).put_metric_alarm(
        AlarmName=f"{label}-{EAST}",
        Namespace=f"Lifeboat/{label}",
        MetricName="SwitchOpen",
        Dimensions=[{"Name": "Site", "Value": EAST}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=9,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )
    stack.set_switch(EAST, label, opened=True)
    until(lambda: answers(stack, label, WEST))


def test_a_pair_behind_endpoint_checks_follows_a_site_that_dies_and_comes_back(stack: Stack) -> None:
    east, west = Site(stack.site(EAST)), Site(stack.site(WEST))
    try:
        primary = stack.endpoint("east", EAST, "shop")
        stack.pair("shop", primary, stack.endpoint("west", WEST, "shop"))
        until(lambda: stack.found(primary).startswith("Success: HTTP Status Code: 200"))
        until(lambda: answers(stack, "shop", EAST))
        east.close()
        until(lambda: answers(stack, "shop", WEST))
        until(lambda: stack.found(primary).startswith("Failure"))
        until(lambda: 0.0 in status_metric(stack, primary))
        east = Site(stack.site(EAST))
        until(lambda: answers(stack, "shop", EAST))
        until(lambda: stack.found(primary).startswith("Success"))
    finally:
        east.close()
        west.close()


def status_metric(stack: Stack, check: str) -> list[float]:
    """Every value of AWS/Route53 HealthCheckStatus of one check."""
    query = {
        "Id": "status",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/Route53",
                "MetricName": "HealthCheckStatus",
                "Dimensions": [{"Name": "HealthCheckId", "Value": check}],
            },
            "Period": 3600,
            "Stat": "Minimum",
        },
    }
    # Whole hours before and after: moto goes through every period of the range.
    now, hours = datetime.now(UTC), timedelta(hours=3)
    answer = stack.client("cloudwatch", EAST).get_metric_data(
        MetricDataQueries=[query], StartTime=now - hours, EndTime=now + hours
    )
    return answer["MetricDataResults"][0]["Values"]


def test_each_record_has_its_ttl_in_one_answer(stack: Stack) -> None:
    stack.record("here", "CNAME", [f"web.{EAST}.{ZONE}"])
    until(lambda: answers(stack, "here", EAST))
    chain = stack.resolver.resolve(f"here.{ZONE}", "A").response.answer
    assert [(rows.name.to_text(), rows.ttl) for rows in chain] == [
        (f"here.{ZONE}.", 60),
        (f"web.{EAST}.{ZONE}.", 5),
    ]


def test_the_same_over_tcp(stack: Stack) -> None:
    stack.record("stream", "CNAME", [f"web.{WEST}.{ZONE}"])
    until(lambda: answers(stack, "stream", WEST))
    assert stack.address_of("stream", tcp=True) == stack.site(WEST)


def test_what_does_not_fit_into_a_datagram_comes_over_tcp(stack: Stack) -> None:
    texts = [f'"{letter * 200}"' for letter in "abcdefgh"]
    stack.record("large", "TXT", texts)
    name = f"large.{ZONE}"
    until(functools.partial(exists, stack, name, "TXT"))
    question = dns.message.make_query(name, "TXT")
    ask = functools.partial(dns.query.udp, question, stack.facts["address"], port=stack.facts["port"], timeout=5)
    assert ask().flags & dns.flags.TC
    assert sorted(text.to_text() for text in stack.resolver.resolve(name, "TXT")) == texts


def exists(stack: Stack, name: str, kind: str) -> bool:
    try:
        stack.resolver.resolve(name, kind)
    except dns.resolver.NXDOMAIN:
        return False
    return True


def test_host_names_of_aws_and_of_sites(stack: Stack) -> None:
    answer = stack.resolver.resolve(DATABASE, "A")
    assert (answer[0].address, answer.rrset.ttl) == (stack.facts["database"], 5)
    assert stack.address_of(WEST) == stack.site(WEST)
    assert stack.address_of(f"anything.{EAST}") == stack.site(EAST)
    balancer = stack.resolver.resolve(f"orders-1.{EAST}.elb.amazonaws.com", "A")
    assert balancer[0].address == stack.site(EAST)


def test_what_is_not_there(stack: Stack) -> None:
    with pytest.raises(dns.resolver.NXDOMAIN) as absent:
        stack.resolver.resolve(f"absent.{ZONE}", "A")
    (response,) = absent.value.responses().values()
    assert [rows.name.to_text() for rows in response.authority] == [f"{ZONE}."]
    with pytest.raises(dns.resolver.NoAnswer):
        stack.resolver.resolve(f"web.{EAST}.{ZONE}", "AAAA")
    foreign = dns.query.udp(
        dns.message.make_query("example.org", "A"), stack.facts["address"], port=stack.facts["port"], timeout=5
    )
    assert foreign.rcode() == dns.rcode.REFUSED


def test_names_outlive_the_control_plane(stack: Stack) -> None:
    stack.record("steady", "CNAME", [f"web.{EAST}.{ZONE}"])
    until(lambda: answers(stack, "steady", EAST))
    lost(stack, EAST, WEST, WITNESS)
    stack.process.send_signal(signal.SIGSTOP)
    try:
        assert answers(stack, "steady", EAST)
    finally:
        stack.process.send_signal(signal.SIGCONT)
        lost(stack)


def test_the_token_is_no_argument(stack: Stack) -> None:
    arguments = Path(f"/proc/{stack.facts['pid']}/cmdline").read_text()
    assert "lifeboat.sandbox.live.nameserver" in arguments
    assert TOKEN not in arguments


def test_a_calculated_check_and_an_alias_as_route_53s_api_makes_them(stack: Stack) -> None:
    label = "parts"
    children = [stack.switch(region, label) for region in (EAST, WEST)]
    whole = stack.check("whole", Type="CALCULATED", ChildHealthChecks=children, HealthThreshold=2)
    balancer = f"orders-1.{EAST}.elb.amazonaws.com"
    stack.record(label, "A", ["192.0.2.2"], SetIdentifier="b", Failover="SECONDARY", HealthCheckId=children[0])
    stack.client("route53").change_resource_record_sets(
        HostedZoneId=stack.zone_id,
        ChangeBatch={
            "Changes": [
                {
                    "Action": "CREATE",
                    "ResourceRecordSet": {
                        "Name": f"{label}.{ZONE}",
                        "Type": "A",
                        "SetIdentifier": "a",
                        "Failover": "PRIMARY",
                        "HealthCheckId": whole,
                        "AliasTarget": {"HostedZoneId": "Z1", "DNSName": balancer, "EvaluateTargetHealth": True},
                    },
                }
            ]
        },
    )
    until(lambda: answers(stack, label, EAST))
    stack.set_switch(WEST, label, opened=True)
    until(lambda: stack.address_of(label) == "192.0.2.2")
    until(lambda: stack.found(whole) == "1 of 2 children healthy, 2 wanted")


@pytest.mark.parametrize(
    ("region", "more"),
    [(EAST, {"Weight": 0}), (WEST, {"Weight": 5}), (EAST, {"MultiValueAnswer": True}), (EAST, {"Region": EAST})],
    ids=["weightless", "weighted", "multivalue", "latency"],
)
def test_other_routing_policies_reach_the_server(stack: Stack, region: str, more: dict[str, object]) -> None:
    name = f"policy-{region}-{next(iter(more)).lower()}"
    stack.record(name, "A", [stack.site(region)], SetIdentifier="a", **more)
    until(lambda: answers(stack, name, region))
