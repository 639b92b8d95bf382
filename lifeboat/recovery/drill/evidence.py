"""The record of a drill, version 1: everything that was measured and judged, as one JSON document without a secret.

Seconds everywhere. *Observed* is what clocks here showed. *Scaled back* is observed, times the drill's time scale: the
protocol and AWS's control plane ran that much faster, while servers, network and clients did not and are multiplied
with them, so that it is an upper bound; at time scale 1 both are the same. *Projected* is the Monte Carlo simulation of
the plan at scale 1, which nothing of the drill goes into. Times of events are observed seconds since the fault.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT: Final = 1
MET, MISSED, OPEN = "met", "missed", "not judged"

HOW: Final = (
    (
        "Observed: what the clients' one monotonic clock showed, from just before the fault was injected. Journal and "
        "ledger are put beside it by the wall clock of the same machine."
    ),
    (
        "Scaled back: observed, times the time scale. Lease, confirmation, DNS and health checks, and the durations of "
        "AWS's control plane ran that much faster. Servers, network and clients are real and ran as they do, so "
        "multiplying all of it gives an upper bound. Recovery times are judged by it."
    ),
    (
        "Projected: a simulation of the plan at time scale 1, from documented durations and declared priors. Nothing "
        "of this drill is in it."
    ),
    (
        "Data loss: replication is real and was not any faster, so seconds of loss times the time scale are an upper "
        "bound. Within the objective even so, it is met; beyond it as observed, it is missed; in between only a drill "
        "at time scale 1 can tell. That nothing may be lost is judged at every scale."
    ),
    (
        "The local cloud proves our logic and our clients, not AWS: durations of its control plane are drawn from the "
        "same figures as the projection."
    ),
)
"""How the numbers came about, for people; the last word on each is the code's."""


class Part(BaseModel):
    """A part of the record."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")


class Check(Part):
    """One thing that was judged."""

    name: str = Field(description="What it is, such as `recovery time`.")
    result: Literal["met", "missed", "not judged"]
    said: str = Field(description="The numbers, in words.")


class Verdict(Part):
    """The whole, first."""

    passed: bool = Field(description="No check missed.")
    headline: str = Field(description="One sentence.")
    checks: tuple[Check, ...]


class Clocked(Part):
    """A duration as it was observed, and scaled back to the speed of the declaration."""

    observed: float
    scaled_back: float


class Recovery(Part):
    """How long it took. What never happened is null."""

    what: str = Field(description="What `rto` counts: from the fault, or the time without writes of a planned move.")
    rto: Clocked | None
    objective: float | None = Field(description="Null when nothing is declared for this kind of failure.")
    projected_p50: float | None
    projected_p95: float | None
    first_write: Clocked | None = Field(description="Fault to the first durable write through DNS in a later epoch.")
    last_straggler: Clocked | None = Field(description="Fault until every client wrote in a later epoch.")
    downtime: Clocked | None = Field(description="The longest time without any acknowledgement.")


class StoreLoss(Part):
    """What a store lost of what it had acknowledged."""

    store: str
    acknowledged: int
    lost: int
    seconds: float
    objective: float | None
    unknown: int = Field(description="Writes of which the client knows nothing: no loss, and no success.")
    unknown_kept: int
    lost_at_end: int | None = Field(description="Of all that was acknowledged until the end; null when not read then.")


class Disagreement(Part):
    """Numbers that one of two stores kept, and the other did not, of those that both had acknowledged."""

    one: str
    other: str
    only_in_one: int
    only_in_other: int


class PhaseTime(Part):
    """A phase of the recovery against what was declared and projected for it."""

    phase: str
    began: float
    ended: float
    duration: Clocked
    declared: float | None


class StepRow(Part):
    """A step of the recovery."""

    key: str
    title: str
    phase: str
    began: float
    ended: float | None
    p50: float = Field(description="What the plan counts with.")
    p95: float
    said: str


class RunRow(Part):
    """A run of the runner's."""

    name: str
    mode: str
    result: str
    began: float
    ended: float | None
    why: str
    steps: tuple[StepRow, ...]


class Moment(Part):
    """Something that happened."""

    at: float
    what: str


class Exposure(Part):
    """A time in which a store had no second copy."""

    store: str
    began: float
    duration: Clocked
    over: bool


class CallRow(Part):
    """Calls at the lost region after the fault."""

    service: str
    operation: str
    region: str
    made: int
    answered: int
    by_step: tuple[str, ...]
    best_effort: bool | None
    depended: bool


class Writers(Part):
    """What the clients' history proves of writers."""

    acknowledged: int
    writers: dict[int, str] = Field(description="The site of each epoch.")
    violations: tuple[str, ...]


class SliceRow(Part):
    """A slice of time."""

    at: float
    acknowledged: dict[str, int] = Field(description="By region.")
    refused: int
    unknown: int
    p50: float | None
    p95: float | None


class Series(Part):
    """Throughput and latency of the database's clients."""

    store: str
    width: float
    slices: tuple[SliceRow, ...]


class Evidence(Part):
    """The record of one drill."""

    format: Literal[1] = FORMAT
    verdict: Verdict
    scenario: str
    title: str
    about: str
    stack: str
    system: str
    environment: str
    home: str
    standby: str
    witness: str
    taken: str = Field(description="When it began, UTC.")
    seed: int
    time_scale: float
    rate: float = Field(description="Orders a second of both clients together.")
    command: str = Field(description="What repeats it.")
    recovery_only: bool = Field(
        default=False, description="It ended once the stack had recovered: no rejoin, no failback."
    )
    faults: tuple[dict[str, object], ...]
    recovery: Recovery
    losses: tuple[StoreLoss, ...]
    disagreements: tuple[Disagreement, ...]
    refused: int = Field(description="Writes refused after the fault.")
    phases: tuple[PhaseTime, ...]
    runs: tuple[RunRow, ...]
    moments: tuple[Moment, ...]
    exposures: tuple[Exposure, ...]
    calls: tuple[CallRow, ...]
    history: Writers
    orphans: tuple[str, ...] = Field(description="Resources that were not there before, and are now, undeclared.")
    vanished: tuple[str, ...] = Field(default=(), description="Resources that were there before, and are not now.")
    series: Series
    how: tuple[str, ...] = HOW

    def text(self) -> str:
        """As it is kept."""
        return self.model_dump_json(indent=2) + "\n"
