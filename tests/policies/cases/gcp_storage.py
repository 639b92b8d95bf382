"""Cases of `policies.rules.gcp_data`: what is no Cloud SQL."""

from __future__ import annotations

from policies.core.values import UNKNOWN
from tests.policies.cases.gcp_data import EVERY, OWN, TIER1
from tests.policies.harness import Case, make

BUCKET = "gcp:storage/bucket:Bucket"
SPANNER = "gcp:spanner/database:Database"
BIGTABLE = "gcp:bigtable/instance:Instance"
TABLE = "gcp:bigquery/table:Table"
REDIS = "gcp:redis/instance:Instance"
_TURBO = {"location": "EU", "customPlacementConfig": {"dataLocations": ["EUROPE-WEST1", "EUROPE-NORTH1"]}}

CASES: dict[str, list[Case]] = {
    "gcs-versioning": [
        Case(kind="passes", resources=[make(BUCKET, inputs={"versioning": {"enabled": True}})]),
        Case(
            kind="fails",
            resources=[make(BUCKET, inputs={"versioning": {"enabled": False}})],
            violated=["it:versioning.enabled"],
        ),
        Case(kind="absent", resources=[make(BUCKET)], violated=["it:versioning.enabled"]),
        Case(
            kind="unknown",
            resources=[make(BUCKET, inputs={"versioning": UNKNOWN})],
            undecided=["it:versioning.enabled"],
        ),
        Case(
            kind="exempt",
            about="a retention policy",
            resources=[make(BUCKET, inputs={"retentionPolicy": {"retentionPeriod": "604800"}})],
        ),
        Case(
            kind="fails",
            about="a retention policy of a second",
            resources=[make(BUCKET, inputs={"retentionPolicy": {"retentionPeriod": 1}})],
            violated=["it:versioning.enabled"],
        ),
        Case(
            kind="unknown",
            about="how long a retention policy holds",
            resources=[make(BUCKET, inputs={"retentionPolicy": {"retentionPeriod": UNKNOWN}})],
            undecided=["it:retentionPolicy.retentionPeriod"],
        ),
    ],
    "gcs-private": [
        Case(kind="passes", resources=[make(BUCKET, inputs={"publicAccessPrevention": "enforced"})]),
        Case(
            kind="fails",
            resources=[make(BUCKET, inputs={"publicAccessPrevention": "inherited"})],
            violated=["it:publicAccessPrevention"],
        ),
        Case(kind="absent", resources=[make(BUCKET)], violated=["it:publicAccessPrevention"]),
        Case(
            kind="unknown",
            resources=[make(BUCKET, inputs={"publicAccessPrevention": UNKNOWN})],
            undecided=["it:publicAccessPrevention"],
        ),
    ],
    "gcs-dual-region-rpo": [
        Case(kind="passes", about="a multi-region", resources=[make(BUCKET, inputs={"location": "us"})]),
        Case(
            kind="fails",
            about="a multi-region has no turbo replication",
            resources=[make(BUCKET, inputs={"location": "us", "rpo": "ASYNC_TURBO"})],
            settings={"objectives": {"rpo": "15m"}},
            violated=["it:location"],
        ),
        Case(
            kind="passes",
            about="two regions, in time",
            settings=TIER1,
            resources=[make(BUCKET, inputs={**_TURBO, "rpo": "ASYNC_TURBO"})],
        ),
        Case(
            kind="passes",
            about="an RPO of hours",
            settings={"objectives": {"rpo": "12h"}},
            resources=[make(BUCKET, inputs={"location": "EUR4"})],
        ),
        Case(
            kind="fails",
            resources=[make(BUCKET, inputs={"location": "EUROPE-WEST1"})],
            violated=["it:location"],
        ),
        Case(
            kind="fails",
            about="the same region twice",
            resources=[
                make(BUCKET, inputs={"location": "CA", "customPlacementConfig": {"dataLocations": ["A-B1", "a-b1"]}})
            ],
            violated=["it:location"],
        ),
        Case(
            kind="fails",
            about="by its labels",
            resources=[make(BUCKET, inputs={**_TURBO, "rpo": "DEFAULT", "labels": {"rpo": "5m"}})],
            violated=["it:rpo"],
        ),
        Case(
            kind="fails",
            about="the threshold is the team's",
            settings={"objectives": {"rpo": "12h"}},
            parameters={"turbo_minutes": 720},
            resources=[make(BUCKET, inputs={"location": "NAM4"})],
            violated=["it:rpo"],
        ),
        Case(kind="absent", settings=TIER1, resources=[make(BUCKET)], violated=["it:location", "it:rpo"]),
        Case(
            kind="unknown",
            settings=TIER1,
            resources=[make(BUCKET, inputs={"location": UNKNOWN, "rpo": UNKNOWN})],
            undecided=["it:location", "it:rpo"],
        ),
        Case(
            kind="unknown",
            about="one of the regions",
            resources=[
                make(BUCKET, inputs={"location": "CA", "customPlacementConfig": {"dataLocations": ["a-b1", UNKNOWN]}})
            ],
            undecided=["it:customPlacementConfig.dataLocations.1"],
        ),
        Case(
            kind="exempt",
            about="tier 3",
            resources=[make(BUCKET, inputs={"location": "US-EAST1", "labels": {"tier": "3"}})],
        ),
        Case(
            kind="exempt",
            about="declared without an RPO",
            resources=[
                make("app:index:Declaration", "declared", {"stores": [{"kind": "objects", "name": "it"}]}),
                make(BUCKET, inputs={"location": "US-EAST1"}),
            ],
        ),
    ],
    "spanner-bigtable-bigquery-protected": [
        Case(
            kind="passes",
            resources=[
                make(SPANNER, "spanner", {"enableDropProtection": True, "deletionProtection": True}),
                make(BIGTABLE, "bigtable", {"deletionProtection": True}),
                make(TABLE, "table", {"deletionProtection": "true"}),
            ],
        ),
        Case(
            kind="fails",
            resources=[
                make(SPANNER, "spanner", {"enableDropProtection": False, "deletionProtection": False}),
                make(BIGTABLE, "bigtable", {"deletionProtection": False}),
                make(TABLE, "table", {"deletionProtection": 0}),
            ],
            violated=[
                "bigtable:deletionProtection",
                "spanner:deletionProtection",
                "spanner:enableDropProtection",
                "table:deletionProtection",
            ],
        ),
        Case(
            kind="absent",
            resources=[make(SPANNER, "spanner"), make(BIGTABLE, "bigtable"), make(TABLE, "table")],
            violated=["spanner:enableDropProtection"],
        ),
        Case(
            kind="unknown",
            resources=[make(SPANNER, inputs={"enableDropProtection": UNKNOWN, "deletionProtection": False})],
            undecided=["it:enableDropProtection"],
            violated=["it:deletionProtection"],
        ),
        *(
            Case(
                kind="exempt", about=what, resources=[make(TABLE, inputs={"deletionProtection": False, what: {"a": 1}})]
            )
            for what in ("view", "materializedView", "externalDataConfiguration")
        ),
    ],
    "memorystore-tls-ha": [
        Case(
            kind="passes",
            resources=[make(REDIS, inputs={"tier": "STANDARD_HA", "transitEncryptionMode": "SERVER_AUTHENTICATION"})],
        ),
        Case(
            kind="fails",
            resources=[make(REDIS, inputs={"tier": "BASIC", "transitEncryptionMode": "DISABLED"})],
            violated=["it:tier", "it:transitEncryptionMode"],
        ),
        Case(kind="absent", resources=[make(REDIS)], violated=["it:tier", "it:transitEncryptionMode"]),
        Case(
            kind="unknown",
            resources=[make(REDIS, inputs={"tier": UNKNOWN, "transitEncryptionMode": "SERVER_AUTHENTICATION"})],
            undecided=["it:tier"],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "gcs-versioning": {"companion": OWN.format("bucket")},
    "gcs-private": {"companion": OWN.format("bucket"), "exempt": EVERY.format("bucket")},
    "gcs-dual-region-rpo": {"companion": OWN.format("bucket")},
    "spanner-bigtable-bigquery-protected": {"companion": OWN.format("database")},
}
