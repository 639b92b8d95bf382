"""Cases of `policies.rules.aws_lifecycle`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

LOGS = "aws:cloudwatch/logGroup:LogGroup"
BUCKET = "aws:s3/bucket:Bucket"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
RTO = {"objectives": {"rto": "1h"}}

_bucket = make(BUCKET, inputs={"bucket": "things"})


def _rules(*rules: object) -> Resource:
    return make(LIFECYCLE, "lifecycle", {"bucket": "things", "rules": list(rules)})


def _archiving(**transition: object) -> Resource:
    return _rules({"status": "Enabled", "transitions": [{"storageClass": "GLACIER", **transition}]})


def _expiring(expiration: object, status: object = "Enabled") -> Resource:
    return _rules({"status": status, "noncurrentVersionExpiration": expiration})


CASES: dict[str, list[Case]] = {
    "log-retention": [
        Case(kind="passes", resources=[make(LOGS, inputs={"retentionInDays": 90})]),
        Case(kind="passes", about="for ever", resources=[make(LOGS, inputs={"retentionInDays": "0"})]),
        Case(kind="fails", resources=[make(LOGS, inputs={"retentionInDays": 30})], violated=["it:retentionInDays"]),
        Case(
            kind="fails",
            about="the threshold is the team's",
            resources=[make(LOGS, inputs={"retentionInDays": 90})],
            parameters={"days": 365},
            violated=["it:retentionInDays"],
        ),
        Case(
            kind="fails",
            about="no number",
            resources=[make(LOGS, inputs={"retentionInDays": True})],
            violated=["it:retentionInDays"],
        ),
        Case(kind="absent", about="is for ever", resources=[make(LOGS)]),
        Case(
            kind="unknown",
            resources=[make(LOGS, inputs={"retentionInDays": UNKNOWN})],
            undecided=["it:retentionInDays"],
        ),
        Case(
            kind="exempt",
            about="a retention that AWS sets",
            resources=[make(LOGS, inputs={"logGroupClass": "DELIVERY", "retentionInDays": 2})],
        ),
    ],
    "s3-lifecycle-present": [
        Case(kind="passes", about="inline", resources=[make(BUCKET, inputs={"lifecycleRules": [{"enabled": True}]})]),
        Case(
            kind="fails",
            about="disabled inline",
            resources=[make(BUCKET, inputs={"lifecycleRules": [{"enabled": False}, "rule"]})],
            violated=["it:lifecycleRules"],
        ),
        Case(kind="absent", resources=[_bucket], violated=["it:lifecycleRules"]),
        Case(
            kind="unknown",
            resources=[_bucket, _rules({"status": UNKNOWN}, {"status": "Disabled"})],
            undecided=["lifecycle:rules"],
        ),
        Case(
            kind="unknown",
            resources=[make(BUCKET, inputs={"lifecycleRules": UNKNOWN})],
            undecided=["it:lifecycleRules"],
        ),
        Case(
            kind="unknown",
            about="one rule that is known is enough",
            resources=[_bucket, _rules({"status": UNKNOWN}, {"status": "Enabled"})],
        ),
        Case(kind="companion", resources=[_bucket, _rules({"status": "Disabled"}, {"status": "Enabled"})]),
        Case(
            kind="companion",
            about="disabled",
            resources=[_bucket, _rules({"status": "Disabled"})],
            violated=["lifecycle:rules"],
        ),
        Case(
            kind="companion",
            about="of another bucket",
            resources=[_bucket, make(LIFECYCLE, "lifecycle", {"bucket": "others", "rules": [{"status": "Enabled"}]})],
            violated=["it:lifecycleRules"],
        ),
    ],
    "s3-archive-transition": [
        Case(kind="passes", resources=[_bucket, _archiving(days=90)], settings=RTO),
        Case(kind="passes", about="at once, without an RTO", resources=[_bucket, _archiving(days=0)]),
        Case(
            kind="passes",
            about="at once, with a slow RTO",
            resources=[_archiving(days=0)],
            settings={"objectives": {"rto": "6h"}},
        ),
        Case(
            kind="fails",
            about="too late",
            resources=[_bucket, _archiving(days=366)],
            violated=["lifecycle:rules.0.transitions.0.days"],
        ),
        Case(
            kind="fails",
            about="too soon for the RTO",
            resources=[_bucket, _archiving(days=29)],
            settings=RTO,
            parameters={"hot_days": 30},
            violated=["lifecycle:rules.0.transitions.0.days"],
        ),
        Case(
            kind="fails",
            about="too soon for the slower class",
            resources=[_bucket, _archiving(days=0, storageClass="DEEP_ARCHIVE")],
            settings={"objectives": {"rto": "6h"}},
            violated=["lifecycle:rules.0.transitions.0.days"],
        ),
        Case(
            kind="fails",
            about="objects of any age from a day on",
            resources=[_bucket, _archiving(date="2027-01-01")],
            settings=RTO,
            violated=["lifecycle:rules.0.transitions.0.date"],
        ),
        Case(
            kind="fails",
            about="no number",
            resources=[_archiving(days="soon")],
            violated=["lifecycle:rules.0.transitions.0.days"],
        ),
        Case(
            kind="fails",
            about="inline",
            resources=[
                make(
                    BUCKET,
                    inputs={
                        "lifecycleRules": [{"enabled": True, "transitions": [{"storageClass": "GLACIER", "days": 400}]}]
                    },
                )
            ],
            violated=["it:lifecycleRules.0.transitions.0.days"],
        ),
        Case(
            kind="absent",
            about="is at once",
            resources=[_bucket, _archiving()],
            settings=RTO,
            violated=["lifecycle:rules.0.transitions.0.days"],
        ),
        Case(
            kind="unknown",
            about="hides no other rule",
            resources=[
                _rules(
                    {"status": "Enabled", "transitions": UNKNOWN},
                    {"status": "Enabled", "transitions": [{"storageClass": "GLACIER", "days": UNKNOWN}]},
                    {"status": "Enabled", "transitions": [{"storageClass": "GLACIER", "days": 999}]},
                )
            ],
            undecided=["lifecycle:rules.0.transitions", "lifecycle:rules.1.transitions.0.days"],
            violated=["lifecycle:rules.2.transitions.0.days"],
        ),
        Case(
            kind="exempt",
            about="instant retrieval",
            resources=[_bucket, _archiving(days=0, storageClass="GLACIER_IR")],
            settings=RTO,
        ),
        Case(
            kind="exempt",
            about="a disabled rule",
            resources=[_rules({"status": "Disabled", "transitions": [{"storageClass": "GLACIER", "days": 999}]})],
        ),
        Case(
            kind="companion",
            about="the bucket's own RTO counts",
            resources=[make(BUCKET, inputs={"bucket": "things", "tags": {"rto": "15m"}}), _archiving(days=0)],
            violated=["lifecycle:rules.0.transitions.0.days"],
        ),
    ],
    "s3-noncurrent-retention": [
        Case(kind="passes", resources=[_bucket, _expiring({"noncurrentDays": 30})]),
        Case(kind="passes", about="a rule without", resources=[_bucket, _rules({"status": "Enabled"})]),
        Case(
            kind="fails",
            resources=[_bucket, _expiring({"noncurrentDays": 29})],
            violated=["lifecycle:rules.0.noncurrentVersionExpiration.noncurrentDays"],
        ),
        Case(
            kind="fails",
            about="inline",
            resources=[
                make(
                    BUCKET,
                    inputs={"lifecycleRules": [{"enabled": "true", "noncurrentVersionExpiration": {"days": 7}}]},
                )
            ],
            violated=["it:lifecycleRules.0.noncurrentVersionExpiration.days"],
        ),
        Case(
            kind="absent",
            resources=[_bucket, _expiring({})],
            violated=["lifecycle:rules.0.noncurrentVersionExpiration.noncurrentDays"],
        ),
        Case(
            kind="unknown",
            resources=[_bucket, _expiring({"noncurrentDays": UNKNOWN})],
            undecided=["lifecycle:rules.0.noncurrentVersionExpiration.noncurrentDays"],
        ),
        Case(
            kind="unknown",
            about="whether it is enabled",
            resources=[_expiring({}, UNKNOWN)],
            undecided=["lifecycle:rules.0.status"],
        ),
        Case(kind="exempt", about="a disabled rule", resources=[_bucket, _expiring({"noncurrentDays": 1}, "Disabled")]),
        Case(
            kind="companion",
            about="the bucket's own retention counts",
            resources=[
                make(BUCKET, inputs={"tags": {"retention-days": "90"}}),
                make(
                    LIFECYCLE,
                    "lifecycle",
                    {
                        "bucket": UNKNOWN,
                        "rules": [{"status": "Enabled", "noncurrentVersionExpiration": {"noncurrentDays": 30}}],
                    },
                    uses={"bucket": make(BUCKET)},
                ),
            ],
            violated=["lifecycle:rules.0.noncurrentVersionExpiration.noncurrentDays"],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "log-retention": {"companion": "the retention is a property of the group itself"},
    "s3-lifecycle-present": {"exempt": "lifecycle rules are not replicated, so that every bucket needs its own"},
}
"""By rule and kind: why there is no such case."""
