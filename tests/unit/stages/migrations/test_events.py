"""The events of the child process: only whole ones that come from it count."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.migration_events import event, failure, lines, phase, whole

from ci_action.model.migrations import Direction
from ci_action.stages.migrations.events import LONGEST_LINE, Done, Executed, PhaseStart, Stepped, read

UP = phase("upgrade")
STEP = event("step", revision="a1", direction="upgrade", seconds=0.25, failed=False)
STATEMENT = event(
    "statement",
    revision="a1",
    file="/repository/a1.py",
    line=7,
    sql="DROP TABLE x",
    transaction=True,
    rewrites=[["public.x", 4]],
)


def test_a_whole_run():
    found = read(whole(phase("upgrade", STEP, STATEMENT), phase("downgrade"), phase("drift")))
    assert found.ended
    assert not found.malformed
    assert list(found.phases) == ["upgrade", "downgrade", "drift"]
    start, step, statement, done = found.phases["upgrade"]
    assert start == PhaseStart("upgrade")
    assert step == Stepped("a1", Direction.UPGRADE, 0.25, failed=False)
    assert isinstance(statement, Executed)
    assert statement.rewrites == (("public.x", 4),)
    assert done == Done("upgrade", 0.5, 1, finished=True)


@pytest.mark.parametrize(
    ("raw", "ended", "malformed"),
    [
        ([], False, False),
        (lines(*UP), False, False),
        (lines(*UP, b'{"event": "en'), False, False),
        (lines(*UP, b'{"event": "en\n', event("end")), False, True),
        (lines(*UP, b"printed by the project\n", event("end")), False, True),
        (lines(*UP, event("end"), event("end")), False, True),
        (lines(*UP, event("end"), STEP), False, True),
        (lines(*UP, event("end"), b'{"torn'), False, True),
        (lines(*UP, event("unheard"), event("end")), False, True),
        (lines(*UP, {"no": "event"}, event("end")), False, True),
        (lines(*UP, b"[1]\n", event("end")), False, True),
        (lines(*UP, {**STEP, "direction": "sideways"}, event("end")), False, True),
        (lines(*UP, {**STEP, "seconds": -1}, event("end")), False, True),
        (lines(*UP, {**STATEMENT, "line": "7"}, event("end")), False, True),
        (lines(*UP, {**STATEMENT, "file": "a\0b"}, event("end")), False, True),
        (lines(*UP, failure(error=None), event("end")), False, True),
        (lines(*UP, b'{"event": "end", "x": NaN}\n'), False, True),
        (lines(*UP, b" " * (LONGEST_LINE + 1) + b"\n", event("end")), False, True),
        (lines(*UP, b" " * (LONGEST_LINE + 1)), False, True),
        (lines(event("end")), True, False),
        (lines(*UP, event("end")), True, False),
        (lines(*UP, json.dumps(event("end")).encode()), True, False),
    ],
)
def test_what_is_not_whole(raw: list[bytes], ended: bool, malformed: bool):
    found = read(raw)
    assert found.ended is ended
    assert bool(found.malformed) is malformed


def test_the_first_wrong_line_is_named():
    found = read(lines(event("end"), STEP, STEP))
    assert "2" in found.malformed
    assert "3" not in found.malformed


def test_events_before_a_phase_belong_to_none():
    found = read(lines(STEP, *UP))
    assert len(found.events) == 3
    assert len(found.phases["upgrade"]) == 2


@given(st.integers(0, 2000))
def test_a_cut_file_never_ends(size: int):
    raw = b"".join(whole(phase("upgrade", STEP), phase("downgrade"), phase("drift")))
    kept = raw[: min(size, len(raw) - 2)]
    assert not read(kept.splitlines(keepends=True)).ended


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.lists(st.binary() | _JSON.map(lambda one: json.dumps(one).encode()), max_size=8), st.data())
def test_any_line_is_read(raw: list[bytes], data: Any):
    kinds = st.sampled_from(
        ["start", "phase", "step", "failure", "differs", "drift", "done", "timeout", "end"]
    )
    some: dict[str, Any] = {"event": data.draw(kinds), data.draw(st.text()): data.draw(_JSON)}
    read([*(one + b"\n" for one in raw), json.dumps(some).encode()])
