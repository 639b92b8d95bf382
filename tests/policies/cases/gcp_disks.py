"""Cases of `policies.rules.gcp_platform`: disks and names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

DISK = "gcp:compute/disk:Disk"
POLICY = "gcp:compute/resourcePolicy:ResourcePolicy"
ATTACHMENT = "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment"
RECORD = "gcp:dns/recordSet:RecordSet"
_STORAGE = "snapshotSchedulePolicy.snapshotProperties.storageLocations"
_TIER1 = {"objectives": {"rpo": "5m"}}
_disk = make(DISK, inputs={"zone": "europe-west1-b"})
_SCHEDULE = {"schedule": {"dailySchedule": {"daysInCycle": 1, "startTime": "04:00"}}}


def _policy(*locations: object, name: str = "policy") -> Resource:
    properties = {"snapshotProperties": {"storageLocations": list(locations)}}
    return make(POLICY, name, {"snapshotSchedulePolicy": {**_SCHEDULE, **properties}})


def _attached(policy: Resource, **inputs: object) -> Resource:
    return make(
        ATTACHMENT, "attachment", {"disk": UNKNOWN, "name": UNKNOWN, **inputs}, uses={"disk": _disk, "name": policy}
    )


def _record(policy: object = None, /, **inputs: object) -> Resource:
    return make(RECORD, inputs={"type": "A", **({} if policy is None else {"routingPolicy": policy}), **inputs})


_ENDPOINTS = {"externalEndpoints": ["198.51.100.1"]}
_BALANCERS = {"internalLoadBalancers": [{"ipAddress": "10.0.0.1"}]}
_BACKUPS = [{"location": "us-east1", "rrdatas": ["198.51.100.2"]}]

CASES: dict[str, list[Case]] = {
    "disk-snapshot-schedule": [
        Case(kind="passes", resources=[_disk, policy := _policy("eu"), _attached(policy)]),
        Case(
            kind="passes",
            about="in the disk itself",
            resources=[
                elsewhere := _policy("europe-west1", "us-east1"),
                make(
                    DISK,
                    inputs={"zone": "https://x/zones/europe-west1-b", "resourcePolicies": UNKNOWN},
                    uses={"resourcePolicies": elsewhere},
                ),
            ],
        ),
        Case(
            kind="fails",
            about="the disk's own region",
            resources=[_disk, policy := _policy("europe-west1"), _attached(policy)],
            violated=[f"policy:{_STORAGE}"],
        ),
        Case(
            kind="fails",
            about="the region of a zone's address",
            resources=[
                make(DISK, inputs={"zone": "https://x/zones/europe-west1-b", "resourcePolicies": ["policy"]}),
                make(POLICY, "policy", {"name": "policy", **(_policy("europe-west1").inputs or {})}),
            ],
            violated=[f"policy:{_STORAGE}"],
        ),
        Case(
            kind="fails",
            about="no snapshots in the policy",
            resources=[_disk, policy := make(POLICY, "policy", {"groupPlacementPolicy": {}}), _attached(policy)],
            violated=["it:"],
        ),
        Case(kind="fails", about="no policy", resources=[_disk], violated=["it:"]),
        Case(
            kind="fails",
            about="attached to a namesake in another zone",
            resources=[
                make(DISK, inputs={"name": "data", "zone": "europe-west1-b"}),
                _policy("eu"),
                make(ATTACHMENT, "attachment", {"disk": "data", "name": "policy", "zone": "europe-west1-c"}),
            ],
            violated=["it:"],
        ),
        Case(
            kind="absent",
            about="the storage location",
            resources=[
                _disk,
                policy := make(POLICY, "policy", {"snapshotSchedulePolicy": _SCHEDULE}),
                _attached(policy),
            ],
            violated=[f"policy:{_STORAGE}"],
        ),
        Case(
            kind="unknown",
            about="where",
            resources=[_disk, policy := _policy("europe-west1", UNKNOWN), _attached(policy)],
            undecided=[f"policy:{_STORAGE}.1"],
        ),
        Case(
            kind="unknown",
            about="the zone",
            resources=[
                make(DISK, inputs={"zone": UNKNOWN, "resourcePolicies": ["policy"]}),
                make(POLICY, "policy", {"name": "policy", **(_policy("eu").inputs or {})}),
            ],
            undecided=["it:zone"],
        ),
        Case(
            kind="unknown",
            about="nobody says the zone",
            resources=[
                make(DISK, inputs={"resourcePolicies": ["policy"]}, region=""),
                make(POLICY, "policy", {"name": "policy", **(_policy("eu").inputs or {})}),
            ],
            undecided=["it:zone"],
        ),
        Case(
            kind="unknown",
            about="a policy of another stack",
            resources=[_disk, make(ATTACHMENT, "attachment", {"disk": UNKNOWN, "name": "daily"}, uses={"disk": _disk})],
            undecided=["attachment:name"],
        ),
        Case(
            kind="unknown",
            about="a policy of another stack in the disk itself",
            resources=[make(DISK, inputs={"zone": "us-east1-b", "resourcePolicies": ["daily"]})],
            undecided=["it:resourcePolicies"],
        ),
        Case(
            kind="exempt",
            about="the secondary of an asynchronous pair",
            resources=[make(DISK, inputs={"zone": "us-east1-b", "asyncPrimaryDisk": {"disk": UNKNOWN}})],
        ),
        Case(
            kind="companion",
            about="by name",
            resources=[
                make(DISK, inputs={"name": "data", "zone": "europe-west1-b"}),
                make(POLICY, "policy", {"name": "daily", **(_policy("us").inputs or {})}),
                make(ATTACHMENT, "attachment", {"disk": "data", "name": "daily", "zone": "europe-west1-b"}),
            ],
        ),
    ],
    "clouddns-failover": [
        Case(
            kind="passes",
            resources=[
                _record({"healthCheck": "hc", "primaryBackup": {"primary": _ENDPOINTS, "backupGeos": _BACKUPS}})
            ],
        ),
        Case(
            kind="passes",
            about="load balancers",
            resources=[_record({"primaryBackup": {"primary": _BALANCERS, "backupGeos": _BACKUPS}}, type="AAAA")],
        ),
        Case(
            kind="fails",
            about="no health check",
            resources=[_record({"primaryBackup": {"primary": _ENDPOINTS, "backupGeos": _BACKUPS}})],
            violated=["it:routingPolicy.primaryBackup.primary"],
        ),
        Case(
            kind="fails",
            about="nothing behind it",
            resources=[_record({"primaryBackup": {"trickleRatio": 0.1}})],
            violated=["it:routingPolicy.primaryBackup.backupGeos", "it:routingPolicy.primaryBackup.primary"],
        ),
        Case(
            kind="fails",
            about="weights without health checks",
            resources=[_record({"wrrs": [{"weight": 1, "rrdatas": ["a"]}, {"weight": 1, "rrdatas": ["b"]}]})],
            violated=["it:routingPolicy.primaryBackup"],
        ),
        Case(
            kind="fails",
            about="one target that is checked",
            resources=[_record({"healthCheck": "hc", "wrrs": [{"weight": 1, "healthCheckedTargets": _ENDPOINTS}]})],
            violated=["it:routingPolicy.primaryBackup"],
        ),
        Case(
            kind="absent",
            about="an address of tier 1",
            settings=_TIER1,
            resources=[_record(rrdatas=["198.51.100.1"])],
            violated=["it:routingPolicy.primaryBackup"],
        ),
        Case(kind="unknown", resources=[_record(UNKNOWN)], undecided=["it:routingPolicy"]),
        Case(
            kind="unknown",
            about="parts",
            resources=[
                _record({"healthCheck": UNKNOWN, "primaryBackup": {"primary": _ENDPOINTS, "backupGeos": UNKNOWN}})
            ],
            undecided=["it:routingPolicy.healthCheck", "it:routingPolicy.primaryBackup.backupGeos"],
        ),
        Case(kind="exempt", about="no address", settings=_TIER1, resources=[_record(type="TXT")]),
        Case(kind="exempt", about="no tier 1", resources=[_record(rrdatas=["198.51.100.1"])]),
        Case(
            kind="exempt",
            about="active-active",
            settings=_TIER1,
            resources=[
                _record(
                    {
                        "healthCheck": "hc",
                        "geos": [
                            {"location": "us-east1", "healthCheckedTargets": _ENDPOINTS},
                            {"location": "europe-west1", "healthCheckedTargets": _BALANCERS},
                        ],
                    }
                )
            ],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "clouddns-failover": {"companion": "the policy is a property of the record set itself"},
}
