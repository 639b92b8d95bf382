"""The stack index: built once, asked by every rule."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar, cast

from policies.core.arns import arn_account, arn_region
from policies.core.objectives import Declared
from policies.core.values import UNKNOWN, UnknownPropertyError, texts, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from policies.core.resource import Resource, View

_IDENTITIES: Final = (
    "id",
    "arn",
    "name",
    "bucket",
    "identifier",
    "clusterIdentifier",
    "replicationGroupId",
    "globalClusterIdentifier",
    "keyId",
    "targetKeyArn",
    "selfLink",
)
"""Outputs and inputs by which another resource may name one."""
_OWNERS: Final = {
    "bucket": ("/bucket:Bucket",),
    "clusterIdentifier": (":Cluster",),
    "replicationGroupId": (":ReplicationGroup",),
    "globalClusterIdentifier": (":GlobalCluster",),
    "keyId": (":Key", ":ReplicaKey", ":ExternalKey", ":ReplicaExternalKey"),
}
"""Whose identity these are; other types have them to name what they belong to."""
_ROOT: Final = "pulumi:pulumi:Stack"


Answer = TypeVar("Answer")


class Index:
    """All resources of a stack.

    Args:
        resources: In any order.
    """

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_urn = {resource.urn: resource for resource in resources}
        self._by_type: dict[str, list[Resource]] = defaultdict(list)
        for resource in self._by_urn.values():
            self._by_type[resource.type].append(resource)
        self._companions: dict[tuple[str, str], dict[str, list[Resource]]] = {}
        self._answers: dict[str, object] = {}

    def __iter__(self) -> Iterator[Resource]:
        """Every resource."""
        return iter(self._by_urn.values())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._by_urn)

    def find(self, urn: str) -> Resource | None:
        """The resource of a URN."""
        return self._by_urn.get(urn)

    def of(self, *types: str) -> Sequence[Resource]:
        """The resources of some types that the program declares."""
        return [each for type_ in types for each in self._by_type.get(type_, ()) if each.inputs is not None]

    @property
    def types(self) -> Iterable[str]:
        """The types there are."""
        return self._by_type.keys()

    def once(self, question: str, answer: Callable[[], Answer]) -> Answer:
        """What a question about the whole stack came to the first time that it was asked."""
        if question not in self._answers:
            self._answers[question] = answer()
        return cast("Answer", self._answers[question])

    def ancestors(self, resource: Resource) -> Iterator[Resource]:
        """The components around a resource, the nearest first, without the stack."""
        seen = {resource.urn}
        parent = self._by_urn.get(resource.parent)
        while parent is not None and parent.type != _ROOT and parent.urn not in seen:
            seen.add(parent.urn)
            yield parent
            parent = self._by_urn.get(parent.parent)

    def companions(self, resource: Resource, type_: str, via: str) -> Sequence[Resource]:
        """Resources of a type whose property `via` is this resource: by dependency, else by its name, ID or ARN.

        For example every ``aws:s3/bucketVersioning:BucketVersioning`` whose ``bucket`` is a bucket.
        """
        key = (type_, via)
        if key not in self._companions:
            joined: dict[str, list[Resource]] = defaultdict(list)
            for companion in self.of(type_):
                for target in self.targets(companion, via):
                    joined[target.urn].append(companion)
            self._companions[key] = joined
        return self._companions[key].get(resource.urn, ())

    def targets(self, resource: Resource, path: str, *types: str) -> Sequence[Resource]:
        """The resources of this stack that a property names, by dependency first, then by literal value.

        Args:
            resource: What has the property.
            path: Dotted path of the property; dependencies are known for its first segment.
            types: Types to look for; any when empty.
        """
        literal = resource.peek(path)
        named = [each for text in texts(literal) for each in self._named.get(text, ())]
        depended = [
            found
            for urn in resource.property_dependencies.get(path.split(".", 1)[0], ())
            if (found := self._by_urn.get(urn)) is not None
        ]
        # A known value names exactly what is meant; dependencies of a whole top-level property may be more than that.
        both = [each for each in named if each in depended]
        found = both or depended or named
        if types:
            found = [each for each in found if each.type in types] or [each for each in named if each.type in types]
        return list(dict.fromkeys(each for each in found if each is not resource))

    def target(self, about: Resource | View, path: str, *types: str) -> Resource | None:
        """The one resource that a property names, if it is in this stack."""
        resource = about.resource
        full = ".".join(part for part in (about.prefix, path) if part)
        found = self.targets(resource, full, *types)
        return found[0] if found else None

    def region(self, resource: Resource) -> str:
        """Where a resource lives: its own ``region``, its ARN's, its provider's; empty for what has none.

        Raises:
            UnknownPropertyError: when that is not known yet.
        """
        own = resource.get("region") or walk(resource.outputs, "region")
        if isinstance(own, str) and own:
            return own
        configured = resource.provider.inputs.get("region") if resource.provider is not None else None
        if configured is UNKNOWN:
            raise UnknownPropertyError("region")
        if isinstance(configured, str) and configured:
            return configured
        arn = resource.outputs.get("arn")
        if arn is UNKNOWN:
            raise UnknownPropertyError("arn")
        return arn_region(arn)

    def account(self, resource: Resource) -> str:
        """Whose a resource is: its ARN's account, else the only one its provider allows; empty when nobody says."""
        found = arn_account(resource.outputs.get("arn"))
        if found or resource.provider is None:
            return found
        allowed = resource.provider.inputs.get("allowedAccountIds")
        if isinstance(allowed, str):
            # Providers take their structured settings as JSON text.
            try:
                allowed = json.loads(allowed)
            except ValueError:
                return ""
        accounts = texts(allowed)
        return accounts[0] if len(accounts) == 1 else ""

    @cached_property
    def declared(self) -> Declared:
        """The stack's declarations."""
        return Declared(self)

    @cached_property
    def _named(self) -> Mapping[str, list[Resource]]:
        named: dict[str, dict[str, Resource]] = defaultdict(dict)
        for resource in self._by_urn.values():
            bags = (resource.inputs or {}, resource.outputs)
            foreign = {key for key, types in _OWNERS.items() if not resource.type.endswith(types)}
            # The ID of a companion, such as a bucket's versioning, is often that of what it belongs to.
            others = {value for bag in bags for key in foreign if isinstance(value := bag.get(key), str)}
            for bag in bags:
                for identity in _IDENTITIES:
                    value = bag.get(identity)
                    if isinstance(value, str) and value and identity not in foreign and value not in others:
                        named[value][resource.urn] = resource
        return {value: list(resources.values()) for value, resources in named.items()}
