"""A run from its start to its result: shared by `execute` and the commands that run no tools."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Self

from ci_action import __version__
from ci_action.engine.context import Context
from ci_action.engine.pipeline import Policy, of_run, of_tool
from ci_action.engine.redact import redacted_words
from ci_action.engine.reproduce import fix_flags, reproduce
from ci_action.engine.secret_scan.search import Progress, Quiet, Search
from ci_action.engine.tool import Tool
from ci_action.engine.verdict import crashed
from ci_action.github.pull_request import Pull
from ci_action.model.result import Broken, RunResult, StageResult, ToolResult
from ci_action.settings.resolve import Resolved
from ci_action.settings.types import FailOn, Scope
from ci_action.system.errors import UNDONE


class Run:
    """Measures a run, searches for secrets in parallel, reports progress and builds the result.

    The search runs during the `with` block, so call `result` inside it.
    """

    def __init__(
        self, ctx: Context, resolved: Resolved, progress: Progress, search: Search | None = None
    ) -> None:
        """Prepare a run; without a `search` quoted files are not searched for secrets."""
        self._ctx = ctx
        self._resolved = resolved
        self._search = search or Search()
        self._progress = self.live = Quiet(progress, self._search, ctx.redact)
        self._policy = Policy.of(ctx)

    def __enter__(self) -> Self:
        """Start the clock and the search, and read the commit before a tool can change it."""
        self._started, self._clock = datetime.now(UTC), time.monotonic()
        self._search.__enter__()
        self.commit = self._ctx.event.sha or _head(self._ctx)
        return self

    def __exit__(self, *_: object) -> None:
        """End the search."""
        self._search.__exit__()

    def started(self, tool: Tool) -> None:
        """Report that a tool starts."""
        self._progress.started(tool)

    def ended(self, result: ToolResult, *, by_lines: bool = False) -> ToolResult:
        """Apply `ignore` and `fail-on` to a result, report it and return it."""
        result = of_tool(result, self._policy, by_lines=by_lines)
        self._progress.ended(result)
        return result

    def result(self, stages: Sequence[StageResult]) -> RunResult:
        """Return the result of the run, after all tools have ended."""
        ctx = self._ctx
        unsearched = self._search.result(tool for stage in stages for tool in stage.tools)
        judged, verdict, new = of_run(stages, self._policy, ctx.redact)
        tools = [tool for stage in judged for tool in stage.tools]
        warnings = filter(None, _warnings(ctx, judged, unsearched))
        result = RunResult(
            stages=judged,
            verdict=verdict,
            started=self._started,
            seconds=time.monotonic() - self._clock,
            version=__version__,
            commit=self.commit,
            base=ctx.changes.base if ctx.changes and ctx.changes.known else "",
            scope=ctx.settings.scope.value,
            new_findings=new,
            warnings=tuple(dict.fromkeys(warnings)),
            reproduce=reproduce(judged, self._resolved, ctx.pull, ctx.event.repository),
            fix_flags=fix_flags(judged, self._resolved),
        )
        result = redacted_words(result, ctx.redact)
        bug = any(isinstance(tool.outcome, Broken) and tool.outcome.bug for tool in tools)
        return crashed(result) if bug else result


def _warnings(ctx: Context, stages: Sequence[StageResult], unsearched: str) -> Iterator[str]:
    """Yield every warning of a run, some of them empty."""
    yield from ctx.notices
    for stage in stages:
        yield from stage.warnings
        for tool in stage.tools:
            yield from tool.warnings
    if unsearched:
        yield f"could not search the files of the project for secrets: {unsearched}"
    if ctx.kept:
        yield ctx.kept.settle()
    known = ctx.changes is not None and ctx.changes.known
    if not known and (ctx.settings.scope is Scope.CHANGED or ctx.settings.fail_on is FailOn.NEW):
        reason = ctx.changes.problem if ctx.changes else "it was not looked up"
        yield f"counting all findings: could not determine the base commit: {reason}"
    yield ctx.event.problem
    if isinstance(ctx.pull, Pull):
        yield ctx.pull.problem


def _head(ctx: Context) -> str:
    try:
        return ctx.repository.head().sha
    except UNDONE:
        return ""
