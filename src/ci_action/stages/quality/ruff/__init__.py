"""Linting, by Ruff."""

from dataclasses import dataclass, replace
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.tool import NOTHING_CHANGED, Checked, Tool
from ci_action.model.finding import Finding
from ci_action.model.result import Broken, Counted, Report
from ci_action.project.programs import Program, argument_names
from ci_action.project.tool_names import Named
from ci_action.stages.quality.common import no_files, target_option
from ci_action.stages.quality.ruff_plan import Listing, Part, excluding, failure_of_ruff, linting, listing
from ci_action.stages.quality.selection import linter
from ci_action.system.errors import ENDED, ToolError
from ci_action.system.process import Command, batches, last_lines
from ci_action.system.project_files import left_out

# For projects without a configuration: Ruff's default rules before 0.16, which reports many times more.
DEFAULT_RULES: Final = "E4,E7,E9,F"
# They override the configuration, in which `fix = true` would make a plain check rewrite files.
_READ_ONLY: Final = ("--no-fix", "--no-fix-only")


def check(ctx: Context, program: Program) -> Checked:
    """Run Ruff on all files, and return its findings."""
    # Imports msgspec, while Black runs.
    from ci_action.stages.quality.ruff.output import SEPARATOR, UNREADABLE, Diagnostics

    listed = listing(ctx, program, Named.RUFF_CHECK)
    runs, warnings = _runs(ctx, program, listed)
    if not listed.number:
        return Checked(
            outcome=NOTHING_CHANGED if listed.unchanged else no_files(ctx, listed.account), warnings=warnings
        )
    findings: list[Finding] = []
    log = []
    for run in runs:
        diagnostics = Diagnostics(ctx.layout)
        command = run.command(ctx, program, "--output-format=json", *_READ_ONLY)
        try:
            done = ctx.run(replace(command, receive=diagnostics.receive, cut_at=SEPARATOR))
        except ENDED as error:
            broken = Broken(error.reason, last_lines(error.stderr), findings=tuple(findings))
            return Checked(outcome=broken, warnings=warnings)
        if done.returncode not in {0, 1}:
            raise failure_of_ruff(done)
        found = diagnostics.findings()
        if done.returncode == 1 and not found:
            raise ToolError("ruff reported findings but listed none", detail=last_lines(done.stderr))
        findings += found
        log.append(done.stderr)
    unreadable = {one.location.path for one in findings if one.rule == UNREADABLE and one.location}
    examined = {Counted.FILES: listed.number, Counted.UNREADABLE: len(unreadable)}
    report = Report(findings=tuple(findings), examined=examined, details=listed.account)
    return Checked(outcome=report, warnings=warnings, log="\n".join(log))


def fix(ctx: Context, program: Program) -> None:
    """Let Ruff write its safe fixes."""
    # Ruff before 0.1 has no unsafe fixes.
    safe = () if program.version.startswith("0.0.") else ("--no-unsafe-fixes",)
    runs, _ = _runs(ctx, program, listing(ctx, program, Named.RUFF_CHECK))
    for run in runs:
        done = ctx.run(run.command(ctx, program, "--fix", *safe, "--exit-zero"))
        if done.returncode != 0:
            raise failure_of_ruff(done)


def count(ctx: Context) -> int:
    """Return the number of files that the bundled Ruff would check."""
    return listing(ctx, ctx.bundled.program("ruff"), Named.RUFF_CHECK).number


@dataclass(frozen=True)
class _Run:
    """One start of Ruff."""

    part: Part
    paths: tuple[str, ...]
    options: tuple[str, ...]

    def command(self, ctx: Context, program: Program, *mode: str) -> Command:
        return linting(ctx, program, self.part, (*self.options, *mode), self.paths)


def _runs(ctx: Context, program: Program, listed: Listing) -> tuple[list[_Run], tuple[str, ...]]:
    """Return the starts of Ruff, and warnings: changed files are passed by name, links out of the workspace excluded."""
    runs: list[_Run] = []
    warnings: tuple[str, ...] = ()
    free = "--select" in argument_names(listed.words)
    for one in listed.parts:
        target, more = target_option(ctx, "Ruff", program, one.part.minor, "check")
        rules = (f"--select={DEFAULT_RULES}",) if one.part.isolated and not free else ()
        options = (*rules, *target, *excluding(one.leading), *listed.words)
        warnings += more
        if ctx.narrowed is None and not listed.partial:
            runs.append(_Run(one.part, one.part.paths, options))
            continue
        for excludes, files in one.by_name(ctx):
            paths = map(tuple, batches(list(files.values())))
            runs += [_Run(one.part, batch, (*options, *excludes)) for batch in paths]
    return runs, (*warnings, *filter(None, [left_out(listed.links(ctx))]))


TOOL: Final = Tool(
    name="ruff",
    summary="Linting, by Ruff.",
    url="https://docs.astral.sh/ruff/",
    check=check,
    fix=fix,
    count=count,
    selection=linter,
    by_lines=True,
    refused=frozenset({
        "--fix", "--fix-only", "--unsafe-fixes", "--add-noqa", "--add-ignore", "--diff", "--output-file", "-o",
        "--output-format", "--watch", "-w", "--statistics", "--show-files", "--show-settings", "--help", "-h",
        "--exit-zero", "-e", "--exit-non-zero-on-fix", "--show-fixes", "--cache-dir", "--no-cache", "-n",
    }),
)  # fmt: skip
