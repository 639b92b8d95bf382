"""RDS: subscriptions to events."""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.rds.models import RDSBackend
from moto.rds.responses import RDSResponse

from lifeboat.sandbox.patches.base import Moto, Patches

PATCHES = Patches("rds_events")

# Request name -> moto's attribute.
_MODIFIED = {
    "SnsTopicArn": "sns_topic_arn",
    "SourceType": "source_type",
    "EventCategories": "event_categories",
    "Enabled": "enabled",
}


def _subscription(response: Moto) -> Moto:
    """The one that a request names; AWS's error when there is none."""
    (found,) = response.backend.describe_event_subscriptions(response.params["SubscriptionName"])
    return found


@PATCHES.fixes(RDSBackend)
def create_event_subscription(original: Moto, self: Moto, kwargs: Moto) -> Moto:
    """Switches a subscription off that does not say, where AWS activates it."""
    subscription = original(self, kwargs)
    subscription.enabled = kwargs.get("Enabled", True)
    return subscription


@PATCHES.fills(RDSResponse)
def modify_event_subscription(self: Moto) -> Moto:
    """Is missing: nothing of a subscription can be changed."""
    subscription = _subscription(self)
    for sent, kept in _MODIFIED.items():
        if sent in self.params:
            setattr(subscription, kept, self.params[sent])
    return ActionResult({"EventSubscription": subscription})


@PATCHES.fills(RDSResponse)
def add_source_identifier_to_subscription(self: Moto) -> Moto:
    """Is missing: a subscription hears of the sources that it was made with, for ever."""
    subscription = _subscription(self)
    subscription.source_ids = [*subscription.source_ids, self.params["SourceIdentifier"]]
    return ActionResult({"EventSubscription": subscription})


@PATCHES.fills(RDSResponse)
def remove_source_identifier_from_subscription(self: Moto) -> Moto:
    """Is missing: a subscription hears of the sources that it was made with, for ever."""
    subscription = _subscription(self)
    gone = self.params["SourceIdentifier"]
    subscription.source_ids = [each for each in subscription.source_ids if each != gone]
    return ActionResult({"EventSubscription": subscription})
