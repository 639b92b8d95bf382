"""Asking again who answers, and says: later. Who does not answer at all is left to whoever knows another place.

Botocore's own attempts do not fit where a condition goes with a write: whether an earlier attempt may have made it must
be known, or a write refuses itself.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from botocore.exceptions import ClientError

from lifeboat.recovery.run_state import is_unanswered

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")
_FIRST: Final = 0.05
_LONGEST: Final = 0.5
"""Real seconds before the next attempt, doubled each time; half of them is left to chance, since others ask too."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """For how long a place is asked again that throttles, or fails by itself.

    Attributes:
        seconds: Real ones, from the first attempt to the beginning of the last.
        clock: Monotonic seconds.
        wait: Lets seconds pass.
        later: Codes of answers that mean `later` of what is asked here, beside those that do everywhere.
    """

    seconds: float
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], object] = time.sleep
    later: frozenset[str] = frozenset()

    def ask(self, question: Callable[[bool], _T], doubtful: bool = False) -> _T:
        """The answer of one place.

        Args:
            question: Asks it once; is told whether an attempt before may have done what is asked without saying so.
            doubtful: Whether it may have been done before the first attempt.

        Raises:
            ClientError: the last answer, when it is no better in time, or at once when another attempt changes nothing.
        """
        end = self.clock() + self.seconds
        pause = _FIRST
        while True:
            try:
                return question(doubtful)
            except ClientError as fault:
                seconds = pause * random.uniform(0.5, 1)  # noqa: S311 - no secret
                later = is_unanswered(fault) or fault.response.get("Error", {}).get("Code") in self.later
                if not later or self.clock() + seconds > end:
                    raise
            doubtful = True
            self.wait(seconds)
            pause = min(2 * pause, _LONGEST)
