"""AWS: buckets and load balancers take requests with TLS only."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from policies.core.results import attempt, require, undecided, violation
from policies.core.roles import BUCKET
from policies.core.values import UNKNOWN, document, is_false, is_set, is_true, mapping, number, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.resource import Resource, View
    from policies.core.results import Result

BUCKET_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
CLASSIC_BALANCER: Final = "aws:elb/loadBalancer:LoadBalancer"
BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
LISTENER_RULE: Final = "aws:lb/listenerRule:ListenerRule"
_NEGOTIATION: Final = "aws:elb/sslNegotiationPolicy:SslNegotiationPolicy"
_CLASSIC_POLICY: Final = "aws:elb/loadBalancerPolicy:LoadBalancerPolicy"
_CLASSIC_ASSIGNMENT: Final = "aws:elb/listenerPolicy:ListenerPolicy"
_PASSED_ON: Final = frozenset({"TCP", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC", "GENEVE"})
_MODERN: Final = re.compile(r"ELBSecurityPolicy-(TLS13-1-[23]|TLS-1-2|FS-1-2)(-.+)?")
_OLD_PROTOCOLS: Final = ("Protocol-SSLv2", "Protocol-SSLv3", "Protocol-TLSv1", "Protocol-TLSv1.1")
_WHOLE_BUCKET: Final = re.compile(r"(\*|arn:[^:]*:s3:::[^/]+)")
_ALL_OBJECTS: Final = re.compile(r"(\*|arn:[^:]*:s3:::([^/]*\*|[^/]+/\*))")
_SERVICES: Final = frozenset({"aws:viaawsservice", "aws:principalisawsservice"})
"""Conditions that leave out what AWS's own services send, which is over TLS."""


def _s3_tls_only(resource: Resource, context: Context) -> Iterable[Result]:
    if resource.type == BUCKET and resource.peek("policy") is None:
        if not context.index.companions(resource, BUCKET_POLICY, "bucket"):
            message = "`policy` must deny requests without TLS, here or in a separate resource"
            yield violation(resource, "policy", message, absent=True)
        return
    policy = document(resource.get("policy"))
    statements = _list(policy.get("Statement"))
    if any(_denies_plaintext(mapping(each)) for each in statements):
        return
    if _has_unknown(policy):
        yield undecided(resource, "policy")
    else:
        message = (
            "`policy` must deny everybody `s3:*` on the bucket and all of its objects unless `aws:SecureTransport`"
        )
        yield violation(resource, "policy", message)


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _has_unknown(value: Any) -> bool:  # noqa: ANN401 - JSON
    pending = [value]
    while pending:
        each = pending.pop()
        if each is UNKNOWN:
            return True
        if isinstance(each, dict):
            pending += cast("dict[str, Any]", each).values()
        elif isinstance(each, list):
            pending += cast("list[Any]", each)
    return False


def _denies_plaintext(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    everybody = "*" in texts(mapping(principal).get("AWS")) or principal == "*"
    everything = any(action.lower() in {"*", "s3:*"} for action in texts(statement.get("Action")))
    # S3 refuses policies about other buckets, so their names need no comparison.
    resources = texts(statement.get("Resource"))
    return (
        statement.get("Effect") == "Deny"
        and everybody
        and everything
        and any(_WHOLE_BUCKET.fullmatch(each) for each in resources)
        and any(_ALL_OBJECTS.fullmatch(each) for each in resources)
        and _only_plaintext(mapping(statement.get("Condition")))
    )


def _only_plaintext(condition: Mapping[str, Any]) -> bool:
    """Whether a condition holds for every request without TLS: any further one would let some of them through."""
    if not condition or not condition.keys() <= {"Bool", "BoolIfExists"}:
        return False
    flags = {key.lower(): value for each in condition.values() for key, value in mapping(each).items()}
    plaintext = flags.pop("aws:securetransport", None)
    return any(map(is_false, _list(plaintext))) and all(
        key in _SERVICES and any(map(is_false, _list(value))) for key, value in flags.items()
    )


def _lb_listener_tls(resource: Resource, context: Context) -> Iterable[Result]:
    passed_on = _PASSED_ON if is_true(context.parameters["pass_on"]) else frozenset[str]()
    if resource.type == CLASSIC_BALANCER:
        for listener in resource.items("listeners"):
            yield from attempt(listener, partial(_classic, listener, context.index, passed_on))
        return
    protocol = _upper(resource.get("protocol"))
    if protocol in {"HTTPS", "TLS"}:
        yield from require(resource, "sslPolicy", _is_modern, "a policy of TLS 1.2 or later")
    elif protocol == "HTTP":
        yield from _redirects(resource, context.index)
    elif protocol not in passed_on and not (protocol == "" and _is_gateway(resource, context.index)):
        message = "`protocol` must be `HTTPS` or `TLS`, or `HTTP` that redirects"
        yield violation(resource, "protocol", message, absent=resource.get("protocol") is None)


def _upper(value: Any) -> str:  # noqa: ANN401 - JSON
    return value.upper() if isinstance(value, str) else ""


def _is_modern(policy: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(policy, str) and _MODERN.fullmatch(policy) is not None


def _is_gateway(listener: Resource, index: Index) -> bool:
    """Only the listener of a gateway load balancer has neither protocol nor port."""
    if is_set(listener.get("protocol")) or is_set(listener.get("port")):
        return False
    balancer = index.target(listener, "loadBalancerArn", BALANCER)
    if balancer is None or balancer.inputs is None:
        return is_set(listener.peek("loadBalancerArn"))
    return balancer.get("loadBalancerType") == "gateway"


def _redirects(listener: Resource, index: Index) -> Iterator[Result]:
    """A listener without TLS that sends everybody to one with it, by its default action and by each of its rules."""
    actions = listener.items("defaultActions")
    if not actions:
        yield violation(listener, "protocol", "`protocol` must be `HTTPS`, or `defaultActions` must redirect to it")
    for action in actions:
        if action.peek("type") in ("redirect", UNKNOWN):
            yield from attempt(action, partial(_redirect, action))
        else:
            yield from require(action, "type", lambda _: False, "`redirect` where the protocol is `HTTP`")
    for rule in index.companions(listener, LISTENER_RULE, "listenerArn"):
        yield from attempt(rule, partial(_forwards_nothing, rule))


def _redirect(action: View) -> Iterator[Result]:
    # A type that is not known yet makes the whole action undecided.
    action.get("type")
    yield from require(action, "redirect.protocol", lambda value: _upper(value) == "HTTPS", "`HTTPS`")


def _forwards_nothing(rule: Resource) -> Iterator[Result]:
    for action in rule.items("actions"):
        yield from require(
            action, "type", lambda value: value != "forward", "another than `forward` on a listener without TLS"
        )


def _classic(listener: View, index: Index, passed_on: frozenset[str]) -> Iterator[Result]:
    protocol = _upper(listener.get("lbProtocol"))
    if protocol in {"HTTPS", "SSL"}:
        port = number(listener.get("lbPort"))
        if not any(map(_negotiates, _classic_policies(listener.resource, port, index))):
            message = f"`{listener.prefix}` must have a negotiation policy of TLS 1.2 in a separate resource"
            yield violation(listener, "lbProtocol", message)
    elif protocol not in passed_on:
        yield from require(listener, "lbProtocol", lambda _: False, "`HTTPS` or `SSL`")


def _classic_policies(balancer: Resource, port: float | None, index: Index) -> Iterator[tuple[View, ...]]:
    """The attributes of every policy for a port of a classic balancer."""
    for policy in index.companions(balancer, _NEGOTIATION, "loadBalancer"):
        if number(policy.get("lbPort")) == port:
            yield policy.items("attributes")
    for assignment in index.companions(balancer, _CLASSIC_ASSIGNMENT, "loadBalancerName"):
        if number(assignment.get("loadBalancerPort")) == port:
            assigned = index.targets(assignment, "policyNames", _CLASSIC_POLICY)
            names = texts(assignment.peek("policyNames"))
            for policy in index.companions(balancer, _CLASSIC_POLICY, "loadBalancerName"):
                if policy in assigned or policy.peek("policyName") in names:
                    yield policy.items("policyAttributes")


def _negotiates(attributes: tuple[View, ...]) -> bool:
    """Whether a policy's attributes allow no protocol before TLS 1.2."""
    given = {name: each.get("value") for each in attributes if isinstance(name := each.get("name"), str)}
    reference = given.get("Reference-Security-Policy")
    if reference is not None:
        return _is_modern(reference)
    return is_true(given.get("Protocol-TLSv1.2")) and not any(is_true(given.get(old)) for old in _OLD_PROTOCOLS)


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "s3-tls-only": _s3_tls_only,
    "lb-listener-tls": _lb_listener_tls,
}
