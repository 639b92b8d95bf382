"""What the witness's warden may do: look, vote, set the switches and tell people. It begins no run, so no more.

It reaches no store of a site, so that a run which it began would stop where it has to ask one: see
``docs/adr/0016-warden-placement.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.aws.recovery_statements import (
    allow,
    lease_key,
    set_switches,
    tell_people,
    use_alerts_key,
)
from lifeboat.model.naming import lease_table

if TYPE_CHECKING:
    from components.aws.recovery_statements import FailoverScope, Statement


def witness_policy(scope: FailoverScope) -> dict[str, object]:
    """The policy document."""
    statements = [
        *(_in_buckets(scope) if scope.lease_buckets else _in_the_table(scope)),
        set_switches(scope),
        tell_people(scope),
        use_alerts_key(scope),
        lease_key(scope),
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _in_the_table(scope: FailoverScope) -> list[Statement]:
    """The lease and all views are read; of the items, its own view is written."""
    tables = [scope.arn("dynamodb", region, f"table/{lease_table(scope.prefix)}") for region in scope.sites]
    own = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [f"view#{scope.witness}"]}}
    return [
        allow("ReadTheLease", ["dynamodb:BatchGetItem", "dynamodb:GetItem"], tables),
        allow("SayWhatItSees", ["dynamodb:PutItem"], tables, own),
    ]


def _in_buckets(scope: FailoverScope) -> list[Statement]:
    """The same of objects; without the right to list, S3 does not say of one that it is missing."""
    buckets = {region: f"arn:aws:s3:::{name}" for region, name in scope.lease_buckets.items()}
    views = f"{buckets[scope.witness]}/views"
    stand_ins = [f"{buckets[region]}/lease-stand-in.json" for region in scope.sites]
    return [
        allow("ReadTheLease", ["s3:GetObject"], [f"{buckets[scope.witness]}/lease.json", f"{views}/*", *stand_ins]),
        allow("SayWhatItSees", ["s3:PutObject"], f"{views}/{scope.witness}.json"),
        allow("FindTheLease", ["s3:ListBucket"], list(buckets.values())),
    ]
