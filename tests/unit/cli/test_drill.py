"""`lifeboat drill` from the outside, as far as nothing is started."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.conftest import Ran

    Run = Callable[..., Ran]


def test_scenarios_are_listed_for_people_and_for_programs(run: Run) -> None:
    ran = run("drill", "--list")
    assert (ran.code, ran.err) == (0, "")
    assert "region-failure" in ran.out
    assert "expects refused" in ran.out
    found = json.loads(run("drill", "--list", "--json").out)
    assert {"region-failure", "grey-failure"} <= {each["name"] for each in found}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "lifeboat: STACK: absent; the scenarios are asymmetric-partition, "),
        (("reskflow", "--scenario", "flood"), "lifeboat: --scenario: flood: accepted is one of asymmetric-partition, "),
        (("nowhere",), "lifeboat: no stack 'nowhere'"),
        (
            ("reskflow", "--record"),
            "lifeboat: --record: --time-scale 10: accepted is 1, since real I/O is not scaled",
        ),
    ],
)
def test_bad_input_starts_nothing(run: Run, words: tuple[str, ...], told: str) -> None:
    ran = run("drill", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(told)
