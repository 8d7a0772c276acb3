"""The results of shards joined into those of one run: the report folders are read, judged as a whole, and told like any run."""

from collections.abc import Sequence
from dataclasses import replace

from ci_action.commands.merge import joining
from ci_action.commands.merge.refusal import shards_of
from ci_action.commands.merge.shard import COVERAGE_TOOL, PYTEST, STAGE, Shard
from ci_action.engine.context import Context
from ci_action.engine.stage import Selected, Stage
from ci_action.engine.test_run.minima import Judged, judge
from ci_action.engine.tool import Checked, Tool
from ci_action.model.result import Broken, Outcome, Report, RunResult, Skipped, StageResult
from ci_action.project.programs import Program
from ci_action.settings.general import MERGE
from ci_action.stages import gate_changes
from ci_action.stages.test import coverage, pytest
from ci_action.system.errors import UNDONE, ToolError
from ci_action.system.project_files import find_project_text

__all__ = ["Shard", "finished", "selected", "shards_of"]


def selected(shards: Sequence[Shard]) -> Selected:
    """Return the test stage, whose tools look at the shards instead of running anything."""

    def tests(ctx: Context, _program: Program) -> Checked:
        problem, unknown = _commit_problem(shards, ctx)
        notes = (*joining.notes_of(shards, PYTEST), *joining.uneven(shards), *unknown)
        return _checked(shards, PYTEST, joining.outcome_of_tests(shards, problem), notes)

    def covered(ctx: Context, _program: Program) -> Checked:
        return _coverage(shards, ctx)

    def changed(_ctx: Context, _program: Program) -> Checked:
        found = joining.changes_of(shards) or ()
        return Checked(outcome=Report(findings=found, examined={"shards": len(shards)}))

    tools: tuple[Tool, ...] = (
        replace(pytest.TOOL, check=tests, needs=()),
        replace(coverage.TOOL, check=covered, needs=()),
    )
    if joining.changes_of(shards) is not None:
        tools += (replace(gate_changes.TOOL, check=changed, wanted=lambda _: True),)
    return Selected(Stage(name=STAGE, summary="The tests of all shards.", tools=tools), by_name=True)


def _checked(shards: Sequence[Shard], tool: str, outcome: Outcome, notes: tuple[str, ...]) -> Checked:
    entries = [entry for shard in shards if (entry := shard.tool(tool)) and entry["version"]]
    versions = list(dict.fromkeys(entry["version"] for entry in entries))
    sources = list(dict.fromkeys(entry["version_source"] for entry in entries))
    if len(versions) > 1:
        notes = (*notes, f"the shards ran different versions of {tool}: {', '.join(versions)}")
    return Checked(
        outcome=outcome,
        warnings=notes,
        version=versions[0] if versions else "",
        version_source=sources[0] if sources else "",
    )


def _coverage(shards: Sequence[Shard], ctx: Context) -> Checked:
    found, minima = joining.coverage_of(shards), joining.minima_of(shards, ctx.settings)
    notes = joining.notes_of(shards, COVERAGE_TOOL)
    whole = not isinstance(joining.outcome_of_tests(shards, _commit_problem(shards, ctx)[0]), Broken)
    if found is None:
        if minima.asked and whole:
            raise ToolError("no shard has coverage data, so the minimum cannot be judged")
        return _checked(shards, COVERAGE_TOOL, Skipped("no shard has coverage data"), notes)
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
        examined={"files": len(found.files)},
        metrics=judged.metrics,
        coverage=found,
    )
    return _checked(shards, COVERAGE_TOOL, report, (*notes, *judged.notes))


def _commit_problem(shards: Sequence[Shard], ctx: Context) -> tuple[str, tuple[str, ...]]:
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


def finished(result: RunResult, shards: Sequence[Shard]) -> RunResult:
    """Return the run with the commit of the shards, the time of the longest, and the command that joins them again."""
    report = max((shard.report for shard in shards), key=lambda report: report["seconds"])
    return replace(
        result,
        stages=tuple(_timed(stage, shards) for stage in result.stages),
        commit=report["commit"],
        base=result.base or report["base"],
        seconds=report["seconds"],
        reproduce=result.reproduce.replace(f"ci-action run {STAGE}", f"ci-action run {MERGE}", 1),
    )


def _timed(stage: StageResult, shards: Sequence[Shard]) -> StageResult:
    def longest(tool: str) -> float:
        return max((entry["seconds"] for shard in shards if (entry := shard.tool(tool))), default=0.0)

    tools = tuple(replace(tool, seconds=longest(tool.tool)) for tool in stage.tools)
    return replace(stage, tools=tools, seconds=max(shard.report["stages"][0]["seconds"] for shard in shards))
