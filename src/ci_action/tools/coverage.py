"""What the tests ran through, held against the minimum: of the project, and of the lines that the change touched."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Final

from ci_action.context import Context
from ci_action.coverage import Coverage, from_json
from ci_action.errors import ToolError
from ci_action.gates import FAIL_UNDER, IN_SHARD, OF_PROJECT, Judged, Minima, judge, minimum
from ci_action.model import Report, Skipped
from ci_action.process import Command, Completed, last_lines
from ci_action.project.environment import Environment, environment_of_project
from ci_action.project.versions import Program
from ci_action.project_files import LARGEST_SOURCE, find_project_text, read_project_file
from ci_action.tools import Checked, Tool, Turn

NO_DATA: Final = "No data to report"
# One process in the project's environment: starting Python and importing coverage is what takes the time.
_MEASURE: Final = """
import coverage, json, sys
found = coverage.Coverage()
found.load()
found.json_report(outfile=sys.argv[1], ignore_errors=True)
minimum = found.get_option("report:fail_under") or 0
print(json.dumps({"fail_under": str(minimum), "version": coverage.__version__}))
"""
# Our own plugin runs in the project's interpreter; where the project names no source, coverage counts it too.
_OURS: Final = "pytest_plugin/ciaction_pytest.py"


def program(_ctx: Context) -> Program:
    """Return nothing to start: the program is in the project's environment."""
    return Program(argv=(), version="", source="")


def check(ctx: Context, _program: Program) -> Checked:
    """Read the data that the tests have left and judge it."""
    folder = ctx.scratch / "pytest"
    if not (folder / ".coverage").is_file():
        return _without_data(ctx)
    environment = Environment.load(ctx.scratch)
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
        examined={"files": len(coverage.files)},
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


def _measured(ctx: Context, environment: Environment, folder: Path) -> tuple[Coverage, dict[str, str], str]:
    """Return the coverage, what coverage says of itself, and a note of files that it could not parse."""
    file = folder / "coverage.json"
    done = _python(ctx, environment, "-c", _MEASURE, str(file))
    try:
        document = json.loads(read_project_file(file, ctx.scratch, largest=LARGEST_SOURCE))
        files = {name: entry for name, entry in document["files"].items() if not name.endswith(_OURS)}
        coverage = from_json({"files": files}, ctx.layout.relative)
        asked = json.loads(done.stdout.splitlines()[-1])
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ToolError(f"coverage wrote no JSON that can be read: {error}") from error
    unparsed = [line for line in done.stderr.splitlines() if "parse" in line and "Python source" in line]
    note = (
        f"coverage could not parse {len(unparsed)} files, they are in no figure: {unparsed[0]}"
        if unparsed
        else ""
    )
    return coverage, asked, note


def _source(ctx: Context, path: str) -> str:
    return find_project_text(ctx.layout.workspace / path, ctx.layout.workspace)


def plan(ctx: Context) -> str:
    """Say which minimum would hold."""
    given = ctx.settings.coverage_min
    return f"at least {given} %" if given is not None else "the project's own minimum, if it has one"


TOOL: Final = Tool(
    name="coverage",
    summary="Coverage of the project and of the changed lines, against a minimum.",
    url="https://coverage.readthedocs.io",
    check=check,
    program=program,
    plan=plan,
    runs_code=lambda _: True,
    turn=lambda _: Turn.RUNS,
    needs=("environment", "services", "pytest"),
)
