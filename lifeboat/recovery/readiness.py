"""Whether a site can take over: checks, each of which passes, says no with a reason, or cannot be made.

A check that is not answered says no: a site is ready only as far as somebody saw it. What is only told, a quota or a
key that nothing names, may stay unknown.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lifeboat.model.plan.graph import Mode
from lifeboat.model.settings.sites import DivergencePolicy
from lifeboat.model.settings.stores import CacheMechanism, DatabaseMechanism
from lifeboat.recovery import compute, copies, datastore, lags, restores
from lifeboat.recovery.errors import RecoveryError
from lifeboat.recovery.journal import told_of
from lifeboat.recovery.lease_store import StoreError
from lifeboat.recovery.run_state import UNANSWERED, is_unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lifeboat.model.design import DatabaseDesign
    from lifeboat.recovery.run_state import StepRun

LAG: Final = "lag of"
"""What the names of checks begin with that tell how much would be lost."""
_AT_ONCE: Final = 8
"""Checks."""
_WORKING: Final = {"available", "backing-up", "configuring-enhanced-monitoring", "storage-optimization"}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    passed: bool | None
    """None: it could not be found out, and that alone does not say no."""
    said: str


def checks(run: StepRun, region: str) -> tuple[Check, ...]:
    """Make every check of a site; each is made, whatever comes of the others, and several side by side.

    Args:
        run: Its ports only look.
        region: The site that takes over; of a rejoin, the one that comes back.
    """
    # One after the other, a failover would wait for the sum of what each region is late with.
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="readiness") as pool:
        made = [pool.submit(_made, name, check) for name, check in _all(run, region)]
        return tuple(each.result() for each in made)


def refusals(made: Sequence[Check], run: StepRun) -> list[str]:
    """Why a move is refused, a line each; lag beyond the objective may be accepted where that was declared ahead."""
    reasons: list[str] = []
    for check in made:
        if check.passed is not False:
            continue
        if check.name.startswith(LAG) and run.consent.loss and accepts_loss(run) is None:
            run.progress(f"accepted: {check.name}: {check.said}")
            continue
        reasons.append(f"{check.name}: {check.said}")
    if reasons and any(check.name.startswith(LAG) for check in made if check.passed is False):
        reasons.append("to leave writes behind needs `divergence: {policy: accept}` in the stack, and --accept-loss")
    return reasons


def accepts_loss(run: StepRun) -> str | None:
    """Why the declaration does not accept that writes are left behind; None when it does."""
    declared = run.physical.settings.divergence
    if declared.policy is not DivergencePolicy.ACCEPT:
        return "divergence.policy: forbid: accepted is `accept` with reason, owner and expiry"
    today = datetime.fromtimestamp(run.ports.wall(), tz=UTC).date()
    if declared.expires is not None and date.fromisoformat(declared.expires) < today:
        return f"divergence.expires: {declared.expires}: it is over"
    return None


def _made(name: str, check: Callable[[], Check]) -> Check:
    try:
        try:
            return check()
        except ClientError as fault:
            if not is_unanswered(fault):
                raise
        # All attempts of the client were throttled, or failed there: chance alone must not refuse a recovery.
        return check()
    except (RecoveryError, LookupError, StoreError, *UNANSWERED) as fault:
        return Check(name=name, passed=False, said=f"cannot be found out: {told_of(fault)}")


def _all(run: StepRun, region: str) -> Iterator[tuple[str, Callable[[], Check]]]:
    topology, physical = run.physical.topology, run.physical
    yield "lease", lambda: _lease(run, region)
    for design in topology.databases:
        name = design.settings.name
        yield f"database {name}", lambda design=design: _database(run, design, region)
        yield f"key of {name}", lambda design=design: _key(run, design, region)
        if run.plan.mode is not Mode.REJOIN:
            yield f"{LAG} {name}", lambda design=design: _lag(run, design, region)
        yield f"secret of {name}", lambda name=name: _secret(run, f"secret of {name}", physical.password(name), region)
        if run.plan.mode is not Mode.REJOIN:
            # A site that comes back has none so far: they are copied to it by rejoining.
            yield f"backups of {name}", lambda design=design: _backups(run, design, region)
    for cache in topology.caches:
        if cache.mechanism is CacheMechanism.GLOBAL_DATASTORE:
            name = cache.settings.name
            yield f"cache {name}", lambda name=name: _cache(run, name, region)
            yield f"secret of {name}", lambda name=name: _secret(run, f"secret of {name}", physical.token(name), region)
    for store in topology.object_stores:
        yield f"bucket {store.settings.name}", lambda name=store.settings.name: _bucket(run, name, region)
    for secret in physical.settings.secrets:
        yield (
            f"secret {secret.name}",
            lambda name=secret.name: _secret(run, f"secret {name}", physical.secret(name), region),
        )
    if topology.databases:
        yield "quota of RDS", lambda: _quota(run, region)
    if any(step.kind == "scale_compute" and step.calls for step in run.plan.steps):
        yield "capacity", lambda: _capacity(run, region)


def _lease(run: StepRun, region: str) -> Check:
    record = run.lease.read().record
    if run.plan.mode is not Mode.REJOIN and region in record.fenced:
        said = f"{region} is fenced since it was left: `lifeboat rejoin` first"
        return Check(name="lease", passed=False, said=said)
    return Check(name="lease", passed=True, said=f"{record.holder} holds epoch {record.epoch}")


def _database(run: StepRun, design: DatabaseDesign, region: str) -> Check:
    database = design.settings.name
    name = f"database {database}"
    match design.mechanism:
        case DatabaseMechanism.AURORA_GLOBAL:
            found = _cluster(run, database, region)
            status, members = found["Status"], len(found["DBClusterMembers"])
            if members < 1:
                return Check(name=name, passed=False, said=f"the cluster in {region} has no instance")
            return Check(
                name=name,
                passed=status in _WORKING,
                said=f"{found['DBClusterIdentifier']} is {status}, {members} instances",
            )
        case DatabaseMechanism.REPLICA:
            there = _instance(run, database, region)
            if there is None:
                identifier = run.physical.instance(database, region)
                return Check(name=name, passed=False, said=f"there is no {identifier} in {region}")
            status = there["DBInstanceStatus"]
            return Check(name=name, passed=status in _WORKING, said=f"{there['DBInstanceIdentifier']} is {status}")
        case _:
            return Check(name=name, passed=True, said="it is restored from its backups")


def _instance(run: StepRun, database: str, region: str) -> dict[str, Any] | None:
    """The instance that a plain database has in a site; of one that comes back the next may be declared already."""
    for name in run.physical.generations(database, region):
        found = copies.instance(run, name, region)
        if found is not None or run.plan.mode is not Mode.REJOIN:
            return found
    return None


def _cluster(run: StepRun, database: str, region: str) -> dict[str, Any]:
    client = run.ports.client("rds", region)
    return client.describe_db_clusters(DBClusterIdentifier=run.physical.cluster(database, region))["DBClusters"][0]


def _key(run: StepRun, design: DatabaseDesign, region: str) -> Check:
    database = design.settings.name
    name = f"key of {database}"
    if design.mechanism is DatabaseMechanism.AURORA_GLOBAL:
        key = _cluster(run, database, region).get("KmsKeyId")
    elif design.mechanism is DatabaseMechanism.REPLICA:
        key = (_instance(run, database, region) or {}).get("KmsKeyId")
    else:
        key = None
    if key is None:
        return Check(name=name, passed=None, said="nothing there tells its key")
    state = run.ports.client("kms", region).describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    return Check(name=name, passed=state == "Enabled", said=f"it is {state}")


def _lag(run: StepRun, design: DatabaseDesign, region: str) -> Check:
    """At last contact: what is lost with the source. A planned move drains, and only needs a copy that keeps up."""
    own, name = design.settings, f"{LAG} {design.settings.name}"
    if design.mechanism not in {DatabaseMechanism.AURORA_GLOBAL, DatabaseMechanism.REPLICA}:
        return Check(name=name, passed=True, said="its backups bound it")
    limit = design.rpo if design.rpo is not None else design.lag_alarm
    found = lags.at_last_contact(lags.database(run, own.name, region))
    if found is None:
        if design.global_rpo is not None:
            said = f"not measured; writes stall rather than be {design.global_rpo} s ahead"
            return Check(name=name, passed=None, said=said)
        return Check(name=name, passed=False, said=f"not measured within the last hour in {region}")
    if limit is None:
        return Check(name=name, passed=True, said=f"{found:.1f} s at last contact, no objective")
    return Check(
        name=name, passed=found <= limit, said=f"{found:.1f} s at last contact: accepted is {limit:g} s or less"
    )


def _backups(run: StepRun, design: DatabaseDesign, region: str) -> Check:
    """That there is something to restore from in the site itself, should the copy be damaged too."""
    database = design.settings.name
    name = f"backups of {database}"
    match design.mechanism:
        case DatabaseMechanism.AURORA_GLOBAL:
            days = int(_cluster(run, database, region).get("BackupRetentionPeriod") or 0)
            return Check(name=name, passed=days > 0, said=f"kept for {days} days")
        case DatabaseMechanism.BACKUPS:
            points = restores.recovery_points(run, database, region)
            newest = max((each["CreationDate"] for each in points), default=None)
            return _fresh(run, name, newest, design.rpo)
        case _:
            source = run.physical.instance_arn(database, run.physical.other(region))
            windows = [
                each.get("RestoreWindow", {}).get("LatestTime")
                for each in restores.automated_backups(run.ports.client("rds", region))
                if each.get("DBInstanceArn") == source
            ]
            newest = max((each for each in windows if each is not None), default=None)
            if newest is None and design.mechanism is DatabaseMechanism.REPLICA and run.plan.mode is not Mode.FAILOVER:
                # Copied are those of the oldest generation. A planned move leaves a source that has its own.
                said = f"none of {source} in {region}; it has its own in {run.physical.other(region)}"
                return Check(name=name, passed=None, said=said)
            # Beside a replica they are a second line: their age does not decide what a promotion loses.
            limit = None if design.mechanism is DatabaseMechanism.REPLICA else design.rpo
            return _fresh(run, name, newest, limit)


def _fresh(run: StepRun, name: str, newest: datetime | None, limit: float | None) -> Check:
    if newest is None:
        return Check(name=name, passed=False, said="there is none")
    age = run.ports.wall() - newest.timestamp()
    if limit is None:
        return Check(name=name, passed=True, said=f"the newest is {age:.0f} s old")
    return Check(name=name, passed=age <= limit, said=f"the newest is {age:.0f} s old: accepted is {limit:g} s or less")


def _cache(run: StepRun, cache: str, region: str) -> Check:
    there = datastore.group(run, cache, region)
    status = None if there is None else there["Status"]
    return Check(name=f"cache {cache}", passed=status == "available", said=f"its group is {status or 'not there'}")


def _bucket(run: StepRun, store: str, region: str) -> Check:
    bucket = run.physical.bucket(store, region)
    run.ports.client("s3", region).head_bucket(Bucket=bucket)
    return Check(name=f"bucket {store}", passed=True, said=f"{bucket} answers")


def _secret(run: StepRun, name: str, secret: str, region: str) -> Check:
    found = run.ports.client("secretsmanager", region).get_secret_value(SecretId=secret)
    readable = bool(found.get("SecretString"))
    return Check(name=name, passed=readable, said="readable" if readable else f"{secret} has no value in {region}")


def _capacity(run: StepRun, region: str) -> Check:
    """Whether the groups that are brought to full size may have as many instances; a stack may have none of its own."""
    groups = compute.groups(run, region)
    if not groups:
        return Check(name="capacity", passed=None, said=f"no Auto Scaling group in {region} has the stack's tags")
    small = [
        f"{group['AutoScalingGroupName']} may have {group['MaxSize']} instances: accepted is {wanted} or more"
        for group in groups
        if (wanted := compute.full_size(group)) > group["MaxSize"]
    ]
    said = "; ".join(small) or f"{len(groups)} groups may have their full size"
    return Check(name="capacity", passed=not small, said=said)


def _quota(run: StepRun, region: str) -> Check:
    """Whether as many instances may be there as the stack has; the other site's quota needs not be asked."""
    name = "quota of RDS"
    client = run.ports.client("service-quotas", region)
    try:
        pages = client.get_paginator("list_service_quotas").paginate(ServiceCode="rds")
        quotas = [quota for page in pages for quota in page["Quotas"]]
    except UNANSWERED as fault:
        return Check(name=name, passed=None, said=f"not told: {told_of(fault)}")
    value = next((quota["Value"] for quota in quotas if quota["QuotaName"] == "DB instances"), None)
    if value is None:
        return Check(name=name, passed=None, said="not told")
    wanted = sum(max(design.home_instances, len(design.instances)) for design in run.physical.topology.databases)
    return Check(name=name, passed=value >= wanted, said=f"{value:g} instances: accepted is {wanted} or more")
