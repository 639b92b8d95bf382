"""What is demanded of a resource, and who said so: a declaration resource, else its tags, else the pack's settings.

Each objective is looked for by itself: what a declaration leaves open, tags may tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from policies.core.durations import days, duration, tier
from policies.core.values import UNKNOWN, UnknownPropertyError, known, mapping, structured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from policies.core.index import Index
    from policies.core.resource import Resource, View

DECLARATION_SUFFIX: Final = ":Declaration"
"""A declaration is a component of any package whose type ends so, with a list `objectives` or `stores` as input."""
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

_TAGS: Final = (
    "tags",
    "labels",
    "userLabels",
    "settings.userLabels",
    "resourceLabels",
    "metadata.labels",
    "metadata.annotations",
)
"""Where providers keep tags: AWS, Google in general, its databases and clusters, Kubernetes."""
_ALL_TAGS: Final = "tagsAll"
Value = TypeVar("Value", bound=float)


@dataclass(frozen=True, slots=True)
class Pending:
    """Stands for an objective that somebody gives, but that is not known.

    Attributes:
        path: Dotted path of the property that gives it.
    """

    path: str


class Objectives:
    """What is demanded of one resource. Each is None where nobody demands it, and raises where it is not known.

    Args:
        rpo: Seconds of work that may be lost.
        rto: Seconds until it must serve again.
        retention_days: Days for which a past state must be restorable.
        tier: 1 for what must survive a region.
        source: See below.
        without_rpo: See below.

    Attributes:
        source: The first of ``declaration``, ``tags`` and ``settings`` that gives any; empty where none does.
        without_rpo: A declaration names the store and gives it no RPO: what is in it can be made again.
    """

    def __init__(  # noqa: PLR0913 - each is an objective, or where they come from
        self,
        *,
        rpo: float | Pending | None = None,
        rto: float | Pending | None = None,
        retention_days: float | Pending | None = None,
        tier: int | Pending | None = None,
        source: str = "",
        without_rpo: bool = False,
    ) -> None:
        self._rpo = rpo
        self._rto = rto
        self._retention_days = retention_days
        self._tier = tier
        self.source = source
        self.without_rpo = without_rpo

    @property
    def rpo(self) -> float | None:
        """Seconds of work that may be lost.

        Raises:
            UnknownPropertyError: when it is not known.
        """
        return _told(self._rpo)

    @property
    def rto(self) -> float | None:
        """Seconds until it must serve again.

        Raises:
            UnknownPropertyError: when it is not known.
        """
        return _told(self._rto)

    @property
    def retention_days(self) -> float | None:
        """Days for which a past state must be restorable.

        Raises:
            UnknownPropertyError: when it is not known.
        """
        return _told(self._retention_days)

    @property
    def tier(self) -> int | None:
        """1 for what must survive a region.

        Raises:
            UnknownPropertyError: when it is not known.
        """
        return _told(self._tier)

    def over(self, other: Objectives) -> Objectives:
        """These, with those of another source where these leave something open."""
        return Objectives(
            rpo=other._rpo if self._rpo is None and not self.without_rpo else self._rpo,
            rto=other._rto if self._rto is None else self._rto,
            retention_days=other._retention_days if self._retention_days is None else self._retention_days,
            tier=other._tier if self._tier is None else self._tier,
            source=self.source or other.source,
            without_rpo=self.without_rpo or (self._rpo is None and other.without_rpo),
        )

    def __eq__(self, other: object) -> bool:
        """Whether another demands the same, and by the same source."""
        return isinstance(other, Objectives) and self._all() == other._all()

    def __hash__(self) -> int:
        """Of what is compared."""
        return hash(self._all())

    def __repr__(self) -> str:
        """For a failing test."""
        return f"Objectives{self._all()}"

    def _all(self) -> tuple[object, ...]:
        return (self._rpo, self._rto, self._retention_days, self._tier, self.source, self.without_rpo)


def _told(value: Value | Pending | None) -> Value | None:
    if isinstance(value, Pending):
        raise UnknownPropertyError(value.path)
    return value


def tags_of(resource: Resource) -> dict[str, Any]:
    """The AWS tags of a resource by their keys: its own, and below them its provider's default tags.

    Single tags may be UNKNOWN.

    Raises:
        UnknownPropertyError: when the tags, or the provider's, are not known.
    """
    own = resource.get("tags")
    return {**_default_tags(resource), **mapping(own)}


def tag(resource: Resource, *names: str) -> Any:  # noqa: ANN401 - JSON
    """A tag or label by any of its names, whatever their case; None without one.

    Raises:
        UnknownPropertyError: when this one is not known, or may be among tags that are not.
    """
    wanted = {name.lower() for name in names}
    for property_, bag in _homes(resource):
        for key, value in bag.items():
            # Kubernetes has names with their owner's domain before them: `example.com/rpo`.
            if key.lower().rpartition("/")[2] in wanted:
                return known(value, f"{property_}.{key}")
    return None


def _homes(resource: Resource) -> Iterator[tuple[str, dict[str, Any]]]:
    """The mappings that may hold a tag, those that win first; each is read only when it is asked for."""
    for property_ in _TAGS:
        yield property_, mapping(resource.get(property_))
    yield _ALL_TAGS, _default_tags(resource)


def _default_tags(resource: Resource) -> dict[str, Any]:
    """What a resource's provider adds to its tags, and all that is known to be on it.

    What the provider answers cannot be known before an update; where its settings are, they say the same.
    """
    declared = mapping(resource.get(_ALL_TAGS))
    answered = resource.outputs.get(_ALL_TAGS)
    if resource.provider is None:
        return {**mapping(known(answered, _ALL_TAGS)), **declared}
    defaults = structured(resource.provider.inputs.get("defaultTags"))
    if defaults is UNKNOWN:
        raise UnknownPropertyError(_ALL_TAGS)
    return {**mapping(answered), **mapping(known(mapping(defaults).get("tags"), _ALL_TAGS)), **declared}


def tagged(resource: Resource) -> Objectives:
    """What a resource's tags demand."""

    def read(convert: Callable[[Any], Value | None], *names: str) -> Value | Pending | None:
        try:
            return convert(tag(resource, *names))
        except UnknownPropertyError as fault:
            return Pending(fault.path)

    found = (
        read(duration, "rpo"),
        read(duration, "rto"),
        read(days, "retention-days", "retention_days"),
        read(tier, "tier"),
    )
    rpo, rto, kept, level = found
    source = "tags" if any(each is not None for each in found) else ""
    return Objectives(rpo=rpo, rto=rto, retention_days=kept, tier=level, source=source)


class Declared:
    """The declaration resources of a stack.

    Args:
        index: The stack.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._stack = Objectives()
        self._open = Objectives()
        self._stores: dict[tuple[str, str], Objectives] = {}
        self._unnamed: dict[str, Objectives] = {}
        self._demanded: dict[str, Objectives] = {}
        policies = Objectives()
        for resource in index:
            if resource.type.endswith(DECLARATION_SUFFIX) and not resource.type.startswith("pulumi:"):
                self._read(resource)
            elif resource.type == RESILIENCE_POLICY:
                policies = policies.over(_resilience(resource))
        self._stack = self._stack.over(self._open).over(policies)

    def of(self, resource: Resource) -> Objectives | None:
        """What the declarations demand of a resource; None when they demand nothing."""
        store = self._store(resource)
        if store is not None:
            return store.over(self._stack)
        return self._stack if self._stack.source else None

    def demanded(self, resource: Resource) -> Objectives:
        """What the declarations demand of a resource and, where they leave something open, its tags."""
        if resource.urn not in self._demanded:
            declared, own = self.of(resource), tagged(resource)
            self._demanded[resource.urn] = own if declared is None else declared.over(own)
        return self._demanded[resource.urn]

    def _read(self, declaration: Resource) -> None:
        for scope in self._views(declaration, "objectives"):
            try:
                if scope.get("scope") == STACK_SCOPE:
                    self._stack = _given(scope).over(self._stack)
            except UnknownPropertyError as fault:
                self._open = self._open.over(_pending_scope(fault.path))
        for store in self._views(declaration, "stores"):
            kind, name = store.peek("kind"), store.peek("name")
            if isinstance(kind, str) and isinstance(name, str):
                self._stores.setdefault((kind, name), _of_store(store))
            elif UNKNOWN in (kind, name) and (kind is UNKNOWN or isinstance(kind, str)):
                # It may be any store of its kind, or of any kind.
                self._unnamed.setdefault("" if kind is UNKNOWN else kind, _pending(store.prefix))

    def _views(self, declaration: Resource, path: str) -> Iterator[View]:
        try:
            yield from declaration.items(path)
        except UnknownPropertyError as fault:
            if path == "stores":
                self._unnamed.setdefault("", _pending(fault.path))
            else:
                self._open = self._open.over(_pending_scope(fault.path))

    def _store(self, resource: Resource) -> Objectives | None:
        """The store a resource belongs to: the one of its kind with the longest name that it is named after.

        It may be a component around it that is.
        """
        kind = _kind(resource.type)
        if not kind or not (self._stores or self._unnamed):
            return None
        names = (each.name for each in (resource, *self._index.ancestors(resource)))
        found = (start for name in names for start in _starts(name) if (kind, start) in self._stores)
        longest = max(found, key=len, default=None)
        if longest is not None:
            return self._stores[kind, longest]
        return self._unnamed.get("") or self._unnamed.get(kind)


def _starts(name: str) -> Iterator[str]:
    """A name, and its beginnings up to a dash, the longest first."""
    while name:
        yield name
        name = name.rpartition("-")[0]


@lru_cache(maxsize=1024)
def _kind(type_: str) -> str:
    """The kind of store that a type is; empty for what is none."""
    return next((kind for kind, types in KINDS.items() if type_.startswith(types)), "")


def _given(about: View) -> Objectives:
    """The objectives of a store, or of a scope."""
    return _sourced(
        rpo=_read(about, "rpo_seconds", duration),
        rto=_read(about, "rto_seconds", duration),
        retention_days=_read(about, "retention_days", days),
    )


def _of_store(store: View) -> Objectives:
    rpo, level = _read(store, "rpo_seconds", duration), _read(store, "tier", tier)
    named = Objectives(tier=level, source="declaration", without_rpo=rpo is None)
    return named.over(_given(store))


def _resilience(policy: Resource) -> Objectives:
    region = policy.peek("policy.region")
    if region is not UNKNOWN and not isinstance(region, dict):
        return Objectives()
    return _sourced(rpo=_read(policy, "policy.region.rpo", duration), rto=_read(policy, "policy.region.rto", duration))


def _sourced(**given: Any) -> Objectives:  # noqa: ANN401 - objectives
    return Objectives(**given, source="declaration" if any(each is not None for each in given.values()) else "")


def _pending(path: str) -> Objectives:
    """Objectives of which none is known, since it is not known which store they are for."""
    return Objectives(tier=Pending(path)).over(_pending_scope(path))


def _pending_scope(path: str) -> Objectives:
    """The same of a scope, which has no tier."""
    open_ = Pending(path)
    return Objectives(rpo=open_, rto=open_, retention_days=open_, source="declaration")


def _read(about: Resource | View, path: str, convert: Callable[[Any], Value | None]) -> Value | Pending | None:
    try:
        return convert(about.get(path))
    except UnknownPropertyError as fault:
        return Pending(fault.path)
