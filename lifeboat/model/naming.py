"""Logical names that no setting gives: what is built beside a stack's own stores, and is called by these."""

from __future__ import annotations

CONTRACT_STORE = "contract"
"""The bucket of every site that the contract is published in."""


def password_of(database: str) -> str:
    """Logical name of the secret with a database's master password."""
    return f"{database}-password"


def token_of(cache: str) -> str:
    """Logical name of the secret with a cache's AUTH token."""
    return f"{cache}-token"


LEASE_STORE = "lease"
"""The table that the lease and the journal live in, or the bucket."""


def lease_table(prefix: str) -> str:
    """The lease's table, the same name in each region."""
    return f"{prefix}-{LEASE_STORE}"


def switch_namespace(prefix: str) -> str:
    """Namespace of the metrics that only wardens publish: the switches' levels and their own signs of life."""
    return f"Lifeboat/{prefix}"


def breakglass_role(prefix: str) -> str:
    """The role that people take when nothing else is left."""
    return f"{prefix}-breakglass"


GATE_PORT = 8470
"""Where a site's warden answers the gateways of that site."""
WARDEN_HOST = "warden"
"""The warden's name in its site's namespace."""


def warden_namespace(prefix: str, region: str) -> str:
    """The private DNS namespace of one site's network, which its warden has an address in.

    ``internal`` is nobody's top-level domain. It names the region, so that an address says whose gate it is.
    """
    return f"{prefix}-{region}.lifeboat.internal"


def gate_url(prefix: str, region: str) -> str:
    """What a gateway of a site asks before each write."""
    return f"http://{WARDEN_HOST}.{warden_namespace(prefix, region)}:{GATE_PORT}/gate"
