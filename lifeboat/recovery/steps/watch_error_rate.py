"""Watch the errors of the services once home is active again.

Past the declared rate the step fails, and the command that runs the failback goes back to where it came from, if a copy
of everything is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.recovery.errors import ErrorRateExceeded
from lifeboat.recovery.ports import BEST_EFFORT_SECONDS
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep

_LEAST = 20
"""Requests before a share says anything while the window is open."""
_LOOK = 1.0
"""Protocol seconds between two rounds of requests."""
_SERVER_FAULT = 500


def done(step: PlanStep, run: StepRun) -> bool:
    """Never: a resumed run watches anew."""
    del step, run
    return False


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Ask every name as clients do, for the declared time.

    Raises:
        ErrorRateExceeded: when more than the declared share fails.
    """
    del step
    dns, target, pace = run.physical.settings.dns, run.plan.target, run.ports.pace
    urls = [
        run.ports.site_url(f"{endpoint.name}.{dns.zone}", endpoint.port) + endpoint.path
        for endpoint in (dns.endpoints if dns is not None else ())
        if dns is not None
    ]
    rule = run.physical.settings.failback
    end = run.ports.clock() + pace.real(rule.window)
    asked = failed = 0
    while urls and run.ports.clock() < end:
        for url in urls:
            asked += 1
            failed += not _served(run, url)
        if asked >= _LEAST:
            _judge(failed, asked, target, rule.error_percent)
        run.ports.wait(None, pace.real(_LOOK))
    # Of a site that hangs, each request takes its whole time: there may never be as many.
    _judge(failed, asked, target, rule.error_percent)
    return Outcome(said=f"{failed} of {asked} requests failed", facts={"asked": asked, "failed": failed})


def _judge(failed: int, asked: int, target: str, accepted: float) -> None:
    if 100 * failed > accepted * asked:
        raise ErrorRateExceeded(
            f"{failed} of {asked} requests to {target} failed: accepted is {accepted} % (failback.error_percent)"
        )


def _served(run: StepRun, url: str) -> bool:
    try:
        return run.ports.http(url, timeout=BEST_EFFORT_SECONDS).status < _SERVER_FAULT
    except OSError:
        return False
