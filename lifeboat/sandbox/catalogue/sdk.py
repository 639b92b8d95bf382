"""What the SDK itself says about a resource type: names and types of inputs and outputs.

The generated classes carry the provider's schema, so the catalogue never repeats it: every property name in the
catalogue is checked against this, and inputs are validated with it.
"""

from __future__ import annotations

import builtins
import collections.abc
import importlib
import inspect
import sys
import threading
import types
import typing
from dataclasses import dataclass
from functools import cache
from typing import Literal

import pulumi

Name = Literal["string", "boolean", "integer", "number", "list", "map", "object", "any"]

# The SDK's lazy modules are not safe to import from several threads at once: one sees another's half of a module.
_IMPORTING = threading.Lock()

_SCALARS: dict[type, Name] = {str: "string", bool: "boolean", int: "integer", float: "number"}


@dataclass(frozen=True)
class Kind:
    """A property's type.

    Attributes:
        name: Which kind of value.
        element: Type of the items of a list or the values of a map.
        of: The SDK's class of an object; see ``fields``.
    """

    name: Name
    element: Kind | None = None
    of: type | None = None

    @property
    def fields(self) -> dict[str, Field]:
        """Fields of an object by wire name; empty for every other kind."""
        return {} if self.of is None else _fields(self.of)


@dataclass(frozen=True)
class Field:
    """A property: its type, and whether the SDK requires it."""

    kind: Kind
    required: bool


@dataclass(frozen=True)
class ResourceType:
    """Inputs and outputs of one resource type, by wire name."""

    token: str
    inputs: dict[str, Field]
    outputs: dict[str, Field]


ANY = Kind("any")


def resource_type(token: str) -> ResourceType:
    """Introspect the SDK's class of a type token.

    Args:
        token: ``aws:ec2/vpc:Vpc`` and the like, of the packages ``aws`` and ``random``.

    Raises:
        KeyError: If the SDK has no such type.
    """
    with _IMPORTING:
        return _resource_type(token)


@cache
def _resource_type(token: str) -> ResourceType:
    try:
        package, path, name = token.split(":")
        module = path.split("/")[0]
        parent = f"pulumi_{package}" if module == "index" else f"pulumi_{package}.{module}"
        cls: type = getattr(importlib.import_module(parent), name)
    except (ValueError, ImportError, AttributeError):
        raise KeyError(f"{token}: the SDK has no such resource type") from None
    module_of = sys.modules[cls.__module__]
    # Where a nested type took the plain name, the generator calls the arguments "InitArgs".
    args: type = getattr(module_of, f"{name}InitArgs", None) or getattr(module_of, f"{name}Args")
    return ResourceType(token, _fields(args), {k: v for k, v in _fields(cls).items() if k not in {"urn", "id"}})


@cache
def _fields(cls: type) -> dict[str, Field]:
    """Properties that ``@pulumi.getter`` declared on a generated class."""
    required = _required(cls)
    found: dict[str, Field] = {}
    for python_name, member in inspect.getmembers_static(cls):
        getter = member.fget if isinstance(member, builtins.property) else None
        wire: str | None = getattr(getter, "_pulumi_name", None)
        if getter is None or wire is None:
            continue
        hint: object = getattr(getter, "__annotations__", {}).get("return")
        found[wire] = Field(_kind(hint, cls.__module__), python_name in required)
    return found


def _required(cls: type) -> frozenset[str]:
    """Constructor arguments without a default. A resource's own constructor is overloaded and tells nothing."""
    if issubclass(cls, pulumi.Resource):
        return frozenset()
    parameters = inspect.signature(cls.__init__).parameters.values()
    return frozenset(p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty)


def _kind(hint: object, module: str) -> Kind:  # noqa: PLR0911 - one return a form of annotation
    """Turn an annotation into a kind: optional, awaitable and output wrappers are peeled off."""
    if isinstance(hint, typing.ForwardRef):
        hint = hint.__forward_arg__
    if isinstance(hint, str):
        return _named(hint, module)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is pulumi.Output:
        return _kind(args[0], module)
    if origin in {typing.Union, types.UnionType}:
        kinds = [_kind(arg, module) for arg in args if not _is_plumbing(arg)]
        return next((k for k in kinds if k.name != "any"), ANY)
    if origin in {collections.abc.Sequence, list}:
        return Kind("list", _kind(args[0], module))
    if origin in {collections.abc.Mapping, dict}:
        return Kind("map", _kind(args[1], module))
    if isinstance(hint, type):
        return Kind(_SCALARS[hint]) if hint in _SCALARS else _object(hint)
    return ANY


def _is_plumbing(arg: object) -> bool:
    """Whether a member of a union belongs to ``pulumi.Input`` itself."""
    if arg is type(None) or typing.get_origin(arg) is collections.abc.Awaitable:
        return True
    return isinstance(arg, typing.ForwardRef) and arg.__forward_arg__.startswith("Output[")


def _named(name: str, module: str) -> Kind:
    """Resolve a forward reference of generated code: a sibling, ``outputs.X``, ``_meta.v1.X`` or a builtin."""
    scope: object = sys.modules[module]
    for part in name.split("."):
        scope = getattr(scope, part, None)
    return _kind(scope, module) if isinstance(scope, type) else ANY


def _object(cls: type) -> Kind:
    # By its getters, not by their types: some objects hold their own kind.
    members = vars(cls).values()
    return Kind("object", of=cls) if any(hasattr(getattr(m, "fget", None), "_pulumi_name") for m in members) else ANY
