"""What is demanded of a resource, and who said so: a declaration resource, else its tags, else the pack's settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from policies.core.values import UnknownPropertyError, is_set, known, mapping, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from policies.core.index import Index
    from policies.core.resource import Resource, View

DECLARATION_SUFFIX: Final = ":Declaration"
"""A declaration is a component of any package whose type ends so, with `objectives` and `stores` as inputs."""
RESILIENCE_POLICY: Final = "aws:resiliencehub/resiliencyPolicy:ResiliencyPolicy"
STACK_SCOPE: Final = "objectives.stack"

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "database": (
        "aws:rds/",
        "aws:docdb/",
        "aws:neptune/",
        "aws:dynamodb/",
        "aws:redshift/",
        "gcp:sql/",
        "gcp:spanner/",
        "gcp:bigtable/",
    ),
    "cache": ("aws:elasticache/", "gcp:redis/"),
    "objects": ("aws:s3/", "gcp:storage/"),
    "secret": ("aws:secretsmanager/", "gcp:secretmanager/"),
}
"""Types by the kind of store that a declaration names."""

_DURATION: Final = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$", re.IGNORECASE)
_UNITS: Final = {
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
}
_TAGS: Final = (
    "tags",
    "labels",
    "userLabels",
    "settings.userLabels",
    "resourceLabels",
    "metadata.labels",
    "metadata.annotations",
    "tagsAll",
)
"""Where providers keep tags: AWS, Google in general, its databases and clusters, Kubernetes."""
_TIER: Final = re.compile(r"^(?:tier)?[\s_-]*(\d{1,9})$", re.IGNORECASE)
_TIER_NAMES: Final = {"critical": 1, "mission-critical": 1, "high": 1, "medium": 2, "low": 3}


@dataclass(frozen=True, kw_only=True, slots=True)
class Objectives:
    """What is demanded of one resource; None where nobody demands anything.

    Attributes:
        rpo: Seconds of work that may be lost.
        rto: Seconds until it must serve again.
        retention_days: Days for which a past state must be restorable.
        tier: 1 for what must survive a region.
        source: ``declaration``, ``tags``, ``settings`` or empty.
    """

    rpo: float | None = None
    rto: float | None = None
    retention_days: float | None = None
    tier: int | None = None
    source: str = ""


def duration(value: Any) -> float | None:  # noqa: ANN401 - JSON
    """Seconds of ``300``, ``5m``, ``15min``, ``1h``, ``1d``; None for what is none."""
    if not isinstance(value, str):
        return number(value)
    match = _DURATION.match(value)
    if match is None or match[2].lower() not in _UNITS:
        return None
    return float(match[1]) * _UNITS[match[2].lower()]


def tier(value: Any) -> int | None:  # noqa: ANN401 - JSON
    """The number of ``1``, ``tier-1``, ``tier1`` or ``critical``; None for what is none."""
    if isinstance(value, str):
        match = _TIER.match(value.strip())
        return int(match[1]) if match else _TIER_NAMES.get(value.strip().lower())
    found = number(value)
    return int(found) if found is not None else None


def tag(resource: Resource, *names: str) -> Any:  # noqa: ANN401 - JSON
    """A tag or label by any of its names, whatever their case; None without one.

    Raises:
        UnknownPropertyError: when the tags, or this one, are not known yet.
    """
    wanted = {name.lower() for name in names}
    for property_ in _TAGS:
        found = resource.computed(property_) if property_ == "tagsAll" else resource.get(property_)
        for key, value in mapping(found).items():
            # Kubernetes has names with their owner's domain before them: `example.com/rpo`.
            if key.lower().rpartition("/")[2] in wanted:
                return known(value, f"{property_}.{key}")
    return None


class Declared:
    """The declaration resources of a stack.

    Args:
        index: The stack.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._stack: dict[str, float] = {}
        self._stores: list[tuple[str, str, View]] = []
        self.found = False
        for resource in index:
            if resource.type.endswith(DECLARATION_SUFFIX) and not resource.type.startswith("pulumi:"):
                self._read(resource)
            elif resource.type == RESILIENCE_POLICY:
                self._read_resilience(resource)

    def of(self, resource: Resource) -> Objectives | None:
        """What the declarations demand of a resource; None when there is no declaration."""
        if not self.found:
            return None
        store = self._store(resource)
        if store is None:
            return Objectives(
                rpo=self._stack.get("rpo"),
                rto=self._stack.get("rto"),
                retention_days=self._stack.get("retention_days"),
                source="declaration",
            )
        rto = number(store.peek("rto_seconds"))
        return Objectives(
            # A store that is declared without an RPO has none: what is in it can be made again.
            rpo=number(store.peek("rpo_seconds")),
            rto=self._stack.get("rto") if rto is None else rto,
            retention_days=number(store.peek("retention_days")),
            tier=tier(store.peek("tier")),
            source="declaration",
        )

    def _read(self, declaration: Resource) -> None:
        self.found = True
        for scope in _views(declaration, "objectives"):
            if scope.peek("scope") == STACK_SCOPE:
                for key, path in (("rpo", "rpo_seconds"), ("rto", "rto_seconds"), ("retention_days", "retention_days")):
                    if (seconds := number(scope.peek(path))) is not None:
                        self._stack[key] = seconds
        for store in _views(declaration, "stores"):
            kind, name = store.peek("kind"), store.peek("name")
            if isinstance(kind, str) and isinstance(name, str):
                self._stores.append((kind, name, store))

    def _read_resilience(self, policy: Resource) -> None:
        region = policy.peek("policy.region")
        for key in ("rpo", "rto") if isinstance(region, dict) else ():
            if (seconds := duration(policy.peek(f"policy.region.{key}"))) is not None:
                self.found = True
                self._stack.setdefault(key, seconds)

    def _store(self, resource: Resource) -> View | None:
        """The store a resource belongs to: one of its kind that it, or a component around it, is named after."""
        for kind, name, store in self._stores:
            if resource.type.startswith(KINDS.get(kind, ())):
                for each in (resource, *self._index.ancestors(resource)):
                    if each.name == name or each.name.startswith(f"{name}-"):
                        return store
        return None


def tagged(resource: Resource) -> Objectives | None:
    """What a resource's tags demand; None when they demand nothing that can be read."""
    try:
        found = Objectives(
            rpo=duration(tag(resource, "rpo")),
            rto=duration(tag(resource, "rto")),
            retention_days=number(tag(resource, "retention-days", "retention_days")),
            tier=tier(tag(resource, "tier")),
            source="tags",
        )
    except UnknownPropertyError:
        return None
    values = (found.rpo, found.rto, found.retention_days, found.tier)
    return found if any(is_set(value) for value in values) else None


def _views(resource: Resource, path: str) -> Iterator[View]:
    try:
        yield from resource.items(path)
    except UnknownPropertyError:
        return
