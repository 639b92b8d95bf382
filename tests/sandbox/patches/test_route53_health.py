"""Route 53's word on its health checks, once the sandbox's name server looked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.live.naming import EAST, naming
from tests.live.waiting import until

if TYPE_CHECKING:
    from pathlib import Path


def test_get_health_check_status_is_what_was_found(tmp_path: Path) -> None:
    with naming(tmp_path) as stack:
        # Nobody serves there.
        check = stack.endpoint("nobody", EAST, "orders")
        until(lambda: stack.found(check).startswith("Failure: "))
