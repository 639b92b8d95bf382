"""Who says `later` is asked again for so long; any other answer is one."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from lifeboat.recovery.patience import Patience
from lifeboat.recovery.switches import METRIC, SwitchMetrics

SECONDS = 3.0


class Place:
    """One that answers as it is told, on a clock that only waiting moves."""

    def __init__(self, *answers: Exception | str) -> None:
        self.answers = list(answers)
        self.told: list[bool] = []
        self.now = 0.0
        self.patience = Patience(seconds=SECONDS, clock=lambda: self.now, wait=self.wait)

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def ask(self, doubtful: bool) -> str:
        self.told.append(doubtful)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def refusal(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutItem")


THROTTLED = refusal("ThrottlingException", 400)
FAILED = refusal("InternalServerError", 500)
REFUSED = refusal("ConditionalCheckFailedException", 400)


def test_it_is_asked_until_it_answers_and_every_further_attempt_is_doubtful() -> None:
    place = Place(THROTTLED, FAILED, THROTTLED, "so it is")
    assert place.patience.ask(place.ask) == "so it is"
    assert place.told == [False, True, True, True]
    assert 0 < place.now < SECONDS


def test_patience_ends_and_the_last_answer_is_told() -> None:
    place = Place(THROTTLED)
    with pytest.raises(ClientError) as told:
        place.patience.ask(place.ask)
    assert told.value is THROTTLED
    assert SECONDS / 2 < place.now <= SECONDS


@pytest.mark.parametrize("fault", [REFUSED, ConnectTimeoutError(endpoint_url="https://east")])
def test_what_another_attempt_does_not_change_is_told_at_once(fault: Exception) -> None:
    place = Place(fault)
    with pytest.raises(type(fault)):
        place.patience.ask(place.ask)
    assert (place.told, place.now) == ([False], 0.0)


def test_doubt_from_before_is_handed_on() -> None:
    place = Place("so it is")
    assert place.patience.ask(place.ask, doubtful=True) == "so it is"
    assert place.told == [True]


class Metrics:
    """CloudWatch, asked through a place."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.points: list[tuple[str, float]] = []

    def put_metric_data(self, **told: Any) -> None:  # noqa: ANN401 - what the call takes
        self.place.ask(False)
        self.points += [(point["MetricName"], point["Value"]) for point in told["MetricData"]]


def test_a_switch_is_set_although_its_first_call_is_throttled() -> None:
    place = Place(THROTTLED, FAILED, "taken")
    metrics = Metrics(place)
    SwitchMetrics(metrics, "Lifeboat/shop", place.patience).publish({"us-east-1": 1, "us-west-2": 0})
    assert metrics.points == [(METRIC, 1.0), (METRIC, 0.0)]
