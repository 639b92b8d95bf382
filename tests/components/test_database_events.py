"""Who hears what RDS reports, and whether it may publish it."""

from __future__ import annotations

import json

import pulumi_aws as aws
import pytest

from components.aws.database_events import CATEGORIES, CLUSTERS, INSTANCES
from tests.components.examples.database_events import TOPIC, database_events
from tests.components.examples.routing import alerts
from tests.components.harness import ACCOUNT, OTHER, deploy


@pytest.mark.parametrize(("clusters", "sources"), [(False, [INSTANCES]), (True, [CLUSTERS, INSTANCES])])
def test_a_sites_alerts_hear_of_every_database_that_it_has_or_gets(clusters: bool, sources: list[str]) -> None:
    deployment = deploy(database_events(clusters=clusters))
    found = deployment.of(aws.rds.EventSubscription)
    assert [each.inputs["sourceType"] for each in found] == sources
    for each in found:
        assert deployment.region(each) == OTHER
        assert each.inputs["snsTopic"] == TOPIC
        assert each.inputs["enabled"] is True
        # Without names, also of those that a recovery restores.
        assert "sourceIds" not in each.inputs


@pytest.mark.parametrize("source", [INSTANCES, CLUSTERS])
def test_failures_and_failovers_are_reported_and_daily_business_is_not(source: str) -> None:
    assert {"failover", "failure"} <= set(CATEGORIES[source])
    assert not {"backup", "creation", "notification"} & set(CATEGORIES[source])


def test_failovers_across_regions_and_broken_replication_are_reported() -> None:
    assert "global-failover" in CATEGORIES[CLUSTERS]
    assert "read replica" in CATEGORIES[INSTANCES]


def test_databases_of_this_account_and_region_may_publish() -> None:
    (policy,) = deploy(alerts).of(aws.sns.TopicPolicy)
    statements = {each["Sid"]: each for each in json.loads(policy.inputs["policy"])["Statement"]}
    found = statements["DatabaseEventsPublish"]
    assert (found["Effect"], found["Principal"]) == ("Allow", {"Service": "events.rds.amazonaws.com"})
    assert found["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:rds:{OTHER}:{ACCOUNT}:*"},
    }
