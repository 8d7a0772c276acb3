"""The command `fix`: write the safe fixes of the tools, then check again."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from ci_action.commands.session import Call
from ci_action.engine.base_commit import with_changes
from ci_action.engine.context import Context
from ci_action.engine.execute import execute
from ci_action.engine.programs import program_of
from ci_action.engine.secret_scan.search import Progress, Search
from ci_action.engine.stage import Selected
from ci_action.engine.tool import Tool
from ci_action.model.result import Conclusion, RunResult, Verdict
from ci_action.project.file_kinds import SOURCES
from ci_action.project.layout import Layout
from ci_action.reporters import console
from ci_action.settings.resolve import Resolved
from ci_action.stages import fixing, select
from ci_action.system.cache import Digests
from ci_action.system.errors import UNDONE
from ci_action.system.text import counted, one_line

_WRITTEN: Final = (*SOURCES, ".ipynb", ".md")
_LEFT_OUT: Final = frozenset({".git", "node_modules", "__pycache__"})


def main(call: Call) -> None:
    """Write the fixes, then check what is left; no reports are written."""
    session = call.open()
    before = _stamps(session.layout)
    result = write_fixes(
        select(session.resolved.settings.stage or fixing()),
        with_changes(session.ctx),
        session.progress(),
        resolved=session.resolved,
        search=session.search,
    )
    after = _stamps(session.layout)
    written = sorted(name for name, stamp in after.items() if before.get(name) != stamp)
    call.say(f"fix: wrote {counted(len(written), 'file')}", *(f"  {one_line(name)}" for name in written))
    call.finish(session, result, console.report)


def _stamps(layout: Layout) -> dict[str, tuple[int, int]]:
    """Return the time of change and the size of every file that a tool could write."""
    found = {}
    for path in layout.paths:
        start = str(layout.root / path)
        for folder, folders, files in os.walk(start) if os.path.isdir(start) else [("", [], [start])]:
            folders[:] = [name for name in folders if name not in _LEFT_OUT]
            for name in files:
                if name.endswith(_WRITTEN):
                    with suppress(OSError):  # removed meanwhile, or a broken link
                        status = os.stat(os.path.join(folder, name))
                        found[layout.relative(os.path.join(folder, name))] = (
                            status.st_mtime_ns,
                            status.st_size,
                        )
    return found


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
        selection = tool.selection(ctx)
        if tool.fix is not None and not (selection.why_not or selection.offer):
            program = program_of(tool, ctx)
            if program.instead:  # another version would write what the project's own check refuses
                return tool.name, f"{program.instead}: no fixes were written"
            tool.fix(ctx, program)
    except UNDONE as error:
        return tool.name, error.reason
    return None
