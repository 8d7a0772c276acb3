"""The command `merge`: the results of shards, joined and judged as those of one run, and reported like any run."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ci_action.commands.merge import joining
from ci_action.commands.merge.refusal import shards_of
from ci_action.commands.merge.shard import STAGE, Shard
from ci_action.commands.session import Session
from ci_action.engine.base_commit import with_changes
from ci_action.engine.context import Context
from ci_action.engine.hints import with_hints
from ci_action.engine.redact import redacted_words
from ci_action.engine.reproduce import command
from ci_action.engine.run import Run
from ci_action.engine.test_run import COVERAGE, TESTS
from ci_action.engine.test_run.coverage_minimum import Judged, judge
from ci_action.engine.tool import Tool
from ci_action.engine.trust import permitted
from ci_action.model.result import (
    Broken,
    Counted,
    Outcome,
    Report,
    RunResult,
    Skipped,
    StageResult,
    ToolResult,
)
from ci_action.settings.general import MERGE
from ci_action.settings.resolve import Resolved
from ci_action.stages import load, tool_of_every_run
from ci_action.system.errors import UNDONE, ToolError
from ci_action.system.project_files import find_project_text

# Why the shards are not of the commit of this run, and a note if that is unknown.
_Commit = tuple[str, tuple[str, ...]]


def merge(session: Session) -> RunResult:
    """Return the joined result of the report folders below the paths; raises `ShardsError` if some are missing or wrong."""
    shards = shards_of(session.layout)
    ctx = with_changes(session.ctx)
    with Run(ctx, session.resolved, session.progress(), session.search(ctx)) as run:
        return merged(run, shards, ctx, session.resolved)


def merged(run: Run, shards: Sequence[Shard], ctx: Context, resolved: Resolved) -> RunResult:
    """Return the result of all shards: their commit, the time of the longest, and the command that joins them again."""
    tools = tuple(run.ended(with_hints(one, ctx, load(STAGE).hints)) for one in _tools(shards, ctx))
    seconds = max(shard.report["stages"][0]["seconds"] for shard in shards)
    longest = max((shard.report for shard in shards), key=lambda report: report["seconds"])
    result = run.result([StageResult(stage=STAGE, tools=tools, seconds=seconds)])
    joined = replace(
        result,
        commit=longest["commit"],
        base=result.base or longest["base"],
        seconds=longest["seconds"],
        reproduce=command([MERGE], resolved),
    )
    return redacted_words(joined, ctx.redact)


def _tools(shards: Sequence[Shard], ctx: Context) -> Iterator[ToolResult]:
    """Yield what each tool did in all shards."""
    commit = _commit_problem(shards, ctx)
    for tool, joined in ((_tool(TESTS), _tests), (_tool(COVERAGE), _coverage)):
        try:
            dared = permitted(ctx)  # what a shard reports is the word of the code that ran in it
            result = joined(shards, ctx, commit)
            yield replace(result, warnings=(*result.warnings, *dared))
        except UNDONE as error:
            broken = Broken(error.reason, error.detail)
            seconds = _seconds(shards, tool)
            yield ToolResult(tool=tool.name, url=tool.url, outcome=broken, seconds=seconds, log=error.detail)
    if (found := joining.changes_of(shards)) is not None:
        tool = tool_of_every_run()
        report = Report(findings=found, examined={Counted.SHARDS: len(shards)})
        seconds = _seconds(shards, tool)
        yield ToolResult(tool=tool.name, url=tool.url, outcome=report, seconds=seconds, apart=tool.apart)


def _tool(name: str) -> Tool:
    return next(tool for tool in load(STAGE).tools if tool.name == name)


def _tests(shards: Sequence[Shard], _ctx: Context, commit: _Commit) -> ToolResult:
    problem, unknown = commit
    notes = (*joining.notes_of(shards, TESTS), *joining.uneven(shards), *unknown)
    return _joined(shards, _tool(TESTS), joining.outcome_of_tests(shards, problem), notes)


def _coverage(shards: Sequence[Shard], ctx: Context, commit: _Commit) -> ToolResult:
    """Join the coverage and judge it by the minima; raises `ToolError` if a minimum cannot be judged."""
    found, minima = joining.coverage_of(shards), joining.minima_of(shards, ctx.settings)
    notes = joining.notes_of(shards, COVERAGE)
    whole = not isinstance(joining.outcome_of_tests(shards, commit[0]), Broken)
    if found is None:
        if minima.asked and whole:
            raise ToolError("no shard has coverage data, so the minimum cannot be judged")
        return _joined(shards, _tool(COVERAGE), Skipped("no shard has coverage data"), notes)
    without = [shard.name for shard in shards if shard.coverage is None]
    if without:
        notes = (*notes, f"there is no coverage of shard {', '.join(without)}")
    if whole:
        judged = judge(found, minima, ctx.changes, lambda path: _source(ctx, path), ctx.event.name)
    else:
        judged = Judged(
            metrics=found.metrics, notes=("the minima were not judged, because a shard is broken",)
        )
    report = Report(
        findings=judged.findings,
        examined={Counted.FILES: len(found.files)},
        metrics=judged.metrics,
        coverage=found,
    )
    return _joined(shards, _tool(COVERAGE), report, (*notes, *judged.notes))


def _joined(shards: Sequence[Shard], tool: Tool, outcome: Outcome, notes: tuple[str, ...]) -> ToolResult:
    """Return the result of a tool with the version that the shards ran, and the time of the longest."""
    entries = [entry for shard in shards if (entry := shard.tool(tool.name)) and entry["version"]]
    versions = list(dict.fromkeys(entry["version"] for entry in entries))
    sources = list(dict.fromkeys(entry["version_source"] for entry in entries))
    if len(versions) > 1:
        notes = (*notes, f"the shards ran different versions of {tool.name}: {', '.join(versions)}")
    return ToolResult(
        tool=tool.name,
        url=tool.url,
        outcome=outcome,
        seconds=_seconds(shards, tool),
        version=versions[0] if versions else "",
        version_source=sources[0] if sources else "",
        warnings=notes,
    )


def _seconds(shards: Sequence[Shard], tool: Tool) -> float:
    return max((entry["seconds"] for shard in shards if (entry := shard.tool(tool.name))), default=0.0)


def _commit_problem(shards: Sequence[Shard], ctx: Context) -> _Commit:
    """Return why the shards are not of the commit of this run, and a note if that cannot be said."""
    commit, here = shards[0].report["commit"], _checkout(ctx)  # all of them are of one commit
    if commit and here and commit != here:
        return (
            f"the shards ran on the commit {commit[:12]}, and this run is for {here[:12]}:"
            " download the report folders of the same workflow run, or check out that commit"
        ), ()
    if here and not commit:
        return (
            f"the shards do not know their commit, and this run is for {here[:12]}:"
            " run them in a checkout of the repository"
        ), ()
    if not here:
        return "", ("could not verify the commit of the shards: this run is in no repository",)
    return "", ()


def _checkout(ctx: Context) -> str:
    if ctx.event.sha:
        return ctx.event.sha
    try:
        return ctx.repository.head().sha
    except UNDONE:
        return ""


def _source(ctx: Context, path: str) -> str:
    return find_project_text(ctx.layout.workspace / path, ctx.layout.workspace)
