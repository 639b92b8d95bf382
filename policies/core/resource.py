"""One resource of a stack, however it was read: from a preview, an update or a state file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from policies.core.values import UNKNOWN, UnknownPropertyError, mapping, walk

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAME: Final = {
    "aws:alb/": "aws:lb/",
    "aws:applicationloadbalancing/": "aws:lb/",
    "aws:elasticloadbalancingv2/": "aws:lb/",
    "aws:elasticloadbalancing/": "aws:elb/",
}
"""Modules that the SDK has under two names."""


def canonical(type_: str) -> str:
    """The type token that rules use for one that has several, such as ``aws:s3/bucketV2:BucketV2``."""
    for old, new in _SAME.items():
        if type_.startswith(old):
            type_ = new + type_.removeprefix(old)
    if type_.startswith("aws:s3/") and type_.endswith("V2"):
        module, _, name = type_.removesuffix("V2").rpartition(":")
        return f"{module.removesuffix('V2')}:{name}"
    return type_


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    """The provider that manages a resource.

    Attributes:
        urn: Its URN.
        type: ``pulumi:providers:aws``.
        inputs: Its configuration.
    """

    urn: str
    type: str
    inputs: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Resource:
    """A resource; two are equal only when they are the same object.

    Attributes:
        urn: Its URN.
        type: Its type token, one for each kind of thing (see `canonical`).
        inputs: What the program declares; None for what is only read, which rules use but do not judge.
        outputs: What the provider knows of it.
        protect: Whether it may not be deleted.
        ignore_changes: Inputs whose changes the program ignores.
        parent: The parent's URN, or empty.
        provider: Its provider, if the stack holds it.
        dependencies: URNs it depends on.
        property_dependencies: The same by input.
    """

    urn: str
    type: str
    inputs: Mapping[str, Any] | None = field(repr=False)
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    protect: bool = False
    ignore_changes: tuple[str, ...] = ()
    parent: str = ""
    provider: Provider | None = None
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rpartition("::")[2]

    @property
    def prefix(self) -> str:
        """A resource's own properties have no path before them; an item's have (see `View`)."""
        return ""

    @property
    def resource(self) -> Resource:
        """Itself, as an item's resource is what holds it."""
        return self

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """A declared value, or None where it is absent.

        Raises:
            UnknownPropertyError: when it is not known yet.
        """
        return walk(self.inputs or {}, path)

    def peek(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """The same, but UNKNOWN where the value is not known yet."""
        try:
            return self.get(path)
        except UnknownPropertyError:
            return UNKNOWN

    def every(self, path: str) -> tuple[Any, ...]:
        """All declared values at a path in which ``*`` stands for every item of a list; UNKNOWN where one is not known.

        For example ``rules.*.destination.bucket``; a list at the end of the path counts as its items.
        """
        before, star, after = path.partition(".*.")
        if star:
            found = self.peek(before)
            if found is UNKNOWN:
                return (UNKNOWN,)
            return tuple(value for item in self.items(before) for value in _flat(item.peek(after)))
        return _flat(self.peek(path))

    def items(self, path: str) -> tuple[View, ...]:
        """The objects of a declared list (a single object counts as one), each to be read by itself.

        Raises:
            UnknownPropertyError: when the list itself is not known yet.
        """
        return _items(self, self.get(path), path)

    def computed(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """An identity such as ``arn``: declared, else what the provider answered, else None.

        Raises:
            UnknownPropertyError: when it is not known yet.
        """
        declared = self.get(path)
        return walk(self.outputs, path) if declared is None else declared


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class View:
    """One object inside a resource's properties; it reads like a resource, by paths relative to itself.

    Attributes:
        resource: What holds it.
        prefix: Its path, such as ``rules.0``.
        bag: Its properties, or UNKNOWN.
    """

    resource: Resource
    prefix: str
    bag: Any = field(repr=False)

    @property
    def urn(self) -> str:
        """The resource's URN."""
        return self.resource.urn

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """As `Resource.get`; an unknown item raises for every path."""
        full = f"{self.prefix}.{path}"
        if self.bag is UNKNOWN:
            raise UnknownPropertyError(full)
        try:
            return walk(self.bag, path)
        except UnknownPropertyError:
            raise UnknownPropertyError(full) from None

    def peek(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """As `Resource.peek`."""
        try:
            return self.get(path)
        except UnknownPropertyError:
            return UNKNOWN

    def items(self, path: str) -> tuple[View, ...]:
        """As `Resource.items`."""
        return _items(self.resource, self.get(path), f"{self.prefix}.{path}")


def _items(resource: Resource, value: Any, path: str) -> tuple[View, ...]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return (View(resource=resource, prefix=path, bag=mapping(cast("Any", value))),)
    if not isinstance(value, list):
        return ()
    return tuple(
        View(resource=resource, prefix=f"{path}.{position}", bag=item)
        for position, item in enumerate(cast("list[Any]", value))
    )


def _flat(value: Any) -> tuple[Any, ...]:  # noqa: ANN401 - JSON
    if value is None:
        return ()
    return tuple(cast("list[Any]", value)) if isinstance(value, list) else (value,)
