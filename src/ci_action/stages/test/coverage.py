"""Coverage of the tests, compared with the minimum of the project and of the changed lines."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType, convert

from ci_action.engine.context import Context
from ci_action.engine.test_run import COVERAGE, PLUGIN, TESTS
from ci_action.engine.test_run.coverage_minimum import (
    FAIL_UNDER,
    IN_SHARD,
    OF_PROJECT,
    Judged,
    Minima,
    judge,
    minimum,
)
from ci_action.engine.test_run.job import DATA, FOLDER
from ci_action.engine.tool import Checked, Tool, Turn
from ci_action.model.coverage import Coverage, FileCoverage, joined
from ci_action.model.result import Counted, Report, Skipped
from ci_action.project.environment import Environment, environment_of_project, failed
from ci_action.project.programs import Program
from ci_action.system.errors import ToolError
from ci_action.system.json_fields import MOST, json_object
from ci_action.system.process import Command
from ci_action.system.project_files import LARGEST_SOURCE, find_project_text, read_project_file

NO_DATA: Final = "No data to report"
# One process in the project's environment: starting Python and importing coverage takes most of the time.
# pytest-cov may use another configuration: our plugin wrote down which, and `sys.path` of the tests, because plugins of
# coverage may be in a folder of pytest's `pythonpath`.
# Up to 7.13.0 the executed lines include docstrings and excluded lines, so for such files the statements are written too.
MEASURE: Final = """
import coverage, json, sys
given = {}
for name in sys.argv[3:]:
    with open(name) as stream:
        given = json.load(stream)
sys.path += [name for name in given.get("path", ()) if name not in sys.path]
found = coverage.Coverage(config_file=given.get("config") or True)
found.load()
found.json_report(outfile=sys.argv[1], ignore_errors=True)
with open(sys.argv[1]) as stream:
    files = json.load(stream)["files"]
statements = {}
for name, entry in files.items():
    if len(entry["executed_lines"]) != entry["summary"]["covered_lines"]:
        statements[name] = found.analysis2(name)[1]
with open(sys.argv[2], "w") as stream:
    json.dump(statements, stream)
minimum = found.get_option("report:fail_under") or 0
print(json.dumps({"fail_under": str(minimum), "version": coverage.__version__}))
"""
# Our plugin runs in the project's interpreter: if the project sets no source, coverage measures it too.
_OURS: Final = PLUGIN / "ciaction_pytest.py"
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
    version: str


def check(ctx: Context, _program: Program) -> Checked:
    """Judge the data that the tests left."""
    folder = ctx.tempdir / FOLDER
    if not (folder / DATA).is_file():
        if _minima(ctx, None).asked and not ctx.settings.shard:
            raise ToolError(
                "no coverage data, so the minimum cannot be judged: pytest-cov is switched off (`--no-cov`,"
                " `-p no:cov`), or the tests ended before the data was saved"
            )
        return Checked(outcome=Skipped("the tests left no coverage data"))
    environment = Environment.load(ctx.tempdir)
    try:
        coverage, answer, notes = _measured(ctx, environment, folder)
    except ToolError as error:
        # A shard may have no tests.
        if ctx.settings.shard and NO_DATA in error.detail:
            return Checked(outcome=Skipped("the tests of this shard ran nothing of the project"))
        raise
    own = minimum(answer.fail_under)
    recorded = {FAIL_UNDER: float(own)} if own is not None else {}
    if ctx.settings.shard:
        judged = Judged(metrics=coverage.metrics, notes=(IN_SHARD,))
    else:
        wanted = _minima(ctx, own)
        workspace = ctx.layout.workspace
        judged = judge(
            coverage,
            wanted,
            ctx.changes,
            lambda path: find_project_text(workspace / path, workspace),
            ctx.event.name,
        )
    report = Report(
        findings=judged.findings,
        examined={Counted.FILES: len(coverage.files)},
        metrics={**judged.metrics, **recorded},
        coverage=coverage,
    )
    return Checked(
        outcome=report,
        warnings=(*notes, *judged.notes),
        version=answer.version,
        version_source=environment.source,
    )


def _minima(ctx: Context, own: Decimal | None) -> Minima:
    given = ctx.settings.coverage_min
    if given is None and own is not None:
        return Minima(coverage=own, origin=OF_PROJECT, patch=ctx.settings.patch_coverage_min)
    return Minima(coverage=given, patch=ctx.settings.patch_coverage_min)


def _measured(ctx: Context, environment: Environment, folder: Path) -> tuple[Coverage, _Answer, list[str]]:
    """Return the coverage, what `MEASURE` printed, and a note of files that coverage could not parse."""
    file, lines = folder / "coverage.json", folder / "statements.json"
    options = [str(folder / _OPTIONS)] if (folder / _OPTIONS).is_file() else []
    variables = {"COVERAGE_FILE": str(folder / DATA), **ctx.home_of_project()}
    if environment.overlay:
        variables["PYTHONPATH"] = environment.overlay
    command = Command(
        argv=(environment.python, "-c", MEASURE, str(file), str(lines), *options),
        cwd=ctx.layout.root,
        environ=variables,
        timeout=float(ctx.settings.timeout),
        owner=ctx.owner,
    )
    done = ctx.run(environment_of_project(command, ctx.environ))
    if done.returncode != 0:
        raise failed("could not read the coverage data", done)
    report, statements = (
        read_project_file(one, ctx.tempdir, largest=LARGEST_SOURCE) for one in (file, lines)
    )
    try:
        coverage = coverage_of(report, statements, ctx.layout.relative)
        answer = convert(json_object((done.stdout.splitlines() or [b""])[-1]), _Answer)
    except ValueError as error:
        raise ToolError(f"the coverage report cannot be trusted: {error}") from error
    ours = ctx.layout.relative(_OURS)
    coverage = replace(coverage, files={path: one for path, one in coverage.files.items() if path != ours})
    unparsed = [line for line in done.stderr.splitlines() if "parse" in line and "Python source" in line]
    note = (
        f"coverage could not parse {len(unparsed)} files, which no figure includes: {''.join(unparsed[:1])}"
    )
    return coverage, answer, [note] if unparsed else []


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
