"""Suppressions as data: what they cover, and what is wrong with a file of them."""

from __future__ import annotations

from datetime import date

import pytest

from policies.core.settings import PackSettingsError
from policies.core.suppressions import Suppression, parse_suppressions, read_suppressions

ENTRY = """
- rule: rds-retention
  resource: "urn:pulumi:prod::lifeboat::*orders*"
  reason: It can be made again
  owner: platform
  expires: 2027-03-31
"""
URN = "urn:pulumi:prod::lifeboat::aws:rds/instance:Instance::orders"


def _suppression(resource: str) -> Suppression:
    return Suppression(rule="r", resource=resource, reason="x", owner="x", expires=date(2027, 3, 31))


def test_a_file_is_a_list() -> None:
    (found,) = parse_suppressions(ENTRY, ["rds-retention"])
    assert found.expires == date(2027, 3, 31)
    assert found.covers("rds-retention", URN)
    assert not found.covers("rds-multi-az", URN)
    assert not found.covers("rds-retention", URN.replace("orders", "other"))
    assert parse_suppressions("", []) == parse_suppressions("[]", []) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- rule: [", "not YAML"),
        ("rule: x", "valid list"),
        ("false", "valid list"),
        ("[" * 100000, "nested too deeply"),
        (ENTRY.replace("2027-03-31", "2027-02-30"), "day is out of range"),
        (ENTRY.replace("2027-03-31", "9" * 5000), "a date or a number"),
        (ENTRY.replace("  reason: It can be made again\n", ""), "0.reason: Field required"),
        (ENTRY.replace("reason: It can be made again", 'reason: ""'), "0.reason: "),
        (ENTRY.replace("  owner: platform\n", ""), "0.owner: Field required"),
        (ENTRY.replace("  expires: 2027-03-31\n", ""), "0.expires: Field required"),
        (ENTRY.replace("2027-03-31", "never"), "0.expires: "),
        (ENTRY.replace("owner", "owners"), "0.owners: "),
        (ENTRY.replace("rds-retention", "rds-retentoin"), "rule: rds-retentoin: no such rule"),
    ],
)
def test_what_is_wrong_with_a_file(text: str, said: str) -> None:
    with pytest.raises(PackSettingsError) as raised:
        parse_suppressions(text, ["rds-retention"])
    assert said in str(raised.value)
    assert "\n" not in str(raised.value).replace("\n0.owners", "")


def test_a_file_s_name_that_no_file_has() -> None:
    with pytest.raises(PackSettingsError, match="suppressions: "):
        read_suppressions("a\0b", [])


@pytest.mark.parametrize("name", ['x["a"]', "what?", "a*b", "[ab]"])
def test_only_a_star_is_special(name: str) -> None:
    urn = f"urn:pulumi:prod::lifeboat::aws:s3/bucket:Bucket::{name}"
    assert _suppression(urn).covers("r", urn)
    assert _suppression(f"*::{name}").covers("r", urn)
    assert not _suppression("*::[ab]").covers("r", urn.replace(name, "a"))
    assert not _suppression("*::what?").covers("r", urn.replace(name, "whats"))


def test_a_pattern_of_another_stack_is_not_this_stack_s_business() -> None:
    root = "urn:pulumi:prod::lifeboat::pulumi:pulumi:Stack::lifeboat-prod"
    assert _suppression(URN).concerns(root)
    assert _suppression("*orders*").concerns(root)
    assert _suppression("urn:pulumi:*::lifeboat::*").concerns(root)
    assert not _suppression(URN.replace("prod", "dev")).concerns(root)
    assert not _suppression("urn:pulumi:prod::other::*").concerns(root)


@pytest.mark.parametrize(
    ("pattern", "concerned"),
    [
        ("*::aws:s3/bucket:Bucket::gone", True),
        ("aws:s3/bucket:Bucket::gone", True),
        ("orders", True),
        ("urn:pulumi:prod*::gone", True),
        ("urn:pulumi:*Bucket::gone", True),
        ("urn:pulumi:*::aws:s3/bucket:Bucket::gone", True),
        ("urn:pulumi:pro*d::lifeboat::x", True),
        ("urn:pulumi:prod::life*gone", True),
        ("urn:pulumi:prod", True),
        ("urn:pulumi:dev*::gone", False),
        ("urn:pulumi:production*::gone", False),
        ("urn:pulumi:*::other::gone", False),
        ("urn:pulumi:[p]rod::lifeboat::gone", False),
    ],
)
def test_a_pattern_concerns_the_stacks_that_it_may_cover(pattern: str, concerned: bool) -> None:
    root = "urn:pulumi:prod::lifeboat::pulumi:pulumi:Stack::lifeboat-prod"
    assert _suppression(pattern).concerns(root) is concerned
