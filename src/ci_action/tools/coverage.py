"""What the tests ran through, held against the minimum: of the project, and of the lines that the change touched."""

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from ci_action.context import Context
from ci_action.coverage import Coverage, PatchCoverage, from_json, patch, ranges, reaches, shown
from ci_action.errors import ToolError
from ci_action.model import Finding, Location, Report, Severity, Skipped
from ci_action.process import Command, Completed, last_lines
from ci_action.project.environment import Environment, environment_of_project
from ci_action.project.versions import Program
from ci_action.tools import Checked, Tool

# Uncovered lines of a change that are this close are one finding.
GAP: Final = 3
_ASK: Final = """
import coverage, json
found = coverage.Coverage()
print(json.dumps({"fail_under": str(found.get_option("report:fail_under") or 0), "version": coverage.__version__}))
"""


def program(_ctx: Context) -> Program:
    """Return nothing to start: the program is in the project's environment."""
    return Program(argv=(), version="", source="")


def check(ctx: Context, _program: Program) -> Checked:
    """Read the data that the tests have left and judge it."""
    folder = ctx.scratch / "pytest"
    if not (folder / ".coverage").is_file():
        return _without_data(ctx)
    environment = Environment.load(ctx.scratch)
    asked = json.loads(_python(ctx, environment, "-c", _ASK).stdout)
    coverage, note = _measured(ctx, environment, folder)
    minimum = ctx.settings.coverage_min
    origin = "coverage-min"
    if minimum is None:
        minimum, origin = _decimal(asked["fail_under"]), "fail_under of the project"
    metrics, findings = dict(coverage.metrics), list(_gate(coverage, minimum, origin))
    warnings = [note] if note else []
    if ctx.changes is not None and ctx.changes.known:
        patched = patch(coverage, ctx.changes.lines, lambda path: _source(ctx, path))
        findings += _patch_findings(ctx, patched)
        if patched.statements:
            metrics["patch_coverage"] = float(patched.percent)
    elif ctx.settings.patch_coverage_min is not None:
        why = ctx.changes.problem if ctx.changes else "there is no base to compare with"
        if ctx.event.name in {"pull_request", "pull_request_target", "merge_group"}:
            raise ToolError(f"patch-coverage-min cannot be judged: {why}")
        warnings.append(f"patch coverage was not judged: {why}")
    report = Report(
        findings=tuple(findings), examined={"files": len(coverage.files)}, metrics=metrics, coverage=coverage
    )
    return Checked(
        outcome=report, warnings=tuple(warnings), version=asked["version"], version_source=environment.source
    )


def _without_data(ctx: Context) -> Checked:
    if ctx.settings.coverage_min is not None or ctx.settings.patch_coverage_min is not None:
        raise ToolError(
            "there is no coverage data, so the minimum cannot be judged: pytest-cov was switched off"
            " (`--no-cov`, `-p no:cov`), or the tests ended before it was saved"
        )
    return Checked(outcome=Skipped("the tests left no coverage data"))


def _python(ctx: Context, environment: Environment, *words: str) -> Completed:
    variables = {"COVERAGE_FILE": str(ctx.scratch / "pytest" / ".coverage"), **ctx.home_of_project()}
    if environment.overlay:
        variables["PYTHONPATH"] = environment.overlay
    command = Command(
        argv=(environment.python, *words),
        cwd=ctx.layout.root,
        environ=variables,
        timeout=float(ctx.settings.timeout),
        owner=ctx.owner,
    )
    done = ctx.run(environment_of_project(command, ctx.environ))
    if done.returncode != 0:
        text = last_lines(done.stderr + done.stdout.decode("utf-8", "replace"), 20)
        raise ToolError(
            f"the coverage data cannot be read: {text.splitlines()[-1] if text else 'no reason given'}",
            detail=text,
        )
    return done


def _measured(ctx: Context, environment: Environment, folder: Path) -> tuple[Coverage, str]:
    """Return the coverage, and a note of files that could not be parsed: they are in no figure."""
    file = folder / "coverage.json"
    done = _python(ctx, environment, "-m", "coverage", "json", "-i", "-q", f"-o{file}", "--fail-under=0")
    try:
        coverage = from_json(json.loads(file.read_bytes()), ctx.layout.relative)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolError(f"coverage wrote no JSON that can be read: {error}") from error
    unparsed = [
        line for line in done.stderr.splitlines() if "Couldn't parse" in line or "couldnt-parse" in line
    ]
    return coverage, f"coverage could not parse {len(unparsed)} files: {unparsed[0]}" if unparsed else ""


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number > 0 else None


def _gate(coverage: Coverage, minimum: Decimal | None, origin: str) -> Iterator[Finding]:
    if minimum is not None and not reaches(coverage.percent, minimum):
        yield Finding(
            tool="coverage",
            rule="coverage-min",
            message=f"coverage is {shown(coverage.percent)} %, at least {minimum} % is asked for ({origin})",
        )


def _patch_findings(ctx: Context, patched: PatchCoverage) -> Iterator[Finding]:
    minimum = ctx.settings.patch_coverage_min
    if minimum is not None and patched.statements and not reaches(patched.percent, minimum):
        yield Finding(
            tool="coverage",
            rule="patch-coverage-min",
            message=f"coverage of the changed lines is {shown(patched.percent)} % ({patched.covered} of"
            f" {patched.statements} statements), at least {minimum} % is asked for",
        )
    for path, lines in patched.missing.items():
        for first, last in ranges(lines, GAP):
            where = f"line {first}" if first == last else f"lines {first} to {last}"
            yield Finding(
                tool="coverage",
                rule="uncovered",
                message=f"no test runs {where}, which the change touched",
                severity=Severity.NOTICE,
                location=Location(path=path, line=first, end_line=last),
            )


def _source(ctx: Context, path: str) -> str:
    return (ctx.layout.workspace / path).read_text(encoding="utf-8", errors="replace")


TOOL: Final = Tool(
    name="coverage",
    summary="Coverage of the project and of the changed lines, against a minimum.",
    url="https://coverage.readthedocs.io",
    check=check,
    program=program,
    needs=("environment", "services", "pytest"),
)
