"""Kubernetes as rules see it: where an object lives, what a selector selects, how many pods there are at least."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from policies.core.values import UNKNOWN, UnknownPropertyError, mapping, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from policies.core.index import Index
    from policies.core.resource import Resource

DEPLOYMENT: Final = "kubernetes:apps/v1:Deployment"
STATEFUL_SET: Final = "kubernetes:apps/v1:StatefulSet"
WORKLOADS: Final = (DEPLOYMENT, STATEFUL_SET)
NAMESPACE: Final = "kubernetes:core/v1:Namespace"
AUTOSCALERS: Final = (
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
    "kubernetes:autoscaling/v1:HorizontalPodAutoscaler",
)
POD_LABELS: Final = "spec.template.metadata.labels"

Place = tuple[str, str]
"""A cluster, by its provider, and a namespace in it."""
Label = tuple[str, str | None]
"""A label of pods and its value; None for any value."""


def place(resource: Resource, index: Index) -> Place:
    """Where an object lives; two clusters of one stack may have a namespace of the same name.

    Raises:
        UnknownPropertyError: when its namespace is not known yet.
    """
    try:
        found = resource.computed("metadata.namespace")
    except UnknownPropertyError:
        declared = index.targets(resource, "metadata.namespace", NAMESPACE)
        if len(declared) != 1:
            raise
        return cluster(resource), namespace_name(declared[0])
    if isinstance(found, str) and found:
        return cluster(resource), found
    configured = resource.provider.inputs.get("namespace") if resource.provider is not None else None
    if configured is UNKNOWN:
        raise UnknownPropertyError("metadata.namespace")
    return cluster(resource), configured if isinstance(configured, str) and configured else "default"


def cluster(resource: Resource) -> str:
    """The cluster of an object: its provider's URN, or empty."""
    return "" if resource.provider is None else resource.provider.urn


def namespace_name(namespace: Resource) -> str:
    """A namespace's name; its URN, which no name is like, where the name is made by the provider."""
    try:
        name = namespace.computed("metadata.name")
    except UnknownPropertyError:
        return namespace.urn
    return name if isinstance(name, str) and name else namespace.urn


def selects(selector: Any, labels: Any) -> bool | None:  # noqa: ANN401 - JSON
    """Whether a label selector selects what has some labels: an absent one nothing, an empty one everything.

    Returns:
        None where that is not known yet.
    """
    if selector is UNKNOWN:
        return None
    if not isinstance(selector, dict):
        return False
    answers = list(_answers(cast("dict[str, Any]", selector), labels))
    if False in answers:
        return False
    return None if None in answers else True


def known_labels(labels: Any) -> list[Label]:  # noqa: ANN401 - JSON
    """Labels whose value is known, each with its value and with any."""
    pairs = [(key, value) for key, value in mapping(labels).items() if isinstance(value, str)]
    return [*pairs, *((key, None) for key, _ in pairs)]


def alternatives(selector: Any) -> list[list[Label]]:  # noqa: ANN401 - JSON
    """What a selector demands: of each list here, a pod must have one label, with its value or with any."""
    if not isinstance(selector, dict):
        return []
    bag = mapping(cast("Any", selector))
    found: list[list[Label]] = []
    for key, value in mapping(bag.get("matchLabels")).items():
        if isinstance(value, str):
            found.append([(key, value)])
    expressions = bag.get("matchExpressions")
    for expression in cast("list[Any]", expressions) if isinstance(expressions, list) else ():
        demand = mapping(expression)
        key, values = demand.get("key"), demand.get("values")
        if isinstance(key, str) and demand.get("operator") == "Exists":
            found.append([(key, None)])
        elif isinstance(key, str) and demand.get("operator") == "In" and isinstance(values, list):
            listed = cast("list[Any]", values)
            # A value that is not known yet may be any pod's.
            if UNKNOWN not in listed:
                found.append([(key, value) for value in texts(listed)])
    return found


def _answers(selector: Mapping[str, Any], labels: Any) -> Iterator[bool | None]:  # noqa: ANN401 - JSON
    demanded = (selector.get("matchLabels"), selector.get("matchExpressions"))
    if UNKNOWN in demanded:
        yield None
    for key, value in mapping(demanded[0]).items():
        yield _meets(labels, key, "In", [value])
    for expression in cast("list[Any]", demanded[1]) if isinstance(demanded[1], list) else ():
        bag = mapping(expression)
        yield None if expression is UNKNOWN else _meets(labels, bag.get("key"), bag.get("operator"), bag.get("values"))


def _meets(labels: Any, key: Any, operator: Any, values: Any) -> bool | None:  # noqa: ANN401 - JSON
    if UNKNOWN in (labels, key, operator):
        return None
    value = mapping(labels).get(key) if isinstance(key, str) else None
    if operator in ("Exists", "DoesNotExist"):
        return (value is not None) == (operator == "Exists")
    if operator not in ("In", "NotIn") or not isinstance(key, str):
        return False
    if value is None:
        return operator == "NotIn"
    if value not in texts(values) and (UNKNOWN in (value, values) or _holds_unknown(values)):
        return None
    return (value in texts(values)) == (operator == "In")


def _holds_unknown(values: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(values, list) and UNKNOWN in cast("list[Any]", values)


class Scaling:
    """The autoscalers of a stack, by what they scale.

    Args:
        index: The stack.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._by_workload: dict[str, Resource] = {}
        self._lost = False
        self._scalers = index.of(*AUTOSCALERS)
        self._nameless: set[str] = set()
        named = self._named() if self._scalers else {}
        for scaler in self._scalers:
            for workload in self._scaled(scaler, named):
                self._by_workload[workload.urn] = scaler

    def of(self, workload: Resource) -> Resource | None:
        """What scales a workload."""
        return self._by_workload.get(workload.urn)

    def unsure(self, workload: Resource) -> bool:
        """Whether something scales a workload of which it is not known yet that it does."""
        return self.of(workload) is None and (self._lost or workload.urn in self._nameless)

    def _scaled(self, scaler: Resource, named: Mapping[tuple[Place, str, str], Resource]) -> Sequence[Resource]:
        try:
            kind, name = (scaler.get(f"spec.scaleTargetRef.{each}") for each in ("kind", "name"))
            if not isinstance(kind, str) or not isinstance(name, str):
                return ()
            found = named.get((place(scaler, self._index), kind, name))
        except UnknownPropertyError:
            targets = self._index.targets(scaler, "spec.scaleTargetRef.name", *WORKLOADS)
            self._lost = self._lost or not targets
            return targets
        return () if found is None else (found,)

    def _named(self) -> dict[tuple[Place, str, str], Resource]:
        named: dict[tuple[Place, str, str], Resource] = {}
        for workload in self._index.of(*WORKLOADS):
            try:
                name = workload.computed("metadata.name")
                if isinstance(name, str):
                    named[place(workload, self._index), workload.type.rpartition(":")[2], name] = workload
            except UnknownPropertyError:
                # Only a dependency can name it.
                self._nameless.add(workload.urn)
        return named
