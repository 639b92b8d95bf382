"""Wait until the target has the last write of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.recovery import copies, heartbeats, restores
from lifeboat.recovery.errors import StepFailed
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep
    from lifeboat.recovery.ports import Client

_FROM_BACKUPS = {DatabaseMechanism.BACKUPS.value, DatabaseMechanism.REPLICATED_BACKUPS.value}
_LOOK = 0.2
"""Real seconds between two looks: writes stand still meanwhile."""


def done(step: PlanStep, run: StepRun) -> bool:
    """Never: each run compares anew."""
    del step, run
    return False


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Compare, or copy."""
    store = step.store or ""
    if any(design.settings.name == store for design in run.physical.topology.caches):
        return _cache(run, store)
    if step.mechanism in _FROM_BACKUPS:
        return _snapshot(run, store)
    mark = heartbeats.mark(run, run.plan.source, store)
    run.until(
        lambda: heartbeats.has_mark(run, run.plan.target, store, mark) or None,
        f"{run.plan.target} has the last write of {store}",
        every=_LOOK,
    )
    return Outcome(said=f"{run.plan.target} has the last write of {store}")


def _cache(run: StepRun, cache: str) -> Outcome:
    source, target = run.plan.source, run.plan.target
    with run.ports.redis(source, cache) as client:
        written = int(client.info("replication")["master_repl_offset"])

    def look() -> bool | None:
        with run.ports.redis(target, cache) as client:
            found = client.info("replication")
        got = found.get("slave_repl_offset", found.get("master_repl_offset", 0))
        return True if int(got) >= written else None

    run.until(look, f"{target} has the last write of {cache}", every=_LOOK)
    return Outcome(said=f"{target} has the last write of {cache}", facts={"offset": written})


def _snapshot(run: StepRun, database: str) -> Outcome:
    source, target, settings = run.plan.source, run.plan.target, run.physical.settings
    snapshot = restores.final_snapshot(run, database)
    here, there = run.ports.client("rds", source), run.ports.client("rds", target)
    if _status(here, snapshot) is None:
        instance = restores.standing(run, database, source).rpartition(":")[2]
        here.create_db_snapshot(DBInstanceIdentifier=instance, DBSnapshotIdentifier=snapshot)
    run.until(lambda: _finished(here, snapshot), f"{snapshot} is taken")
    if _status(there, snapshot) is None:
        # Encrypted copies take a key of their own region; the alias is the one that the stack's databases use there.
        there.copy_db_snapshot(
            SourceDBSnapshotIdentifier=f"arn:aws:rds:{source}:{settings.account}:snapshot:{snapshot}",
            TargetDBSnapshotIdentifier=snapshot,
            KmsKeyId=f"alias/{run.physical.prefix}-database",
            SourceRegion=source,
            CopyTags=True,
        )
    run.until(lambda: _finished(there, snapshot), f"{snapshot} is copied to {target}")
    return Outcome(said=f"the last snapshot of {database} is in {target}", facts={"snapshot": snapshot})


def _status(client: Client, snapshot: str) -> str | None:
    try:
        found = client.describe_db_snapshots(DBSnapshotIdentifier=snapshot)["DBSnapshots"]
    except copies.ClientError as fault:
        if copies.code(fault) in {"DBSnapshotNotFound", "DBSnapshotNotFoundFault"}:
            return None
        raise
    return str(found[0]["Status"]) if found else None


def _finished(client: Client, snapshot: str) -> bool | None:
    status = _status(client, snapshot)
    if status == "failed":
        raise StepFailed(f"{snapshot}: it failed")
    return True if status == "available" else None


def undo(step: PlanStep, run: StepRun) -> Outcome:
    """Delete the snapshot and its copy."""
    if step.mechanism not in _FROM_BACKUPS:
        return Outcome(said="nothing to take back: it only read")
    snapshot = restores.final_snapshot(run, step.store or "")
    for region in (run.plan.target, run.plan.source):
        client = run.ports.client("rds", region)
        if _status(client, snapshot) is not None:
            copies.unless_denied(
                lambda client=client: client.delete_db_snapshot(DBSnapshotIdentifier=snapshot),
                f"{snapshot} in {region}",
            )
    return Outcome(said=f"{snapshot} is deleted")
