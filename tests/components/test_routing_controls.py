"""What routing controls leave behind in each site is what a failover to it reads and turns."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pulumi_aws as aws
import pytest

from components.aws.failover_policy import failover_statements
from components.aws.recovery_statements import FailoverScope
from lifeboat.model.physical import Physical
from lifeboat.model.plan.derivation import derive
from lifeboat.model.plan.graph import Mode
from lifeboat.model.plan.planes import ROUTING_CONTROL_REGIONS
from lifeboat.model.settings.load import from_stack_file
from lifeboat.model.settings.sites import RoutingKind
from lifeboat.model.topology import resolve
from lifeboat.recovery import routing as recovery
from lifeboat.recovery.lease_record import LeaseRecord
from tests.components import harness
from tests.components.examples.routing import ZONE, routing
from tests.components.harness import ACCOUNT, HOME, OTHER, PREFIX, WITNESS, Deployment, deploy

if TYPE_CHECKING:
    import pulumi

STACK = f"""
config:
  lifeboat:system: acme
  lifeboat:environment: production
  lifeboat:account: "{ACCOUNT}"
  lifeboat:home: {HOME}
  lifeboat:sites:
    - {{ region: {HOME}, cidr: 10.10.0.0/16 }}
    - {{ region: {OTHER}, cidr: 10.20.0.0/16 }}
  lifeboat:witness: {WITNESS}
  lifeboat:approval: one
  lifeboat:objectives: {{ failures: [ {{ failure: zone, rto: 24h }} ] }}
  lifeboat:dns: {{ zone: {ZONE}, ttl: 1s, endpoints: [ {{ name: orders }} ] }}
  lifeboat:routing: {{ kind: routing-control }}
"""
ENDPOINTS = {region: f"https://host-1a2b.{region}.example.com/v1" for region in ROUTING_CONTROL_REGIONS}


class FiveEndpoints(harness.Mocks):
    """With a cluster as AWS makes it."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        made, state = super().new_resource(args)
        if args.typ == "aws:route53recoverycontrol/cluster:Cluster":
            state["clusterEndpoints"] = [{"region": each, "endpoint": url} for each, url in ENDPOINTS.items()]
        return made, state


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(harness, "Mocks", FiveEndpoints)
        return deploy(lambda world: routing(world, "routing-control"))


class Outside:
    """AWS as the deployment left it: each region has its own parameters and no other."""

    def __init__(self, deployment: Deployment, asked: str) -> None:
        self._deployment = deployment
        self._asked = asked
        self.turned: list[tuple[str, str | None, Any]] = []

    def client(self, service: str, region: str, *, endpoint: str | None = None) -> object:
        if service == "ssm":
            assert region == self._asked
            return SimpleNamespace(get_parameter=self._parameter)

        def turn(**asked: object) -> None:
            self.turned.append((region, endpoint, asked["UpdateRoutingControlStateEntries"]))

        return SimpleNamespace(update_routing_control_states=turn)

    def _parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803 - botocore's
        (found,) = (
            each
            for each in self._deployment.of(aws.ssm.Parameter)
            if (each.inputs["name"], self._deployment.region(each)) == (Name, self._asked)
        )
        return {"Parameter": {"Value": found.inputs["value"]}}


def taken(lost: str, target: str) -> LeaseRecord:
    return LeaseRecord.first(lost, 60).stop(lost).take(target, 1).serve(target)


@pytest.mark.parametrize(("lost", "target"), [(HOME, OTHER), (OTHER, HOME)])
def test_a_failover_turns_the_controls_that_were_deployed(deployment: Deployment, lost: str, target: str) -> None:
    settings = from_stack_file(STACK, "Pulumi.acme.yaml")
    physical = Physical(settings=settings, topology=resolve(settings))
    assert physical.prefix == PREFIX
    plan = derive(settings, physical.topology, mode=Mode.FAILOVER, lost=frozenset({lost}), source=lost)
    outside = Outside(deployment, target)
    run: Any = SimpleNamespace(plan=plan, physical=physical, ports=outside, answers=lambda region: region != lost)
    recovery.switch(run, RoutingKind.ROUTING_CONTROL, taken(lost, target))

    arns = {
        deployment.region(each): each.state["arn"] for each in deployment.of(aws.route53recoverycontrol.RoutingControl)
    }
    ((place, endpoint, entries),) = outside.turned
    assert place != lost
    assert endpoint == ENDPOINTS[place]
    assert {each["RoutingControlArn"]: each["RoutingControlState"] for each in entries} == {
        arns[target]: "On",
        arns[lost]: "Off",
    }


def test_each_site_keeps_the_same_document_and_the_witness_none(deployment: Deployment) -> None:
    parameters = deployment.of(aws.ssm.Parameter)
    assert [deployment.region(each) for each in parameters] == [HOME, OTHER]
    assert {each.inputs["name"] for each in parameters} == {f"/lifeboat/{PREFIX}/routing"}
    assert len({each.inputs["value"] for each in parameters}) == 1
    # Above, SSM bills; and a failover has no right to decrypt one.
    assert all(len(each.inputs["value"]) < 4096 and each.inputs["type"] == "String" for each in parameters)


def test_a_failover_may_read_it_where_it_is(deployment: Deployment) -> None:
    scope = FailoverScope(account=ACCOUNT, prefix=PREFIX, sites=(HOME, OTHER), witness=WITNESS, routing_controls=True)
    (allowed,) = (each for each in failover_statements(scope) if each["Action"] == ["ssm:GetParameter"])
    assert allowed["Resource"] == [
        f"arn:aws:ssm:{deployment.region(each)}:{ACCOUNT}:parameter{each.inputs['name']}"
        for each in deployment.of(aws.ssm.Parameter)
    ]


def test_no_other_kind_leaves_any() -> None:
    for kind in ("alarm", "record"):
        assert deploy(lambda world, kind=kind: routing(world, kind)).of(aws.ssm.Parameter) == ()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("{}", r"KeyError: 'endpoints': accepted is JSON with endpoints by region, controls by site"),
        ("no JSON", r"accepted is JSON"),
        (json.dumps({"endpoints": {HOME: "https://x"}, "controls": {}}), r"has no endpoint that is left"),
    ],
)
def test_a_document_that_is_none_is_told_in_a_line(value: str, why: str) -> None:
    settings = from_stack_file(STACK, "Pulumi.acme.yaml")
    physical = Physical(settings=settings, topology=resolve(settings))
    plan = derive(settings, physical.topology, mode=Mode.FAILOVER, lost=frozenset({HOME}), source=HOME)
    ssm = SimpleNamespace(get_parameter=lambda **_asked: {"Parameter": {"Value": value}})
    ports = SimpleNamespace(client=lambda *_a, **_k: ssm)
    run: Any = SimpleNamespace(plan=plan, physical=physical, ports=ports, answers=lambda region: region != HOME)
    with pytest.raises(LookupError, match=rf"/lifeboat/{PREFIX}/routing in {OTHER}: .*{why}.*`lifeboat up` writes it"):
        recovery.switch(run, RoutingKind.ROUTING_CONTROL, taken(HOME, OTHER))
