"""Cases of `policies.rules.gcp_data`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

DATABASE = "gcp:sql/databaseInstance:DatabaseInstance"

_BACKUPS = "settings.backupConfiguration"
TIER1 = {"objectives": {"rpo": "5m"}}


def _sql(settings: object = None, /, name: str = "it", **inputs: object) -> Resource:
    return make(
        DATABASE, name, {**({} if settings is None else {"settings": settings}), **inputs}, region="europe-west1"
    )


def _backed(**backups: object) -> Resource:
    return _sql({"backupConfiguration": backups}, databaseVersion="POSTGRES_17")


def _replica(name: str = "replica", /, **inputs: object) -> Resource:
    """A replica of `_primary` that has nothing a primary needs."""
    bag = {"masterInstanceName": UNKNOWN, "databaseVersion": "POSTGRES_17", **inputs}
    return make(DATABASE, name, bag, region="europe-west1", uses={"masterInstanceName": _primary})


_primary = make(
    DATABASE,
    "primary",
    {
        "databaseVersion": "POSTGRES_17",
        "region": "europe-west1",
        "settings": {
            "availabilityType": "REGIONAL",
            "backupConfiguration": {"enabled": True, "pointInTimeRecoveryEnabled": True},
        },
    },
)
_REPLICA = Case(kind="exempt", about="a replica", resources=[_primary, _replica()])

CASES: dict[str, list[Case]] = {
    "cloudsql-backup": [
        Case(kind="passes", resources=[_backed(enabled=True)]),
        Case(kind="fails", resources=[_backed(enabled=False)], violated=[f"it:{_BACKUPS}.enabled"]),
        Case(kind="fails", about="no flag", resources=[_backed(enabled=[1])], violated=[f"it:{_BACKUPS}.enabled"]),
        Case(kind="absent", resources=[_sql()], violated=[f"it:{_BACKUPS}.enabled"]),
        Case(kind="unknown", resources=[_sql({"backupConfiguration": UNKNOWN})], undecided=[f"it:{_BACKUPS}.enabled"]),
        _REPLICA,
    ],
    "cloudsql-pitr": [
        Case(kind="passes", about="PostgreSQL", resources=[_backed(pointInTimeRecoveryEnabled=True)]),
        Case(
            kind="passes",
            about="MySQL",
            resources=[_sql({"backupConfiguration": {"binaryLogEnabled": True}}, databaseVersion="MYSQL_8_4")],
        ),
        Case(
            kind="fails",
            about="the flag of another engine",
            resources=[_backed(binaryLogEnabled=True)],
            violated=[f"it:{_BACKUPS}.pointInTimeRecoveryEnabled"],
        ),
        Case(
            kind="fails",
            about="MySQL with the flag of the others",
            resources=[
                _sql({"backupConfiguration": {"pointInTimeRecoveryEnabled": True}}, databaseVersion="MYSQL_8_0")
            ],
            violated=[f"it:{_BACKUPS}.binaryLogEnabled"],
        ),
        Case(kind="absent", resources=[_sql()], violated=[f"it:{_BACKUPS}.pointInTimeRecoveryEnabled"]),
        Case(
            kind="unknown",
            resources=[_backed(pointInTimeRecoveryEnabled=UNKNOWN)],
            undecided=[f"it:{_BACKUPS}.pointInTimeRecoveryEnabled"],
        ),
        Case(
            kind="unknown",
            about="the engine",
            resources=[_sql(databaseVersion=UNKNOWN)],
            undecided=["it:databaseVersion"],
        ),
        _REPLICA,
    ],
    "cloudsql-regional-ha": [
        Case(kind="passes", resources=[_sql({"availabilityType": "REGIONAL"})]),
        Case(kind="fails", resources=[_sql({"availabilityType": "ZONAL"})], violated=["it:settings.availabilityType"]),
        Case(
            kind="fails",
            about="replicas when they are asked",
            resources=[_primary, _replica()],
            parameters={"replicas": True},
            violated=["replica:settings.availabilityType"],
        ),
        Case(kind="absent", resources=[_sql({})], violated=["it:settings.availabilityType"]),
        Case(
            kind="unknown",
            resources=[_sql({"availabilityType": UNKNOWN})],
            undecided=["it:settings.availabilityType"],
        ),
        _REPLICA,
    ],
    "cloudsql-retention": [
        Case(
            kind="passes",
            resources=[
                _backed(backupRetentionSettings={"retainedBackups": "30"}, transactionLogRetentionDays=7),
            ],
        ),
        Case(
            kind="fails",
            resources=[_backed(backupRetentionSettings={"retainedBackups": 6}, transactionLogRetentionDays=1)],
            violated=[
                f"it:{_BACKUPS}.backupRetentionSettings.retainedBackups",
                f"it:{_BACKUPS}.transactionLogRetentionDays",
            ],
        ),
        Case(kind="absent", about="the default is enough", resources=[_sql()]),
        Case(
            kind="absent",
            about="the default is less than the team's",
            resources=[_sql()],
            parameters={"backups": 30},
            violated=[f"it:{_BACKUPS}.backupRetentionSettings.retainedBackups"],
        ),
        Case(
            kind="unknown",
            resources=[_backed(backupRetentionSettings={"retainedBackups": UNKNOWN}, transactionLogRetentionDays=3)],
            undecided=[f"it:{_BACKUPS}.backupRetentionSettings.retainedBackups"],
            violated=[f"it:{_BACKUPS}.transactionLogRetentionDays"],
        ),
        Case(
            kind="exempt",
            about="a replica",
            resources=[_primary, _replica(settings={"backupConfiguration": {"transactionLogRetentionDays": 1}})],
        ),
    ],
    "cloudsql-tls": [
        Case(kind="passes", resources=[_sql({"ipConfiguration": {"sslMode": "ENCRYPTED_ONLY"}})]),
        Case(
            kind="passes",
            about="client certificates",
            resources=[_sql({"ipConfiguration": {"sslMode": "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"}})],
        ),
        Case(
            kind="fails",
            resources=[_sql({"ipConfiguration": {"sslMode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED"}})],
            violated=["it:settings.ipConfiguration.sslMode"],
        ),
        Case(
            kind="absent",
            about="what older versions had",
            resources=[_sql({"ipConfiguration": {"requireSsl": True}})],
            violated=["it:settings.ipConfiguration.sslMode"],
        ),
        Case(
            kind="unknown",
            resources=[_sql({"ipConfiguration": {"sslMode": UNKNOWN}})],
            undecided=["it:settings.ipConfiguration.sslMode"],
        ),
    ],
    "cloudsql-private": [
        Case(kind="passes", resources=[_sql({"ipConfiguration": {"ipv4Enabled": False}})]),
        Case(
            kind="fails",
            resources=[_sql({"ipConfiguration": {"ipv4Enabled": True}})],
            violated=["it:settings.ipConfiguration.ipv4Enabled"],
        ),
        Case(kind="absent", resources=[_sql({})], violated=["it:settings.ipConfiguration.ipv4Enabled"]),
        Case(
            kind="unknown",
            resources=[_sql({"ipConfiguration": {"ipv4Enabled": UNKNOWN}})],
            undecided=["it:settings.ipConfiguration.ipv4Enabled"],
        ),
    ],
    "cloudsql-api-deletion-protection": [
        Case(kind="passes", resources=[_sql({"deletionProtectionEnabled": True})]),
        Case(
            kind="fails",
            resources=[_sql({"deletionProtectionEnabled": False})],
            violated=["it:settings.deletionProtectionEnabled"],
        ),
        Case(
            kind="absent",
            about="the one that binds the program only",
            resources=[_sql({}, deletionProtection=True)],
            violated=["it:settings.deletionProtectionEnabled"],
        ),
        Case(
            kind="unknown",
            resources=[_sql({"deletionProtectionEnabled": UNKNOWN})],
            undecided=["it:settings.deletionProtectionEnabled"],
        ),
    ],
    "cloudsql-cross-region-replica": [
        Case(
            kind="passes",
            settings=TIER1,
            resources=[_primary, _replica("near"), _replica("far", region="europe-north1")],
        ),
        Case(
            kind="passes",
            about="by name",
            settings=TIER1,
            resources=[
                _sql(name="other", region="europe-west1", masterInstanceName="orders"),
                make(DATABASE, "it", {"name": "orders"}, region="us-east1"),
            ],
        ),
        Case(
            kind="passes",
            about="the region of the provider",
            settings=TIER1,
            resources=[
                made := make(DATABASE, "it", region="us-east1"),
                make(
                    DATABASE,
                    "far",
                    {"masterInstanceName": UNKNOWN},
                    region="us-west1",
                    uses={"masterInstanceName": made},
                ),
            ],
        ),
        Case(kind="fails", settings=TIER1, resources=[_primary, _replica("near")], violated=["primary:"]),
        Case(kind="fails", about="no replica", settings=TIER1, resources=[_primary], violated=["primary:"]),
        Case(
            kind="fails",
            about="by its labels",
            resources=[_sql({"userLabels": {"tier": "1"}})],
            violated=["it:"],
        ),
        Case(
            kind="unknown",
            about="the region of the replica",
            settings=TIER1,
            resources=[_primary, _replica("far", region=UNKNOWN)],
            undecided=["far:region"],
        ),
        Case(
            kind="unknown",
            about="nobody says where the replica is",
            settings=TIER1,
            resources=[
                _primary,
                make(
                    DATABASE, "far", {"masterInstanceName": UNKNOWN}, region="", uses={"masterInstanceName": _primary}
                ),
            ],
            undecided=["far:region"],
        ),
        Case(
            kind="unknown",
            about="nobody says where the primary is",
            settings=TIER1,
            resources=[
                adrift := make(DATABASE, region=""),
                make(DATABASE, "far", {"masterInstanceName": UNKNOWN}, region="", uses={"masterInstanceName": adrift}),
            ],
            undecided=["it:region"],
        ),
        Case(kind="exempt", about="no tier 1", resources=[_primary]),
        Case(
            kind="exempt",
            about="tier 2 by its labels",
            settings=TIER1,
            resources=[_sql({"userLabels": {"tier": "2"}})],
        ),
        Case(
            kind="exempt",
            about="a replica",
            settings=TIER1,
            resources=[_primary, _replica("far", region="europe-north1")],
        ),
        Case(
            kind="companion",
            about="a replica of another one",
            settings=TIER1,
            resources=[_primary, _replica("far", region="europe-north1"), _sql(name="lonely")],
            violated=["lonely:"],
        ),
    ],
}

OWN = "it is a property of the {} itself"
EVERY = "every {} is asked, whatever its role"
NOT_APPLICABLE: dict[str, dict[str, str]] = {
    **{
        name: {"companion": OWN.format("instance")}
        for name in ("cloudsql-backup", "cloudsql-pitr", "cloudsql-regional-ha", "cloudsql-retention")
    },
    **{
        name: {"companion": OWN.format("instance"), "exempt": EVERY.format("instance")}
        for name in ("cloudsql-tls", "cloudsql-private", "cloudsql-api-deletion-protection", "memorystore-tls-ha")
    },
    "cloudsql-cross-region-replica": {"absent": "no property is asked for, but another resource"},
}
"""By rule and kind: why there is no such case."""
