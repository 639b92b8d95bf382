"""Google Cloud: databases, buckets and caches keep their data, keep it private and survive a region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from policies.core.gcp import gcp_region
from policies.core.results import attempt, require, undecided, violation
from policies.core.roles import is_replica
from policies.core.values import (
    UNKNOWN,
    UnknownPropertyError,
    at_least,
    is_false,
    is_set,
    is_true,
    known,
    number,
    texts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from policies.core.context import Context
    from policies.core.resource import Resource
    from policies.core.results import Result

DATABASE: Final = "gcp:sql/databaseInstance:DatabaseInstance"
SPANNER: Final = "gcp:spanner/database:Database"
BIGTABLE: Final = "gcp:bigtable/instance:Instance"
TABLE: Final = "gcp:bigquery/table:Table"

_BACKUPS: Final = "settings.backupConfiguration"
_RETAINED_BY_DEFAULT: Final = 7
"""Backups, and days of transaction logs, that Cloud SQL keeps where nobody says; its larger edition keeps more."""
_TLS_MODES: Final = ("ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED")
_DUAL_OR_MULTI: Final = ("ASIA", "EU", "US", "ASIA1", "EUR4", "EUR5", "EUR7", "EUR8", "NAM4")
_DUAL_REGIONS: Final = ("ASIA1", "EUR4", "EUR5", "EUR7", "EUR8", "NAM4")
_RETENTION: Final = "retentionPolicy.retentionPeriod"
_DAY: Final = 86400
_PLACEMENT: Final = "customPlacementConfig.dataLocations"
_DUAL: Final = 2
_PROTECTION: Final[Mapping[str, Mapping[str, bool]]] = {
    SPANNER: {"enableDropProtection": False, "deletionProtection": True},
    BIGTABLE: {"deletionProtection": True},
    TABLE: {"deletionProtection": True},
}
"""Flags by type, each with its default."""
_DATA_ELSEWHERE: Final = ("view", "materializedView", "externalDataConfiguration")
"""A table with one of these only shows data that something else keeps."""


def _cloudsql_backup(resource: Resource, context: Context) -> Iterable[Result]:
    if not is_replica(resource, context.index):
        yield from require(resource, f"{_BACKUPS}.enabled", is_true, "true")


def _cloudsql_pitr(resource: Resource, context: Context) -> Iterable[Result]:
    if is_replica(resource, context.index):
        return
    version = resource.get("databaseVersion")
    # MySQL replays its binary log; the flag of the others is refused there.
    mysql = isinstance(version, str) and version.upper().startswith("MYSQL")
    flag = "binaryLogEnabled" if mysql else "pointInTimeRecoveryEnabled"
    yield from require(resource, f"{_BACKUPS}.{flag}", is_true, "true")


def _cloudsql_regional_ha(resource: Resource, context: Context) -> Iterable[Result]:
    if context.parameters["replicas"] or not is_replica(resource, context.index):
        yield from require(resource, "settings.availabilityType", lambda value: value == "REGIONAL", "`REGIONAL`")


def _cloudsql_retention(resource: Resource, context: Context) -> Iterable[Result]:
    if is_replica(resource, context.index):
        return
    for path, least, unit in (
        ("backupRetentionSettings.retainedBackups", context.parameters["backups"], "backups"),
        ("transactionLogRetentionDays", context.parameters["log_days"], "days"),
    ):
        yield from require(resource, f"{_BACKUPS}.{path}", _retained(least), f"at least {least:g} {unit}")


def _retained(least: float) -> Callable[[Any], bool]:
    enough = at_least(least)
    return lambda value: enough(_RETAINED_BY_DEFAULT if value is None else value)


def _cloudsql_tls(resource: Resource, _context: Context) -> Iterable[Result]:
    expected = " or ".join(f"`{mode}`" for mode in _TLS_MODES)
    yield from require(resource, "settings.ipConfiguration.sslMode", lambda value: value in _TLS_MODES, expected)


def _cloudsql_private(resource: Resource, _context: Context) -> Iterable[Result]:
    yield from require(resource, "settings.ipConfiguration.ipv4Enabled", is_false, "false")


def _cloudsql_deletion_protection(resource: Resource, _context: Context) -> Iterable[Result]:
    yield from require(resource, "settings.deletionProtectionEnabled", is_true, "true")


def _cloudsql_cross_region_replica(primary: Resource, context: Context) -> Iterable[Result]:
    if not context.tier1(primary) or is_replica(primary, context.index):
        return
    replicas = context.index.companions(primary, DATABASE, "masterInstanceName")
    here = gcp_region(primary) if replicas else ""
    open_: list[Result] = []
    for replica in replicas:
        try:
            there = gcp_region(replica)
        except UnknownPropertyError as fault:
            open_.append(undecided(replica, fault.path))
            continue
        if here and there and there != here:
            return
        if not (here and there):
            # The environment of the provider decides, which nobody sees from here.
            open_.append(undecided(replica if here else primary, "region"))
    if open_:
        yield from open_
    else:
        yield violation(primary, "", "a read replica in another region must follow it: it is of tier 1")


def _gcs_versioning(bucket: Resource, context: Context) -> Iterable[Result]:
    period = bucket.peek(_RETENTION)
    if period is UNKNOWN and not is_true(bucket.peek("versioning.enabled")):
        yield undecided(bucket, _RETENTION)
    elif period is UNKNOWN or (number(period) or 0) < context.parameters["retention_days"] * _DAY:
        yield from require(bucket, "versioning.enabled", is_true, "true")


def _gcs_private(bucket: Resource, _context: Context) -> Iterable[Result]:
    yield from require(bucket, "publicAccessPrevention", lambda value: value == "enforced", "`enforced`")


def _gcs_dual_region_rpo(bucket: Resource, context: Context) -> Iterable[Result]:
    demanded = context.objectives(bucket)
    if demanded.tier is not None and demanded.tier > 1:
        return
    if demanded.without_rpo:
        return
    yield from attempt(bucket, lambda: _dual_or_multi(bucket))
    if demanded.rpo is not None and demanded.rpo <= context.parameters["turbo_minutes"] * 60:
        yield from require(bucket, "rpo", lambda value: value == "ASYNC_TURBO", "`ASYNC_TURBO`")
        yield from attempt(bucket, lambda: _has_turbo(bucket))


def _has_turbo(bucket: Resource) -> Iterable[Result]:
    """Cloud Storage refuses turbo replication for its multi-regions."""
    location = bucket.get("location")
    multi = isinstance(location, str) and location.upper() in _DUAL_OR_MULTI and location.upper() not in _DUAL_REGIONS
    if multi and not is_set(bucket.peek(_PLACEMENT)):
        yield violation(bucket, "location", "`location` must be a dual-region: a multi-region has no turbo replication")


def _dual_or_multi(bucket: Resource) -> Iterable[Result]:
    placed = bucket.get(_PLACEMENT)
    if len({region.upper() for region in texts(placed)}) >= _DUAL:
        return
    if isinstance(placed, list):
        for position, region in enumerate(cast("list[Any]", placed)):
            known(region, f"{_PLACEMENT}.{position}")
    location = bucket.get("location")
    if isinstance(location, str) and location.upper() in _DUAL_OR_MULTI:
        return
    yield violation(
        bucket,
        "location",
        f"`location` must be a dual-region or a multi-region, or `{_PLACEMENT}` name two regions",
        absent=location is None,
    )


def _deletion_protected(resource: Resource, _context: Context) -> Iterable[Result]:
    if resource.type == TABLE and any(is_set(resource.peek(path)) for path in _DATA_ELSEWHERE):
        return
    for property_, default in _PROTECTION[resource.type].items():
        yield from require(resource, property_, _is_on(default=default), "true")


def _is_on(*, default: bool) -> Callable[[Any], bool]:
    return lambda value: is_true(default if value is None else value)


def _memorystore_tls_ha(resource: Resource, _context: Context) -> Iterable[Result]:
    for property_, expected in (("transitEncryptionMode", "SERVER_AUTHENTICATION"), ("tier", "STANDARD_HA")):
        yield from require(resource, property_, lambda value, wanted=expected: value == wanted, f"`{expected}`")


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "cloudsql-backup": _cloudsql_backup,
    "cloudsql-pitr": _cloudsql_pitr,
    "cloudsql-regional-ha": _cloudsql_regional_ha,
    "cloudsql-retention": _cloudsql_retention,
    "cloudsql-tls": _cloudsql_tls,
    "cloudsql-private": _cloudsql_private,
    "cloudsql-api-deletion-protection": _cloudsql_deletion_protection,
    "cloudsql-cross-region-replica": _cloudsql_cross_region_replica,
    "gcs-versioning": _gcs_versioning,
    "gcs-private": _gcs_private,
    "gcs-dual-region-rpo": _gcs_dual_region_rpo,
    "spanner-bigtable-bigquery-protected": _deletion_protected,
    "memorystore-tls-ha": _memorystore_tls_ha,
}
