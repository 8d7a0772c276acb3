"""Secrets in the files that git tracks, by the engine of detect-secrets."""

from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.secret_scan.baseline import accepted_in, load
from ci_action.engine.secret_scan.findings import TOOL as NAME
from ci_action.engine.secret_scan.scan import files_of, loads_code, program, scan_of
from ci_action.engine.tool import Checked, Tool, Turn
from ci_action.model.result import Skipped
from ci_action.project.programs import Program


def check(ctx: Context, program: Program) -> Checked:
    """Scan the files that may have changed, and compare the secrets with the baseline."""
    baseline = load(ctx.layout, ctx.settings)
    names, notices = files_of(ctx, baseline), ctx.tracked.notices
    if not names:
        return Checked(outcome=_nothing(ctx), warnings=notices)
    scan = scan_of(ctx, program, baseline, names)
    warnings = [*notices, scan.notice(), scan.unsaved]
    return Checked(outcome=scan.outcome(), warnings=tuple(filter(None, warnings)))


def count(ctx: Context) -> int:
    """Return the number of files to scan."""
    return len(files_of(ctx, load(ctx.layout, ctx.settings)))


def plan(ctx: Context) -> str:
    """Describe what would be scanned."""
    baseline = load(ctx.layout, ctx.settings)
    accepted = (
        f", {accepted_in(baseline.entries):,} accepted in {ctx.layout.relative(baseline.file)}"
        if baseline.exists
        else ""
    )
    return f"{program(ctx).version} from bundled, {count(ctx):,} files{accepted}"


def _nothing(ctx: Context) -> Skipped:
    if ctx.narrowed is not None:
        return Skipped("no changed file", rightly=True)
    return Skipped(f"no files in {', '.join(repr(path) for path in ctx.layout.paths)}")


def _loads_code(ctx: Context) -> bool:
    return loads_code(load(ctx.layout, ctx.settings).configuration)


TOOL: Final = Tool(
    name=NAME,
    summary="Secrets in files that git tracks, by detect-secrets.",
    url="https://github.com/Yelp/detect-secrets",
    check=check,
    program=program,
    count=count,
    plan=plan,
    by_lines=True,
    runs_code=_loads_code,
    turn=lambda ctx: Turn.EXTENDS if _loads_code(ctx) else Turn.READS,
)
