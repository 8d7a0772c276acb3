"""The report folders of shards, as our own reporters write them."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from support.builders import broken_tool, publication, resolved, run_result, stage_result, tool_result

from ci_action.model.coverage import Coverage, FileCoverage
from ci_action.model.finding import Finding, Level
from ci_action.model.result import Counted, Report, RunResult, Skipped
from ci_action.model.tests import TestCase, TestOutcome, TestWarning, counts
from ci_action.project.layout import Layout
from ci_action.reporters import coverage_json
from ci_action.reporters.report_json import write

OUTCOMES = {"f": TestOutcome.FAILED, "s": TestOutcome.SKIPPED, "e": TestOutcome.ERROR}


def case(name: str, **overrides: Any) -> TestCase:
    """Return a test; one whose name begins with f, s or e has failed, was skipped, met an error."""
    outcome = OUTCOMES.get(name[:1], TestOutcome.PASSED)
    values = {
        "nodeid": f"test_a.py::{name}",
        "outcome": outcome,
        "seconds": 0.5,
        "path": "test_a.py",
        "line": 3,
    }
    return TestCase(**{**values, **overrides})


def covered(executed: Iterable[int], missing: Iterable[int] = (), path: str = "pkg/a.py") -> Coverage:
    """Return the coverage of one file."""
    return Coverage(
        files={path: FileCoverage(path=path, executed=frozenset(executed), missing=frozenset(missing))}
    )


def findings_of(cases: Iterable[TestCase]) -> tuple[Finding, ...]:
    """Return the findings that the red ones of these tests make."""
    return tuple(
        Finding(
            tool="pytest",
            rule=one.outcome.value if "::" in one.nodeid else "collection",
            message=f"{one.nodeid}: {one.message or 'no'}",
        )
        for one in cases
        if one.outcome.is_red
    )


def run_of(
    cases: Sequence[TestCase],
    coverage: Coverage | None,
    *,
    broken: str = "",
    fail_under: float = 0,
    warned: Sequence[str] = (),
) -> RunResult:
    """Return the run of a test stage."""
    found = findings_of(cases)
    if broken:
        tests = broken_tool(broken, tool="pytest", findings=found)
    elif not cases:
        tests = tool_result(tool="pytest", outcome=Skipped("pytest collected no tests", empty=True))
    else:
        metrics = {**counts(cases), "deselected": 0, "subtests": 0, "test_warnings": 1}
        outcome = Report(
            findings=found,
            examined={Counted.TESTS: len(cases)},
            metrics=metrics,
            tests=tuple(cases),
            test_warnings=(TestWarning(category="W", message="old", path="a.py", line=3),),
        )
        tests = tool_result(tool="pytest", outcome=outcome, version="9.1")
    measured: Report | Skipped = Skipped("the tests left no coverage data")
    if coverage is not None:
        more = {"fail_under": fail_under} if fail_under else {}
        noted = (Finding(tool="coverage", rule=one, message=one, level=Level.WARNING) for one in warned)
        measured = Report(metrics={**coverage.metrics, **more}, coverage=coverage, findings=tuple(noted))
    return run_result(stage_result(tests, tool_result(tool="coverage", outcome=measured), stage="test"))


def write_shard(
    folder: Path,
    shard: str,
    cases: Sequence[TestCase] = (),
    coverage: Coverage | None = None,
    *,
    change: Callable[[dict[str, Any]], None] = lambda _: None,
    given: dict[str, Any] | None = None,
    **more: Any,
) -> Path:
    """Write the report folder of a shard; `change` may change its report, `given` are its other settings."""
    chosen = resolved(**({"shard": shard} if shard else {}), **(given or {}))
    folder.parent.mkdir(parents=True, exist_ok=True)
    shown = publication(folder.parent, folder=folder, resolved=chosen)
    result = run_of(cases, coverage, **more)
    coverage_json.report(result, shown)
    write.report(result, shown)
    file = folder / "report.json"
    document = json.loads(file.read_bytes())
    change(document)
    file.write_text(json.dumps(document))
    return file


def layout_of(workspace: Path, *paths: str) -> Layout:
    """Return a layout with these paths."""
    return Layout(workspace=workspace, root=workspace, paths=paths or ("shards",))
