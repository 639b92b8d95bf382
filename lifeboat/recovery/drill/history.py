"""Proves from what clients were told that there was one writer: it knows nothing of leases, gates or clocks of sites.

Every acknowledgement carries the epoch and the site that it came from, and the interval in which the write took place,
by one clock: the clients'. Two things must hold, and each violation names the two acknowledgements that show it:
1. In an epoch, one site acknowledged (invariant 1).
2. Epochs follow one another: no write of an epoch began after one of a later epoch had been acknowledged. A writer that
   lost its lease and does not know it would be seen here, although its epoch has one site only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """A write that a client knows to be durable.

    Attributes:
        epoch: As the site said.
        site: The region that said it.
        began: When the client sent it, seconds of the clients' clock.
        ended: When the client had the answer, the same.
        write: What was written, for people, such as ``client-1/42``.
    """

    epoch: int
    site: str
    began: float
    ended: float
    write: str = ""

    def __str__(self) -> str:
        return (
            f"{self.write or 'a write'} by {self.site} in epoch {self.epoch} ({self.began:.3f} s to {self.ended:.3f} s)"
        )


@dataclass(frozen=True, kw_only=True)
class Violation:
    """Two acknowledgements that cannot both be right.

    Attributes:
        rule: ``two writers in an epoch``, or ``an epoch after its end``.
        first: The one that was right so far.
        second: The one that contradicts it.
    """

    rule: str
    first: Acknowledgement
    second: Acknowledgement

    def __str__(self) -> str:
        return f"{self.rule}: {self.second}, although {self.first}"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a history proves.

    Attributes:
        acknowledged: How many acknowledgements it has.
        writers: The site of each epoch, the first one that acknowledged in it.
        violations: What speaks against it; one an epoch and rule.
    """

    acknowledged: int
    writers: Mapping[int, str]
    violations: tuple[Violation, ...]

    @property
    def one_writer(self) -> bool:
        """Whether each epoch had one writer, and they followed one another."""
        return not self.violations


def check(history: Iterable[Acknowledgement]) -> Verdict:
    """Judge a history, in any order; n acknowledgements take n log n steps.

    Raises:
        ValueError: when an acknowledgement ends before it begins: then they have not one clock.
    """
    ordered = sorted(history, key=lambda each: (each.ended, each.began))
    for each in ordered:
        if each.ended < each.began:
            raise ValueError(f"{each}: ends before it begins: all have to be measured by one clock")
    first: dict[int, Acknowledgement] = {}
    latest: dict[int, Acknowledgement] = {}
    violations: dict[tuple[str, int], Violation] = {}
    for each in ordered:
        known = first.setdefault(each.epoch, each)
        if known.site != each.site:
            rule = "two writers in an epoch"
            violations.setdefault((rule, each.epoch), Violation(rule=rule, first=known, second=each))
        if each.began >= latest.setdefault(each.epoch, each).began:
            latest[each.epoch] = each
    # The earliest end of any later epoch bounds what an epoch may still begin.
    ends: Acknowledgement | None = None
    for epoch in sorted(first, reverse=True):
        if ends is not None and latest[epoch].began > ends.ended:
            rule = "an epoch after its end"
            violations[rule, epoch] = Violation(rule=rule, first=ends, second=latest[epoch])
        if ends is None or first[epoch].ended < ends.ended:
            ends = first[epoch]
    return Verdict(
        acknowledged=len(ordered),
        writers={epoch: first[epoch].site for epoch in sorted(first)},
        violations=tuple(violations[key] for key in sorted(violations, key=lambda key: (key[1], key[0]))),
    )
