"""Leaves these modules out unless they are asked for, and lets each test take its time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

WANTED = "LIFEBOAT_ACCEPTANCE"
"""Set to anything: these tests are collected."""
ROOM = Path(__file__).parent
LONGEST = 4 * 3600
"""Seconds that one may take."""

collect_ignore_glob = [] if os.environ.get(WANTED) else ["test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The gate's limit is for tests that end soon."""
    for item in items:
        if item.path.parent == ROOM:
            item.add_marker(pytest.mark.timeout(LONGEST))
