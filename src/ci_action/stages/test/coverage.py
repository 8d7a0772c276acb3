"""Coverage of the tests, compared with the minimum of the project and of the changed lines."""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType, convert

from ci_action.engine.context import Context
from ci_action.engine.test_run import COVERAGE, PLUGIN, TESTS
from ci_action.engine.test_run.coverage_minimum import (
    IN_SHARD,
    OF_PROJECT,
    Judged,
    Minima,
    judge,
    minimum,
)
from ci_action.engine.test_run.job import DATA, FOLDER
from ci_action.engine.test_run.measuring import Measuring, coverage_warnings
from ci_action.engine.tool import Checked, Tool, Turn
from ci_action.model.coverage import Coverage, FileCoverage, joined
from ci_action.model.finding import Finding, Level, Location
from ci_action.model.result import Broken, Counted, Outcome, Report, Skipped
from ci_action.project.coverage_command import Starter
from ci_action.project.environment import (
    PYTEST_COV,
    Environment,
    environment_of_project,
    failed,
    python_variables,
)
from ci_action.project.layout import Layout
from ci_action.project.programs import Program
from ci_action.system.errors import ProjectFileError
from ci_action.system.json_fields import MOST, json_object
from ci_action.system.process import Command
from ci_action.system.project_files import LARGEST_SOURCE, find_project_text, read_project_file

NO_DATA: Final = "No data to report"
UNMEASURED: Final = "not-measured"
"""The rule of the finding for a suite whose coverage is not known."""
# One process in the project's environment: starting Python and importing coverage takes most of the time.
# pytest-cov may use another configuration: our plugin wrote down which, and `sys.path` of the tests, because plugins of
# coverage may be in a folder of pytest's `pythonpath`. The minimum is written first: it is needed if the data is unreadable.
# Without a configured source coverage measures our own files too.
# Up to 7.13.0 the executed lines include docstrings and excluded lines, so for such files the statements are written too.
MEASURE: Final = """
import json, os, sys
report, lines, known = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
sys.path += [name for name in known["path"] if name not in sys.path]
import coverage
found = coverage.Coverage(config_file=known["config"] or True)
def answer():
    facts = {name: found.get_option("report:" + name) or 0 for name in ("fail_under", "precision")}
    print(json.dumps({"fail_under": str(facts["fail_under"]), "precision": facts["precision"], "version": coverage.__version__}))
answer()
folder, name = os.path.split(os.environ.get("COVERAGE_FILE") or os.path.abspath(".coverage"))
alone = not any(one.startswith(name + ".") for one in os.listdir(folder))
if alone or os.path.exists(os.path.join(folder, name)):
    found.load()
if not alone:
    found.combine()
answer()
if known["omit"]:
    found.set_option("report:omit", [*(found.get_option("report:omit") or ()), *known["omit"]])
found.json_report(outfile=report, ignore_errors=True)
with open(report) as stream:
    files = json.load(stream)["files"]
statements = {}
for name, entry in files.items():
    if len(entry["executed_lines"]) != entry["summary"]["covered_lines"]:
        statements[name] = found.analysis2(name)[1]
with open(lines, "w") as stream:
    json.dump(statements, stream)
"""
_OPTIONS: Final = "coverage-options.json"
_Line: TypeAlias = Annotated[int, Meta(ge=0, le=MOST)]
_Arc: TypeAlias = tuple[Annotated[int, Meta(ge=-MOST, le=MOST)], Annotated[int, Meta(ge=-MOST, le=MOST)]]


class _Figures(Struct):
    """The figures of a file or of all files; those of branches only if branches were measured."""

    covered_lines: int
    missing_lines: int
    num_statements: int
    num_branches: int | UnsetType = UNSET
    covered_branches: int | UnsetType = UNSET
    missing_branches: int | UnsetType = UNSET


class _File(Struct):
    executed_lines: frozenset[_Line]
    missing_lines: frozenset[_Line]
    summary: _Figures
    executed_branches: frozenset[_Arc] = frozenset()
    missing_branches: frozenset[_Arc] = frozenset()


class _Document(Struct):
    """The fields that are read of the output of `coverage json`."""

    files: dict[str, _File]
    totals: _Figures


class _Answer(Struct):
    """What `MEASURE` prints."""

    fail_under: str
    precision: Annotated[int, Meta(ge=0, le=100)]
    version: str


class _Options(Struct):
    """What our plugin wrote about pytest-cov and the interpreter of the tests."""

    config: str = ""
    path: tuple[str, ...] = ()
    loaded: bool = True
    disabled: bool = False
    fail_under: float | None = None


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """What reading the data came to."""

    answer: _Answer | None = None
    """None if coverage could not read its configuration."""
    coverage: Coverage | None = None
    problem: str = ""
    """Why there is no coverage."""
    detail: str = ""
    noted: tuple[tuple[str, str], ...] = ()
    """What coverage warned about."""


def check(ctx: Context, _program: Program) -> Checked:
    """Judge the data that the tests left."""
    environment, measuring = Environment.load(ctx.tempdir), Measuring.load(ctx.tempdir)
    folder = ctx.tempdir / FOLDER
    options = _options(folder / _OPTIONS, ctx.tempdir)
    reading = _read(ctx, environment, measuring, options, folder)
    own = _own_minimum(measuring, options, reading.answer)
    noted = tuple(_noted(reading, measuring, ctx.layout))
    notes: tuple[str, ...] = ()
    outcome: Outcome
    if reading.coverage is None:
        outcome = _unmeasured(ctx, reading, _reason(reading, measuring, options), _minima(ctx, own), noted)
        can_load = environment.overlay or PYTEST_COV in environment.packages
        if isinstance(outcome, Report) and (options.disabled or (can_load and not options.loaded)):
            outcome = Skipped(_reason(reading, measuring, options))  # the decision of the project
    else:
        judged = _judged(ctx, reading.coverage, _minima(ctx, own))
        notes = judged.notes
        outcome = Report(
            findings=(*judged.findings, *noted),
            examined={Counted.FILES: len(reading.coverage.files)},
            metrics={**judged.metrics, **(own.recorded if own else {})},
            coverage=reading.coverage,
            details=(
                (f"measured by {measuring.starter}, because of {measuring.origin}",)
                if measuring.origin
                else ()
            ),
        )
    return Checked(
        outcome=outcome,
        warnings=notes,
        log=reading.detail,
        version=reading.answer.version if reading.answer else "",
        version_source=environment.source_of(COVERAGE),
    )


def _unmeasured(
    ctx: Context, reading: _Reading, reason: str, minima: Minima, noted: tuple[Finding, ...]
) -> Outcome:
    """Return the outcome without data: a warning, unless there is a minimum to judge."""
    if ctx.settings.shard:
        # A shard may have no tests.
        nothing = "the tests of this shard ran nothing of the project"
        return Skipped(nothing if NO_DATA in reading.detail else reason)
    if minima.asked:
        return Broken(f"the minimum cannot be judged: {reason}", reading.detail, findings=noted)
    unmeasured = Finding(tool=COVERAGE, rule=UNMEASURED, message=reason, level=Level.WARNING)
    return Report(findings=(unmeasured, *noted))


def _judged(ctx: Context, coverage: Coverage, minima: Minima) -> Judged:
    if ctx.settings.shard:
        return Judged(metrics=coverage.metrics, notes=(IN_SHARD,))
    workspace = ctx.layout.workspace

    def read(path: str) -> str:
        return find_project_text(workspace / path, workspace)

    return judge(coverage, minima, ctx.changes, read, ctx.event.name)


def _own_minimum(measuring: Measuring, options: _Options, answer: _Answer | None) -> Minima | None:
    """Return the minimum of the project: of its options of pytest, else of its command, else of its configuration."""
    configured = answer.fail_under if answer else ""
    given = measuring.fail_under or configured if options.fail_under is None else options.fail_under
    found = minimum(given)
    precision = answer.precision if answer else 0
    if found is None:
        return None
    return Minima(coverage=found, origin=OF_PROJECT, precision=precision, combined=measuring.combined)


def _reason(reading: _Reading, measuring: Measuring, options: _Options) -> str:
    if measuring.failed:
        return f"coverage was not measured: pytest failed with it and ran without it: {measuring.failed}"
    if options.disabled:
        return "no coverage data: pytest-cov is disabled by `--no-cov`"
    if not options.loaded and measuring.starter is Starter.PYTEST_COV:
        return "no coverage data: pytest-cov is disabled by `-p no:cov`, or not installed"
    return reading.problem


def _noted(reading: _Reading, measuring: Measuring, layout: Layout) -> Iterator[Finding]:
    """Yield the warnings of coverage as findings."""
    for rule, text in dict.fromkeys((*measuring.noted, *reading.noted)):
        if rule == "no-data-collected" and reading.coverage and reading.coverage.files:
            continue  # in one process of several
        inside = f"{layout.workspace}{os.sep}"
        path = layout.relative(match[0]) if (match := re.search(rf"{re.escape(inside)}[^'\n]+", text)) else ""
        yield Finding(
            tool=COVERAGE,
            rule=rule,
            message=text.replace(inside, ""),
            level=Level.WARNING,
            location=Location(path=path) if path else None,
            url=f"{TOOL.url}/en/latest/messages.html",
        )


def _options(file: Path, folder: Path) -> _Options:
    """Return what our plugin wrote; the project's code can replace the file by anything."""
    with suppress(ProjectFileError, ValueError):
        return convert(json_object(read_project_file(file, folder, largest=LARGEST_SOURCE)), _Options)
    return _Options()


def _minima(ctx: Context, own: Minima | None) -> Minima:
    given, patch = ctx.settings.coverage_min, ctx.settings.patch_coverage_min
    return replace(own, patch=patch) if given is None and own else Minima(coverage=given, patch=patch)


def _read(
    ctx: Context, environment: Environment, measuring: Measuring, options: _Options, folder: Path
) -> _Reading:
    """Read the data in the project's environment, with its own configuration and plugins."""
    file, lines = folder / "coverage.json", folder / "statements.json"
    overlay = [environment.overlay] if environment.overlay else []
    known = {
        "config": measuring.config if measuring.starter is Starter.COVERAGE else options.config,
        "path": [*options.path, *overlay],
        "omit": [f"{name}/*" for name in (str(PLUGIN), *overlay)],
    }
    command = Command(
        argv=(environment.python, "-c", MEASURE, str(file), str(lines), json.dumps(known)),
        cwd=ctx.layout.root,
        environ={
            **python_variables(ctx.environ),
            "COVERAGE_FILE": str(folder / DATA),
            **ctx.home_of_project(),
        },
        timeout=float(ctx.settings.timeout),
        owner=ctx.owner,
    )
    done = ctx.run(environment_of_project(command, ctx.environ))
    answer = None
    with suppress(ValueError):
        answer = convert(json_object((done.stdout.splitlines() or [b""])[-1]), _Answer)
    noted = coverage_warnings(done.stderr)
    if done.returncode != 0 or answer is None:
        # Its last line is the error, and what it printed before is the answer.
        error = failed("could not read the coverage data", replace(done, stdout=b"") if done.stderr else done)
        return _Reading(answer=answer, problem=error.reason, detail=error.detail, noted=noted)
    try:
        report, statements = (
            read_project_file(one, ctx.tempdir, largest=LARGEST_SOURCE) for one in (file, lines)
        )
        coverage = coverage_of(report, statements, ctx.layout.relative)
    except (ProjectFileError, ValueError) as error:
        problem = f"the coverage report cannot be trusted: {error}"
        return _Reading(answer=answer, problem=problem, noted=noted)
    return _Reading(answer=answer, coverage=coverage, noted=noted)


def coverage_of(report: bytes, statements: bytes, path_of: Callable[[str], str]) -> Coverage:
    """Read the two files that `MEASURE` writes; raises `ValueError` if they are not what it writes."""
    try:
        document, lines = json.loads(report), json.loads(statements)
    except RecursionError as error:
        raise ValueError("it is not JSON") from error
    return from_json(document, path_of, convert(lines, dict[str, frozenset[_Line]]))


def from_json(
    document: object,
    path_of: Callable[[str], str] = str,
    statements: Mapping[str, frozenset[int]] | None = None,
) -> Coverage:
    """Read what `coverage json` wrote; `path_of` makes its names relative to the workspace.

    `statements` holds the lines of the statements of files whose executed lines name others as well, which coverage
    does up to 7.13.0. Raises `ValueError` for another schema, or if the figures contradict each other.
    """
    whole = convert(document, _Document)
    files: list[FileCoverage] = []
    sums: Counter[str] = Counter()
    for name, entry in whole.files.items():
        executed, branches = entry.executed_lines, entry.summary.num_branches
        one = FileCoverage(
            path=path_of(name),
            executed=executed & (statements or {}).get(name, executed),
            missing=entry.missing_lines,
            executed_branches=entry.executed_branches,
            missing_branches=entry.missing_branches,
            branch_total=None if branches is UNSET else branches,
        )
        figures = _figures(one)
        _compare(entry.summary, figures, f"{name!r}", "its lines make")
        files.append(one)
        sums.update(figures)
    _compare(whole.totals, sums, "all files", "their sum is")
    return joined(Coverage(files={one.path: one}) for one in files)  # a file may have two names


def _compare(given: _Figures, counted: Mapping[str, int], whose: str, made: str) -> None:
    for name in given.__struct_fields__:
        value = getattr(given, name)
        measured = "branches" not in name or given.num_branches is not UNSET
        if measured and value != counted[name]:
            raise ValueError(f"{name!r} of {whose} is {value}, and {made} {counted[name]}")


def _figures(one: FileCoverage) -> dict[str, int]:
    return {
        "covered_lines": len(one.executed),
        "missing_lines": len(one.missing),
        "num_statements": one.statements,
        "num_branches": one.branches,
        "covered_branches": one.covered_branches,
        "missing_branches": len(one.missing_branches),
    }


def plan(ctx: Context) -> str:
    """Return the minimum that would apply."""
    given = ctx.settings.coverage_min
    return f"at least {given} %" if given is not None else "the project's own minimum, if it has one"


TOOL: Final = Tool(
    name=COVERAGE,
    summary="Coverage of the project and of the changed lines, with a minimum.",
    url="https://coverage.readthedocs.io",
    check=check,
    program=lambda _: Program(argv=(), version="", source=""),
    plan=plan,
    runs_code=lambda _: True,
    turn=lambda _: Turn.RUNS,
    needs=("environment", "services", TESTS),
)
