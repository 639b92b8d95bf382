"""Kubernetes: workloads survive a node and a zone, and what is stored can be restored."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, cast

from policies.core import kubernetes as k8s
from policies.core.results import attempt, require, undecided, unknown, violation
from policies.core.schedules import longest_interval
from policies.core.values import (
    UNKNOWN,
    UnknownPropertyError,
    at_least,
    is_false,
    is_set,
    is_true,
    mapping,
    number,
    texts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.objectives import Objectives
    from policies.core.resource import Resource, View
    from policies.core.results import Result

BUDGET: Final = "kubernetes:policy/v1:PodDisruptionBudget"
STORAGE_CLASS: Final = "kubernetes:storage.k8s.io/v1:StorageClass"
CLAIM: Final = "kubernetes:core/v1:PersistentVolumeClaim"
SCHEDULE: Final = "kubernetes:velero.io/v1:Schedule"

_POD: Final = "spec.template.spec"
_HANDLERS: Final = ("exec", "grpc", "httpGet", "tcpSocket")
_ZONE: Final = "topology.kubernetes.io/zone"
_SPREAD: Final = f"{_POD}.topologySpreadConstraints"
_ANTI: Final = f"{_POD}.affinity.podAntiAffinity"
_PERCENT: Final = re.compile(r"(\d+)%")
_MANY: Final = 1_000_000
"""Pods of a budget whose workloads cannot be seen: a budget that allows no eviction of so many allows none at all."""
_AVAILABLE: Final = "spec.minAvailable"
_UNAVAILABLE: Final = "spec.maxUnavailable"
_RETAIN: Final = "Retain"
_ENCRYPTED_ANYWAY: Final = (
    "disk.csi.azure.com",
    "file.csi.azure.com",
    "filestore.csi.storage.gke.io",
    "kubernetes.io/azure-disk",
    "kubernetes.io/azure-file",
    "kubernetes.io/gce-pd",
    "pd.csi.storage.gke.io",
    # The file system, or the node's disk, is encrypted or not; a storage class cannot say it.
    "efs.csi.aws.com",
    "kubernetes.io/no-provisioner",
)
_TEMPLATE: Final = "spec.template"
_CLAIMS: Final = ("persistentvolumeclaims", "persistentvolumeclaim", "pvc", "*")
_GLOB: Final = re.compile(r"[*?\[]")
_TTL: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+")
_TTL_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_DEFAULT_TTL: Final = 720 * 3600
"""Velero's, also for a time to live of zero."""


def _probes(workload: Resource, _context: Context) -> Iterable[Result]:
    containers = workload.items(f"{_POD}.containers")
    if not containers:
        yield violation(workload, f"{_POD}.containers", "containers with probes are expected", absent=True)
    for container in containers:
        for probe in ("livenessProbe", "readinessProbe"):
            yield from require(container, probe, _has_handler, "a probe, such as `httpGet`")


def _has_handler(probe: Any) -> bool:  # noqa: ANN401 - JSON
    return any(is_set(mapping(probe).get(handler)) for handler in _HANDLERS)


def _min_replicas(context: Context) -> Iterable[Result]:
    scaling = k8s.Scaling(context.index)
    least = context.parameters["replicas"]
    for workload in context.index.of(*k8s.WORKLOADS):
        scaler = scaling.of(workload)
        # An autoscaler overrides what the workload says.
        about, path = (workload, "spec.replicas") if scaler is None else (scaler, "spec.minReplicas")
        for result in require(about, path, at_least(least), f"at least {least:g}"):
            yield undecided(about, path) if scaling.unsure(workload) else result


def _pdb(context: Context) -> Iterable[Result]:
    budgets, scaling = _Budgets(context.index), k8s.Scaling(context.index)
    for workload in context.index.of(*k8s.WORKLOADS):
        yield from attempt(workload, lambda it=workload: _disruption_budget(it, budgets, scaling))
    for budget in budgets.all:
        yield from attempt(budget, lambda it=budget: _evictable(it, budgets.pods.get(it.urn, 0)))


def _disruption_budget(workload: Resource, budgets: _Budgets, scaling: k8s.Scaling) -> Iterable[Result]:
    matching, open_ = budgets.of(workload)
    try:
        pods = _least_pods(workload, scaling)
    except UnknownPropertyError:
        # As many as it takes for a budget to make sense.
        pods = _MANY
    for budget in matching:
        budgets.pods[budget.urn] += pods
    if len(matching) > 1:
        yield violation(
            workload, k8s.POD_LABELS, f"`{k8s.POD_LABELS}` must match one budget: with two, no eviction is allowed"
        )
    elif not matching and pods > 1:
        expected = f"`{k8s.POD_LABELS}` must match the selector of a PodDisruptionBudget in the same namespace"
        yield undecided(workload, k8s.POD_LABELS) if open_ else violation(workload, k8s.POD_LABELS, expected)


def _least_pods(workload: Resource, scaling: k8s.Scaling) -> int:
    scaler = scaling.of(workload)
    if scaling.unsure(workload):
        raise UnknownPropertyError("spec.replicas")
    found = number(workload.get("spec.replicas") if scaler is None else scaler.get("spec.minReplicas"))
    return 1 if found is None else int(found)


def _evictable(budget: Resource, pods: int) -> Iterable[Result]:
    available, unavailable = budget.get(_AVAILABLE), budget.get(_UNAVAILABLE)
    if available is None and unavailable is None:
        yield violation(budget, _UNAVAILABLE, f"`{_UNAVAILABLE}` or `{_AVAILABLE}` must be there", absent=True)
        return
    pods = pods if pods > 0 else _MANY
    path = _AVAILABLE if unavailable is None else _UNAVAILABLE
    share = _share(available if unavailable is None else unavailable, pods)
    if share is None:
        yield violation(budget, path, f"`{path}` must be a number or a percentage")
    elif (pods - share if unavailable is None else share) < 1:
        yield violation(budget, path, f"`{path}` must let one pod at least be evicted")


def _share(value: Any, pods: int) -> int | None:  # noqa: ANN401 - JSON
    """Pods of a number or a percentage; the latter is rounded up, as Kubernetes does."""
    percent = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if percent is not None:
        return -(-int(percent[1]) * pods // 100)
    found = number(value)
    return None if found is None else int(found)


class _Budgets:
    """Disruption budgets, found by the label of their selector that the fewest of them have."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self.all = index.of(BUDGET)
        self.pods: Counter[str] = Counter()
        """Pods that a budget is about, by its URN."""
        self._by_label: dict[k8s.Place, dict[k8s.Label | None, list[Resource]]] = {}
        self._lost = False
        found = [(budget, k8s.alternatives(budget.peek("spec.selector"))) for budget in self.all]
        frequency = Counter(label for _, each in found for labels in each for label in labels)
        for budget, alternatives in found:
            try:
                here = k8s.place(budget, index)
            except UnknownPropertyError:
                self._lost = True
                continue
            rarest: Iterable[k8s.Label | None] = min(
                alternatives, key=lambda labels: sum(frequency[label] for label in labels), default=(None,)
            )
            for label in dict.fromkeys(rarest):
                self._by_label.setdefault(here, defaultdict(list))[label].append(budget)

    def of(self, workload: Resource) -> tuple[list[Resource], bool]:
        """Budgets that select a workload's pods, two at the most, and whether there may be others."""
        here = self._by_label.get(k8s.place(workload, self._index), {})
        labels = workload.peek(k8s.POD_LABELS)
        open_ = self._lost or bool(here and (labels is UNKNOWN or UNKNOWN in mapping(labels).values()))
        matching: list[Resource] = []
        for budget in (each for key in (None, *k8s.known_labels(labels)) for each in here.get(key, ())):
            answer = k8s.selects(budget.peek("spec.selector"), labels)
            open_ = open_ or answer is None
            matching += [budget] if answer else []
            if len(matching) > 1:
                break
        return matching, open_


def _zone_spread(deployment: Resource, _context: Context) -> Iterable[Result]:
    labels = deployment.peek(k8s.POD_LABELS)
    open_: list[Result] = []
    for path, term in (
        (_SPREAD, ""),
        (f"{_ANTI}.requiredDuringSchedulingIgnoredDuringExecution", ""),
        (f"{_ANTI}.preferredDuringSchedulingIgnoredDuringExecution", "podAffinityTerm."),
    ):
        try:
            answers = [_spreads(each, term, labels) for each in deployment.items(path)]
        except UnknownPropertyError as fault:
            open_.append(unknown(deployment.urn, fault.path))
            continue
        if True in answers:
            return
        open_ += [undecided(deployment, path)] if None in answers else []
    yield from open_ or [
        violation(
            deployment,
            _SPREAD,
            f"`{_SPREAD}`, or an anti-affinity, must spread its own pods over `{_ZONE}`",
            absent=deployment.get(_SPREAD) is None,
        )
    ]


def _spreads(constraint: View, term: str, labels: Any) -> bool | None:  # noqa: ANN401 - JSON
    """Whether a constraint is about zones and about these pods; one without a selector is about none."""
    if constraint.get(f"{term}topologyKey") != _ZONE:
        return False
    return k8s.selects(constraint.peek(f"{term}labelSelector"), labels)


def _storage_durable(resource: Resource, _context: Context) -> Iterable[Result]:
    if resource.type != STORAGE_CLASS:
        # Whoever makes a volume by hand keeps it unless asked otherwise.
        path = "spec.persistentVolumeReclaimPolicy"
        yield from require(resource, path, lambda value: value in (None, _RETAIN), f"`{_RETAIN}`")
        return
    yield from require(resource, "reclaimPolicy", lambda value: value == _RETAIN, f"`{_RETAIN}`")
    if resource.get("provisioner") not in _ENCRYPTED_ANYWAY:
        yield from require(resource, "parameters.encrypted", is_true, "true")


def _backup_schedule(context: Context) -> Iterable[Result]:
    index = context.index
    schedules: dict[str, _Schedules] = defaultdict(_Schedules)
    for schedule in index.of(SCHEDULE):
        schedules[k8s.cluster(schedule)].add(schedule)
    namespaces = {(k8s.cluster(each), k8s.namespace_name(each)): each for each in index.of(k8s.NAMESPACE)}
    stateful: dict[k8s.Place, list[Resource]] = defaultdict(list)
    for resource in index.of(k8s.STATEFUL_SET, CLAIM):
        try:
            stateful[k8s.place(resource, index)].append(resource)
        except UnknownPropertyError as fault:
            yield undecided(resource, fault.path)
    for here, resources in stateful.items():
        namespace = namespaces.get(here)
        covering, open_ = schedules[here[0]].covering(here[1])
        if covering:
            demanded = list(_demanded(resources, namespace, context))
            rpo = min((each.rpo for each in demanded if each.rpo is not None), default=math.inf)
            days = max(each.retention_days or 0 for each in demanded)
            yield from _often_enough(covering, rpo)
            yield from _long_enough(covering, max(days, context.parameters["days"]))
        elif open_:
            yield from open_
        else:
            about = resources[0] if namespace is None else namespace
            yield violation(about, "", "a Velero Schedule must back up its namespace, volumes included")


def _often_enough(covering: Iterable[Resource], rpo: float) -> Iterable[Result]:
    expected = "a cron schedule" if math.isinf(rpo) else f"a cron schedule that runs at least every {rpo:g} seconds"
    yield from _one_of(
        covering, "spec.schedule", _frequency, lambda found: found > -math.inf and -found <= rpo, expected
    )


def _frequency(schedule: Any) -> float:  # noqa: ANN401 - JSON
    """The longest time between two runs, negative, so that the better is the greater."""
    found = longest_interval(schedule)
    return -math.inf if found is None else -found


def _long_enough(covering: Iterable[Resource], days: float) -> Iterable[Result]:
    expected = f"at least {days:g} days, such as `{days * 24:g}h0m0s`"
    yield from _one_of(covering, "spec.template.ttl", _seconds, lambda found: found >= days * 86400, expected)


def _seconds(ttl: Any) -> float:  # noqa: ANN401 - JSON
    if ttl is not None and not (isinstance(ttl, str) and _TTL.fullmatch(ttl)):
        return 0
    return sum(float(count) * _SECONDS[unit] for count, unit in _TTL_PART.findall(ttl or "")) or _DEFAULT_TTL


def _one_of(
    covering: Iterable[Resource],
    path: str,
    score: Callable[[Any], float],
    enough: Callable[[float], bool],
    expected: str,
) -> Iterable[Result]:
    """Nothing if one of several schedules is good enough; else what is not known yet, else the best one's fault."""
    open_: list[Result] = []
    scores: list[tuple[float, Resource]] = []
    for schedule in covering:
        try:
            scores.append((score(schedule.get(path)), schedule))
        except UnknownPropertyError:
            open_.append(undecided(schedule, path))
    if any(enough(found) for found, _ in scores):
        return
    if open_:
        yield from open_
        return
    _, best = max(scores, key=lambda each: each[0])
    yield violation(best, path, f"`{path}` must be {expected}", absent=best.get(path) is None)


def _demanded(resources: Iterable[Resource], namespace: Resource | None, context: Context) -> Iterator[Objectives]:
    """What each resource demands: by itself, else by its namespace's labels or annotations, else by the settings."""
    for resource in resources:
        own = context.objectives(resource)
        yield own if namespace is None or own.source in ("declaration", "tags") else context.objectives(namespace)


class _Schedules:
    """The Velero schedules of one cluster, by the namespaces they include."""

    def __init__(self) -> None:
        self._by_name: dict[str, list[Resource]] = defaultdict(list)
        self._by_prefix: dict[str, list[Resource]] = defaultdict(list)
        self._open: list[Result] = []

    def add(self, schedule: Resource) -> None:
        """Take a schedule in, if it backs up all that its namespaces store."""
        try:
            if not _backs_up_volumes(schedule):
                return
            names = schedule.get(f"{_TEMPLATE}.includedNamespaces")
        except UnknownPropertyError as fault:
            self._open.append(unknown(schedule.urn, fault.path))
            return
        included = texts(names)
        if isinstance(names, list) and UNKNOWN in cast("list[Any]", names):
            self._open.append(undecided(schedule, f"{_TEMPLATE}.includedNamespaces"))
        elif not included:
            included = ("*",)
        for name in dict.fromkeys(included):
            # A pattern can only fit what begins with the text before its first wildcard.
            glob = _GLOB.search(name)
            (self._by_name[name] if glob is None else self._by_prefix[name[: glob.start()]]).append(schedule)

    def covering(self, namespace: str) -> tuple[list[Resource], list[Result]]:
        """The schedules that back a namespace up, and what else may."""
        found: list[Resource] = []
        open_ = list(self._open)
        candidates = [
            *self._by_name.get(namespace, ()),
            *(each for end in range(len(namespace) + 1) for each in self._by_prefix.get(namespace[:end], ())),
        ]
        for schedule in dict.fromkeys(candidates):
            included = texts(schedule.get(f"{_TEMPLATE}.includedNamespaces")) or ("*",)
            excluded = schedule.peek(f"{_TEMPLATE}.excludedNamespaces")
            if excluded is UNKNOWN or (isinstance(excluded, list) and UNKNOWN in cast("list[Any]", excluded)):
                open_.append(undecided(schedule, f"{_TEMPLATE}.excludedNamespaces"))
            elif _any(included, namespace) and not _any(texts(excluded), namespace):
                found.append(schedule)
        return found, open_


def _any(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _backs_up_volumes(schedule: Resource) -> bool:
    """Whether a schedule runs and takes every claim of its namespaces, with what is in it."""
    if is_true(schedule.get("spec.paused")):
        return False
    if any(is_set(schedule.get(f"{_TEMPLATE}.{path}")) for path in ("labelSelector", "orLabelSelectors")):
        return False
    included, excluded = (
        texts(schedule.get(f"{_TEMPLATE}.{path}")) for path in ("includedResources", "excludedResources")
    )
    if (included and not _stored(included)) or _stored(excluded):
        return False
    snapshots, files = (schedule.get(f"{_TEMPLATE}.{path}") for path in ("snapshotVolumes", "defaultVolumesToFsBackup"))
    return not is_false(snapshots) or is_true(files)


def _stored(kinds: Iterable[str]) -> bool:
    return any(kind.lower() in _CLAIMS for kind in kinds)


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "k8s-probes": _probes,
    "k8s-min-replicas": _min_replicas,
    "k8s-pdb": _pdb,
    "k8s-zone-spread": _zone_spread,
    "k8s-storageclass-durable": _storage_durable,
    "k8s-backup-schedule": _backup_schedule,
}
