"""Every component test sees outputs misused as plain values as errors."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _strict_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Formatting an unresolved output into a string fails instead of giving nonsense."""
    monkeypatch.setenv("PULUMI_ERROR_OUTPUT_STRING", "1")
