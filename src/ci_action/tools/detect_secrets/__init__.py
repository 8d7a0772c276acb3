"""Secrets in the files that git tracks, by detect-secrets: its own engine, asked through a script of ours."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ci_action.context import Context
from ci_action.errors import ExitCode, ToolError
from ci_action.model import Skipped
from ci_action.parsers.secret_findings import TOOL as NAME
from ci_action.project.baseline import Baseline, Key, is_whole, load, render, write
from ci_action.project.versions import Program
from ci_action.results import Results
from ci_action.tools import Checked, Tool, Turn
from ci_action.tools.detect_secrets.scan import Scan, is_lasting, loads_code

SCRIPT: Final = Path(__file__).parents[2] / "secrets_scanner" / "ciaction_secrets.py"
_DISTRIBUTION: Final = "detect_secrets"


def program(ctx: Context) -> Program:
    """Return our script and the Python of the bundled tools; raises `ToolError` where one is missing."""
    python = ctx.bundle.scripts / "python"
    version = ctx.bundle.version(_DISTRIBUTION)
    if not version or not python.exists():
        raise ToolError(
            f"{NAME} or its Python is missing from {str(ctx.bundle.scripts)!r}: install ci-action anew"
        )
    # Neither variables nor the project's folder change what is imported, and no bytecode of the project is written.
    return Program(argv=(str(python), "-I", "-B", "-X", "utf8", str(SCRIPT)), version=version)


def check(ctx: Context, program: Program) -> Checked:
    """Scan the files that are not known to be unchanged; hold what was found against the baseline."""
    baseline = load(ctx.layout, ctx.settings)
    names, notices = _files(ctx, baseline), ctx.tracked.notices
    if not names:
        return Checked(outcome=_nothing(ctx), warnings=notices)
    scan = Scan(ctx=ctx, program=program, baseline=baseline, results=ctx.results(NAME))
    scan.look(names)
    warnings = [*notices, scan.notice(), scan.results.save()]
    return Checked(outcome=scan.outcome(), warnings=tuple(filter(None, warnings)))


def learn(ctx: Context, paths: Iterable[str]) -> str:
    """Hide from now on what stands in these files, relative to the workspace; return why that could not be, or nothing."""
    try:
        baseline = load(ctx.layout, ctx.settings)
        if not is_lasting(baseline.configuration):
            return "its baseline names code of the project, which only the security stage starts"
        scan = Scan(ctx=ctx, program=program(ctx), baseline=baseline, results=ctx.results(NAME))
        scan.look([os.path.relpath(ctx.layout.workspace / path, ctx.layout.root) for path in paths])
        scan.results.save()
    except ToolError as error:
        return error.reason
    return scan.problem


def count(ctx: Context) -> int:
    """Count the files that a check would look at."""
    return len(_files(ctx, load(ctx.layout, ctx.settings)))


def plan(ctx: Context) -> str:
    """Say what would be scanned."""
    baseline = load(ctx.layout, ctx.settings)
    accepted = (
        f", {_secrets(baseline.entries):,} accepted in {ctx.layout.relative(baseline.file)}"
        if baseline.exists
        else ""
    )
    return f"{program(ctx).version} from bundled, {count(ctx):,} files{accepted}"


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
    names = _files(ctx, baseline)
    scan = Scan(ctx=ctx, program=program(ctx), baseline=baseline, results=Results(None))
    scan.look(names, always=True)
    if scan.problem:
        raise ToolError(scan.problem)
    found, before = scan.found(), set(baseline.entries)
    # Of files that were not looked at nothing is known: what is accepted in them stays so.
    accepted = found | (before - scan.answered())
    write(baseline, render(baseline, scan.program.version, scan.configuration, accepted))
    yield from (f"note: {notice}" for notice in ctx.tracked.notices)
    for name, scanned in sorted(scan.seen.items()):
        if scanned.problem:
            yield f"note: {ctx.layout.relative(name)} cannot be scanned: {scanned.problem}"
    counts = f"{_secrets(accepted - before):,} new, {_secrets(before - accepted):,} gone"
    yield f"{_secrets(accepted):,} accepted in {ctx.layout.relative(baseline.file)} ({counts})"


def _secrets(keys: Iterable[Key]) -> int:
    return sum(not is_whole(key) for key in keys)


def _files(ctx: Context, baseline: Baseline) -> list[str]:
    """Return the names of the files to scan."""
    own = os.path.relpath(baseline.file, ctx.layout.root)
    changes = ctx.narrowed
    names = [name for name in ctx.tracked.names if os.path.normpath(name) != own]
    if changes is not None:
        names = [name for name in names if changes.file(ctx.layout.relative(name))]
    return names


def _nothing(ctx: Context) -> Skipped:
    if ctx.narrowed is not None:
        return Skipped("no changed file", rightly=True)
    return Skipped(f"no files in {', '.join(repr(path) for path in ctx.layout.paths)}")


def _loads_code(ctx: Context) -> bool:
    return loads_code(load(ctx.layout, ctx.settings).configuration)


TOOL: Final = Tool(
    name=NAME,
    summary="Secrets in the files that git tracks, by detect-secrets.",
    url="https://github.com/Yelp/detect-secrets",
    check=check,
    program=program,
    count=count,
    plan=plan,
    by_lines=True,
    runs_code=_loads_code,
    turn=lambda ctx: Turn.EXTENDS if _loads_code(ctx) else Turn.READS,
)
