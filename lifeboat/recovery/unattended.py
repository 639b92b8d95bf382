"""`python -m lifeboat.recovery.unattended --config FILE`: what a warden decided, carried out by a process of its own.

It is `lifeboat failover` without a project, a terminal or a person: everything comes from the warden's file. Its
viewpoint is the warden's, so that one place never counts as two. Exit codes are the command's.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lifeboat.model.physical import Physical
from lifeboat.model.plan.derivation import derive
from lifeboat.model.plan.graph import Mode
from lifeboat.model.plan.refusals import PlanRefused, Unplannable
from lifeboat.model.topology import resolve
from lifeboat.recovery.assembly import outside
from lifeboat.recovery.errors import RecoveryError, RecoveryRefused
from lifeboat.recovery.journal import Mirror
from lifeboat.recovery.lease import LeaseWatch
from lifeboat.recovery.lease_record import LeaseError
from lifeboat.recovery.lease_store import StoreError
from lifeboat.recovery.run_state import WARDEN, Consent
from lifeboat.recovery.runner import DONE, Runner
from lifeboat.recovery.system_ports import Surroundings, SystemPorts
from lifeboat.recovery.viewpoint import standing
from lifeboat.recovery.views import Confirmed
from lifeboat.recovery.warden_config import ConfigError, WardenConfig
from lifeboat.recovery.warden_log import log_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifeboat.model.plan.graph import PlanStep
    from lifeboat.recovery.ports import Ports
    from lifeboat.recovery.run_state import Outcome

FAILED, BAD_INPUT, REFUSED = 1, 2, 3
_log: Final = logging.getLogger("lifeboat.recovery.unattended")  # also when it is the main module


class Logged:
    """`lifeboat.recovery.step_runs.Progress` in the warden's log."""

    def started(self, step: PlanStep) -> None:
        """A step began."""
        _log.info("%s", step.title)

    def line(self, step: PlanStep | None, text: str) -> None:
        """Something to know while it goes on."""
        _log.info("%s: %s", step.key if step is not None else "run", text)

    def ended(self, step: PlanStep, outcome: Outcome | None, fault: str | None, seconds: float) -> None:
        """A step ended."""
        if outcome is not None:
            _log.info("%s: %s (%.1f s)", step.key, outcome.said, seconds)
        else:
            _log.error("%s: %s (%.1f s)", step.key, fault, seconds)


def parser() -> argparse.ArgumentParser:
    """What it is told; a warden adds all but the file."""
    made = argparse.ArgumentParser(prog="unattended", description="Carries out a failover that a warden decided.")
    made.add_argument("--config", type=Path, required=True, help="file of the warden's configuration")
    made.add_argument("--target", required=True, help="region of the site that takes over")
    made.add_argument("--reason", required=True, help="why, for people")
    made.add_argument("--confirmed", metavar="JSON", type=Confirmed.load, help="what the warden had confirmed")
    made.add_argument("--resume", metavar="RUN", help="the run that is gone on with; a new one if not told")
    return made


def main(arguments: Sequence[str]) -> int:
    """Carry out the failover; 0 when it is done, else as `lifeboat failover` exits."""
    given = parser().parse_args(arguments)
    try:
        config = WardenConfig.read(given.config)
        surroundings = Surroundings.of(os.environ)
        physical = Physical(settings=config.settings, topology=resolve(config.settings))
        sites = [site.region for site in physical.topology.sites]
        if given.target not in sites:
            raise ConfigError(f"target: {given.target}: accepted is {' or '.join(sites)}")
        lost = frozenset(sites) - {given.target}
        plan = derive(physical.settings, physical.topology, mode=Mode.FAILOVER, lost=lost)
    except PlanRefused as refusal:
        _tell(*refusal.reasons)
        return REFUSED
    except (ConfigError, Unplannable, ValueError) as fault:
        _tell(str(fault))
        return BAD_INPUT
    log_to(config.region)
    _log.warning("failover to %s, as the warden of %s decided: %s", given.target, config.region, given.reason)
    ports = SystemPorts(physical, surroundings)
    # Calls that only read are noted nowhere else; a drill's evidence wants them.
    mirror = Mirror(given.config.parent / "journal")
    there = outside(
        physical,
        ports,
        near=plan.target,
        lost=lost,
        mirror=mirror,
        watch=_watch(given.confirmed, physical, ports, plan.source),
        viewpoint=config.region,
    )
    runner = Runner(plan, there, Logged())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: runner.stop())
    consent = Consent(by=(WARDEN,), confirmed=given.confirmed)
    try:
        report = runner.start(consent) if given.resume is None else runner.resume(given.resume, consent)
    except RecoveryRefused as refusal:
        _log.error("refused: %s", "; ".join(refusal.lines))
        return REFUSED
    except LeaseError as refusal:
        _log.error("refused: %s", refusal)
        return REFUSED
    except (RecoveryError, StoreError) as fault:
        _log.error("%s", fault)
        return FAILED
    _log.info("%s", json.dumps(asdict(report)))
    return 0 if report.result == DONE else FAILED


def _watch(confirmed: Confirmed | None, physical: Physical, ports: Ports, site: str) -> LeaseWatch:
    """A watch of the lease; where what the warden confirmed stands, it goes on from the warden's own."""
    stands = standing(confirmed, physical, ports, site)
    # Without a name of the boot nothing says that both clocks are one.
    known = stands.watched if stands is not None and stands.boot else None
    margin = physical.settings.lease.clock_margin
    return LeaseWatch(margin=margin, pace=ports.pace, clock=ports.clock, known=known)


def _tell(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201 - for who started it, before there is a log


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
