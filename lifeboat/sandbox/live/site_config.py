"""What a site's process reads at its start, and what its clients know of its interface."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final, cast

from lifeboat.sandbox.live.site_bounds import KEEPALIVE_REQUESTS, KEEPALIVE_SECONDS
from lifeboat.sandbox.state import write_private

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

ORDERS: Final = "/orders"
SITE_HEADER: Final = "X-Lifeboat-Site"
"""The region that answered."""
EPOCH_HEADER: Final = "X-Lifeboat-Epoch"
"""The epoch that its gate knows."""

IDLE_LIMIT: Final = 2.0
"""Seconds at the declared pace, of the 5 that a lease's clock margin has by default."""


@dataclass(frozen=True, kw_only=True)
class ProcessConfig:
    """One site's process.

    Attributes:
        site: Its region, which every answer carries.
        address: Where it listens.
        port: The same.
        name_server: Address of the name server that its database's name is looked up at.
        name_server_port: The same.
        credentials: File of the database's credentials.
        gate: File of the gate over writes.
        capacity: File of the limit of requests a second.
        clock: File of how wrong its clock is.
        request_timeout: Seconds that a request may take at the database.
        idle_limit: Seconds that a transaction may idle before the database ends it: part of the lease's margin.
        keepalive_seconds: How long a client's connection may live.
        keepalive_requests: How many answers it may carry.
        pool: Connections to the database for orders.
    """

    site: str
    address: str
    port: int
    name_server: str
    name_server_port: int
    credentials: str
    gate: str
    capacity: str
    clock: str
    request_timeout: float = 2.0
    idle_limit: float = IDLE_LIMIT
    keepalive_seconds: float = KEEPALIVE_SECONDS
    keepalive_requests: int = KEEPALIVE_REQUESTS
    pool: int = 8

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ValueError: when the file is no such thing.
        """
        loaded: object = json.loads(path.read_bytes())
        found = cast("dict[str, Any]", loaded) if isinstance(loaded, dict) else {}
        known = {part.name for part in fields(cls)}
        try:
            return cls(**found)
        except TypeError:
            raise ValueError(f"{path}: expected are keys of {', '.join(sorted(known))}") from None

    def save(self, path: Path) -> None:
        """Write it, for the owner only."""
        write_private(path, json.dumps(asdict(self), indent=2) + "\n")
