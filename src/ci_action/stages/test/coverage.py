"""What the tests ran through, held against the minimum: of the project, and of the lines that the change touched."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final

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
from ci_action.project.environment import Environment, environment_of_project
from ci_action.project.programs import Program
from ci_action.system.errors import ToolError
from ci_action.system.json_fields import MOST, Facts, as_object, as_whole, facts_of
from ci_action.system.process import Command, Completed, last_lines
from ci_action.system.project_files import LARGEST_SOURCE, find_project_text, read_project_file

NO_DATA: Final = "No data to report"
# One process in the project's environment: starting Python and importing coverage is what takes the time.
# pytest-cov may have been given another configuration: our plugin has written down which, and where the tests import
# from: with pytest's `pythonpath` plugins of coverage can lie in a folder of the project.
# Up to 7.13.0 the executed lines name docstrings and excluded lines too, so of such files the statements are asked for.
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
# Our own plugin runs in the project's interpreter; where the project names no source, coverage counts it too.
_OURS: Final = PLUGIN / "ciaction_pytest.py"
_OPTIONS: Final = "coverage-options.json"
_LINE_FIGURES: Final = ("covered_lines", "missing_lines", "num_statements")
_FIGURES: Final = (*_LINE_FIGURES, "num_branches", "covered_branches", "missing_branches")


def program(_ctx: Context) -> Program:
    """Return nothing to start: the program is in the project's environment."""
    return Program(argv=(), version="", source="")


def check(ctx: Context, _program: Program) -> Checked:
    """Read the data that the tests have left and judge it."""
    folder = ctx.tempdir / FOLDER
    if not (folder / DATA).is_file():
        return _without_data(ctx)
    environment = Environment.load(ctx.tempdir)
    try:
        coverage, asked, note = _measured(ctx, environment, folder)
    except ToolError as error:
        # A shard that no test fell to may have run nothing of the project at all.
        if ctx.settings.shard and NO_DATA in error.detail:
            return Checked(outcome=Skipped("the tests of this shard ran nothing of the project"))
        raise
    own = minimum(asked["fail_under"])
    recorded = {FAIL_UNDER: float(own)} if own is not None else {}
    notes = [note] if note else []
    if ctx.settings.shard:
        judged = Judged(metrics=coverage.metrics, notes=(IN_SHARD,))
    else:
        wanted = _minima(ctx, own)
        judged = judge(coverage, wanted, ctx.changes, lambda path: _source(ctx, path), ctx.event.name)
    report = Report(
        findings=judged.findings,
        examined={Counted.FILES: len(coverage.files)},
        metrics={**judged.metrics, **recorded},
        coverage=coverage,
    )
    return Checked(
        outcome=report,
        warnings=(*notes, *judged.notes),
        version=asked["version"],
        version_source=environment.source,
    )


def _minima(ctx: Context, own: Decimal | None) -> Minima:
    given = ctx.settings.coverage_min
    if given is None and own is not None:
        return Minima(coverage=own, origin=OF_PROJECT, patch=ctx.settings.patch_coverage_min)
    return Minima(coverage=given, patch=ctx.settings.patch_coverage_min)


def _without_data(ctx: Context) -> Checked:
    if _minima(ctx, None).asked and not ctx.settings.shard:
        raise ToolError(
            "there is no coverage data, so the minimum cannot be judged: pytest-cov was switched off"
            " (`--no-cov`, `-p no:cov`), or the tests ended before it was saved"
        )
    return Checked(outcome=Skipped("the tests left no coverage data"))


def _python(ctx: Context, environment: Environment, *words: str) -> Completed:
    variables = {"COVERAGE_FILE": str(ctx.tempdir / FOLDER / DATA), **ctx.home_of_project()}
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


def _measured(ctx: Context, environment: Environment, folder: Path) -> tuple[Coverage, dict[str, str], str]:
    """Return the coverage, what coverage says of itself, and a note of files that it could not parse."""
    file, lines = folder / "coverage.json", folder / "statements.json"
    options = [str(folder / _OPTIONS)] if (folder / _OPTIONS).is_file() else []
    done = _python(ctx, environment, "-c", MEASURE, str(file), str(lines), *options)
    report, statements = (
        read_project_file(one, ctx.tempdir, largest=LARGEST_SOURCE) for one in (file, lines)
    )
    try:
        coverage = coverage_of(report, statements, ctx.layout.relative)
        words = facts_of((done.stdout.splitlines() or [b""])[-1])
        asked = {name: words.text(name) for name in ("fail_under", "version")}
    except ValueError as error:
        raise ToolError(f"the report of coverage cannot be trusted: {error}") from error
    ours = ctx.layout.relative(_OURS)
    files = {path: one for path, one in coverage.files.items() if path != ours}
    coverage = replace(coverage, files=files)
    unparsed = [line for line in done.stderr.splitlines() if "parse" in line and "Python source" in line]
    note = (
        f"coverage could not parse {len(unparsed)} files, they are in no figure: {unparsed[0]}"
        if unparsed
        else ""
    )
    return coverage, asked, note


def coverage_of(report: bytes, statements: bytes, path_of: Callable[[str], str]) -> Coverage:
    """Read the two files that `MEASURE` writes; raises `ValueError` if they are not what it writes."""
    try:
        document, lines = json.loads(report), json.loads(statements)
    except RecursionError as error:
        raise ValueError("it is not JSON") from error
    known = {
        name: frozenset(as_whole(line, name) for line in Facts({name: found}).items(name))
        for name, found in as_object(lines, "the statements").items()
    }
    return from_json(document, path_of, known)


def from_json(
    document: object,
    path_of: Callable[[str], str] = str,
    statements: Mapping[str, frozenset[int]] | None = None,
) -> Coverage:
    """Read what `coverage json` wrote; `path_of` makes its names relative to the workspace.

    `statements` holds the lines of the statements of files whose executed lines name others as well, which coverage
    does up to 7.13.0. Raises `ValueError` for a document of another shape, or whose figures contradict each other.
    """
    whole = Facts(as_object(document, "the report"))
    files: list[FileCoverage] = []
    sums: Counter[str] = Counter()
    for name, entry in as_object(whole.value("files"), "files").items():
        one = _file(name, Facts(as_object(entry, name)), path_of(name), (statements or {}).get(name))
        files.append(one)
        sums.update(_figures(one))
    totals = Facts(as_object(whole.value("totals"), "totals"))
    for figure in _LINE_FIGURES if "num_branches" not in totals else _FIGURES:
        if totals.whole(figure) != sums[figure]:
            raise ValueError(
                f"{figure!r} of all files is {totals.whole(figure)}, their sum is {sums[figure]}"
            )
    return joined(Coverage(files={one.path: one}) for one in files)  # a file may have two names


def _file(name: str, entry: Facts, path: str, statements: frozenset[int] | None) -> FileCoverage:
    executed = _numbers(entry, "executed_lines")
    summary = Facts(as_object(entry.value("summary"), "summary"))
    with_branches = "num_branches" in summary
    one = FileCoverage(
        path=path,
        executed=executed if statements is None else executed & statements,
        missing=_numbers(entry, "missing_lines"),
        executed_branches=_arcs(entry, "executed_branches"),
        missing_branches=_arcs(entry, "missing_branches"),
        branch_total=summary.whole("num_branches") if with_branches else None,
    )
    figures = _figures(one)
    for figure in _FIGURES if with_branches else _LINE_FIGURES:
        if summary.whole(figure) != figures[figure]:
            raise ValueError(
                f"{figure!r} of {name!r} is {summary.whole(figure)}, and its lines make {figures[figure]}"
            )
    return one


def _figures(one: FileCoverage) -> dict[str, int]:
    return {
        "covered_lines": len(one.executed),
        "missing_lines": len(one.missing),
        "num_statements": one.statements,
        "num_branches": one.branches,
        "covered_branches": one.covered_branches,
        "missing_branches": len(one.missing_branches),
    }


def _numbers(entry: Facts, name: str) -> frozenset[int]:
    return frozenset(as_whole(line, name) for line in entry.items(name))


def _arcs(entry: Facts, name: str) -> frozenset[tuple[int, int]]:
    return frozenset(
        (as_whole(start, name, -MOST), as_whole(end, name, -MOST)) for start, end in entry.items(name, 2, [])
    )


def _source(ctx: Context, path: str) -> str:
    return find_project_text(ctx.layout.workspace / path, ctx.layout.workspace)


def plan(ctx: Context) -> str:
    """Say which minimum would hold."""
    given = ctx.settings.coverage_min
    return f"at least {given} %" if given is not None else "the project's own minimum, if it has one"


TOOL: Final = Tool(
    name=COVERAGE,
    summary="Coverage of the project and of the changed lines, with a minimum.",
    url="https://coverage.readthedocs.io",
    check=check,
    program=program,
    plan=plan,
    runs_code=lambda _: True,
    turn=lambda _: Turn.RUNS,
    needs=("environment", "services", TESTS),
)
