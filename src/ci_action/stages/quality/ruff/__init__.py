"""Linting, by Ruff."""

import glob
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ci_action.engine.context import Context
from ci_action.engine.tool import NOTHING_CHANGED, Checked, Tool
from ci_action.model.changes import as_shown
from ci_action.model.finding import Finding
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.project.config_files import read_toml, tool_table
from ci_action.project.file_kinds import RUFF_FILES
from ci_action.project.layout import Layout, lowest_minor
from ci_action.project.programs import Program, argument_names
from ci_action.stages.quality.ruff.config import SKIPPED_FOLDERS, as_argument, refuse_outside
from ci_action.stages.quality.ruff.output import SEPARATOR, UNREADABLE, Diagnostics, parse_files
from ci_action.system.errors import ENDED, ToolError
from ci_action.system.process import Command, Completed, batches, last_lines
from ci_action.system.project_files import leading_outside, left_out

# Where the project configures nothing: Ruff's default rules before 0.16, which made them many times noisier.
DEFAULT_RULES: Final = "E4,E7,E9,F"
# Overrides whatever the configuration says about writing: `fix = true` there makes a plain check rewrite the tree.
_READ_ONLY: Final = ("--no-fix", "--no-fix-only")
_CHOICES: Final = re.compile(r"py3(\d+)")


@dataclass(frozen=True)
class _Part:
    """A part of the project that one configuration rules, and the options that it needs."""

    paths: tuple[str, ...]
    options: tuple[str, ...] = ()


def check(ctx: Context, program: Program) -> Checked:
    """Ask Ruff for its findings as JSON, and for the files that it looked at."""
    refuse_outside(ctx.layout, ctx.settings.ruff_args)
    parts, warnings = _with_target(ctx, program, _parts(ctx))
    parts, listed, notice = _without_links(ctx, parts, [_list(ctx, program, part) for part in parts])
    warnings = (*warnings, *filter(None, [notice]))
    if not any(listed):
        where = ", ".join(repr(path) for path in ctx.layout.paths)
        return Checked(outcome=Skipped(f"no Python files in {where}"), warnings=warnings)
    parts, files = _changed(ctx, parts, listed)
    if not files:
        return Checked(outcome=NOTHING_CHANGED, warnings=warnings)
    findings: list[Finding] = []
    log = []
    for part in parts:
        diagnostics = Diagnostics(ctx.layout)
        command = _command(ctx, program, part, ("--output-format=json", "--no-cache", *_READ_ONLY))
        try:
            done = ctx.run(replace(command, receive=diagnostics.receive, cut_at=SEPARATOR))
        except ENDED as error:
            broken = Broken(error.reason, last_lines(error.stderr), findings=tuple(findings))
            return Checked(outcome=broken, warnings=warnings)
        findings += _judged(done, diagnostics)
        log.append(done.stderr)
    unreadable = len(
        {finding.location.path for finding in findings if finding.rule == UNREADABLE and finding.location}
    )
    report = Report(
        findings=tuple(findings), examined={Counted.FILES: len(files), Counted.UNREADABLE: unreadable}
    )
    return Checked(outcome=report, warnings=warnings, log="\n".join(log))


def fix(ctx: Context, program: Program) -> None:
    """Let Ruff write its safe fixes."""
    refuse_outside(ctx.layout, ctx.settings.ruff_args)
    parts, _ = _with_target(ctx, program, _parts(ctx))
    parts, listed, _ = _without_links(ctx, parts, [_list(ctx, program, part) for part in parts])
    parts, _ = _changed(ctx, parts, listed)
    # Ruff before 0.1 knew no unsafe fixes.
    safe = () if program.version.startswith("0.0.") else ("--no-unsafe-fixes",)
    for part in parts:
        done = ctx.run(_command(ctx, program, part, ("--fix", *safe, "--exit-zero", "--no-cache")))
        if done.returncode != 0:
            raise _failure(done)


def count(ctx: Context) -> int:
    """Count the files that the bundled Ruff would look at."""
    refuse_outside(ctx.layout, ctx.settings.ruff_args)
    program = ctx.bundled.program("ruff")
    parts = _parts(ctx)
    parts, listed, _ = _without_links(ctx, parts, [_list(ctx, program, part) for part in parts])
    return len(_changed(ctx, parts, listed)[1])


def _command(ctx: Context, program: Program, part: _Part, mode: Sequence[str]) -> Command:
    excluded = [f"--extend-exclude={glob.escape(str(folder))}" for folder in ctx.own_folders]
    words = (*part.options, *excluded, *ctx.settings.ruff_args, *mode, "--", *part.paths)
    command = Command(
        argv=(*program.argv, "check", *words), cwd=ctx.layout.root, timeout=float(ctx.settings.timeout)
    )
    return ctx.reading(command)


def _list(ctx: Context, program: Program, part: _Part) -> list[str]:
    done = ctx.run(_command(ctx, program, part, ("--show-files", "--no-cache")))
    if done.returncode != 0:
        raise _failure(done)
    return parse_files(done.stdout)


def _without_links(
    ctx: Context, parts: list[_Part], listed: list[list[str]]
) -> tuple[list[_Part], list[list[str]], str]:
    """Leave out links that lead out of the workspace, which Ruff follows; return what is left, and what is said of them."""
    layout = ctx.layout
    links = [name for names in listed for name in leading_outside(names, layout.root, layout.workspace)]
    if not links:
        return parts, listed, ""
    excluded = tuple(f"--extend-exclude={glob.escape(name)}" for name in links)
    kept = [[name for name in names if name not in links] for names in listed]
    shown = sorted(map(layout.relative, links))
    return [_Part(part.paths, (*part.options, *excluded)) for part in parts], kept, left_out(shown)


def _changed(ctx: Context, parts: list[_Part], listed: Sequence[list[str]]) -> tuple[list[_Part], list[str]]:
    """Limit the parts to changed files, given by name; return them with the files that Ruff looks at in them."""
    changes = ctx.narrowed
    if changes is None:
        return parts, [name for names in listed for name in names]
    real = {as_shown(path): path for path in changes.lines}
    limited, files = [], []
    for part, names in zip(parts, listed, strict=True):
        found = {name: real.get(as_shown(ctx.layout.relative(name))) for name in names}
        files += [name for name, path in found.items() if path]
        given = [
            os.path.relpath(ctx.layout.workspace / path, ctx.layout.root) for path in found.values() if path
        ]
        limited += [_Part(tuple(batch), part.options) for batch in batches(list(map(as_argument, given)))]
    return limited, files


def _judged(done: Completed, diagnostics: Diagnostics) -> list[Finding]:
    """Return the findings; raises where exit code and output do not belong together."""
    if done.returncode not in {0, 1}:
        raise _failure(done)
    findings = diagnostics.findings()
    if done.returncode == 1 and not findings:
        raise ToolError(
            "ruff says that it found something, and lists nothing", detail=last_lines(done.stderr)
        )
    return findings


def _failure(done: Completed) -> ToolError:
    lines = last_lines(done.stderr) or "it wrote nothing"
    if done.killed_by:
        return ToolError(f"ruff was ended by {done.killed_by}", detail=lines)
    return ToolError(f"ruff ended with exit code {done.returncode}: {_cause(lines)}", detail=lines)


def _cause(text: str) -> str:
    """Return what is wrong: an option, or the causes from the outermost to the innermost and the line after them."""
    rows = [row.strip() for row in text.splitlines()]
    usage = next((row for row in rows if row.startswith("error: ")), "")
    causes = [row.removeprefix("Cause: ") for row in rows if row.startswith("Cause: ")]
    last = [] if rows[-1].startswith("Cause: ") else [rows[-1]]
    return usage or ": ".join([*causes, *last])


def _parts(ctx: Context) -> list[_Part]:
    """Divide the paths by configuration: where the project has none, Ruff runs without any and with a small set.

    Ruff reads the nearest configuration above a file. A folder below may have one where the root has none.
    """
    layout, words = ctx.layout, argument_names(ctx.settings.ruff_args)
    paths = tuple(map(as_argument, layout.paths))
    if (
        any(configures(folder, layout.workspace) for folder in layout.folders)
        or "--config" in words
        or "--isolated" in words
    ):
        return [_Part(paths)]
    nested = sorted({found for path in paths for found in _configured_below(layout.root / path, layout)})
    rules = () if "--select" in words else (f"--select={DEFAULT_RULES}",)
    # Ruff reads the files that it is given even where they are excluded, so a path inside such a folder goes with it.
    loose = tuple(path for path in paths if not any(_is_below(path, folder) for folder in nested))
    excluded = tuple(f"--extend-exclude={glob.escape(folder)}" for folder in nested)
    parts = [_Part(loose, ("--isolated", *rules, *excluded))] if loose else []
    own = tuple(path for path in paths if path not in loose) + tuple(
        f"./{folder}" for folder in nested if any(_is_below(folder, path) for path in loose)
    )
    return [*parts, _Part(own)] if own else parts


def _is_below(path: str, folder: str) -> bool:
    inner, outer = os.path.normpath(path), os.path.normpath(folder)
    return outer in (".", inner) or inner.startswith(outer + os.sep)


def configures(folder: Path, workspace: Path) -> bool:
    """Whether a folder holds a configuration of Ruff."""
    if any((folder / name).is_file() for name in RUFF_FILES):
        return True
    return "ruff" in _tool_table(folder, workspace)


def _tool_table(folder: Path, workspace: Path) -> Mapping[str, Any]:
    file = folder / "pyproject.toml"
    return tool_table(read_toml(file, str(file), workspace))


def _configured_below(start: Path, layout: Layout) -> Iterable[str]:
    """Return the topmost folders at or below a path that have a configuration, relative to the root."""
    root = layout.root
    top = start if start.is_dir() else start.parent
    between = [folder for folder in (top, *top.parents) if folder.is_relative_to(root) and folder != root]
    for folder in reversed(between):
        if configures(folder, layout.workspace):
            yield os.path.relpath(folder, root)
            return
    if not start.is_dir():
        return
    for found, folders, files in os.walk(start):
        named = {*RUFF_FILES, "pyproject.toml"} & set(files)
        if Path(found) != root and named and configures(Path(found), layout.workspace):
            folders.clear()
            yield os.path.relpath(found, root)
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]


def _with_target(ctx: Context, program: Program, parts: list[_Part]) -> tuple[list[_Part], tuple[str, ...]]:
    """Name the target version where the project's configuration of Ruff names none: the newest that this Ruff knows.

    Without a configuration Ruff does not see `requires-python`, so it is handed over; `python-version` is for projects
    that say neither.
    """
    first = parts[0]
    isolated = "--isolated" in first.options
    minor = _wanted_minor(ctx, isolated=isolated)
    if minor is None:
        return parts, ()
    argv = (*program.argv, "check", "--target-version=none")
    probe = ctx.run(ctx.reading(Command(argv=argv, cwd=ctx.tempdir)))
    known = sorted({int(number) for number in _CHOICES.findall(probe.stderr)})
    if not known:
        raise ToolError("ruff does not say which target versions it knows", detail=last_lines(probe.stderr))
    nearest = min(known, key=lambda number: (abs(number - minor), number))
    warning = f"Ruff {program.version} knows no target for Python 3.{minor}: py3{nearest} was used"
    targeted = _Part(first.paths, (*first.options, f"--target-version=py3{nearest}"))
    return [targeted, *parts[1:]], () if nearest == minor else (warning,)


def _wanted_minor(ctx: Context, *, isolated: bool) -> int | None:
    if "--target-version" in argument_names(ctx.settings.ruff_args):
        return None
    requires = ctx.layout.requires_python
    if isolated and requires:
        return lowest_minor(requires)
    if not isolated and (requires or _configured_target(ctx) or not _configured(ctx)):
        return None
    return lowest_minor(ctx.settings.python_version) if ctx.settings.python_version else None


def _configured(ctx: Context) -> bool:
    return any(configures(folder, ctx.layout.workspace) for folder in ctx.layout.folders)


def _configured_target(ctx: Context) -> bool:
    workspace = ctx.layout.workspace
    for folder in ctx.layout.folders:
        tables = [read_toml(folder / name, name, workspace) for name in RUFF_FILES]
        tables.append(_tool_table(folder, workspace).get("ruff", {}))
        if any("target-version" in table for table in tables):
            return True
    return False


TOOL: Final = Tool(
    name="ruff",
    summary="Linting, by Ruff.",
    url="https://docs.astral.sh/ruff/",
    check=check,
    fix=fix,
    count=count,
    by_lines=True,
    refused=frozenset({
        "--fix", "--fix-only", "--unsafe-fixes", "--add-noqa", "--add-ignore", "--diff", "--output-file", "-o",
        "--output-format", "--watch", "-w", "--statistics", "--show-files", "--show-settings", "--help", "-h",
        "--exit-zero", "-e", "--exit-non-zero-on-fix", "--show-fixes", "--cache-dir", "--no-cache", "-n",
    }),
)  # fmt: skip
