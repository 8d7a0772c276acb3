"""The command `secrets baseline`: accept the secrets that are found today."""

from collections.abc import Iterator

from ci_action.commands.session import Call
from ci_action.engine.context import Context
from ci_action.engine.secret_scan.baseline import accepted_in, load, render, write
from ci_action.engine.secret_scan.scan import Scan, files_of, program
from ci_action.system.cache import Results
from ci_action.system.errors import InterruptedRunError, ToolError
from ci_action.system.exit_codes import ExitCode


def main(call: Call) -> None:
    """Accept the secrets that are found today, whatever the scope."""
    session = call.open(written=frozenset({"secrets-baseline"}))
    call.say(*accept(session.ctx))
    call.code = ExitCode.OK


def accept(ctx: Context) -> Iterator[str]:
    """Write the baseline of the secrets that are found, and yield a summary; raises `ToolError` before it writes."""
    baseline = load(ctx.layout, ctx.settings)
    names = files_of(ctx, baseline)
    scan = Scan(ctx=ctx, program=program(ctx), baseline=baseline, results=Results(None))
    scan.look(names, always=True)
    if scan.problem:
        raise InterruptedRunError(scan.problem) if ctx.stopped() else ToolError(scan.problem)
    found, before = scan.found(), set(baseline.entries)
    # Secrets in files that were not scanned stay accepted.
    accepted = found | (before - scan.answered())
    write(baseline, render(baseline, scan.program.version, scan.configuration, accepted))
    yield from (f"note: {notice}" for notice in ctx.tracked.notices)
    for name, scanned in sorted(scan.seen.items()):
        if scanned.problem:
            yield f"note: {ctx.layout.relative(name)} could not be scanned: {scanned.problem}"
    counts = f"{accepted_in(accepted - before):,} new, {accepted_in(before - accepted):,} gone"
    yield f"{accepted_in(accepted):,} accepted in {ctx.layout.relative(baseline.file)} ({counts})"
