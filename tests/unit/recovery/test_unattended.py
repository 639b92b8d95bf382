"""What a warden begins, with exactly the words that it begins it with."""

from __future__ import annotations

import json
import shlex
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from components.aws import warden as component
from lifeboat.model.settings.load import from_stack_file
from lifeboat.recovery import unattended
from lifeboat.recovery.gatefile import boot_id
from lifeboat.recovery.lease_record import LeaseRecord, RunClaimedError
from lifeboat.recovery.lease_store import Unreachable, Versioned
from lifeboat.recovery.run_state import WARDEN, Consent
from lifeboat.recovery.runner import Runner
from lifeboat.recovery.views import Confirmed, Watched
from lifeboat.recovery.warden import Command
from tests.live.waiting import until
from tests.sandbox.recovery_world import STACK

if TYPE_CHECKING:
    from pathlib import Path

    from lifeboat.recovery.lease import LeaseWatch

_NOTE = "import json, os, sys; open(sys.argv[1] + '.part', 'w').write(json.dumps(sys.argv[2:])); "
_NOTE += "os.rename(sys.argv[1] + '.part', sys.argv[1])"


WATCHED = Watched(epoch=1, holder="us-east-1", beat=7, aside="1/3", since=1150.0)
CONFIRMED = Confirmed(
    site="us-east-1", observers=("us-east-2", "us-west-2"), seconds=61.5, at=1234.25, boot="b", watched=WATCHED
)


def words(tmp_path: Path, resume: str | None, confirmed: Confirmed | None) -> list[str]:
    """What a program is told that a warden begins."""
    noted = tmp_path / "words"
    command = Command([sys.executable, "-c", _NOTE, str(noted), "--config", component.CONFIGURATION_FILE])
    command("us-west-2", "us-east-1 has failed (us-west-2 sees: orders: no answer)", resume, confirmed)
    until(noted.exists)
    command.close()
    found: list[str] = json.loads(noted.read_text())
    return found


@pytest.mark.parametrize(
    ("resume", "confirmed"), [(None, CONFIRMED), (None, None), ("failover-20270131T120000Z-1f3a", None)]
)
def test_what_a_warden_says_is_understood(tmp_path: Path, resume: str | None, confirmed: Confirmed | None) -> None:
    given = unattended.parser().parse_args(words(tmp_path, resume, confirmed))
    assert (str(given.config), given.target, given.resume) == (component.CONFIGURATION_FILE, "us-west-2", resume)
    assert given.reason.startswith("us-east-1 has failed")
    assert given.confirmed == confirmed


@pytest.mark.parametrize(
    ("fault", "code"),
    [(Unreachable("no answer"), unattended.FAILED), (RunClaimedError("another", by="r"), unattended.REFUSED)],
)
def test_what_the_lease_says_ends_it_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, code: int
) -> None:
    def start(_: Runner, consent: Consent) -> None:
        assert consent == Consent(by=(WARDEN,), confirmed=CONFIRMED)
        raise fault

    monkeypatch.setattr(unattended, "log_to", lambda _: None)
    monkeypatch.setattr(unattended.signal, "signal", lambda *_: None)
    monkeypatch.setattr(Runner, "start", start)
    told = ["--config", config(tmp_path), "--target", "us-west-2", "--reason", "none", "--confirmed", CONFIRMED.dump()]
    assert unattended.main(told) == code


class Far:
    """A watch's lease: as the warden saw it last, or renewed since."""

    def __init__(self, beat: int) -> None:
        record = replace(LeaseRecord.first("us-east-1", 30), beat=beat)
        self.kept = Versioned(version=9, record=record, aside="1/3")

    def read(self) -> Versioned:
        return self.kept


@pytest.mark.parametrize(
    ("beat", "changes", "goes_on"),
    [
        (7, {}, True),
        (8, {}, False),
        (7, {"boot": "another"}, False),
        (7, {"seconds": 9.0}, False),
        (7, {"at": -120.0}, False),
    ],
)
def test_what_the_warden_had_watched_of_the_lease_is_not_watched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beat: int, changes: dict[str, Any], goes_on: bool
) -> None:
    made: list[LeaseWatch] = []

    def there(*_arguments: object, watch: LeaseWatch | None, **_more: object) -> None:
        assert watch is not None
        made.append(watch)
        raise Unreachable("no further")

    monkeypatch.setattr(unattended, "log_to", lambda _: None)
    monkeypatch.setattr(unattended, "outside", there)
    now = time.monotonic()
    changes = {"boot": boot_id(), **changes, "at": now + changes.get("at", 0.0)}
    confirmed = replace(CONFIRMED, watched=replace(WATCHED, since=now - 35), **changes)
    told = ["--config", config(tmp_path), "--target", "us-west-2", "--reason", "none", "--confirmed", confirmed.dump()]
    with pytest.raises(Unreachable):
        unattended.main(told)
    (watch,) = made
    # By itself it proves nothing.
    assert not watch.expired
    watch.look(cast("Any", Far(beat)))
    # A ttl of 30 s and a margin of 5 s.
    assert watch.expired is goes_on


def test_a_container_begins_that_program_with_the_file_that_it_wrote() -> None:
    python, flag, module, option, file = component.FAILOVER
    assert (python, flag, option) == ("python", "-m", "--config")
    assert module == unattended.__name__
    start = shlex.split(component.START)
    assert start[start.index(">") + 1] == file
    assert start[-2:] == [option, file]


def config(tmp_path: Path, region: str = "us-west-2") -> str:
    settings = json.loads(from_stack_file(STACK, "Pulumi.shop.yaml").document())
    path = tmp_path / "warden.json"
    path.write_text(json.dumps({"region": region, "settings": settings, "gate": str(tmp_path / "gate.json")}))
    return str(path)


def test_a_target_that_is_no_site_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = ["--config", config(tmp_path), "--target", "eu-west-1", "--reason", "none"]
    assert unattended.main(told) == unattended.BAD_INPUT
    assert "target: eu-west-1: accepted is us-east-1 or us-west-2" in capsys.readouterr().err


def test_a_file_that_is_no_configuration_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "warden.json").write_text("{}")
    told = ["--config", str(tmp_path / "warden.json"), "--target", "us-west-2", "--reason", "none"]
    assert unattended.main(told) == unattended.BAD_INPUT
    assert "region" in capsys.readouterr().err
