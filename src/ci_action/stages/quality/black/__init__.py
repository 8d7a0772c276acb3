"""Formatting, by Black: one finding for each run of lines that Black would change."""

import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.tool import NOTHING_CHANGED, Checked, Tool
from ci_action.model.finding import Finding, Fix, Location
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.project.layout import lowest_minor
from ci_action.project.programs import Program
from ci_action.stages.quality.black.discovery import (
    BlackConfig,
    black_config,
    black_files,
    config_option,
    discovery_options,
)
from ci_action.stages.quality.black.output import Change, Seen, parse, parse_part
from ci_action.system.cache import Results, key_of, restored
from ci_action.system.errors import ENDED, ProjectFileError, ToolError
from ci_action.system.process import Command, Completed, batches, last_lines
from ci_action.system.project_files import LARGEST_SOURCE, left_out, read_project_file

URL: Final = "https://black.readthedocs.io/en/stable/the_black_code_style/current_style.html"
# Names that a diff header carries without any doubt: printable ASCII, no quotes, no blanks at the ends.
_PLAIN_NAME: Final = re.compile(r"[!#-&(-\[\]-~](?:[ !#-&(-\[\]-~]*[!#-&(-\[\]-~])?")
_BAD_KEYS: Final = re.compile(r"^Invalid config keys detected:.*$", re.MULTILINE)
# Excludes are applied before Black sees a name.
_FIXED: Final = ("--no-color", "--force-exclude=")
# Black's second parse guards what it writes: a check writes nothing, so it buys nothing there.
_CHECKING: Final = ("--fast", *_FIXED)
_WRITING: Final = ("--safe", *_FIXED)
_CHOICES: Final = re.compile(r"'(py3\d+)'")


@dataclass(frozen=True, kw_only=True)
class _Job:
    ctx: Context
    program: Program
    options: tuple[str, ...]

    def command(self, files: Sequence[str], *mode: str, stdin: bytes = b"") -> Command:
        argv = (*self.program.argv, *mode, *self.options, "--", *files)
        command = Command(
            argv=argv, cwd=self.ctx.layout.root, stdin=stdin, timeout=float(self.ctx.settings.timeout)
        )
        return self.ctx.reading(command)


def check(ctx: Context, program: Program) -> Checked:
    """Ask Black for its diff of every file that is not known to be unchanged."""
    config = black_config(ctx.layout)
    files, warnings = _files(ctx, config, program)
    if not files:
        return Checked(outcome=Skipped(_no_files(ctx)), warnings=warnings)
    files = _changed(ctx, files)
    if not files:
        return Checked(outcome=NOTHING_CHANGED, warnings=warnings)
    target, more = _target(ctx, config, program)
    job = _Job(
        ctx=ctx,
        program=program,
        options=(*_CHECKING, config_option(config, ctx.tempdir), *target, *ctx.settings.black_args),
    )
    results = ctx.results("black")
    seen, logs = Seen(), []
    keys = _known(job, config, files, results, seen)
    try:
        for fresh, log in _look(job, [name for name in files if name not in seen.changes], seen):
            logs.append(log)
            for name in fresh:
                results.put(keys[name], [vars(change) for change in seen.changes[name]])
    except ENDED as error:
        known = {name: changes for name, changes in seen.changes.items() if changes}
        broken = Broken(
            error.reason,
            last_lines(error.stderr),
            findings=tuple(_findings(ctx, known)),
            examined={Counted.FILES: len(seen.changes)},
        )
        return Checked(outcome=broken, warnings=(*warnings, *more))
    problem = results.save()
    unreadable = sum(any(change.rule != "format" for change in changes) for changes in seen.changes.values())
    report = Report(
        findings=tuple(_findings(ctx, seen.changes)),
        examined={Counted.FILES: len(seen.changes), Counted.UNREADABLE: unreadable},
    )
    return Checked(outcome=report, warnings=(*warnings, *more, *filter(None, [problem])), log="\n".join(logs))


def fix(ctx: Context, program: Program) -> None:
    """Let Black rewrite the files; files that it cannot parse are left alone."""
    config = black_config(ctx.layout)
    files, _ = _files(ctx, config, program)
    target, _ = _target(ctx, config, program)
    job = _Job(
        ctx=ctx,
        program=program,
        options=(*_WRITING, config_option(config, ctx.tempdir), *target, *ctx.settings.black_args),
    )
    for batch in batches(
        [name if not name.startswith("-") else f"./{name}" for name in _changed(ctx, files)]
    ):
        done = ctx.run(job.command(batch))
        _refuse_usage(done, {0, 123})


def count(ctx: Context) -> int:
    """Count the files that Black would look at."""
    config = black_config(ctx.layout)
    found = black_files(ctx.layout, config, discovery_options(ctx.settings.black_args), ctx.own_folders)
    return len(_changed(ctx, found))


def _files(ctx: Context, config: BlackConfig, program: Program) -> tuple[list[str], tuple[str, ...]]:
    links: list[str] = []
    options = discovery_options(ctx.settings.black_args)
    files = black_files(ctx.layout, config, options, ctx.own_folders, links)
    warnings = tuple(filter(None, [left_out(links)]))
    notebooks = [name for name in files if name.endswith(".ipynb")]
    if not notebooks or "jupyter" in program.extras:
        return files, warnings
    count = "1 notebook" if len(notebooks) == 1 else f"{len(notebooks):,} notebooks"
    text = f"Black did not look at {count}: it can where the project pins black[jupyter]"
    return [name for name in files if not name.endswith(".ipynb")], (*warnings, text)


def _changed(ctx: Context, files: list[str]) -> list[str]:
    changes = ctx.narrowed
    return [name for name in files if changes.file(ctx.layout.relative(name))] if changes else files


def _no_files(ctx: Context) -> str:
    return f"no Python files in {', '.join(repr(path) for path in ctx.layout.paths)}"


def _target(ctx: Context, config: BlackConfig, program: Program) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Turn `python-version` into a target where the project sets none: the newest one that this Black knows."""
    wanted = lowest_minor(ctx.settings.python_version) if ctx.settings.python_version else None
    if config.sets_target or wanted is None:
        return (), ()
    probe = Command(argv=(*program.argv, "--target-version=none", "--code="), cwd=ctx.tempdir)
    known = sorted({int(name[3:]) for name in _CHOICES.findall(ctx.run(ctx.reading(probe)).stderr)})
    if not known:
        raise ToolError("Black does not say which target versions it knows")
    nearest = min(known, key=lambda minor: (abs(minor - wanted), minor))
    warning = f"Black {program.version} knows no target for Python 3.{wanted}: py3{nearest} was used"
    return (f"--target-version=py3{nearest}",), () if nearest == wanted else (warning,)


def _known(
    job: _Job, config: BlackConfig, files: Iterable[str], results: Results, seen: Seen
) -> dict[str, str]:
    """Answer from the kept results what did not change; return the keys of all files."""
    same = key_of(
        job.program.version,
        json.dumps(sorted(job.program.extras)),
        json.dumps([option for option in job.options if not option.startswith("--config=")]),
        json.dumps({**config.table, "requires-python": config.requires_python}, sort_keys=True, default=str),
    )
    keys = {}
    for name in files:
        path = job.ctx.layout.root / name
        try:
            keys[name] = key_of(same, path.suffix, job.ctx.digests.of(path, job.ctx.layout.workspace))
        except ProjectFileError as error:
            message = f"could not read the file: {error.problem}"
            seen.changes[name] = [Change(rule="unreadable", line=None, message=message)]
            continue
        kept = restored(Change, results.get(keys[name]))
        if kept is not None:
            seen.changes[name] = kept
    return keys


def _look(job: _Job, files: Sequence[str], seen: Seen) -> Iterator[tuple[list[str], str]]:
    """Give the files to Black, doubtful names one at a time by standard input; yield what was seen, and the log."""
    plain = [name for name in files if _is_plain(job.ctx.layout.root, name)]
    alone = [name for name in files if name not in set(plain)]
    for batch in batches(plain):
        found, done = _run_batch(job, batch, seen)
        alone += list(found.lost)
        yield list(found.changes), done.stderr
    for name in alone:
        seen.changes[name] = _run_alone(job, name)
        yield [name], ""


def _is_plain(root: Path, name: str) -> bool:
    try:
        regular = stat.S_ISREG(os.lstat(root / name).st_mode)
        return regular and _PLAIN_NAME.fullmatch(name) is not None and not _ends_lines_by_cr(root / name)
    except OSError:
        return False


def _ends_lines_by_cr(file: Path) -> bool:
    # For such a file Black prints a diff without a single newline, which swallows that of the next file.
    with file.open("rb") as stream:
        first = stream.readline()
    return b"\r" in first.removesuffix(b"\n").removesuffix(b"\r")


def _run_batch(job: _Job, files: Sequence[str], seen: Seen) -> tuple[Seen, Completed]:
    try:
        done = job.ctx.run(job.command(files, "--check", "--diff"))
    except ENDED as error:
        seen.changes.update(parse_part(error.stdout, files).changes)
        raise
    _refuse_usage(done, {0, 1, 123})
    found = parse(done.stdout, done.stderr, files)
    seen.changes.update(found.changes)
    return found, done


def _run_alone(job: _Job, name: str) -> list[Change]:
    """Check one file by standard input, under a name that means nothing but the kind of file."""
    suffix = Path(name).suffix if Path(name).suffix in {".pyi", ".ipynb"} else ".py"
    content = read_project_file(job.ctx.layout.root / name, job.ctx.layout.workspace, largest=LARGEST_SOURCE)
    done = job.ctx.run(
        job.command(["-"], "--check", "--diff", f"--stdin-filename=file{suffix}", stdin=content)
    )
    _refuse_usage(done, {0, 1, 123})
    stdout = done.stdout if b"\n" in done.stdout else done.stdout.replace(b"\r", b"\n")
    seen = parse(stdout, done.stderr, [name])
    if seen.lost:
        raise ToolError(f"Black could not check {name!r}: {seen.lost[name]}", detail=last_lines(done.stderr))
    return seen.changes[name]


def _refuse_usage(done: Completed, usual: set[int]) -> None:
    """Raise where the exit code or the messages say that Black did not do its work."""
    if bad := _BAD_KEYS.search(done.stderr):
        raise ToolError(f"the configuration of Black is wrong: {bad[0]}", detail=last_lines(done.stderr))
    if done.killed_by:
        raise ToolError(f"black was ended by {done.killed_by}", detail=last_lines(done.stderr))
    if done.returncode not in usual:
        lines = last_lines(done.stderr) or "it wrote nothing"
        raise ToolError(
            f"black ended with exit code {done.returncode}: {lines.splitlines()[-1]}", detail=lines
        )


def _findings(ctx: Context, changes: Mapping[str, Sequence[Change]]) -> Iterator[Finding]:
    for name in sorted(changes):
        path = ctx.layout.relative(name)
        for change in changes[name]:
            place = Location(path=path, line=change.line, column=change.column, end_line=change.end_line)
            yield Finding(
                tool="black",
                rule=change.rule,
                message=change.message or _message(change),
                location=place,
                url=URL if change.rule == "format" else "",
                fix=Fix.SAFE if change.rule == "format" else Fix.NONE,
                fix_message="Reformat with Black" if change.rule == "format" else "",
                before=change.before,
                after=change.after,
            )


def _message(change: Change) -> str:
    if not change.before:
        lines = change.after.count("\n")
        return f"Black would add {lines} {'line' if lines == 1 else 'lines'} here"
    if change.before == change.after:
        return "Black would change the end of this line"
    first, last = change.line, change.end_line
    where = "this line" if first == last else f"lines {first} to {last}"
    return f"Black would {'reformat' if change.after else 'remove'} {where}"


TOOL: Final = Tool(
    name="black",
    summary="Formatting, by Black.",
    url="https://black.readthedocs.io",
    check=check,
    fix=fix,
    count=count,
    by_lines=True,
    refused=frozenset({
        "--code", "-c", "--quiet", "-q", "--color", "--line-ranges", "--stdin-filename", "--config",
        "--help", "-h", "--version",
    }),
)  # fmt: skip
