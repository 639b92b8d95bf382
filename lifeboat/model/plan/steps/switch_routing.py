"""Move traffic to the target: told in the lease, then by data plane wherever the design has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import aws, control, data, deadline
from lifeboat.model.plan.graph import Call, Plane, PlanStep, Stage
from lifeboat.model.plan.planes import ROUTING_CONTROL_REGIONS, nearest_routing_endpoint
from lifeboat.model.routing_document import routing_parameter
from lifeboat.model.settings.sites import RoutingKind
from lifeboat.model.timings import TIMINGS, Step, Timing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.context import Context

KIND = "switch_routing"

_RECORDS = "us-east-1"
"""Where Route 53 takes edits."""


def steps(context: Context) -> Iterable[PlanStep]:
    """One, where the stack has names that fail over."""
    kind = context.topology.routing
    if not context.moves or kind is None:
        return
    match kind:
        case RoutingKind.ALARM:
            yield _step(context, kind, _by_alarm(context), TIMINGS[Step.SWITCH_ALARM], _alarm_by_hand(context))
        case RoutingKind.ROUTING_CONTROL:
            near = nearest_routing_endpoint((context.target, context.topology.witness), context.lost)
            calls = (
                # Where the controls are.
                *data("ssm", context.target, "GetParameter"),
                Call(
                    service="route53-recovery-cluster",
                    operation="UpdateRoutingControlStates",
                    region=near,
                    plane=Plane.DATA,
                    quorum=frozenset(ROUTING_CONTROL_REGIONS),
                ),
            )
            yield _step(context, kind, calls, TIMINGS[Step.SWITCH_ROUTING_CONTROL], _control_by_hand(context, near))
        case RoutingKind.RECORD:
            zone = context.settings.dns.zone_id if context.settings.dns is not None else None
            found = () if zone is not None else ("ListHostedZonesByName",)
            calls = control("route53", _RECORDS, *found, "ChangeResourceRecordSets", "GetChange")
            yield _step(context, kind, calls, TIMINGS[Step.RECORD_CHANGE], _record_by_hand(context))


def _by_alarm(context: Context) -> tuple[Call, ...]:
    return data("cloudwatch", context.topology.witness, "PutMetricData")


def _alarm_by_hand(context: Context) -> tuple[str, ...]:
    names, witness = context.names, context.topology.witness
    levels = ((context.target, 0), (context.source, 1))
    return (
        "# 1 is an open circuit, no traffic. Each level again every minute, until a warden runs again:",
        *(
            aws(
                "cloudwatch put-metric-data",
                witness,
                namespace=names.switch_namespace,
                metric_data=f"MetricName=SwitchOpen,Value={level},Dimensions=[{{Name=Site,Value={region}}}]",
            )
            for region, level in levels
        ),
    )


def _control_by_hand(context: Context, near: str) -> tuple[str, ...]:
    names = context.names
    return (
        f"# ARNs of {names.switch(context.target)} and {names.switch(context.source)}, and the cluster's endpoints:",
        aws(
            "ssm get-parameter --query Parameter.Value --output text",
            context.target,
            name=routing_parameter(names.prefix),
        ),
        aws(
            "route53-recovery-cluster update-routing-control-states",
            near,
            endpoint_url="$ENDPOINT",
            update_routing_control_state_entries="$ON_THEN_OFF",
        ),
    )


def _record_by_hand(context: Context) -> tuple[str, ...]:
    dns = context.settings.dns
    if dns is None:
        return ()
    zone = dns.zone_id or "$ZONE_ID"
    return (
        *(
            f"# {endpoint.name}.{dns.zone} CNAME {dns.target(endpoint, context.target)}, TTL {dns.ttl}:"
            for endpoint in dns.endpoints
        ),
        aws("route53 change-resource-record-sets", _RECORDS, hosted_zone_id=zone, change_batch="file://change.json"),
    )


def _step(
    context: Context, kind: RoutingKind, calls: tuple[Call, ...], timing: Timing, by_hand: tuple[str, ...]
) -> PlanStep:
    return PlanStep(
        key="switch-routing",
        kind=KIND,
        title=f"Switch traffic to {context.target} by {kind}",
        stage=Stage.RECOVER,
        region=calls[-1].region,
        mechanism=kind,
        after=frozenset({"take_lease"}),
        # The lease first: wardens publish the levels that it holds.
        calls=(*context.lease_write, *calls),
        timing=timing,
        timeout=deadline(timing, 180),
        idempotency="levels are set, not turned: setting them again changes nothing",
        no_undo=f"the lease is {context.target}'s, and wardens set the levels by it; the way back is a failback",
        by_hand=(*context.change_lease(f"serving is {context.target}, or a warden sets the levels back"), *by_hand),
    )
