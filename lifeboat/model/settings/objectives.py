"""What a stack declares it must survive."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from lifeboat.model.settings.base import Between, Flag, Model, Name, Seconds, SomeSeconds


class Failure(StrEnum):
    """The classes of failure an objective can speak of."""

    INSTANCE = "instance"
    ZONE = "zone"
    REGION = "region"
    DATABASE = "database"
    APPLICATION = "application"
    SYSTEM = "system"
    CORRUPTION = "corruption"


_LEAST, _ALL = 90, 100
"""Percent."""


def _availability(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not _LEAST <= value < _ALL:
        raise ValueError("a percentage from 90 to below 100, such as 99.99")
    return float(value)


Availability = Annotated[
    float,
    BeforeValidator(_availability),
    WithJsonSchema({"type": "number", "minimum": 90, "exclusiveMaximum": 100}),
]


class Phases(Model):
    """Durations that the organisation declares for the parts of a recovery.

    It is the only authority on its people; what machines do is an upper limit that the estimate is held against.
    """

    detect: Seconds | None = Field(default=None, description="From the fault to its detection; replaces the estimate.")
    decide: Seconds | None = Field(default=None, description="From detection to the decision; replaces the estimate.")
    recover: Seconds | None = Field(
        default=None, description="Databases, storage and services; an upper limit that is checked."
    )
    verify: Seconds | None = Field(default=None, description="Smoke tests and integrity checks; replaces the estimate.")
    communicate: Seconds | None = Field(default=None, description="Telling people; counted when it is declared.")


class Objective(Model):
    """What one scope must meet. Absent fields make no demand."""

    rto: SomeSeconds | None = Field(default=None, description="Recovery time objective: fault to first durable write.")
    rpo: Seconds | None = Field(
        default=None, description="Recovery point objective: the most data, as time, that may be lost."
    )
    availability: Availability | None = Field(
        default=None, description="Percent of time, such as 99.99; its budgets bound zone and region failures."
    )
    phases: Phases = Field(default_factory=Phases, description="Declared durations of phases of the recovery.")


class ServiceObjective(Objective):
    """The objective of one service, with what people do meanwhile."""

    name: Name = Field(description="The service.")
    priority: Annotated[int, Between(1, 5)] = Field(default=1, description="Order of recovery, 1 first.")
    workaround: str | None = Field(default=None, description="What the business does until the service is back.")


class FailureObjective(Objective):
    """The objective for one class of failure."""

    failure: Failure = Field(description="The class of failure.")


class Objectives(Model):
    """Objectives per scope: the whole stack, a service, a class of failure. The strictest that applies holds."""

    strict: Flag = Field(
        default=False,
        description="Every objective needs an enforced or documented bound, or declared phases.",
    )
    stack: Objective = Field(default_factory=Objective, description="What holds for everything.")
    services: tuple[ServiceObjective, ...] = Field(default=(), description="Objectives of single services.")
    failures: tuple[FailureObjective, ...] = Field(default=(), description="Objectives for single classes of failure.")

    @property
    def scopes(self) -> dict[str, Objective]:
        """Every objective by its scope: ``stack``, ``services.NAME``, ``failures.CLASS``."""
        return {
            "stack": self.stack,
            **{f"services.{service.name}": service for service in self.services},
            **{f"failures.{failure.failure}": failure for failure in self.failures},
        }
