"""Wait until the names answer with the target, and until resolvers have forgotten what they answered before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep

_LOOK = 1.0
"""Real seconds between two looks."""


def done(step: PlanStep, run: StepRun) -> bool:
    """Never: each run looks anew."""
    del step, run
    return False


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Look at every name that fails over; then wait for its TTL."""
    del step
    dns, target = run.physical.settings.dns, run.plan.target
    if dns is None:
        return Outcome(said="no name fails over")
    for endpoint in dns.endpoints:
        name, host = f"{endpoint.name}.{dns.zone}", dns.target(endpoint, target)

        def look(name: str = name, host: str = host) -> bool | None:
            found, wanted = set(run.ports.resolve(name)), set(run.ports.resolve(host))
            return True if found and found <= wanted else None

        run.until(look, f"{name} answers with {target}", every=_LOOK)
    run.ports.wait(None, run.ports.pace.real(dns.ttl))
    names = ", ".join(f"{endpoint.name}.{dns.zone}" for endpoint in dns.endpoints)
    return Outcome(said=f"led to {target} for longer than their TTL: {names}")
