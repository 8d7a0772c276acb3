"""The command `fix`: write the safe fixes of the tools, then check again."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from ci_action.commands.session import Call
from ci_action.engine.base_commit import with_changes
from ci_action.engine.context import Context
from ci_action.engine.execute import execute
from ci_action.engine.programs import program_of
from ci_action.engine.secret_scan.search import Progress, Search
from ci_action.engine.stage import Selected
from ci_action.engine.tool import Tool
from ci_action.model.result import Conclusion, RunResult, Verdict
from ci_action.reporters import console
from ci_action.settings.resolve import Resolved
from ci_action.stages import fixing, select
from ci_action.system.cache import Digests
from ci_action.system.errors import UNDONE


def main(call: Call) -> None:
    """Write the fixes, then check what is left; no reports are written."""
    session = call.open()
    result = write_fixes(
        select(session.resolved.settings.stage or fixing()),
        with_changes(session.ctx),
        session.progress(),
        resolved=session.resolved,
        search=session.search,
    )
    call.finish(session, result, console.report)


def write_fixes(
    selected: Sequence[Selected],
    ctx: Context,
    progress: Progress,
    *,
    resolved: Resolved,
    search: Callable[[Context], Search] = lambda _: Search(),
) -> RunResult:
    """Let the tools write their safe fixes, one after the other, then check again: what is left is the result.

    Ruff goes before Black, since its fixes may need formatting.
    """
    tools = [tool for one in selected for tool in one.stage.tools if tool.fix is not None]
    broken = [problem for tool in reversed(tools) if (problem := _fix(tool, ctx)) is not None]
    fresh = replace(ctx, digests=Digests())
    if ctx.narrowed:  # the fixes moved the lines
        fresh = with_changes(fresh)
    result = execute(selected, fresh, progress, resolved=resolved, search=search(fresh))
    if not broken:
        return result
    reasons = tuple(ctx.redact(f"{name}: {reason}") for name, reason in broken)
    verdict = Verdict(
        conclusion=Conclusion.BROKEN,
        reasons=(*reasons, *result.verdict.reasons),
        exit_code=max(result.verdict.exit_code, Conclusion.BROKEN.exit_code),
    )
    return replace(result, verdict=verdict)


def _fix(tool: Tool, ctx: Context) -> tuple[str, str] | None:
    try:
        if tool.fix is not None:
            program = program_of(tool, ctx)
            if program.instead:  # another version would write what the project's own check refuses
                return tool.name, f"{program.instead}: no fixes were written"
            tool.fix(ctx, program)
    except UNDONE as error:
        return tool.name, error.reason
    return None
