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
