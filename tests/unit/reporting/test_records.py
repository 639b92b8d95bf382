"""Files of measured durations: read, put together, refused with their name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.model.plan.graph import Mode
from lifeboat.model.records import Measurement, Subject
from lifeboat.reporting.records import RecordError, Where, load_records

if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[..., None]

ROOT = Path(__file__).parents[3]
PROMOTION = Subject(Mode.FAILOVER, "promote_database", "aurora-global")


def record(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - what a file may hold
    return {
        "format": 1,
        "where": "aws",
        "taken": "2026-03-01",
        "stack": "reskflow",
        "mode": "failover",
        "by": "a drill",
        "steps": [{"kind": "promote_database", "mechanism": "aurora-global", "seconds": [60, 61.5]}],
        **changes,
    }


@pytest.fixture
def write(tmp_path: Path) -> Write:
    (tmp_path / "records").mkdir()

    def written(name: str, content: object) -> None:
        (tmp_path / "records" / name).write_text(content if isinstance(content, str) else json.dumps(content))

    return written


def test_runs_of_the_same_step_count_together(tmp_path: Path, write: Write) -> None:
    write("a.json", record())
    write("b.json", record(steps=[{"kind": "promote_database", "mechanism": "aurora-global", "seconds": [70]}]))
    assert load_records(tmp_path / "records") == {
        PROMOTION: Measurement(seconds=(60, 61.5, 70), source="records/a.json, records/b.json")
    }


def test_the_sandbox_says_nothing_about_aws(tmp_path: Path, write: Write) -> None:
    write("a.json", record(where="sandbox"))
    assert load_records(tmp_path / "records") == {}
    assert load_records(tmp_path / "records", Where.SANDBOX).keys() == {PROMOTION}


def test_without_a_directory_nothing_was_measured(tmp_path: Path) -> None:
    assert load_records(tmp_path / "records") == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "no JSON"),
        ("[]", "the whole: "),
        (record(format=2), "format: "),
        (record(where="moon"), "where: "),
        (record(steps=[{"kind": "x", "seconds": []}]), "steps.0.seconds: "),
        (record(steps=[{"kind": "x", "seconds": [-1]}]), "steps.0.seconds.0: "),
        (record(more=1), "more: "),
    ],
)
def test_a_file_that_is_no_record_is_told_by_name(tmp_path: Path, write: Write, content: object, said: str) -> None:
    write("bad.json", content)
    with pytest.raises(RecordError) as told:
        load_records(tmp_path / "records")
    assert all(line.startswith(f"{tmp_path}/records/bad.json: ") for line in str(told.value).splitlines())
    assert said in str(told.value)


def test_the_example_of_the_readme_is_a_record(tmp_path: Path, write: Write) -> None:
    text = (ROOT / "records/README.md").read_text()
    write("example.json", text.partition("```json\n")[2].partition("```")[0])
    assert len(load_records(tmp_path / "records")) == 2
    load_records(ROOT / "records")
