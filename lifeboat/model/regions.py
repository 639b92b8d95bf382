"""AWS regions as data: their usual zones, and the sets in which DynamoDB replicates with strong consistency.

A design is resolved without asking AWS anything, so the program still runs on the day a region dies. A zone list given
in a site's settings replaces the usual one, and only its form is judged then. As of 2026.
"""

from __future__ import annotations

import difflib

ZONES: dict[str, str] = {
    "af-south-1": "abc",
    "ap-east-1": "abc",
    "ap-northeast-1": "acd",
    "ap-northeast-2": "abc",
    "ap-northeast-3": "abc",
    "ap-south-1": "abc",
    "ap-south-2": "abc",
    "ap-southeast-1": "abc",
    "ap-southeast-2": "abc",
    "ap-southeast-3": "abc",
    "ap-southeast-4": "abc",
    "ap-southeast-5": "abc",
    "ap-southeast-7": "abc",
    "ca-central-1": "abd",
    "ca-west-1": "abc",
    "eu-central-1": "abc",
    "eu-central-2": "abc",
    "eu-north-1": "abc",
    "eu-south-1": "abc",
    "eu-south-2": "abc",
    "eu-west-1": "abc",
    "eu-west-2": "abc",
    "eu-west-3": "abc",
    "il-central-1": "abc",
    "me-central-1": "abc",
    "me-south-1": "abc",
    "mx-central-1": "abc",
    "sa-east-1": "abc",
    "us-east-1": "abc",
    "us-east-2": "abc",
    # A new account sees two zones there: enough for a witness, not for a site.
    "us-west-1": "ac",
    "us-west-2": "abc",
}
"""Letters of a region's usual zones."""

STRONG_CONSISTENCY: tuple[frozenset[str], ...] = (
    frozenset({"us-east-1", "us-east-2", "us-west-2"}),
    frozenset({"eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1"}),
    frozenset({"ap-northeast-1", "ap-northeast-2", "ap-northeast-3"}),
)
"""Sets of regions within which a DynamoDB global table can be strongly consistent (two replicas and a witness)."""

ZONES_OF_A_SITE = 3


def known(region: str) -> bool:
    """Whether AWS has this region."""
    return region in ZONES


def nearest(region: str) -> str | None:
    """The region whose name comes nearest to a misspelt one."""
    found = difflib.get_close_matches(region, ZONES, n=1)
    return found[0] if found else None


def usual_zones(region: str) -> tuple[str, ...]:
    """The zones a site there takes unless it names its own."""
    return tuple(region + letter for letter in ZONES[region])


def strongly_consistent(regions: frozenset[str]) -> bool:
    """Whether one strongly consistent table can span these regions."""
    return any(regions <= members for members in STRONG_CONSISTENCY)
