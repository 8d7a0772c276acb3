"""Runs of stages whose tools are functions of the test, and their progress."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.builders import FakeGit, FakeRun, context, resolved

from ci_action.engine.execute import execute
from ci_action.engine.live import Standing
from ci_action.engine.stage import Selected, Stage
from ci_action.engine.tool import Tool
from ci_action.model.result import RunResult, ToolResult

GIT = FakeGit(head="c0ffee")


class RecordedProgress:
    """A progress that records its calls."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.results: list[ToolResult] = []
        self.lines: list[str] = []
        self.standings: list[Standing] = []

    def started(self, one: Tool) -> None:
        self.names.append(one.name)

    def printed(self, tool: str, lines: Sequence[str]) -> None:
        self.lines += [f"{tool}: {line}" for line in lines]

    def moved(self, _tool: str, at: Standing) -> None:
        self.standings.append(at)

    def ended(self, result: ToolResult) -> None:
        self.results.append(result)


def stage(*tools: Tool, by_name: bool = True, **overrides: Any) -> Selected:
    return Selected(
        Stage(**{"name": "quality", "summary": "s", "tools": tools, **overrides}), by_name=by_name
    )


def executed(tmp_path: Path, *selected: Selected, **overrides: Any) -> tuple[RunResult, RecordedProgress]:
    (tmp_path / "w").mkdir(exist_ok=True)
    progress = RecordedProgress()
    ctx = context(tmp_path / "w", overrides.pop("run", FakeRun(git=GIT)), **overrides)
    return execute(selected, ctx, progress, resolved=resolved()), progress
