"""When a test of a container ends, and how: a table over what can be seen of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.stages.docker.smoke.state import UP_SECONDS, Asked, Decision, Look, State, decide
from ci_action.stages.docker.smoke.url import SETTLING_SECONDS, Answer, Fault

HEALTH, URL, BOTH, NOTHING = Asked(health=True), Asked(url=True), Asked(health=True, url=True), Asked()
OK, FOUND, ERROR, ABSENT = (Answer(status=one) for one in (200, 399, 599, 404))
REFUSED, RUBBISH = Answer(fault=Fault.REFUSED), Answer(fault=Fault.PROTOCOL)
WAIT, GOOD, EXITED = Decision.WAIT, Decision.GOOD, Decision.EXITED
UNHEALTHY, NO_ANSWER, WRONG_STATUS = Decision.UNHEALTHY, Decision.NO_ANSWER, Decision.WRONG_STATUS


@pytest.mark.parametrize(
    ("asked", "health", "answer", "settled", "now", "over"),
    [
        (HEALTH, "", None, 0, WAIT, UNHEALTHY),
        (HEALTH, "starting", None, 0, WAIT, UNHEALTHY),
        (HEALTH, "healthy", None, 0, GOOD, GOOD),
        (HEALTH, "unhealthy", None, 0, UNHEALTHY, UNHEALTHY),
        (URL, "", None, 0, WAIT, NO_ANSWER),
        (URL, "", OK, 0, GOOD, GOOD),
        (URL, "", FOUND, 0, GOOD, GOOD),
        (URL, "", ERROR, 0, WAIT, WRONG_STATUS),
        (URL, "", ERROR, 1_000, WAIT, WRONG_STATUS),
        (URL, "", ABSENT, SETTLING_SECONDS - 0.1, WAIT, WRONG_STATUS),
        (URL, "", ABSENT, SETTLING_SECONDS, WRONG_STATUS, WRONG_STATUS),
        (URL, "", REFUSED, 1_000, WAIT, NO_ANSWER),
        (URL, "", RUBBISH, SETTLING_SECONDS - 0.1, WAIT, NO_ANSWER),
        (URL, "", RUBBISH, SETTLING_SECONDS, NO_ANSWER, NO_ANSWER),
        (BOTH, "starting", OK, 0, WAIT, UNHEALTHY),
        (BOTH, "starting", REFUSED, 0, WAIT, UNHEALTHY),
        (BOTH, "starting", None, 0, WAIT, UNHEALTHY),
        (BOTH, "starting", ERROR, 0, WAIT, WRONG_STATUS),
        (BOTH, "starting", ABSENT, SETTLING_SECONDS, WRONG_STATUS, WRONG_STATUS),
        (BOTH, "healthy", None, 0, WAIT, NO_ANSWER),
        (BOTH, "healthy", REFUSED, 0, WAIT, NO_ANSWER),
        (BOTH, "healthy", ERROR, 0, WAIT, WRONG_STATUS),
        (BOTH, "healthy", OK, 0, GOOD, GOOD),
        (BOTH, "unhealthy", OK, 0, UNHEALTHY, UNHEALTHY),
        # An engine that runs checks that the image does not have.
        (URL, "unhealthy", OK, 0, GOOD, GOOD),
    ],
)
def test_what_follows(
    asked: Asked, health: str, answer: Answer | None, settled: float, now: Decision, over: Decision
):
    look = Look(state=State(health=health), answer=answer, settled=settled, seconds=1)
    assert decide(asked, look) is now
    assert decide(asked, look, over=True) is over


@pytest.mark.parametrize(
    ("seconds", "now"), [(0, WAIT), (UP_SECONDS - 0.1, WAIT), (UP_SECONDS, GOOD), (UP_SECONDS + 1, GOOD)]
)
def test_it_has_to_stay_up(seconds: float, now: Decision):
    look = Look(state=State(), seconds=seconds)
    assert decide(NOTHING, look) is now
    assert decide(NOTHING, look, over=True) is GOOD


@pytest.mark.parametrize("status", ["exited", "dead", "removing"])
@pytest.mark.parametrize("asked", [NOTHING, HEALTH, URL, BOTH])
@pytest.mark.parametrize("answer", [None, OK, ERROR])
def test_nothing_counts_after_its_end(status: str, asked: Asked, answer: Answer | None):
    look = Look(state=State(status=status, health="healthy"), answer=answer, seconds=9, settled=9)
    assert decide(asked, look) is EXITED
    assert decide(asked, look, over=True) is EXITED


@given(
    st.sampled_from([NOTHING, HEALTH, URL, BOTH]),
    st.sampled_from(["", "starting", "healthy", "unhealthy"]),
    st.sampled_from([None, OK, FOUND, ERROR, ABSENT, REFUSED, RUBBISH]),
    st.floats(0, 100),
)
def test_it_ends_with_its_time(asked: Asked, health: str, answer: Answer | None, settled: float):
    look = Look(state=State(health=health), answer=answer, settled=settled)
    now, over = decide(asked, look), decide(asked, look, over=True)
    assert over is not WAIT
    assert now in {WAIT, over}
    if over is GOOD:
        assert not asked.health or health == "healthy"
        assert not asked.url or (answer and answer.status in range(200, 400))


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ({"Status": "running"}, State()),
        ({"Status": "running", "Health": None}, State()),
        ({"Status": "running", "Health": {"Status": "none", "Log": None}}, State()),
        ({"Status": "exited", "ExitCode": 137, "OOMKilled": True, "Error": "no"},
         State(status="exited", exit_code=137, out_of_memory=True, error="no")),
        ({"Status": "running", "Health": {"Status": "starting", "Log": [{"Start": "a", "ExitCode": 1, "Output": "x"}]}},
         State(health="starting", checks=(("a", 1, "x"),))),
    ],
)  # fmt: skip
def test_what_the_engine_knows(found: dict[str, Any], state: State):
    assert State.of({"State": found}) == state


@pytest.mark.parametrize(
    ("status", "ended"),
    [("created", False), ("running", False), ("paused", False), ("restarting", False), ("exited", True)],
)
def test_whether_it_has_ended(status: str, ended: bool):
    assert State(status=status).has_ended is ended
