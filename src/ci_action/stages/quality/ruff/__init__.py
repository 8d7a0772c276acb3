"""Linting, by Ruff."""

import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.tool import NOTHING_CHANGED, Checked, Tool
from ci_action.model.changes import as_shown
from ci_action.model.finding import Finding
from ci_action.model.result import Broken, Counted, Report
from ci_action.project.layout import lowest_minor
from ci_action.project.programs import Program, argument_names
from ci_action.stages.quality.common import as_argument, failure, no_files, target_option
from ci_action.stages.quality.ruff.config import nested, parse_files, refuse_outside, tables
from ci_action.system.errors import ENDED, ToolError
from ci_action.system.process import Command, Completed, batches, last_lines
from ci_action.system.project_files import leading_outside, left_out

# For projects without a configuration: Ruff's default rules before 0.16, which reports many times more.
DEFAULT_RULES: Final = "E4,E7,E9,F"
# They override the configuration, in which `fix = true` would make a plain check rewrite files.
_READ_ONLY: Final = ("--no-fix", "--no-fix-only")


@dataclass(frozen=True)
class _Part:
    """Paths with one configuration, and the options for them."""

    paths: tuple[str, ...]
    options: tuple[str, ...] = ()


@dataclass
class _Plan:
    """What a run of Ruff checks."""

    warnings: tuple[str, ...]
    parts: list[_Part] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    unchanged: int = 0
    """The number of files outside of the change that the run is limited to."""


def check(ctx: Context, program: Program) -> Checked:
    """Run Ruff on all files, and return its findings."""
    # Imports msgspec, while Black runs.
    from ci_action.stages.quality.ruff.output import SEPARATOR, UNREADABLE, Diagnostics

    plan = _planned(ctx, program)
    if not plan.files:
        outcome = NOTHING_CHANGED if plan.unchanged else no_files(ctx)
        return Checked(outcome=outcome, warnings=plan.warnings)
    findings: list[Finding] = []
    log = []
    for part in plan.parts:
        diagnostics = Diagnostics(ctx.layout)
        command = _command(ctx, program, part, "--output-format=json", *_READ_ONLY)
        try:
            done = ctx.run(replace(command, receive=diagnostics.receive, cut_at=SEPARATOR))
        except ENDED as error:
            broken = Broken(error.reason, last_lines(error.stderr), findings=tuple(findings))
            return Checked(outcome=broken, warnings=plan.warnings)
        if done.returncode not in {0, 1}:
            raise _failure(done)
        found = diagnostics.findings()
        if done.returncode == 1 and not found:
            raise ToolError("ruff reported findings but listed none", detail=last_lines(done.stderr))
        findings += found
        log.append(done.stderr)
    unreadable = {one.location.path for one in findings if one.rule == UNREADABLE and one.location}
    examined = {Counted.FILES: len(plan.files), Counted.UNREADABLE: len(unreadable)}
    report = Report(findings=tuple(findings), examined=examined)
    return Checked(outcome=report, warnings=plan.warnings, log="\n".join(log))


def fix(ctx: Context, program: Program) -> None:
    """Let Ruff write its safe fixes."""
    # Ruff before 0.1 has no unsafe fixes.
    safe = () if program.version.startswith("0.0.") else ("--no-unsafe-fixes",)
    for part in _planned(ctx, program).parts:
        done = ctx.run(_command(ctx, program, part, "--fix", *safe, "--exit-zero"))
        if done.returncode != 0:
            raise _failure(done)


def count(ctx: Context) -> int:
    """Return the number of files that the bundled Ruff would check."""
    return len(_planned(ctx, ctx.bundled.program("ruff")).files)


def _command(ctx: Context, program: Program, part: _Part, *mode: str) -> Command:
    excluded = _excluding(map(str, ctx.own_folders))
    words = (*part.options, *excluded, *ctx.settings.ruff_args, *mode, "--no-cache", "--", *part.paths)
    argv = (*program.argv, "check", *words)
    return ctx.reading(Command(argv=argv, cwd=ctx.layout.root, timeout=float(ctx.settings.timeout)))


def _excluding(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"--extend-exclude={glob.escape(name)}" for name in names)


def _planned(ctx: Context, program: Program) -> _Plan:
    """List the files of each part, without those outside of the change, and links that lead out of the workspace.

    Ruff follows such links, so they are excluded by name. Changed files are passed by name.
    """
    layout, changes = ctx.layout, ctx.narrowed
    refuse_outside(layout, ctx.settings.ruff_args)
    parts, warnings = _parts(ctx, program)
    plan = _Plan(warnings)
    links: list[str] = []
    for part in parts:
        done = ctx.run(_command(ctx, program, part, "--show-files"))
        if done.returncode != 0:
            raise _failure(done)
        names = parse_files(done.stdout)
        leading = set(leading_outside(names, layout.root, layout.workspace))
        links += map(layout.relative, leading)
        kept = [name for name in names if name not in leading]
        options = (*part.options, *_excluding(leading))
        if changes is None:
            plan.files += kept
            plan.parts.append(_Part(part.paths, options))
            continue
        real = {as_shown(path): path for path in changes.lines}
        paths = {name: real[shown] for name in kept if (shown := as_shown(layout.relative(name))) in real}
        plan.files += paths
        plan.unchanged += len(kept) - len(paths)
        given = [os.path.relpath(layout.workspace / path, layout.root) for path in paths.values()]
        plan.parts += [_Part(tuple(batch), options) for batch in batches(list(map(as_argument, given)))]
    plan.warnings += tuple(filter(None, [left_out(sorted(links))]))
    return plan


def _failure(done: Completed) -> ToolError:
    """Return the error with its cause: a wrong option, or the causes from the outermost to the innermost."""
    rows = [row.strip() for row in last_lines(done.stderr).splitlines()]
    usage = next((row for row in rows if row.startswith("error: ")), "")
    causes = [row.removeprefix("Cause: ") for row in rows if row.startswith("Cause: ")]
    last = [row for row in rows[-1:] if not row.startswith("Cause: ")]
    return failure("ruff", done, usage or ": ".join([*causes, *last]))


def _parts(ctx: Context, program: Program) -> tuple[list[_Part], tuple[str, ...]]:
    """Divide the paths by configuration: without one in the project, Ruff runs isolated and with a small set of rules.

    Ruff reads the nearest configuration above a file. A folder below may have one although the root has none.

    If the configuration names no target version, it is the newest that this Ruff supports. An isolated Ruff does not
    read `requires-python`, so it is passed on; `python-version` is for projects that set neither.
    """
    layout, words = ctx.layout, argument_names(ctx.settings.ruff_args)
    paths = tuple(map(as_argument, layout.paths))
    configured = [table for folder in layout.folders for table in tables(folder, layout)]
    untargeted = "--target-version" not in words
    if configured or "--config" in words or "--isolated" in words:
        targeted = layout.requires_python or any("target-version" in table for table in configured)
        minor = (
            lowest_minor(ctx.settings.python_version) if untargeted and not targeted and configured else None
        )
        options, warnings = target_option(ctx, "Ruff", program, minor, "check")
        return [_Part(paths, options)], warnings
    folders = nested(layout)
    # Ruff checks a file that is passed by name even if it is excluded, so a path inside such a folder belongs to it.
    loose = tuple(path for path in paths if not any(_is_below(path, folder) for folder in folders))
    own = tuple(path for path in paths if path not in loose) + tuple(
        f"./{folder}" for folder in folders if any(_is_below(folder, path) for path in loose)
    )
    parts = [_Part(own)] if own else []
    if not loose:
        return parts, ()
    minor = lowest_minor(layout.requires_python or ctx.settings.python_version) if untargeted else None
    target, warnings = target_option(ctx, "Ruff", program, minor, "check")
    rules = () if "--select" in words else (f"--select={DEFAULT_RULES}",)
    return [_Part(loose, ("--isolated", *rules, *_excluding(folders), *target)), *parts], warnings


def _is_below(path: str, folder: str) -> bool:
    inner, outer = os.path.normpath(path), os.path.normpath(folder)
    return outer in (".", inner) or inner.startswith(outer + os.sep)


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
