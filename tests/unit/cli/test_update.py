"""Updates by site on a `pulumi` process that records how it is called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lifeboat.deployment.engine import Engine, EngineError, find_cli
from lifeboat.deployment.project import InputError, Refused
from lifeboat.deployment.update import Stage, Updater, export_file, ordered
from tests.unit.cli.engine import digest, needs, state, step

if TYPE_CHECKING:
    from pathlib import Path

    from lifeboat.deployment.changes import Preview
    from tests.unit.cli.engine import FakePulumi

HOME, OTHER = "us-east-1", "us-west-2"
HOME_GLOB, OTHER_GLOB = f"**{HOME}**", f"**{OTHER}**"


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def updater(pulumi: FakePulumi, tmp_path: Path, told: list[str]) -> Updater:
    assert pulumi.directory.is_dir()
    return Updater(
        engine=Engine.here(tmp_path, "reskflow"), sites=(HOME, OTHER), tell=told.append, confirm=lambda *_: True
    )


def _updates(pulumi: FakePulumi) -> list[list[str]]:
    return [call for call in pulumi.calls() if call[0] == "up"]


def _up(*targets: str) -> list[str]:
    flags = [flag for target in targets for flag in ("--target", target)] + (["--refresh=false"] if targets else [])
    return ["up", "--yes", "--skip-preview", *flags, "--stack", "reskflow", "--non-interactive"]


def test_a_first_deployment_is_one_update_of_everything(pulumi: FakePulumi, updater: Updater) -> None:
    pulumi.say("stack export", state())
    pulumi.say("preview", digest(step("create", "orders-us-east-1"), step("create", "orders-us-west-2")))
    pulumi.say("up")
    assert updater.everything().stages == (Stage(scope="all", changes={"create": 2}),)
    assert _updates(pulumi) == [_up()]


def test_the_standby_goes_first_and_is_verified_before_the_rest(pulumi: FakePulumi, updater: Updater) -> None:
    pulumi.say("stack export", state("orders-us-east-1", "orders-us-west-2"))
    pulumi.say(f"preview {OTHER_GLOB}", digest(step("update", "orders-us-west-2", protect=True)))
    pulumi.say(f"up {OTHER_GLOB}")
    pulumi.say(f"preview {OTHER_GLOB}", digest())
    pulumi.say("preview", digest(step("update", "orders-us-east-1", protect=True, provider=HOME)))
    pulumi.say("up")
    outcome = updater.everything()
    assert outcome.stages == (Stage(scope=OTHER, changes={"update": 1}), Stage(scope="all", changes={"update": 1}))
    assert _updates(pulumi) == [_up(OTHER_GLOB), _up()]


def test_the_rest_is_untouched_when_the_standby_is_not_as_declared_after_its_update(
    pulumi: FakePulumi, updater: Updater
) -> None:
    change = digest(step("update", "orders-us-west-2", protect=True))
    pulumi.say("stack export", state("orders-us-west-2"))
    for _ in range(2):
        pulumi.say(f"preview {OTHER_GLOB}", change)
    pulumi.say(f"up {OTHER_GLOB}")
    with pytest.raises(
        EngineError, match="us-west-2 is not as declared after its update, the rest is untouched: orders"
    ):
        updater.everything()
    assert _updates(pulumi) == [_up(OTHER_GLOB)]


def test_nothing_to_do_updates_nothing(pulumi: FakePulumi, updater: Updater) -> None:
    pulumi.say("stack export", state("orders-us-west-2"))
    pulumi.say(f"preview {OTHER_GLOB}", digest())
    pulumi.say("preview", digest())
    assert updater.everything().stages == ()
    assert _updates(pulumi) == []


def test_additions_that_the_sites_need_of_each_other_go_together(pulumi: FakePulumi, updater: Updater) -> None:
    pulumi.say("stack export", state("orders-us-east-1", "orders-us-west-2"))
    pulumi.say(f"preview {OTHER_GLOB}", digest(errors=(needs("users-us-west-2", "users-us-east-1"),)), code=1)
    additions = [step("create", f"users-{region}", protect=True) for region in (HOME, OTHER)]
    pulumi.say("preview", digest(*additions, step("update", "orders-us-east-1", protect=True)))
    pulumi.say("up")
    assert updater.everything().stages == (Stage(scope="all", changes={"create": 2, "update": 1}),)


def test_one_update_never_changes_stateful_resources_of_both_sites(pulumi: FakePulumi, updater: Updater) -> None:
    pulumi.say("stack export", state("orders-us-east-1", "orders-us-west-2"))
    pulumi.say(f"preview {OTHER_GLOB}", digest(errors=(needs("users-us-west-2", "users-us-east-1"),)), code=1)
    changes = [step("update", f"orders-{region}", protect=True) for region in (HOME, OTHER)]
    pulumi.say("preview", digest(step("create", "users-us-east-1"), *changes))
    with pytest.raises(Refused, match="both sites: us-east-1: orders-us-east-1; us-west-2: orders-us-west-2\n"):
        updater.everything()
    assert _updates(pulumi) == []


def test_the_active_site_is_last_whichever_it_is(pulumi: FakePulumi, tmp_path: Path) -> None:
    pulumi.say("stack export", state("orders-us-east-1"))
    pulumi.say(f"preview {HOME_GLOB}", digest(step("update", "orders-us-east-1", protect=True)))
    pulumi.say(f"up {HOME_GLOB}")
    pulumi.say(f"preview {HOME_GLOB}", digest())
    pulumi.say("preview", digest())
    sites = ordered((HOME, OTHER), OTHER)
    engine = Engine.here(tmp_path, "reskflow")
    Updater(engine=engine, sites=sites, tell=lambda _: None, confirm=lambda *_: True).everything()
    assert _updates(pulumi) == [_up(HOME_GLOB)]


def test_an_active_site_that_is_none_is_refused() -> None:
    assert ordered((HOME, OTHER), None) == ordered((HOME, OTHER), HOME) == (HOME, OTHER)
    with pytest.raises(
        InputError, match="--active eu-west-1: no site of this stack; its sites are us-east-1, us-west-2"
    ):
        ordered((HOME, OTHER), "eu-west-1")


def test_without_a_site_only_the_survivor_is_a_target(pulumi: FakePulumi, updater: Updater, tmp_path: Path) -> None:
    before = state("orders-us-east-1", "orders-us-west-2")
    pulumi.say("stack export", before)
    pulumi.say(f"preview {OTHER_GLOB}", digest(step("update", "orders-us-west-2", protect=True)))
    pulumi.say(f"up {OTHER_GLOB}")
    keep = export_file(tmp_path, "reskflow")
    outcome = updater.without(HOME, keep)
    assert outcome.stages == (Stage(scope=OTHER, changes={"update": 1}),)
    assert outcome.export == str(keep)
    assert json.loads(keep.read_text()) == before
    assert (keep.stat().st_mode & 0o777, keep.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert (keep.parent / ".gitignore").read_text() == "*\n"
    assert _updates(pulumi) == [_up(OTHER_GLOB)]
    assert not any("--exclude" in argument for call in pulumi.calls() for argument in call)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            (digest(errors=(needs("users-us-west-2", "users-us-east-1"),)), 1),
            "us-west-2 needs something new that is not in it: users-us-west-2 needs users-us-east-1",
        ),
        (
            (digest(step("update", "peering-us-east-1-us-west-2")), 0),
            "the update would need an answer from us-east-1: peering-us-east-1-us-west-2",
        ),
        (
            (digest(step("create", "record-us-west-2", provider=HOME)), 0),
            "the update would need an answer from us-east-1: record-us-west-2",
        ),
        (
            (digest(step("replace", "orders-us-west-2", protect=True)), 0),
            "the update would replace or delete what holds state in the only site left: orders-us-west-2",
        ),
    ],
)
def test_without_a_site_what_reaches_into_it_is_refused(
    pulumi: FakePulumi, updater: Updater, tmp_path: Path, answer: tuple[dict[str, object], int], said: str
) -> None:
    pulumi.say("stack export", state("orders-us-west-2"))
    pulumi.say(f"preview {OTHER_GLOB}", *answer)
    with pytest.raises(Refused) as caught:
        updater.without(HOME, tmp_path / "kept" / "state.json")
    assert caught.value.lines[0] == said
    assert len(caught.value.lines) == 2
    assert _updates(pulumi) == []


def test_without_a_region_that_is_no_site_asks_nobody(pulumi: FakePulumi, updater: Updater, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="--without us-east-2: no site of this stack; its sites are us-east-1, us-west-2"
    ):
        updater.without("us-east-2", tmp_path / "state.json")
    assert pulumi.calls() == []


def test_without_a_site_nothing_can_be_deployed_for_the_first_time(
    pulumi: FakePulumi, updater: Updater, tmp_path: Path
) -> None:
    pulumi.say("stack export", state())
    with pytest.raises(Refused, match="nothing is deployed"):
        updater.without(HOME, tmp_path / "state.json")


def test_an_unconfirmed_standby_stops_before_the_rest(pulumi: FakePulumi, tmp_path: Path) -> None:
    pulumi.say("stack export", state("orders-us-west-2"))
    pulumi.say(f"preview {OTHER_GLOB}", digest(step("update", "orders-us-west-2")))
    asked: list[tuple[str, dict[str, int]]] = []

    def confirm(scope: str, preview: Preview) -> bool:
        asked.append((scope, preview.counts()))
        return False

    engine = Engine.here(tmp_path, "reskflow")
    outcome = Updater(engine=engine, sites=(HOME, OTHER), tell=lambda _: None, confirm=confirm).everything()
    assert (outcome.stages, asked) == ((), [(OTHER, {"update": 1})])
    assert [call[0] for call in pulumi.calls()] == ["stack", "preview"]


def test_a_failed_preview_gives_the_engines_reason_in_one_line(pulumi: FakePulumi, updater: Updater) -> None:
    pulumi.say("stack export", state("orders-us-west-2"))
    pulumi.say(f"preview {OTHER_GLOB}", digest(errors=("provider aws-us-west-2:\n  no credentials",)), code=255)
    with pytest.raises(EngineError) as caught:
        updater.everything()
    assert str(caught.value) == "`pulumi preview` failed for reskflow: error: provider aws-us-west-2: no credentials"


def test_a_programs_traceback_is_reduced_to_what_it_says(pulumi: FakePulumi, updater: Updater) -> None:
    traceback = 'Program failed:\nTraceback (most recent call last):\n  File "x.py", line 1\nValueError: no zone'
    pulumi.say("stack export", state("orders-us-west-2"))
    pulumi.say(f"preview {OTHER_GLOB}", digest(errors=(traceback,)), code=255)
    with pytest.raises(EngineError, match=r"failed for reskflow: error: Program failed: ValueError: no zone$"):
        updater.everything()


def test_a_failed_update_and_a_failed_export_are_failures(pulumi: FakePulumi, updater: Updater) -> None:
    pulumi.say("stack export", "", code=255)
    with pytest.raises(EngineError, match="`pulumi stack export` failed for reskflow"):
        updater.everything()
    pulumi.say("stack export", state())
    pulumi.say("preview", digest(step("create", "orders-us-east-1")))
    pulumi.say("up", "", code=255)
    with pytest.raises(EngineError, match="`pulumi up` failed for reskflow; the state holds what was done"):
        updater.everything()


def test_no_cli_says_who_helps() -> None:
    with pytest.raises(InputError, match="no Pulumi CLI on PATH: `lifeboat doctor` says how"):
        find_cli({"PATH": "/nonexistent"})
