"""What a run accepts as a confirmed loss, by a clock that passes only while it waits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from lifeboat.recovery import viewpoint
from lifeboat.recovery.errors import RecoveryRefused
from lifeboat.recovery.gatefile import boot_id
from lifeboat.recovery.ports import Pace
from lifeboat.recovery.run_state import WARDEN, Consent, Outcome
from lifeboat.recovery.steps import confirm_outage
from lifeboat.recovery.views import Confirmed, Sight, View

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from lifeboat.recovery.run_state import StepRun

EAST, WEST, WITNESS = "us-east-1", "us-west-2", "us-east-2"
HANDED = Confirmed(site=EAST, observers=(WITNESS, WEST), seconds=60.0, at=990.0, boot=boot_id())


@dataclass
class Scene:
    """What the wardens say of the east, and what is seen from here, in the west."""

    confirmed: Confirmed | None = HANDED
    says: dict[str, bool] = field(default_factory=lambda: {WEST: True, WITNESS: True})
    """By observer: whether it sees the east as lost."""
    here: bool = True
    now: float = 1000.0
    beat: int = 0
    pace: Pace = field(default_factory=Pace)

    def clock(self) -> float:
        return self.now

    def wait(self, event: threading.Event | None, seconds: float) -> None:
        assert event is None
        self.now += seconds

    def views(self) -> Mapping[str, str]:
        self.beat += 1
        return {observer: self.view(observer, lost).dump() for observer, lost in self.says.items()}

    def view(self, observer: str, lost: bool) -> View:
        return View(observer=observer, process="p", beat=self.beat, sights={EAST: Sight(lost=lost)})

    def perform(self, monkeypatch: pytest.MonkeyPatch) -> Outcome:
        monkeypatch.setattr(viewpoint, "look", lambda _run, _site: self.view(WEST, self.here))
        run = SimpleNamespace(
            plan=SimpleNamespace(source=EAST, target=WEST),
            physical=SimpleNamespace(settings=SimpleNamespace(lease=SimpleNamespace(confirm_for=60.0))),
            consent=Consent(by=(WARDEN,), confirmed=self.confirmed),
            ports=self,
            views=self,
            viewpoint=WEST,
            deadline=self.now + 600,
        )
        return confirm_outage.perform(cast("Any", None), cast("StepRun", run))


def test_what_the_warden_confirmed_is_not_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    assert "as a warden had confirmed for 60 s" in scene.perform(monkeypatch).said
    assert scene.now == 1000.0


@pytest.mark.parametrize(
    "confirmed", [None, replace(HANDED, at=900.0), replace(HANDED, site=WEST), replace(HANDED, seconds=20.0)]
)
def test_what_is_too_old_or_too_little_is_confirmed_anew(
    monkeypatch: pytest.MonkeyPatch, confirmed: Confirmed | None
) -> None:
    scene = Scene(confirmed=confirmed)
    assert scene.perform(monkeypatch).said.startswith(f"{EAST} is lost: ")
    assert scene.now >= 1060.0


def test_a_region_that_came_back_meanwhile_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(here=False)
    with pytest.raises(RecoveryRefused, match="not confirmed"):
        scene.perform(monkeypatch)


def test_another_viewpoint_than_those_that_agreed_does_not_stand_in_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    # What the store holds of who did not agree may be of a warden that is gone.
    scene = Scene(says={EAST: True, WITNESS: False})
    assert scene.perform(monkeypatch).said.startswith(f"{EAST} is lost: ")
    assert scene.now >= 1060.0


WELL = Confirmed(site=EAST, observers=(WITNESS, WEST), seconds=60.0, at=100.0, boot="b")


@pytest.mark.parametrize(
    ("handed", "now", "stands"),
    [
        (WELL, 139.0, True),
        (WELL, 140.0, False),
        (WELL, 99.0, False),
        (replace(WELL, site=WEST), 100.0, False),
        (replace(WELL, seconds=59.0), 100.0, False),
        (replace(WELL, observers=(WEST, WEST)), 100.0, False),
        (replace(WELL, boot="another"), 100.0, False),
    ],
)
def test_a_confirmation_stands_for_its_site_its_time_and_its_machine(
    handed: Confirmed, now: float, stands: bool
) -> None:
    assert handed.stands(EAST, seconds=60.0, fresh=40.0, now=now, boot="b") is stands


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"site": 1}', WELL.dump().replace("60.0", '"soon"')])
def test_a_text_that_is_no_confirmation_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no confirmation"):
        Confirmed.load(text)
