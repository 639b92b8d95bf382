"""In which order a drill does what, and what becomes of it, in a played world."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.recovery.drill.outcomes import UNCONFIRMED
from lifeboat.recovery.drill.run import Drill
from lifeboat.recovery.drill.world import DrillError
from lifeboat.recovery.journal import Event
from lifeboat.recovery.lease_record import RunClaim
from lifeboat.recovery.steps import confirm_outage
from tests.unit.cli.conftest import STACK_FILE
from tests.unit.recovery.drill.parts import DNS, HOME, STANDBY, call, entry, failover, opened, subject
from tests.unit.recovery.drill.world import PlayedWorld

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lifeboat.recovery.drill.evidence import Evidence
    from lifeboat.recovery.journal import Entry


BY_PEOPLE = STACK_FILE.replace("approval: automatic", "approval: one").replace("rto: 15m", "rto: 1h") + DNS
PLAIN = BY_PEOPLE.replace("{name: orders}", "{name: orders, mechanism: replica}", 1)
EARLY = f"{HOME} is not confirmed as lost by two of three viewpoints for 45 s"
UNREADY = "key of orders: no"


def drilled(
    world: PlayedWorld,
    directory: Path,
    name: str = "region-failure",
    *,
    scale: float = 10,
    text: str = STACK_FILE + DNS,
    recovery_only: bool = False,
) -> Evidence:
    wanted = subject(name, scale=scale, text=text, recovery_only=recovery_only)
    return Drill(wanted, world, directory, lambda _: None).run()


def fails_over(world: PlayedWorld) -> None:
    world.journal += failover(world.wall())
    world.move(STANDBY)


def comes_home(world: PlayedWorld) -> None:
    run = "failback-20270131T130000Z-2a2a"
    world.journal += [
        opened(1, world.wall(), run=run, mode="failback", lost=""),
        entry(2, world.wall(), Event.ENDED, run=run, result="done"),
    ]
    world.move(HOME)


def protects(world: PlayedWorld) -> None:
    world.journal.append(entry(2, world.wall(), Event.DONE, run="exposure", store="orders"))


@pytest.fixture
def world() -> PlayedWorld:
    """A region fails, the standby takes over after 30 s, and everything goes as it should."""
    return PlayedWorld(after={30: fails_over}, commands={"rejoin": protects, "failback": comes_home})


def results(evidence: Evidence) -> dict[str, str]:
    return {check.name: check.result for check in evidence.verdict.checks}


def test_a_region_failure_in_its_order(world: PlayedWorld, tmp_path: Path) -> None:
    evidence = drilled(world, tmp_path)
    assert evidence.verdict.passed, evidence.verdict
    once = [line for at, line in enumerate(world.log) if line not in world.log[:at]]
    assert once == [
        "start",
        "workload 20/s",
        "readiness reskflow",
        "inject region-blackout",
        f"read {STANDBY}",
        "heal region-blackout",
        "rejoin reskflow",
        "failback reskflow",
        "stop workload",
        f"read {HOME}",
        "stop",
    ]


def test_one_that_ends_with_the_recovery_comes_back_no_way_and_judges_none(world: PlayedWorld, tmp_path: Path) -> None:
    evidence = drilled(world, tmp_path, recovery_only=True)
    assert evidence.verdict.passed, evidence.verdict
    assert evidence.recovery_only
    # What stands is healed all the same: nothing is left broken, and home is asked what is left over.
    after = world.log[world.log.index("inject region-blackout") :]
    assert after == [
        "inject region-blackout",
        f"read {STANDBY}",
        "heal region-blackout",
        "stop workload",
        "stop workload",
        "stop",
    ]
    told = results(evidence)
    assert (told["recovery time"], told["protection"]) == ("met", "not judged")
    assert not [name for name in told if name.endswith("at the end")]
    assert {loss.lost_at_end for loss in evidence.losses} == {None}
    assert evidence.history.writers == {1: HOME, 2: STANDBY}


def test_times_are_observed_and_scaled_back_apart(world: PlayedWorld, tmp_path: Path) -> None:
    evidence = drilled(world, tmp_path)
    rto = evidence.recovery.rto
    assert rto is not None
    assert rto.scaled_back == pytest.approx(10 * rto.observed)
    assert 30 <= rto.observed < 31
    assert evidence.recovery.objective == 900
    assert evidence.recovery.projected_p50
    assert [phase.phase for phase in evidence.phases] == ["decide", "recover", "verify"]
    assert evidence.history.writers == {1: HOME, 2: STANDBY, 3: HOME}
    assert [(each.store, each.over) for each in evidence.exposures] == [("orders", True)]


def test_a_run_under_way_is_hardly_watched_and_its_end_is_seen_at_once(tmp_path: Path) -> None:
    read: list[float] = []

    class Watched(PlayedWorld):
        def entries(self) -> Sequence[Entry]:
            read.append(self.now - (self.fault or self.now))
            return super().entries()

    def claims(world: PlayedWorld) -> None:
        world.holder = replace(world.holder, run=RunClaim(id="r", runner="warden", kind="failover", target=STANDBY))

    world = Watched(after={10: claims, 50: fails_over})
    evidence = drilled(world, tmp_path, recovery_only=True)
    assert evidence.verdict.passed, evidence.verdict
    assert len([at for at in read if 10 < at < 50]) == pytest.approx(40 / 5, abs=2)
    assert min(at for at in read if at >= 50) < 51


def test_a_recovery_that_takes_too_long_fails(world: PlayedWorld, tmp_path: Path) -> None:
    world.after = {100: fails_over}
    evidence = drilled(world, tmp_path)
    assert not evidence.verdict.passed
    assert results(evidence)["recovery time"] == "missed"
    assert evidence.verdict.headline.startswith("Failed: recovery time: 100")


def test_seconds_of_loss_are_judged_by_what_they_may_be_at_most(world: PlayedWorld, tmp_path: Path) -> None:
    def loses(played: PlayedWorld) -> None:
        played.gone = {each.write.order for each in played.writes[-4:]}
        fails_over(played)

    world.after = {30: loses}
    evidence = drilled(world, tmp_path)
    assert results(evidence)["loss of database orders"] == "met"
    assert sum(loss.lost for loss in evidence.losses) > 0


def test_what_is_lost_on_the_way_back_fails_it_at_any_scale(world: PlayedWorld, tmp_path: Path) -> None:
    def forgets(played: PlayedWorld) -> None:
        comes_home(played)
        played.gone = {("ttl", played.number)}

    world.commands["failback"] = forgets
    assert results(drilled(world, tmp_path))["database orders at the end"] == "missed"


def test_what_comes_back_makes_up_for_nothing_that_is_lost_on_the_way(world: PlayedWorld, tmp_path: Path) -> None:
    def loses(played: PlayedWorld) -> None:
        played.gone = {("ttl", 1)}
        fails_over(played)

    def swaps(played: PlayedWorld) -> None:
        comes_home(played)
        played.gone = {("ttl", played.number)}

    world.after = {30: loses}
    world.commands["failback"] = swaps
    assert results(drilled(world, tmp_path))["database orders at the end"] == "missed"


def test_no_failover_is_told_and_everything_is_healed(world: PlayedWorld, tmp_path: Path) -> None:
    world.after = {}
    evidence = drilled(world, tmp_path)
    assert results(evidence)["outcome"] == "missed"
    assert "none began" in evidence.verdict.headline
    assert "heal region-blackout" in world.log
    assert "rejoin reskflow" not in world.log


def test_a_failover_that_gets_stuck_names_the_step_and_its_deadline(world: PlayedWorld, tmp_path: Path) -> None:
    def gets_stuck(played: PlayedWorld) -> None:
        now, run = played.wall(), "failover-20270131T120000Z-1a1a"
        fault = "missed its deadline of 900 s"
        played.journal += [
            opened(1, now, run=run),
            entry(2, now, Event.STARTED, step="promote-database/orders", run=run),
            entry(3, now + 90, Event.FAILED, step="promote-database/orders", run=run, fault=fault),
            entry(1, now + 1, Event.REFUSED, run="failover-late", mode="failover", claimed_by="witness"),
        ]

    world.after = {30: gets_stuck}
    evidence = drilled(world, tmp_path)
    assert "is under way: promote-database/orders: missed its deadline of 900 s" in evidence.verdict.headline


def test_a_refused_rejoin_is_tried_again_and_a_failed_one_is_not(world: PlayedWorld, tmp_path: Path) -> None:
    world.answers = {"rejoin": [3, 3]}
    assert drilled(world, tmp_path).verdict.passed
    assert world.log.count("rejoin reskflow") == 3
    broken = PlayedWorld(after={30: fails_over}, answers={"rejoin": [1]}, commands=world.commands)
    evidence = drilled(broken, tmp_path)
    assert "failback reskflow" not in broken.log
    assert [check.said for check in evidence.verdict.checks if check.name == "afterwards"] == [
        "lifeboat rejoin exits with 1: rejoin said so"
    ]
    assert results(evidence)["protection"] == "missed"


def test_an_answer_from_the_lost_region_fails_it(world: PlayedWorld, tmp_path: Path) -> None:
    def asks(played: PlayedWorld) -> None:
        played.ledger.append(call(played.wall(), answer="200"))
        fails_over(played)

    world.after = {30: asks}
    evidence = drilled(world, tmp_path)
    assert results(evidence)["lost region"] == "missed"
    assert [(row.operation, row.depended) for row in evidence.calls] == [("DescribeDBClusters", True)]


def test_what_is_left_over_fails_it(world: PlayedWorld, tmp_path: Path) -> None:
    def litters(played: PlayedWorld) -> None:
        comes_home(played)
        played.left = {"us-west-2 rds cluster left"}

    world.commands["failback"] = litters
    evidence = drilled(world, tmp_path)
    assert evidence.orphans == ("us-west-2 rds cluster left",)
    assert results(evidence)["no orphan"] == "missed"


def test_what_is_gone_fails_it(world: PlayedWorld, tmp_path: Path) -> None:
    def removes(played: PlayedWorld) -> None:
        comes_home(played)
        played.taken = {f"{STANDBY} rds cluster orders"}

    world.commands["failback"] = removes
    evidence = drilled(world, tmp_path)
    assert evidence.vanished == (f"{STANDBY} rds cluster orders",)
    assert results(evidence)["no orphan"] == "missed"


def test_a_journal_that_cannot_be_read_proves_nothing(world: PlayedWorld, tmp_path: Path) -> None:
    def silences(played: PlayedWorld) -> None:
        comes_home(played)
        played.journal_lost = True

    world.commands["failback"] = silences
    with pytest.raises(DrillError, match="the journal cannot be read"):
        drilled(world, tmp_path)
    assert world.log[-1] == "stop"


def test_a_stack_that_clients_cannot_reach_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    world = PlayedWorld()
    with pytest.raises(DrillError, match="dns: no endpoint: accepted is one at least"):
        drilled(world, tmp_path, text=STACK_FILE)
    with pytest.raises(DrillError, match="databases: empty: accepted is one at least"):
        drilled(world, tmp_path, text=STACK_FILE.replace("  lifeboat:databases:\n    - {name: orders}\n", "") + DNS)
    assert world.log == []


def test_where_people_approve_the_drill_plays_them(tmp_path: Path) -> None:
    def decided(played: PlayedWorld) -> int:
        if played.fault is None or played.now - played.fault < 20:
            return 3
        fails_over(played)
        return 0

    world = PlayedWorld(codes={"failover": decided}, commands={"rejoin": protects, "failback": comes_home})
    evidence = drilled(world, tmp_path, text=BY_PEOPLE)
    assert evidence.verdict.passed, evidence.verdict
    words = next(words for words in world.commanded if words[0] == "failover")
    assert words[1:5] == ("reskflow", "--lost", HOME, "--yes")
    assert [word.partition("=")[0] for word in words[5:]] == ["--approved-by"] * 2
    assert world.log.count("failover reskflow") > 1
    assert "people approve, played by the drill (drill and rehearsal): failover --lost us-east-1" in {
        moment.what for moment in evidence.moments
    }
    failed = PlayedWorld(answers={"failover": [1]})
    assert "lifeboat failover --lost us-east-1 exits with 1: failover said so" in (
        drilled(failed, tmp_path, text=BY_PEOPLE).verdict.headline
    )


def test_a_failover_that_people_are_refused_to_the_end_is_told(tmp_path: Path) -> None:
    world = PlayedWorld(codes={"failover": lambda _: 3})
    evidence = drilled(world, tmp_path, scale=30, text=BY_PEOPLE)
    assert "lifeboat failover --lost us-east-1 exits with 3" in evidence.verdict.headline


def test_the_next_generation_of_a_replica_is_no_orphan_and_has_to_be_declared_first(tmp_path: Path) -> None:
    def decided(played: PlayedWorld) -> int:
        fails_over(played)
        return 0

    def rebuilds(played: PlayedWorld) -> None:
        protects(played)
        run = "rejoin-20270131T123000Z-3b3b"
        played.journal += [
            opened(1, played.wall(), run=run, mode="rejoin", lost=""),
            entry(2, played.wall(), Event.ENDED, run=run, result="done"),
        ]
        played.left = {f"{HOME} rds instance reskflow-production-orders-{HOME}-g2"}

    def litters(played: PlayedWorld) -> None:
        rebuilds(played)
        played.left.add(f"{HOME} rds instance reskflow-production-orders-{HOME}-g3")

    world = PlayedWorld(codes={"failover": decided}, commands={"rejoin": rebuilds})
    evidence = drilled(world, tmp_path, text=PLAIN)
    assert evidence.verdict.passed, evidence.verdict
    assert evidence.orphans == ()
    assert "failback reskflow" not in world.log
    (way,) = [check for check in evidence.verdict.checks if check.name == "way home"]
    assert way.result == "not judged"
    assert "the youngest of databases[0].generations" in way.said
    more = PlayedWorld(codes={"failover": decided}, commands={"rejoin": litters})
    assert drilled(more, tmp_path, text=PLAIN).orphans == (f"{HOME} rds instance reskflow-production-orders-{HOME}-g3",)


def test_a_fault_that_resists_healing_is_told(world: PlayedWorld, tmp_path: Path) -> None:
    world.resists = True
    evidence = drilled(world, tmp_path)
    assert "healing: not all is healed" in [check.said for check in evidence.verdict.checks]


def test_a_planned_move_is_timed_by_its_silence_and_comes_back(tmp_path: Path) -> None:
    def moves(played: PlayedWorld) -> None:
        played.now += 5
        played.move(STANDBY)

    world = PlayedWorld(commands={"failover": moves, "failback": comes_home})
    evidence = drilled(world, tmp_path, "graceful-switchover")
    assert evidence.verdict.passed, evidence.verdict
    assert evidence.recovery.rto is not None
    assert 5 <= evidence.recovery.rto.observed < 6
    assert "rejoin reskflow" not in world.log
    lossy = PlayedWorld(commands={"failover": moves, "failback": comes_home}, gone={("ttl", 3)})
    assert results(drilled(lossy, tmp_path, "graceful-switchover"))["loss of database orders"] == "missed"


def test_where_nothing_may_move_a_move_is_seen(tmp_path: Path) -> None:
    still = PlayedWorld()
    evidence = drilled(still, tmp_path, "asymmetric-partition")
    assert evidence.verdict.passed, evidence.verdict
    assert still.fault is not None
    assert still.now - still.fault >= 30
    assert evidence.recovery.rto is None
    moved = drilled(PlayedWorld(after={10: fails_over}), tmp_path, "asymmetric-partition")
    assert results(moved)["outcome"] == "missed"
    assert "us-west-2 holds epoch 2" in moved.verdict.headline


def test_silence_is_no_proof_that_nothing_moved(tmp_path: Path) -> None:
    def silences(played: PlayedWorld) -> None:
        played.lease_lost = True

    def answers(played: PlayedWorld) -> None:
        played.lease_lost = False

    world = PlayedWorld(after={45: answers})
    inject = world.inject

    def injected(documents: Sequence[Mapping[str, Any]]) -> str:
        silences(world)
        return inject(documents)

    world.inject = injected  # type: ignore[method-assign]
    unread = drilled(world, tmp_path, "asymmetric-partition")
    assert results(unread)["outcome"] == "missed"
    assert "the lease could not be read" in unread.verdict.headline
    lasting = drilled(PlayedWorld(after={10: silences}), tmp_path, "asymmetric-partition")
    assert "the lease cannot be read" in lasting.verdict.headline

    def refuses_and_silences(played: PlayedWorld) -> None:
        refuses(played)
        silences(played)

    alone = PlayedWorld(after={10: refuses_and_silences})
    assert "the lease cannot be read" in drilled(alone, tmp_path, "standby-unready").verdict.headline


@pytest.mark.parametrize("name", ["asymmetric-partition", "standby-unready"])
def test_what_moves_while_all_comes_back_is_seen(tmp_path: Path, name: str) -> None:
    world = PlayedWorld(after={10: refuses}) if name == "standby-unready" else PlayedWorld()
    heal = world.heal

    def moves(identifier: str) -> None:
        heal(identifier)
        fails_over(world)

    world.heal = moves  # type: ignore[method-assign]
    evidence = drilled(world, tmp_path, name)
    assert results(evidence)["outcome"] == "missed"
    assert "holds epoch" in evidence.verdict.headline


def test_what_was_prepared_stands_until_the_region_is_back(tmp_path: Path) -> None:
    world = PlayedWorld(after={20: refuses})
    wrote: list[int] = []
    heal = world.heal

    def healed(identifier: str) -> None:
        wrote.append(world.number)
        heal(identifier)

    world.heal = healed  # type: ignore[method-assign]
    assert drilled(world, tmp_path, "standby-unready").verdict.passed
    first, second = wrote
    assert second > first


def refuses(played: PlayedWorld, why: str = UNREADY) -> None:
    run = f"failover-{len(played.journal)}"
    played.journal.append(entry(1, played.wall(), Event.REFUSED, run=run, mode="failover", reasons=why))


def test_people_are_refused_for_the_standbys_sake_and_not_for_haste(tmp_path: Path) -> None:
    def decided(played: PlayedWorld) -> int:
        assert played.fault is not None
        refuses(played, EARLY if played.now - played.fault < 20 else UNREADY)
        return 3

    world = PlayedWorld(codes={"failover": decided})
    evidence = drilled(world, tmp_path, "standby-unready", text=BY_PEOPLE)
    assert evidence.verdict.passed, evidence.verdict
    assert f"refused: {UNREADY}" in {moment.what for moment in evidence.moments}

    def hasty(played: PlayedWorld) -> int:
        refuses(played, EARLY)
        return 3

    never = drilled(PlayedWorld(codes={"failover": hasty}), tmp_path, "standby-unready", scale=30, text=BY_PEOPLE)
    assert "no failover was refused in time" in never.verdict.headline
    done = drilled(PlayedWorld(codes={"failover": lambda _: 0}), tmp_path, "standby-unready", text=BY_PEOPLE)
    assert "exits with 0, not refused" in done.verdict.headline


def test_a_hasty_failover_is_told_from_others_by_the_words_of_the_step_itself() -> None:
    assert UNCONFIRMED in EARLY
    assert UNCONFIRMED in Path(confirm_outage.__file__).read_text(encoding="utf-8")


def test_a_refusal_leaves_everything_as_it_is(tmp_path: Path) -> None:
    world = PlayedWorld(after={20: refuses})
    evidence = drilled(world, tmp_path, "standby-unready")
    assert evidence.verdict.passed, evidence.verdict
    assert world.log.index("inject api-errors") < world.log.index("inject region-blackout")
    assert {"heal api-errors", "heal region-blackout"} <= set(world.log)
    assert [run.why for run in evidence.runs] == ["key of orders: no"]
    both = PlayedWorld(after={20: refuses, 19: fails_over})
    assert results(drilled(both, tmp_path, "standby-unready"))["outcome"] == "missed"


def test_a_restored_database_has_everything_from_before(tmp_path: Path) -> None:
    evidence = drilled(PlayedWorld(), tmp_path, "database-corruption")
    assert evidence.verdict.passed, evidence.verdict
    assert results(evidence)["recovery time"] == "not judged"
    assert evidence.recovery.rto is not None
    assert evidence.recovery.rto.observed == 4
    missing = drilled(PlayedWorld(gone={("ttl", 2)}), tmp_path, "database-corruption")
    assert results(missing)["loss of database orders"] == "missed"


def test_what_never_works_is_no_drill(tmp_path: Path) -> None:
    world = PlayedWorld(answers={"readiness": [3] * 10_000})
    with pytest.raises(DrillError, match="not so within 180 s: the standby is ready: readiness said so"):
        drilled(world, tmp_path)
    assert world.log[-2:] == ["stop workload", "stop"]
    absent = PlayedWorld(starts=False)
    with pytest.raises(DrillError, match="does not come up"):
        drilled(absent, tmp_path)
    assert absent.log == ["start", "stop"]


def test_measured_steps_are_written_by_mode(world: PlayedWorld, tmp_path: Path) -> None:
    carried = Drill(subject(scale=1), world, tmp_path, lambda _: None)
    carried.run()
    names = [path.name.partition("region-failure-")[2] for path in carried.record(tmp_path / "records")]
    assert names == ["failover-seed-7.json", "failback-seed-7.json"]


def test_the_record_of_a_played_drill_is_the_golden_one() -> None:
    from tests.unit.recovery.drill.golden import golden  # noqa: PLC0415 - it imports from here

    assert golden() == Path(__file__).with_name("evidence.json").read_text()
