"""A run of pytest while it runs: its lines and its counts, whatever the project's code writes."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.engine.live import Standing
from ci_action.engine.test_run.watch import LONGEST_KEPT, Lines, Tally, Watch
from ci_action.system.process import Growing


class Shown:
    """Records what is shown."""

    def __init__(self, *, ready: bool = True) -> None:
        self.is_ready = ready
        self.lines: list[str] = []
        self.standings: list[Standing] = []

    def ready(self) -> bool:
        return self.is_ready

    def printed(self, _tool: str, lines: Sequence[str]) -> None:
        self.lines += lines

    def moved(self, _tool: str, at: Standing) -> None:
        self.standings.append(at)


@given(st.lists(st.binary(max_size=12), max_size=20), st.randoms(use_true_random=False))
def test_lines_are_the_same_however_they_are_divided(rows: list[bytes], random: Any):
    text = b"".join(row.replace(b"\n", b"") + b"\n" for row in rows)
    cuts = sorted(random.randrange(len(text) + 1) for _ in range(5))
    parts = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    lines = Lines()
    found = [line for part in parts for line in lines.add(part)] + list(lines.end())
    assert found == [row.decode("utf-8", "replace").rstrip("\r") for row in text.split(b"\n")[:-1]]


def test_a_line_without_an_end_is_shown_at_the_end():
    lines = Lines()
    assert list(lines.add(b"ab")) == []
    assert list(lines.add(b"c")) == []
    assert list(lines.end()) == ["abc"]
    assert list(lines.end()) == []


def test_an_endless_line_is_shown_in_part_and_not_kept():
    lines = Lines()
    found = list(lines.add(b"x" * (LONGEST_KEPT + 1)))
    found += lines.add(b"y" * 100)
    found += lines.add(b"z\nnext\n")
    assert [line[:4] for line in found] == ["xxxx", "next"]


def events(*rows: dict[str, Any]) -> list[bytes]:
    return [json.dumps(row).encode() for row in rows]


def phase(nodeid: str, outcome: str = "passed", when: str = "call", **more: Any) -> dict[str, Any]:
    return {"event": "test", "nodeid": nodeid, "when": when, "outcome": outcome, "seconds": 0.1, **more}


COLLECTED = {"event": "collected", "tests": 9}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([COLLECTED], (0, 9, 0, ()), id="collected"),
        pytest.param([phase("a"), phase("a", when="teardown")], (1, 0, 0, ()), id="passed"),
        pytest.param([phase("a")], (0, 0, 0, ()), id="not yet over"),
        pytest.param(
            [phase("a", "failed", message="boom\nmore"), phase("a", when="teardown")],
            (1, 0, 1, ("FAILED a: boom",)),
            id="failed",
        ),
        pytest.param(
            [phase("a", "failed", when="setup", text="E  fixture 'x' not found"), phase("a", when="teardown")],
            (1, 0, 1, ("ERROR a: fixture 'x' not found",)),
            id="an error",
        ),
        pytest.param(
            [phase("a", "failed", message="x"), phase("a", "failed", when="teardown", message="y")],
            (1, 0, 1, ("FAILED a: x",)),
            id="failed twice",
        ),
        pytest.param([phase("a", "failed", subtest="one")], (0, 0, 0, ()), id="a subtest"),
        pytest.param(
            [{"event": "collect", "nodeid": "a.py", "text": "E   ImportError: no"}],
            (0, 0, 1, ("ERROR a.py: ImportError: no",)),
            id="a module",
        ),
        pytest.param([{"event": "test"}, {"x": 1}, {"event": "collected", "tests": "9"}], (0, 0, 0, ()), id="bad"),
        pytest.param([{"event": "collected", "tests": -4}], (0, 0, 0, ()), id="less than none"),
        pytest.param(
            [phase("a\n::error::x", "failed", message="\x1b[31m")],
            (0, 0, 1, ("FAILED a ::error::x: ␛[31m",)),
            id="hostile",
        ),
    ],
)  # fmt: skip
def test_the_counts(rows: list[dict[str, Any]], expected: tuple[Any, ...]):
    tally = Tally()
    for line in events(*rows):
        tally.read(line)
    at = tally.standing()
    assert (at.done, at.total, at.failed, at.failures) == expected
    assert tally.standing().failures == ()


@given(st.binary(max_size=60))
def test_rubbish_counts_nothing(line: bytes):
    tally = Tally()
    tally.read(line)
    assert tally.standing() == Standing()


@pytest.mark.parametrize(
    ("at", "line"),
    [
        (Standing(), ""),
        (Standing(total=3), "0 of 3 tests"),
        (Standing(done=1), "1 test"),
        (Standing(done=1200, total=2000, failed=2), "1,200 of 2,000 tests, 2 failed"),
    ],
)
def test_counts_in_words(at: Standing, line: str):
    assert at.line == line


@pytest.fixture
def streams(tmp_path: Path) -> Any:
    with (tmp_path / "out").open("w+b") as out, (tmp_path / "err").open("w+b") as err:
        yield out, err


def test_lines_and_counts_are_shown_as_they_grow(streams: Any, tmp_path: Path):
    out, err = streams
    shown, file = Shown(), tmp_path / "first.jsonl"
    watch, growing = Watch(shown, file), Growing(out, err)
    watch.look(growing)
    out.write(b"one\ntw")
    out.flush()
    with file.open("ab") as stream:
        stream.write(events(COLLECTED)[0] + b"\n" + events(phase("a", when="teardown"))[0][:20])
    watch.look(growing)
    assert shown.lines == ["one"]
    out.write(b"o\n")
    err.write(b"late")
    out.flush()
    err.flush()
    with file.open("ab") as stream:
        stream.write(events(phase("a", when="teardown"))[0][20:] + b"\n")
    watch.look(growing)
    watch.end()
    assert shown.lines == ["one", "two", "late"]
    assert [at.line for at in shown.standings] == ["", "0 of 9 tests", "1 of 9 tests"]


def test_nothing_is_shown_before_it_may_be_and_then_all(streams: Any, tmp_path: Path):
    out, err = streams
    shown = Shown(ready=False)
    watch, growing = Watch(shown, tmp_path / "first.jsonl"), Growing(out, err)
    out.write(b"early\n")
    out.flush()
    watch.look(growing)
    assert shown.lines == []
    shown.is_ready = True
    watch.look(growing)
    assert shown.lines == ["early"]


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_the_file_of_events_may_be_anything(streams: Any, tmp_path: Path, kind: str):
    file = tmp_path / "pytest" / "first.jsonl"
    file.parent.mkdir()
    if kind == "link":
        outside = tmp_path / "outside"
        outside.write_bytes(events(COLLECTED)[0] + b"\n")
        file.symlink_to(outside)
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.mkdir()
    shown = Shown()
    Watch(shown, file).look(Growing(*streams))
    assert shown.standings == [Standing()]


def test_tests_that_run_again_are_not_reported_again(streams: Any, tmp_path: Path):
    file = tmp_path / "again0.jsonl"
    file.write_bytes(events(phase("a", "failed", message="x"))[0] + b"\n")
    shown = Shown()
    streams[0].write(b"a\n")
    streams[0].flush()
    Watch(shown, file, again=True).look(Growing(*streams))
    assert shown.standings[0].failures == ()
    assert len(shown.lines) == 2
