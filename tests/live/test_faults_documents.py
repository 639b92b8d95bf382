"""Faults as they are written down: what is refused, and how the kinds are described."""

from __future__ import annotations

import json

import pytest

from lifeboat.sandbox.live.fault_documents import catalogue, parse
from lifeboat.sandbox.state import SandboxInputError
from tests.live.fault_stage import EAST, WEST


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"kind": "flood"}, "Input tag 'flood' found using 'kind' does not match any of the expected tags"),
        ({"region": EAST}, "Unable to extract tag using discriminator 'kind'"),
        ([], "no fault is given"),
        ({"kind": "slow-disk"}, "region: Field required"),
        ({"kind": "slow-disk", "region": EAST, "commit_ms": 5000}, "commit_ms: Input should be less than or equal to"),
        ({"kind": "slow-disk", "region": EAST, "comit_ms": 5}, "comit_ms: Extra inputs are not permitted"),
        ({"kind": "replication-lag", "region": EAST}, "give either seconds or bytes_per_s"),
        (
            {"kind": "asymmetric-partition", "from_region": EAST, "to_region": EAST},
            "from_region and to_region are the same",
        ),
        (
            {"kind": "link", "source_region": EAST, "target_region": EAST, "cut": True},
            "source_region and target_region are the same",
        ),
        ({"kind": "link", "source_region": EAST, "target_region": "moon", "cut": True}, "target_region: String should"),
        ({"kind": "link", "source_region": EAST, "target_region": WEST}, "say what is wrong with it: latency_ms"),
        ([{"kind": "region-partition", "region": EAST}, {"kind": "flood"}], "fault 2: Input tag 'flood'"),
    ],
)
def test_a_wrong_document_is_refused(document: object, said: str) -> None:
    with pytest.raises(SandboxInputError) as refused:
        parse(document)
    assert said in str(refused.value)


def test_the_kinds_are_those_of_the_issue_and_described() -> None:
    rows = catalogue()
    assert [row["kind"] for row in rows] == [
        *("region-blackout", "region-partition", "asymmetric-partition", "link", "replication-lag"),
        *("replication-break", "slow-disk", "full-disk", "corrupted-table", "standby-capacity", "credentials-expired"),
        *("api-slow", "api-throttle", "api-errors", "api-hang", "process-killed", "clock-skew"),
    ]
    assert all(row["what"].endswith(".") or row["what"].endswith(":") for row in rows)
    assert all(parameter["what"] for row in rows for parameter in row["parameters"])
    json.dumps(rows)
