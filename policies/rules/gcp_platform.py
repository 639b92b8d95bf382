"""Google Cloud: keys, clusters, disks and names survive what happens to a region."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

from policies.core.gcp import gcp_region, is_region, region_of
from policies.core.results import Kind, Result, attempt, require, undecided, violation
from policies.core.schedules import longest_interval
from policies.core.values import UNKNOWN, at_least, is_false, is_set, is_true, known, number, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from policies.core.context import Context
    from policies.core.resource import Resource, View

NODE_POOL: Final = "gcp:container/nodePool:NodePool"
BACKUP_PLAN: Final = "gcp:gkebackup/backupPlan:BackupPlan"
RESOURCE_POLICY: Final = "gcp:compute/resourcePolicy:ResourcePolicy"
DISK_ATTACHMENT: Final = "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment"

KMS_KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
_PLAN_KEY: Final = "backupConfig.encryptionKey.gcpKmsEncryptionKey"
_ROTATED: Final = "ENCRYPT_DECRYPT"
"""The only purpose whose keys rotate by themselves, and the default."""
_SECONDS: Final = re.compile(r"(\d+(?:\.\d{1,9})?)s")
_CRON: Final = "backupSchedule.cronSchedule"
_TARGET_MINUTES: Final = "backupSchedule.rpoConfig.targetRpoMinutes"
_STORAGE: Final = "snapshotSchedulePolicy.snapshotProperties.storageLocations"
_ADDRESSES: Final = ("A", "AAAA")
_PRIMARY_BACKUP: Final = "routingPolicy.primaryBackup"
_HEALTH_CHECK: Final = "routingPolicy.healthCheck"
_PAIR: Final = 2


def _kms_rotation(key: Resource, context: Context) -> Iterable[Result]:
    purpose = key.get("purpose")
    if purpose not in (None, _ROTATED) or is_true(key.get("importOnly")):
        return
    most = context.parameters["days"] * 86400
    yield from require(
        key, "rotationPeriod", _at_most_seconds(most), f"at most {most:g} seconds, written as `{most:g}s`"
    )


def _at_most_seconds(most: float) -> Callable[[Any], bool]:
    def accepted(value: Any) -> bool:  # noqa: ANN401 - JSON
        match = _SECONDS.fullmatch(value) if isinstance(value, str) else None
        return match is not None and 0 < float(match[1]) <= most

    return accepted


def _kms_protected(key: Resource, _context: Context) -> Iterable[Result]:
    if not key.protect:
        yield violation(key, "opts.protect", "`opts.protect` must be true: what the key encrypted is lost with it")


def _gke_private(cluster: Resource, context: Context) -> Iterable[Result]:
    yield from require(cluster, "privateClusterConfig.enablePrivateNodes", is_true, "true")
    yield from attempt(cluster, lambda: _inherited(cluster.items("nodePools")))
    yield from _inherited(context.index.companions(cluster, NODE_POOL, "cluster"))


def _inherited(pools: Iterable[Resource | View]) -> Iterable[Result]:
    # A pool follows its cluster unless it says otherwise.
    for pool in pools:
        yield from require(pool, "networkConfig.enablePrivateNodes", lambda value: not is_false(value), "true")


def _gke_regional_and_backed_up(cluster: Resource, context: Context) -> Iterable[Result]:
    yield from require(cluster, "location", is_region, "a region, not a zone")
    plans = context.index.companions(cluster, BACKUP_PLAN, "cluster")
    if not plans:
        yield violation(cluster, "", "a backup plan must name it as its `cluster`")
        return
    rpo = context.objectives(cluster).rpo
    # One plan that does all is enough; of several that do not, the best one is told what it lacks.
    yield from _best(list(_plan(plan, rpo, context)) for plan in plans)


def _plan(plan: Resource, rpo: float | None, context: Context) -> Iterable[Result]:
    days = context.parameters["days"]
    # A key that the same update makes is one all the same.
    if not (plan.peek(_PLAN_KEY) is UNKNOWN and context.index.targets(plan, _PLAN_KEY, KMS_KEY)):
        yield from require(plan, _PLAN_KEY, is_set, "a key of your own")
    yield from require(plan, "backupConfig.includeVolumeData", is_true, "true")
    yield from require(plan, "retentionPolicy.backupRetainDays", at_least(days), f"at least {days:g} days")
    for property_ in ("deactivated", "backupSchedule.paused"):
        yield from require(plan, property_, lambda value: not is_true(value), "false")
    yield from attempt(plan, lambda: _often_enough(plan, rpo))


def _often_enough(plan: Resource, rpo: float | None) -> Iterable[Result]:
    minutes = number(plan.get(_TARGET_MINUTES))
    path = _CRON if minutes is None else _TARGET_MINUTES
    interval = longest_interval(plan.get(_CRON)) if minutes is None else minutes * 60
    if interval is None:
        yield violation(plan, path, f"`{path}` must be a cron schedule", absent=plan.get(path) is None)
    elif rpo is not None and interval > rpo:
        yield violation(plan, path, f"`{path}` must make a backup at least every {rpo:g} seconds, the RPO")


def _best(judged: Iterable[list[Result]]) -> list[Result]:
    best: list[Result] | None = None
    for results in judged:
        if not results:
            return results
        best = results if best is None else min(best, results, key=_weight)
    return best or []


def _weight(results: Sequence[Result]) -> tuple[int, int]:
    return sum(each.kind is Kind.VIOLATION for each in results), len(results)


def _disk_snapshot_schedule(disk: Resource, context: Context) -> Iterable[Result]:
    if is_set(disk.peek("asyncPrimaryDisk")):
        return
    judged: list[list[Result]] = []
    open_: list[Result] = []
    for policy in _policies(disk, context):
        if isinstance(policy, Result):
            open_.append(policy)
        elif is_set(policy.peek("snapshotSchedulePolicy.schedule")):
            judged.append(list(_stored_elsewhere(policy, disk)))
            if not judged[-1]:
                return
    if judged or open_:
        yield from _best(judged) or open_
    else:
        yield violation(disk, "", "a resource policy with a snapshot schedule must be attached to it")


def _policies(disk: Resource, context: Context) -> Iterator[Resource | Result]:
    """The resource policies of a disk, and what names one that cannot be seen from here."""
    inline = context.index.targets(disk, "resourcePolicies", RESOURCE_POLICY)
    yield from inline
    if not inline and is_set(disk.peek("resourcePolicies")):
        yield undecided(disk, "resourcePolicies")
    for attachment in context.index.companions(disk, DISK_ATTACHMENT, "disk"):
        zones = {zone.rpartition("/")[2] for each in (disk, attachment) for zone in texts(each.peek("zone"))}
        # Disks of several zones may share a name.
        if len(zones) <= 1:
            named = context.index.target(attachment, "name", RESOURCE_POLICY)
            yield undecided(attachment, "name") if named is None else named


def _stored_elsewhere(policy: Resource, disk: Resource) -> Iterable[Result]:
    here = gcp_region(disk)
    if here:
        yield from attempt(policy, lambda: _elsewhere(policy, here))
    else:
        # The environment of the provider decides, which nobody sees from here.
        yield undecided(disk, "zone")


def _elsewhere(policy: Resource, here: str) -> Iterable[Result]:
    stored = policy.get(_STORAGE)
    places = cast("list[Any]", stored) if isinstance(stored, list) else [stored]
    if any(isinstance(place, str) and place and region_of(place) != here for place in places):
        return
    for position, place in enumerate(places):
        known(place, f"{_STORAGE}.{position}")
    expected = f"`{_STORAGE}` must name another region than the disk's, or a multi-region"
    yield violation(policy, _STORAGE, expected, absent=not is_set(stored))


def _clouddns_failover(record: Resource, context: Context) -> Iterable[Result]:
    if record.get("type") not in _ADDRESSES:
        return
    # An address that nobody routes is one that must move only where the stack must survive a region.
    if not is_set(record.get("routingPolicy")) and not context.tier1(record):
        return
    if _active_active(record, "geos") or _active_active(record, "wrrs"):
        return
    if not is_set(record.get(_PRIMARY_BACKUP)):
        yield violation(record, _PRIMARY_BACKUP, f"`{_PRIMARY_BACKUP}` must be there, with a health check", absent=True)
        return
    yield from require(record, f"{_PRIMARY_BACKUP}.backupGeos", is_set, "targets to answer with instead")
    yield from attempt(record, lambda: _checked_primary(record))


def _active_active(record: Resource, kind: str) -> bool:
    """Whether every one of several targets is left out of the answers when it is not healthy."""
    items = record.items(f"routingPolicy.{kind}")
    return len(items) >= _PAIR and all(_has_check(record, each.get("healthCheckedTargets")) for each in items)


def _checked_primary(record: Resource) -> Iterable[Result]:
    path = f"{_PRIMARY_BACKUP}.primary"
    if not _has_check(record, record.get(path)):
        expected = f"`{path}` must name load balancers, or endpoints with a `{_HEALTH_CHECK}`"
        yield violation(record, path, expected, absent=not is_set(record.get(_HEALTH_CHECK)))


def _has_check(record: Resource, targets: Any) -> bool:  # noqa: ANN401 - JSON
    bag = cast("dict[str, Any]", targets) if isinstance(targets, dict) else {}
    if is_set(bag.get("externalEndpoints")):
        return is_set(record.get(_HEALTH_CHECK))
    # Internal load balancers know the health of what is behind them.
    return is_set(bag.get("internalLoadBalancers"))


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "gcp-kms-rotation": _kms_rotation,
    "gcp-kms-protected": _kms_protected,
    "gke-private": _gke_private,
    "gke-regional-and-backed-up": _gke_regional_and_backed_up,
    "disk-snapshot-schedule": _disk_snapshot_schedule,
    "clouddns-failover": _clouddns_failover,
}
