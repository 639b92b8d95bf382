"""One verification: a backup is picked, restored into an isolated place, read, compared, reported and removed.

Invariants:
1. Nothing that the stack uses is changed. The place has names of its own; only those are ever deleted.
2. The place is removed whatever happens, an interrupt included. What cannot be removed is told by name, and tagged, so
   that the next verification removes it once it has expired.
3. A backup that fails, or that there is none, is told to people by the region's topic.
"""

from __future__ import annotations

import contextlib
import random
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
from botocore.exceptions import BotoCoreError, ClientError

from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.recovery import backups, backups_place
from lifeboat.recovery.backups_checks import Checked, Reading, Source, count_inserts, count_source, first_line
from lifeboat.recovery.backups_place import Bench
from lifeboat.recovery.backups_removal import left, leftovers, remove
from lifeboat.recovery.backups_report import MODE, Report, Wish
from lifeboat.recovery.errors import JournalLost, RecoveryError, RecoveryRefused, StepFailed
from lifeboat.recovery.guarded_ports import Guard, GuardedPorts
from lifeboat.recovery.journal import Event, Journal, told_of
from lifeboat.recovery.lease_store import StoreError
from lifeboat.recovery.run_state import UNANSWERED
from lifeboat.recovery.runner import run_name
from lifeboat.recovery.system_ports import ssl_mode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lifeboat.model.physical import Physical
    from lifeboat.recovery.backups import RestorePoint
    from lifeboat.recovery.backups_place import Endpoint, Place
    from lifeboat.recovery.journal import Detail, JournalStore, Mirror
    from lifeboat.recovery.lease_record import LeaseRecord
    from lifeboat.recovery.lease_store import LeaseStore
    from lifeboat.recovery.ports import Ports, SqlConnection

CLEANING: Final = 3600.0
"""Seconds that removing may take after that."""
_GRACE: Final = 3600.0
"""Seconds after both before somebody else may remove the place."""
_DAILY: Final = 26 * 3600.0
"""Seconds that the newest backup may be old where no RPO rests on it: one is taken a day, in a window."""
_LEAST_GAP: Final = 60.0
"""Seconds that heartbeats may have paused before a backup for reasons of their own."""
_LOGIN: Final = 2.0
"""Real seconds between two attempts to connect: a new password takes effect with a delay."""
_LOGINS: Final = 300.0
"""Real seconds in which one must succeed."""
_SUBJECT: Final = 100
"""Characters that SNS takes."""
_KNOWN: Final = (RecoveryError, LookupError, StoreError, *UNANSWERED, psycopg.Error)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a verification is carried out with."""

    physical: Physical
    ports: Ports
    lease: Callable[[Ports], LeaseStore]
    journal: JournalStore
    mirror: Mirror | None
    encrypted: bool
    """The restored database is connected to over TLS."""
    authorities: str | None = None
    """Path of the certificates that its own must be signed by, and be for its host; None: it is not verified."""
    who: str
    """Who asked for it."""
    progress: Callable[[str], None]


class Verifier:
    """Verifies one backup of a stack."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._here = surroundings
        self._physical = surroundings.physical
        self._ports = surroundings.ports

    def verify(self, wish: Wish) -> Report:
        """Verify one backup, whatever comes of it: a failure is in the report, and told to people.

        Raises:
            RecoveryRefused: when the stack is being moved, or held.
            StoreError: when the lease does not answer.
            JournalLost: when the journal cannot be opened.
            KeyboardInterrupt: after the place was removed.
        """
        run = run_name(MODE, self._ports.wall())
        journal = Journal(
            run, self._here.journal, mirror=self._here.mirror, wall=self._ports.wall, clock=self._ports.clock
        )
        opening: dict[str, Detail] = {"mode": MODE, "by": self._here.who, "seed": wish.seed}
        record = self._here.lease(self._ports).read().record
        reasons = refusals(record)
        if reasons:
            journal.note(Event.REFUSED, None, {**opening, "reasons": "; ".join(reasons)})
            raise RecoveryRefused(*reasons)
        journal.note(Event.OPENED, None, opening)
        report = Report(run=run, seed=wish.seed)
        try:
            self._carry_out(wish, record, journal, report)
        except KeyboardInterrupt:
            report.interrupted = True
            raise
        except _KNOWN as fault:
            report.checks.append(Checked(name="verification", passed=False, said=told_of(fault)))
        finally:
            # Told even where the journal is out of reach: that is when people must know.
            self._end(wish, journal, report)
        return report

    def _end(self, wish: Wish, journal: Journal, report: Report) -> None:
        report.passed = not report.interrupted and not report.faults and report.point is not None
        if not report.passed and not report.interrupted:
            self._alert(wish, report)
        point = report.point
        result = "aborted" if report.interrupted else "done" if report.passed else "failed"
        with contextlib.suppress(JournalLost):
            journal.note(
                Event.ENDED,
                None,
                {
                    "result": result,
                    "database": point.store if point else None,
                    "region": point.region if point else None,
                    "kind": point.kind.value if point else None,
                    "backup": point.identifier if point else None,
                    "at": (report.moment or point.at) if point else None,
                    "why": "; ".join(report.faults) or None,
                    "left": "; ".join(report.left) or None,
                },
            )

    def _carry_out(self, wish: Wish, record: LeaseRecord, journal: Journal, report: Report) -> None:
        bench = self._bench(journal, wish.deadline)
        self._sweep(bench, wish, report)
        found = backups.listing(self._physical, bench.ports, databases_only=True)
        wanted = [each for each in found.points if _fits(each.region, each.store, wish)]
        silent = [each for each in found.unlisted if _fits(each.region, each.store, wish)]
        report.checks += [
            Checked(name=f"list of {each.store} in {each.region}", passed=False, said=each.said) for each in silent
        ]
        point, moment = pick(wanted, wish)
        report.point, report.moment = point, moment
        report.checks += self._fresh(point, wanted)
        where = f"{point.kind} {point.identifier} of {point.store} in {point.region}"
        self._here.progress(f"1/4 {where}, as it was at {backups_place.stamp(moment or point.at)}")
        source = self._counted(bench, point, record)
        expires = self._ports.wall() + wish.deadline + CLEANING + _GRACE
        place = backups_place.place(self._physical, point, run=report.run, owner=self._here.who, expires=expires)
        report.place = place.name
        try:
            self._restored(bench, point, place, moment=moment, source=source, report=report)
        finally:
            if wish.keep:
                report.left = left(bench, place)
            else:
                self._remove(journal, place, report)

    def _restored(  # noqa: PLR0913 - what a restore is judged by
        self, bench: Bench, point: RestorePoint, place: Place, *, moment: float | None, source: _Counted, report: Report
    ) -> None:
        self._here.progress(f"2/4 restoring into {place.name}")
        began = self._ports.clock()
        try:
            endpoint = backups_place.restore(bench, point, place, moment)
            session = self._connect(bench, place, point, endpoint)
        finally:
            report.seconds["restore"] = round(self._ports.clock() - began, 3)
        began = self._ports.clock()
        with session:
            self._here.progress(f"3/4 reading {place.name}")
            report.checks += self._encrypted(bench, place, point)
            reading = Reading(session, self._ports.clock)
            report.checks += reading.checks()
            compared = self._inserted(bench, point, source)
            limit = max(_LEAST_GAP, backups.objective(self._physical, point.store) or 0.0)
            report.checks += reading.compared(compared, at=moment or point.at, limit=limit)
        report.seconds["read"] = round(self._ports.clock() - began, 3)
        report.rows, report.size = reading.facts.rows, reading.facts.size
        report.recovery_point = reading.facts.beat

    def _bench(self, journal: Journal | None, seconds: float) -> Bench:
        deadline = self._ports.clock() + seconds

        def check() -> None:
            if self._ports.clock() > deadline:
                raise StepFailed(f"not done within {seconds:g} s")

        ports: Any = self._ports
        if journal is not None:
            ports = GuardedPorts(self._ports, Guard(around=journal.around, check=check, step="verify"))
        return Bench(physical=self._physical, ports=ports, deadline=deadline, progress=self._here.progress)

    def _sweep(self, bench: Bench, wish: Wish, report: Report) -> None:
        """Remove what earlier runs left, once it has expired; what cannot be removed fails this run."""
        for region in (wish.site,) if wish.site else tuple(site.region for site in self._physical.topology.sites):
            try:
                places = leftovers(self._physical, bench.ports, region)
            except UNANSWERED:
                # The list of backups there says so as well.
                continue
            for place, expiry in places:
                if expiry < self._ports.wall():
                    self._here.progress(f"removing {place.name} of {place.tags[backups_place.RUN_TAG]}, long expired")
                    remove(bench, place)
                    report.removed.append(f"{region}: {place.name}")

    def _fresh(self, point: RestorePoint, wanted: Sequence[RestorePoint]) -> list[Checked]:
        """Whether backups go on being made where the one comes from that was picked."""
        here = [each for each in wanted if (each.store, each.region) == (point.store, point.region)]
        newest = max(each.at for each in here if each.good)
        age = self._ports.wall() - newest
        design = self._physical.database(point.store)
        rests = design.mechanism in {DatabaseMechanism.BACKUPS, DatabaseMechanism.REPLICATED_BACKUPS}
        limit = design.rpo if rests and design.rpo is not None else _DAILY
        said = f"the newest is {age:.0f} s old: accepted is {limit:g} s or less"
        checks = [Checked(name="fresh", passed=age <= limit, said=said)]
        failed = [each.identifier for each in here if each.status.lower() in {"failed", "partial"}]
        if failed:
            checks.append(Checked(name="failed backups", passed=False, said=", ".join(failed)))
        return checks

    def _counted(self, bench: Bench, point: RestorePoint, record: LeaseRecord) -> _Counted:
        """What the writer has now, where it answers: it may be what was lost."""
        region = record.holder or self._physical.topology.home.region
        try:
            with bench.ports.sql(region, point.store, reader=True) as session:
                return _Counted(region, record.epoch == 1, count_source(session))
        except (LookupError, BotoCoreError, ClientError, psycopg.Error, OSError) as fault:
            self._here.progress(f"the source in {region} is not compared with: {told_of(fault)}")
            return _Counted(region, unmoved=False, facts=None)

    def _inserted(self, bench: Bench, point: RestorePoint, counted: _Counted) -> Source | None:
        if counted.facts is None:
            return None
        try:
            with bench.ports.sql(counted.region, point.store) as session:
                since, inserted = count_inserts(session)
        except (LookupError, BotoCoreError, ClientError, psycopg.Error, OSError):
            since, inserted = None, dict[str, int]()
        return Source(facts=counted.facts, since=since, inserted=inserted, unmoved=counted.unmoved)

    def _connect(self, bench: Bench, place: Place, point: RestorePoint, endpoint: Endpoint) -> SqlConnection:
        own, address = self._physical.database(point.store).settings, bench.ports.resolve(endpoint.host)[0]
        backups_place.admit(bench, place, endpoint.port, own_address(address, endpoint.port))
        end = min(bench.deadline, self._ports.clock() + _LOGINS)
        while True:
            rest = bench.deadline - self._ports.clock()
            try:
                return psycopg.connect(
                    host=endpoint.host,
                    hostaddr=address,
                    port=endpoint.port,
                    user=own.username,
                    password=endpoint.password,
                    dbname=own.database,
                    sslmode=ssl_mode(encrypted=self._here.encrypted, authorities=self._here.authorities),
                    sslrootcert=self._here.authorities,
                    connect_timeout=10,
                    # One statement reads a whole table.
                    options=f"-c statement_timeout={int(max(rest, 1.0) * 1000)}",
                    application_name="lifeboat",
                    autocommit=True,
                )
            except psycopg.OperationalError as fault:
                if self._ports.clock() >= end:
                    raise StepFailed(f"{place.name} cannot be connected to: {first_line(fault)}") from fault
            self._ports.wait(None, _LOGIN)

    def _encrypted(self, bench: Bench, place: Place, point: RestorePoint) -> list[Checked]:
        """Whether it is encrypted, by a key of this stack's that works."""
        found = backups_place.described(bench.ports.client("rds", place.region), place) or {}
        key = str(found.get("KmsKeyId") or "")
        if not found.get("StorageEncrypted") or not key:
            return [Checked(name="encryption", passed=False, said=f"{place.name} is not encrypted")]
        kms = bench.ports.client("kms", place.region)
        state = kms.describe_key(KeyId=key)["KeyMetadata"]
        ours = {point.key}
        for purpose in ("database", "backups"):
            with contextlib.suppress(ClientError):
                alias = f"alias/{self._physical.prefix}-{purpose}"
                ours.add(kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"])
        right = state["Arn"] in ours and state["KeyState"] == "Enabled"
        known = "the backup's or the stack's" if state["Arn"] in ours else "neither the backup's nor the stack's"
        return [Checked(name="encryption", passed=right, said=f"its key is {known}, and {state['KeyState']}")]

    def _remove(self, journal: Journal, place: Place, report: Report) -> None:
        self._here.progress(f"4/4 removing {place.name}")
        began = self._ports.clock()
        bench = self._bench(journal, CLEANING)
        try:
            try:
                remove(bench, place)
            except JournalLost:
                # It is the stack's own account that is cleaned, by names that nobody else uses: done without it too.
                remove(self._bench(None, CLEANING), place)
        except _KNOWN as fault:
            report.left = left(self._bench(None, CLEANING), place)
            said = f"{told_of(fault)}; still there: {', '.join(report.left) or 'nothing that can be seen'}"
            report.checks.append(Checked(name="removed", passed=False, said=said))
        except KeyboardInterrupt:
            report.left = left(self._bench(None, CLEANING), place)
            raise
        finally:
            report.seconds["remove"] = round(self._ports.clock() - began, 3)

    def _alert(self, wish: Wish, report: Report) -> None:
        """Tell people in the backup's region; in the witness when that does not answer."""
        physical = self._physical
        region = report.point.region if report.point else wish.site or physical.topology.home.region
        what = f"{report.point.store} in {region}" if report.point else f"a backup in {region}"
        lines = [
            f"{physical.prefix}: the verification of {what} failed (run {report.run}, seed {report.seed}).",
            *(report.faults or ["nothing was verified"]),
        ]
        for asked in dict.fromkeys((region, physical.topology.witness)):
            try:
                self._ports.client("sns", asked).publish(
                    TopicArn=physical.alerts(asked),
                    Subject=f"{physical.prefix}: backup verification failed"[:_SUBJECT],
                    Message="\n".join(lines),
                )
            except UNANSWERED as fault:
                report.alerted = f"nobody was told: {told_of(fault)}"
                continue
            report.alerted = physical.alerts(asked)
            return


@dataclass(frozen=True)
class _Counted:
    region: str
    unmoved: bool
    facts: Any


def refusals(record: LeaseRecord) -> list[str]:
    """Why nothing is verified now, a line each: a recovery needs the quota, and people their hands."""
    reasons: list[str] = []
    if record.run is not None:
        reasons.append(f"run {record.run.id} is under way: verify when it is over")
    if record.hold is not None:
        reasons.append(f"held by {record.hold.by}: {record.hold.reason}: verify after `lifeboat release`")
    return reasons


def pick(points: Sequence[RestorePoint], wish: Wish) -> tuple[RestorePoint, float | None]:
    """What to verify, and of a window which moment.

    Raises:
        StepFailed: when there is nothing to pick from.
    """
    good = sorted((each for each in points if each.good), key=lambda each: (each.region, each.store, each.identifier))
    if not good:
        raise StepFailed("there is no backup that could be restored")
    if wish.newest:
        return max(good, key=lambda each: each.at), None
    choice = random.Random(wish.seed)  # noqa: S311 - no secret
    chosen = choice.choice(good)
    # The newest is what a recovery takes, but any other moment is promised as well.
    return chosen, None if chosen.since is None else choice.uniform(chosen.since, chosen.at)


def own_address(address: str, port: int) -> str:
    """This host's own address on the way to another; nothing is sent."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.connect((address, port))
        return str(probe.getsockname()[0])


def _fits(region: str, store: str, wish: Wish) -> bool:
    return wish.site in {None, region} and wish.database in {None, store}
