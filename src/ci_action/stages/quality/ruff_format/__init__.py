"""Formatting, by Ruff: one finding for each run of lines that `ruff format` would change.

Files are passed by name: so links out of the workspace and our own folders are never read, and an ambiguous name is not
mistaken for another file in the diff.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.tool import NOTHING_CHANGED, Checked, Tool
from ci_action.model.changes import as_shown
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.project.programs import Program, options
from ci_action.project.tool_names import Named
from ci_action.stages.quality.common import no_files, target_option
from ci_action.stages.quality.diff import FORMAT, Change, Formatter, is_plain
from ci_action.stages.quality.ruff_format.output import errors, parse, parse_listed
from ci_action.stages.quality.ruff_plan import Listing, Part, failure_of_ruff, listing, started
from ci_action.stages.quality.selection import formatter
from ci_action.system.errors import ENDED, ToolError
from ci_action.system.process import Completed, batches, last_lines
from ci_action.system.project_files import leading_outside, left_out

_RUFF: Final = Formatter(tool="ruff-format", name="Ruff", url="https://docs.astral.sh/ruff/formatter/")
# The options of `ruff check` that are about the project, so that the formatter needs them as well. Which files are
# excluded is in the list of files already.
_SHARED: Final = frozenset({"--config", "--isolated", "--target-version", "--line-length"})
_WITHOUT_VALUE: Final = "--isolated"
# Ruff reads `requires-python` without a table of its own since this version.
_INFERS: Final = (0, 11)
# Ruff formats other files than Python since this version, at first only with `preview`.
_OTHERS: Final = (0, 15)


@dataclass(frozen=True, kw_only=True)
class _Run:
    """One start of Ruff: the options, and the files by the names in its output."""

    options: tuple[str, ...]
    names: dict[str, str]


@dataclass(kw_only=True)
class _Job:
    """What Ruff checks or writes."""

    ctx: Context
    program: Program
    runs: list[_Run] = field(default_factory=list)
    unchanged: int = 0
    """The number of files outside of the change that the run is limited to."""
    warnings: list[str] = field(default_factory=list)

    may_exclude: bool = False
    account: tuple[str, ...] = ()
    """About files that the project's own checks do not cover."""

    @property
    def number(self) -> int:
        return sum(len(run.names) for run in self.runs)

    @property
    def can_skip(self) -> int:
        """The largest number of files that Ruff can skip: excluded ones, and notebooks of another language."""
        names = (name for run in self.runs for name in run.names)
        return sum(self.may_exclude or name.endswith(".ipynb") for name in names)


def check(ctx: Context, program: Program) -> Checked:
    """Return what Ruff would change."""
    job = _job(ctx, program)
    warnings = tuple(job.warnings)
    if not job.number:
        return Checked(
            outcome=NOTHING_CHANGED if job.unchanged else no_files(ctx, job.account), warnings=warnings
        )
    changes: dict[str, list[Change]] = {}
    examined = 0
    logs = []
    for run in job.runs:
        words = (*run.options, "--diff", "--", *run.names.values())
        try:
            done = ctx.run(started(ctx, program, ("format", *words)))
        except ENDED as error:
            broken = Broken(
                error.reason,
                last_lines(error.stderr),
                findings=tuple(_RUFF.findings(changes, ctx.layout)),
                examined={Counted.FILES: examined},
            )
            return Checked(outcome=broken, warnings=warnings)
        _refuse_failure(done, program)
        seen = parse(done, run.names)
        changes |= seen.changes
        examined += seen.number
        logs.append(done.stderr)
    if job.number - examined > job.can_skip:
        raise ToolError(
            f"ruff was given {job.number} files and accounts for {examined}: its output cannot be trusted",
            detail=last_lines("\n".join(logs)),
        )
    if not examined:
        return Checked(
            outcome=Skipped(f"`format.exclude` of Ruff excludes all {job.number} files"), warnings=warnings
        )
    unreadable = sum(any(one.rule != FORMAT for one in found) for found in changes.values())
    report = Report(
        findings=tuple(_RUFF.findings(changes, ctx.layout)),
        examined={Counted.FILES: examined, Counted.UNREADABLE: unreadable},
        details=job.account,
    )
    return Checked(outcome=report, warnings=warnings, log="\n".join(logs))


def fix(ctx: Context, program: Program) -> None:
    """Let Ruff format the files, except those that it cannot parse."""
    for run in _job(ctx, program).runs:
        words = (*run.options, "--", *run.names.values())
        done = ctx.run(started(ctx, program, ("format", *words)))
        _refuse_failure(done, program)
        if done.returncode and not any(errors(done.stderr, run.names)):
            raise failure_of_ruff(done)


def _refuse_failure(done: Completed, program: Program) -> None:
    """Raise `ToolError` if Ruff failed: a wrong configuration is exit code 2, like a file that it cannot parse."""
    if "error: unexpected argument" in done.stderr:
        reason = done.stderr.strip().splitlines()[0]
        raise ToolError(
            f"`ruff format` of ruff {program.version} failed: {reason}; require ruff 0.1.2 or later",
            detail=last_lines(done.stderr),
        )
    if done.returncode not in {0, 1, 2} or "ruff failed" in done.stderr:
        raise failure_of_ruff(done)


def count(ctx: Context) -> int:
    """Return the number of files that the bundled Ruff would check."""
    return listing(ctx, ctx.bundled.program("ruff"), Named.RUFF_FORMAT).number


def _job(ctx: Context, program: Program) -> _Job:
    """Find the files of the run, and the options for them."""
    listed = listing(ctx, program, Named.RUFF_FORMAT)
    job = _Job(ctx=ctx, program=program, unchanged=listed.unchanged, may_exclude=listed.may_exclude)
    links = listed.links(ctx)
    for one in listed.parts:
        target, more = target_option(ctx, "Ruff", program, _minor(one.part, program), "format")
        job.warnings += more
        isolated = ("--isolated",) if one.part.isolated else ()
        words = (*isolated, *target, *listed.scope.words, *_shared(ctx.settings.ruff_args), "--no-cache")
        others = _others(job, one.part, words, listed)
        leading = leading_outside(others, ctx.layout.root, ctx.layout.workspace)
        links += map(ctx.layout.relative, leading)
        more_files = {name: name for name in others if name not in leading}
        for excludes, files in replace(one, files={**one.files, **more_files}).by_name(ctx):
            job.runs += _runs(ctx, files, (*words, *excludes))
    job.warnings += filter(None, [left_out(sorted(links))])
    job.account = listed.account
    return job


def _minor(part: Part, program: Program) -> int | None:
    """Return the minor version to pass as target: a Ruff that does not read `requires-python` does not get it here either."""
    return None if part.required and _series(program) < _INFERS else part.minor


def _series(program: Program) -> tuple[int, ...]:
    """Return the first two numbers of the version."""
    return tuple(int(number) for number in program.version.split(".")[:2] if number.isdecimal())


def _shared(words: tuple[str, ...]) -> Iterator[str]:
    for name, value in options(words):
        if name in _SHARED:
            yield name if name == _WITHOUT_VALUE else f"{name}={value}"


def _runs(ctx: Context, shown: dict[str, str], words: tuple[str, ...]) -> Iterator[_Run]:
    """Divide files into batches; those with an ambiguous name go one at a time."""
    root = os.path.realpath(ctx.layout.root)
    plain: dict[str, str] = {}
    for name, given in shown.items():
        below = name.removeprefix(f"{root}{os.sep}")  # as Ruff prints it
        if is_plain(below):
            plain[given] = below
        else:
            yield from (_Run(options=words, names={below: one}) for one in _on_disk(given))
    for batch in batches(list(plain)):
        yield _Run(options=words, names={plain[given]: given for given in batch})


def _on_disk(name: str) -> list[str]:
    """Return the files that Ruff shows under a name: bytes that are not UTF-8 are all shown alike."""
    if "\ufffd" not in name or os.path.lexists(name):
        return [name]
    folder, last = os.path.split(name)
    return [
        os.path.join(found, entry)
        for found in _on_disk(folder)
        for entry in sorted(os.listdir(found))
        if as_shown(entry) == last
    ]


def _others(job: _Job, part: Part, words: tuple[str, ...], listed: Listing) -> list[str]:
    """Return files to format that the linter does not list, such as Markdown."""
    ctx = job.ctx
    if _series(job.program) < _OTHERS:
        return []
    command = ("format", *words, "--check", "--output-format=json", "--", *part.paths)
    done = ctx.run(started(ctx, job.program, command))
    _refuse_failure(done, job.program)
    if not done.stdout or (_series(job.program) == _OTHERS and not done.stdout.startswith(b"[")):
        return []  # no files, or no `preview`
    known = {name for one in listed.parts for name in (*one.files, *one.leading)}
    folders = (*ctx.own_folders, *(ctx.layout.root / name for name in part.excluded))
    never = tuple(f"{os.path.realpath(folder)}{os.sep}" for folder in folders)
    fresh = [name for name in parse_listed(done) if name not in known and not name.startswith(never)]
    found = [name for name in fresh if listed.scope.covers(ctx.layout.relative(name))]
    listed.uncovered += len(fresh) - len(found)
    if ctx.narrowed:
        kept = [name for name in found if ctx.narrowed.file(ctx.layout.relative(name))]
        job.unchanged += len(found) - len(kept)
        return kept
    return found


TOOL: Final = Tool(
    name="ruff-format",
    summary="Formatting, by Ruff.",
    url="https://docs.astral.sh/ruff/formatter/",
    package="ruff",
    selection=lambda ctx: formatter(ctx, Named.RUFF_FORMAT),
    check=check,
    fix=fix,
    count=count,
    by_lines=True,
)
