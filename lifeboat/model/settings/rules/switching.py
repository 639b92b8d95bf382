"""Rules on names that fail over, on how traffic is switched, on divergence, and on tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lifeboat.model.settings.faults import Fault, absent, fault
from lifeboat.model.settings.rules.places import site_regions
from lifeboat.model.settings.sites import DivergencePolicy, RoutingKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.model.settings.draft import Draft

OWN_TAGS = ("Environment", "ManagedBy", "Name", "System", "rpo", "rto")
"""Tags that Lifeboat sets itself."""

_TAGS = 50
_TAG_KEY = 128
_TAG_VALUE = 256
_TAG_TEXT = re.compile(r"[\w\s.:/=+\-@]*")
_LONGEST_NAME = 253


def faults(draft: Draft) -> Iterator[Fault]:
    """Every name once and for the sites that exist; a waiver where one is needed; tags that AWS takes."""
    yield from _endpoints(draft)
    yield from _routing(draft)
    yield from _divergence(draft)
    yield from _grey_failure(draft)
    yield from _tags(draft)


def _endpoints(draft: Draft) -> Iterator[Fault]:
    if draft.dns is None:
        return
    sites = site_regions(draft)
    seen: set[str] = set()
    for at, endpoint in enumerate(draft.dns.endpoints):
        path = ("dns", "endpoints", at)
        if endpoint.name in seen:
            yield fault((*path, "name"), endpoint.name, "a name that no other endpoint has")
        seen.add(endpoint.name)
        if len(f"{endpoint.name}.ap-northeast-1.{draft.dns.zone}") > _LONGEST_NAME:
            yield fault(
                (*path, "name"),
                endpoint.name,
                f"a name of {_LONGEST_NAME} characters at most once region and zone follow it",
            )
        for region in endpoint.targets:
            if sites is not None and region not in sites:
                yield fault(
                    (*path, "targets", region), endpoint.targets[region], f"targets of the sites {', '.join(sites)}"
                )


def _routing(draft: Draft) -> Iterator[Fault]:
    routing = draft.routing
    if routing is None or routing.kind is None:
        return
    if draft.dns is None and draft.whole("dns"):
        yield fault(("routing", "kind"), routing.kind.value, "auto, unless dns names a zone to switch")
    if routing.kind is RoutingKind.RECORD and routing.waive_record is None and draft.whole("routing", "waive_record"):
        accepted = (
            "alarm, routing-control, or record with a reason in routing.waive_record: "
            "record edits wait for us-east-1, hours when it is down"
        )
        yield fault(("routing", "kind"), routing.kind.value, accepted)


def _divergence(draft: Draft) -> Iterator[Fault]:
    divergence = draft.divergence
    if divergence is None or divergence.policy is not DivergencePolicy.ACCEPT:
        return
    needed = {
        "reason": (divergence.reason, "the reason"),
        "owner": (divergence.owner, "the owner"),
        "expires": (divergence.expires, "the day it ends, such as 2027-01-31,"),
    }
    for key, (value, what) in needed.items():
        if not value and draft.whole("divergence", key):
            yield absent(("divergence", key), f"{what} beside policy accept")


def _grey_failure(draft: Draft) -> Iterator[Fault]:
    grey = draft.grey_failure
    # Nothing at all means that no site fails greyly; a time alone means that something was forgotten.
    if grey is None or not grey.model_fields_set or grey.error_percent is not None or grey.latency_ms is not None:
        return
    if draft.whole("grey_failure", "error_percent") and draft.whole("grey_failure", "latency_ms"):
        yield absent(("grey_failure", "error_percent"), "a share such as 20, or a latency_ms such as 2000 beside it")


def _tags(draft: Draft) -> Iterator[Fault]:
    room = _TAGS - len(OWN_TAGS)
    if len(draft.tags) > room:
        yield fault(
            ("tags",),
            f"{len(draft.tags)} tags",
            f"{room} tags at most: AWS takes {_TAGS}, and {len(OWN_TAGS)} are Lifeboat's",
        )
    # Keys that differ in case alone are one key to IAM, which roles are tagged by.
    own = {key.casefold() for key in OWN_TAGS}
    seen: dict[str, str] = {}
    for key, value in draft.tags.items():
        path = ("tags", key)
        if key.lower().startswith("aws:"):
            yield fault(path, value, "a key that does not begin with aws:, which AWS keeps for itself")
        if key.casefold() in own:
            yield fault(path, value, f"a key that Lifeboat does not set itself ({', '.join(OWN_TAGS)})")
        first = seen.setdefault(key.casefold(), key)
        if first != key:
            yield fault(path, value, f"a key that differs from {first} in more than its case")
        if not 1 <= len(key) <= _TAG_KEY or not _TAG_TEXT.fullmatch(key):
            yield fault(path, value, f"a key of 1 to {_TAG_KEY} letters, digits, spaces and . : / = + - @ _")
        if len(value) > _TAG_VALUE or not _TAG_TEXT.fullmatch(value):
            yield fault(path, value, f"a value of {_TAG_VALUE} letters, digits, spaces and . : / = + - @ _ at most")
