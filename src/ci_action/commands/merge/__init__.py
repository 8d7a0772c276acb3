"""The command `merge`: joins the results of shards, and judges and reports them like those of one run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from ci_action.commands.merge import joining
from ci_action.commands.merge.shards import STAGE, Shard, shards_of
from ci_action.commands.session import Session
from ci_action.engine.base_commit import with_changes
from ci_action.engine.context import Context
from ci_action.engine.hints import with_hints
from ci_action.engine.redact import redacted_words
from ci_action.engine.reproduce import command
from ci_action.engine.run import Run
from ci_action.engine.test_run import COVERAGE, TESTS
from ci_action.engine.test_run.coverage_minimum import Judged, judge
from ci_action.engine.trust import permitted
from ci_action.model.coverage import joined
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

_Joined: TypeAlias = tuple[Outcome, tuple[str, ...]]
"""The outcome of a tool in all shards, and warnings."""


def merge(session: Session) -> RunResult:
    """Return the joined result of the report folders below the paths; raises `ShardsError` if shards are missing or wrong."""
    shards = shards_of(session.layout)
    ctx = with_changes(session.ctx)
    with Run(ctx, session.resolved, session.progress(), session.search(ctx)) as run:
        return merged(run, shards, ctx, session.resolved)


def merged(run: Run, shards: Sequence[Shard], ctx: Context, resolved: Resolved) -> RunResult:
    """Return the result of all shards, with their commit and the duration of the longest."""
    tools = tuple(
        run.ended(with_hints(one, ctx, load(STAGE).hints)) for one in _tools(shards, ctx, run.commit)
    )
    seconds = max(shard.report.stages[0].seconds for shard in shards)
    longest = max((shard.report for shard in shards), key=lambda report: report.seconds)
    result = run.result([StageResult(stage=STAGE, tools=tools, seconds=seconds)])
    whole = replace(
        result,
        commit=longest.commit,
        base=result.base or longest.base,
        seconds=longest.seconds,
        reproduce=command([MERGE], resolved),
    )
    return redacted_words(whole, ctx.redact)


def _tools(shards: Sequence[Shard], ctx: Context, commit: str) -> Iterator[ToolResult]:
    """Yield the result of each tool in all shards."""
    problem, unverified = _commit_problem(shards[0].report.commit, commit)  # all shards are of one commit
    tests = joining.outcome_of_tests(shards, problem)
    notes = (*joining.notes_of(shards, TESTS), *joining.uneven(shards), *unverified)
    yield _result(shards, ctx, TESTS, lambda: (tests, notes))
    yield _result(shards, ctx, COVERAGE, lambda: _coverage(shards, ctx, broken=isinstance(tests, Broken)))
    tool = tool_of_every_run()
    outcomes = [shard.outcomes.get(tool.name) for shard in shards]
    if reports := [outcome for outcome in outcomes if isinstance(outcome, Report)]:
        # Every shard reports the same changes.
        found = tuple(dict.fromkeys(one for report in reports for one in report.findings))
        report = Report(findings=found, examined={Counted.SHARDS: len(shards)})
        seconds = _seconds(shards, tool.name)
        yield ToolResult(tool=tool.name, url=tool.url, outcome=report, seconds=seconds, apart=tool.apart)


def _result(shards: Sequence[Shard], ctx: Context, name: str, join: Callable[[], _Joined]) -> ToolResult:
    """Return the result of a tool, with the version of the shards and the duration of the longest."""
    url = next(tool.url for tool in load(STAGE).tools if tool.name == name)
    seconds = _seconds(shards, name)
    try:
        dared = permitted(ctx)  # the code that ran in a shard decided what it reports
        outcome, notes = join()
    except UNDONE as error:
        broken = Broken(error.reason, error.detail)
        return ToolResult(tool=name, url=url, outcome=broken, seconds=seconds, log=error.detail)
    entries = [entry for shard in shards if (entry := shard.tool(name)) and entry.version]
    versions = list(dict.fromkeys(entry.version for entry in entries))
    if len(versions) > 1:
        notes = (*notes, f"the shards ran different versions of {name}: {', '.join(versions)}")
    return ToolResult(
        tool=name,
        url=url,
        outcome=outcome,
        seconds=seconds,
        version=entries[0].version if entries else "",
        version_source=entries[0].version_source if entries else "",
        warnings=(*notes, *dared),
    )


def _seconds(shards: Sequence[Shard], name: str) -> float:
    return max((entry.seconds for shard in shards if (entry := shard.tool(name))), default=0.0)


def _coverage(shards: Sequence[Shard], ctx: Context, *, broken: bool) -> _Joined:
    """Join the coverage and judge it, unless a shard is broken; raises `ToolError` if a minimum cannot be judged."""
    minima, notes = joining.minima_of(shards, ctx.settings), joining.notes_of(shards, COVERAGE)
    without = [shard.name for shard in shards if shard.coverage is None]
    if len(without) == len(shards):
        if minima.asked and not broken:
            raise ToolError("no shard has coverage data, so the minimum cannot be judged")
        return Skipped("no shard has coverage data"), notes
    found = joined(shard.coverage for shard in shards if shard.coverage is not None)
    if without:
        notes = (*notes, f"no coverage data in shard {', '.join(without)}")
    if broken:
        note = "the minimum coverage was not judged, because a shard is broken"
        judged = Judged(metrics=found.metrics, notes=(note,))
    else:
        workspace = ctx.layout.workspace
        judged = judge(
            found,
            minima,
            ctx.changes,
            lambda path: find_project_text(workspace / path, workspace),
            ctx.event.name,
        )
    examined = {Counted.FILES: len(found.files)}
    findings = (*judged.findings, *joining.warnings_of_coverage(shards))
    report = Report(findings=findings, examined=examined, metrics=judged.metrics, coverage=found)
    return report, (*notes, *judged.notes)


def _commit_problem(commit: str, here: str) -> tuple[str, tuple[str, ...]]:
    """Return why the commit of the shards is not that of this run, and a warning if that cannot be verified."""
    if not here:
        return "", ("could not verify the commit of the shards: this run is not in a repository",)
    if not commit:
        return (
            f"the commit of the shards is unknown, and this run is for {here[:12]}:"
            " run them in a checkout of the repository"
        ), ()
    if commit != here:
        return (
            f"the shards ran on commit {commit[:12]}, and this run is for {here[:12]}:"
            " download the report folders of the same workflow run, or check out that commit"
        ), ()
    return "", ()
