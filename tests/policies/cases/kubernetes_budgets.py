"""Cases of `policies.rules.kubernetes`: disruption budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from collections.abc import Mapping

    from policies.core.resource import Resource
from tests.policies.cases.kubernetes import NAMESPACE, STATEFUL_SET, WEB, WEB_SELECTOR, meta, scaler, workload

BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"

_LABELS = "spec.template.metadata.labels"


def _budget(
    selector: object = WEB_SELECTOR,
    name: str = "budget",
    *,
    namespace: object = "shop",
    region: str = "east",
    uses: Mapping[str, Resource] | None = None,
    **spec: object,
) -> Resource:
    spec = spec or {"maxUnavailable": 1}
    inputs = {"metadata": meta(name, namespace), "spec": {"selector": selector, **spec}}
    return make(BUDGET, name, inputs, region=region, uses=uses)


CASES: dict[str, list[Case]] = {
    "k8s-pdb": [
        Case(kind="passes", resources=[workload(replicas=3), _budget()]),
        Case(kind="passes", about="at least", resources=[workload(replicas=3), _budget(minAvailable="50%")]),
        Case(
            kind="passes",
            about="expressions",
            resources=[
                workload(replicas=3),
                _budget(
                    {
                        "matchExpressions": [
                            {"key": "app", "operator": "In", "values": ["web", "api"]},
                            {"key": "track", "operator": "NotIn", "values": ["canary"]},
                            {"key": "app", "operator": "Exists"},
                            {"key": "batch", "operator": "DoesNotExist"},
                        ]
                    }
                ),
            ],
        ),
        Case(kind="passes", about="everything", resources=[workload(replicas=2), _budget({})]),
        Case(
            kind="passes",
            about="one for two workloads",
            resources=[
                workload(replicas=2),
                workload(STATEFUL_SET, "store", replicas=2),
                _budget(minAvailable=3),
            ],
        ),
        Case(kind="passes", about="pods of a chart", resources=[_budget(minAvailable=1)]),
        Case(kind="fails", about="no budget", resources=[workload(replicas=2)], violated=[f"web:{_LABELS}"]),
        *(
            Case(
                kind="fails",
                about=what,
                resources=[workload(replicas=3), _budget(selector)],
                violated=[f"web:{_LABELS}"],
            )
            for what, selector in {
                "other labels": {"matchLabels": {"app": "web", "tier": "front"}},
                "excluded": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]},
                "not listed": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["api"]}]},
                "not there": {"matchExpressions": [{"key": "tier", "operator": "Exists"}]},
                "not absent": {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]},
                "no operator": {"matchExpressions": [{"key": "app", "values": ["web"]}]},
                "no selector at all": None,
            }.items()
        ),
        Case(
            kind="fails",
            about="another namespace",
            resources=[workload(replicas=2), _budget(namespace="bank")],
            violated=[f"web:{_LABELS}"],
        ),
        Case(
            kind="fails",
            about="another cluster",
            resources=[workload(replicas=2), _budget(region="west")],
            violated=[f"web:{_LABELS}"],
        ),
        Case(
            kind="fails",
            about="two budgets",
            resources=[workload(replicas=3), _budget(), _budget({}, "second")],
            violated=[f"web:{_LABELS}"],
        ),
        *(
            Case(
                kind="fails",
                about=f"{path} {value}",
                resources=[workload(replicas=3), _budget(**{path: value})],
                violated=[f"budget:spec.{path}"],
            )
            for path, value in (
                ("maxUnavailable", 0),
                ("maxUnavailable", "0%"),
                ("maxUnavailable", "few"),
                ("minAvailable", 3),
                ("minAvailable", "67%"),
                ("minAvailable", "100%"),
                ("minAvailable", [2]),
            )
        ),
        Case(
            kind="fails",
            about="everything of a chart",
            resources=[_budget(minAvailable="100%")],
            violated=["budget:spec.minAvailable"],
        ),
        Case(
            kind="fails",
            about="the only pod",
            resources=[workload(), _budget(minAvailable=1)],
            violated=["budget:spec.minAvailable"],
        ),
        Case(
            kind="fails",
            about="the least of an autoscaler",
            resources=[workload(replicas=9), scaler(2), _budget(minAvailable=2)],
            violated=["budget:spec.minAvailable"],
        ),
        Case(
            kind="absent",
            about="the number",
            resources=[workload(replicas=3), _budget(unhealthyPodEvictionPolicy="AlwaysAllow")],
            violated=["budget:spec.maxUnavailable"],
        ),
        *(
            Case(
                kind="unknown",
                about=what,
                resources=[workload(replicas=3, labels=labels), _budget(selector)],
                undecided=[f"web:{_LABELS}"],
            )
            for what, labels, selector in (
                ("the labels", UNKNOWN, WEB_SELECTOR),
                ("a label", {"app": UNKNOWN}, WEB_SELECTOR),
                ("the selector", WEB, UNKNOWN),
                ("a selected label", WEB, {"matchLabels": {"app": UNKNOWN}}),
                ("selected labels", WEB, {"matchLabels": UNKNOWN}),
                ("expressions", WEB, {"matchExpressions": UNKNOWN}),
                ("an expression", WEB, {"matchExpressions": [UNKNOWN]}),
                ("values", WEB, {"matchExpressions": [{"key": "app", "operator": "In", "values": [UNKNOWN]}]}),
            )
        ),
        Case(
            kind="unknown",
            about="the namespace of a budget",
            resources=[workload(replicas=2), _budget(namespace=UNKNOWN)],
            undecided=[f"web:{_LABELS}"],
        ),
        Case(
            kind="unknown",
            about="the namespace of a workload",
            resources=[workload(replicas=2, namespace=UNKNOWN), _budget()],
            undecided=["web:metadata.namespace"],
        ),
        Case(
            kind="unknown",
            about="the number",
            resources=[
                workload(replicas=UNKNOWN),
                _budget(minAvailable=2),
                _budget({}, "other", minAvailable=UNKNOWN, namespace="bank"),
            ],
            undecided=["other:spec.minAvailable"],
        ),
        Case(
            kind="unknown",
            about="what an autoscaler scales",
            resources=[workload(), scaler(3, name=UNKNOWN), _budget(minAvailable=1)],
        ),
        Case(kind="exempt", about="a single pod", resources=[workload(replicas=1)]),
        Case(
            kind="companion",
            about="a namespace made here",
            resources=[
                made := make(NAMESPACE, "made", {}, region="east"),
                workload(replicas=2, namespace=UNKNOWN, uses={"metadata": made}),
                _budget(namespace=UNKNOWN, uses={"metadata": made}),
            ],
        ),
        Case(
            kind="companion",
            about="a namespace named here",
            resources=[
                named := make(NAMESPACE, "made", {"metadata": {"name": "shop"}}, region="east"),
                workload(replicas=2, namespace=UNKNOWN, uses={"metadata": named}),
                _budget(),
            ],
        ),
        Case(
            kind="companion",
            about="the default namespace",
            resources=[workload(replicas=2, namespace=None), _budget(namespace="default")],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {}
