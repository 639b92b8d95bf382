"""Cases of `policies.rules.gcp_platform`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

KEY = "gcp:kms/cryptoKey:CryptoKey"
CLUSTER = "gcp:container/cluster:Cluster"
NODE_POOL = "gcp:container/nodePool:NodePool"
PLAN = "gcp:gkebackup/backupPlan:BackupPlan"

_KEY_NAME = "backupConfig.encryptionKey.gcpKmsEncryptionKey"
_CRON = "backupSchedule.cronSchedule"
_RPO_MINUTES = "backupSchedule.rpoConfig.targetRpoMinutes"
_DAYS = "retentionPolicy.backupRetainDays"

_cluster = make(CLUSTER, inputs={"location": "europe-west1"})
_BACKUP = {"encryptionKey": {"gcpKmsEncryptionKey": "key"}, "includeVolumeData": True, "allNamespaces": True}


def _plan(name: str = "plan", /, **inputs: object) -> Resource:
    bag = {
        "cluster": UNKNOWN,
        "backupConfig": _BACKUP,
        "backupSchedule": {"cronSchedule": "0 * * * *"},
        "retentionPolicy": {"backupRetainDays": 35},
        **inputs,
    }
    return make(PLAN, name, bag, uses={"cluster": _cluster})


CASES: dict[str, list[Case]] = {
    "gcp-kms-rotation": [
        Case(kind="passes", resources=[make(KEY, inputs={"rotationPeriod": "7776000s", "purpose": "ENCRYPT_DECRYPT"})]),
        Case(kind="passes", about="parts of a second", resources=[make(KEY, inputs={"rotationPeriod": "86400.5s"})]),
        *(
            Case(
                kind="fails",
                about=what,
                resources=[make(KEY, inputs={"rotationPeriod": period})],
                violated=["it:rotationPeriod"],
            )
            for what, period in (("a year", "31536000s"), ("never", "0s"), ("no unit", 7776000), ("no period", "90d"))
        ),
        Case(
            kind="fails",
            about="the threshold is the team's",
            resources=[make(KEY, inputs={"rotationPeriod": "7776000s"})],
            parameters={"days": 30},
            violated=["it:rotationPeriod"],
        ),
        Case(kind="absent", resources=[make(KEY)], violated=["it:rotationPeriod"]),
        Case(
            kind="unknown", resources=[make(KEY, inputs={"rotationPeriod": UNKNOWN})], undecided=["it:rotationPeriod"]
        ),
        Case(
            kind="unknown",
            about="the purpose",
            resources=[make(KEY, inputs={"purpose": UNKNOWN})],
            undecided=["it:purpose"],
        ),
        Case(kind="exempt", about="asymmetric", resources=[make(KEY, inputs={"purpose": "ASYMMETRIC_SIGN"})]),
        Case(kind="exempt", about="imported", resources=[make(KEY, inputs={"importOnly": True})]),
    ],
    "gcp-kms-protected": [
        Case(kind="passes", resources=[make(KEY, protect=True)]),
        Case(kind="fails", resources=[make(KEY, protect=False)], violated=["it:opts.protect"]),
        Case(kind="absent", resources=[make(KEY)], violated=["it:opts.protect"]),
    ],
    "gke-private": [
        Case(
            kind="passes",
            resources=[
                private := make(CLUSTER, inputs={"privateClusterConfig": {"enablePrivateNodes": True}}),
                make(NODE_POOL, "pool", {"cluster": UNKNOWN}, uses={"cluster": private}),
            ],
        ),
        Case(
            kind="fails",
            resources=[make(CLUSTER, inputs={"privateClusterConfig": {"enablePrivateNodes": False}})],
            violated=["it:privateClusterConfig.enablePrivateNodes"],
        ),
        Case(kind="absent", resources=[_cluster], violated=["it:privateClusterConfig.enablePrivateNodes"]),
        Case(
            kind="unknown",
            resources=[make(CLUSTER, inputs={"privateClusterConfig": UNKNOWN, "nodePools": UNKNOWN})],
            undecided=["it:nodePools", "it:privateClusterConfig.enablePrivateNodes"],
        ),
        Case(
            kind="companion",
            about="a pool that says otherwise",
            resources=[
                private,
                make(
                    NODE_POOL,
                    "pool",
                    {"cluster": UNKNOWN, "networkConfig": {"enablePrivateNodes": False}},
                    uses={"cluster": private},
                ),
            ],
            violated=["pool:networkConfig.enablePrivateNodes"],
        ),
        Case(
            kind="companion",
            about="a pool of the cluster's own",
            resources=[
                make(
                    CLUSTER,
                    inputs={
                        "privateClusterConfig": {"enablePrivateNodes": True},
                        "nodePools": [{}, {"networkConfig": {"enablePrivateNodes": False}}],
                    },
                )
            ],
            violated=["it:nodePools.1.networkConfig.enablePrivateNodes"],
        ),
    ],
    "gke-regional-and-backed-up": [
        Case(kind="passes", resources=[_cluster, _plan()]),
        Case(
            kind="passes",
            about="often enough",
            settings={"objectives": {"rpo": "1h"}},
            resources=[_cluster, _plan(backupSchedule={"rpoConfig": {"targetRpoMinutes": 60}})],
        ),
        Case(
            kind="passes",
            about="one plan of two",
            resources=[_cluster, _plan("first", backupSchedule={"paused": True}), _plan("second")],
        ),
        Case(
            kind="fails",
            about="a zone",
            resources=[
                zonal := make(CLUSTER, inputs={"location": "europe-west1-b"}),
                make(PLAN, "plan", _plan().inputs, uses={"cluster": zonal}),
            ],
            violated=["it:location"],
        ),
        Case(kind="fails", about="no plan", resources=[_cluster], violated=["it:"]),
        Case(
            kind="fails",
            about="a plan that lacks all",
            resources=[
                _cluster,
                make(
                    PLAN,
                    "plan",
                    {
                        "cluster": UNKNOWN,
                        "backupConfig": {"includeVolumeData": False},
                        "backupSchedule": {"paused": True},
                        "deactivated": True,
                    },
                    uses={"cluster": _cluster},
                ),
            ],
            violated=[
                f"plan:{_KEY_NAME}",
                "plan:backupConfig.includeVolumeData",
                f"plan:{_DAYS}",
                "plan:deactivated",
                "plan:backupSchedule.paused",
                f"plan:{_CRON}",
            ],
        ),
        Case(
            kind="fails",
            about="less often than the labels demand",
            resources=[
                labelled := make(CLUSTER, inputs={"location": "us-east1", "resourceLabels": {"rpo": "30m"}}),
                make(PLAN, "plan", _plan().inputs, uses={"cluster": labelled}),
            ],
            violated=[f"plan:{_CRON}"],
        ),
        Case(
            kind="fails",
            about="a target above the RPO",
            settings={"objectives": {"rpo": "1h"}},
            resources=[_cluster, _plan(backupSchedule={"rpoConfig": {"targetRpoMinutes": "120"}})],
            violated=[f"plan:{_RPO_MINUTES}"],
        ),
        Case(
            kind="fails",
            about="the better of two plans",
            resources=[
                _cluster,
                _plan("worse", retentionPolicy={}, backupSchedule={"cronSchedule": "often"}),
                _plan("better", retentionPolicy={"backupRetainDays": 29}),
            ],
            violated=[f"better:{_DAYS}"],
        ),
        Case(
            kind="absent",
            about="the location",
            resources=[bare := make(CLUSTER), make(PLAN, "plan", _plan().inputs, uses={"cluster": bare})],
            violated=["it:location"],
        ),
        Case(
            kind="unknown",
            resources=[
                _cluster,
                _plan(
                    backupConfig={**_BACKUP, "encryptionKey": {"gcpKmsEncryptionKey": UNKNOWN}}, backupSchedule=UNKNOWN
                ),
            ],
            undecided=[f"plan:{_KEY_NAME}", "plan:backupSchedule.paused", f"plan:{_RPO_MINUTES}"],
        ),
        Case(
            kind="passes",
            about="a key that the same update makes",
            resources=[
                _cluster,
                key := make(KEY, "key"),
                make(
                    PLAN,
                    "plan",
                    {
                        **(_plan().inputs or {}),
                        "backupConfig": {**_BACKUP, "encryptionKey": {"gcpKmsEncryptionKey": UNKNOWN}},
                    },
                    uses={"cluster": _cluster, "backupConfig": key},
                ),
            ],
        ),
        Case(
            kind="companion",
            about="by its ID",
            resources=[
                make(
                    CLUSTER, inputs={"location": "us-east1"}, outputs={"id": "projects/p/locations/us-east1/clusters/c"}
                ),
                make(PLAN, "plan", {**(_plan().inputs or {}), "cluster": "projects/p/locations/us-east1/clusters/c"}),
            ],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "gcp-kms-rotation": {"companion": "rotation is a property of the key itself"},
    "gcp-kms-protected": {
        "companion": "protection is an option of the key itself",
        "unknown": "options are known before anything is made",
        "exempt": "every key that is lost takes with it what it encrypted",
    },
    "gke-private": {"exempt": "nodes of every cluster are asked, whatever its role"},
    "gke-regional-and-backed-up": {"exempt": "every cluster is asked, whatever its role"},
}
"""By rule and kind: why there is no such case."""
