"""The record and its page: numbers appear, nothing is fetched, nothing breaks out of its place."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lifeboat.recovery.drill import chart
from lifeboat.recovery.drill.evidence import Evidence
from lifeboat.recovery.drill.page import page, seconds

GOLDEN = Path(__file__).with_name("evidence.json")
_VOID = {"meta", "rect", "line", "polyline", "br"}


class Reader(HTMLParser):
    """Text and tags of a page; every tag that is opened must be closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} is closed, and another one is open"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return Evidence.model_validate_json(GOLDEN.read_text())


def read(evidence: Evidence) -> Reader:
    reader = Reader()
    reader.feed(page(evidence))
    reader.close()
    assert reader.open == []
    return reader


def test_the_record_is_kept_as_it_was_written(evidence: Evidence) -> None:
    assert evidence.text() == GOLDEN.read_text()
    assert json.loads(evidence.text())["format"] == 1


def test_the_verdict_comes_first_and_the_numbers_appear(evidence: Evidence) -> None:
    text = " ".join(" ".join(read(evidence).texts).split())
    assert text.index("Passed") < text.index(evidence.verdict.headline) < text.index("What was judged")
    for said in (
        "objective 15m; observed 30.0 s at time scale 10",
        "5 min 00 s",
        "DescribeDBClusters",
        "Epoch 2: us-west-2",
        "lifeboat drill reskflow --scenario=region-failure --seed=7",
        *(check.said for check in evidence.verdict.checks),
    ):
        assert said in text, said


def test_nothing_is_fetched_and_nothing_runs(evidence: Evidence) -> None:
    reader = read(evidence)
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in reader.tags}
    assert not [
        name for _, attributes in reader.tags for name in attributes if name in {"src", "href"} or name[:2] == "on"
    ]
    (policy,) = [each["content"] for tag, each in reader.tags if tag == "meta" and "http-equiv" in each]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_whoever_cannot_see_it_is_told(evidence: Evidence) -> None:
    reader = read(evidence)
    drawn = [each for tag, each in reader.tags if tag == "svg" and each.get("role") == "img"]
    named = {each["id"] for tag, each in reader.tags if tag in {"title", "desc"} and "id" in each}
    assert len(drawn) == 2
    assert all(set(str(each["aria-labelledby"]).split()) <= named for each in drawn)
    assert all("scope" in each for tag, each in reader.tags if tag == "th")


def test_texts_of_others_stay_texts(evidence: Evidence) -> None:
    run = evidence.runs[0].model_copy(update={"why": "<script>alert(1)</script>"})
    marked = page(evidence.model_copy(update={"runs": (run,)}))
    assert "<script" not in marked
    assert "&lt;script&gt;" in marked


def test_a_drill_that_ended_with_the_recovery_says_so(evidence: Evidence) -> None:
    said = "This drill ended once the stack had recovered: no rejoin, no failback."
    assert said not in page(evidence)
    shortened = read(evidence.model_copy(update={"recovery_only": True}))
    assert said in " ".join(shortened.texts)


def test_a_failed_drill_says_so(evidence: Evidence) -> None:
    verdict = evidence.verdict.model_copy(update={"passed": False, "headline": "Failed: recovery time"})
    text = page(evidence.model_copy(update={"verdict": verdict}))
    assert '<div class="verdict "' in text
    assert "<strong>Failed</strong>" in text


def test_a_drill_in_which_nothing_was_measured_has_a_page(evidence: Evidence) -> None:
    recovery = evidence.recovery.model_copy(
        update={"rto": None, "objective": None, "first_write": None, "last_straggler": None, "downtime": None}
    )
    series = evidence.series.model_copy(update={"slices": ()})
    bare = {"recovery": recovery, "series": series, "losses": (), "runs": (), "phases": (), "calls": (), "moments": ()}
    read(evidence.model_copy(update=bare))


def test_bars_stand_on_each_other_and_inside(evidence: Evidence) -> None:
    axis = chart.axis(evidence)
    bars = list(chart.bars(evidence, axis))
    assert {bar.kind for bar in bars} == {"site0", "site1", "refused"}
    assert all(bar.y >= 0 and bar.y + bar.height <= chart.HEIGHT + 0.1 for bar in bars)
    assert all(chart.LEFT <= bar.x <= chart.WIDTH for bar in bars)
    assert min(bar.y for bar in bars) == pytest.approx(0, abs=0.2)


def test_the_line_of_latency_is_broken_where_nothing_was_acknowledged(evidence: Evidence) -> None:
    assert len(list(chart.lines(evidence, chart.axis(evidence), "p50"))) == 2


@pytest.mark.parametrize(
    ("value", "said"), [(None, "never"), (0.04, "0.0 s"), (99.94, "99.9 s"), (305.0, "5 min 05 s")]
)
def test_durations_are_read_at_a_glance(value: float | None, said: str) -> None:
    assert seconds(value) == said
