"""How moto is patched: by method name, each patch saying whether it fills a gap or fixes a fault, and why.

Fixed methods get the one they replace as their first argument, so that a fix can stay as small as the fault.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from moto.core.exceptions import ServiceException

if TYPE_CHECKING:
    from collections.abc import Callable


Moto: TypeAlias = Any
"""An object or method of moto's: patches reach into attributes that have no static type."""


def attributes(instance: Moto) -> dict[str, Any]:
    """An object's own attributes; a reset of moto empties a backend's, and what patches note among them."""
    own: dict[str, Any] = instance.__dict__
    return own


def endpoint_suffix(account: str, region: str, identifier: str, length: int) -> str:
    """What makes an endpoint's host name unique: the same one in each life of a sandbox, whose names so stay valid."""
    return hashlib.sha256(f"{account}/{region}/{identifier}".encode()).hexdigest()[:length]


class RefusedError(ServiceException):
    """An error that AWS answers and moto has no class for: ``RefusedError("CacheSubnetGroupInUse", "why")``."""


class OutdatedPatchError(RuntimeError):
    """moto no longer has what a patch fixes, or now has what it fills."""


@dataclass(frozen=True)
class Patch:
    """One method that moto gets from us."""

    service: str
    owner: Moto
    """A class of moto's, or a module for its functions."""
    name: str
    function: Callable[..., Any]
    fixes: bool
    """It replaces a method that moto has; otherwise it adds one."""

    @property
    def fault(self) -> str:
        """What moto does without it: the first line of the patch's docstring."""
        return (self.function.__doc__ or "").strip().splitlines()[0]


class Patches:
    """The patches of one service, collected by decorators and applied together."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.patches: list[Patch] = []

    def fills(self, owner: Moto) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add the decorated function to `owner`, which has no method of that name."""
        return functools.partial(self._collect, owner, fixes=False)

    def fixes(self, owner: Moto) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Put the decorated function in place of `owner`'s method of that name; it gets the original first."""
        return functools.partial(self._collect, owner, fixes=True)

    def _collect(self, owner: Moto, function: Callable[..., Any], *, fixes: bool) -> Callable[..., Any]:
        self.patches.append(Patch(self.service, owner, function.__name__, function, fixes))
        return function

    def apply(self, patch: Patch) -> None:
        """Put one patch in place.

        Raises:
            OutdatedPatchError: when moto changed underneath it.
        """
        original: Moto = inspect.getattr_static(patch.owner, patch.name, None)
        if (original is not None) != patch.fixes:
            fact = "no longer has" if patch.fixes else "now has"
            raise OutdatedPatchError(f"moto {fact} {patch.owner.__name__}.{patch.name}: drop or rewrite its patch")
        setattr(patch.owner, patch.name, _bound(patch.function, original) if patch.fixes else patch.function)


def _bound(function: Callable[..., Any], original: Moto) -> Moto:
    if isinstance(original, property):
        return property(lambda self: function(original.fget, self), original.fset)
    called: Moto = original.__func__ if isinstance(original, staticmethod) else original

    # A plain function: moto dispatches only to those.
    @functools.wraps(called)
    def patched(*args: Moto, **kwargs: Moto) -> Moto:
        return function(called, *args, **kwargs)

    return staticmethod(patched) if isinstance(original, staticmethod) else patched
