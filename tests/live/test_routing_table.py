"""Answers from zones, without a network: routing policies, chains, aliases, what is not there."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeboat.sandbox.live.routing_table import Answer, Rcode, RoutingTable, Row
from lifeboat.sandbox.live.zone import HOST_TTL, Alias, Record, Snapshot, Zone

ZONE = "example.com"
SOA = Record(name=ZONE, type="SOA", ttl=900, values=("ns. host. 1 7200 900 1209600 60",))
NEGATIVE = (Row(ZONE, "SOA", 60, SOA.values[0]),)
BALANCER = "orders.us-east-1.elb.amazonaws.com"


def record(name: str, kind: str, *values: str, **more: Any) -> Record:  # noqa: ANN401  # any of a record's attributes
    return Record(name=f"{name}.{ZONE}", type=kind, ttl=60, values=values, **more)


def ask(
    records: list[Record], name: str, kind: str = "A", *, sick: frozenset[str] = frozenset(), seed: int = 0
) -> Answer:
    """Answer from one zone; `sick` has the health checks that are unhealthy."""
    zone = Zone(id="Z", name=ZONE, records=(SOA, *records))
    other = Zone(
        id="Y", name="example.net", records=(Record(name="far.example.net", type="A", ttl=9, values=("7.7.7.7",)),)
    )
    hosts = {f"*.us-east-1.{ZONE}": "127.64.0.10", BALANCER: "127.64.0.11"}
    table = RoutingTable(Snapshot(zones=(zone, other), hosts=hosts), random.Random(seed))  # noqa: S311 - no secret
    return table.resolve(name if name.count(".") > 1 else f"{name}.{ZONE}", kind, lambda check: check not in sick)


def values(answer: Answer) -> list[str]:
    return [row.value for row in answer.rows]


@pytest.mark.parametrize(
    ("sick", "expected"),
    [
        ("", "1.1.1.1"),
        ("s", "1.1.1.1"),
        ("p", "2.2.2.2"),
        ("ps", "1.1.1.1"),
    ],
)
def test_failover_as_route_53_rules_it(sick: str, expected: str) -> None:
    pair = [
        record("db", "A", "2.2.2.2", identifier="b", failover="SECONDARY", health_check="s"),
        record("db", "A", "1.1.1.1", identifier="a", failover="PRIMARY", health_check="p"),
    ]
    assert values(ask(pair, "db", sick=frozenset(sick))) == [expected]


def test_a_secondary_without_a_check_always_can() -> None:
    pair = [
        record("db", "A", "1.1.1.1", identifier="a", failover="PRIMARY", health_check="p"),
        record("db", "A", "2.2.2.2", identifier="b", failover="SECONDARY"),
    ]
    assert values(ask(pair, "db", sick=frozenset("p"))) == ["2.2.2.2"]


def test_a_chain_comes_in_one_answer_over_zones_and_hosts() -> None:
    chain = [
        record("a", "CNAME", f"B.{ZONE}."),
        record("b", "CNAME", "far.example.net"),
        record("c", "CNAME", BALANCER),
        record("d", "CNAME", "elsewhere.example.org"),
    ]
    assert ask(chain, "A").rows == (
        Row(f"a.{ZONE}", "CNAME", 60, f"B.{ZONE}."),
        Row(f"b.{ZONE}", "CNAME", 60, "far.example.net"),
        Row("far.example.net", "A", 9, "7.7.7.7"),
    )
    assert ask(chain, "c").rows[-1] == Row(BALANCER, "A", HOST_TTL, "127.64.0.11")
    left = ask(chain, "d")
    assert (left.rcode, values(left)) == (Rcode.NOERROR, ["elsewhere.example.org"])
    assert values(ask(chain, "a", "CNAME")) == [f"B.{ZONE}."]


@given(
    links=st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("abcdefgh"), max_size=6),
    start=st.sampled_from("abcdef"),
)
def test_every_chain_ends(links: dict[str, str], start: str) -> None:
    answer = ask([record(name, "CNAME", f"{target}.{ZONE}") for name, target in links.items()], start)
    seen, here = list[str](), start
    while here in links and here not in seen:
        seen.append(here)
        here = links[here]
    expected = Rcode.SERVFAIL if here in links else Rcode.NXDOMAIN
    assert answer.rcode is expected
    if expected is Rcode.NXDOMAIN:
        assert values(answer) == [f"{links[name]}.{ZONE}" for name in seen]
        assert answer.authority == NEGATIVE


def test_what_is_not_there() -> None:
    records = [record("a.deep", "A", "1.1.1.1")]
    absent, empty, above = ask(records, "no"), ask(records, "a.deep." + ZONE, "TXT"), ask(records, "deep")
    assert (absent.rcode, absent.authority) == (Rcode.NXDOMAIN, NEGATIVE)
    assert (empty.rcode, empty.rows, empty.authority) == (Rcode.NOERROR, (), NEGATIVE)
    # A name between others exists, though it has no records.
    assert (above.rcode, above.authority) == (Rcode.NOERROR, NEGATIVE)
    assert ask(records, "www.example.org").rcode is Rcode.REFUSED


def test_sites_have_names_in_the_zone_until_a_record_says_otherwise() -> None:
    name = f"orders.us-east-1.{ZONE}"
    assert ask([], name).rows == (Row(name, "A", HOST_TTL, "127.64.0.10"),)
    assert (ask([], name, "AAAA").rcode, ask([], name, "AAAA").authority) == (Rcode.NOERROR, NEGATIVE)
    assert values(ask([record("orders.us-east-1", "A", "3.3.3.3")], name)) == ["3.3.3.3"]
    assert values(ask([record("*", "A", "4.4.4.4")], name)) == ["127.64.0.10"]


def test_wildcards_stand_for_names_that_are_not_there() -> None:
    records = [record("*", "A", "4.4.4.4"), record("here", "TXT", '"x"')]
    assert ask(records, "any.thing." + ZONE).rows == (Row(f"any.thing.{ZONE}", "A", 60, "4.4.4.4"),)
    assert ask(records, "here").rows == ()
    assert ask(records, "below.here." + ZONE).rcode is Rcode.NXDOMAIN


def test_aliases_answer_in_their_own_name() -> None:
    alias = {"alias": Alias(name=BALANCER, evaluate=True)}
    records = [
        record("www", "A", **alias),
        record("again", "A", alias=Alias(name=f"www.{ZONE}", evaluate=False)),
        record("loop", "A", alias=Alias(name=f"loop.{ZONE}", evaluate=True)),
    ]
    assert ask(records, "www").rows == (Row(f"www.{ZONE}", "A", HOST_TTL, "127.64.0.11"),)
    assert ask(records, "again").rows == (Row(f"again.{ZONE}", "A", HOST_TTL, "127.64.0.11"),)
    assert ask(records, "loop").rows == ()


@pytest.mark.parametrize(("evaluate", "expected"), [(True, "2.2.2.2"), (False, "1.1.1.1")])
def test_an_alias_may_be_as_healthy_as_its_target(evaluate: bool, expected: str) -> None:
    records = [
        record("inner", "A", "1.1.1.1", identifier="only", failover="PRIMARY", health_check="p"),
        record("db", "A", identifier="a", failover="PRIMARY", alias=Alias(name=f"inner.{ZONE}", evaluate=evaluate)),
        record("db", "A", "2.2.2.2", identifier="b", failover="SECONDARY"),
    ]
    assert values(ask(records, "db", sick=frozenset("p"))) == [expected]


def weighted(*weights: int) -> list[Record]:
    return [
        record("db", "A", str(index), identifier=str(index), weight=weight, health_check=str(index))
        for index, weight in enumerate(weights)
    ]


@pytest.mark.parametrize(
    ("weights", "sick", "expected"),
    [
        ((1, 3), "", {"0", "1"}),
        ((1, 3), "1", {"0"}),
        # Weightless only when nothing else can; everything when nothing is healthy.
        ((1, 0), "", {"0"}),
        ((1, 0), "0", {"1"}),
        ((1, 0), "01", {"0"}),
        ((0, 0), "", {"0", "1"}),
    ],
)
def test_weights(weights: tuple[int, ...], sick: str, expected: set[str]) -> None:
    counted = Counter(values(ask(weighted(*weights), "db", sick=frozenset(sick), seed=seed))[0] for seed in range(200))
    assert set(counted) == expected
    if (weights, sick) == ((1, 3), ""):
        assert counted["1"] > counted["0"]


def test_multivalue_answers_with_up_to_eight_healthy_records() -> None:
    records = [
        record("db", "A", str(index), identifier=str(index), multivalue=True, health_check=str(index))
        for index in range(10)
    ]
    assert len(set(values(ask(records, "db")))) == 8
    assert sorted(values(ask(records, "db", sick=frozenset("0123456")))) == ["7", "8", "9"]
    assert len(values(ask(records, "db", sick=frozenset("0123456789")))) == 8


def test_where_the_client_would_matter_the_first_healthy_record_answers() -> None:
    records = [
        record("db", "A", "2.2.2.2", identifier="west", health_check="w"),
        record("db", "A", "1.1.1.1", identifier="east", health_check="e"),
    ]
    assert values(ask(records, "db")) == ["1.1.1.1"]
    assert values(ask(records, "db", sick=frozenset("e"))) == ["2.2.2.2"]


def test_a_delegated_part_is_referred() -> None:
    answer = ask([record("team", "NS", "ns.example.org.")], "www.team." + ZONE)
    assert (answer.rows, answer.authoritative) == ((), False)
    assert answer.authority == (Row(f"team.{ZONE}", "NS", 60, "ns.example.org."),)
