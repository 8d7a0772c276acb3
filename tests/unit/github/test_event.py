"""The event that started a run."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.builders import write

from ci_action.github.event import Event


def test_jobs_of_a_matrix_and_their_steps_differ():
    run = {"GITHUB_RUN_ID": "9", "GITHUB_JOB": "test", "GITHUB_ACTION": "__self", "RUNNER_NAME": "one"}
    others = [{**run, name: "other"} for name in ("GITHUB_JOB", "GITHUB_ACTION", "RUNNER_NAME")]
    steps = [Event.from_environ(environ).step for environ in (run, *others)]
    assert len({*steps}) == 4
    assert Event.from_environ(run).step == steps[0]


def test_outside_actions_everything_is_empty():
    assert Event.from_environ({}) == Event()


def test_the_event_is_read(tmp_path: Path):
    write(tmp_path, {"event.json": json.dumps({"action": "opened"})})
    event = Event.from_environ(
        {
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_SHA": "abc",
            "GITHUB_SERVER_URL": "https://github.com",
        }
    )
    assert event == Event(
        name="pull_request",
        repository="o/r",
        sha="abc",
        server_url="https://github.com",
        payload={"action": "opened"},
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="absent"),
        pytest.param(b"{", id="cut short"),
        pytest.param(b"\xff\xfe\xfa", id="no text"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b" " * 30_000_001, id="too large"),
    ],
)
def test_a_payload_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None, wording: Any):
    file = tmp_path / "event.json"
    if content is not None:
        file.write_bytes(content)
    event = Event.from_environ({"GITHUB_EVENT_PATH": str(file), "GITHUB_SHA": "abc"})
    assert event.problem == wording
    assert (event.payload, event.sha) == ({}, "abc")


def test_an_empty_payload_is_no_problem(tmp_path: Path):
    write(tmp_path, {"event.json": "{}"})
    assert Event.from_environ({"GITHUB_EVENT_PATH": str(tmp_path / "event.json")}).problem == ""
