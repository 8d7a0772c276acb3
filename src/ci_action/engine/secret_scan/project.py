"""The scans of the project's files: one of all that is quoted, and the part that a check looks at."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.secret_scan.baseline import Baseline, load
from ci_action.engine.secret_scan.findings import TOOL as NAME
from ci_action.engine.secret_scan.scan import Scan, loads_code
from ci_action.project.files import tracked
from ci_action.project.programs import Program
from ci_action.settings import Settings
from ci_action.system.errors import UNDONE, ToolError

SCRIPT: Final = Path(__file__).parent / "scanner" / "ciaction_secrets.py"
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


def search(ctx: Context) -> str:
    """Hide from now on the secrets in all files of the project; return why that was not possible, or nothing."""
    try:
        baseline = load(ctx.layout, ctx.settings)
        if _is_shared(ctx, baseline):
            return _whole(ctx, program(ctx), baseline).problem
        # Neither the project's plugins nor requests to any service: only the tool itself starts these.
        plain = replace(ctx, settings=Settings(**{**vars(ctx.settings), "secrets_verify": False}))
        own = replace(baseline, document={}) if loads_code(baseline.configuration) else baseline
        return _looked(plain, program(ctx), own, _all_files(ctx, baseline)).problem
    except UNDONE as error:
        return error.reason


def scan_of(ctx: Context, program: Program, baseline: Baseline, names: list[str]) -> Scan:
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
    assert isinstance(scan, Scan)  # noqa: S101 - only scans are put there
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


def files_of(ctx: Context, baseline: Baseline) -> list[str]:
    """Return the names of the files to scan."""
    changes = ctx.narrowed
    names = _without(ctx.tracked.names, baseline, ctx)
    if changes is not None:
        names = [name for name in names if changes.file(ctx.layout.relative(name))]
    return names


def _without(names: Iterable[str], baseline: Baseline, ctx: Context) -> list[str]:
    own = os.path.relpath(baseline.file, ctx.layout.root)
    return [name for name in names if os.path.normpath(name) != own]
