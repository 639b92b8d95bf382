"""Which replication rules apply to a change."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st

from lifeboat.sandbox.live.objects_rules import Change, Rule, Subject, choose, read_rules

if TYPE_CHECKING:
    import random

TAGS = st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"))
KEYS = st.text("lo/", max_size=4)
RULES = st.lists(
    st.builds(
        Rule,
        name=st.uuids().map(str),
        priority=st.integers(0, 99),
        enabled=st.booleans(),
        prefix=KEYS,
        tags=TAGS,
        destination=st.sampled_from(["west", "north"]),
        delete_markers=st.booleans(),
        replica_modifications=st.booleans(),
        kms=st.booleans(),
    ),
    # As S3 demands of rules that could be in each other's way.
    unique_by=lambda rule: rule.priority,
    max_size=8,
)
SUBJECTS = st.builds(Subject, key=KEYS, tags=TAGS, kms=st.booleans(), replica=st.booleans())
CHANGES = st.sampled_from(Change)


@given(RULES, CHANGES, SUBJECTS)
def test_one_rule_a_destination_decides_and_none_that_matches_ranks_above_it(
    rules: list[Rule], change: Change, subject: Subject
) -> None:
    chosen = choose(rules, change, subject)
    assert len({rule.destination for rule in chosen}) == len(chosen)
    for rule in chosen:
        rivals = [rival for rival in rules if rival.destination == rule.destination and rival.matches(subject)]
        assert max(rivals, key=lambda rival: rival.priority) is rule


@given(RULES, CHANGES, SUBJECTS, st.randoms())
def test_neither_the_order_nor_disabled_rules_matter(
    rules: list[Rule], change: Change, subject: Subject, chance: random.Random
) -> None:
    shuffled = [rule for rule in rules if rule.enabled]
    chance.shuffle(shuffled)
    assert choose(shuffled, change, subject) == choose(rules, change, subject)


@given(RULES, SUBJECTS)
def test_two_sides_never_send_the_same_creation_or_marker_back(rules: list[Rule], subject: Subject) -> None:
    replica = dataclasses.replace(subject, replica=True)
    assert choose(rules, Change.CREATED, replica) == choose(rules, Change.MARKED, replica) == []


@given(RULES, CHANGES, SUBJECTS)
def test_what_is_chosen_matches_in_full(rules: list[Rule], change: Change, subject: Subject) -> None:
    for rule in choose(rules, change, subject):
        assert rule.enabled
        assert subject.key.startswith(rule.prefix)
        assert rule.tags.items() <= subject.tags.items()
        assert rule.delete_markers or change is not Change.MARKED
        assert rule.kms or not subject.kms or change is Change.MARKED
        assert rule.replica_modifications or not subject.replica


@given(RULES, SUBJECTS)
def test_what_matches_and_hinders_nothing_is_chosen(rules: list[Rule], subject: Subject) -> None:
    plain = dataclasses.replace(subject, kms=False, replica=False)
    reached = {rule.destination for rule in rules if rule.matches(plain)}
    assert {rule.destination for rule in choose(rules, Change.CREATED, plain)} == reached


def test_a_deciding_rule_that_leaves_markers_out_keeps_a_lesser_one_from_taking_them() -> None:
    rules = [
        Rule(name="lesser", priority=1, destination="west", delete_markers=True),
        Rule(name="deciding", priority=2, destination="west"),
    ]
    assert choose(rules, Change.MARKED, Subject(key="a")) == []
    assert [rule.name for rule in choose(rules, Change.CREATED, Subject(key="a"))] == ["deciding"]


HEAD = "<ID>a</ID><Priority>3</Priority><Status>Enabled</Status>"
TAIL = "<Destination><Bucket>arn:aws:s3:::west</Bucket></Destination>"
TAG = "<Tag><Key>k</Key><Value>v</Value></Tag>"
OPTIONS = """
<DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication>
<SourceSelectionCriteria>
  <ReplicaModifications><Status>Enabled</Status></ReplicaModifications>
  <SseKmsEncryptedObjects><Status>Enabled</Status></SseKmsEncryptedObjects>
</SourceSelectionCriteria>
<Destination>
  <Bucket>arn:aws:s3:::west</Bucket>
  <StorageClass>STANDARD_IA</StorageClass>
  <EncryptionConfiguration><ReplicaKmsKeyID>key</ReplicaKmsKeyID></EncryptionConfiguration>
  <Metrics><Status>Enabled</Status></Metrics>
</Destination>
"""
BARE = Rule(name="a", priority=3, destination="west")


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        (f"{HEAD}<Filter><Prefix></Prefix></Filter>{TAIL}", BARE),
        (f"{HEAD}<Filter/>{TAIL}", BARE),
        (f"{HEAD}<Filter><Prefix>logs/</Prefix></Filter>{TAIL}", dataclasses.replace(BARE, prefix="logs/")),
        (
            f"{HEAD}<Filter>{TAG}</Filter>{TAIL}",
            dataclasses.replace(BARE, tags={"k": "v"}),
        ),
        (
            f"{HEAD}<Filter><And><Prefix>l/</Prefix>{TAG}<Tag><Key>m</Key><Value/></Tag></And></Filter>{TAIL}",
            dataclasses.replace(BARE, prefix="l/", tags={"k": "v", "m": ""}),
        ),
        (f"{HEAD}<Prefix>old/</Prefix>{TAIL}", dataclasses.replace(BARE, prefix="old/", delete_markers=True)),
        (f"{HEAD.replace('Enabled', 'Disabled')}<Filter/>{TAIL}", dataclasses.replace(BARE, enabled=False)),
        (
            f"{HEAD}<Filter/>{OPTIONS}",
            dataclasses.replace(
                BARE,
                delete_markers=True,
                replica_modifications=True,
                kms=True,
                replica_key="key",
                storage_class="STANDARD_IA",
                metrics=True,
            ),
        ),
    ],
)
def test_a_configuration_is_read_as_it_was_put(xml: str, expected: Rule) -> None:
    assert read_rules(xmltodict.parse(f"<R><Rule>{xml}</Rule></R>")["R"]) == [expected]
    twice = xmltodict.parse(f"<R><Rule>{xml}</Rule><Rule>{xml}</Rule></R>")["R"]
    assert read_rules(twice) == [expected, expected]


def test_a_bucket_without_a_configuration_has_no_rules() -> None:
    assert read_rules(None) == []
