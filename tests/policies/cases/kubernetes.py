"""Cases of `policies.rules.kubernetes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from collections.abc import Mapping

    from policies.core.resource import Resource

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
NAMESPACE = "kubernetes:core/v1:Namespace"
DAEMON_SET = "kubernetes:apps/v1:DaemonSet"
AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"

_CONTAINERS = "spec.template.spec.containers"
_SPREAD = "spec.template.spec.topologySpreadConstraints"
_ZONE = "topology.kubernetes.io/zone"
WEB = {"app": "web"}
WEB_SELECTOR = {"matchLabels": WEB}


def meta(name: str, namespace: object = "shop") -> dict[str, Any]:
    return {"name": name, **({} if namespace is None else {"namespace": namespace})}


def workload(
    type_: str = DEPLOYMENT,
    name: str = "web",
    *,
    labels: object = WEB,
    pod: Mapping[str, object] | None = None,
    namespace: object = "shop",
    region: str = "east",
    uses: Mapping[str, Resource] | None = None,
    **spec: object,
) -> Resource:
    """A workload; the harness's region stands for the cluster, as it makes the provider."""
    template = {"metadata": {"labels": labels}, "spec": dict(pod or {})}
    inputs = {"metadata": meta(name, namespace), "spec": {"template": template, **spec}}
    return make(type_, name, inputs, region=region, uses=uses)


def scaler(minimum: object, *, name: object = "web", uses: Mapping[str, Resource] | None = None) -> Resource:
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": name}, "maxReplicas": 9}
    spec |= {} if minimum is None else {"minReplicas": minimum}
    return make(AUTOSCALER, "scaler", {"metadata": meta("scaler"), "spec": spec}, region="east", uses=uses)


def _containers(*probes: Mapping[str, object]) -> dict[str, object]:
    return {"containers": [{"name": f"c{number}", **each} for number, each in enumerate(probes)]}


_PROBED = {"livenessProbe": {"tcpSocket": {"port": 1}}, "readinessProbe": {"httpGet": {"port": 1}}}


def _anti(kind: str, *terms: object) -> dict[str, object]:
    return {"affinity": {"podAntiAffinity": {f"{kind}DuringSchedulingIgnoredDuringExecution": list(terms)}}}


def _by_zone(selector: object = WEB_SELECTOR, key: object = _ZONE) -> dict[str, object]:
    return {"topologyKey": key, "labelSelector": selector}


CASES: dict[str, list[Case]] = {
    "k8s-probes": [
        Case(kind="passes", resources=[workload(pod=_containers(_PROBED, _PROBED))]),
        Case(kind="passes", about="a StatefulSet", resources=[workload(STATEFUL_SET, pod=_containers(_PROBED))]),
        Case(
            kind="fails",
            about="one of two",
            resources=[workload(pod=_containers(_PROBED, {"readinessProbe": {"periodSeconds": 5}}))],
            violated=[f"web:{_CONTAINERS}.1.livenessProbe", f"web:{_CONTAINERS}.1.readinessProbe"],
        ),
        Case(
            kind="fails",
            about="a StatefulSet",
            resources=[workload(STATEFUL_SET, pod=_containers({**_PROBED, "livenessProbe": "yes"}))],
            violated=[f"web:{_CONTAINERS}.0.livenessProbe"],
        ),
        Case(
            kind="absent",
            resources=[workload(pod=_containers({}))],
            violated=[f"web:{_CONTAINERS}.0.livenessProbe", f"web:{_CONTAINERS}.0.readinessProbe"],
        ),
        Case(kind="absent", about="containers", resources=[workload()], violated=[f"web:{_CONTAINERS}"]),
        Case(kind="unknown", resources=[workload(pod={"containers": UNKNOWN})], undecided=[f"web:{_CONTAINERS}"]),
        Case(
            kind="unknown",
            about="one probe",
            resources=[workload(pod=_containers({**_PROBED, "livenessProbe": UNKNOWN}))],
            undecided=[f"web:{_CONTAINERS}.0.livenessProbe"],
        ),
        Case(
            kind="exempt",
            about="an init container",
            resources=[workload(pod={**_containers(_PROBED), "initContainers": [{"name": "init"}]})],
        ),
    ],
    "k8s-min-replicas": [
        Case(kind="passes", resources=[workload(replicas=2), workload(STATEFUL_SET, "store", replicas="3")]),
        Case(kind="fails", resources=[workload(replicas=1)], violated=["web:spec.replicas"]),
        Case(
            kind="fails",
            about="the threshold is the team's",
            resources=[workload(replicas=2)],
            parameters={"replicas": 3},
            violated=["web:spec.replicas"],
        ),
        Case(kind="absent", resources=[workload(), scaler(2, name="other")], violated=["web:spec.replicas"]),
        Case(
            kind="absent",
            about="the least of an autoscaler",
            resources=[workload(replicas=3), scaler(None)],
            violated=["scaler:spec.minReplicas"],
        ),
        Case(kind="unknown", resources=[workload(replicas=UNKNOWN)], undecided=["web:spec.replicas"]),
        Case(
            kind="unknown",
            about="what an autoscaler scales",
            resources=[workload(), scaler(2, name=UNKNOWN)],
            undecided=["web:spec.replicas"],
        ),
        Case(
            kind="unknown",
            about="the namespace",
            resources=[workload(namespace=UNKNOWN), scaler(2)],
            undecided=["web:spec.replicas"],
        ),
        Case(
            kind="exempt",
            about="a DaemonSet",
            resources=[make(DAEMON_SET, inputs={"metadata": meta("agent"), "spec": {}})],
        ),
        Case(kind="companion", about="an autoscaler by name", resources=[workload(), scaler(2)]),
        Case(
            kind="companion",
            about="an autoscaler by dependency",
            resources=[web := workload(), scaler(2, name=UNKNOWN, uses={"spec": web})],
        ),
        Case(
            kind="companion",
            about="an autoscaler that allows one",
            resources=[workload(replicas=3), scaler(1)],
            violated=["scaler:spec.minReplicas"],
        ),
        Case(
            kind="companion",
            about="an autoscaler of another cluster",
            resources=[workload(region="west"), scaler(2)],
            violated=["web:spec.replicas"],
        ),
    ],
    "k8s-zone-spread": [
        Case(kind="passes", resources=[workload(pod={"topologySpreadConstraints": [_by_zone()]})]),
        Case(kind="passes", about="an anti-affinity", resources=[workload(pod=_anti("required", _by_zone()))]),
        Case(
            kind="passes",
            about="a preferred anti-affinity",
            resources=[workload(pod=_anti("preferred", {"weight": 1, "podAffinityTerm": _by_zone()}))],
        ),
        Case(
            kind="fails",
            about="over nodes",
            resources=[
                workload(
                    pod={
                        "topologySpreadConstraints": [_by_zone(key="kubernetes.io/hostname")],
                        **_anti("required", _by_zone(key="kubernetes.io/hostname")),
                    }
                )
            ],
            violated=[f"web:{_SPREAD}"],
        ),
        Case(
            kind="fails",
            about="other pods",
            resources=[workload(pod={"topologySpreadConstraints": [_by_zone({"matchLabels": {"app": "api"}})]})],
            violated=[f"web:{_SPREAD}"],
        ),
        Case(
            kind="fails",
            about="no pods",
            resources=[workload(pod={"topologySpreadConstraints": [{"topologyKey": _ZONE}]})],
            violated=[f"web:{_SPREAD}"],
        ),
        Case(kind="absent", resources=[workload()], violated=[f"web:{_SPREAD}"]),
        Case(
            kind="unknown",
            resources=[workload(pod={"topologySpreadConstraints": UNKNOWN})],
            undecided=[f"web:{_SPREAD}"],
        ),
        Case(
            kind="unknown",
            about="the labels",
            resources=[workload(labels=UNKNOWN, pod={"topologySpreadConstraints": [_by_zone()]})],
            undecided=[f"web:{_SPREAD}"],
        ),
        Case(
            kind="unknown",
            about="one key of two",
            resources=[workload(pod={"topologySpreadConstraints": [_by_zone(key=UNKNOWN), _by_zone()]})],
            undecided=[f"web:{_SPREAD}.0.topologyKey"],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "k8s-probes": {"companion": "probes are properties of the workload itself"},
    "k8s-zone-spread": {
        "companion": "the spread is a property of the workload itself",
        "exempt": "every deployment is asked, whatever its role",
    },
}
"""By rule and kind: why there is no such case."""
