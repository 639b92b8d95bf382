"""What the commands of a recovery share: a stack's outside, its plan, who consents, and how a run is shown."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lifeboat.cli.output import progress, show, show_json, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from lifeboat.model.physical import Physical
    from lifeboat.model.plan.graph import Mode, Plan, PlanStep
    from lifeboat.recovery.journal import JournalStore
    from lifeboat.recovery.lease_store import LeaseStore, ViewStore
    from lifeboat.recovery.ports import Ports
    from lifeboat.recovery.run_state import Consent, Outcome
    from lifeboat.recovery.runner import Report, Runner


@dataclass(frozen=True, kw_only=True)
class Which:
    """Which run is meant, and where its log goes.

    Raises:
        InputError: when both ways are told, or a run without a name.
    """

    resume: str | None = None
    abort: str | None = None
    journal: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what names no run."""
        from lifeboat.deployment.project import InputError

        if self.resume is not None and self.abort is not None:
            raise InputError("--resume and --abort: accepted is one of them: go on with a run, or take it back")
        for option, run in (("--resume", self.resume), ("--abort", self.abort)):
            if run == "":
                raise InputError(f"{option}: empty: accepted is a run, as `lifeboat journal` lists them")

    @property
    def begun(self) -> str | None:
        """The run, when it is not a new one."""
        return self.resume or self.abort


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A stack, and the way to its outside."""

    stack: str
    root: Path
    physical: Physical
    ports: Ports

    def lease(self) -> LeaseStore:
        """Where its lease is."""
        from lifeboat.recovery.assembly import lease_store

        return lease_store(self.physical, self.ports)

    def views(self) -> ViewStore:
        """Where its wardens' views are."""
        from lifeboat.recovery.assembly import lease_store

        return lease_store(self.physical, self.ports)

    def journal(self) -> JournalStore:
        """Where its journal is."""
        from lifeboat.recovery.journal_stores import store_of

        return store_of(self.physical, self.ports)

    def plan(self, mode: Mode, *, lost: frozenset[str] = frozenset(), source: str | None = None) -> Plan:
        """The plan for one way.

        Raises:
            InputError: when these regions are no such way.
            PlanRefused: when the plan needs what is lost.
        """
        from lifeboat.deployment.project import InputError
        from lifeboat.model.plan.derivation import derive
        from lifeboat.model.plan.refusals import Unplannable

        try:
            return derive(self.physical.settings, self.physical.topology, mode=mode, lost=lost, source=source)
        except Unplannable as fault:
            raise InputError(str(fault)) from None

    def plan_of(self, run: str, command: str) -> Plan:
        """The plan of a run that was begun, by what it told then.

        Args:
            run: Its name.
            command: What shall go on with it, or take it back: ``failover``, ``rejoin`` or ``failback``.

        Raises:
            InputError: when there is no such run, or it is no move, or another command's.
            PlanRefused: when the plan needs what is lost.
            JournalLost: when the journal does not answer.
            StoreError: when the lease does not, and the journal has nothing of the run.
        """
        from lifeboat.deployment.project import InputError
        from lifeboat.model.plan.graph import Mode
        from lifeboat.recovery import holder_rejoin
        from lifeboat.recovery.claim import command_of, persistent
        from lifeboat.recovery.run_entries import opening

        opened = opening(self.journal().read(run))
        if opened is not None:
            told = opened.detail
            mode, source, target = (str(told.get(name)) for name in ("mode", "source", "target"))
            lost = frozenset(filter(None, str(told.get("lost", "")).split(",")))
        else:
            # Cut off between its claim and its first entry, the claim has all that is needed.
            record = persistent(self.ports, self.lease().read).record
            claimed = record.run
            if claimed is None or claimed.id != run:
                raise InputError(f"{run}: no run that was begun: `lifeboat journal {self.stack}` lists them")
            mode, target = claimed.kind, claimed.target
            source = next(site.region for site in self.physical.topology.sites if site.region != target)
            lost = frozenset({source}) if mode == Mode.FAILOVER else frozenset[str]()
            if mode == Mode.REJOIN and holder_rejoin.returning(record) == target:
                source = target
        if mode not in set(Mode):
            raise InputError(f"{run}: moves nothing: accepted is a run of `lifeboat failover`, `rejoin` or `failback`")
        if command_of(mode) != command:
            raise InputError(f"{run}: a {mode}: accepted is `lifeboat {command_of(mode)} {self.stack}` with it")
        if source == target:
            return holder_rejoin.plan(self.physical, source)
        return self.plan(Mode(mode), lost=lost, source=source)

    def runner(self, plan: Plan, shown: Shown | None = None, directory: Path | None = None) -> Runner:
        """What carries a plan out."""
        from lifeboat.recovery.assembly import outside
        from lifeboat.recovery.journal import Mirror
        from lifeboat.recovery.runner import Runner

        mirror = Mirror(directory or self.root / ".lifeboat" / "journal")
        made = outside(self.physical, self.ports, near=plan.target, lost=plan.lost, mirror=mirror)
        return Runner(plan, made, shown.listener() if shown else None)


def reach(stack: str) -> Reached:
    """A stack of the project around the current directory.

    Raises:
        InputError: without a project or such a stack, or when the environment cannot be used.
        SettingsError: with every fault in its file.
    """
    from lifeboat.cli.design import load_design
    from lifeboat.deployment.project import InputError
    from lifeboat.model.physical import Physical
    from lifeboat.recovery.system_ports import Surroundings, SystemPorts

    design = load_design(stack)
    physical = Physical(settings=design.settings, topology=design.topology)
    try:
        here = Surroundings.of(os.environ)
    except ValueError as fault:
        raise InputError(str(fault)) from None
    return Reached(stack=stack, root=design.project.root, physical=physical, ports=SystemPorts(physical, here))


def active(reached: Reached) -> str:
    """The site that is active.

    Raises:
        StoreError: when the lease does not answer.
    """
    from lifeboat.recovery.claim import persistent

    record = persistent(reached.ports, reached.lease().read).record
    return record.holder or reached.physical.topology.home.region


def frozen(stack: str) -> str | None:
    """Why an update of everything is frozen: the lease says that the stack is failed over, or being moved.

    A lease that does not answer freezes nothing: a first deployment has none.
    """
    from lifeboat.recovery.lease_record import LeaseError
    from lifeboat.recovery.lease_store import StoreError

    reached = reach(stack)
    try:
        record = reached.lease().read().record
    except (StoreError, LeaseError):
        return None
    if record.run is not None:
        return f"run {record.run.id} is under way"
    if record.fenced:
        return f"{', '.join(sorted(record.fenced))} is fenced, until `lifeboat rejoin`"
    return None


def consent(approved_by: list[str] | None, *, loss: bool = False) -> Consent:
    """Who agreed to a run that a person starts."""
    from lifeboat.recovery.claim import user_name
    from lifeboat.recovery.run_state import Consent

    return Consent(by=tuple(approved_by or (user_name(),)), loss=loss)


def confirm(plan: Plan, *, yes: bool) -> bool:
    """Show what will be done, and ask.

    Raises:
        InputError: when there is nobody to ask.
    """
    from lifeboat.deployment.project import InputError

    if yes:
        return True
    if not sys.stdin.isatty():
        raise InputError("--yes: absent, and there is no terminal to ask on")
    for step in plan.steps:
        tell(f"  {step.title}")
    return typer.confirm(f"{plan.mode}: {plan.source} to {plan.target}. Begin?", err=True)


class Shown:
    """Shows a run's steps while it goes on: a line that changes on a terminal, a line each elsewhere."""

    def __init__(self, plan: Plan, tell: Callable[[str], None]) -> None:
        self._plan = plan
        self._tell = tell
        self._over = 0
        # Steps that end at once must not write into each other's lines.
        self._lock = threading.Lock()

    def listener(self) -> _Listener:
        """What a runner tells."""
        return _Listener(self)

    def started(self, step: PlanStep) -> None:
        """A step began."""
        with self._lock:
            self._tell(f"{self._over}/{len(self._plan.steps)} {step.title}")

    def line(self, step: PlanStep | None, text: str) -> None:
        """Something to know."""
        with self._lock:
            self._tell(f"  {step.key}: {text}" if step is not None else f"  {text}")

    def ended(self, step: PlanStep, said: str, *, well: bool, seconds: float) -> None:
        """A step ended."""
        with self._lock:
            self._over += well
            self._tell(f"{'done' if well else 'FAILED'}  {step.key}: {said} ({seconds:.1f} s)")


class _Listener:
    """A runner's progress as lines."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown

    def started(self, step: PlanStep) -> None:
        self._shown.started(step)

    def line(self, step: PlanStep | None, text: str) -> None:
        self._shown.line(step, text)

    def ended(self, step: PlanStep, outcome: Outcome | None, fault: str | None, seconds: float) -> None:
        said = outcome.said if outcome is not None else fault or ""
        self._shown.ended(step, said, well=outcome is not None, seconds=seconds)


@contextlib.contextmanager
def shown(plan: Plan) -> Generator[Shown]:
    """Show a run while it goes on."""
    with progress() as tell:
        yield Shown(plan, tell)


def rehearse(reached: Reached, plan: Plan, who: Consent, *, json: bool) -> None:
    """Make every check of a plan and print the calls that would be made.

    Raises:
        RecoveryRefused: by a gate.
    """
    with shown(plan) as lines:
        told = reached.runner(plan, lines).rehearse(who)
    if json:
        show_json(
            {
                "plan": {"mode": plan.mode, "source": plan.source, "target": plan.target, "lost": sorted(plan.lost)},
                "steps": [
                    {
                        "key": step.key,
                        "title": step.title,
                        "state": told[step.key],
                        "calls": [_call(call.service, call.operation, call.region) for call in step.calls],
                    }
                    for step in plan.steps
                ],
            }
        )
        return
    for step in plan.steps:
        show(f"{step.key}: {told[step.key]}")
        for call in step.calls:
            show(
                f"    {_call(call.service, call.operation, call.region)}{' (best effort)' if call.best_effort else ''}"
            )


def carry_out(
    reached: Reached,
    plan: Plan,
    who: Consent,
    which: Which,
) -> Report:
    """Carry out a plan as a new run, or go on with one, or take one back.

    Raises:
        RecoveryRefused: when it may not be.
        RecoveryError: when it cannot go on.
    """
    with shown(plan) as lines:
        runner = reached.runner(plan, lines, which.journal)
        try:
            if which.abort is not None:
                return runner.abort(which.abort)
            return runner.start(who) if which.resume is None else runner.resume(which.resume, who)
        except KeyboardInterrupt:
            runner.stop()
            raise


def end(report: Report, *, json: bool, command: str) -> None:
    """Print how a run ended, and exit with 1 when not well."""
    if json:
        show_json(asdict(report))
    else:
        show(f"{report.run}: {report.result} after {report.seconds:.0f} s")
        for fault in report.faults:
            show(f"  {fault}")
        for warning in report.warnings:
            show(f"  {warning}")
        if report.aborting:
            show(f"  take back the rest with: {command} --abort {report.run}")
        elif report.result == "failed" and not report.go_back:
            show(
                f"  go on with: {command} --resume {report.run}, or, as long as the target does not hold the lease, "
                f"take it back with --abort {report.run}"
            )
    if report.result == "failed":
        raise typer.Exit(1)


def _call(service: str, operation: str, region: str) -> str:
    return f"{service} {operation} in {region}"
