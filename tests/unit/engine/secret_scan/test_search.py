"""Nothing that may quote the project is shown before its files were searched for secrets."""

from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from support.builders import (
    FakeRun,
    broken_tool,
    case,
    context,
    covered,
    finding,
    report,
    resolved,
    tool,
    tool_result,
    with_tests,
)
from support.execution import GIT, stage

from ci_action.engine.execute import execute
from ci_action.engine.live import Standing
from ci_action.engine.secret_scan.search import Search, quotes
from ci_action.engine.stage import Selected
from ci_action.engine.tool import Tool
from ci_action.model.changes import NO_BASE
from ci_action.model.result import Skipped, ToolResult
from ci_action.stages import load_all
from ci_action.system.redaction import Redactor

SECRET = "Zq7!" + "mV2#pL9x"


class Written:
    """A progress that adds to the events of the search."""

    def __init__(self, events: list[str]) -> None:
        self.events = events

    def started(self, one: Tool) -> None:
        self.events.append(f"{one.name} starts")

    def printed(self, tool: str, lines: Sequence[str]) -> None:
        self.events += [f"{tool} prints {line}" for line in lines]

    def moved(self, tool: str, at: Standing) -> None:
        self.events += [f"{tool} reports {failure}" for failure in at.failures]

    def ended(self, result: ToolResult) -> None:
        self.events.append(f"shown: {result.findings[0].message if result.findings else result.tool}")


def executed(
    tmp_path: Path, *selected: Selected, problem: str = "", grace: float = 0
) -> tuple[list[str], Any]:
    (tmp_path / "w").mkdir()
    events: list[str] = []
    redact, cancelled = Redactor(), Event()

    def look() -> str:
        cancelled.wait(0.2)
        redact.add([SECRET])
        events.append("searched")
        return problem

    def cancel() -> None:
        events.append("cancelled")
        cancelled.set()

    ctx = context(tmp_path / "w", FakeRun(git=GIT), redact=redact)
    result = execute(selected, ctx, Written(events), resolved=resolved(), search=Search(look, cancel, grace))
    return events, result


def silent(name: str) -> Tool:
    made = tool(name)
    return tool(name, check=lambda ctx, program: type(made.check(ctx, program))(outcome=report()))


def test_what_a_tool_found_is_shown_after_the_search_and_without_the_secret(tmp_path: Path):
    events, result = executed(tmp_path, stage(tool("black", report(finding(message=f"print {SECRET}")))))
    assert events == ["black starts", "searched", "shown: print ***"]
    assert [one.message for one in result.findings] == ["print ***"]


def test_tools_run_beside_the_search_and_nobody_waits_where_nothing_is_quoted(tmp_path: Path):
    events, result = executed(tmp_path, stage(silent("black"), silent("ruff")))
    assert events[:2] == ["black starts", "ruff starts"]
    assert sorted(events[2:4]) == ["shown: black", "shown: ruff"]
    assert events[4:] == ["cancelled", "searched"]
    assert not result.warnings


def test_a_short_run_that_quotes_nothing_is_not_searched(tmp_path: Path):
    events, _ = executed(tmp_path, stage(silent("black")), grace=60)
    assert events == ["black starts", "shown: black", "cancelled"]


def test_what_is_quoted_does_not_wait_for_the_grace(tmp_path: Path):
    events, _ = executed(tmp_path, stage(tool("black", report(finding()))), grace=60)
    assert events[1] == "searched"


def test_that_nobody_could_search_is_said_where_something_is_quoted(tmp_path: Path):
    _, result = executed(tmp_path, stage(tool("black", report(finding()))), problem="timed out")
    assert [one for one in result.warnings if "for secrets: timed out" in one]


def test_a_stage_that_quotes_nothing_searches_nothing(tmp_path: Path):
    events, _ = executed(tmp_path, stage(tool("black", report(finding())), quotes=False))
    assert "searched" not in events
    assert [one.name for one in load_all() if not one.quotes] == ["pr"]


@pytest.mark.parametrize(
    ("result", "quoted"),
    [
        (tool_result(), False),
        (tool_result(log=" \n"), False),
        (tool_result(log="x"), True),
        (tool_result(log="All done! ✨ 🍰 ✨\n3 files would be left unchanged.\n"), False),
        (tool_result(log="All checks passed!\n"), False),
        (tool_result(log="All done! ✨ 🍰 ✨\nwarning: x = 1\n"), True),
        (tool_result(warnings=("x",)), True),
        (tool_result(finding()), True),
        (with_tests(case()), True),
        (covered(), True),
        (broken_tool(), True),
        (tool_result(outcome=Skipped("x")), True),
        (tool_result(outcome=Skipped(f"the base commit is unknown: {NO_BASE}")), False),
        (tool_result(outcome=Skipped(f"the base commit is unknown: {NO_BASE}"), log="x"), True),
        (tool_result(outcome=Skipped("x", unused=True)), False),
        (tool_result(outcome=Skipped("x", unused=True), log="x"), True),
        (tool_result(outcome=report(details=("x",))), True),
        (tool_result(outcome=report(outputs={"x": "y"})), True),
    ],
)
def test_what_may_quote_the_project(result: ToolResult, quoted: bool):
    assert quotes(result) is quoted
