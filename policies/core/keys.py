"""Keys of AWS KMS as a property names them, also before their ARN is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from policies.core.results import require
from policies.core.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from policies.core.index import Index
    from policies.core.resource import Resource, View
    from policies.core.results import Result

KEY: Final = "aws:kms/key:Key"
EXTERNAL_KEY: Final = "aws:kms/externalKey:ExternalKey"
REPLICA_KEYS: Final = ("aws:kms/replicaKey:ReplicaKey", "aws:kms/replicaExternalKey:ReplicaExternalKey")
KEYS: Final = (KEY, EXTERNAL_KEY, *REPLICA_KEYS)
ALIAS: Final = "aws:kms/alias:Alias"


def has_key(about: Resource | View, path: str, index: Index) -> bool:
    """Whether a property that is not known yet is made from a key of this stack, whatever that key's ARN will be."""
    return about.peek(path) is UNKNOWN and index.target(about, path, *KEYS, ALIAS) is not None


def require_key(
    about: Resource | View, path: str, index: Index, accepted: Callable[[Any], bool], expected: str
) -> Iterable[Result]:
    """As `require`, but that a key of this stack will do before its ARN is known."""
    return () if has_key(about, path, index) else require(about, path, accepted, expected)
