"""Input types of AWS, GCP and Kubernetes resources, from the SDKs' own classes."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from typing import TYPE_CHECKING

from lifeboat.sandbox.catalogue.sdk import ANY, Field, Kind, resource_type

if TYPE_CHECKING:
    from collections.abc import Mapping

CUSTOM_RESOURCES = {"kubernetes:velero.io/v1:Schedule"}
"""Kubernetes types that only a cluster defines; no SDK knows them."""


@cache
def inputs(token: str) -> Mapping[str, Field]:
    """Inputs of a type by wire name, empty for a custom resource of Kubernetes.

    Raises:
        KeyError: when no SDK has the type.
    """
    if token in CUSTOM_RESOURCES:
        return {}
    return _kubernetes(token) if token.startswith("kubernetes:") else resource_type(token).inputs


def find(token: str, path: str) -> Kind:
    """The type of an input at a dotted path; positions and ``*`` go into lists.

    Raises:
        KeyError: when there is no such input.
    """
    kind = Kind("object")
    fields = inputs(token)
    for segment in path.split("."):
        if kind.name == "any" or token in CUSTOM_RESOURCES:
            return ANY
        if kind.name == "list":
            if segment != "*" and not segment.isdigit():
                raise KeyError(f"{token}: {path}: {segment}: items of a list are meant by `*`")
            kind = kind.element or ANY
        elif kind.name == "map":
            kind = kind.element or ANY
        elif segment in fields:
            kind = fields[segment].kind
        else:
            raise KeyError(f"{token}: {path}: no input {segment}")
        fields = kind.fields
    return kind


def _kubernetes(token: str) -> Mapping[str, Field]:
    _, group_version, name = token.split(":")
    group, version = group_version.split("/")
    try:
        module = importlib.import_module(f"pulumi_kubernetes.{group.split('.')[0]}.{version}")
        home = sys.modules[getattr(module, name).__module__]
    except (ImportError, AttributeError):
        raise KeyError(f"{token}: the SDK has no such resource type") from None
    # Where a nested type took the plain name, the generator calls the arguments "InitArgs".
    return Kind("object", of=getattr(home, f"{name}InitArgs", None) or getattr(home, f"{name}Args")).fields
