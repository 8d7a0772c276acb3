"""Publish a large run: `python reporters.py FOLDER findings|tests COUNT` prints the seconds and the peak memory in MB."""

import io
import os
import resource
import sys
import time
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

from ci_action.engine.verdict import judge
from ci_action.github.workflow import Workflow
from ci_action.model.coverage import Coverage, FileCoverage
from ci_action.model.finding import Finding, Fix, Location, with_fingerprints
from ci_action.model.result import Counted, Report, RunResult, StageResult, ToolResult
from ci_action.model.tests import TestCase, TestOutcome, counts
from ci_action.project.layout import Layout
from ci_action.reporters import publish
from ci_action.reporters.context import Publication, Screen
from ci_action.settings.resolve import resolve


def findings(count: int) -> tuple[Finding, ...]:
    """Make findings of fifty rules over two thousand files."""
    return with_fingerprints(
        Finding(
            tool="ruff",
            rule=f"E{number % 50:03}",
            message=f"`name_{number}` is assigned to but never used in this function",
            location=Location(
                path=f"src/package/module_{number % 2000}.py", line=number // 2000 + 1, column=5, end_column=9
            ),
            url="https://docs.astral.sh/ruff/rules/unused-variable",
            fix=Fix.SAFE if number % 3 else Fix.NONE,
            fix_message="Remove assignment",
        )
        for number in range(count)
    )


def with_findings(count: int) -> list[StageResult]:
    """Make a stage of one tool with that many findings."""
    tool = ToolResult(
        tool="ruff", outcome=Report(findings=findings(count), examined={Counted.FILES: 2000}), version="1.0"
    )
    return [StageResult(stage="quality", tools=(tool,))]


def case(number: int) -> TestCase:
    """Make a test; one in twenty fails with a traceback, one in ten is skipped."""
    outcome = TestOutcome.PASSED
    if number % 10 == 1:
        outcome = TestOutcome.FAILED if number % 20 == 1 else TestOutcome.SKIPPED
    failed = outcome is TestOutcome.FAILED
    path = f"tests/package/test_module_{number % 500}.py"
    return TestCase(
        nodeid=f"{path}::TestSomething::test_of_what_it_does[{number}-parameter]",
        outcome=outcome,
        seconds=number % 97 / 1000,
        path=path,
        line=number // 500 + 1,
        message=f"assert {number} == {number + 1}" if failed else "",
        detail=(
            "    value = compute(argument)\n>   assert value == expected\nE   AssertionError\n" * 15
            if failed
            else ""
        ),
    )


def with_tests(count: int) -> list[StageResult]:
    """Make a stage with that many tests, and the coverage of a thousand files."""
    cases = tuple(map(case, range(count)))
    red = with_fingerprints(
        Finding(
            tool="pytest",
            rule="failed",
            message=f"{one.nodeid}: {one.message}",
            location=Location(path=one.path, line=one.line),
        )
        for one in cases
        if one.outcome.is_red
    )
    metrics: dict[str, float] = dict(counts(cases))
    ran = Report(findings=red, examined={Counted.TESTS: count}, metrics=metrics, tests=cases)
    lines = range(1, 200)
    files = [
        FileCoverage(
            path=f"src/package/module_{number}.py",
            executed=frozenset(line for line in lines if line % 5),
            missing=frozenset(line for line in lines if not line % 5),
            executed_branches=frozenset((line, line + 1) for line in lines if line % 7 == 1),
            missing_branches=frozenset((line, line + 4) for line in lines if line % 7 == 1),
        )
        for number in range(1_000)
    ]
    coverage = Coverage(files={one.path: one for one in files})
    measured = Report(examined={Counted.FILES: len(files)}, metrics=coverage.metrics, coverage=coverage)
    tools = (ToolResult(tool="pytest", outcome=ran), ToolResult(tool="coverage", outcome=measured))
    return [StageResult(stage="test", tools=tools)]


def main() -> None:
    """Publish and measure."""
    folder, kind, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    folder.mkdir(parents=True)
    for name in ("output", "summary"):
        (folder / name).touch()
    stages, verdict = judge(with_tests(count) if kind == "tests" else with_findings(count))
    result = RunResult(stages=stages, verdict=verdict, started=datetime.now(UTC), seconds=1.0, version="0")
    environ = {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary")}
    publication = Publication(
        resolved=resolve(),
        layout=Layout(workspace=folder, root=folder),
        folder=folder / "reports",
        screen=Screen(stream=io.StringIO()),
        workflow=Workflow(environ),
    )
    start = time.perf_counter()
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        publish(result, publication)
    took = time.perf_counter() - start
    if publication.problems:
        raise SystemExit(f"a reporter failed: {publication.problems}")
    print(f"{took:.3f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.1f}")


if __name__ == "__main__":
    main()
