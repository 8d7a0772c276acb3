"""The command `secrets baseline`: the secrets that are found today are accepted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ci_action.commands.failure import say
from ci_action.commands.session import Call, Options
from ci_action.engine.context import Context
from ci_action.engine.secret_scan.baseline import accepted_in, load, render, write
from ci_action.engine.secret_scan.project import files_of, program
from ci_action.engine.secret_scan.scan import Scan
from ci_action.system.cache import Results
from ci_action.system.errors import InterruptedRunError, ToolError
from ci_action.system.exit_codes import ExitCode


def baseline_command(flags: Mapping[str, Any], options: Options) -> int:
    """Accept the secrets that are found today, whatever the scope; returns the exit code."""
    with Call(flags, options) as call:
        session = call.open(written=frozenset({"secrets-baseline"}))
        accepted = accept(session.ctx)
        say(session.screen, *map(session.ctx.redact, accepted.lines))
        call.code = accepted.code
    return call.code


@dataclass(frozen=True)
class Accepted:
    """What came of accepting the secrets of today: what to say, and the exit code."""

    lines: tuple[str, ...]
    code: ExitCode = ExitCode.OK


def accept(ctx: Context) -> Accepted:
    """Write the baseline of what is found today; where the scan breaks nothing is written."""
    try:
        return Accepted(tuple(_accept(ctx)))
    except ToolError as error:
        code = ExitCode.BROKEN
        return Accepted((f"ci-action: broken ({error.reason}, nothing was written), exit {int(code)}",), code)


def _accept(ctx: Context) -> Iterator[str]:
    baseline = load(ctx.layout, ctx.settings)
    names = files_of(ctx, baseline)
    scan = Scan(ctx=ctx, program=program(ctx), baseline=baseline, results=Results(None))
    scan.look(names, always=True)
    if scan.problem:
        raise InterruptedRunError(scan.problem) if ctx.stopped() else ToolError(scan.problem)
    found, before = scan.found(), set(baseline.entries)
    # Of files that were not looked at nothing is known: what is accepted in them stays so.
    accepted = found | (before - scan.answered())
    write(baseline, render(baseline, scan.program.version, scan.configuration, accepted))
    yield from (f"note: {notice}" for notice in ctx.tracked.notices)
    for name, scanned in sorted(scan.seen.items()):
        if scanned.problem:
            yield f"note: {ctx.layout.relative(name)} cannot be scanned: {scanned.problem}"
    counts = f"{accepted_in(accepted - before):,} new, {accepted_in(before - accepted):,} gone"
    yield f"{accepted_in(accepted):,} accepted in {ctx.layout.relative(baseline.file)} ({counts})"
