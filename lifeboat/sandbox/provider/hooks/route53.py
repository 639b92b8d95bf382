"""Route 53: a record is written, found and removed as a whole set."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lifeboat.sandbox.provider.values import Value, Values


def record_written(context: Values, arguments: Values) -> Values:
    """The record set of the inputs."""
    return _with_record_set(context, arguments, cast("Values", context["in"]))


def record_removed(context: Values, arguments: Values) -> Values:
    """The record set of the state: the API deletes only what it is shown exactly."""
    return _with_record_set(context, arguments, cast("Values", context["out"]))


def record_found(context: Values, arguments: Values) -> Values:
    """Where to start listing, so that the record is on the first page."""
    key = cast("Values", context["key"])
    known = [cast("Values", context.get(part) or {}) for part in ("in", "out")]
    kind = next((part["type"] for part in known if part.get("type")), key["type"])
    label = next((part["setIdentifier"] for part in known if part.get("setIdentifier")), key.get("set"))
    found: Values = {"StartRecordName": _full_name(context, str(key["name"])), "StartRecordType": kind}
    if label:
        found["StartRecordIdentifier"] = label
    return {**arguments, **found}


def _with_record_set(context: Values, arguments: Values, record: Values) -> Values:
    batch = cast("Values", arguments["ChangeBatch"])
    change = cast("list[Values]", batch["Changes"])[0]
    record_set = _record_set(context, record)
    cast("Values", context["doc"])["fqdn"] = str(record_set["Name"]).rstrip(".")
    return {**arguments, "ChangeBatch": {"Changes": [{**change, "ResourceRecordSet": record_set}]}}


def _record_set(context: Values, record: Values) -> Values:
    ttl, records = record.get("ttl"), cast("list[Value]", record.get("records") or [])
    found: Values = {
        "Name": _full_name(context, str(record["name"])),
        "Type": record["type"],
        "SetIdentifier": record.get("setIdentifier") or None,
        "HealthCheckId": record.get("healthCheckId") or None,
        "TTL": int(ttl) if isinstance(ttl, int | float | str) and records else None,
        "ResourceRecords": [{"Value": value} for value in records] or None,
        "MultiValueAnswer": record.get("multivalueAnswerRoutingPolicy") or None,
    }
    if failover := _first(record, "failoverRoutingPolicies"):
        found["Failover"] = failover["type"]
    if weighted := _first(record, "weightedRoutingPolicies"):
        found["Weight"] = weighted["weight"]
    if latency := _first(record, "latencyRoutingPolicies"):
        found["Region"] = latency["region"]
    if place := _first(record, "geolocationRoutingPolicies"):
        names = {"continent": "ContinentCode", "country": "CountryCode", "subdivision": "SubdivisionCode"}
        found["GeoLocation"] = {name: place[prop] for prop, name in names.items() if place.get(prop)}
    if alias := _first(record, "aliases"):
        found["AliasTarget"] = {
            "DNSName": alias["name"],
            "HostedZoneId": alias["zoneId"],
            "EvaluateTargetHealth": alias["evaluateTargetHealth"],
        }
    return {name: value for name, value in found.items() if value is not None}


def _first(record: Values, prop: str) -> Values | None:
    items = record.get(prop)
    return cast("Values", items[0]) if isinstance(items, list) and items else None


def _full_name(context: Values, name: str) -> str:
    """A record's name with its zone's, as the provider completes it."""
    answer = cast("Values", cast("Values", context["doc"])["zone"])
    zone = str(cast("Values", answer["HostedZone"])["Name"]).rstrip(".")
    name = name.rstrip(".")
    if not name:
        return f"{zone}."
    return f"{name}." if name == zone or name.endswith(f".{zone}") else f"{name}.{zone}."
