"""How a container is watched: the pauses, the requests beside, and what is counted."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from ci_action.stages.docker.smoke.state import Asked, Decision
from ci_action.stages.docker.smoke.url import Answer, Fault
from ci_action.stages.docker.smoke.watch import PAUSE, Watch, Watched
from ci_action.system.wait import Clock, Waiting

RUNNING = {"State": {"Status": "running"}}
EXITED = {"State": {"Status": "exited", "ExitCode": 3}}


class Time:
    """A clock that only sleeping moves; before that, threads can end."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []
        self.clock = Clock(now=lambda: 1_000 + self.seconds, sleep=self.sleep, jitter=lambda: 1.0)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and thread.daemon:
                thread.join(0.05)


def watched(
    asked: Asked,
    states: Callable[[float], Mapping[str, Any]],
    answers: Sequence[Answer] = (),
    *,
    limit: float = 60,
    time: Time | None = None,
    late: float = 0,
) -> Watched:
    time = time or Time()
    left = list(answers)

    def request(_: object, seconds: float) -> Callable[[], Answer] | None:
        assert 0 < seconds <= min(10, max(limit - time.seconds, PAUSE)) + 0.001
        return (lambda: left.pop(0) if len(left) > 1 else left[0]) if time.seconds >= late else None

    waiting = Waiting(limit=limit, longest_delay=PAUSE, clock=time.clock)
    return Watch(asked, lambda: states(time.seconds), request, waiting).run()


def test_the_end_of_the_program_is_seen_at_once():
    time = Time()
    found = watched(Asked(), lambda now: EXITED if now >= 2 else RUNNING, time=time)
    assert found.decision is Decision.EXITED
    assert time.seconds < 2 + PAUSE
    assert max(time.slept) <= PAUSE


def test_a_request_that_hangs_hides_no_end():
    never, time = threading.Event(), Time()

    def states() -> Mapping[str, Any]:
        return EXITED if time.seconds >= 1 else RUNNING

    waiting = Waiting(limit=60, longest_delay=PAUSE, clock=time.clock)
    found = Watch(
        Asked(url=True), states, lambda *_: lambda: Answer(status=never.wait(5) or 200), waiting
    ).run()
    never.set()
    assert (found.decision, found.requests) == (Decision.EXITED, 1)


def test_the_request_that_ends_with_the_time_counts():
    time = Time()
    answers = iter([lambda: Answer(fault=Fault.REFUSED), lambda: Answer(fault=Fault.SILENT, text=slow())])
    ended = threading.Event()

    def slow() -> str:
        ended.wait(1)
        return "within 3 s"

    waiting = Waiting(limit=3, longest_delay=PAUSE, clock=time.clock)
    found = Watch(Asked(url=True), lambda: RUNNING, lambda *_: next(answers), waiting).run()
    assert found.decision is Decision.NO_ANSWER
    assert found.requests == 2
    assert found.look.answer
    assert found.look.answer.fault is Fault.SILENT


def test_a_good_answer_is_not_asked_again():
    health = {"State": {"Status": "running", "Health": {"Status": "starting"}}}
    healthy = {"State": {"Status": "running", "Health": {"Status": "healthy"}}}
    found = watched(
        Asked(health=True, url=True), lambda now: healthy if now >= 5 else health, [Answer(status=204)]
    )
    assert (found.decision, found.requests) == (Decision.GOOD, 1)
    assert 5 <= found.look.seconds < 5 + PAUSE


@pytest.mark.parametrize(
    ("first", "requests"),
    [
        (Answer(fault=Fault.REFUSED), 60),
        (Answer(status=503), 11),
    ],
    ids=["as often as it is looked", "each second"],
)
def test_how_often_it_is_asked(first: Answer, requests: int):
    found = watched(Asked(url=True), lambda _: RUNNING, [first], limit=10)
    assert found.decision is not Decision.GOOD
    assert requests * 0.6 <= found.requests <= requests
    assert 10 - 2 * PAUSE <= found.look.seconds <= 10


def test_an_answer_that_changes_is_waited_for():
    answers = [Answer(fault=Fault.REFUSED), Answer(status=404), Answer(status=503), Answer(status=404)]
    time = Time()
    found = watched(Asked(url=True), lambda _: RUNNING, [*answers, *answers[3:] * 2], time=time)
    assert found.decision is Decision.WRONG_STATUS
    # The last 404 came after about two seconds, and counts from then on.
    assert 7 <= time.seconds <= 9


def test_the_place_may_be_known_late():
    found = watched(Asked(url=True), lambda _: RUNNING, [Answer(status=200)], late=3)
    assert (found.decision, found.requests) == (Decision.GOOD, 1)
    assert found.look.seconds >= 3


def test_probes_of_the_engine_are_counted():
    def states(now: float) -> dict[str, Any]:
        log = [{"Start": str(number), "ExitCode": 1} for number in range(int(now))][-5:]
        status = "unhealthy" if now >= 8 else "starting"
        return {"State": {"Status": "running", "Health": {"Status": status, "Log": log}}}

    found = watched(Asked(health=True), states)
    assert (found.decision, found.checks) == (Decision.UNHEALTHY, 8)


def test_an_interruption_ends_it():
    time = Time()
    waiting = Waiting(limit=60, longest_delay=PAUSE, clock=time.clock, stopped=lambda: time.seconds >= 1)
    Watch(Asked(), lambda: RUNNING, lambda *_: None, waiting).run()
    assert time.seconds < 1 + PAUSE
