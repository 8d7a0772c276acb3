"""Waiting: the delays, when an answer is final, and what does not end."""

import threading
from collections.abc import Callable

import pytest

from ci_action.system.wait import ATTEMPT_SECONDS, Clock, Waiting


class Time:
    """A clock that only sleeping moves."""

    def __init__(self, jitter: float = 1.0) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []
        self.clock = Clock(now=lambda: self.seconds, sleep=self.sleep, jitter=lambda: jitter)

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.seconds += seconds


@pytest.mark.parametrize(
    ("jitter", "delays"),
    [(1.0, [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]), (0.0, [0.075, 0.15, 0.3, 0.6, 1.2, 1.5, 1.5])],
)
def test_the_delay_doubles_up_to_a_bound(jitter: float, delays: list[float]):
    time = Time(jitter)
    Waiting(limit=60, clock=time.clock).until(lambda _: None, lambda _: 60)
    assert time.slept[:7] == delays
    assert sum(time.slept) <= 60


@pytest.mark.parametrize(
    ("patience", "stopped", "tries"),
    [
        (lambda answer: 60.0 if answer < 3 else 0.0, lambda: False, 3),
        (lambda _: 0.0, lambda: False, 1),
        (lambda _: 0.35, lambda: False, 3),
        (lambda _: 60.0, lambda: False, 4),
        (lambda _: 60.0, lambda: True, 1),
    ],
    ids=["an answer that is final", "the first is final", "its time is over", "all is over", "interrupted"],
)
def test_how_often_is_tried(patience: Callable[[int], float], stopped: Callable[[], bool], tries: int):
    given: list[float] = []

    def attempt(seconds: float) -> int:
        given.append(seconds)
        return len(given)

    last = Waiting(limit=1.0, clock=Time().clock, stopped=stopped).until(attempt, patience)
    assert (last.answer, last.tries, len(given)) == (tries, tries, tries)
    assert all(0 < seconds <= ATTEMPT_SECONDS for seconds in given)


def test_what_does_not_end_keeps_nothing_else():
    never = threading.Event()
    found = Waiting(limit=-ATTEMPT_SECONDS + 0.3).for_all(
        {"a": lambda: "here", "b": lambda: str(never.wait())}
    )
    never.set()
    assert found == {"a": "here", "b": None}
