"""Whether both records of a failover pair end in the same place."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Final

from policies.core.results import attempt, undecided, violation
from policies.core.values import UNKNOWN, UnknownPropertyError, is_set, texts
from policies.rules.aws_routing_graph import RECORD, failover_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.resource import Resource
    from policies.core.results import Result

_REGIONAL: Final = (
    "aws:apigateway/",
    "aws:apigatewayv2/",
    "aws:apprunner/",
    "aws:ec2/eip:",
    "aws:ec2/instance:",
    "aws:ec2/vpcEndpoint:",
    "aws:ecs/expressGatewayService:",
    "aws:elasticache/",
    "aws:elasticbeanstalk/environment:",
    "aws:elb/loadBalancer:",
    "aws:lambda/functionUrl:",
    "aws:lb/loadBalancer:",
    "aws:lightsail/",
    "aws:mq/broker:",
    "aws:msk/",
    "aws:opensearch/domain:",
    "aws:rds/",
    "aws:s3/bucket",
    "aws:transfer/server:",
    "aws:vpclattice/",
)
"""What a name can point to, and what is lost with its region."""
_GLOBAL: Final = ("aws:cloudfront/distribution:", "aws:globalaccelerator/", RECORD)
"""What a name can point to, and what has no region of its own."""
_ADDRESSES: Final = (
    "dnsName",
    "domainName",
    "regionalDomainName",
    "bucketRegionalDomainName",
    "bucketDomainName",
    "websiteEndpoint",
    "websiteDomain",
    "cname",
    "address",
    "endpoint",
    "endpointUrl",
    "apiEndpoint",
    "publicIp",
    "publicDns",
    "privateIp",
    "fqdn",
)
"""Outputs by which a record names such a resource."""


def targets_differ(context: Context) -> Iterable[Result]:
    """Check that the two records of each pair name different things, in different regions."""
    groups = failover_groups(context.index)
    yield from groups.loose
    addresses = _addresses(context.index)
    for group in groups.found:
        for records in group.records.values():
            for record in records:
                yield from _has_target(record)
        if group.pair is not None:
            yield from attempt(group.pair[1], partial(_apart, *group.pair, context.index, addresses))


def _has_target(record: Resource) -> Iterator[Result]:
    if not any(record.peek(path) is UNKNOWN or is_set(record.peek(path)) for path in ("records", "aliases")):
        yield violation(record, "records", "`records` or `aliases` must name a target", absent=True)


def _apart(
    primary: Resource, secondary: Resource, index: Index, addresses: dict[str, list[Resource]]
) -> Iterator[Result]:
    path = _target_path(secondary)
    ours, theirs = _literals(primary), _literals(secondary)
    if ours & theirs:
        yield violation(secondary, path, f"`{path}` must name another target than the PRIMARY's record does")
        return
    fronts, others = _resources(primary, index, addresses), _resources(secondary, index, addresses)
    if set(fronts) & set(others) and not (ours and theirs):
        yield violation(secondary, path, f"`{path}` must name another resource than the PRIMARY's record does")
        return
    regions, elsewhere = _regions(fronts, index), _regions(others, index)
    if regions & elsewhere:
        yield violation(secondary, path, f"`{path}` must name a resource in another region than the PRIMARY's")
        return
    for record, literals, resources in ((primary, ours, fronts), (secondary, theirs, others)):
        if not literals and not resources and is_set(record.peek(_target_path(record))):
            yield undecided(record, _target_path(record))


def _target_path(record: Resource) -> str:
    return "records" if is_set(record.peek("records")) else "aliases"


def _literals(record: Resource) -> set[str]:
    """The addresses that are written in a record, without what makes no difference."""
    found = list(texts(record.peek("records")))
    with contextlib.suppress(UnknownPropertyError):
        found += [name for alias in record.items("aliases") if isinstance(name := alias.peek("name"), str)]
    return {each.lower().rstrip(".").removeprefix("dualstack.") for each in found if each}


def _resources(record: Resource, index: Index, addresses: dict[str, list[Resource]]) -> list[Resource]:
    """The resources that a record points to: by the addresses in it, else by what it is made from."""
    named = [each for literal in _literals(record) for each in addresses.get(literal, ())]
    if named:
        return list(dict.fromkeys(named))
    path = _target_path(record)
    return [each for each in index.targets(record, path) if each.type.startswith((*_REGIONAL, *_GLOBAL))]


def _regions(resources: list[Resource], index: Index) -> set[str]:
    regional = (index.region(each) for each in resources if each.type.startswith(_REGIONAL))
    return {region for region in regional if region}


def _addresses(index: Index) -> dict[str, list[Resource]]:
    found: dict[str, list[Resource]] = {}
    for resource in index:
        if resource.type.startswith((*_REGIONAL, *_GLOBAL)):
            for output in _ADDRESSES:
                value = resource.outputs.get(output)
                if isinstance(value, str) and value:
                    host = value.removeprefix("https://").lower().rstrip("./").removeprefix("dualstack.")
                    found.setdefault(host, []).append(resource)
    return found
