"""Calls that a run made and its plan does not declare."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.graph import Plan

_BY_WORDS = {"postgresql", "redis", "http", "dns"}
"""Services whose operations a plan tells in words."""
_NOWHERE = {"http", "dns"}
"""Names and web servers are no region's of their own."""


class Made(NamedTuple):
    """A call as it is compared."""

    step: str | None
    service: str
    operation: str
    region: str


def undeclared(plan: Plan, made: Iterable[Made]) -> set[Made]:
    """Calls of steps that the plan does not declare, by step, service, operation and region."""
    declared = {_plain(Made(step.key, call.service, call.operation, call.region)) for step, call in plan.calls()}
    return {call for call in map(_plain, made) if call.step is not None} - declared


def _plain(call: Made) -> Made:
    if call.service in _BY_WORDS:
        call = call._replace(operation="")
    return call._replace(region="") if call.service in _NOWHERE else call
