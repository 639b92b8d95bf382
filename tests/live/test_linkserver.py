"""Latency and bandwidth of one way, by a clock that waits for nobody."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING

import pytest

from lifeboat.sandbox.live.linkserver import Way

if TYPE_CHECKING:
    from collections.abc import Generator


class _Jumping(selectors.SelectSelector):
    """Waits by setting the clock forward."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found and timeout:
            self.now += timeout
        return found


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Jumping()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


@pytest.fixture
def virtual() -> Generator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        yield runner


def shaped(latency_s: float = 0.0, bytes_per_s: float | None = None) -> Way:
    way = Way()
    way.shape(latency_s=latency_s, bytes_per_s=bytes_per_s, cut=False, reset=False)
    return way


def test_all_connections_of_a_way_share_its_bandwidth(virtual: asyncio.Runner) -> None:
    async def carry() -> float:
        way = shaped(bytes_per_s=10_000.0)
        assert way.portion == 500

        async def connection() -> None:
            for _ in range(50):
                await way.transmit(way.portion)

        await asyncio.gather(connection(), connection())
        return asyncio.get_running_loop().time()

    # 50,000 bytes, of which the first twentieth of a second was saved up.
    assert virtual.run(carry()) == pytest.approx(4.95, abs=0.01)


def test_a_new_shape_counts_at_once_for_what_waits(virtual: asyncio.Runner) -> None:
    async def carry() -> float:
        way = shaped(latency_s=3600.0, bytes_per_s=1.0)
        waiting = [asyncio.ensure_future(way.transmit(1000)), asyncio.ensure_future(way.cross(0.0))]
        await asyncio.sleep(5)
        way.shape(latency_s=7.0, bytes_per_s=None, cut=False, reset=False)
        await asyncio.gather(*waiting)
        return asyncio.get_running_loop().time()

    assert virtual.run(carry()) == pytest.approx(7.0, abs=0.01)


def test_latency_is_counted_from_when_bytes_entered(virtual: asyncio.Runner) -> None:
    async def carry() -> float:
        way = shaped(latency_s=2.0)
        await asyncio.gather(*(way.cross(entered) for entered in (0.0, 0.5, 1.0)))
        return asyncio.get_running_loop().time()

    assert virtual.run(carry()) == pytest.approx(3.0, abs=0.01)
