"""Progress while tools run: on a terminal, in the log of a job, and elsewhere."""

import io
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.text import Text
from support.builders import tool, tool_result, workflow
from support.hostile_text import FOREIGN
from support.runner_model import commands

from ci_action.engine.live import Standing
from ci_action.reporters.context import Screen
from ci_action.reporters.progress import (
    BEAT_SECONDS,
    MOST_STREAMED,
    GroupProgress,
    LineProgress,
    LiveProgress,
)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def names(out: str) -> list[str]:
    return [one.name for one in commands(out)]


def test_the_output_of_a_tool_is_in_a_group_while_it_runs(tmp_path: Path, capsys):
    progress = GroupProgress(workflow(tmp_path))
    progress.printed("pytest", ["a.py .", "::error::x", "b.py F"])
    out = capsys.readouterr().out
    assert names(out) == ["group", "stop-commands"]
    assert "a.py .\n\\::error::x\nb.py F\n" in out
    progress.ended(tool_result(tool="pytest", log="a.py .\n"))
    rest = capsys.readouterr().out
    assert names(out + rest) == ["group", "stop-commands", "endgroup", "group", "stop-commands", "endgroup"]
    assert "a.py" not in rest  # it was shown


def test_groups_of_others_wait_for_the_end_of_an_open_one(tmp_path: Path, capsys):
    progress = GroupProgress(workflow(tmp_path))
    progress.printed("pytest", ["one"])
    progress.ended(tool_result(tool="other"))
    progress.printed("other", ["not now"])
    progress.printed("pytest", ["two"])
    assert "one\ntwo\n" in capsys.readouterr().out
    progress.ended(tool_result(tool="pytest"))
    titles = [one.data for one in commands(capsys.readouterr().out) if one.name == "group"]
    assert [title.split()[0] for title in titles] == ["pytest", "other"]


def test_a_tool_that_printed_nothing_has_its_log_at_the_end(tmp_path: Path, capsys):
    GroupProgress(workflow(tmp_path)).ended(tool_result(tool="pytest", log="all of it\n"))
    assert "all of it" in capsys.readouterr().out


def test_only_so_many_lines_are_shown_and_then_the_last_ones_at_the_end(tmp_path: Path, capsys):
    progress = GroupProgress(workflow(tmp_path))
    for _ in range(MOST_STREAMED // 1000 + 3):
        progress.printed("pytest", ["x"] * 1000)
    out = capsys.readouterr().out
    assert out.count("x\n") == MOST_STREAMED
    progress.ended(tool_result(tool="pytest", log="the last line\n"))
    assert "the last line" in capsys.readouterr().out


def test_a_silent_tool_shows_its_counts_now_and_then(tmp_path: Path, capsys):
    clock = Clock()
    progress = GroupProgress(workflow(tmp_path), clock)
    at = Standing(done=3, total=9, failed=1)
    for _ in range(4):
        progress.moved("pytest", at)
        clock.now += BEAT_SECONDS / 2
    assert capsys.readouterr().out.count("3 of 9 tests, 1 failed") == 1
    progress.printed("pytest", ["a.py ."])
    progress.moved("pytest", at)
    assert "3 of 9" not in capsys.readouterr().out


@given(st.lists(FOREIGN, min_size=1, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_line_of_a_tool_is_a_command(capsys, tmp_path: Path, lines: list[str]):
    progress = GroupProgress(workflow(tmp_path))
    progress.printed("pytest", lines)
    progress.ended(tool_result(tool="pytest"))
    out = capsys.readouterr().out
    assert names(out) == ["group", "stop-commands", "endgroup", "group", "stop-commands", "endgroup"]
    assert "##[" not in out
    assert "\x1b" not in out


def test_a_mask_in_a_stream_is_still_a_command(tmp_path: Path, capsys):
    runner = workflow(tmp_path)
    progress = GroupProgress(runner)
    progress.printed("pytest", ["one"])
    runner.mask("s3cr3t-value")
    runner.annotate("warning", "careful")
    progress.printed("pytest", ["::error::two"])
    progress.ended(tool_result(tool="pytest"))
    found = commands(capsys.readouterr().out)
    assert [one.data for one in found if one.name == "add-mask"] == ["s3cr3t-value"]
    assert [one.data for one in found if one.name == "warning"] == ["careful"]
    assert not [one for one in found if one.name == "error"]


def test_lines_and_ends_from_several_threads_do_not_mix(tmp_path: Path, capsys):
    progress = GroupProgress(workflow(tmp_path))
    progress.printed("pytest", ["start"])

    def stream() -> None:
        for number in range(200):
            progress.printed("pytest", [f"line {number}"])

    thread = threading.Thread(target=stream)
    thread.start()
    for number in range(20):
        progress.ended(tool_result(tool=f"tool{number}"))
    thread.join()
    progress.ended(tool_result(tool="pytest"))
    out = capsys.readouterr().out
    first = out[: out.index("::endgroup::")]
    assert first.count("line ") == 200
    assert names(out).count("group") == names(out).count("endgroup") == 22


def test_without_a_terminal_failures_are_lines_at_once_and_counts_now_and_then():
    stream, clock = io.StringIO(), Clock()
    progress = LineProgress(stream, clock)
    progress.printed("pytest", ["not shown"])
    progress.moved("pytest", Standing())
    progress.moved("pytest", Standing(done=1, total=2, failed=1, failures=("FAILED a.py::b: \x1b[31mno",)))
    clock.now += BEAT_SECONDS + 1
    progress.moved("pytest", Standing(done=2, total=2, failed=1))
    progress.moved("pytest", Standing(done=2, total=2, failed=1))
    assert stream.getvalue().splitlines() == [
        "pytest: FAILED a.py::b: ␛[31mno",
        "pytest: 2 of 2 tests, 1 failed, 31.0 s",
    ]


def test_the_live_view_has_the_counts_and_the_failures_and_starts_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    progress = LiveProgress(Screen(stream=stream, terminal=True))
    progress.started(tool("environment"))
    progress.ended(tool_result(tool="environment"))
    progress.started(tool("pytest"))
    progress.moved("pytest", Standing(done=3, total=9, failures=("FAILED a.py::b: [bold]no",)))
    until = time.monotonic() + 5
    while "3 of 9 tests" not in stream.getvalue() and time.monotonic() < until:
        time.sleep(0.05)  # the view is drawn eight times a second
    progress.ended(tool_result(tool="pytest"))
    text = Text.from_ansi(stream.getvalue()).plain
    assert "FAILED a.py::b: [bold]no" in text
    assert "3 of 9 tests" in stream.getvalue()
