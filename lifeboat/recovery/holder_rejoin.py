"""The way back of a holder that fenced itself and that nobody replaced: it writes again where it is, in a new epoch.

Any other site rejoins beside the one that is active (`lifeboat.model.plan`). Of this one nothing was left behind: its
stores are the ones that were written last, so that there is nothing to compare and nothing to build anew.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lifeboat.model.plan.context import Context
from lifeboat.model.plan.graph import Mode, Plan
from lifeboat.model.plan.steps import decide, rejoin

if TYPE_CHECKING:
    from lifeboat.model.physical import Physical
    from lifeboat.recovery.lease_record import LeaseRecord


def returning(record: LeaseRecord) -> str | None:
    """The holder that a new rejoin lets write again; None when the rejoin is another site's."""
    return record.holder if record.holder in record.fenced else None


def plan(physical: Physical, site: str) -> Plan:
    """Have it decided, and take the site off the lease's fenced ones.

    Args:
        physical: The stack's names.
        site: The holder: the plan's source and its target.
    """
    context = Context(
        settings=physical.settings,
        topology=physical.topology,
        mode=Mode.REJOIN,
        source=site,
        target=site,
        lost=frozenset(),
    )
    decided = (replace(step, after=frozenset[str]()) for step in decide.steps(context))
    freed = (
        replace(
            step,
            title=f"Let {site} write again, in a new epoch: nobody took over",
            after=frozenset({"decide"}),
            undo=None,
            no_undo="the site writes in the new epoch",
            by_hand=context.change_lease(
                f"take {site} off the fenced sites and the stopped ones, raise the epoch by one, set beat to 0"
            ),
        )
        for step in rejoin.steps(context)
    )
    return Plan(mode=Mode.REJOIN, source=site, target=site, lost=frozenset(), steps=(*decided, *freed))
