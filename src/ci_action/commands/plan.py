"""The command `plan`: what would run, as tools, versions and their source, files, limits. No check is started."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ci_action import __version__
from ci_action.commands.session import Call
from ci_action.engine.base_commit import Fetch, with_changes
from ci_action.engine.context import Context
from ci_action.engine.pull_request import with_pull
from ci_action.engine.schedule import Slot, phases, rounds
from ci_action.engine.stage import Selected
from ci_action.engine.tool import Tool
from ci_action.engine.trust import refusal
from ci_action.model.changes import Changes
from ci_action.project.layout import report_dir
from ci_action.project.programs import select
from ci_action.reporters.annotate import BUDGET
from ci_action.reporters.job_summary import LIMIT
from ci_action.settings.general import ALL
from ci_action.settings.resolve import Resolved
from ci_action.stages import select as select_stages
from ci_action.stages import with_tool_of_every_run
from ci_action.system.errors import ToolError
from ci_action.system.exit_codes import ExitCode
from ci_action.system.text import one_line


def main(call: Call) -> None:
    """Print what would run."""
    session = call.open()
    chosen = with_tool_of_every_run(select_stages(session.resolved.settings.stage or (ALL,)))
    # From the event alone: a plan sends no request.
    ctx = with_pull(replace(session.ctx, github=None), judged=any(one.stage.of_pull for one in chosen))
    call.say(*describe(chosen, with_changes(ctx, fetch=Fetch.NONE), session.resolved))
    call.code = ExitCode.OK


def describe(selected: Sequence[Selected], ctx: Context, resolved: Resolved) -> Iterator[str]:
    """Yield the plan, line by line."""
    settings, layout = ctx.settings, ctx.layout
    yield f"ci-action {__version__}"
    yield f"workspace  {layout.workspace}"
    yield f"project    {layout.relative('.')}"
    yield f"paths      {', '.join(layout.paths)}"
    if settings.python_version:
        yield f"python     {settings.python_version}"
    if ctx.changes:
        yield f"base       {one_line(_base(ctx.changes))}"
    width = max((8, *(len(tool.name) for one in selected for tool in one.stage.tools)))
    for one in selected:
        yield f"stage {one.stage.name}"
        for tool in filter(lambda tool: tool.wanted(ctx), one.stage.tools):
            yield from (f"  {one_line(line)}" for line in _tool(tool, ctx, width))
    order = (", ".join(slot.tool.name for slot in phase) for phase in _order(selected, ctx))
    yield f"order      {'; '.join(order)}"
    yield f"limits     {settings.timeout} s for each tool, {BUDGET} annotations of a level, {LIMIT:,} bytes of summary"
    yield f"cache      {layout.shown(ctx.cache) if ctx.cache else 'none'}"
    if ctx.kept and ctx.kept.why_not:
        yield f"           no results of unchanged files are kept: {ctx.kept.why_not}"
    yield f"reports    {layout.shown(report_dir(layout, settings))}"
    yield from (f"note       {one_line(notice)}" for notice in ctx.notices)
    for name, value in resolved.chosen().items():
        yield f"setting    {name} = {value!r} from {resolved.sources[name]}"


def _order(selected: Sequence[Selected], ctx: Context) -> Iterator[list[Slot]]:
    """Yield the tools that run in parallel, one phase after the other."""
    for group in rounds(selected, fail_fast=ctx.settings.fail_fast):
        yield from phases([one.stage for one in group], ctx)


def _base(changes: Changes) -> str:
    if changes.known:
        files = "file" if len(changes.lines) == 1 else "files"
        return f"{changes.base}, {changes.source}: {len(changes.lines):,} changed {files}"
    return f"not known without a fetch: {changes.problem}"


def _tool(tool: Tool, ctx: Context, width: int) -> Iterator[str]:
    try:
        if tool.runs_code(ctx) and not ctx.settings.allow_privileged and (reason := refusal(ctx)):
            yield f"{tool.name:<11} would be broken: {reason}"
            return
        selection = tool.selection(ctx)
        if selection.why_not:
            yield f"{tool.name:<{width}} skipped: {selection.why_not}"
            return
        if tool.plan is not None:
            yield f"{tool.name:<{width}} {tool.plan(ctx)}"
            return
        choice = select(tool.distribution, settings=ctx.settings, layout=ctx.layout, bundled=ctx.bundled)
        version = choice.specifier.removeprefix("==") or ctx.bundled.version(tool.distribution)
        yield f"{tool.name:<{width}} {version} from {choice.source}, {tool.count(ctx):,} files"
        yield from (f"note: {warning}" for warning in selection.warnings)
        if selection.because:
            yield f"{'':<{width}} {selection.because}"
        if selection.offer:
            yield f"note: its findings only warn in `all`: {selection.offer}"
        yield from (f"note: {warning}" for warning in choice.warnings)
    except ToolError as error:
        yield f"{tool.name:<{width}} would be broken: {error.reason}"
