"""How long the control plane takes to bring something about: durations sampled from `lifeboat.model.timings`.

A duration depends on the seed, the operation and how often that operation was asked for, and on nothing else: other
operations in between, or on other threads, change nothing, so that a rehearsal with the same seed sees the same ones.
"""

from __future__ import annotations

import math
import random
import threading
from collections import Counter
from statistics import NormalDist
from typing import Final, Literal

from lifeboat.model.timings import TIMINGS, Step
from lifeboat.sandbox.state import SandboxInputError

INSTANT: Final = "instant"
"""The time scale at which effects take no time."""

_P95: Final = NormalDist().inv_cdf(0.95)


class Effects:
    """Durations of control-plane effects; safe to use from several threads.

    Args:
        seed: Same seed, same durations.
        time_scale: How many times faster than real effects are: 60 makes a minute a second. None or ``"instant"`` makes
            them take no time.

    Raises:
        SandboxInputError: when the scale is not a positive number.
    """

    def __init__(self, seed: int, time_scale: float | Literal["instant"] | None) -> None:
        scale = None if time_scale == INSTANT else time_scale
        if scale is not None and not 0 < scale < math.inf:
            raise SandboxInputError(f"time scale {scale}: a positive number such as 60, or {INSTANT!r}")
        self._seed = seed
        self._scale = scale
        self._lock = threading.Lock()
        self._calls: Counter[Step] = Counter()

    def seconds(self, operation: Step) -> float:
        """How long this call of an operation takes here, seconds: sampled, then divided by the time scale.

        Raises:
            ValueError: when the operation's duration has no upper bound to sample below.
        """
        timing = TIMINGS[operation]
        if math.isinf(timing.p95):
            raise ValueError(f"{operation}: nobody published how long it takes at most")
        with self._lock:
            self._calls[operation] += 1
            chance = random.Random(f"{self._seed}/{operation}/{self._calls[operation]}")  # noqa: S311 - no secret
        if self._scale is None:
            return 0.0
        spread = math.log(timing.p95 / timing.p50) / _P95
        return chance.lognormvariate(math.log(timing.p50), spread) / self._scale
