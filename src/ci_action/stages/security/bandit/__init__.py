"""Security issues in the code, by bandit."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.secret_scan.findings import TOOL as SECRETS
from ci_action.engine.tool import NOTHING_CHANGED, Checked, Tool
from ci_action.model.finding import Finding, Location
from ci_action.model.result import Broken, Counted, Examined, Outcome, Report, Skipped
from ci_action.project.file_kinds import is_test
from ci_action.project.programs import Program
from ci_action.stages.security.bandit.config import BanditConfig, bandit_config
from ci_action.stages.security.bandit.output import (
    Issue,
    Seen,
    cause,
    complaints,
    in_characters,
    messages,
    parse,
    removed_tests,
)
from ci_action.system.cache import Results, key_of, restored
from ci_action.system.errors import ENDED, UNDONE, InterruptedRunError, ProjectFileError, ToolError
from ci_action.system.parallel import divided, processors
from ci_action.system.process import Command, Completed, batches, last_lines
from ci_action.system.project_files import LARGEST_SOURCE, read_project_file
from ci_action.system.text import quoted

IN_A_TEST: Final = "assert is what tests are made of"
# Bytes of source that take bandit longer than its own start: below that a further process is no gain.
LEAST_SHARE: Final = 150_000
_EXCLUDED: Final = "excluded"
# Hardcoded passwords: as a string, as an argument, as a default.
_PASSWORDS: Final = frozenset({"B105", "B106", "B107"})
# Ruff's rules S have the numbers of bandit's tests (https://docs.astral.sh/ruff/rules/#flake8-bandit-s). But for this
# one: bandit has two tests for `mark_safe`, Ruff one rule.
_OTHERWISE: Final[Mapping[str, str]] = {"B703": "S308"}
# A report that one file makes impossible, such as a password with half a character in it.
_UNPRINTABLE: Final = "Unable to output report"


@dataclass
class _Scan:
    """What is known of the files by now."""

    issues: dict[str, list[Issue]] = field(default_factory=dict)
    excluded: set[str] = field(default_factory=set)
    problems: list[ToolError | InterruptedRunError] = field(default_factory=list)
    removed: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)

    def examined(self) -> Examined:
        """Count what was looked at."""
        unreadable = sum(
            any(issue.rule in {"parse", "unreadable"} for issue in issues) for issues in self.issues.values()
        )
        counts = {Counted.FILES: len(self.issues), Counted.UNREADABLE: unreadable}
        return counts | ({Counted.EXCLUDED: len(self.excluded)} if self.excluded else {})


@dataclass(frozen=True, kw_only=True)
class _Job:
    ctx: Context
    program: Program
    config: BanditConfig

    def command(self, files: Sequence[str]) -> Command:
        # The user's options come first, so that one of them that lacks its value cannot take a file for it.
        options = (
            *self.ctx.settings.bandit_args,
            *self.config.options,
            "--quiet",
            "--format=json",
            "--number=0",
        )
        command = Command(
            argv=(*self.program.argv, *options, "--", *(f"./{name}" for name in files)),
            cwd=self.ctx.layout.root,
            timeout=float(self.ctx.settings.timeout),
        )
        return self.ctx.reading(command)


def check(ctx: Context, program: Program) -> Checked:
    """Let bandit look at every Python file that is not known to be unchanged, in several processes."""
    config = bandit_config(ctx.layout, ctx.settings.bandit_args, ctx.tempdir)
    files = _files(ctx, config)
    warnings = [*config.warnings, *ctx.tracked.notices]
    if not files:
        where = ", ".join(repr(path) for path in ctx.layout.paths)
        return Checked(outcome=Skipped(f"no Python files in {where}"), warnings=tuple(warnings))
    files = _changed(ctx, files)
    if not files:
        return Checked(outcome=NOTHING_CHANGED, warnings=tuple(warnings))
    job = _Job(ctx=ctx, program=program, config=config)
    results, scan = ctx.results("bandit"), _Scan()
    keys = _known(job, files, results, scan)
    _look(job, keys, results, scan)
    warnings += filter(None, [results.save(), _left_out(scan, config), _removed(scan)])
    log = "\n".join(filter(None, scan.log))
    return Checked(outcome=_outcome(ctx, config, scan), warnings=tuple(warnings), log=log)


def count(ctx: Context) -> int:
    """Count the files that bandit would be given."""
    config = bandit_config(ctx.layout, ctx.settings.bandit_args, ctx.tempdir)
    return len(_changed(ctx, _files(ctx, config)))


def _files(ctx: Context, config: BanditConfig) -> list[str]:
    return [name for name in ctx.tracked.names if config.takes(name)]


def _changed(ctx: Context, files: list[str]) -> list[str]:
    changes = ctx.narrowed
    return [name for name in files if changes.file(ctx.layout.relative(name))] if changes else files


def _known(job: _Job, files: Iterable[str], results: Results, scan: _Scan) -> dict[str, str]:
    """Answer from the kept results what did not change; return the keys of the files that are to be looked at."""
    ctx = job.ctx
    who = (
        job.program.version,
        *sorted(job.program.extras),
        sys.version,
    )  # another Python knows another syntax
    same = key_of(*who, "", *ctx.settings.bandit_args, str(job.config))
    keys = {}
    for name in files:
        try:
            key = key_of(same, name, ctx.digests.of(ctx.layout.root / name, ctx.layout.workspace))
        except ProjectFileError as error:
            text = f"could not read the file: {error.problem}"
            scan.issues[name] = [Issue(rule="unreadable", message=text, severity="unknown")]
            continue
        kept = results.get(key)
        issues = restored(Issue, kept)
        if kept == _EXCLUDED:
            scan.excluded.add(name)
        elif issues is None:
            keys[name] = key
        else:
            scan.issues[name] = issues
    return keys


def _look(job: _Job, keys: Mapping[str, str], results: Results, scan: _Scan) -> None:
    """Give the files to bandit, in as many processes as are worth it; keep what each found though others fail."""
    if not keys:
        return
    shares = divided({name: _size(job.ctx, name) for name in keys}, processors(), LEAST_SHARE)
    with ThreadPoolExecutor(len(shares)) as pool:
        for seen in pool.map(lambda share: list(_run(job, share, scan)), shares):
            for one in seen:
                _keep(job.ctx, one, keys, results, scan)


def _size(ctx: Context, name: str) -> int:
    try:
        return (ctx.layout.root / name).stat().st_size
    except OSError:
        return 0


def _run(job: _Job, files: Sequence[str], scan: _Scan) -> Iterator[Seen]:
    for batch in batches(files):
        try:
            done = job.ctx.run(job.command(batch))
            yield from _read(job, batch, done, scan)
        except UNDONE as error:
            scan.problems.append(error)
            return


def _read(job: _Job, files: Sequence[str], done: Completed, scan: _Scan) -> Iterator[Seen]:
    scan.log.append(messages(done.stderr))
    scan.removed.update(removed_tests(done.stderr))
    wrong = complaints(done.stderr)
    if wrong:
        where = ", ".join([*job.config.sources, *(["bandit-args"] if job.ctx.settings.bandit_args else [])])
        raise ToolError(f"the configuration of bandit is wrong ({where}): {'; '.join(wrong)}")
    if done.returncode not in {0, 1} or not done.stdout.strip():
        if _UNPRINTABLE in done.stderr:
            yield from _apart(job, files, scan)
            return
        raise _failure(done)
    seen = parse(done.stdout, done.stderr, files, done.returncode)
    job.config.explain(seen.excluded)
    yield seen


def _apart(job: _Job, files: Sequence[str], scan: _Scan) -> Iterator[Seen]:
    """Look at the halves of a batch of which bandit could not print the report, until the file is alone."""
    if len(files) == 1:
        text = "bandit found something in this file that it cannot print, so it could not report on it"
        yield Seen(issues={files[0]: [Issue(rule="unreadable", message=text, severity="unknown")]})
        return
    middle = len(files) // 2
    for half in (files[:middle], files[middle:]):
        yield from _read(job, half, job.ctx.run(job.command(half)), scan)


def _failure(done: Completed) -> ToolError:
    lines = messages(done.stderr)
    if done.killed_by:
        return ToolError(f"bandit was ended by {done.killed_by}", detail=lines)
    if done.returncode in {0, 1} and not done.stderr.strip():
        return ToolError("bandit printed nothing where its JSON should be")
    return ToolError(
        f"bandit ended with exit code {done.returncode}: {cause(done.stderr)}",
        detail=lines or last_lines(done.stderr, 3),
    )


def _keep(ctx: Context, seen: Seen, keys: Mapping[str, str], results: Results, scan: _Scan) -> None:
    for name, issues in seen.issues.items():
        found = issues
        if any(issue.column for issue in issues):
            try:
                file, workspace = ctx.layout.root / name, ctx.layout.workspace
                found = in_characters(issues, read_project_file(file, workspace, largest=LARGEST_SOURCE))
            except ProjectFileError:  # gone meanwhile; the columns stay those of bandit
                found = issues
        scan.issues[name] = found
        if name not in seen.passing:
            results.put(keys[name], [vars(issue) for issue in found])
    for name in seen.excluded:
        scan.excluded.add(name)
        results.put(keys[name], _EXCLUDED)


def _outcome(ctx: Context, config: BanditConfig, scan: _Scan) -> Outcome:
    findings = tuple(_findings(ctx, scan.issues))
    if scan.problems:
        # An interruption may make others fail: it is the cause.
        first = next((one for one in scan.problems if isinstance(one, InterruptedRunError)), scan.problems[0])
        detail = messages(first.stderr) if isinstance(first, ENDED) else first.detail
        return Broken(first.reason, detail, findings=findings, examined=scan.examined())
    if not scan.issues:
        files = "the only file" if len(scan.excluded) == 1 else f"all {len(scan.excluded):,} files"
        reason = f"bandit leaves out {files}, as {_who(config)} says"
        return Skipped(reason, rightly=ctx.narrowed is not None)
    return Report(findings=findings, examined=scan.examined())


def same_as(test: str) -> tuple[str, ...]:
    """Return what other tools call the same problem."""
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
    """Whether the change touched a statement that begins above the line that is meant; None where the lines decide."""
    if ctx.changes is None or not ctx.changes.known or issue.first is None or issue.first == issue.line:
        return None
    whole = Location(path=path, line=issue.first, end_line=issue.end_line)
    return ctx.changes.touches(Finding(tool="bandit", rule=issue.rule, message="", location=whole))


def _who(config: BanditConfig) -> str:
    return " and ".join(config.sources) or "bandit-args or bandit itself"


def _left_out(scan: _Scan, config: BanditConfig) -> str:
    if not scan.excluded:
        return ""
    every = len(scan.excluded) + len(scan.issues)
    text = f"bandit left out {len(scan.excluded):,} of {every:,} files, as {_who(config)} says"
    names = [name for name in sorted(scan.excluded) if config.by_accident(name)]
    if names:
        text += f"; it takes an excluded folder for any part of a name, hence also {quoted(names)}"
    return text


def _removed(scan: _Scan) -> str:
    if not scan.removed:
        return ""
    return f"bandit has no test {', '.join(sorted(scan.removed))} any more: the configuration can do without"


TOOL: Final = Tool(
    name="bandit",
    summary="Security issues in the code, by bandit.",
    url="https://bandit.readthedocs.io",
    check=check,
    count=count,
    by_lines=True,
)
