"""moto's core: what every call passes. A deployment makes hundreds of calls, and these cost half of each."""

from __future__ import annotations

import functools

from moto.core import responses
from moto.moto_server.werkzeug_app import (  # pyright: ignore[reportMissingTypeStubs]  # typed, but not marked so
    DomainDispatcherApplication,
)

from lifeboat.sandbox.patches.base import Moto, Patches

PATCHES = Patches("core")


@functools.cache
def _method_names(original: Moto, handler: Moto) -> frozenset[str]:
    return frozenset(original(handler))


@PATCHES.fixes(responses)
def method_names_from_class(original: Moto, handler: Moto) -> frozenset[str]:
    """Inspects a handler's class on every call: half a millisecond for EC2's 600 methods. They do not change."""
    return _method_names(original, handler)


_backends: dict[str | None, str | None] = {}


@PATCHES.fixes(DomainDispatcherApplication)
def get_backend_for_host(original: Moto, self: Moto, host: str | None) -> str | None:
    """Lists its own package's directory on every call to know its services: half a millisecond. They do not change."""
    if host not in _backends:
        _backends[host] = original(self, host)
    return _backends[host]
