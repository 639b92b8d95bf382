"""A stack's outside put together: stores of the lease's kind, the journal beside it, who is told of a failure."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from lifeboat.model.design import LeaseStore as Kind
from lifeboat.recovery.claim import runner_name
from lifeboat.recovery.journal_stores import store_of
from lifeboat.recovery.lease_object import Bucket, ObjectStore
from lifeboat.recovery.lease_store import PATIENCE
from lifeboat.recovery.lease_table import TableStore
from lifeboat.recovery.patience import Patience
from lifeboat.recovery.run_state import UNANSWERED
from lifeboat.recovery.runner import Outside
from lifeboat.recovery.step_runs import Stores
from lifeboat.recovery.steps import actions

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifeboat.model.physical import Physical
    from lifeboat.recovery.journal import Listener, Mirror
    from lifeboat.recovery.lease import LeaseWatch
    from lifeboat.recovery.ports import Ports


def lease_store(physical: Physical, ports: Ports, near: str | None = None) -> TableStore | ObjectStore:
    """Where a stack's lease and its wardens' views are kept.

    Args:
        physical: The stack's names.
        ports: To reach it by.
        near: The site that is asked first; home when None.
    """
    topology = physical.topology
    sites = sorted((site.region for site in topology.sites), key=lambda region: region != near)
    viewers = [*sites, topology.witness]
    patience = Patience(seconds=PATIENCE, clock=ports.clock, wait=lambda seconds: ports.wait(None, seconds))
    if topology.lease is Kind.WITNESS_OBJECT:
        return ObjectStore(
            lambda region: ports.client("s3", region, once=True),
            witness=Bucket(region=topology.witness, name=physical.lease_bucket),
            sites=[Bucket(region=region, name=f"{physical.prefix}-lease-{region}") for region in sites],
            viewers=viewers,
            patience=patience,
        )
    return TableStore(
        lambda region: ports.client("dynamodb", region, once=True),
        table=physical.lease_table,
        regions=sites,
        viewers=viewers,
        patience=patience,
    )


def stores(physical: Physical, near: str | None = None) -> Stores:
    """Makes the stores of a stack by whatever ports are given; a site that is near is asked first."""
    return Stores(
        lease=lambda ports: lease_store(physical, ports, near),
        views=lambda ports: lease_store(physical, ports, near),
        journal=lambda ports: store_of(physical, ports, near),
    )


def outside(  # noqa: PLR0913 - what differs between a person's run, a warden's and a drill's
    physical: Physical,
    ports: Ports,
    *,
    near: str | None = None,
    lost: frozenset[str] = frozenset(),
    mirror: Mirror | None = None,
    listeners: tuple[Listener, ...] = (),
    watch: LeaseWatch | None = None,
    viewpoint: str = "operator",
    runner: str | None = None,
) -> Outside:
    """Everything that runs of a stack are carried out with.

    Args:
        physical: The stack's names.
        ports: The outside.
        near: The site whose answer counts, a plan's target: asked first.
        lost: Regions that nobody is told of anything by.
        mirror: Where the journal is read by people.
        listeners: Hear of every call.
        watch: What has watched the lease so far.
        viewpoint: Where this runs: a warden's region, or ``operator``.
        runner: This process, as the lease's claim has it; made up when None.
    """
    return Outside(
        physical=physical,
        ports=ports,
        stores=stores(physical, near),
        actions=actions(),
        mirror=mirror,
        listeners=listeners,
        alarm=_alarm(physical, ports, lost),
        watch=watch,
        viewpoint=viewpoint,
        runner=runner or runner_name(),
    )


def _alarm(physical: Physical, ports: Ports, lost: frozenset[str]) -> Callable[[str], None]:
    """Tells people of a failure by the topic of every region that may answer; nobody waits for it."""
    topology = physical.topology
    regions = [*(site.region for site in topology.sites), topology.witness]

    def alarm(text: str) -> None:
        for region in regions:
            if region in lost:
                continue
            with contextlib.suppress(*UNANSWERED):
                ports.client("sns", region, best_effort=True).publish(
                    TopicArn=physical.alerts(region), Subject=f"{physical.prefix}: a step failed", Message=text
                )

    return alarm
