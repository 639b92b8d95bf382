"""Roles change, state does not: wherever the active site is, a preview of a whole stack shows nothing.

Both stacks are deployed into a local cloud, roles are moved as recovery would, by calls that no program knows of, and
everything is read back. For a plain replica, a preview shows exactly the generation that a failback adds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
import pytest

from components.aws.promotion import (
    CLUSTER,
    GLOBAL_CLUSTER,
    GLOBAL_DATASTORE,
    INSTANCE,
    PROMOTION_CHANGES,
    RECORD,
)
from lifeboat.sandbox import supervisor
from lifeboat.sandbox.inprocess.config import read_config
from lifeboat.sandbox.plugin.wire import reveal
from lifeboat.sandbox.provider import ProviderError, outcome
from lifeboat.sandbox.state import Directory
from lifeboat.sandbox.up import up
from tests.moving import GLOBAL, cluster_arn, fail_over_cache, fail_over_database
from tests.preview import Preview, Previewer, Stored
from tests.project import ROOT, link_project

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lifeboat.sandbox.provider import Diff
    from lifeboat.sandbox.state import Record

G1, G2, OTHER_G1 = "eu-west-1-g1", "eu-west-1-g2", "eu-central-1-g1"
REBUILT, RETIRED = [G1, OTHER_G1, G2], [OTHER_G1, G2]
Outcomes: TypeAlias = dict[str, tuple[str, set[str]]]
"""Outcome and changed properties by logical name."""

CONTRACT: Outcomes = {
    f"contract-publication-{region}-{kind}": ("in-place", {changed})
    for region in ("eu-west-1", "eu-central-1")
    for kind, changed in (("object", "content"), ("parameter", "value"))
}


WARDENS = ("eu-west-1", "eu-central-1", "eu-west-2")
TASKS: Outcomes = {f"warden-{region}-task": ("replaces", {"containerDefinitions"}) for region in WARDENS}
"""Wardens are told the declaration: a new one is a new revision of their tasks, and their services follow."""
SERVICES: Outcomes = {f"warden-{region}-service": ("in-place", {"taskDefinition"}) for region in WARDENS}

PROBED = {CLUSTER, GLOBAL_DATASTORE, RECORD, "aws:iam/role:Role"}
"""Types that tell whether a region answers, and the global control planes in it."""


@dataclass(frozen=True)
class World:
    """A stack in a local cloud of its own."""

    record: Record
    previewer: Previewer

    def client(self, service: str, region: str) -> Any:  # noqa: ANN401 - clients are made at run time
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.record.endpoint,
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",
        )

    def lose(self, *regions: str) -> None:
        supervisor.control(self.record, "POST", "regions", dict.fromkeys(regions, "lost"))

    def preview(self, *, lost: str = "", generations: list[str] | None = None) -> Preview:
        """Read everything back that a lost region leaves readable, and run the program on it."""
        self.lose(*([lost] if lost else []))
        try:
            self.previewer.refresh(lost=lost)
        finally:
            self.lose()
        return self.previewer.preview(config=None if generations is None else _config(generations))

    def unread(self, lost: str) -> set[str]:
        """Logical names of what does not answer while a region is lost."""
        self.lose(lost)
        dead = {stored.name for stored in self.previewer.stored if stored.type in PROBED and self._unreachable(stored)}
        self.lose()
        return dead

    def _unreachable(self, stored: Stored) -> bool:
        try:
            self.previewer.read(stored)
        except ProviderError as fault:
            return fault.code == "Unreachable"
        return False


def _config(generations: list[str]) -> dict[str, str]:
    (database,) = json.loads(read_config(ROOT, "prod", passphrase=None).values["lifeboat:databases"])
    return {"lifeboat:databases": json.dumps([{**database, "generations": generations}])}


def _world(stack: str, project: Path) -> Iterator[World]:
    directory = Directory.of_project(project)
    result = up(stack, directory, progress=lambda _: None)
    try:
        yield World(result.record, Previewer(stack, result.state, result.record))
    finally:
        supervisor.stop(directory)


@pytest.fixture(scope="module")
def reskflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Aurora Global, Global Datastore, two-way buckets, constant records."""
    yield from _world("reskflow", link_project(tmp_path_factory.mktemp("roles-reskflow")))


@pytest.fixture(scope="module")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A plain PostgreSQL replica."""
    yield from _world("prod", link_project(tmp_path_factory.mktemp("roles-prod")))


def _lead(world: World, region: str) -> None:
    """Make a site of ReskFlow's the active one, when it is not."""
    rds, cache = world.client("rds", region), world.client("elasticache", region)
    (database,) = rds.describe_global_clusters()["GlobalClusters"]
    writers = {member["DBClusterArn"] for member in database["GlobalClusterMembers"] if member["IsWriter"]}
    if cluster_arn(region) not in writers:
        fail_over_database(world.client, region)
    (datastore,) = cache.describe_global_replication_groups(ShowMemberInfo=True)["GlobalReplicationGroups"]
    if region not in {m["ReplicationGroupRegion"] for m in datastore["Members"] if m["Role"] == "PRIMARY"}:
        fail_over_cache(world.client, region)


def _promote(world: World, key: str) -> None:
    """Promote a plain replica as recovery would: with its retention, which is a day if nobody says so."""
    region = key.rpartition("-")[0]
    world.client("rds", region).promote_read_replica(
        DBInstanceIdentifier=f"streamgate-prod-catalog-{key}", BackupRetentionPeriod=14
    )


def _outcomes(changed: Mapping[str, Diff]) -> Outcomes:
    """Outcome and changed properties of whatever changes, by logical name."""
    return {name: (diff.outcome, set(diff.changed)) for name, diff in changed.items()}


def _assert_empty(preview: Preview, *, unguarded: Outcomes | None = None) -> None:
    """Nothing would happen; and what would, if no change were ignored, so that this can fail."""
    assert (_outcomes(preview.changed), preview.created, preview.deleted) == ({}, frozenset(), frozenset())
    if unguarded is not None:
        assert _outcomes(preview.unguarded) == unguarded


HOME_LEADS: Outcomes = {"orders-us-west-2": ("in-place", {"replicationSourceIdentifier"})}
STANDBY_LEADS: Outcomes = {
    "orders-us-east-1": ("in-place", {"replicationSourceIdentifier"}),
    "sessions-global-datastore": ("replaces", {"primaryReplicationGroupId"}),
}


@pytest.mark.parametrize(
    ("moves", "lost", "unguarded"),
    [
        pytest.param(["us-east-1"], "", HOME_LEADS, id="normal"),
        pytest.param(["us-east-1"], "us-west-2", {}, id="standby lost"),
        pytest.param(["us-west-2"], "", STANDBY_LEADS, id="failed over"),
        # What differs is in the home, where nobody can look.
        pytest.param(["us-west-2"], "us-east-1", {}, id="failed over, home lost"),
        pytest.param(["us-west-2", "us-east-1"], "", HOME_LEADS, id="failed back"),
    ],
)
def test_reskflow_previews_nothing(reskflow: World, moves: list[str], lost: str, unguarded: Outcomes) -> None:
    for region in moves:
        _lead(reskflow, region)
    _assert_empty(reskflow.preview(lost=lost), unguarded=unguarded)
    # Enough was read to say so.
    read, whole = len(reskflow.previewer.found), len(reskflow.previewer.stored)
    assert whole / 3 < read < whole if lost else read == whole


def test_a_lost_region_answers_nothing_and_the_other_one_all(reskflow: World) -> None:
    """With us-east-1 the control planes of IAM and Route 53 are gone, for every site."""
    dead = reskflow.unread("us-east-1")
    assert {"orders-us-east-1", "sessions-global-datastore", "orders-us-west-2-monitoring"} <= dead
    assert "orders-us-west-2" not in dead
    dead = reskflow.unread("us-west-2")
    assert "orders-us-west-2" in dead
    assert not dead & {"orders-us-east-1", "sessions-global-datastore", "orders-us-west-2-monitoring"}


def test_a_lost_cluster_that_left_its_global_cluster_stays_in_the_program(reskflow: World) -> None:
    """The last of ReskFlow's tests: the API puts no cluster back, only Aurora itself does."""
    _lead(reskflow, "us-west-2")
    reskflow.client("rds", "us-west-2").remove_from_global_cluster(
        GlobalClusterIdentifier=GLOBAL,
        DbClusterIdentifier=cluster_arn("us-east-1"),
    )
    _assert_empty(
        reskflow.preview(),
        unguarded={**STANDBY_LEADS, "orders-us-east-1": ("refused", {"globalClusterIdentifier"})},
    )


def test_prod_previews_nothing_but_the_generation_that_a_failback_adds(prod: World) -> None:
    """One failover and failback from end to end: a promotion cannot be undone, so each step stands on the last."""
    _assert_empty(prod.preview(), unguarded={})

    _promote(prod, OTHER_G1)
    promoted: Outcomes = {f"catalog-{OTHER_G1}": ("refused", {"replicateSourceDb"})}
    _assert_empty(prod.preview(lost="eu-west-1"), unguarded=promoted)
    _assert_empty(prod.preview(), unguarded=promoted)

    added = prod.preview(generations=REBUILT)
    assert (added.created, added.deleted) == ({f"catalog-{G2}", f"catalog-{G2}-lag"}, frozenset())
    # What app teams read gains the new endpoint, which AWS has yet to make; nothing else changes but what is declared.
    assert _outcomes(added.changed) == CONTRACT | TASKS
    instance = next(each for each in added.evaluation.resources if each.name == f"catalog-{G2}")
    assert instance.inputs["replicateSourceDb"].endswith(f":db:streamgate-prod-catalog-{OTHER_G1}")
    prod.previewer.apply(added)
    published = prod.preview(generations=REBUILT)
    assert (published.created, _outcomes(published.changed)) == (frozenset(), CONTRACT | SERVICES)
    prod.previewer.apply(published)

    _promote(prod, G2)
    promoted[f"catalog-{G2}"] = promoted[f"catalog-{OTHER_G1}"]
    _assert_empty(prod.preview(generations=REBUILT), unguarded=promoted)

    retired = prod.preview(generations=RETIRED)
    # The replica that stands first from now on has no source to lag behind, and its backups are the ones to copy.
    assert retired.deleted == {f"catalog-{G1}", f"catalog-{OTHER_G1}-lag", "catalog-eu-central-1-backups"}
    assert retired.created == {"catalog-eu-west-1-backups"}
    assert _outcomes(retired.changed) == TASKS
    assert _outcomes(retired.unguarded)[f"catalog-{OTHER_G1}"] == ("in-place", {"password"})
    # The user and the database are read from every replica; compared with what was written, they would replace it.
    first = next(each for each in prod.previewer.stored if each.name == f"catalog-{OTHER_G1}")
    wanted = reveal(retired.evaluation.raw[first.urn])
    assert outcome(INSTANCE, first.inputs, wanted).replaces == ("dbName", "username")
    assert outcome(INSTANCE, first.inputs, wanted, list(PROMOTION_CHANGES[INSTANCE])).outcome == "none"


ELSEWHERE = {
    # The local cloud keeps a global cluster's version beside its members'.
    (GLOBAL_CLUSTER, "engineVersion"): ("16.8", "16.9"),
    # Routing kind `record`, which neither stack uses.
    (RECORD, "records"): (["api.eu-west-1.example.com"], ["api.eu-central-1.example.com"]),
}
"""What no situation above changes: what the program says, and what a promotion leaves."""


def test_every_ignored_property_is_seen_to_change() -> None:
    seen = {
        (CLUSTER, "replicationSourceIdentifier"),
        (CLUSTER, "globalClusterIdentifier"),
        (GLOBAL_DATASTORE, "primaryReplicationGroupId"),
        *((INSTANCE, name) for name in ("replicateSourceDb", "username", "password", "dbName")),
    }
    listed = {(token, name) for token, names in PROMOTION_CHANGES.items() for name in names}
    assert seen | ELSEWHERE.keys() == listed


@pytest.mark.parametrize(("token", "name"), ELSEWHERE)
def test_what_neither_stack_shows_is_ignored_too(token: str, name: str) -> None:
    said, left = ELSEWHERE[token, name]
    assert outcome(token, {name: said}, {name: said}, read_back={name: left}).outcome == "in-place"
    assert outcome(token, {name: said}, {name: said}, [name], read_back={name: left}).outcome == "none"
