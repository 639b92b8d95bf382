"""How far apart the runs of a schedule are."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.core.schedules import longest_interval

HOUR = 3600
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("rate(12 hours)", 12 * HOUR),
        ("rate(1 day)", DAY),
        ("rate(5 minutes)", 300),
        ("cron(0 5 ? * * *)", DAY),
        ("cron(0 5 * * ? *)", DAY),
        ("CRON(0 5 * * ? *)", DAY),
        ("cron(0/15 * * * ? *)", 900),
        ("cron(0 0/12 * * ? *)", 12 * HOUR),
        ("cron(0 0,6 * * ? *)", 18 * HOUR),
    ],
)
def test_schedules_of_aws(expression: str, seconds: float) -> None:
    assert longest_interval(expression) == seconds


@pytest.mark.parametrize(
    ("weekdays", "days"),
    [
        # Monday to Friday: the weekend lies between.
        ("2-6", 3),
        ("MON-FRI", 3),
        # Sunday and Wednesday: Wednesday to Sunday is longer.
        ("1,4", 4),
        ("7", 7),
        ("L", 7),
        ("SUN-SAT", 1),
        # Monday, Wednesday and Friday of 2, 4, 6.
        ("2/2", 3),
        # The second Friday, and the last one: five weeks lie between at most.
        ("6#2", 35),
        ("FRI#2", 35),
        ("6L", 35),
        ("FRIL", 35),
    ],
)
def test_the_weekdays_of_aws_begin_with_one_on_sunday(weekdays: str, days: int) -> None:
    assert longest_interval(f"cron(0 5 ? * {weekdays} *)") == days * DAY


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("0 5 * * *", DAY),
        ("  0 5 * * * ", DAY),
        ("CRON_TZ=Europe/Berlin 0 5 * * *", DAY),
        ("TZ=UTC 0 5 * * *", DAY),
        ("0 5 ? * *", DAY),
        ("*/7 * * * *", 7 * 60),
        ("0 */6 * * *", 6 * HOUR),
        ("0 22-2 * * *", 20 * HOUR),
        # Here 0 and 7 are Sunday.
        ("0 5 * * 7", 7 * DAY),
        ("0 5 * * 1,3", 5 * DAY),
        # The first of a month, and every Monday besides.
        ("0 5 1 * 1", 7 * DAY),
        ("0 5 L * *", 31 * DAY),
        ("0 0 1 1 *", 366 * DAY),
        ("0 0 29 2 *", 1461 * DAY),
        # From the last run of Friday to the first of Monday.
        ("0 8,20 * * 1-5", 2 * DAY + 12 * HOUR),
        ("@hourly", HOUR),
        ("@daily", DAY),
        ("@midnight", DAY),
        ("@weekly", 7 * DAY),
        ("@monthly", 31 * DAY),
        ("@annually", 366 * DAY),
        ("@every 6h", 6 * HOUR),
        ("@every 1h30m", 5400),
    ],
)
def test_schedules_of_everybody_else(expression: str, seconds: float) -> None:
    assert longest_interval(expression) == seconds


@pytest.mark.parametrize("expression", ["0 0 30 2 *", "cron(0 5 * * ? 2030)", "cron(0 5 * * ? 2026-2027)"])
def test_what_has_no_next_run_is_infinitely_far_apart(expression: str) -> None:
    assert longest_interval(expression) == math.inf


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "daily",
        "0 5 * *",
        "0 5 * * * *",
        "61 * * * *",
        "R * * * *",
        "H * * * *",
        "@every 0s",
        "@every",
        "@never",
        "rate(0 hours)",
        "rate(hour)",
        "cron(0 5 * * ?)",
        "cron(0 5 ? * 9 *)",
        "0 5 * * *" + " " * 300,
        None,
        5,
        ["0 5 * * *"],
    ],
)
def test_what_is_no_schedule_has_no_interval(expression: object) -> None:
    assert longest_interval(expression) is None


FIELDS = st.text("0123456789*?,-/#LWMONFRI", max_size=6)


@given(
    st.one_of(
        st.text(),
        st.lists(FIELDS, min_size=5, max_size=5).map(" ".join),
        st.lists(FIELDS, min_size=6, max_size=6).map(lambda fields: f"cron({' '.join(fields)})"),
    )
)
def test_whatever_is_written_is_answered(expression: str) -> None:
    found = longest_interval(expression)
    assert found is None or found > 0
