"""Health checks as a state machine: what was found goes in with its time, who is healthy comes out; without any I/O.

Rules of Route 53's that recovery rests on:
1. A check that never found anything counts as healthy; so does one that is disabled. Inversion comes last.
2. An endpoint's status changes after as many results in a row that say so as its threshold.
3. A check on an alarm follows the metric's data with the alarm's settings, not the alarm's own state. Too little data
   counts as its `insufficient` says; with ``LastKnownStatus`` what was last known stays, for as long as it takes.
4. A calculated check is healthy when at least `healthy_children` of its children are. A child that is not there counts
   as healthy; one that is calculated itself, which AWS refuses, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lifeboat.sandbox.live.alarm_rules import ALARM, INSUFFICIENT_DATA, evaluate
from lifeboat.sandbox.live.zone import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lifeboat.sandbox.live.zone import Check

EVALUATION: Final = 60.0
"""Seconds between two looks at a metric, as CloudWatch evaluates alarms on standard-resolution metrics."""
ENDPOINTS: Final = frozenset({"HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP"})


@dataclass(frozen=True, kw_only=True)
class State:
    """What is known of one check.

    Attributes:
        known: The last finding before inversion, None when there never was one.
        silent: Whether the metric of the check has too little data now.
        contrary: Results in a row that disagree with `known`.
        looked: When its metric was last evaluated.
        checked: When something was last found.
        reason: What was found.
    """

    known: bool | None = None
    silent: bool = False
    contrary: int = 0
    looked: float | None = None
    checked: float = 0.0
    reason: str = "nothing found yet: counts as healthy"

    def after(self, *, passed: bool, threshold: int, reason: str, now: float) -> State:
        """The state after one more result of an endpoint, which is healthy until enough of them say otherwise."""
        presumed = True if self.known is None else self.known
        if passed == presumed:
            return replace(self, known=presumed, contrary=0, reason=reason, checked=now)
        contrary = self.contrary + 1
        if contrary < threshold:
            return replace(self, contrary=contrary, reason=reason, checked=now)
        return replace(self, known=passed, contrary=0, reason=reason, checked=now)


class Health:
    """Every check's state.

    Args:
        evaluation: Seconds between two looks at a metric.
    """

    def __init__(self, evaluation: float = EVALUATION) -> None:
        self._evaluation = evaluation
        self._checks: Mapping[str, Check] = {}
        self._states: dict[str, State] = {}

    def learn(self, checks: Iterable[Check], now: float) -> None:
        """Take the checks of a snapshot; one seen for the first time begins with what was last known of it."""
        known = {check.id: check for check in checks}
        before, self._checks = self._states, known
        self._states = {check.id: before.get(check.id) or State(known=check.last_known) for check in known.values()}
        # Calculated ones last: they go by what the others come to.
        for check in sorted(known.values(), key=lambda check: check.type == "CALCULATED"):
            self._states[check.id] = self._next(check, self._states[check.id], now)

    def probed(self, check_id: str, *, passed: bool, reason: str, now: float) -> None:
        """Take one result of an endpoint's check."""
        check = self._checks.get(check_id)
        if check is not None:
            state = self._states[check_id]
            self._states[check_id] = state.after(passed=passed, threshold=check.threshold, reason=reason, now=now)

    def healthy(self, check_id: str) -> bool:
        """Whether answers may count on what a check watches."""
        check = self._checks.get(check_id)
        return check is None or self._healthy(check)

    def findings(self) -> list[Finding]:
        """Every check's status."""
        return [
            Finding(
                id=check.id,
                healthy=self._healthy(check),
                known=state.known,
                reason="disabled: counts as healthy" if check.disabled else state.reason,
                checked=state.checked,
            )
            for check in self._checks.values()
            if (state := self._states.get(check.id)) is not None
        ]

    def _next(self, check: Check, state: State, now: float) -> State:
        if check.type == "CLOUDWATCH_METRIC":
            return self._look(check, state, now)
        if check.type == "CALCULATED":
            alive = self._alive_children(check)
            return replace(
                state,
                known=alive >= check.healthy_children,
                checked=now,
                reason=f"{alive} of {len(check.children)} children healthy, {check.healthy_children} wanted",
            )
        return state

    def _look(self, check: Check, state: State, now: float) -> State:
        if state.looked is not None and now - state.looked < self._evaluation:
            return state
        found = INSUFFICIENT_DATA if check.alarm is None else evaluate(check.alarm.rule, check.alarm.points, now).state
        if found is None and state.known is not None:
            return replace(state, looked=now, silent=False, reason="missing data are ignored: the status stays")
        if found in {None, INSUFFICIENT_DATA}:
            return replace(state, looked=now, silent=True, reason=f"too little data: {check.insufficient}")
        return replace(
            state,
            known=found != ALARM,
            silent=False,
            looked=now,
            checked=now,
            reason="the metric breaches its alarm" if found == ALARM else "the metric is within its alarm",
        )

    def _healthy(self, check: Check) -> bool:
        return self._found(check) != check.inverted

    def _found(self, check: Check) -> bool:
        """The status before inversion."""
        state = self._states.get(check.id)
        if check.disabled or state is None:
            return True
        if check.type == "CALCULATED":
            return self._alive_children(check) >= check.healthy_children
        if state.silent and check.insufficient != "LastKnownStatus":
            return check.insufficient == "Healthy"
        return True if state.known is None else state.known

    def _alive_children(self, check: Check) -> int:
        children = (self._checks.get(child) for child in check.children)
        return sum(child is None or child.type == "CALCULATED" or self._healthy(child) for child in children)
