"""Verify: a synthetic transaction on each writer, and an answer through the names that clients use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from lifeboat.recovery import fence
from lifeboat.recovery.errors import StepFailed
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep

_OK = 400
_SECONDS = 5.0
_TABLE = """
CREATE SCHEMA IF NOT EXISTS lifeboat_verification;
CREATE TABLE IF NOT EXISTS lifeboat_verification.run (name text PRIMARY KEY, verified_at timestamptz NOT NULL)
"""
_WRITE = """
INSERT INTO lifeboat_verification.run (name, verified_at) VALUES (%s, now())
ON CONFLICT (name) DO UPDATE SET verified_at = excluded.verified_at
"""
_READ = "SELECT count(*) FROM lifeboat_verification.run WHERE name = %s"
_DELETE = "DELETE FROM lifeboat_verification.run WHERE name = %s"


def done(step: PlanStep, run: StepRun) -> bool:
    """Never: each run verifies anew."""
    del step, run
    return False


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Write and read back in every database; ask every name; see that the lease is still the target's.

    Raises:
        StepFailed: when another site holds the lease, or something does not work by the step's deadline.
    """
    del step
    target = run.plan.target
    epoch = _epoch(run)
    databases = [design.settings.name for design in run.physical.topology.databases]
    for database in databases:
        run.until(lambda database=database: _written(run, database), f"{database} takes a write in {target}")
    dns = run.physical.settings.dns
    names = [(f"{endpoint.name}.{dns.zone}", endpoint) for endpoint in dns.endpoints] if dns is not None else []
    for name, endpoint in names:
        url = run.ports.site_url(name, endpoint.port) + endpoint.path
        run.until(lambda url=url: _answers(run, url), f"{url} answers")
    return Outcome(
        said=f"written and read back in {target}: {', '.join(databases) or 'no database'}; "
        f"answering: {', '.join(name for name, _ in names) or 'no name'}",
        facts={"epoch": epoch},
    )


def undo(step: PlanStep, run: StepRun) -> Outcome:
    """Delete the rows."""
    del step
    for design in run.physical.topology.databases:
        with run.ports.sql(run.plan.target, design.settings.name) as session:
            session.execute(_DELETE, (run.run,))
    return Outcome(said="the rows that were written are deleted")


def _epoch(run: StepRun) -> int:
    """The epoch in which the target may write."""
    record = run.lease.read().record
    if not record.may_write(run.plan.target):
        raise StepFailed(f"{record.holder or 'nobody'} holds epoch {record.epoch}: accepted is {run.plan.target}")
    return record.epoch


def _written(run: StepRun, database: str) -> bool | None:
    # Each time anew: the step waits, and the target may be fenced meanwhile.
    _epoch(run)
    try:
        with run.ports.sql(run.plan.target, database) as session:
            # The setting that fenced the old writer arrived with the rest of its data.
            fence.lift(session)
            session.execute(_TABLE)
            session.execute(_WRITE, (run.run,))
            return bool(session.execute(_READ, (run.run,)).fetchone()[0]) or None
    except (psycopg.Error, fence.FenceError, OSError) as fault:
        run.progress(f"{database}: {' '.join(str(fault).split())}")
        return None


def _answers(run: StepRun, url: str) -> bool | None:
    try:
        answer = run.ports.http(url, timeout=_SECONDS)
    except OSError as fault:
        run.progress(str(fault))
        return None
    return True if answer.status < _OK else None
