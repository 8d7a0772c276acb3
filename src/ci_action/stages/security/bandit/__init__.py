"""Security issues in the code, by bandit."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.programs import by_uv, pinned
from ci_action.engine.secret_scan.findings import TOOL as SECRETS
from ci_action.engine.tool import NOTHING_CHANGED, Checked, Tool
from ci_action.model.finding import Finding, Level, Location
from ci_action.model.result import Broken, Counted, Examined, Outcome, Report, Skipped
from ci_action.project.environment import python_request
from ci_action.project.file_kinds import is_test
from ci_action.project.layout import lowest_minor
from ci_action.project.programs import Program, exactly, select
from ci_action.stages.security.bandit.config import BanditConfig, bandit_config
from ci_action.stages.security.bandit.output import (
    PARSE,
    Issue,
    Seen,
    cause,
    complaints,
    in_characters,
    messages,
    parse,
    removed_tests,
    unreadable,
)
from ci_action.system.cache import Results, key_of, restored
from ci_action.system.errors import ENDED, UNDONE, InterruptedRunError, ProjectFileError, ToolError
from ci_action.system.parallel import shares
from ci_action.system.process import Command, Completed, batches, last_lines
from ci_action.system.project_files import LARGEST_SOURCE, read_project_file
from ci_action.system.text import quoted

NAME: Final = "bandit"
# The Python that runs the bundled bandit.
OURS: Final = f"3.{sys.version_info.minor}"
IN_A_TEST: Final = "assert is what tests are made of"
# Bytes of source that take bandit longer than its own start: below that another process does not pay.
LEAST_SHARE: Final = 150_000
_EXCLUDED: Final = "excluded"
# Hardcoded passwords: as a string, as an argument, as a default.
_PASSWORDS: Final = frozenset({"B105", "B106", "B107"})
# Ruff's rules S have the numbers of bandit's tests (https://docs.astral.sh/ruff/rules/#flake8-bandit-s), except this
# one: bandit has two tests for `mark_safe`, Ruff one rule.
_OTHERWISE: Final[Mapping[str, str]] = {"B703": "S308"}
# One file can make a report impossible, for example by a password with a lone surrogate.
_UNPRINTABLE: Final = "Unable to output report"


def program(ctx: Context) -> Program:
    """Return the project's version of bandit or the bundled one, on the project's Python if it is newer than ours.

    bandit can only parse the syntax of the Python that runs it. Raises `ToolError`.
    """
    newer = newer_python(python_request(ctx.layout, ctx.settings.python_version)[0], sys.version_info.minor)
    if not newer:
        return pinned(ctx, NAME)
    choice = select(NAME, settings=ctx.settings, layout=ctx.layout, bundled=ctx.bundled)
    try:
        found = by_uv(ctx, NAME, exactly(choice, ctx.bundled.version(NAME)), python=newer)
        return replace(found, python=newer)
    except ToolError as error:
        ours = pinned(ctx, NAME)
        reason = " ".join(error.reason.split())
        note = f"bandit runs on Python {OURS}, which is older than the project's {newer}: {reason}"
        return replace(ours, warnings=(*ours.warnings, note))


def newer_python(request: str, ours: int) -> str:
    """Return the lowest version of Python that a request allows, such as `3.14`, if it is newer than 3.`ours`."""
    named = re.fullmatch(r"(?:cpython|python)?[-@]?(3\.\d+(?:\.\d+)?)t?", request)
    minor = lowest_minor(named[1] if named else request)
    return f"3.{minor}" if minor is not None and minor > ours else ""


def check(ctx: Context, program: Program) -> Checked:
    """Run bandit on every Python file that may have changed, in several processes."""
    config = bandit_config(ctx.layout, ctx.settings.bandit_args, ctx.tempdir)
    warnings = (*config.warnings, *ctx.tracked.notices)
    files = _files(ctx, config)
    if not files:
        where = ", ".join(repr(path) for path in ctx.layout.paths)
        return Checked(outcome=Skipped(f"no Python files in {where}"), warnings=warnings)
    files = _changed(ctx, files)
    if not files:
        return Checked(outcome=NOTHING_CHANGED, warnings=warnings)
    scan = _Scan(ctx=ctx, program=program, config=config, results=ctx.results("bandit"))
    scan.look(files)
    more = filter(None, [scan.results.save(), scan.left_out(), scan.removed_tests()])
    log = "\n".join(filter(None, scan.log))
    return Checked(outcome=scan.outcome(), warnings=(*warnings, *more), log=log)


def count(ctx: Context) -> int:
    """Return the number of files that bandit would scan."""
    config = bandit_config(ctx.layout, ctx.settings.bandit_args, ctx.tempdir)
    return len(_changed(ctx, _files(ctx, config)))


def _files(ctx: Context, config: BanditConfig) -> list[str]:
    return [name for name in ctx.tracked.names if config.takes(name)]


def _changed(ctx: Context, files: list[str]) -> list[str]:
    changes = ctx.narrowed
    return [name for name in files if changes.file(ctx.layout.relative(name))] if changes else files


@dataclass(kw_only=True)
class _Scan:
    """One scan of the project's files, and what is known of them so far."""

    ctx: Context
    program: Program
    config: BanditConfig
    results: Results
    issues: dict[str, list[Issue]] = field(default_factory=dict)
    excluded: set[str] = field(default_factory=set)
    problems: list[ToolError | InterruptedRunError] = field(default_factory=list)
    removed: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)

    def look(self, files: Sequence[str]) -> None:
        """Take cached results for unchanged files and run bandit on the others; keep the results if some runs fail."""
        keys = self._uncached(files)
        if not keys:
            return
        parts = shares({name: self.ctx.layout.root / name for name in keys}, LEAST_SHARE)
        with ThreadPoolExecutor(len(parts)) as pool:
            for seen in pool.map(lambda part: list(self._run(part)), parts):
                for one in seen:
                    self._keep(one, keys)

    def _uncached(self, files: Sequence[str]) -> dict[str, str]:
        """Return the cache keys of the files without a cached result."""
        ctx, program = self.ctx, self.program
        # Another Python has another syntax.
        who = (program.version, *sorted(program.extras), sys.version, program.python)
        same = key_of(*who, "", *ctx.settings.bandit_args, str(self.config))
        keys = {}
        for name in files:
            try:
                key = key_of(same, name, ctx.digests.of(ctx.layout.root / name, ctx.layout.workspace))
            except ProjectFileError as error:
                self.issues[name] = [unreadable(f"could not read the file: {error.problem}")]
                continue
            kept = self.results.get(key)
            issues = restored(Issue, kept)
            if kept == _EXCLUDED:
                self.excluded.add(name)
            elif issues is None:
                keys[name] = key
            else:
                self.issues[name] = issues
        return keys

    def _run(self, files: Sequence[str]) -> Iterator[Seen]:
        try:
            for batch in batches(files):
                yield from self._scanned(batch)
        except UNDONE as error:
            self.problems.append(error)

    def _scanned(self, files: Sequence[str]) -> Iterator[Seen]:
        done = self.ctx.run(self._command(files))
        self.log.append(messages(done.stderr))
        self.removed.update(removed_tests(done.stderr))
        wrong = complaints(done.stderr)
        if wrong:
            args = ["bandit-args"] if self.ctx.settings.bandit_args else []
            where = ", ".join([*self.config.sources, *args])
            raise ToolError(f"the configuration of bandit is wrong ({where}): {'; '.join(wrong)}")
        if done.returncode in {0, 1} and done.stdout.strip():
            seen = parse(done.stdout, done.stderr, files, done.returncode, self._python)
            self.config.explain(seen.excluded)
            yield seen
        elif _UNPRINTABLE not in done.stderr:
            raise _failure(done)
        elif len(files) == 1:
            text = "bandit could not print its report on this file"
            yield Seen(issues={files[0]: [unreadable(text)]})
        else:  # halve the batch until the file is alone
            middle = len(files) // 2
            yield from self._scanned(files[:middle])
            yield from self._scanned(files[middle:])

    @property
    def _python(self) -> str:
        return f"Python {self.program.python or OURS}"

    def _command(self, files: Sequence[str]) -> Command:
        # The user's options come first, so that an option without its value cannot take a file for it.
        options = (*self.ctx.settings.bandit_args, *self.config.options)
        names = (f"./{name}" for name in files)
        command = Command(
            argv=(*self.program.argv, *options, "--quiet", "--format=json", "--number=0", "--", *names),
            cwd=self.ctx.layout.root,
            timeout=float(self.ctx.settings.timeout),
        )
        return self.ctx.reading(command)

    def _keep(self, seen: Seen, keys: Mapping[str, str]) -> None:
        layout = self.ctx.layout
        for name, issues in seen.issues.items():
            found = issues
            if any(issue.column for issue in issues):
                try:
                    source = read_project_file(layout.root / name, layout.workspace, largest=LARGEST_SOURCE)
                    found = in_characters(issues, source)
                except ProjectFileError:  # it was removed meanwhile: keep bandit's columns
                    found = issues
            self.issues[name] = found
            if name not in seen.passing:
                self.results.put(keys[name], [vars(issue) for issue in found])
        for name in seen.excluded:
            self.excluded.add(name)
            self.results.put(keys[name], _EXCLUDED)

    def outcome(self) -> Outcome:
        """Return the findings: broken if bandit failed for some files, skipped if it excluded all of them."""
        findings, examined = tuple(_findings(self.ctx, self.issues)), self._examined()
        if self.problems:
            # An interruption makes others fail: report the cause.
            interruptions = (one for one in self.problems if isinstance(one, InterruptedRunError))
            first = next(interruptions, self.problems[0])
            detail = messages(first.stderr) if isinstance(first, ENDED) else first.detail
            return Broken(first.reason, detail, findings=findings, examined=examined)
        if not self.issues:
            files = "the only file" if len(self.excluded) == 1 else f"all {len(self.excluded):,} files"
            return Skipped(f"{self._who()} excludes {files}", rightly=self.ctx.narrowed is not None)
        return Report(findings=findings, examined=examined)

    def _examined(self) -> Examined:
        blind = {PARSE, "unreadable"}
        missed = sum(any(issue.rule in blind for issue in issues) for issues in self.issues.values())
        counts = {Counted.FILES: len(self.issues), Counted.UNREADABLE: missed}
        return counts | ({Counted.EXCLUDED: len(self.excluded)} if self.excluded else {})

    def left_out(self) -> str:
        """Return a warning about excluded files; empty if there are none."""
        if not self.excluded:
            return ""
        every = len(self.excluded) + len(self.issues)
        text = f"bandit left out {len(self.excluded):,} of {every:,} files, excluded by {self._who()}"
        names = [name for name in sorted(self.excluded) if self.config.by_accident(name)]
        if names:
            text += f"; bandit matches an excluded folder anywhere in a path, hence also {quoted(names)}"
        return text

    def _who(self) -> str:
        return " and ".join(self.config.sources) or "bandit-args or bandit itself"

    def removed_tests(self) -> str:
        """Return a warning about configured tests that this version no longer has; empty if there are none."""
        if not self.removed:
            return ""
        return f"this version of bandit no longer has {', '.join(sorted(self.removed))}: remove it from the configuration"


def _failure(done: Completed) -> ToolError:
    lines = messages(done.stderr)
    if done.killed_by:
        return ToolError(f"bandit was ended by {done.killed_by}", detail=lines)
    if done.returncode in {0, 1} and not done.stderr.strip():
        return ToolError("bandit printed nothing instead of JSON")
    return ToolError(
        f"bandit ended with exit code {done.returncode}: {cause(done.stderr)}",
        detail=lines or last_lines(done.stderr, 3),
    )


def same_as(test: str) -> tuple[str, ...]:
    """Return the names of the same problem in other tools."""
    secret = (SECRETS,) if test in _PASSWORDS else ()
    return (*secret, f"ruff:{_OTHERWISE.get(test, f'S{test[1:]}')}")


def _findings(ctx: Context, issues: Mapping[str, Sequence[Issue]]) -> Iterator[Finding]:
    for name in sorted(issues):
        path = ctx.layout.relative(name)
        for issue in issues[name]:
            yield Finding(
                tool="bandit",
                rule=issue.rule,
                message=issue.message,
                level=Level.ERROR if issue.severity else Level.WARNING,
                severity=issue.severity,
                location=Location(
                    path=path,
                    line=issue.line,
                    column=issue.column,
                    end_line=issue.end_line,
                    end_column=issue.end_column,
                ),
                url=issue.url,
                same_as=same_as(issue.rule),
                sensitive=issue.rule in _PASSWORDS,
                muted=IN_A_TEST if issue.rule == "B101" and is_test(name) else "",
                new=_is_new(ctx, path, issue),
            )


def _is_new(ctx: Context, path: str, issue: Issue) -> bool | None:
    """Whether the change touched a statement that begins above the reported line; None if the lines decide."""
    if ctx.changes is None or not ctx.changes.known or issue.first is None or issue.first == issue.line:
        return None
    whole = Location(path=path, line=issue.first, end_line=issue.end_line)
    return ctx.changes.touches(Finding(tool="bandit", rule=issue.rule, message="", location=whole))


TOOL: Final = Tool(
    name=NAME,
    summary="Security issues in the code, by bandit.",
    url="https://bandit.readthedocs.io",
    check=check,
    program=program,
    count=count,
    by_lines=True,
)
