"""What our plugin's events mean: outcomes, places, and lines that it cannot have written."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import layout, write

from ci_action.engine.test_run.events import LONGEST_LINE, UNENDED, Session, parse
from ci_action.engine.test_run.job import session_of
from ci_action.model.tests import TestOutcome, counts

PLACE = layout(Path("/w"))
START = {"event": "start", "pytest": "9.2.0", "python": "3.13.0", "root": "/w"}
FINISH = {"event": "finish", "exit": 0, "collected": 1, "deselected": 0, "dropped": 0, "dropped_names": []}
WARNING = {"event": "warning", "category": "UserWarning", "text": "old", "place": ["/w/a.py", 3]}
AGAIN = {"event": "again", "number": 0}
INTERNAL = {"event": "internal", "text": "boom"}
COLLECT = {"event": "collect", "nodeid": "t.py", "places": [["t.py", 2]], "text": "E   no"}


def read(*lines: str | bytes, place=PLACE) -> Session:
    return parse([line.encode() + b"\n" if isinstance(line, str) else line for line in lines], place)


def told(*events: dict[str, Any], place=PLACE) -> Session:
    return read(*map(json.dumps, events), place=place)


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
        ([SETUP, phase("call", "failed", text="x\nE  boom\ny"), DOWN], "failed", "boom"),
        ([phase("setup", "failed", **FAILED), DOWN], "error", "boom"),
        ([SETUP, CALL, phase("teardown", "failed", **FAILED)], "error", "boom"),
        ([phase("setup", "skipped", message="Skipped: no"), DOWN], "skipped", "no"),
        ([SETUP, phase("call", "skipped", message="Skipped: no"), DOWN], "skipped", "no"),
        ([SETUP, phase("call", "skipped", xfail="why"), DOWN], "xfailed", "why"),
        ([SETUP, phase("call", "skipped", xfail=""), DOWN], "xfailed", ""),
        ([SETUP, phase("call", xfail="why"), DOWN], "xpassed", "why"),
        ([SETUP, phase("call", xfail=""), DOWN], "xpassed", ""),
        ([phase("setup", xfail="why"), DOWN], "error", UNENDED),
        ([SETUP], "error", UNENDED),
        ([SETUP, DOWN], "error", UNENDED),
        ([DOWN, CALL, SETUP], "passed", ""),
        # Once failed is failed, whatever is said before or after it.
        ([SETUP, phase("call", "failed", **FAILED), DOWN, SETUP, CALL, DOWN], "failed", "boom"),
        ([SETUP, CALL, phase("call", "failed", xfail="why", **FAILED), DOWN], "failed", "boom"),
        ([phase("setup", "skipped"), phase("call", "failed", **FAILED)], "failed", "boom"),
        # A worker of xdist that dies: pytest gives no name to the phase.
        ([SETUP, phase("???", "failed", **FAILED)], "error", "boom"),
        # Tries that a plugin repeats are no end of a test.
        ([SETUP, phase("call", "rerun"), DOWN, SETUP, CALL, DOWN], "passed", ""),
        ([SETUP, phase("call", "rerun"), DOWN], "error", UNENDED),
    ],
)
def test_outcomes(events: list[dict[str, Any]], outcome: str, message: str):
    session = told(START, *events, FINISH)
    [case] = session.cases
    assert (case.outcome.value, case.message) == (outcome, message)
    assert case.line in {3, None}
    assert not session.malformed


def test_durations_add_up_and_the_line_is_that_of_the_set_up():
    [case] = told(START, phase("setup", seconds=1), phase("call", seconds=2.5), DOWN, FINISH).cases
    assert (round(case.seconds, 6), case.line, case.path) == (3.6, 3, "t.py")


def test_the_place_is_the_last_one_inside_the_project(tmp_path: Path):
    write(tmp_path, {"t.py": "", "pkg/m.py": "", "v/lib/site-packages/dep.py": ""})
    frames = [
        ["t.py", 3],
        ["pkg/m.py", 7],
        [str(tmp_path / "v/lib/site-packages/dep.py"), 9],
        ["/usr/lib/x.py", 1],
        ["n" * 9000, 1],
    ]
    start = {**START, "root": str(tmp_path)}
    place = layout(tmp_path)
    [case] = told(start, SETUP, phase("call", "failed", places=frames, **FAILED), place=place).cases
    assert (case.path, case.line) == ("pkg/m.py", 7)


def test_a_module_that_cannot_be_collected(tmp_path: Path):
    write(tmp_path, {"t.py": ""})
    event = {**COLLECT, "text": "x\nE   ImportError: no\n"}
    [case] = told({**START, "root": str(tmp_path)}, event, place=layout(tmp_path)).cases
    assert (case.outcome, case.path, case.line, case.message) == (
        TestOutcome.ERROR,
        "t.py",
        2,
        "ImportError: no",
    )


def test_subtests_are_counted_apart():
    parts = [phase("call", "failed", subtest=f"i={number}", **FAILED) for number in range(2)]
    more = [phase("call", "skipped", subtest="s", message="no"), phase("call", "odd", subtest="o")]
    session = told(START, SETUP, *parts, phase("call", subtest="i=9"), *more, CALL, DOWN, FINISH)
    assert counts(session.cases)["tests"] == 1
    assert counts(session.cases)["failed"] == 1
    assert [case.outcome.value for case in session.cases if case.subtest] == [
        "failed", "failed", "passed", "skipped", "error",
    ]  # fmt: skip
    assert session.reported == 1


def test_the_end_says_what_was_counted():
    end = {**FINISH, "exit": 1, "collected": 5, "deselected": 2, "dropped": 4, "dropped_names": ["t.py::x"]}
    session = told(START, WARNING, AGAIN, SETUP, CALL, DOWN, end)
    assert (session.started, session.pytest, session.python) == (True, "9.2.0", "3.13.0")
    assert (session.finished, session.exit, session.collected, session.deselected) == (True, 1, 5, 2)
    assert (session.dropped, session.dropped_names, session.warnings) == (4, ("t.py::x",), 2)


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("/w/pkg/a.py", "pkg/a.py"),
        ("pkg/a.py", "pkg/a.py"),
        ("/env/lib/python3.13/site-packages/dep/x.py", "dep/x.py"),
        ("/w/.venv/lib/site-packages/dep/x.py", "dep/x.py"),
        ("/usr/lib/python3.13/ast.py", "ast.py"),
        ("<string>", "<string>"),
    ],
)
def test_a_warning_has_its_place(file: str, path: str):
    [one] = told(START, {**WARNING, "place": [file, 7]}, FINISH).noted
    assert (one.category, one.message, one.path, one.line, one.number) == ("UserWarning", "old", path, 7, 1)


def test_a_warning_is_kept_once_with_its_number():
    other, many = {**WARNING, "text": "new"}, {**AGAIN, "number": None}
    session = told(START, WARNING, other, AGAIN, {**AGAIN, "number": 1}, AGAIN, many, FINISH)
    assert [(one.message, one.number) for one in session.noted] == [("old", 3), ("new", 2)]
    assert session.warnings == 6


@pytest.mark.parametrize(
    "events",
    [
        [WARNING, AGAIN, START, SETUP, CALL, DOWN, FINISH],
        [START, SETUP, CALL, DOWN, FINISH, WARNING, AGAIN],
        [INTERNAL],
        [WARNING, INTERNAL, START, FINISH],
    ],
)
def test_what_pytest_does_around_a_session_is_no_lie(events: list[dict[str, Any]]):
    assert not told(*events).malformed


def without(event: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != name}


REQUIRED = [
    (event, name)
    for event in (START, FINISH, WARNING, AGAIN, INTERNAL, COLLECT, CALL)
    for name in event
    if name != "places"
]


@pytest.mark.parametrize(("event", "name"), REQUIRED)
def test_a_missing_field_is_a_lie(event: dict[str, Any], name: str):
    before = [] if event is START else [START]
    assert told(*before, without(event, name)).malformed


NO_TEXT: tuple[Any, ...] = (None, 1, True, [], {})
NO_COUNT = (None, "1", True, 1.0, -1, 10**12)
NO_NAME: tuple[Any, ...] = (None, 1, ["t.py::a"], {}, "t.py::\0", "t.py::\ud800")
WRONG: list[tuple[dict[str, Any], str, tuple[Any, ...]]] = [
    (CALL, "seconds", (-0.1, "1", None, True, [], {}, 1e300, 10**30)),
    (CALL, "nodeid", NO_NAME),
    (CALL, "when", NO_TEXT),
    (CALL, "outcome", NO_TEXT),
    (CALL, "at", (None, 1, "t.py", {}, ["t.py"], ["t.py", "3"], ["t.py", 0], ["t.py", 1, 2])),
    (CALL, "at", (["t.py", True], ["t.py", 1.5], ["t.py", None], ["t.py", -1], ["t.py", 10**12])),
    (CALL, "message", NO_TEXT),
    (CALL, "text", NO_TEXT),
    (CALL, "xfail", NO_TEXT),
    (CALL, "subtest", NO_TEXT),
    (CALL, "printed", (None, {}, "x", [1], [[]], [["a"]], [["a", 1]], [[None, "b"]])),
    (CALL, "places", (None, {}, "x", [1], [["a"]], [["a", "1"]], [["a", None]], [[1, 1]], [["\0", 1]])),
    (COLLECT, "nodeid", NO_NAME),
    (COLLECT, "text", NO_TEXT),
    (COLLECT, "places", ([["a", 0]], [["\ud800", 1]])),
    (START, "pytest", NO_TEXT),
    (START, "python", NO_TEXT),
    (START, "root", NO_NAME),
    (FINISH, "exit", (None, "0", True, 0.0, [], 10**12, -(10**12))),
    (FINISH, "collected", NO_COUNT),
    (FINISH, "deselected", NO_COUNT),
    (FINISH, "dropped", NO_COUNT),
    (FINISH, "dropped_names", (None, "x", {}, [1], ["\0"])),
    (INTERNAL, "text", NO_TEXT),
    (WARNING, "category", NO_TEXT),
    (WARNING, "text", NO_TEXT),
    (WARNING, "place", (None, 1, "a.py", ["a.py"], ["a.py", None], ["a\0.py", 1])),
    (AGAIN, "number", NO_COUNT[1:]),
    (CALL, "event", ("", "Test", "later", *NO_TEXT)),
]


@pytest.mark.parametrize(("event", "name", "values"), WRONG)
def test_a_field_of_another_type_is_a_lie(event: dict[str, Any], name: str, values: tuple[Any, ...]):
    before = [] if event is START else [START]
    for value in values:
        assert told(*before, {**event, name: value}).malformed, value


@pytest.mark.parametrize(
    "lines",
    [
        ["rubbish"],
        ["[]"],
        ["1"],
        ["null"],
        ['"start"'],
        ["{}"],
        [""],
        ["[" * 100_000],
        ['{"a":' * 100_000],
        ['{"event": NaN}'],
        [json.dumps(CALL).replace("0.1", "NaN")],
        [json.dumps(CALL).replace("0.1", "Infinity")],
        [json.dumps(CALL).replace("0.1", "-Infinity")],
        [json.dumps(CALL).replace("0.1", "1e999")],
        [json.dumps(CALL).replace("0.1", "1" * 5000)],
        [b"\xff\xfe\n"],
        [json.dumps({**CALL, "text": "x" * LONGEST_LINE})],
    ],
)
def test_what_is_no_event_is_a_lie(lines: list[str | bytes]):
    session = read(json.dumps(START), *lines, json.dumps(FINISH))
    assert session.malformed.startswith("line 2: ")
    assert session.finished


@pytest.mark.parametrize(
    "events",
    [
        [SETUP, START, FINISH],
        [COLLECT, START, FINISH],
        [FINISH, START],
        [FINISH],
        [START, START, FINISH],
        [START, FINISH, FINISH],
        [START, FINISH, SETUP],
        [START, FINISH, CALL],
        [START, FINISH, COLLECT],
        [START, FINISH, INTERNAL],
        [START, FINISH, START],
    ],
)
def test_events_out_of_their_order_are_a_lie(events: list[dict[str, Any]]):
    assert told(*events).malformed


def test_a_module_is_no_test_that_was_reported_and_exit_codes_may_be_negative():
    session = told(START, COLLECT, SETUP, CALL, DOWN, {**FINISH, "exit": -1})
    assert (session.reported, session.exit, session.malformed) == (1, -1, "")


def test_the_second_end_does_not_replace_the_first():
    session = told(START, {**FINISH, "exit": 1}, {**FINISH, "exit": 0, "collected": 0})
    assert (session.exit, session.collected) == (1, 1)
    assert session.malformed.startswith("line 3: ")


def test_the_first_lie_is_named_and_never_quoted():
    session = read(json.dumps(START), "GITHUB_TOKEN=s3cret", "more", json.dumps(FINISH))
    assert session.malformed.startswith("line 2: ")
    assert "s3cret" not in session.malformed


def test_a_process_that_dies_while_it_writes_leaves_a_part_of_a_line():
    half = json.dumps(CALL)[:30].encode()
    session = read(json.dumps(START), json.dumps(SETUP), half)
    assert (session.malformed, session.finished) == ("", False)
    assert read(json.dumps(START), json.dumps(FINISH), half).malformed
    assert [case.message for case in session.cases] == [UNENDED]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KNOWN = st.sampled_from([START, FINISH, WARNING, INTERNAL, COLLECT, SETUP, CALL, DOWN])
NAMES = st.sampled_from(
    sorted({*START, *FINISH, *COLLECT, *CALL, "at", "xfail", "subtest", "printed", "message"})
)
EVENTS = st.builds(lambda event, more: {**event, **more}, KNOWN, st.dictionaries(NAMES, JSON, max_size=2))
LINES = EVENTS.map(json.dumps) | JSON.map(json.dumps) | st.text(max_size=50) | st.binary(max_size=50)


@given(st.lists(LINES, max_size=12))
def test_whatever_stands_there_is_a_session(lines: list[str | bytes]):
    session = read(
        *(line.encode("utf-8", "replace") + b"\n" if isinstance(line, str) else line for line in lines)
    )
    assert session.malformed or all(case.seconds >= 0 for case in session.cases)
    for case in session.cases:
        assert b"\0" not in os.fsencode(case.nodeid)
        json.dumps(case.message + case.detail, ensure_ascii=False).encode()


@given(st.text(min_size=1, max_size=40))
def test_any_name_of_a_test_stays_a_name(name: str):
    nodeid = f"t.py::{name}".replace("\0", "0")
    [case] = told(START, phase("setup", nodeid=nodeid), phase("call", nodeid=nodeid), FINISH).cases
    assert case.nodeid == nodeid


def test_the_file_is_read_as_what_it_is(tmp_path: Path):
    write(
        tmp_path, {"e.jsonl": "".join(f"{json.dumps(one)}\n" for one in (START, SETUP, CALL, DOWN, FINISH))}
    )
    session = session_of(tmp_path / "e.jsonl", tmp_path, PLACE)
    assert (session.malformed, session.finished, session.reported) == ("", True, 1)
    assert session_of(tmp_path / "absent.jsonl", tmp_path, PLACE) == Session()


@pytest.mark.parametrize("kind", ["link", "loop", "pipe", "folder", "device", "huge"])
def test_what_stands_in_the_place_of_the_file_is_no_session(kind: str, tmp_path: Path):
    file = tmp_path / "events/e.jsonl"
    file.parent.mkdir()
    write(tmp_path, {"real.jsonl": json.dumps(START) + "\n" + json.dumps(FINISH) + "\n"})
    if kind == "link":
        file.symlink_to(tmp_path / "real.jsonl")
    elif kind == "loop":
        file.symlink_to(file)
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    elif kind == "device":
        file.symlink_to("/dev/zero")
    else:
        write(file.parent, {"e.jsonl": json.dumps(START) + "\n"})
        os.truncate(file, 600_000_000)
    session = session_of(file, file.parent, PLACE)
    assert session.malformed
    assert not session.finished
