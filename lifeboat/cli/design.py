"""From a stack's name to its design, as every command needs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lifeboat.deployment.project import InputError, Project
from lifeboat.model.settings.load import from_stack_file
from lifeboat.model.topology import resolve
from lifeboat.reporting.cost import Estimate, standby_cost
from lifeboat.reporting.prices import Prices, load_prices
from lifeboat.reporting.records import RecordError, load_records

if TYPE_CHECKING:
    from lifeboat.model.design import Topology
    from lifeboat.model.records import Records
    from lifeboat.model.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Design:
    """A stack, declared and decided."""

    project: Project
    settings: Settings
    topology: Topology
    estimate: Estimate
    prices: Prices


def project_records(project: Project) -> Records:
    """What drills measured, as the project's ``records`` have it.

    Raises:
        InputError: for a file there that is no record.
    """
    try:
        return load_records(project.root / "records")
    except RecordError as fault:
        raise InputError(*str(fault).splitlines()) from None


def load_design(stack: str) -> Design:
    """Load and resolve a stack of the project around the current directory.

    Raises:
        InputError: without a project or such a stack.
        SettingsError: with every fault in its file.
    """
    project = Project.find(Path.cwd())
    settings = from_stack_file(project.text(stack), f"Pulumi.{stack}.yaml")
    topology = resolve(settings)
    prices = load_prices()
    estimate = standby_cost(settings, topology, prices)
    return Design(project=project, settings=settings, topology=topology, estimate=estimate, prices=prices)
