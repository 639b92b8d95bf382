"""Each kind of fault, and what clients see of it; `test_faults_world` shows it on a sandbox that really runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.live import fault_probes as probes
from tests.live.fault_scene import NO
from tests.live.living import HOME, STANDBY, WITNESS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.live.fault_probes import Probe, Words

_CLOSED: Final = "ConnectionClosedError"
_UNANSWERED: Final = "ReadTimeoutError"
_SITE: Final = f"site-{HOME}"


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is seen of a fault.

    Attributes:
        kind: Its kind.
        given: Its parameters.
        probe: What stock clients ask; all is well while the fault does not stand.
        broken: What is not while it stands.
    """

    kind: str
    given: Mapping[str, object]
    probe: Probe
    broken: Words

    @property
    def name(self) -> str:
        """Names the test."""
        told = [f"{name}={value}" for name, value in self.given.items() if name not in {"region", "table"}]
        return "-".join([self.kind, *told])


def _case(kind: str, probe: Probe, broken: Words, **given: object) -> Case:
    return Case(kind=kind, given=given, probe=probe, broken=broken)


_API_LOST: Final[Words] = dict.fromkeys(("rds", "s3", "s3 by another region", "iam", "route53"), _CLOSED)
_SERVERS_DOWN: Final[Words] = {"order": "silence", "database": "refused", "cache": "refused"}
_SERVERS_STILL: Final[Words] = dict.fromkeys(("order", "database", "cache"), "silence")
_NOTHING_CROSSES: Final[Words] = dict.fromkeys(("row", "key", "object", "object back"), NO)

_OUTSIDE_WAITS: Final[Words] = dict.fromkeys(("outside", "kept connection"), "silence")
_OUTSIDE_REFUSED: Final[Words] = dict.fromkeys(("outside", "kept connection"), "ConnectionRefusedError")

CASES: Final = (
    _case("region-blackout", probes.region, {**_API_LOST, **_SERVERS_DOWN}, region=HOME),
    _case("region-blackout", probes.region, {**_API_LOST, **_SERVERS_STILL}, region=HOME, servers="frozen"),
    _case(
        "region-blackout",
        probes.region,
        dict.fromkeys(("rds", "iam", "route53"), _CLOSED),
        region=HOME,
        plane="control",
    ),
    _case("region-blackout", probes.witness, {"metrics": _CLOSED}, region=WITNESS),
    _case(
        "region-partition",
        probes.parted,
        {
            **_NOTHING_CROSSES,
            **dict.fromkeys(("order from outside", "kept connection"), "silence"),
            **dict.fromkeys(("outside to home", "home to standby", "standby to home"), _CLOSED),
        },
        region=HOME,
    ),
    _case(
        "asymmetric-partition",
        probes.parted,
        {**_NOTHING_CROSSES, "home to standby": _CLOSED},
        from_region=HOME,
        to_region=STANDBY,
    ),
    _case("link", probes.front, _OUTSIDE_WAITS, source_region="internet", target_region=HOME, cut=True),
    _case("link", probes.front, _OUTSIDE_WAITS, source_region=HOME, target_region="internet", latency_ms=60000),
    _case(
        "link",
        probes.front,
        _OUTSIDE_REFUSED,
        source_region=HOME,
        target_region="internet",
        reset=True,
    ),
    _case("replication-lag", probes.replica, {"row": NO, "replayed": NO}, region=STANDBY, seconds=3600),
    _case("replication-lag", probes.much, {"row": NO}, region=STANDBY, bytes_per_s=500),
    _case("replication-break", probes.replica, {"row": NO, "connected": NO}, region=STANDBY),
    _case("slow-disk", probes.commits, {"commits": "too slow"}, region=HOME),
    _case("full-disk", probes.room, {"big": "disk full"}, region=HOME),
    _case("corrupted-table", probes.table, {"sql": "corrupted", "site": "503"}, region=HOME, table="orders"),
    _case(
        "standby-capacity",
        probes.capacity,
        {
            "bigger": "InsufficientDBInstanceCapacity",
            "more": "InsufficientCacheClusterCapacity",
            "machine": "InsufficientInstanceCapacity",
            "site": "503",
        },
        region=STANDBY,
        site_per_s=0,
    ),
    _case(
        "credentials-expired",
        probes.credentials,
        {
            "rds AKIAOLD": "ExpiredToken",
            "s3 AKIAOLD": "ExpiredToken",
            "sts AKIAOLD": "ExpiredToken",
            "dynamodb AKIAOLD": "ExpiredTokenException",
        },
        principals=["AKIAOLD"],
    ),
    _case("credentials-expired", probes.planes, dict.fromkeys(("home rds", "home s3"), "ExpiredToken"), region=HOME),
    _case("api-slow", probes.planes, dict.fromkeys(("home rds", "home s3"), _UNANSWERED), region=HOME, seconds=3600),
    _case("api-throttle", probes.planes, {"home rds": "Throttling", "home s3": "SlowDown"}, region=HOME),
    _case("api-throttle", probes.planes, {"standby s3": "SlowDown"}, region=STANDBY, plane="data"),
    _case("api-errors", probes.planes, {"home rds": "InternalFailure"}, region=HOME, services=["rds"]),
    _case("api-hang", probes.planes, {"home rds": _UNANSWERED}, region=HOME, plane="control"),
    *(
        _case("process-killed", probes.servers, {family: met}, region=STANDBY, process=family)
        for family, met in (("database", "refused"), ("cache", "refused"), ("site", "ConnectionRefusedError"))
    ),
    _case("clock-skew", probes.clocks, {"home clock": "+2 h", "home date": "+2 h"}, agent=_SITE, offset_s=7200),
)
