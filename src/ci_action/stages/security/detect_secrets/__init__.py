"""Secrets in the files that git tracks, by detect-secrets: its own engine, asked through a script of ours."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ci_action.engine import secret_scan
from ci_action.engine.context import Context
from ci_action.engine.secret_scan.baseline import Baseline, Key, is_whole, load, render, write
from ci_action.engine.secret_scan.findings import TOOL as NAME
from ci_action.engine.secret_scan.scan import Scan, loads_code
from ci_action.engine.tool import Checked, Tool, Turn
from ci_action.model.result import Skipped
from ci_action.project.files import tracked
from ci_action.project.programs import Program
from ci_action.system.cache import Results
from ci_action.system.errors import UNDONE, ExitCode, InterruptedRunError, ToolError

SCRIPT: Final = Path(secret_scan.__file__).parent / "scanner" / "ciaction_secrets.py"
_DISTRIBUTION: Final = "detect_secrets"


def program(ctx: Context) -> Program:
    """Return our script and the Python of the bundled tools; raises `ToolError` where one is missing."""
    python = ctx.bundled.scripts / "python"
    version = ctx.bundled.version(_DISTRIBUTION)
    if not version or not python.exists():
        raise ToolError(
            f"{NAME} or its Python is missing from {str(ctx.bundled.scripts)!r}: install ci-action anew"
        )
    # Neither variables nor the project's folder change what is imported, and no bytecode of the project is written.
    return Program(argv=(str(python), "-I", "-B", "-X", "utf8", str(SCRIPT)), version=version)


def check(ctx: Context, program: Program) -> Checked:
    """Scan the files that are not known to be unchanged; hold what was found against the baseline."""
    baseline = load(ctx.layout, ctx.settings)
    names, notices = _files(ctx, baseline), ctx.tracked.notices
    if not names:
        return Checked(outcome=_nothing(ctx), warnings=notices)
    scan = _scan(ctx, program, baseline, names)
    warnings = [*notices, scan.notice(), scan.unsaved]
    return Checked(outcome=scan.outcome(), warnings=tuple(filter(None, warnings)))


def search(ctx: Context) -> str:
    """Hide from now on the secrets in all files of the project; return why that was not possible, or nothing."""
    try:
        baseline = load(ctx.layout, ctx.settings)
        if _is_shared(ctx, baseline):
            return _whole(ctx, program(ctx), baseline).problem
        # Neither the project's plugins nor requests to any service: only the tool itself starts these.
        plain = replace(ctx, settings=ctx.settings.model_copy(update={"secrets_verify": False}))
        own = replace(baseline, document={}) if loads_code(baseline.configuration) else baseline
        return _looked(plain, program(ctx), own, _all_files(ctx, baseline)).problem
    except UNDONE as error:
        return error.reason


def _scan(ctx: Context, program: Program, baseline: Baseline, names: list[str]) -> Scan:
    """Return the scan of these files: a part of the one that `search` makes, if both ask for the same."""
    if not _is_shared(ctx, baseline):
        return _looked(ctx, program, baseline, names)
    whole = _whole(ctx, program, baseline)
    return replace(whole, ctx=ctx, seen={name: whole.seen[name] for name in names if name in whole.seen})


def _is_shared(ctx: Context, baseline: Baseline) -> bool:
    return not ctx.settings.secrets_verify and not loads_code(baseline.configuration)


def _whole(ctx: Context, program: Program, baseline: Baseline) -> Scan:
    """Return the one scan of all files of the project in this run; raises `ToolError`."""
    scan = ctx.scans.of(lambda: _looked(ctx, program, baseline, _all_files(ctx, baseline)))
    assert isinstance(scan, Scan)  # noqa: S101 - nobody else puts anything there
    return scan


def _looked(ctx: Context, program: Program, baseline: Baseline, names: list[str]) -> Scan:
    scan = Scan(ctx=ctx, program=program, baseline=baseline, results=ctx.results(NAME))
    scan.look(names)
    scan.unsaved = scan.results.save()
    return scan


def _all_files(ctx: Context, baseline: Baseline) -> list[str]:
    """Return the names of all files of the project, whatever the paths and the scope: tests may quote any of them."""
    layout = replace(ctx.layout, paths=(".",))
    names = {*ctx.tracked.names}
    if ctx.layout.paths != layout.paths:
        names |= {*tracked(lambda: ctx.repository, layout, ctx.own_folders).names}
    return _without(sorted(names), baseline, ctx)


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
        raise InterruptedRunError(scan.problem) if ctx.stopped() else ToolError(scan.problem)
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
    changes = ctx.narrowed
    names = _without(ctx.tracked.names, baseline, ctx)
    if changes is not None:
        names = [name for name in names if changes.file(ctx.layout.relative(name))]
    return names


def _without(names: Iterable[str], baseline: Baseline, ctx: Context) -> list[str]:
    own = os.path.relpath(baseline.file, ctx.layout.root)
    return [name for name in names if os.path.normpath(name) != own]


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
