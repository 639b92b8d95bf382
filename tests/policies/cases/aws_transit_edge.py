"""Cases of `policies.rules.aws_transit_edge`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

BUCKET = "aws:s3/bucket:Bucket"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
LISTENER = "aws:lb/listener:Listener"
ALB_LISTENER = "aws:alb/listener:Listener"
RULE = "aws:lb/listenerRule:ListenerRule"
CLASSIC = "aws:elb/loadBalancer:LoadBalancer"
NEGOTIATION = "aws:elb/sslNegotiationPolicy:SslNegotiationPolicy"
CLASSIC_POLICY = "aws:elb/loadBalancerPolicy:LoadBalancerPolicy"
ASSIGNMENT = "aws:elb/listenerPolicy:ListenerPolicy"
MODERN = "ELBSecurityPolicy-TLS13-1-2-2021-06"
WHOLE = ["arn:aws:s3:::files", "arn:aws:s3:::files/*"]
TO_TLS = {"type": "redirect", "redirect": {"protocol": "HTTPS", "statusCode": "HTTP_301"}}


def _deny(**changed: object) -> dict[str, object]:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": WHOLE,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        **changed,
    }


def _document(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _policies(*documents: object) -> list[Resource]:
    return [make(POLICY, f"p{each}", {"bucket": "files", "policy": text}) for each, text in enumerate(documents)]


def _https(port: object) -> dict[str, object]:
    return {"lbPort": port, "lbProtocol": "HTTPS"}


_bucket = make(BUCKET, "bucket", {"bucket": "files"})
_allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": WHOLE}
_http = make(LISTENER, "http", {"protocol": "HTTP", "port": 80, "defaultActions": [TO_TLS]})
_gateway = make(BALANCER, "gateway", {"loadBalancerType": "gateway"})
_application = make(BALANCER, "application")
_classic = make(CLASSIC, "classic", {"name": "classic", "listeners": [_https(443), _https("8443")]})
_strict = make(
    CLASSIC_POLICY,
    "strict",
    {
        "loadBalancerName": "classic",
        "policyName": "strict",
        "policyAttributes": [
            {"name": "Protocol-TLSv1.2", "value": "true"},
            {"name": "Protocol-TLSv1", "value": "false"},
        ],
    },
)

CASES: dict[str, list[Case]] = {
    "s3-tls-only": [
        Case(kind="passes", about="inline", resources=[make(BUCKET, inputs={"policy": _document(_allow, _deny())})]),
        Case(
            kind="passes",
            about="other ways to write it",
            resources=[
                _bucket,
                *_policies(
                    _document(_deny(Principal={"AWS": ["*"]}, Action=["S3:*"], Resource="*")),
                    json.dumps({"Statement": _deny(Condition={"BoolIfExists": {"AWS:securetransport": [False]}})}),
                    {"Statement": [_deny(Resource=["arn:aws:s3:::files*"], Action="*")]},
                    _document(
                        _deny(Condition={"Bool": {"aws:SecureTransport": "false", "aws:ViaAWSService": "false"}})
                    ),
                ),
            ],
        ),
        Case(
            kind="fails",
            about="a denial that lets something through",
            resources=[
                _bucket,
                *_policies(
                    _document(_allow),
                    _document(_deny(Effect="Allow")),
                    _document(_deny(Principal={"AWS": "arn:aws:iam::123456789012:root"})),
                    _document(_deny(Action="s3:GetObject")),
                    _document(_deny(Resource=["arn:aws:s3:::files", "arn:aws:s3:::files/public/*"])),
                    _document(_deny(Resource="arn:aws:s3:::files/*")),
                    _document(_deny(Condition={"Bool": {"aws:SecureTransport": "true"}})),
                    _document(_deny(Condition={"Bool": {"aws:SecureTransport": "false", "aws:Other": "false"}})),
                    _document(
                        _deny(
                            Condition={
                                "Bool": {"aws:SecureTransport": "false"},
                                "StringNotEquals": {"aws:PrincipalAccount": "123456789012"},
                            }
                        )
                    ),
                    _document(_deny(Condition={})),
                    _document(_deny(Condition={"StringNotEquals": {"aws:SecureTransport": "false"}})),
                    "{no JSON",
                    "[]",
                    7,
                    {"Statement": ["odd", {"Condition": "odd", "Principal": 7}]},
                ),
            ],
            violated=[f"p{each}:policy" for each in range(15)],
        ),
        Case(kind="absent", about="no policy at all", resources=[_bucket], violated=["bucket:policy"]),
        Case(
            kind="unknown",
            resources=[
                make(BUCKET, inputs={"policy": UNKNOWN}),
                _bucket,
                make(POLICY, "a", {"bucket": UNKNOWN, "policy": UNKNOWN}, uses={"bucket": _bucket}),
                make(POLICY, "b", {"bucket": "files", "policy": {"Statement": [_deny(Resource=[UNKNOWN])]}}),
                make(POLICY, "c", {"bucket": "files", "policy": {"Statement": [UNKNOWN, _deny()]}}),
            ],
            undecided=["a:policy", "b:policy", "it:policy"],
        ),
        Case(
            kind="companion",
            about="by dependency and by name",
            resources=[
                other := make(BUCKET, "other"),
                _bucket,
                make(BUCKET, "open"),
                make(POLICY, "a", {"bucket": UNKNOWN, "policy": _document(_deny())}, uses={"bucket": other}),
                make(POLICY, "b", {"bucket": "files", "policy": _document(_deny())}),
            ],
            violated=["open:policy"],
        ),
        Case(
            kind="companion",
            about="of a bucket that is only looked up, or elsewhere",
            resources=[
                read := make(BUCKET, "read", read_only=True),
                make(POLICY, "a", {"bucket": UNKNOWN, "policy": _document(_allow)}, uses={"bucket": read}),
                make(POLICY, "b", {"bucket": "elsewhere", "policy": _document(_deny())}),
            ],
            violated=["a:policy"],
        ),
    ],
    "lb-listener-tls": [
        Case(
            kind="passes",
            resources=[
                _http,
                make(LISTENER, "a", {"protocol": "HTTPS", "sslPolicy": MODERN}),
                make(ALB_LISTENER, "b", {"protocol": "https", "sslPolicy": "ELBSecurityPolicy-FS-1-2-Res-2020-10"}),
                make(LISTENER, "c", {"protocol": "TLS", "sslPolicy": "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04"}),
            ],
        ),
        Case(
            kind="fails",
            resources=[
                make(LISTENER, "a", {"protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-TLS13-1-1-2021-06"}),
                make(LISTENER, "b", {"protocol": "HTTP", "defaultActions": [{"type": "forward"}, 3]}),
                make(
                    ALB_LISTENER,
                    "c",
                    {"protocol": "HTTP", "defaultActions": [{"type": "redirect", "redirect": {"protocol": "HTTP"}}]},
                ),
                make(LISTENER, "d", {"protocol": ["HTTPS"], "port": 443}),
                make(CLASSIC, "e", {"listeners": [{"lbProtocol": "http"}, "odd"]}),
            ],
            violated=[
                "a:sslPolicy",
                "b:defaultActions.0.type",
                "b:defaultActions.1.type",
                "c:defaultActions.0.redirect.protocol",
                "d:protocol",
                "e:listeners.0.lbProtocol",
                "e:listeners.1.lbProtocol",
            ],
        ),
        Case(
            kind="fails",
            about="TCP where it is not to be passed on",
            resources=[
                make(LISTENER, inputs={"protocol": "TCP"}),
                make(CLASSIC, "classic", {"listeners": [{"lbProtocol": "TCP"}]}),
            ],
            parameters={"pass_on": False},
            violated=["classic:listeners.0.lbProtocol", "it:protocol"],
        ),
        Case(
            kind="absent",
            resources=[
                _application,
                make(LISTENER, "a"),
                make(LISTENER, "b", {"port": 443}),
                make(LISTENER, "c", {"protocol": "HTTPS"}),
                make(LISTENER, "g", {"port": 443, "loadBalancerArn": "arn:aws:elasticloadbalancing:a"}),
                make(LISTENER, "d", {"protocol": "HTTP"}),
                make(LISTENER, "e", {"protocol": "HTTP", "defaultActions": [{"type": "redirect"}]}),
                make(LISTENER, "f", {"loadBalancerArn": UNKNOWN}, uses={"loadBalancerArn": _application}),
            ],
            violated=[
                "a:protocol",
                "b:protocol",
                "c:sslPolicy",
                "d:protocol",
                "e:defaultActions.0.redirect.protocol",
                "f:protocol",
                "g:protocol",
            ],
        ),
        Case(
            kind="unknown",
            resources=[
                make(LISTENER, "a", {"protocol": UNKNOWN}),
                make(LISTENER, "b", {"protocol": "TLS", "sslPolicy": UNKNOWN}),
                make(LISTENER, "c", {"protocol": "HTTP", "defaultActions": [UNKNOWN, {"type": "forward"}]}),
                make(CLASSIC, "d", {"listeners": [UNKNOWN, {"lbProtocol": "HTTP"}]}),
            ],
            undecided=["a:protocol", "b:sslPolicy", "c:defaultActions.0.type", "d:listeners.0.lbProtocol"],
            violated=["c:defaultActions.1.type", "d:listeners.1.lbProtocol"],
        ),
        Case(
            kind="exempt",
            about="what only passes bytes on",
            resources=[
                _gateway,
                make(LISTENER, "a", {"protocol": "TCP", "port": 5432}),
                make(LISTENER, "b", {"loadBalancerArn": UNKNOWN}, uses={"loadBalancerArn": _gateway}),
                make(LISTENER, "c", {"loadBalancerArn": "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/gwy/a"}),
                make(CLASSIC, "d", {"listeners": [{"lbProtocol": "TCP"}]}),
            ],
        ),
        Case(
            kind="companion",
            about="a rule that forwards where the listener redirects",
            resources=[
                _http,
                make(
                    RULE,
                    "forwards",
                    {"listenerArn": UNKNOWN, "actions": [{"type": "forward"}]},
                    uses={"listenerArn": _http},
                ),
                make(RULE, "fixed", {"listenerArn": UNKNOWN, "actions": [TO_TLS]}, uses={"listenerArn": _http}),
                make(RULE, "hidden", {"listenerArn": UNKNOWN, "actions": UNKNOWN}, uses={"listenerArn": _http}),
                make(RULE, "elsewhere", {"listenerArn": "arn:aws:a", "actions": [{"type": "forward"}]}),
            ],
            undecided=["hidden:actions"],
            violated=["forwards:actions.0.type"],
        ),
        Case(
            kind="companion",
            about="the policies of a classic balancer's ports",
            resources=[
                _classic,
                make(
                    NEGOTIATION,
                    "reference",
                    {
                        "loadBalancer": UNKNOWN,
                        "lbPort": 443,
                        "attributes": [
                            {"name": "Reference-Security-Policy", "value": "ELBSecurityPolicy-TLS-1-2-2017-01"}
                        ],
                    },
                    uses={"loadBalancer": _classic},
                ),
                _strict,
                make(
                    ASSIGNMENT,
                    "assignment",
                    {"loadBalancerName": "classic", "loadBalancerPort": 8443, "policyNames": ["strict"]},
                ),
            ],
        ),
        Case(
            kind="companion",
            about="an old policy, and none at all",
            resources=[
                _classic,
                make(
                    NEGOTIATION,
                    "old",
                    {
                        "loadBalancer": "classic",
                        "lbPort": 443,
                        "attributes": [
                            {"name": "Protocol-TLSv1", "value": "true"},
                            {"name": "Protocol-TLSv1.2", "value": "true"},
                        ],
                    },
                ),
                _strict,
                make(
                    NEGOTIATION,
                    "other-port",
                    {
                        "loadBalancer": "classic",
                        "lbPort": 9443,
                        "attributes": [{"name": "Protocol-TLSv1.2", "value": "true"}],
                    },
                ),
                make(
                    ASSIGNMENT,
                    "assignment",
                    {"loadBalancerName": "classic", "loadBalancerPort": 9444, "policyNames": ["strict"]},
                ),
            ],
            violated=["classic:listeners.0.lbProtocol", "classic:listeners.1.lbProtocol"],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "s3-tls-only": {"exempt": "AWS's own services use TLS too, so every bucket can demand it"},
}
"""By rule and kind: why there is no such case."""
