"""What GitHub's refusals mean; what they say is foreign text."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hostile_text import FOREIGN

from ci_action.github.errors import Answer, ApiError, decoded, refusal


def answer(status: int = 403, body: Any = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, json.dumps(body if body is not None else {"message": "no"}))


@pytest.mark.parametrize(
    ("given_", "limited", "pause"),
    [
        (answer(), False, 60),
        (answer(404, retry_after="5"), False, 5),
        (answer(429), True, 60),
        (answer(429, retry_after="0"), True, 0),
        (answer(403, retry_after="7"), True, 7),
        (answer(403, retry_after="soon"), True, 60),
        (answer(403, retry_after="-1"), True, 60),
        (answer(403, retry_after="\u0663"), True, 60),
        (answer(403, x_ratelimit_remaining="0"), True, 60),
        (answer(403, x_ratelimit_remaining="0", x_ratelimit_reset="1"), True, 1),
        (answer(403, x_ratelimit_remaining="10", x_ratelimit_reset="99999999999"), False, 60),
        (answer(403, {"message": "You have exceeded a secondary rate limit"}), True, 60),
        (answer(403, {"message": "API rate limit exceeded for user ID 1."}), True, 60),
    ],
)
def test_when_to_ask_again(given_: Answer, limited: bool, pause: float):
    assert (given_.limited, given_.pause()) == (limited, pause)


def test_the_pause_goes_to_the_reset():
    reset = str(int(time.time()) + 1_000)
    assert 990 < answer(403, x_ratelimit_remaining="0", x_ratelimit_reset=reset).pause() < 1_010


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"message": "Validation Failed", "errors": [{"resource": "IssueComment", "field": "body", "code": "missing"}]}, "Validation Failed; IssueComment body missing"),
        ({"message": "no", "errors": ["first", {"message": "second"}, 3, "fourth"]}, "no; first; second"),
        ({"message": "no", "errors": "a text"}, "no; a text"),
        ({"message": 1, "errors": {"code": 2}}, ""),
        ([1], ""),
        ("text", ""),
    ],
)  # fmt: skip
def test_what_github_says_is_told(body: Any, said: str):
    assert answer(422, body).message == said


@given(FOREIGN, st.sampled_from([400, 401, 403, 404, 410, 422, 429, 500, 599]))
def test_every_refusal_is_one_sentence_of_one_line(text: str, status: int):
    error = refusal(answer(status, {"message": text * 50, "errors": [text]}), "do it", "checks: write")
    assert error.reason.startswith("the request to do it failed: ")
    assert error.status == status
    assert len(error.reason) < 4_000  # a character that cannot be shown takes ten
    assert error.reason.isprintable() or not any(one in error.reason for one in "\n\r\x1b\0\x85\u2028")


@given(st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")) | FOREIGN)
def test_what_is_no_json_of_the_shape_is_refused(text: str):
    for shape in (dict, list):
        found, reason = None, ""
        try:
            found = decoded(Answer(200, {}, text), "do it", shape)
        except ApiError as error:
            reason = error.reason
        assert isinstance(found, shape) or reason.startswith("the request to do it failed: GitHub's answer ")


@pytest.mark.parametrize(("needs", "told"), [("checks: write", True), ("pull-requests: read", False)])
def test_a_token_that_only_reads_is_named_where_something_was_to_be_written(needs: str, told: bool):
    reason = refusal(answer(), "do it", needs).reason
    assert f"permissions: {needs}`" in reason
    assert ("Dependabot" in reason) is told
