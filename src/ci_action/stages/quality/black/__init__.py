"""Formatting, by Black: one finding for each run of lines that Black would change."""

import json
import os
import re
import stat
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.tool import NOTHING_CHANGED, Checked, Tool
from ci_action.model.result import Broken, Counted, Report
from ci_action.project.layout import lowest_minor
from ci_action.project.programs import Program
from ci_action.project.tool_names import Named
from ci_action.stages.quality.black.discovery import BlackConfig, Discovery, black_config, config_option
from ci_action.stages.quality.black.output import parse, parse_part
from ci_action.stages.quality.common import as_argument, failure, no_files, target_option
from ci_action.stages.quality.diff import FORMAT, UNREADABLE, Change, Formatter, is_plain
from ci_action.stages.quality.scope import Scope, scope_of
from ci_action.stages.quality.selection import formatter
from ci_action.system.cache import Results, key_of, restored
from ci_action.system.errors import ENDED, ProjectFileError, ToolError
from ci_action.system.parallel import shares
from ci_action.system.process import Command, Completed, batches, last_lines
from ci_action.system.project_files import LARGEST_SOURCE, left_out, read_project_file

_BLACK: Final = Formatter(
    tool="black",
    name="Black",
    url="https://black.readthedocs.io/en/stable/the_black_code_style/current_style.html",
)
_BAD_KEYS: Final = re.compile(r"^Invalid config keys detected:.*$", re.MULTILINE)
# Black parses its output a second time before it writes: a check does not write, so it does without.
_CHECKING: Final = "--fast"
_WRITING: Final = "--safe"
_ENDS: Final = frozenset({0, 1, 123})
# Bytes of source that take Black longer than its own start: below that another process does not pay.
_LEAST_SHARE: Final = 300_000
# The first version of Black with a number of workers in all its releases.
_DIVIDES: Final = 22
_ONE_WORKER: Final = ("--workers=1",)


@dataclass(kw_only=True)
class _Job:
    """What Black checks or writes, and what it has reported so far."""

    ctx: Context
    program: Program
    config: BlackConfig
    files: list[str]
    skipped: int
    """The number of files outside of the change that the run is limited to."""
    warnings: list[str]
    options: tuple[str, ...] = ()
    account: tuple[str, ...] = ()
    """About files that the project's own checks do not cover."""
    changes: dict[str, list[Change]] = field(default_factory=dict)
    logs: list[str] = field(default_factory=list)

    def command(self, files: Sequence[str], *mode: str, stdin: bytes = b"") -> Command:
        argv = (*self.program.argv, *mode, *self.options, "--", *files)
        timeout = float(self.ctx.settings.timeout)
        return self.ctx.reading(Command(argv=argv, cwd=self.ctx.layout.root, stdin=stdin, timeout=timeout))


def check(ctx: Context, program: Program) -> Checked:
    """Return the findings of all files; Black runs only for those without a kept result."""
    job = _job(ctx, program, _CHECKING)
    if not job.files:
        return Checked(
            outcome=NOTHING_CHANGED if job.skipped else no_files(ctx, job.account),
            warnings=tuple(job.warnings),
        )
    results = ctx.results("black")
    keys = _known(job, results)
    fresh = [name for name in job.files if name not in job.changes]
    try:
        _run(job, fresh)
    except ENDED as error:
        broken = Broken(
            error.reason,
            last_lines(error.stderr),
            findings=tuple(_BLACK.findings(job.changes, ctx.layout)),
            examined={Counted.FILES: len(job.changes)},
        )
        return Checked(outcome=broken, warnings=tuple(job.warnings))
    for name in fresh:
        results.put(keys[name], [vars(change) for change in job.changes[name]])
    job.warnings += filter(None, [results.save()])
    unreadable = sum(any(change.rule != FORMAT for change in changes) for changes in job.changes.values())
    report = Report(
        findings=tuple(_BLACK.findings(job.changes, ctx.layout)),
        examined={Counted.FILES: len(job.changes), Counted.UNREADABLE: unreadable},
        details=job.account,
    )
    return Checked(outcome=report, warnings=tuple(job.warnings), log="\n".join(job.logs))


def fix(ctx: Context, program: Program) -> None:
    """Let Black rewrite the files, except those that it cannot parse."""
    job = _job(ctx, program, _WRITING)
    for batch in batches(list(map(as_argument, job.files))):
        _refuse_usage(ctx.run(job.command(batch)), {0, 123})


def count(ctx: Context) -> int:
    """Return the number of files that Black would check."""
    scope = scope_of(ctx, Named.BLACK)
    found = _discovery(ctx, black_config(ctx.layout), scope).files()
    return len(_changed(ctx, [name for name in found if scope.covers(ctx.layout.relative(name))]))


def _job(ctx: Context, program: Program, mode: str) -> _Job:
    """Find the files of the run, and the options for them."""
    config = black_config(ctx.layout)
    scope = scope_of(ctx, Named.BLACK)
    discovery = _discovery(ctx, config, scope)
    listed = discovery.files()
    found = [name for name in listed if scope.covers(ctx.layout.relative(name))]
    account = scope.account(len(listed) - len(found))
    warnings = [*filter(None, [left_out(discovery.links)])]
    notebooks = sum(name.endswith(".ipynb") for name in found)
    if notebooks and "jupyter" not in program.extras:
        found = [name for name in found if not name.endswith(".ipynb")]
        warnings.append(f"Black skipped notebooks ({notebooks:,}): pin `black[jupyter]` to check them")
    files = _changed(ctx, found)
    job = _Job(
        ctx=ctx,
        program=program,
        config=config,
        files=files,
        skipped=len(found) - len(files),
        warnings=warnings,
        account=account,
    )
    if files:
        minor = None if config.sets_target else lowest_minor(ctx.settings.python_version)
        target, more = target_option(ctx, "Black", program, minor, "--code=")
        # Excludes are applied before Black gets a name.
        fixed = (mode, "--no-color", "--force-exclude=", config_option(config, ctx.tempdir))
        job.options = (*fixed, *target, *scope.words, *ctx.settings.black_args)
        job.warnings += more
    return job


def _discovery(ctx: Context, config: BlackConfig, scope: Scope) -> Discovery:
    words = (*scope.words, *ctx.settings.black_args)
    return Discovery(layout=ctx.layout, config=config, words=words, never=ctx.own_folders)


def _changed(ctx: Context, files: list[str]) -> list[str]:
    changes = ctx.narrowed
    return [name for name in files if changes.file(ctx.layout.relative(name))] if changes else files


def _known(job: _Job, results: Results) -> dict[str, str]:
    """Take over the kept results of unchanged files; return the keys of all files."""
    same = key_of(
        job.program.version,
        json.dumps(sorted(job.program.extras)),
        json.dumps([option for option in job.options if not option.startswith("--config=")]),
        json.dumps(
            {**job.config.table, "requires-python": job.config.requires_python}, sort_keys=True, default=str
        ),
    )
    keys = {}
    for name in job.files:
        path = job.ctx.layout.root / name
        try:
            keys[name] = key_of(same, path.suffix, job.ctx.digests.of(path, job.ctx.layout.workspace))
        except ProjectFileError as error:
            message = f"could not read the file: {error.problem}"
            job.changes[name] = [Change(rule=UNREADABLE, line=None, message=message)]
            continue
        kept = restored(Change, results.get(keys[name]))
        if kept is not None:
            job.changes[name] = kept
    return keys


def _run(job: _Job, files: Sequence[str]) -> None:
    """Check files, several shares at a time, and those with an ambiguous name one at a time by standard input."""
    plain: list[str] = []
    alone: list[str] = []
    for name in files:
        (plain if _is_plain(job.ctx.layout.root, name) else alone).append(name)
    parts = _shares(job, plain)
    mode = _ONE_WORKER if len(parts) > 1 else ()
    with ThreadPoolExecutor(len(parts) or 1) as pool:
        # Unlike `map` this drops no share if another one fails first.
        for started in [pool.submit(_compared, job, part, *mode) for part in parts]:
            alone += started.result()
    for name in alone:
        job.changes[name] = _run_alone(job, name)


def _compared(job: _Job, files: Sequence[str], *mode: str) -> list[str]:
    """Check files in batches by their diffs, and return those that have to be checked alone."""
    alone: list[str] = []
    for batch in batches(files):
        try:
            done = job.ctx.run(job.command(batch, "--check", "--diff", *mode))
        except ENDED as error:
            job.changes |= parse_part(error.stdout, batch)
            raise
        _refuse_usage(done, _ENDS)
        found = parse(done.stdout, done.stderr, batch)
        job.changes |= found.changes
        job.logs.append(done.stderr)
        alone += found.lost
    return alone


def _shares(job: _Job, files: Sequence[str]) -> list[list[str]]:
    """Divide files over processes.

    The pool of Black costs a twentieth of its time, and a twentieth more for diffs: one process a share has neither.
    """
    divides = int(job.program.version.partition(".")[0]) >= _DIVIDES
    return (
        shares({name: job.ctx.layout.root / name for name in files}, _LEAST_SHARE) if divides else [[*files]]
    )


def _is_plain(root: Path, name: str) -> bool:
    """Whether a file can be in a batch: a regular one with a plain name, and without CR as line end.

    For a file with CR Black prints a diff without a single newline, which swallows that of the next file.
    """
    try:
        if not stat.S_ISREG(os.lstat(root / name).st_mode) or not is_plain(name):
            return False
        with (root / name).open("rb") as stream:
            return b"\r" not in stream.readline().removesuffix(b"\n").removesuffix(b"\r")
    except OSError:
        return False


def _run_alone(job: _Job, name: str) -> list[Change]:
    """Check one file by standard input, under a name that only keeps its kind."""
    suffix = Path(name).suffix if Path(name).suffix in {".pyi", ".ipynb"} else ".py"
    content = read_project_file(job.ctx.layout.root / name, job.ctx.layout.workspace, largest=LARGEST_SOURCE)
    words = ("--check", "--diff", f"--stdin-filename=file{suffix}")
    done = job.ctx.run(job.command(["-"], *words, stdin=content))
    _refuse_usage(done, _ENDS)
    stdout = done.stdout if b"\n" in done.stdout else done.stdout.replace(b"\r", b"\n")
    found = parse(stdout, done.stderr, [name])
    if found.lost:
        raise ToolError(f"Black could not check {name!r}: {found.lost[name]}", detail=last_lines(done.stderr))
    return found.changes[name]


def _refuse_usage(done: Completed, usual: Collection[int]) -> None:
    """Raise `ToolError` if the exit code or the messages show that Black failed."""
    if bad := _BAD_KEYS.search(done.stderr):
        raise ToolError(f"the configuration of Black is wrong: {bad[0]}", detail=last_lines(done.stderr))
    if done.returncode not in usual:
        raise failure("black", done)


TOOL: Final = Tool(
    name="black",
    summary="Formatting, by Black.",
    url="https://black.readthedocs.io",
    check=check,
    fix=fix,
    count=count,
    selection=lambda ctx: formatter(ctx, Named.BLACK),
    by_lines=True,
    refused=frozenset({
        "--code", "-c", "--quiet", "-q", "--color", "--line-ranges", "--stdin-filename", "--config",
        "--help", "-h", "--version",
    }),
)  # fmt: skip
