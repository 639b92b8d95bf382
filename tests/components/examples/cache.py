"""The cache: a global datastore, and two of them that know nothing of each other."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from components.aws.cache import Cache, CacheArgs
from components.aws.perimeter import StoreSite
from tests.components.harness import HOME, OTHER, Example, World
from tests.components.stores import PASSWORD, store

if TYPE_CHECKING:
    from collections.abc import Callable


def cache(**changes: Any) -> Callable[[World], Cache]:  # noqa: ANN401 - any argument
    """Builds a cache; `changes` replace single arguments."""

    def build(world: World) -> Cache:
        args = CacheArgs(
            sites={region: StoreSite(**store(world, region, "cache")) for region in (OTHER, HOME)},
            home=HOME,
            version="7.1",
            node_type="cache.r6g.large",
            nodes=3,
            auth_token=PASSWORD,
            snapshot_days=7,
            lag_alarm_seconds=300,
        )
        return Cache("sessions", dataclasses.replace(args, **changes))

    return build


EXAMPLES = [
    Example(name="cache-global", build=cache(global_datastore=True)),
    Example(name="cache-independent", build=cache()),
]
