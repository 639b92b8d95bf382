"""Evaluates CloudWatch's metric alarms, which moto only stores.

Alarms on metric math, anomaly bands, percentiles and other alarms stay as they are.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from moto.cloudwatch.models import cloudwatch_backends

from lifeboat.sandbox.live.alarm_rules import INSUFFICIENT_DATA, evaluate
from lifeboat.sandbox.live.cloudwatch import epoch_seconds, read, rule_of, series_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifeboat.sandbox.live.alarm_rules import Evaluation, Rule
    from lifeboat.sandbox.patches.base import Moto

INTERVAL: Final = 5.0
"""Seconds between looks for an evaluation that is due."""
HISTORY: Final = 100
"""State changes that an alarm remembers."""
_log = logging.getLogger(__name__)


class Alarms:
    """Evaluates the alarms of every region, again and again, on a thread of its own.

    What it does needs no API: it goes on while a region's control plane is lost.

    Args:
        account: 12 digits.
        interval: Seconds between looks. Periods of alarms are real time, whatever the time scale of effects.
        clock: Seconds since the epoch.
        scale: How many times faster detection is than declared: divides all of these.
    """

    def __init__(
        self, account: str, interval: float = INTERVAL, clock: Callable[[], float] = time.time, scale: float = 1.0
    ) -> None:
        self._account = account
        self._interval = interval / scale
        self._scale = scale
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when no evaluation runs any more."""
        self._stopped.set()
        self._thread.join()

    def evaluate(self) -> None:
        """Evaluate every alarm of every region once."""
        now = self._clock()
        for region, backend in list(cloudwatch_backends[self._account].items()):
            rules = [(alarm, rule) for alarm in list(backend.alarms.values()) if (rule := rule_of(alarm, self._scale))]
            wanted = [(series_of(alarm), rule.range_start(now)) for alarm, rule in rules]
            published = read(self._account, region, wanted)
            for alarm, rule in rules:
                if _begun(alarm, rule, now):
                    _settle(alarm, evaluate(rule, published.get(series_of(alarm), ()), now))
                elif not alarm.history:
                    # moto begins with OK; AWS says so as long as an alarm has just started.
                    alarm.state_value = INSUFFICIENT_DATA

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            try:
                self.evaluate()
            except Exception:  # noqa: BLE001 - an alarm that changes meanwhile must not end all evaluation for good
                _log.warning("alarms were not evaluated", exc_info=True)


def _begun(alarm: Moto, rule: Rule, now: float) -> bool:
    """Whether a first whole interval of an alarm's life is over: it says nothing of a metric that began with it."""
    return epoch_seconds(alarm.configuration_updated_timestamp) <= rule.range_end(now) - rule.interval


def _settle(alarm: Moto, evaluation: Evaluation) -> None:
    if evaluation.state is None or evaluation.state == alarm.state_value:
        return
    data = {"recentDatapoints": evaluation.values, "threshold": alarm.threshold, "period": alarm.period}
    alarm.update_state(evaluation.reason, json.dumps(data), evaluation.state)
    del alarm.history[:-HISTORY]
