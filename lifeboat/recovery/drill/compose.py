"""From what a drill saw to its record: pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lifeboat.model.plan.derivation import derive
from lifeboat.model.plan.graph import Mode, Stage
from lifeboat.model.plan.refusals import PlanRefused
from lifeboat.model.projection import project
from lifeboat.recovery.drill import calls, history, series, timeline
from lifeboat.recovery.drill.evidence import (
    CallRow,
    Clocked,
    Disagreement,
    Evidence,
    Exposure,
    Moment,
    PhaseTime,
    Recovery,
    RunRow,
    Series,
    SliceRow,
    StepRow,
    StoreLoss,
    Writers,
)
from lifeboat.recovery.drill.histories import acknowledgements
from lifeboat.recovery.drill.judge import Objectives, Observed, judge
from lifeboat.recovery.drill.scenario import Afterwards, Expect, LossClass, Roles
from lifeboat.recovery.drill.workload import Stores

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lifeboat.model.physical import Physical
    from lifeboat.model.settings.objectives import Phases
    from lifeboat.recovery.drill.histories import Told
    from lifeboat.recovery.drill.measure import Measured
    from lifeboat.recovery.drill.scenario import Scenario
    from lifeboat.recovery.journal import Entry


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is rehearsed.

    Attributes:
        stack: Its name.
        physical: The stack.
        scenario: What is done to it.
        seed: Of clients, faults and durations.
        scale: The time scale.
        rate: Orders a second.
        command: What repeats it.
        recovery_only: Whether it ends once the stack has recovered, whatever its scenario has afterwards.
    """

    stack: str
    physical: Physical
    scenario: Scenario
    seed: int
    scale: float
    rate: float
    command: str
    recovery_only: bool = False

    @property
    def afterwards(self) -> tuple[Afterwards, ...]:
        """What is done once what must happen has happened."""
        if self.recovery_only:
            return ()
        barred = {Afterwards.FAILBACK} if self.no_way_home else set[Afterwards]()
        return tuple(step for step in self.scenario.afterwards if step not in barred)

    @property
    def no_way_home(self) -> str:
        """Why no failback follows although the scenario has one; empty when one does, or when it has none.

        Of a plain replica the next generation has to be declared before it can be promoted, by whoever keeps the
        stack's file.
        """
        if self.recovery_only or Afterwards.FAILBACK not in self.scenario.afterwards:
            return ""
        try:
            derive(self.physical.settings, self.physical.topology, mode=Mode.FAILBACK)
        except PlanRefused as refusal:
            return str(refusal).replace("\n", "; ")
        return ""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The moment right before the fault.

    Attributes:
        clock: Monotonic seconds.
        wall: Seconds since the epoch.
        epoch: The lease's, then.
    """

    clock: float
    wall: float
    epoch: int


@dataclass(frozen=True, kw_only=True)
class Course:
    """What happened.

    Attributes:
        mark: When the clock starts.
        broken: When the faults stood whole, seconds since the epoch.
        healed: When they were about to be taken back, or the end; the same.
        over: The end, the same.
        expect: What had to happen.
        happened: Why it did not; empty when it did.
        failures: What was done afterwards and failed.
        moments: What the drill did, with seconds since the epoch.
        restored: Seconds until a restored database could be read; None where none was.
        told: What clients knew.
        recovered: What they measured up to the recovery.
        at_end: The same at the end; None where that is no other moment.
        entries: The journal.
        calls: The gateway's ledger.
        orphans: Resources that were not there before, and that nothing declares.
        vanished: Resources that were there before.
        open: Stores without a second copy at the end.
        ended: Clients that ended by themselves.
    """

    mark: Mark
    broken: float
    healed: float
    over: float
    expect: Expect
    happened: str
    failures: tuple[str, ...]
    moments: tuple[tuple[float, str], ...]
    restored: float | None
    told: tuple[Told, ...]
    recovered: Measured
    at_end: Measured | None
    entries: tuple[Entry, ...]
    calls: tuple[Mapping[str, Any], ...]
    orphans: tuple[str, ...]
    vanished: tuple[str, ...]
    open: tuple[str, ...]
    ended: tuple[str, ...]


def compose(subject: Subject, course: Course) -> Evidence:
    """The record of a drill."""
    physical, scenario, scale = subject.physical, subject.scenario, subject.scale
    roles, label = Roles.of(physical.topology), Stores.of(physical.topology).labels["database"]
    objectives = Objectives.of(physical.settings, physical.topology, course.expect)
    recovery = _recovery(subject, course, objectives)
    found = timeline.runs(course.entries, physical, course.mark.wall)
    window = calls.Window(
        lost=_lost(course, scenario.dark(roles), roles),
        dark=scenario.dark(roles),
        begin=course.broken,
        end=course.healed,
    )
    attempted = calls.attempted(course.calls, course.entries, window)
    proof = history.check(acknowledgements(course.told, label))
    returns = Afterwards.REJOIN in subject.afterwards or course.expect not in {Expect.FAILOVER, Expect.SWITCHOVER}
    observed = Observed(
        expect=course.expect,
        happened=course.happened,
        rto=recovery.rto,
        measured=course.recovered,
        at_end=course.at_end,
        history=proof,
        calls=attempted,
        failures=course.failures,
        orphans=course.orphans,
        vanished=course.vanished,
        no_way_home=subject.no_way_home,
        unprotected=course.open if returns else None,
        ended=course.ended,
    )
    width, parts = series.slices((each.write for each in course.told), fault=course.mark.clock, store=label)
    return Evidence(
        verdict=judge(observed, objectives, loss=_loss(scenario, course.expect), scale=scale),
        scenario=scenario.name,
        title=scenario.title,
        about=scenario.about,
        stack=subject.stack,
        system=physical.settings.system,
        environment=physical.settings.environment,
        home=roles.home,
        standby=roles.standby,
        witness=roles.witness,
        taken=datetime.fromtimestamp(course.mark.wall, tz=UTC).isoformat(timespec="seconds"),
        seed=subject.seed,
        time_scale=scale,
        rate=subject.rate,
        command=subject.command,
        recovery_only=subject.recovery_only,
        faults=(*scenario.preparation(roles, subject.seed), *scenario.documents(roles, subject.seed)),
        recovery=recovery,
        losses=tuple(_losses(course, objectives)),
        disagreements=tuple(Disagreement(**asdict(each)) for each in course.recovered.inconsistencies),
        refused=course.recovered.refused,
        phases=tuple(_phases(found, course, physical, scale)),
        runs=tuple(_run(each, course.mark) for each in found),
        moments=_moments(course, found),
        exposures=tuple(_exposures(course, scale)),
        calls=tuple(CallRow(**asdict(each)) for each in attempted),
        history=Writers(
            acknowledged=proof.acknowledged,
            writers=dict(proof.writers),
            violations=tuple(map(str, proof.violations)),
        ),
        orphans=course.orphans,
        vanished=course.vanished,
        series=Series(store=label, width=width, slices=tuple(SliceRow(**asdict(each)) for each in parts)),
    )


def _loss(scenario: Scenario, expect: Expect) -> LossClass:
    """What may be lost; where nothing moves, nothing may."""
    return LossClass.NONE if expect in {Expect.NOTHING, Expect.REFUSED} else scenario.loss


def _lost(course: Course, dark: frozenset[str], roles: Roles) -> frozenset[str]:
    """What a step may not depend on: what answers nobody, and what was left as lost."""
    return dark | {roles.home} if course.expect is Expect.FAILOVER else dark


def _clocked(seconds: float | None, scale: float) -> Clocked | None:
    if seconds is None:
        return None
    return Clocked(observed=round(seconds, 3), scaled_back=round(seconds * scale, 3))


def _recovery(subject: Subject, course: Course, objectives: Objectives) -> Recovery:
    measured, scale = course.recovered, subject.scale
    match course.expect:
        case Expect.FAILOVER:
            what, rto, mode = "fault to the first durable write through DNS", measured.rto, Mode.FAILOVER
        case Expect.SWITCHOVER:
            what, rto, mode = "the longest time without writes of the planned move", measured.downtime, Mode.SWITCHOVER
        case Expect.RESTORE:
            what, rto, mode = "request to a database that can be read", course.restored, None
        case _:
            what, rto, mode = "nothing: no recovery is expected", None, None
    settings, topology = subject.physical.settings, subject.physical.topology
    lost = (topology.home.region,) if mode is Mode.FAILOVER else ()
    projected = None if mode is None else project(derive(settings, topology, mode=mode, lost=lost))
    expected = mode is not None or course.expect is Expect.RESTORE
    return Recovery(
        what=what,
        rto=_clocked(rto, scale),
        objective=objectives.rto if expected else None,
        projected_p50=None if projected is None else round(projected.p50, 1),
        projected_p95=None if projected is None else round(projected.p95, 1),
        first_write=_clocked(measured.rto, scale),
        last_straggler=_clocked(measured.last_straggler, scale),
        downtime=_clocked(measured.downtime, scale),
    )


def _losses(course: Course, objectives: Objectives) -> Iterator[StoreLoss]:
    at_end = {} if course.at_end is None else {loss.store: loss.lost for loss in course.at_end.losses}
    for loss in course.recovered.losses:
        yield StoreLoss(
            store=loss.store,
            acknowledged=loss.acknowledged,
            lost=loss.lost,
            seconds=round(loss.seconds, 3),
            objective=objectives.rpo.get(loss.store),
            unknown=loss.unknown,
            unknown_kept=loss.unknown_kept,
            lost_at_end=at_end.get(loss.store),
        )


def _phases(
    found: tuple[timeline.RunTime, ...], course: Course, physical: Physical, scale: float
) -> Iterator[PhaseTime]:
    """Of the run that recovered: the first that ended well."""
    wanted = {Expect.FAILOVER: Mode.FAILOVER, Expect.SWITCHOVER: Mode.SWITCHOVER}.get(course.expect)
    run = next((run for run in found if run.mode is wanted and run.result == "done"), None)
    if run is None:
        return
    declared = physical.settings.objectives.stack.phases
    for phase in timeline.phases(run, course.mark.wall):
        duration = _clocked(phase.ended - phase.began, scale)
        if duration is not None:
            yield PhaseTime(
                phase=phase.stage.value,
                began=phase.began,
                ended=phase.ended,
                duration=duration,
                declared=_declared(declared, phase.stage),
            )


def _declared(phases: Phases, stage: Stage) -> float | None:
    found = {
        Stage.DETECT: phases.detect,
        Stage.DECIDE: phases.decide,
        Stage.RECOVER: phases.recover,
        Stage.VERIFY: phases.verify,
    }
    return found.get(stage)


def _run(run: timeline.RunTime, mark: Mark) -> RunRow:
    return RunRow(
        name=run.name,
        mode=run.mode.value,
        result=run.result,
        began=_since(run.began, mark),
        ended=None if run.ended is None else _since(run.ended, mark),
        why=run.why,
        steps=tuple(
            StepRow(
                key=each.step.key,
                title=each.step.title,
                phase=each.step.stage.value,
                began=_since(each.began, mark),
                ended=None if each.ended is None else _since(each.ended, mark),
                p50=each.step.timing.p50,
                p95=each.step.timing.p95,
                said=each.said,
            )
            for each in run.steps
        ),
    )


def _since(wall: float, mark: Mark) -> float:
    return round(wall - mark.wall, 3)


def _moments(course: Course, found: tuple[timeline.RunTime, ...]) -> tuple[Moment, ...]:
    mark, measured = course.mark, course.recovered
    moments = [Moment(at=_since(at, mark), what=what) for at, what in course.moments]
    for run in found:
        if run.result not in {timeline.REFUSED, timeline.STOOD_BACK}:
            moments.append(Moment(at=_since(run.began, mark), what=f"{run.mode.value} begins"))
        if run.ended is not None:
            moments.append(Moment(at=_since(run.ended, mark), what=_ended(run)))
    if measured.rto is not None:
        moments.append(Moment(at=round(measured.rto, 3), what="the first durable write in a later epoch"))
    if measured.last_straggler is not None:
        moments.append(Moment(at=round(measured.last_straggler, 3), what="the last client writes again"))
    return tuple(sorted(moments, key=lambda moment: moment.at))


def _ended(run: timeline.RunTime) -> str:
    """How a run ended, for people."""
    if run.result == timeline.STOOD_BACK:
        return f"another {run.mode.value} stood back, {run.why}"
    return f"{run.mode.value} is {run.result}"


def _exposures(course: Course, scale: float) -> Iterator[Exposure]:
    for each in timeline.unprotected(course.entries, course.mark.wall):
        duration = _clocked((each.until or course.over) - each.since, scale)
        if duration is not None:
            began = _since(each.since, course.mark)
            yield Exposure(store=each.store, began=began, duration=duration, over=each.until is not None)
