"""What data stores are built with in the examples and tests."""

from __future__ import annotations

from typing import Any

from tests.components.harness import HOME, OTHER, World

CIDRS = {HOME: "10.0.0.0/16", OTHER: "10.1.0.0/16"}
PASSWORD = "not-a-password-of-anything"


def store(world: World, region: str, purpose: str) -> dict[str, Any]:
    """Arguments of a store's site: three subnets, both sites' networks, a key and a topic of its own region."""
    return {
        "site": world.site(region),
        "vpc_id": f"vpc-{region}",
        "subnet_ids": [f"subnet-{region}-{zone}" for zone in "abc"],
        "allowed_cidrs": list(CIDRS.values()),
        "key_arn": world.key(region, purpose),
        "alarm_topic_arn": f"arn:aws:sns:{region}:123456789012:alerts",
    }
