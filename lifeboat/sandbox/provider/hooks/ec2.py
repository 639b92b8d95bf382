"""EC2: security group rules, whose one input makes a structure of lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lifeboat.sandbox.provider.values import Value, Values

_SOURCES = {
    "cidrBlocks": ("IpRanges", "CidrIp"),
    "ipv6CidrBlocks": ("Ipv6Ranges", "CidrIpv6"),
    "prefixListIds": ("PrefixListIds", "PrefixListId"),
    "securityGroups": ("UserIdGroupPairs", "GroupId"),
}


def permissions_ingress(context: Values, arguments: Values) -> Values:
    """Rules written inside a group, for ``authorize_security_group_ingress``."""
    return {**arguments, "IpPermissions": _permissions(context, "ingress")}


def permissions_egress(context: Values, arguments: Values) -> Values:
    """Rules written inside a group, for ``authorize_security_group_egress``."""
    return {**arguments, "IpPermissions": _permissions(context, "egress")}


def prune_permissions(_: Values, arguments: Values) -> Values:
    """Rules as they were read, without the members that are empty: the API refuses those."""
    rules = cast("list[Values]", arguments["IpPermissions"])
    return {**arguments, "IpPermissions": [{k: v for k, v in rule.items() if v not in ([], None)} for rule in rules]}


def rule_permission(context: Values, arguments: Values) -> Values:
    """One rule of its own, for ``authorize_security_group_*``."""
    inputs = cast("Values", context["in"])
    permission: Values = {"IpProtocol": inputs.get("ipProtocol")}
    if inputs.get("ipProtocol") != "-1":
        permission |= {"FromPort": inputs.get("fromPort"), "ToPort": inputs.get("toPort")}
    described: Values = {"Description": inputs["description"]} if inputs.get("description") else {}
    for prop, member, name in (
        ("cidrIpv4", "IpRanges", "CidrIp"),
        ("cidrIpv6", "Ipv6Ranges", "CidrIpv6"),
        ("prefixListId", "PrefixListIds", "PrefixListId"),
        ("referencedSecurityGroupId", "UserIdGroupPairs", "GroupId"),
    ):
        if inputs.get(prop):
            permission[member] = [{name: inputs[prop], **described}]
    return {**arguments, "IpPermissions": [{k: v for k, v in permission.items() if v is not None}]}


def rule_change(context: Values, arguments: Values) -> Values:
    """One rule of its own, for ``modify_security_group_rules``."""
    inputs = cast("Values", context["in"])
    members = {
        "cidrIpv4": "CidrIpv4",
        "cidrIpv6": "CidrIpv6",
        "prefixListId": "PrefixListId",
        "referencedSecurityGroupId": "ReferencedGroupId",
        "description": "Description",
        "fromPort": "FromPort",
        "toPort": "ToPort",
        "ipProtocol": "IpProtocol",
    }
    rule: Value = {name: inputs[prop] for prop, name in members.items() if inputs.get(prop) is not None}
    return {**arguments, "SecurityGroupRules": [{"SecurityGroupRuleId": context["id"], "SecurityGroupRule": rule}]}


def _permissions(context: Values, direction: str) -> list[Value]:
    inputs = cast("Values", context["in"])
    rules = cast("list[Values]", inputs.get(direction) or [])
    return [_permission(rule, cast("Values", context["doc"])) for rule in rules]


def _permission(rule: Values, group: Values) -> Values:
    permission: Values = {"IpProtocol": rule["protocol"]}
    if rule["protocol"] != "-1":
        permission |= {"FromPort": rule["fromPort"], "ToPort": rule["toPort"]}
    described: Values = {"Description": rule["description"]} if rule.get("description") else {}
    for prop, (member, name) in _SOURCES.items():
        sources = cast("list[Value]", rule.get(prop) or [])
        if sources:
            permission[member] = [{name: source, **described} for source in sources]
    if rule.get("self"):
        pairs = cast("list[Value]", permission.get("UserIdGroupPairs") or [])
        permission["UserIdGroupPairs"] = [*pairs, {"GroupId": group["GroupId"], **described}]
    return permission
