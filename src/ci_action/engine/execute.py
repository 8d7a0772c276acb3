"""Run the stages: phase by phase, the tools of each phase in parallel."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from ci_action.engine.context import Context
from ci_action.engine.hints import with_hints
from ci_action.engine.programs import program_of
from ci_action.engine.run import Run
from ci_action.engine.schedule import Slot, busy, phases, rounds
from ci_action.engine.secret_scan.search import Progress, Search
from ci_action.engine.stage import Selected
from ci_action.engine.tool import Selection, Tool
from ci_action.engine.trust import permitted
from ci_action.engine.verdict import judge_stage, judge_tool
from ci_action.model.result import (
    Broken,
    Conclusion,
    Hint,
    Outcome,
    RunResult,
    Skipped,
    StageResult,
    ToolResult,
)
from ci_action.project.programs import Program
from ci_action.settings.resolve import Resolved
from ci_action.system.errors import UNDONE, shortage
from ci_action.system.index_credentials import unbound_credentials


def check(tool: Tool, ctx: Context) -> ToolResult:
    """Run one tool; any error becomes `Broken`, so that the other tools continue."""
    started = time.monotonic()
    program = Program(argv=(), version="", source="")
    selection = Selection()
    outcome: Outcome
    hints: tuple[Hint, ...] = ()
    seconds: float | None = None
    notes: tuple[str, ...] = ()
    try:
        selection = tool.selection(ctx)
        if selection.why_not:
            return ToolResult(
                tool=tool.name,
                url=tool.url,
                outcome=Skipped(selection.why_not, unused=True),
                warnings=selection.warnings,
            )
        if tool.runs_code(ctx):
            notes = (*permitted(ctx), *unbound_credentials(ctx.environ))
            if ctx.kept:
                ctx.kept.code_ran = True
        program = program_of(tool, ctx)
        checked = tool.check(ctx, program)
        outcome, warnings, log = checked.outcome, checked.warnings, checked.log
        hints, seconds = checked.hints, checked.seconds
        program = replace(
            program,
            version=checked.version or program.version,
            source=checked.version_source or program.source,
        )
    except UNDONE as error:
        outcome, warnings, log = Broken(error.reason, error.detail), (), error.detail
    except Exception as error:  # noqa: BLE001 - a bug of ours must not affect the other tools
        import traceback  # only bugs need it

        exhausted = shortage(error)
        log = "" if exhausted else traceback.format_exc()
        reason = exhausted or f"a bug in ci-action: {type(error).__name__}: {error}"
        outcome, warnings = Broken(reason, log, bug=not exhausted), ()
    return ToolResult(
        tool=tool.name,
        url=tool.url,
        outcome=outcome,
        seconds=time.monotonic() - started if seconds is None else seconds,
        version=program.version,
        version_source=program.source,
        warnings=(*selection.warnings, *program.warnings, *warnings, *notes),
        log=log,
        hints=hints,
        apart=tool.apart,
        instead=program.instead,
        because=selection.because,
        offer=selection.offer,
    )


def execute(
    selected: Sequence[Selected],
    ctx: Context,
    progress: Progress,
    *,
    resolved: Resolved,
    search: Search | None = None,
) -> RunResult:
    """Run the tools of all stages and judge the findings; `search` finds the secrets to redact in quoted files."""
    quoting = any(one.stage.quotes for one in selected)
    with Run(ctx, resolved, progress, search if quoting else None) as run:
        return run.result(_run_stages(selected, replace(ctx, live=run.live), run))


def _run_stages(selected: Sequence[Selected], ctx: Context, run: Run) -> tuple[StageResult, ...]:
    """Run the stages; with `all` only those that apply, and none after one that failed and stops the rest."""
    failed = ""
    results: dict[str, StageResult] = {}
    for group in rounds(selected, fail_fast=ctx.settings.fail_fast):
        running = []
        for one in group:
            if reason := "" if one.by_name else (failed or _why_not(one, ctx)):
                results[one.stage.name] = replace(_result(one, ()), reason=reason)
            elif reason := "" if one.by_name else _unusable(one, ctx):
                warnings = (f"the stage {one.stage.name} was not run: {reason}",)
                results[one.stage.name] = replace(_result(one, ()), reason=reason, warnings=warnings)
            else:
                running.append(one)
        for one, result in zip(running, _run_together(running, ctx, run), strict=True):
            results[one.stage.name] = result
            if one.stage.stops and ctx.settings.fail_fast and judge_stage(result).exit_code:
                failed = f"{one.stage.name} failed"
    return tuple(results[one.stage.name] for one in selected)


def _result(selected: Selected, tools: tuple[ToolResult, ...]) -> StageResult:
    stage = selected.stage
    return StageResult(stage=stage.name, tools=tools, of_pull=stage.of_pull, by_name=selected.by_name)


def _why_not(selected: Selected, ctx: Context) -> str:
    try:
        return selected.stage.applies(ctx)
    except UNDONE:  # its tools fail for the same reason and report it
        return ""


def _unusable(selected: Selected, ctx: Context) -> str:
    try:
        return selected.stage.unusable(ctx)
    except UNDONE:  # as above
        return ""


def _because(selected: Selected, ctx: Context) -> str:
    try:
        return "" if selected.by_name else selected.stage.because(ctx)
    except UNDONE as error:
        return error.reason


def _run_together(selected: Sequence[Selected], ctx: Context, run: Run) -> Iterator[StageResult]:
    """Run the tools of these stages, phase by phase."""
    because = [_because(one, ctx) for one in selected]
    done: dict[str, dict[str, ToolResult]] = {one.stage.name: {} for one in selected}
    spans: dict[str, list[tuple[float, float]]] = {one.stage.name: [] for one in selected}
    for phase in phases([one.stage for one in selected], ctx):
        for slot, result, span in _run_phase(phase, ctx, run, done):
            done[slot.stage.name][result.tool] = result
            spans[slot.stage.name].append(span)
    for one, reason in zip(selected, because, strict=True):
        results = done[one.stage.name]
        yield replace(
            _result(one, tuple(results[tool.name] for tool in one.stage.tools if tool.name in results)),
            seconds=busy(spans[one.stage.name]),
            warns_only=one.stage.warns_only(ctx.settings),
            warns_because=one.stage.warns_because,
            because=reason,
        )


def _run_phase(
    phase: Sequence[Slot],
    ctx: Context,
    run: Run,
    done: Mapping[str, Mapping[str, ToolResult]],
) -> Iterator[tuple[Slot, ToolResult, tuple[float, float]]]:
    """Run tools in parallel, each after those that it needs; yield each result with the start and end of its tool."""
    pending = list(phase)
    waiting: dict[Future[ToolResult], tuple[Slot, float]] = {}
    with ThreadPoolExecutor(max_workers=len(phase)) as pool:
        while pending or waiting:
            ready = [
                one for one in pending if done[one.stage.name].keys() >= {*one.tool.needs, *one.tool.after}
            ]
            # What nothing that runs could make ready is broken, instead of being waited for without an end.
            for slot in ready or ([] if waiting else list(pending)):
                pending.remove(slot)
                run.started(slot.tool)
                started = time.monotonic()
                waiting[_submitted(pool, slot, ctx, done[slot.stage.name])] = slot, started
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                slot, started = waiting.pop(future)
                result = replace(future.result(), by_name=slot.stage.name in ctx.settings.stage)
                result = run.ended(result, by_lines=slot.tool.by_lines)
                yield slot, result, (started, time.monotonic())


def _submitted(
    pool: ThreadPoolExecutor, slot: Slot, ctx: Context, done: Mapping[str, ToolResult]
) -> Future[ToolResult]:
    """Start a tool in a thread; its result is `Broken` if that fails."""
    refused: Future[ToolResult] = Future()
    try:
        # The pool keeps work for which it could not start a thread: it must not be done later.
        return pool.submit(lambda: refused.result() if refused.done() else _check_after(slot, ctx, done))
    except RuntimeError as error:
        refused.set_result(ToolResult(tool=slot.tool.name, outcome=Broken(shortage(error) or str(error))))
        return refused


def _check_after(slot: Slot, ctx: Context, done: Mapping[str, ToolResult]) -> ToolResult:
    tool = slot.tool
    absent = [name for name in (*tool.needs, *tool.after) if name not in done]
    if absent:
        reason = (
            f"a bug in ci-action: {tool.name} comes after {' and '.join(absent)}, which did not run before it"
        )
        return ToolResult(tool=tool.name, url=tool.url, outcome=Broken(reason, bug=True))
    for name in tool.after:
        outcome, conclusion = done[name].outcome, judge_tool(done[name])[0]
        if isinstance(outcome, Skipped) and not outcome.rightly:
            return ToolResult(tool=tool.name, url=tool.url, outcome=outcome)
        if conclusion in {Conclusion.FAILED, Conclusion.BROKEN}:
            return ToolResult(tool=tool.name, url=tool.url, outcome=Skipped(f"not run: {name} failed"))
    missing = [name for name in tool.needs if isinstance(done[name].outcome, Broken)]
    if missing:
        reason = f"{' and '.join(missing)} failed to run"
        return ToolResult(tool=tool.name, url=tool.url, outcome=Skipped(reason))
    for name in tool.needs:
        outcome = done[name].outcome
        if isinstance(outcome, Skipped) and outcome.empty:  # nothing to check is not the same as bad data
            return ToolResult(tool=tool.name, url=tool.url, outcome=Skipped(f"{name} had nothing to check"))
    return with_hints(check(tool, ctx), ctx, slot.stage.hints)
