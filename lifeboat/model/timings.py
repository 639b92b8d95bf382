"""How long steps take and how much a store can lose, as data: each figure with its evidence and its source.

All durations are seconds. A p95 that is infinite has no upper bound that anybody published. Drills will replace priors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from lifeboat.model.design import BoundClass


class Evidence(StrEnum):
    """What a figure rests on."""

    DOCUMENTED = "documented"
    MEASURED = "measured"
    TRANSCRIPT = "transcript"
    """Read from public deployment transcripts."""
    PRIOR = "prior"
    """Ours, not published."""
    DECLARED = "declared"
    """The stack's own word: a phase of its objectives, a setting."""


_D, _M, _T, _P = Evidence.DOCUMENTED, Evidence.MEASURED, Evidence.TRANSCRIPT, Evidence.PRIOR
_SURE = {Evidence.DOCUMENTED, Evidence.DECLARED}
_EVACUATION = "everybody else of the lost region scales up too"


@dataclass(frozen=True)
class Timing:
    """The duration of one step, seconds."""

    p50: float
    p95: float
    evidence: tuple[Evidence, ...]
    source: str

    @property
    def klass(self) -> BoundClass:
        """Documented when the whole figure is, or the stack says so itself, else typical."""
        return BoundClass.DOCUMENTED if _SURE.issuperset(self.evidence) else BoundClass.TYPICAL

    @property
    def prior(self) -> bool:
        """Whether some of it is our own guess."""
        return Evidence.PRIOR in self.evidence

    def then(self, later: Timing) -> Timing:
        """This and `later`, one after the other, as one step, at the sum of both p95s, which is no p95 itself."""
        evidence = tuple(dict.fromkeys((*self.evidence, *later.evidence)))
        return Timing(self.p50 + later.p50, self.p95 + later.p95, evidence, f"{self.source}; {later.source}")


def declared(seconds: float, source: str) -> Timing:
    """A duration that the stack declares."""
    return Timing(seconds, seconds, (Evidence.DECLARED,), source)


class Step(StrEnum):
    """A step whose duration is known or estimated."""

    HEALTH_CHECK_FAST = "health check, 10 s x 3"
    HEALTH_CHECK_SLOW = "health check, 30 s x 3"
    RECORD_CHANGE = "record change"
    RECORD_EDIT_WITHOUT_US_EAST_1 = "record edit while us-east-1 is down"
    SWITCH_ALARM = "switch by alarm"
    SWITCH_ROUTING_CONTROL = "switch by routing control"
    RDS_PROMOTION = "RDS replica promotion"
    RDS_MULTI_AZ_FAILOVER = "RDS Multi-AZ failover"
    RDS_CREATE = "RDS instance create"
    RDS_RESTORE = "RDS restore and replay"
    RDS_SNAPSHOT = "RDS or Aurora snapshot"
    AURORA_FAILOVER = "Aurora in-region failover"
    AURORA_SWITCHOVER = "Aurora Global switchover"
    AURORA_PROMOTION = "Aurora Global unplanned failover"
    CACHE_PROMOTION = "Global Datastore promotion"
    CACHE_FAILOVER = "ElastiCache in-region failover"
    CACHE_CREATE = "ElastiCache replication group create"
    CACHE_SNAPSHOT = "ElastiCache snapshot"
    CLUSTER_CREATE = "EKS control plane create"
    NODE_GROUP_CREATE = "EKS node group create"
    NODES_FROM_ZERO = "nodes by Cluster Autoscaler"
    NODES_MORE = "nodes by Karpenter"
    CLUSTER_IN_EVACUATION = "EKS control plane create, a region lost"
    NODE_GROUP_IN_EVACUATION = "EKS node group create, a region lost"
    NODES_FROM_ZERO_IN_EVACUATION = "nodes from zero, a region lost"
    NODES_MORE_IN_EVACUATION = "more nodes, a region lost"
    NAT_CREATE = "NAT gateway create"
    GLACIER_STANDARD = "Glacier Flexible retrieval, standard"
    DEEP_ARCHIVE_STANDARD = "Deep Archive retrieval, standard"
    PERSON_DECIDES = "a person decides"
    VERIFICATION = "verification"
    LEASE_ACCESS = "lease read and write"
    READINESS = "readiness checks"
    WRITES_STOP = "writes stop in a site that answers"
    DRAIN = "in-flight work ends, copies catch up"
    OBJECTS_INVENTORY = "inventory of what was still to be copied"
    OBJECTS_CAUGHT_UP = "object replication catches up"
    OBJECTS_LAST = "the last objects arrive"
    SNAPSHOT_COPY = "snapshot copy to the other region"
    NOTIFICATION = "notification"
    DIVERGENCE_REPORT = "comparison of what was left behind"
    COPIES_COMPARED = "comparison of both copies"
    RDS_NEW_REPLICA = "new cross-region RDS replica"
    AURORA_REBUILD = "Aurora Global secondary made anew"
    DATASTORE_REBUILD = "Global Datastore secondary synchronises"
    OBJECTS_BACKFILL = "S3 Batch Replication of what is missing"


TIMINGS: dict[Step, Timing] = {
    Step.HEALTH_CHECK_FAST: Timing(30, 45, (_D, _P), "interval x threshold documented, spread ours"),
    Step.HEALTH_CHECK_SLOW: Timing(90, 120, (_D, _P), "interval x threshold documented, spread ours"),
    Step.RECORD_CHANGE: Timing(35, 60, (_D, _T), "Route 53: within 60 s; one transcript"),
    Step.RECORD_EDIT_WITHOUT_US_EAST_1: Timing(3600, math.inf, (_D,), "Route 53's control plane lives in us-east-1"),
    Step.SWITCH_ALARM: Timing(60, 120, (_P,), "alarm period 60 s, 1 of 1, then the health check"),
    Step.SWITCH_ROUTING_CONTROL: Timing(10, 20, (_P,), "ARC data plane, then the health check"),
    Step.RDS_PROMOTION: Timing(300, 900, (_D, _P), "several minutes or longer; refused while it is backing up"),
    Step.RDS_MULTI_AZ_FAILOVER: Timing(90, 120, (_D,), "60 to 120 s"),
    Step.RDS_CREATE: Timing(612, 1026, (_T,), "seven transcripts"),
    Step.RDS_RESTORE: Timing(
        1500, 2300, (_P,), "a new cross-region replica, which restores and replays, as upper bound"
    ),
    Step.RDS_SNAPSHOT: Timing(180, 600, (_P,), "an incremental snapshot of a small instance"),
    Step.AURORA_FAILOVER: Timing(12, 60, (_M, _D), "five measurements; documented below 60 s"),
    Step.AURORA_SWITCHOVER: Timing(180, 300, (_D, _M), "minutes; one measurement, worst 900 s"),
    Step.AURORA_PROMOTION: Timing(120, 300, (_P,), "the vendor advertises below a minute"),
    Step.CACHE_PROMOTION: Timing(45, 60, (_D,), "below a minute"),
    Step.CACHE_FAILOVER: Timing(10, 30, (_D, _P), "seconds; spread ours"),
    Step.CACHE_CREATE: Timing(483, 555, (_T,), "four transcripts"),
    Step.CACHE_SNAPSHOT: Timing(120, 400, (_P,), "a small node's memory, written out"),
    Step.CLUSTER_CREATE: Timing(617, 683, (_T,), "ten transcripts"),
    Step.NODE_GROUP_CREATE: Timing(123, 333, (_T,), "nine transcripts"),
    Step.NODES_FROM_ZERO: Timing(240, 300, (_P,), "public reports"),
    Step.NODES_MORE: Timing(60, 90, (_P,), "public reports"),
    # Scaling up while a region is lost is not static stability: whoever lived there wants the same machines at once.
    # Medians as on any day, tails two to three times as long; the few nodes of a warm standby are found sooner.
    Step.CLUSTER_IN_EVACUATION: Timing(617, 1200, (_T, _P), f"ten transcripts; tail ours: {_EVACUATION}"),
    Step.NODE_GROUP_IN_EVACUATION: Timing(240, 900, (_P,), f"as nodes from zero: {_EVACUATION}"),
    Step.NODES_FROM_ZERO_IN_EVACUATION: Timing(240, 900, (_P,), _EVACUATION),
    Step.NODES_MORE_IN_EVACUATION: Timing(60, 180, (_P,), _EVACUATION),
    Step.NAT_CREATE: Timing(120, 300, (_P,), "a gateway in another zone, and its routes"),
    Step.GLACIER_STANDARD: Timing(18_000, 18_000, (_D,), "ceiling"),
    Step.DEEP_ARCHIVE_STANDARD: Timing(43_200, 43_200, (_D,), "ceiling"),
    Step.PERSON_DECIDES: Timing(600, 1800, (_P,), "from the page to the decision"),
    Step.VERIFICATION: Timing(60, 120, (_P,), "smoke tests and integrity checks"),
    Step.LEASE_ACCESS: Timing(1, 3, (_P,), "strongly consistent across regions: tens to hundreds of milliseconds"),
    Step.READINESS: Timing(5, 20, (_P,), "some thirty calls, side by side"),
    Step.WRITES_STOP: Timing(2, 10, (_P,), "gateways shut, a setting of the database, its sessions ended"),
    Step.DRAIN: Timing(5, 30, (_P,), "open transactions end; the copies' lag is seconds"),
    Step.OBJECTS_INVENTORY: Timing(5, 30, (_P,), "metrics and listings of the surviving bucket"),
    Step.OBJECTS_CAUGHT_UP: Timing(60, 900, (_P, _D), "time control: 15 minutes, SLA 99.9 %; most within seconds"),
    Step.OBJECTS_LAST: Timing(150, 180, (_P,), "two whole minutes of silence: the metric that tells is a minute late"),
    Step.SNAPSHOT_COPY: Timing(600, 1800, (_P,), "an incremental copy between regions"),
    Step.NOTIFICATION: Timing(1, 5, (_P,), "one message to a topic"),
    Step.DIVERGENCE_REPORT: Timing(60, 600, (_P,), "rows and objects since the last common point"),
    Step.COPIES_COMPARED: Timing(60, 300, (_P,), "positions, counts and checksums"),
    Step.RDS_NEW_REPLICA: Timing(1500, 2300, (_P,), "upper bound"),
    Step.AURORA_REBUILD: Timing(1800, 5400, (_P,), "a storage volume is copied; grows with its size"),
    Step.DATASTORE_REBUILD: Timing(300, 900, (_P,), "a small node's memory over the link"),
    Step.OBJECTS_BACKFILL: Timing(1800, 14_400, (_P,), "grows with what is missing"),
}


@dataclass(frozen=True)
class Loss:
    """The most that a way of copying data can lose, seconds of writes."""

    seconds: float
    klass: BoundClass
    arithmetic: str


HEARTBEAT_LAG_ALARM = 300
"""Lag of a plain replica at which the alarm rings, seconds: the limit that a failover's checklist accepts as well."""

AURORA_LEAST_ENFORCED = 20
"""The smallest `rds.global_db_rpo`, seconds."""

DAILY_BACKUPS = Loss(86_400 + 300, BoundClass.TYPICAL, "interval 24h + copy 5m")
"""No promise: AWS Backup starts anywhere in a window of 60 minutes, so two backups may lie 25 hours apart."""
REPLICATED_BACKUPS = Loss(600, BoundClass.TYPICAL, "logs every 5m + copy to the other region 5m at p95")
POINT_IN_TIME = Loss(300, BoundClass.DOCUMENTED, "logs every 5m")
PLAIN_REPLICA = Loss(HEARTBEAT_LAG_ALARM, BoundClass.ALARMED, "lag by heartbeat, alarm at 5m")
AURORA_UNENFORCED = Loss(10, BoundClass.TYPICAL, "storage replication lag, 1s typical and 10s at p95")
GLOBAL_DATASTORE = Loss(1, BoundClass.TYPICAL, "asynchronous replication, below 1s")
CACHE_REPLICA = Loss(1, BoundClass.TYPICAL, "asynchronous replica in another zone, below 1s")
DAILY_SNAPSHOT = Loss(86_400, BoundClass.ENFORCED, "interval 24h")
TIME_CONTROL = Loss(900, BoundClass.DOCUMENTED, "replication time control 15m, SLA 99.9 %")
PLAIN_REPLICATION = Loss(14_400, BoundClass.TYPICAL, "most objects within 15m, large ones hours: taken as 4h")
NOTHING_COPIED = Loss(math.inf, BoundClass.ENFORCED, "nothing reaches the other region")
SYNCHRONOUS = Loss(0, BoundClass.DOCUMENTED, "synchronous across zones")
STATELESS = Loss(0, BoundClass.DOCUMENTED, "nothing is kept there")
VERSIONED = Loss(0, BoundClass.DOCUMENTED, "every version is kept")
"""What each mechanism loses at worst, per the vendor's documentation or our own estimate as `klass` says."""
