"""From what was observed to a verdict: pure, check by check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lifeboat.model.settings import format_duration
from lifeboat.model.settings.objectives import Failure
from lifeboat.recovery.drill.evidence import MET, MISSED, OPEN, Check, Clocked, Verdict
from lifeboat.recovery.drill.inventory import COVERED
from lifeboat.recovery.drill.scenario import Expect, LossClass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lifeboat.model.design import Topology
    from lifeboat.model.settings import Settings
    from lifeboat.recovery.drill.calls import Attempted
    from lifeboat.recovery.drill.history import Verdict as History
    from lifeboat.recovery.drill.measure import Loss, Measured

SMOOTH = 1
"""At this time scale nothing is scaled."""


@dataclass(frozen=True, kw_only=True)
class Objectives:
    """What is demanded.

    Attributes:
        rto: Seconds; None: nothing is demanded for this kind of failure.
        rpo: By the stores' labels; None where nothing is demanded.
    """

    rto: float | None
    rpo: Mapping[str, float | None]

    @classmethod
    def of(cls, settings: Settings, topology: Topology, expect: Expect) -> Objectives:
        """A stack's, for one kind of outcome: damaged data has an objective of its own, or none."""
        rpo: dict[str, float | None] = {}
        rpo |= {f"database {each.settings.name}": each.rpo for each in topology.databases}
        rpo |= {f"cache {each.settings.name}": each.rpo for each in topology.caches}
        rpo |= {f"objects {each.settings.name}": each.rpo for each in topology.object_stores}
        if expect is not Expect.RESTORE:
            return cls(rto=topology.demanded_rto, rpo=rpo)
        damaged = [
            each.rto
            for each in settings.objectives.failures
            if each.failure in {Failure.CORRUPTION, Failure.DATABASE} and each.rto is not None
        ]
        return cls(rto=min(damaged, default=None), rpo=rpo)


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What a drill saw.

    Attributes:
        expect: What had to happen.
        happened: Why that did not happen; empty when it did.
        rto: What counts as recovery time; None when it never came.
        measured: By the clients, up to the recovery.
        at_end: The same at the very end; None when nothing was read then.
        history: Of writers.
        calls: At what was lost.
        failures: What was done afterwards and failed, a line each.
        orphans: As `Evidence` has them.
        vanished: The same.
        no_way_home: Why no failback followed, though the scenario has one; empty when one did.
        unprotected: Stores that have no second copy at the end, though they should; None where no site rejoined, so
            that nothing could have one again.
        ended: Clients that ended by themselves.
    """

    expect: Expect
    happened: str
    rto: Clocked | None
    measured: Measured
    at_end: Measured | None
    history: History
    calls: Sequence[Attempted]
    failures: Sequence[str] = ()
    orphans: Sequence[str] = ()
    vanished: Sequence[str] = ()
    no_way_home: str = ""
    unprotected: Sequence[str] | None = ()
    ended: Sequence[str] = field(default=())


_WANTED = {
    Expect.FAILOVER: "the standby took over",
    Expect.SWITCHOVER: "the standby took over as planned",
    Expect.NOTHING: "nothing moved",
    Expect.REFUSED: "the failover was refused, and changed nothing",
    Expect.RESTORE: "the database was restored to the moment before",
    Expect.DECLARED: "the declared rule decided",
}


def judge(observed: Observed, objectives: Objectives, *, loss: LossClass, scale: float) -> Verdict:
    """Every check, and the whole.

    Args:
        observed: What happened.
        objectives: What is demanded.
        loss: What may be lost.
        scale: The time scale.
    """
    checks = tuple(_checks(observed, objectives, loss, scale))
    missed = [check for check in checks if check.result == MISSED]
    return Verdict(passed=not missed, headline=_headline(observed, objectives, missed), checks=checks)


def _checks(observed: Observed, objectives: Objectives, loss: LossClass, scale: float) -> Iterator[Check]:
    yield _check("outcome", not observed.happened, observed.happened or _WANTED[observed.expect])
    if observed.expect in {Expect.FAILOVER, Expect.SWITCHOVER, Expect.RESTORE}:
        yield _recovery_time(observed, objectives, scale)
    if observed.expect in {Expect.FAILOVER, Expect.SWITCHOVER}:
        straggler = observed.measured.last_straggler
        said = (
            "a client never wrote again" if straggler is None else f"all wrote again, the last after {straggler:.1f} s"
        )
        yield _check("every client", straggler is not None, said)
    for store in observed.measured.losses:
        yield _loss(store, objectives.rpo.get(store.store), loss, scale)
    if observed.at_end is not None:
        yield from _kept_since(observed.measured, observed.at_end)
    yield _writers(observed.history)
    yield _lost_region(observed.calls)
    for failure in observed.failures:
        yield _check("afterwards", False, failure)
    yield _protection(observed.unprotected)
    if observed.no_way_home:
        yield Check(name="way home", result=OPEN, said=f"no failback: {observed.no_way_home}")
    yield _leftovers(observed)
    if observed.ended:
        yield _check("workload", False, "; ".join(observed.ended))


def _check(name: str, good: bool, said: str) -> Check:
    return Check(name=name, result=MET if good else MISSED, said=said)


def _recovery_time(observed: Observed, objectives: Objectives, scale: float) -> Check:
    name, rto, wanted = "recovery time", observed.rto, objectives.rto
    if rto is None:
        return Check(name=name, result=MISSED, said="there was no durable write in a later epoch")
    told = (
        f"{rto.scaled_back:.0f} s"
        if scale == SMOOTH
        else f"{rto.scaled_back:.0f} s ({rto.observed:.1f} s, {scale:g} times faster)"
    )
    if wanted is None:
        return Check(name=name, result=OPEN, said=f"{told}; no objective is declared for this failure")
    return _check(name, rto.scaled_back <= wanted, f"{told}; the objective is {format_duration(wanted)}")


def _loss(store: Loss, objective: float | None, loss: LossClass, scale: float) -> Check:
    name = f"loss of {store.store}"
    told = f"{store.lost} of {store.acknowledged} acknowledged writes, {store.seconds:.1f} s"
    if loss is LossClass.NONE:
        return _check(name, store.lost == 0, f"{told}; none may be lost")
    if objective is None:
        return Check(name=name, result=OPEN, said=f"{told}; no objective is declared")
    wanted = f"the objective is {format_duration(objective)}"
    if scale == SMOOTH:
        return _check(name, store.seconds <= objective, f"{told}; {wanted}")
    # Replication was not any faster than the rest of the world: what is scaled back is more than it can have been.
    most = store.seconds * scale
    bounded = f"{told}, at most {most:.0f} s scaled back; {wanted}"
    if store.seconds <= objective < most:
        return Check(name=name, result=OPEN, said=f"{bounded}: which of both counts is judged at time scale 1")
    return _check(name, most <= objective, bounded)


def _kept_since(recovered: Measured, at_end: Measured) -> Iterator[Check]:
    """Coming back is planned: it may not lose anything that the recovery had not lost."""
    before = {loss.store: loss.lost_orders for loss in recovered.losses}
    for loss in at_end.losses:
        # Those that came back make up for none of those that are gone.
        more = len(loss.lost_orders - before.get(loss.store, frozenset()))
        said = (
            f"{more} acknowledged writes are gone that were there" if more else "nothing more was lost on the way back"
        )
        yield _check(f"{loss.store} at the end", not more, said)


def _leftovers(observed: Observed) -> Check:
    found = [f"left over: {', '.join(observed.orphans)}"] if observed.orphans else []
    found += [f"gone: {', '.join(observed.vanished)}"] if observed.vanished else []
    said = "nothing is left that was not there before or is declared, and nothing is gone"
    return _check("no orphan", not found, f"{'; '.join(found) or said} ({COVERED})")


def _protection(unprotected: Sequence[str] | None) -> Check:
    if unprotected is None:
        return Check(name="protection", result=OPEN, said="no site rejoins in this drill")
    return _check(
        "protection",
        not unprotected,
        f"without a second copy at the end: {', '.join(unprotected)}"
        if unprotected
        else "no store is left without a second copy that had one",
    )


def _lost_region(calls: Sequence[Attempted]) -> Check:
    depended = [f"{each.service} {each.operation}" for each in calls if each.depended]
    attempts = sum(each.made for each in calls)
    if depended:
        said = f"needed: {', '.join(depended)}"
    elif attempts:
        said = f"{attempts} {'call was' if attempts == 1 else 'calls were'} tried there, and no step needed an answer"
    else:
        said = "nothing was asked there"
    return _check("lost region", not depended, said)


def _writers(history: History) -> Check:
    if not history.one_writer:
        return Check(name="one writer", result=MISSED, said="; ".join(map(str, history.violations)))
    told = ", ".join(f"epoch {epoch}: {site}" for epoch, site in history.writers.items())
    return _check("one writer", history.acknowledged > 0, f"{history.acknowledged} acknowledgements ({told})")


def _headline(observed: Observed, objectives: Objectives, missed: Sequence[Check]) -> str:
    if missed:
        return f"Failed: {missed[0].name}: {missed[0].said}" + (f", and {len(missed) - 1} more" if missed[1:] else "")
    said = _WANTED[observed.expect].capitalize()
    if observed.rto is not None and observed.expect in {Expect.FAILOVER, Expect.SWITCHOVER, Expect.RESTORE}:
        within = "" if objectives.rto is None else f", within the {format_duration(objectives.rto)} that are demanded"
        said += f" after {observed.rto.scaled_back:.0f} s{within}"
    lost = observed.measured.lost
    return f"{said}; {lost or 'no'} acknowledged {'writes were' if lost > 1 else 'write was'} lost."
