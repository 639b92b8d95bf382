"""What AWS's engines take, as data: versions, instance classes and node types. As of 2026, from AWS's guides."""

from __future__ import annotations

RDS_MAJORS = frozenset({13, 14, 15, 16, 17, 18})
"""PostgreSQL majors that a plain RDS instance runs."""

RDS_FIRST_MINORS = {15: 2}
"""The minor that RDS began a major with, where it was not the first."""

LAST_MINORS = {13: 23, 14: 27, 15: 26, 16: 26, 17: 26, 18: 24}
"""The minors that majors can reach in their five years, by PostgreSQL's versioning policy as of 26 February 2026: the
newest then, one a quarter until a major's last November, and two out of turn. A minor of tomorrow is not refused."""

AURORA_MAJORS = frozenset({13, 14, 15, 16, 17})
AURORA_SKIPPED: dict[int, frozenset[int]] = {
    14: frozenset({0, 1, 2, 14, 16}),
    15: frozenset({0, 1, 9, 11}),
    16: frozenset({0, 5, 7}),
    17: frozenset({0, 1, 2, 3}),
}
"""Minors that Aurora PostgreSQL never released."""

AURORA_GLOBAL_FAMILIES = frozenset(["r5", "r6g", "r6gd", "r6i", "r6id", "r7g", "r7i", "r8g", "r8gd", "x2g"])
"""Global databases take memory-optimised classes only."""

REDIS_VERSIONS = ("7.1", "7.0", "6.2")
GLOBAL_DATASTORE_FAMILIES = frozenset(["m5", "m6g", "m7g", "r5", "r6g", "r6gd", "r7g", "c7gn"])
"""Global Datastore takes these node families, no burstable ones."""

_PARTS = 2


def version_parts(version: str) -> tuple[int, int | None]:
    """Major and minor of ``16.8``; the minor is None for a bare major."""
    parts = [int(part) for part in version.split(".")]
    return (parts[0], parts[1] if len(parts) == _PARTS else None)


def family(node_class: str) -> str:
    """``r6g`` of ``db.r6g.large`` or ``cache.r6g.large``."""
    return node_class.split(".")[1]


def aurora_refuses(version: str, instance_classes: tuple[str, ...]) -> str | None:
    """Why Aurora Global cannot run this, None when it can. Completes "accepted is ..."."""
    major, minor = version_parts(version)
    if major not in AURORA_MAJORS:
        return f"an Aurora PostgreSQL major, {_listed(AURORA_MAJORS)}"
    if minor is not None and (minor in AURORA_SKIPPED.get(major, frozenset()) or minor > LAST_MINORS[major]):
        return f"a minor that Aurora released; {major}.{minor} is not one"
    for node_class in instance_classes:
        if family(node_class) not in AURORA_GLOBAL_FAMILIES:
            return f"a memory-optimised class such as db.r6g.large; Aurora Global does not take {node_class}"
    return None


def _listed(numbers: frozenset[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))


def rds_refuses(version: str) -> str | None:
    """Why plain RDS cannot run this version, None when it can."""
    major, minor = version_parts(version)
    if major not in RDS_MAJORS:
        return f"an RDS PostgreSQL major, {_listed(RDS_MAJORS)}"
    first, last = RDS_FIRST_MINORS.get(major, 1), LAST_MINORS[major]
    if minor is not None and not first <= minor <= last:
        return f"a minor of PostgreSQL {major} from {first} to {last}"
    return None


def global_datastore_refuses(node_type: str) -> str | None:
    """Why Global Datastore cannot run on this node type, None when it can."""
    if family(node_type) in GLOBAL_DATASTORE_FAMILIES:
        return None
    return f"a node type such as cache.r6g.large; Global Datastore does not take {node_type}"
