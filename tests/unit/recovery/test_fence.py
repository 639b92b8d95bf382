"""How databases are asked, without any; what a fence does to one is shown on a real server."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from lifeboat.recovery.fence import DatabaseFence, FenceError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from psycopg import Connection


def test_one_database_that_hangs_takes_no_time_from_the_others() -> None:
    all_asked = threading.Barrier(3)

    def connect(name: str) -> AbstractContextManager[Connection]:
        # Hangs until each of the others is asked too.
        all_asked.wait(20)
        raise LookupError(f"no database {name}")

    with pytest.raises(FenceError) as fault:
        DatabaseFence(connect, ["one", "two", "three"]).fence()
    assert str(fault.value) == "one: no database one; two: no database two; three: no database three"


def test_a_site_without_databases_is_fenced() -> None:
    def connect(name: str) -> AbstractContextManager[Connection]:
        pytest.fail(name)

    DatabaseFence(connect, []).fence()
