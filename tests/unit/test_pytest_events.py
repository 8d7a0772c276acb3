"""What our plugin's events mean: outcomes, places, and sessions that did not come to their end."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders import layout, write
from hypothesis import given
from hypothesis import strategies as st

from ci_action.cases import TestOutcome, counts
from ci_action.parsers.pytest_events import UNENDED, parse

PLACE = layout(Path("/w"))
START = {"event": "start", "pytest": "9.2.0", "python": "3.13.0", "root": "/w"}
FINISH = {"event": "finish", "exit": 0, "collected": 1}


def told(*events: dict[str, Any], place=PLACE):
    return parse("\n".join(map(json.dumps, events)), place)


def phase(when: str, outcome: str = "passed", nodeid: str = "t.py::a", **facts: Any) -> dict[str, Any]:
    at = {"at": ["t.py", 3]} if when == "setup" else {}
    return {
        "event": "test",
        "nodeid": nodeid,
        "when": when,
        "outcome": outcome,
        "seconds": 0.1,
        **at,
        **facts,
    }


SETUP, CALL, DOWN = phase("setup"), phase("call"), phase("teardown")
FAILED = {"message": "boom", "text": "E boom"}


@pytest.mark.parametrize(
    ("events", "outcome", "message"),
    [
        ([SETUP, CALL, DOWN], "passed", ""),
        ([SETUP, phase("call", "failed", **FAILED), DOWN], "failed", "boom"),
        ([phase("setup", "failed", **FAILED), DOWN], "error", "boom"),
        ([SETUP, CALL, phase("teardown", "failed", **FAILED)], "error", "boom"),
        ([phase("setup", "skipped", message="Skipped: no"), DOWN], "skipped", "no"),
        ([SETUP, phase("call", "skipped", message="Skipped: no"), DOWN], "skipped", "no"),
        ([SETUP, phase("call", "skipped", xfail="why"), DOWN], "xfailed", "why"),
        ([SETUP, phase("call", xfail="why"), DOWN], "xpassed", "why"),
        ([SETUP], "error", UNENDED),
        ([DOWN, CALL, SETUP], "passed", ""),
    ],
)
def test_outcomes(events: list[dict[str, Any]], outcome: str, message: str):
    [case] = told(START, *events, FINISH).cases
    assert (case.outcome.value, case.message, case.line) == (outcome, message, 3)


def test_the_place_is_the_last_one_inside_the_project(tmp_path: Path):
    write(tmp_path, {"t.py": "", "pkg/m.py": "", "v/lib/site-packages/dep.py": ""})
    frames = [
        ["t.py", 3],
        ["pkg/m.py", 7],
        [str(tmp_path / "v/lib/site-packages/dep.py"), 9],
        ["/usr/lib/x.py", 1],
    ]
    start = {**START, "root": str(tmp_path)}
    place = layout(tmp_path)
    [case] = told(start, SETUP, phase("call", "failed", places=frames, **FAILED), place=place).cases
    assert (case.path, case.line) == ("pkg/m.py", 7)


def test_a_module_that_cannot_be_collected(tmp_path: Path):
    write(tmp_path, {"t.py": ""})
    event = {
        "event": "collect",
        "nodeid": "t.py",
        "places": [["t.py", 2]],
        "text": "x\nE   ImportError: no\n",
    }
    [case] = told({**START, "root": str(tmp_path)}, event, place=layout(tmp_path)).cases
    assert (case.outcome, case.path, case.line, case.message) == (
        TestOutcome.ERROR,
        "t.py",
        2,
        "ImportError: no",
    )


def test_subtests_are_counted_apart():
    parts = [phase("call", "failed", subtest=f"i={number}", **FAILED) for number in range(2)]
    session = told(START, SETUP, *parts, phase("call", "passed", subtest="i=9"), CALL, DOWN, FINISH)
    assert counts(session.cases)["tests"] == 1
    assert counts(session.cases)["failed"] == 1
    assert len(session.cases) == 4
    assert session.reported == 1


def test_what_is_no_event_is_counted_and_never_trusted():
    session = parse('{"event": "start"\nrubbish\n[1]\n{"no": 1}\n' + json.dumps(FINISH), PLACE)
    assert (session.started, session.finished, session.unreadable) == (False, True, 4)


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str):
    assert not parse(text, PLACE).cases


@given(st.text(min_size=1, max_size=40))
def test_any_name_of_a_test_stays_a_name(name: str):
    nodeid = f"t.py::{name}"
    [case] = told(START, phase("setup", nodeid=nodeid), phase("call", nodeid=nodeid), FINISH).cases
    assert case.nodeid == nodeid
