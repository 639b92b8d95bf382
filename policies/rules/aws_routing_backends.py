"""AWS: what does not answer is taken out of service, by load balancers, groups, distributions and routing controls."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from policies.core.results import attempt, require, undecided, violation
from policies.core.values import UNKNOWN, is_false, is_set, is_true, number, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from policies.core.context import Context
    from policies.core.resource import Resource, View
    from policies.core.results import Result

_SAFETY_RULE: Final = "aws:route53recoverycontrol/safetyRule:SafetyRule"
_ATTACHMENTS: Final = (
    "aws:autoscaling/attachment:Attachment",
    "aws:autoscaling/trafficSourceAttachment:TrafficSourceAttachment",
)
_BALANCERS: Final = ("loadBalancers", "targetGroupArns", "trafficSources")
_LATTICE: Final = "vpc-lattice"
_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def _text(value: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(value, str) and bool(value)


def _target_group(group: Resource, _context: Context) -> Iterable[Result]:
    if group.get("targetType") == "lambda":
        return
    if not is_set(group.get("healthCheck")):
        yield violation(group, "healthCheck", "`healthCheck` must be defined", absent=True)
        return
    yield from require(group, "healthCheck.enabled", lambda value: not is_false(value), "true")
    protocol = group.get("healthCheck.protocol") or group.get("protocol")
    if isinstance(protocol, str) and protocol.upper() in {"HTTP", "HTTPS"}:
        yield from require(group, "healthCheck.path", _text, "set to what fails when the service does")


def _asg(group: Resource, context: Context) -> Iterable[Result]:
    if _asks_balancer(group.peek("healthCheckType")):
        return
    attached = any(context.index.companions(group, type_, "autoscalingGroupName") for type_ in _ATTACHMENTS)
    if not attached and not any(_balanced(group, path, context) for path in _BALANCERS):
        yield from (undecided(group, path) for path in _BALANCERS if group.peek(path) is UNKNOWN)
        return
    yield from require(group, "healthCheckType", _asks_balancer, "ELB, as the group is behind a load balancer")


def _balanced(group: Resource, path: str, context: Context) -> bool:
    """Whether a property puts a group behind a load balancer; VPC Lattice has a health check type of its own."""
    if group.peek(path) is UNKNOWN:
        return bool(context.index.targets(group, path))
    if path == "trafficSources":
        return any(source.peek("type") != _LATTICE for source in group.items(path))
    return is_set(group.peek(path))


def _asks_balancer(value: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(value, str) and "ELB" in {part.strip().upper() for part in value.split(",")}


def _origin_failover(distribution: Resource, _context: Context) -> Iterable[Result]:
    if is_true(distribution.get("staging")):
        return
    behaviours = [
        *distribution.items("defaultCacheBehavior"),
        *distribution.items("orderedCacheBehaviors"),
    ]
    reading = [each for each in behaviours if not _WRITES & set(texts(each.get("allowedMethods")))]
    if behaviours and not reading:
        return
    groups: dict[str, View] = {}
    for group in distribution.items("originGroups"):
        members = {name for member in group.items("members") if isinstance(name := member.get("originId"), str)}
        if len(members) > 1:
            identity = group.get("originId")
            groups[identity if isinstance(identity, str) else ""] = group
        else:
            yield violation(group, "members", f"`{group.prefix}.members` must be two different origins")
    if not groups:
        absent = distribution.get("originGroups") is None
        yield violation(distribution, "originGroups", "`originGroups` must have a group of two origins", absent=absent)
        return
    for group in groups.values():
        expected = "the answers on which the other origin is asked"
        yield from require(group, "failoverCriteria.statusCodes", is_set, expected)
    for behaviour in reading[:1]:
        expected = "an origin group: a group that nothing asks does not fail over"
        yield from require(
            behaviour, "targetOriginId", lambda value: isinstance(value, str) and value in groups, expected
        )


def _safety_rule(panel: Resource, context: Context) -> Iterable[Result]:
    rules = context.index.companions(panel, _SAFETY_RULE, "controlPanelArn")
    assertions = [
        rule for rule in rules if rule.peek("assertedControls") is UNKNOWN or is_set(rule.peek("assertedControls"))
    ]
    if not assertions:
        yield violation(panel, "", "the control panel must have a safety rule with `assertedControls`")
    for rule in assertions:
        yield from attempt(rule, partial(_asserts, rule))


def _asserts(rule: Resource) -> Iterator[Result]:
    """The rule keeps at least one of its controls on; inverted, it would keep one off."""
    yield from require(rule, "ruleConfig.inverted", lambda value: not is_true(value), "false")
    if rule.get("ruleConfig.type") == "ATLEAST":
        yield from require(rule, "ruleConfig.threshold", lambda value: (number(value) or 0) >= 1, "at least 1")
    else:
        yield from require(rule, "ruleConfig.type", lambda value: value in ("AND", "OR"), "ATLEAST, AND or OR")


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "target-group-health-check": _target_group,
    "asg-elb-health-check": _asg,
    "cloudfront-origin-failover": _origin_failover,
    "arc-safety-rule": _safety_rule,
}
