"""moto's core: answers are remembered where moto works them out each time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from moto import backends
from moto.core.utils import method_names_from_class as moto_method_names
from moto.kms.responses import KmsResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from lifeboat.sandbox.patches import core

if TYPE_CHECKING:
    import pytest


def test_method_names_from_class_looks_once() -> None:
    looks: list[object] = []

    def look(handler: object) -> list[str]:
        looks.append(handler)
        return moto_method_names(handler)

    found = [core.method_names_from_class(look, KmsResponse) for _ in range(3)]
    assert looks == [KmsResponse]
    assert "create_key" in found[2]


def test_get_backend_for_host_lists_modules_once(monkeypatch: pytest.MonkeyPatch) -> None:
    listings: list[Path] = []

    def listed() -> list[str]:
        listings.append(Path(backends.__file__))
        return []

    monkeypatch.setattr(backends, "list_of_moto_modules", listed)
    dispatcher = DomainDispatcherApplication(create_backend_app)
    original = DomainDispatcherApplication.get_backend_for_host
    host = "kms.ca-west-1.amazonaws.com"
    answers = {core.get_backend_for_host(original, dispatcher, host) for _ in range(3)}
    assert answers == {"kms"}
    assert len(listings) == 1
