"""The stack index: built once, asked by every rule."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar, cast

from policies.core.arns import NAMED_ARNS, arn_account, arn_region, named_arn, without_account
from policies.core.objectives import Declared
from policies.core.values import UNKNOWN, UnknownPropertyError, structured, texts, walk

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
_EVERYWHERE: Final = ("aws:route53/", "aws:cloudfront/", "aws:globalaccelerator/", "aws:iam/")
"""Services without a region, whose resources may name something in any."""
_SHARED: Final = ("aws:backup/",)
"""Whose ARNs are often another account's with the same name, so that without an account they say nothing."""
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
        self._companions: dict[tuple[str, str, str], dict[str, list[Resource]]] = {}
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
        """Resources of a type whose property `via` is this resource (see `targets`).

        For example every ``aws:s3/bucketVersioning:BucketVersioning`` whose ``bucket`` is a bucket.
        """
        key = (type_, via, resource.type)
        if key not in self._companions:
            joined: dict[str, list[Resource]] = defaultdict(list)
            for companion in self.of(type_):
                for target in self.targets(companion, via, resource.type):
                    joined[target.urn].append(companion)
            self._companions[key] = joined
        return self._companions[key].get(resource.urn, ())

    def targets(self, resource: Resource, path: str, *types: str) -> Sequence[Resource]:
        """The resources of this stack that a property names: by name, ID or ARN, else by dependency.

        A known value says exactly what is meant; a dependency may be on what the value is only made from, and those of
        a list or an object are the ones of all its parts.

        Args:
            resource: What has the property.
            path: Dotted path of the property, with ``*`` for every item of a list; dependencies are known for its first
                segment.
            types: Types to look for; any when empty.
        """
        found = self._meant(resource, path, types)
        if not found and types and any(value is UNKNOWN for value in resource.every(path)):
            # One companion is often made from another one of the same owner, so that they are made in order.
            step = path.rpartition(".")[2]
            found = [each for via in self._used(resource, path) for each in self._meant(via, step, types)]
        return list(dict.fromkeys(each for each in found if each is not resource))

    def _meant(self, resource: Resource, path: str, types: tuple[str, ...]) -> list[Resource]:
        depended = [each for each in self._used(resource, path) if not types or each.type in types]
        used: dict[str, list[Resource]] = defaultdict(list)
        for each in depended:
            for name in self._names[each.urn]:
                used[name].append(each)
        values = resource.every(path)
        found: list[Resource] = []
        certain = True
        for value in values:
            spellings = (value, without_account(value)) if isinstance(value, str) else ()
            named = [each for text in spellings for each in used.get(text, ())] or [
                each for text in spellings for each in self._called(text, resource, types)
            ]
            found += named
            # An ARN is no accident, as a name that two kinds of things have may be.
            other = any(text.startswith("arn:") and (text, "") in self._named for text in spellings)
            certain = certain and (other or bool(named))
        return found if certain else [*found, *depended]

    def _used(self, resource: Resource, path: str) -> list[Resource]:
        urns = resource.property_dependencies.get(path.split(".", 1)[0], ())
        return [found for urn in urns if (found := self._by_urn.get(urn)) is not None]

    def _called(self, text: str, resource: Resource, types: tuple[str, ...]) -> list[Resource]:
        """What has a name: in the region and account of who says it, where several have it."""
        found: list[Resource] = []
        for type_ in types or ("",):
            regions = self._named.get((text, type_), {})
            near = None
            if len(regions) > 1 and not resource.type.startswith(_EVERYWHERE):
                near = regions.get(self.region_or(resource, ""))
            found += near or (each for group in regions.values() for each in group)
        if len(found) > 1 and (own := self.account(resource)):
            return [each for each in found if self.account(each) in {own, ""}] or found
        return found

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

    def region_or(self, resource: Resource, other: Answer) -> str | Answer:
        """The same, and something else while it is not known."""
        try:
            return self.region(resource)
        except UnknownPropertyError:
            return other

    def account(self, resource: Resource) -> str:
        """Whose a resource is: its ARN's account, else the only one its provider allows; empty when nobody says."""
        found = arn_account(resource.outputs.get("arn"))
        if found or resource.provider is None:
            return found
        accounts = texts(structured(resource.provider.inputs.get("allowedAccountIds")))
        return accounts[0] if len(accounts) == 1 else ""

    @cached_property
    def declared(self) -> Declared:
        """The stack's declarations."""
        return Declared(self)

    @cached_property
    def _names(self) -> Mapping[str, frozenset[str]]:
        return {urn: frozenset(self._names_of(each)) for urn, each in self._by_urn.items()}

    @cached_property
    def _named(self) -> Mapping[tuple[str, str], Mapping[str, list[Resource]]]:
        """By name, and by type or nothing for any type: who has it, by region."""
        named: dict[tuple[str, str], dict[str, list[Resource]]] = defaultdict(lambda: defaultdict(list))
        for resource in self._by_urn.values():
            region = self.region_or(resource, "")
            for name in self._names[resource.urn]:
                for type_ in (resource.type, ""):
                    named[(name, type_)][region].append(resource)
        return named

    def _names_of(self, resource: Resource) -> Iterator[str]:
        bags = (resource.inputs or {}, resource.outputs)
        foreign = {key for key, types in _OWNERS.items() if not resource.type.endswith(types)}
        # The ID of a companion, such as a bucket's versioning, is often that of what it belongs to.
        others = {value for bag in bags for key in foreign if isinstance(value := bag.get(key), str)}
        for bag in bags:
            for identity in _IDENTITIES:
                value = bag.get(identity)
                if isinstance(value, str) and value and identity not in foreign and value not in others:
                    yield value
        if not isinstance(resource.outputs.get("arn"), str) and (arn := self._future_arn(resource)):
            yield arn

    def _future_arn(self, resource: Resource) -> str:
        """The ARN of what is not created yet, without its account where nobody says whose it is."""
        _, _, property_ = NAMED_ARNS.get(resource.type, ("", "", ""))
        name = resource.peek(property_) if property_ else None
        account = self.account(resource)
        if not isinstance(name, str) or (not account and resource.type.startswith(_SHARED)):
            return ""
        return named_arn(resource.type, name, self.region_or(resource, ""), account)
