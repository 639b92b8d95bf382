"""Logical names that no setting gives: what is built beside a stack's own stores, and is called by these."""

from __future__ import annotations

import hashlib

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
_BALANCER_NAME = 32
"""Characters that the name of a load balancer or of its targets may have."""


def gate_balancer(prefix: str) -> str:
    """The balancer in front of a site's warden, and its target group; the same name in each region.

    A prefix too long for it is cut, with its hash instead. Names that begin with ``internal-`` are AWS's own.
    """
    name = f"{prefix}-gate"
    if len(name) <= _BALANCER_NAME and not name.startswith("internal-"):
        return name
    end = f"-{hashlib.sha256(prefix.encode()).hexdigest()[:8]}-gate"
    return prefix.removeprefix("internal-")[: _BALANCER_NAME - len(end)].rstrip("-") + end


def gate_url(host: str) -> str:
    """What a gateway of a site asks before each write; `host` is the balancer's DNS name."""
    return f"http://{host}:{GATE_PORT}/gate"
