"""What the entries of one run tell about it, all of them or those so far."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from lifeboat.recovery.journal import Event
from lifeboat.recovery.run_state import Consent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lifeboat.model.plan.graph import Plan
    from lifeboat.recovery.journal import Detail, Entry
    from lifeboat.recovery.run_state import StepRun

ABORTING = "aborting"
"""The detail of an entry by which a run began to be taken back."""
GO_BACK = "go_back"
"""The detail of a run's last entry: a move back may begin."""


def opening(entries: Sequence[Entry]) -> Entry | None:
    """How the run began; None when it did not, such as one that was refused."""
    return next((entry for entry in entries if entry.event is Event.OPENED), None)


def digest(plan: Plan) -> str:
    """Tells a plan from every other one."""
    told = [[step.key, step.kind, sorted(step.after)] for step in plan.steps]
    parts = [plan.mode, plan.source, plan.target, sorted(plan.lost), told]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def opened_by(plan: Plan, consent: Consent) -> dict[str, Detail]:
    """What the entry says by which a run begins: what is carried out, and who agreed to it."""
    return {
        "mode": plan.mode.value,
        "source": plan.source,
        "target": plan.target,
        "lost": ",".join(sorted(plan.lost)),
        "plan": digest(plan),
        "by": ",".join(consent.by),
        "loss": consent.loss,
    }


def consent_of(entries: Sequence[Entry]) -> Consent | None:
    """Who agreed to the run; None when it did not begin."""
    opened = opening(entries)
    if opened is None:
        return None
    by = str(opened.detail.get("by", ""))
    return Consent(by=tuple(filter(None, by.split(","))), loss=bool(opened.detail.get("loss")))


def result_of(entries: Sequence[Entry]) -> str | None:
    """How the run ended; None when it is not over."""
    if not entries or entries[-1].event is not Event.ENDED:
        return None
    return str(entries[-1].detail.get("result"))


def is_aborting(entries: Sequence[Entry]) -> bool:
    """Whether somebody began to take the run back."""
    return any(entry.event is Event.OPENED and entry.detail.get(ABORTING) for entry in entries)


def done(entries: Sequence[Entry]) -> Mapping[str, Entry]:
    """Steps that ended well and were not taken back since, each by the entry that says so."""
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry.step and entry.event is Event.DONE:
            found[entry.step] = entry
        elif entry.step and entry.event is Event.UNDONE:
            found.pop(entry.step, None)
    return found


def begun(entries: Sequence[Entry]) -> Sequence[str]:
    """Steps that began, the earliest first, whatever became of them."""
    return list(dict.fromkeys(entry.step for entry in entries if entry.event is Event.STARTED and entry.step))


def token(run: StepRun, key: str, name: str) -> str:
    """What tells a job that a step orders from any other one.

    The same for whoever goes on with an attempt that was cut off, and another one after an attempt that failed: AWS
    answers a token that it knows with the job that it made then, failed or not.

    Args:
        run: Its step's.
        key: The step.
        name: What the job is about: ``orders``.

    Raises:
        JournalLost: when the journal does not answer.
    """
    failed = sum(entry.event is Event.FAILED and entry.step == key for entry in run.entries.read(run.run))
    return f"{run.run}-{name}-{failed}" if failed else f"{run.run}-{name}"


def goes_back(entries: Sequence[Entry]) -> bool:
    """Whether the run ended because services failed too often where they were moved to."""
    return result_of(entries) is not None and bool(entries[-1].detail.get(GO_BACK))


def to_take_back(entries: Sequence[Entry]) -> Sequence[str]:
    """Steps that began and were neither taken back nor found to stand, the latest first."""
    gone = {entry.step for entry in entries if entry.event in {Event.UNDONE, Event.STANDS}}
    begun = [entry.step for entry in entries if entry.event is Event.STARTED and entry.step]
    return [key for key in dict.fromkeys(reversed(begun)) if key not in gone]


def said(ended: Mapping[str, Entry]) -> dict[str, str]:
    """What each step said when it ended, by key, of what `done` gives."""
    return {key: str(entry.detail.get("said", "done")) for key, entry in ended.items()}
