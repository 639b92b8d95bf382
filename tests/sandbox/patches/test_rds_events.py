"""RDS: subscriptions to events, as boto3 sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.sandbox.conftest import Clients, Request

pytestmark = pytest.mark.usefixtures("clean_gateway")

EAST = "us-east-1"
NAME = "db-instance-events"
TOPIC = f"arn:aws:sns:{EAST}:123456789012:alerts"


def create(clients: Clients, **more: Request) -> dict[str, Any]:
    wanted = {"SubscriptionName": NAME, "SnsTopicArn": TOPIC, "SourceType": "db-instance"}
    return clients("rds", EAST).create_event_subscription(**{**wanted, **more})["EventSubscription"]


def describe(clients: Clients) -> dict[str, Any]:
    return clients("rds", EAST).describe_event_subscriptions(SubscriptionName=NAME)["EventSubscriptionsList"][0]


def test_create_event_subscription_is_active_unless_it_says_otherwise(clients: Clients) -> None:
    assert create(clients)["Enabled"] is True
    assert create(clients, SubscriptionName="quiet", Enabled=False)["Enabled"] is False
    assert describe(clients)["Enabled"] is True


def test_modify_event_subscription_changes_what_it_names(clients: Clients) -> None:
    create(clients, EventCategories=["failure"])
    rds = clients("rds", EAST)
    rds.modify_event_subscription(SubscriptionName=NAME, EventCategories=["failover", "failure"])
    rds.modify_event_subscription(SubscriptionName=NAME, Enabled=False, SnsTopicArn=f"{TOPIC}-2")
    found = describe(clients)
    assert sorted(found["EventCategoriesList"]) == ["failover", "failure"]
    assert (found["Enabled"], found["SnsTopicArn"], found["SourceType"]) == (False, f"{TOPIC}-2", "db-instance")


def test_add_source_identifier_to_subscription_keeps_the_others(clients: Clients) -> None:
    create(clients, SourceIds=["orders"])
    rds = clients("rds", EAST)
    rds.add_source_identifier_to_subscription(SubscriptionName=NAME, SourceIdentifier="payments")
    assert describe(clients)["SourceIdsList"] == ["orders", "payments"]


def test_remove_source_identifier_from_subscription_leaves_the_others(clients: Clients) -> None:
    create(clients, SourceIds=["orders", "payments"])
    rds = clients("rds", EAST)
    rds.remove_source_identifier_from_subscription(SubscriptionName=NAME, SourceIdentifier="orders")
    assert describe(clients)["SourceIdsList"] == ["payments"]


def test_modify_event_subscription_of_none_is_refused(clients: Clients) -> None:
    with pytest.raises(ClientError) as caught:
        clients("rds", EAST).modify_event_subscription(SubscriptionName=NAME, Enabled=False)
    assert caught.value.response["Error"]["Code"] == "SubscriptionNotFound"
