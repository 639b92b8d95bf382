"""What a stack declares it must survive."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from lifeboat.model.settings.base import Model, Name, Seconds


class Failure(StrEnum):
    """The classes of failure an objective can speak of."""

    INSTANCE = "instance"
    ZONE = "zone"
    REGION = "region"
    DATABASE = "database"
    APPLICATION = "application"
    SYSTEM = "system"
    CORRUPTION = "corruption"


class Phases(Model):
    """Durations that the organisation declares for the parts of a recovery which no machine decides."""

    detect: Seconds | None = Field(None, description="From the fault to its detection; replaces the estimate.")
    decide: Seconds | None = Field(None, description="From detection to the decision to fail over.")
    recover: Seconds | None = Field(None, description="Databases, storage and services; an upper limit that is checked.")
    verify: Seconds | None = Field(None, description="Smoke tests and integrity checks after recovery.")
    communicate: Seconds | None = Field(None, description="Telling people; counted when it is declared.")


class Objective(Model):
    """What one scope must meet. Absent fields make no demand."""

    rto: Seconds | None = Field(None, gt=0, description="Recovery time objective: fault to first durable write.")
    rpo: Seconds | None = Field(None, ge=0, description="Recovery point objective: the most data, as time, that may be lost.")
    availability: float | None = Field(
        None, gt=0, lt=100, description="Percent of time, such as 99.99; its budgets bound zone and region failures."
    )
    phases: Phases = Field(default_factory=Phases, description="Declared durations of phases of the recovery.")


class ServiceObjective(Objective):
    """The objective of one service, with what people do meanwhile."""

    name: Name = Field(description="The service.")
    priority: int = Field(1, ge=1, le=5, description="Order of recovery, 1 first.")
    workaround: str | None = Field(None, description="What the business does until the service is back.")


class FailureObjective(Objective):
    """The objective for one class of failure."""

    failure: Failure = Field(description="The class of failure.")


class Objectives(Model):
    """Objectives per scope: the whole stack, a service, a class of failure. The strictest that applies holds."""

    strict: bool = Field(False, description="Every objective needs an enforced or documented bound; typical is not enough.")
    stack: Objective = Field(default_factory=lambda: Objective(), description="What holds for everything.")
    services: tuple[ServiceObjective, ...] = Field((), description="Objectives of single services.")
    failures: tuple[FailureObjective, ...] = Field((), description="Objectives for single classes of failure.")
