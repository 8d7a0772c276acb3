"""Run the stages: phase by phase, the tools of each in parallel, every one with its own end."""

import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from ci_action.engine.context import Context
from ci_action.engine.hints import with_hints
from ci_action.engine.run import Run
from ci_action.engine.schedule import Slot, busy, phases, rounds
from ci_action.engine.secret_scan.search import Progress, Search
from ci_action.engine.stage import Selected
from ci_action.engine.tool import Tool
from ci_action.engine.trust import permitted
from ci_action.engine.verdict import judge_stage
from ci_action.model.result import Broken, Hint, Outcome, RunResult, Skipped, StageResult, ToolResult
from ci_action.project.programs import Installer, Program, locate, select, variables_of_uv
from ci_action.settings.resolve import Resolved
from ci_action.system.errors import UNDONE, shortage
from ci_action.system.index_credentials import unbound_credentials
from ci_action.system.ownership import lent_netrc


def program_of(tool: Tool, ctx: Context) -> Program:
    """Return the program that runs for a tool: the project's version, or the bundled one; raises `ToolError`."""
    if tool.program is not None:
        return tool.program(ctx)
    choice = select(tool.name, settings=ctx.settings, layout=ctx.layout, bundled=ctx.bundled)
    folder = ctx.tempdir / f"{tool.name}-of-project"
    ctx.hand_over(folder)
    variables = variables_of_uv(ctx.environ, folder if ctx.owner else None)
    with lent_netrc(ctx.environ, ctx.tempdir / f"{tool.name}-netrc", ctx.owner) as lent:
        installer = Installer(run=ctx.run, folder=folder, variables={**variables, **lent}, owner=ctx.owner)
        return locate(tool.name, choice, bundled=ctx.bundled, installer=installer)


def check(tool: Tool, ctx: Context) -> ToolResult:
    """Run one tool; whatever goes wrong in it becomes `Broken`, so that the others go on."""
    started = time.monotonic()
    program = Program(argv=(), version="", source="")
    outcome: Outcome
    hints: tuple[Hint, ...] = ()
    notes: tuple[str, ...] = ()
    try:
        if tool.runs_code(ctx):
            notes = (*permitted(ctx), *unbound_credentials(ctx.environ))
            if ctx.kept:
                ctx.kept.code_ran = True
        program = program_of(tool, ctx)
        checked = tool.check(ctx, program)
        outcome, warnings, log = checked.outcome, checked.warnings, checked.log
        hints = checked.hints
        program = replace(
            program,
            version=checked.version or program.version,
            source=checked.version_source or program.source,
        )
    except UNDONE as error:
        outcome, warnings, log = Broken(error.reason, error.detail), (), error.detail
    except Exception as error:  # noqa: BLE001 - a bug of ours must not take the other tools along
        lacking = shortage(error)
        log = "" if lacking else traceback.format_exc()
        reason = lacking or f"a bug in ci-action: {type(error).__name__}: {error}"
        outcome, warnings = Broken(reason, log, bug=not lacking), ()
    return ToolResult(
        tool=tool.name,
        url=tool.url,
        outcome=outcome,
        seconds=time.monotonic() - started,
        version=program.version,
        version_source=program.source,
        warnings=(*program.warnings, *warnings, *notes),
        log=log,
        hints=hints,
        apart=tool.apart,
    )


def execute(
    selected: Sequence[Selected],
    ctx: Context,
    progress: Progress,
    *,
    resolved: Resolved,
    search: Search | None = None,
) -> RunResult:
    """Run the tools of all stages and judge what they found; `search` hides secrets in what is quoted."""
    quoting = any(one.stage.quotes for one in selected)
    with Run(ctx, resolved, progress, search if quoting else None) as run:
        return run.result(_run_stages(selected, ctx, run))


def _run_stages(selected: Sequence[Selected], ctx: Context, run: Run) -> tuple[StageResult, ...]:
    """Run the stages; of `all` those that apply, and none after one that was red and stops the rest."""
    red = ""
    results: dict[str, StageResult] = {}
    for group in rounds(selected):
        reasons = {one.stage.name: "" if one.by_name else (red or _why_not(one, ctx)) for one in group}
        running = [one for one in group if not reasons[one.stage.name]]
        why = {one.stage.name: "" if one.by_name else _because(one, ctx) for one in running}
        for one, result in zip(running, _run_together(running, ctx, run), strict=True):
            results[one.stage.name] = replace(result, because=why[one.stage.name])
            if one.stage.stops and judge_stage(result).exit_code:
                red = f"{one.stage.name} was red"
        results |= {
            one.stage.name: StageResult(
                stage=one.stage.name, tools=(), of_pull=one.stage.of_pull, by_name=False, reason=reason
            )
            for one in group
            if (reason := reasons[one.stage.name])
        }
    return tuple(results[one.stage.name] for one in selected)


def _why_not(selected: Selected, ctx: Context) -> str:
    try:
        return selected.stage.applies(ctx)
    except UNDONE:  # its tools meet that as well, and tell it without ending the other stages
        return ""


def _because(selected: Selected, ctx: Context) -> str:
    try:
        return selected.stage.because(ctx)
    except UNDONE as error:  # which its tools meet as well
        return error.reason


def _run_together(selected: Sequence[Selected], ctx: Context, run: Run) -> Iterator[StageResult]:
    """Run the tools of these stages, phase by phase."""
    done: dict[str, dict[str, ToolResult]] = {one.stage.name: {} for one in selected}
    spans: dict[str, list[tuple[float, float]]] = {one.stage.name: [] for one in selected}
    for phase in phases([one.stage for one in selected], ctx):
        for slot, result, span in _run_phase(phase, ctx, run, done):
            done[slot.stage.name][result.tool] = result
            spans[slot.stage.name].append(span)
    for one in selected:
        results = done[one.stage.name]
        yield StageResult(
            stage=one.stage.name,
            tools=tuple(results[tool.name] for tool in one.stage.tools if tool.name in results),
            seconds=busy(spans[one.stage.name]),
            warns_only=one.stage.warns_only(ctx.settings),
            of_pull=one.stage.of_pull,
            by_name=one.by_name,
        )


def _run_phase(
    phase: Sequence[Slot],
    ctx: Context,
    run: Run,
    done: Mapping[str, Mapping[str, ToolResult]],
) -> Iterator[tuple[Slot, ToolResult, tuple[float, float]]]:
    """Run tools side by side, each after those that it needs; yield each when it ends, with its start and end."""
    pending = list(phase)
    waiting: dict[Future[ToolResult], tuple[Slot, float]] = {}
    with ThreadPoolExecutor(max_workers=len(phase)) as pool:
        while pending or waiting:
            for slot in [one for one in pending if done[one.stage.name].keys() >= set(one.tool.needs)]:
                pending.remove(slot)
                run.started(slot.tool)
                started = time.monotonic()
                waiting[_submitted(pool, slot, ctx, done[slot.stage.name])] = slot, started
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                slot, started = waiting.pop(future)
                result = run.ended(future.result(), by_lines=slot.tool.by_lines)
                yield slot, result, (started, time.monotonic())


def _submitted(
    pool: ThreadPoolExecutor, slot: Slot, ctx: Context, done: Mapping[str, ToolResult]
) -> Future[ToolResult]:
    """Start a tool; it is `Broken` if no thread can be started."""
    refused: Future[ToolResult] = Future()
    try:
        # The pool keeps work for which it could not start a thread: another one must not do it later.
        return pool.submit(lambda: refused.result() if refused.done() else _check_after(slot, ctx, done))
    except RuntimeError as error:
        refused.set_result(ToolResult(tool=slot.tool.name, outcome=Broken(shortage(error) or str(error))))
        return refused


def _check_after(slot: Slot, ctx: Context, done: Mapping[str, ToolResult]) -> ToolResult:
    tool = slot.tool
    missing = [name for name in tool.needs if isinstance(done[name].outcome, Broken)]
    if missing:
        reason = f"{' and '.join(missing)} could not do its work"
        return ToolResult(tool=tool.name, url=tool.url, outcome=Skipped(reason))
    for name in tool.needs:
        outcome = done[name].outcome
        if isinstance(outcome, Skipped) and outcome.empty:  # nothing to judge is not the same as bad data
            return ToolResult(tool=tool.name, url=tool.url, outcome=Skipped(f"{name} had nothing to look at"))
    return with_hints(check(tool, ctx), ctx, slot.stage.hints)
