"""AWS: backups are taken, kept long enough and survive a deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from policies.core.results import require
from policies.core.roles import is_replica
from policies.core.values import at_least

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from policies.core.context import Context
    from policies.core.resource import Resource
    from policies.core.results import Result


def _rds_retention(resource: Resource, context: Context) -> Iterable[Result]:
    if is_replica(resource, context.index):
        return
    days = context.parameters["days"]
    yield from require(resource, "backupRetentionPeriod", at_least(days), f"at least {days:g} days")


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "rds-retention": _rds_retention,
}
