"""Cases of `policies.rules.kubernetes`: volumes and their backups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from policies.core.resource import Resource
from tests.policies.cases.kubernetes import NAMESPACE, STATEFUL_SET, WEB_SELECTOR, meta, workload

CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
VOLUME = "kubernetes:core/v1:PersistentVolume"
CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
SCHEDULE = "kubernetes:velero.io/v1:Schedule"
_store = workload(STATEFUL_SET, "store")
_NAMESPACE_LABELS = {"metadata": {"name": "shop", "annotations": {"example.com/rpo": "1h", "retention-days": "60"}}}


def _schedule(
    cron: object = "0 * * * *", name: str = "schedule", *, region: str = "east", **template: object
) -> Resource:
    spec = {"schedule": cron, "template": {"ttl": "720h0m0s", **template}}
    return make(SCHEDULE, name, {"metadata": meta(name, "velero"), "spec": spec}, region=region)


def _backed_up(
    *schedules: Resource,
    kind: str = "passes",
    about: str = "",
    violated: Sequence[str] = (),
    **more: Any,  # noqa: ANN401
) -> Case:
    return Case(kind=kind, about=about, resources=[_store, *schedules], violated=violated, **more)


_UNCOVERED: Mapping[str, Mapping[str, object]] = {
    "another namespace": {"includedNamespaces": ["bank"]},
    "excluded": {"excludedNamespaces": ["sh*"]},
    "some labels only": {"labelSelector": WEB_SELECTOR},
    "any of some labels only": {"orLabelSelectors": [WEB_SELECTOR]},
    "some kinds only": {"includedResources": ["configmaps"]},
    "all kinds but claims": {"excludedResources": ["persistentVolumeClaims"]},
    "no volumes": {"snapshotVolumes": False},
}

CASES: dict[str, list[Case]] = {
    "k8s-storageclass-durable": [
        Case(
            kind="passes",
            resources=[
                make(
                    CLASS,
                    inputs={
                        "provisioner": "ebs.csi.aws.com",
                        "reclaimPolicy": "Retain",
                        "parameters": {"encrypted": "true"},
                    },
                ),
                make(VOLUME, "volume", {"spec": {"persistentVolumeReclaimPolicy": "Retain"}}),
            ],
        ),
        Case(
            kind="fails",
            resources=[
                make(
                    CLASS,
                    inputs={
                        "provisioner": "ebs.csi.aws.com",
                        "reclaimPolicy": "Delete",
                        "parameters": {"encrypted": "false"},
                    },
                ),
                make(VOLUME, "volume", {"spec": {"persistentVolumeReclaimPolicy": "Delete"}}),
            ],
            violated=["it:parameters.encrypted", "it:reclaimPolicy", "volume:spec.persistentVolumeReclaimPolicy"],
        ),
        Case(
            kind="absent",
            about="a volume made by hand is kept",
            resources=[make(CLASS), make(VOLUME, "volume")],
            violated=["it:parameters.encrypted", "it:reclaimPolicy"],
        ),
        Case(
            kind="unknown",
            resources=[make(CLASS, inputs={"provisioner": "ebs.csi.aws.com", "parameters": UNKNOWN})],
            undecided=["it:parameters.encrypted"],
            violated=["it:reclaimPolicy"],
        ),
        Case(
            kind="unknown",
            about="the provisioner",
            resources=[make(CLASS, inputs={"provisioner": UNKNOWN, "reclaimPolicy": "Retain"})],
            undecided=["it:provisioner"],
        ),
        Case(
            kind="exempt",
            about="what is always encrypted",
            resources=[make(CLASS, inputs={"provisioner": "pd.csi.storage.gke.io", "reclaimPolicy": "Retain"})],
        ),
    ],
    "k8s-backup-schedule": [
        _backed_up(_schedule()),
        _backed_up(_schedule(includedNamespaces=["shop", "bank"]), about="by name"),
        _backed_up(_schedule(includedNamespaces=["sh*"], excludedNamespaces=["bank"]), about="by pattern"),
        _backed_up(_schedule(snapshotVolumes=False, defaultVolumesToFsBackup=True), about="volumes as files"),
        _backed_up(_schedule(includedResources=["pvc", "pv"]), about="claims and volumes only"),
        _backed_up(_schedule("@every 6h", ttl="720h"), about="an interval", settings={"objectives": {"rpo": "6h"}}),
        _backed_up(
            _schedule("0 * * * *", "hourly", ttl="24h0m0s"),
            _schedule("0 4 * * *", "daily", ttl="8760h0m0s"),
            about="two that share it",
            settings={"objectives": {"rpo": "1h"}},
        ),
        _backed_up(kind="fails", about="no schedule", violated=["store:"]),
        *(
            _backed_up(_schedule(**template), kind="fails", about=what, violated=["store:"])
            for what, template in _UNCOVERED.items()
        ),
        _backed_up(_schedule(region="west"), kind="fails", about="another cluster", violated=["store:"]),
        _backed_up(
            make(SCHEDULE, "schedule", {"spec": {"paused": True, "schedule": "0 * * * *"}}, region="east"),
            kind="fails",
            about="paused",
            violated=["store:"],
        ),
        _backed_up(_schedule("often"), kind="fails", about="no cron", violated=["schedule:spec.schedule"]),
        _backed_up(_schedule("0 0 30 2 *"), kind="fails", about="never", violated=["schedule:spec.schedule"]),
        _backed_up(
            _schedule("0 4 * * *"),
            kind="fails",
            about="less often than the RPO",
            settings={"objectives": {"rpo": "12h"}},
            violated=["schedule:spec.schedule"],
        ),
        _backed_up(
            _schedule(ttl="719h59m59s"), kind="fails", about="too short", violated=["schedule:spec.template.ttl"]
        ),
        _backed_up(_schedule(ttl="30d"), kind="fails", about="no duration", violated=["schedule:spec.template.ttl"]),
        _backed_up(
            _schedule("0 4 * * *"),
            make(NAMESPACE, "ns", _NAMESPACE_LABELS, region="east"),
            kind="fails",
            about="by the namespace's annotations",
            violated=["schedule:spec.schedule", "schedule:spec.template.ttl"],
        ),
        Case(
            kind="fails",
            about="by the labels of a StatefulSet",
            resources=[
                make(
                    STATEFUL_SET,
                    "store",
                    {"metadata": {"name": "store", "namespace": "shop", "labels": {"rpo": "1h"}}},
                    region="east",
                ),
                make(NAMESPACE, "ns", {"metadata": {"name": "shop", "labels": {"rpo": "1d"}}}, region="east"),
                _schedule("0 4 * * *"),
            ],
            violated=["schedule:spec.schedule"],
        ),
        Case(
            kind="fails",
            about="a claim in a namespace made here",
            resources=[
                shop := make(NAMESPACE, "ns", {"metadata": {"name": "shop"}}, region="east"),
                make(CLAIM, "claim", {"metadata": {"namespace": UNKNOWN}}, region="east", uses={"metadata": shop}),
            ],
            violated=["ns:"],
        ),
        _backed_up(
            make(SCHEDULE, "schedule", {"spec": {"schedule": "0 * * * *"}}, region="east"),
            kind="absent",
            about="the default is enough",
        ),
        _backed_up(
            _schedule(ttl=None),
            kind="absent",
            about="the default is less than the team's",
            parameters={"days": 31},
            violated=["schedule:spec.template.ttl"],
        ),
        _backed_up(_schedule(None), kind="absent", about="the schedule", violated=["schedule:spec.schedule"]),
        _backed_up(
            _schedule(UNKNOWN, ttl=UNKNOWN),
            kind="unknown",
            undecided=["schedule:spec.schedule", "schedule:spec.template.ttl"],
        ),
        _backed_up(
            _schedule(includedNamespaces=UNKNOWN),
            kind="unknown",
            about="the namespaces",
            undecided=["schedule:spec.template.includedNamespaces"],
        ),
        _backed_up(
            _schedule(includedNamespaces=["bank", UNKNOWN]),
            kind="unknown",
            about="one of the namespaces",
            undecided=["schedule:spec.template.includedNamespaces"],
        ),
        _backed_up(_schedule(includedNamespaces=["shop", UNKNOWN]), kind="unknown", about="another namespace"),
        _backed_up(
            _schedule(excludedNamespaces=[UNKNOWN]),
            kind="unknown",
            about="what is excluded",
            undecided=["schedule:spec.template.excludedNamespaces"],
        ),
        Case(
            kind="unknown",
            about="where it is",
            resources=[make(CLAIM, "claim", {"metadata": {"namespace": UNKNOWN}})],
            undecided=["claim:metadata.namespace"],
        ),
        Case(
            kind="exempt", about="nothing is stored", resources=[workload(), make(NAMESPACE, "ns", _NAMESPACE_LABELS)]
        ),
        Case(
            kind="companion",
            about="each cluster its own",
            resources=[_store, _schedule(), workload(STATEFUL_SET, "other", region="west")],
            violated=["other:"],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "k8s-storageclass-durable": {"companion": "what becomes of a volume is a property of its class, or its own"},
}
