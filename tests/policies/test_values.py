"""Reading property values: paths, numbers, flags, texts, ARNs."""

from __future__ import annotations

from typing import Any

import pytest

from policies.core.arns import arn_account, arn_region, arn_resource
from policies.core.values import (
    UNKNOWN,
    UnknownPropertyError,
    at_least,
    at_most,
    is_false,
    is_set,
    is_true,
    known,
    mapping,
    number,
    texts,
    walk,
)

BAG: dict[str, Any] = {
    "settings": {"backups": [{"days": 7}, UNKNOWN], "late": UNKNOWN},
    "name": "it",
    "0": "a key, not a position",
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("", BAG),
        ("name", "it"),
        ("settings.backups.0.days", 7),
        ("settings.backups.0", {"days": 7}),
        ("0", "a key, not a position"),
        ("settings.backups.2", None),
        ("settings.backups.first", None),
        ("settings.none.deeper", None),
        ("name.deeper", None),
        ("name.0", None),
    ],
)
def test_a_path_leads_to_a_value_or_nowhere(path: str, value: object) -> None:
    assert walk(BAG, path) == value


@pytest.mark.parametrize(
    "path", ["settings.late", "settings.late.deeper", "settings.backups.1", "settings.backups.1.days"]
)
def test_a_path_through_an_unknown_says_which(path: str) -> None:
    with pytest.raises(UnknownPropertyError) as raised:
        walk(BAG, path)
    assert raised.value.path == path


def test_a_known_value_is_itself() -> None:
    assert known(7, "days") == 7
    with pytest.raises(UnknownPropertyError):
        known(UNKNOWN, "days")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (7, 7.0),
        (0.5, 0.5),
        ("35", 35.0),
        (" 7 ", 7.0),
        (True, None),
        ("seven", None),
        ("", None),
        (None, None),
        ([7], None),
        (UNKNOWN, None),
        ("nan", None),
        ("inf", None),
        (float("inf"), None),
        (10**400, None),
    ],
)
def test_numbers(value: object, found: float | None) -> None:
    assert number(value) == found


def test_bounds_are_part_of_what_is_accepted() -> None:
    assert at_least(7)("7")
    assert not at_least(7)(6.9)
    assert not at_least(0)(None)
    assert at_most(60)(60)
    assert not at_most(60)(61)
    assert not at_most(60)("soon")


@pytest.mark.parametrize(
    ("value", "true", "false"),
    [
        (True, True, False),
        ("true", True, False),
        ("True", True, False),
        (False, False, True),
        ("FALSE", False, True),
        (1, False, False),
        (0, False, False),
        (None, False, False),
        (UNKNOWN, False, False),
    ],
)
def test_flags(value: object, *, true: bool, false: bool) -> None:
    assert (is_true(value), is_false(value)) == (true, false)


def test_what_counts_as_given() -> None:
    assert [value for value in (None, "", [], {}, 0, False, "x", UNKNOWN) if is_set(value)] == [0, False, "x", UNKNOWN]


def test_texts_and_mappings_take_what_fits() -> None:
    assert texts("one") == ("one",)
    assert texts(["one", 2, None, UNKNOWN, "two"]) == ("one", "two")
    assert texts(UNKNOWN) == texts({"one": 1}) == texts(None) == ()
    assert mapping({"a": 1}) == {"a": 1}
    assert mapping([1]) == mapping(None) == mapping(UNKNOWN) == {}


@pytest.mark.parametrize(
    ("arn", "region", "account", "resource"),
    [
        (
            "arn:aws:rds:us-west-2:123456789012:cluster:reskflow-orders",
            "us-west-2",
            "123456789012",
            "cluster:reskflow-orders",
        ),
        ("arn:aws-cn:s3:::bucket/with/path", "", "", "bucket/with/path"),
        ("arn:aws:rds:us-west-2", "", "", ""),
        ("not:an:arn:of:any:kind", "", "", ""),
        (UNKNOWN, "", "", ""),
        (None, "", "", ""),
    ],
)
def test_arns(arn: object, region: str, account: str, resource: str) -> None:
    assert (arn_region(arn), arn_account(arn), arn_resource(arn)) == (region, account, resource)
