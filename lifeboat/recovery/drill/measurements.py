"""What a drill measured of steps, as a file of `records/`, which replaces priors in a projection."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lifeboat.recovery.drill.timeline import durations
from lifeboat.recovery.runner import DONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifeboat.model.plan.graph import Mode
    from lifeboat.recovery.drill.timeline import RunTime


def record(runs: Sequence[RunTime], mode: Mode, *, stack: str, taken: str, by: str) -> str:
    """Every step of the runs of one mode that ended well; `records/README.md` has the format.

    Args:
        runs: Of drills at time scale 1.
        mode: Which of them count.
        stack: The stack's name.
        taken: The day.
        by: The command that repeats it.
    """
    seconds: dict[tuple[str, str | None], list[float]] = {}
    for run in runs:
        if run.mode is mode and run.result == DONE:
            for kind, found in durations(run).items():
                seconds.setdefault(kind, []).extend(found)
    steps: list[dict[str, Any]] = [
        {"kind": kind, **({} if mechanism is None else {"mechanism": mechanism}), "seconds": found}
        for (kind, mechanism), found in sorted(seconds.items(), key=lambda each: (each[0][0], each[0][1] or ""))
    ]
    document = {
        "format": 1,
        "where": "sandbox",
        "taken": taken,
        "stack": stack,
        "mode": mode.value,
        "by": by,
        "steps": steps,
    }
    return json.dumps(document, indent=2) + "\n"
