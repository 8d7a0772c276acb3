"""What the reporters write of runs of the tests, of security, of migrations and of docker, to the letter.

After a wanted change: `PYTHONPATH=tests python tests/golden/capture_reports.py`, and read the difference.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.builders import (
    case,
    covered,
    event,
    file_coverage,
    printed,
    publication,
    pull,
    resolved,
    run_result,
    with_tests,
)
from support.image_sample import docker_run
from support.migrations_sample import migrations_run
from support.paths import GOLDEN
from support.security_sample import security_run
from support.tests_sample import sample_run

from ci_action import __version__
from ci_action.github.pull_request import NO_PULL
from ci_action.github.workflow import Workflow
from ci_action.model.result import RunResult
from ci_action.reporters import REPORTERS, cobertura, console, job_summary, junit

REPORTS = GOLDEN / "reports"
NAMES = ["console.txt", "coverage.xml", "junit.xml", "lcov.info", "summary.md"]


@pytest.mark.parametrize("name", NAMES)
def test_a_report_matches_its_golden_file(tmp_path: Path, name: str):
    shown = publication(tmp_path, event=event())
    for reporter in (junit.report, cobertura.report, job_summary.write, console.report):
        reporter(sample_run(), shown)
    found = printed(shown) if name == "console.txt" else (shown.folder / name).read_text("utf-8")
    assert found.replace(f'"ci-action {__version__}"', '"ci-action"') == (REPORTS / name).read_text("utf-8")


@pytest.mark.parametrize(
    ("stage", "run"), [("security", security_run), ("migrations", migrations_run), ("docker", docker_run)]
)
def test_a_report_of_a_stage_matches_its_golden_files(
    tmp_path: Path, stage: str, run: Callable[[], RunResult]
):
    shown = publication(tmp_path, event=event())
    for reporter in (job_summary.write, console.report):
        reporter(run(), shown)
    assert printed(shown) == (REPORTS / f"{stage}.txt").read_text("utf-8")
    assert (shown.folder / "summary.md").read_text("utf-8") == (REPORTS / f"{stage}.md").read_text("utf-8")


ALWAYS = {"summary.md", "ci-action.sarif", "report.html", "report.json", "console"}
UNDER_ACTIONS = {"outputs", "job summary", "annotations"}
TESTED = run_result(with_tests(case()))
COVERED = run_result(covered(file_coverage()))


@pytest.mark.parametrize(
    ("result", "overrides", "more"),
    [
        (run_result(), {}, set()),
        (run_result(), {"workflow": Workflow({})}, UNDER_ACTIONS),
        (run_result(), {"problems": ["x"], "workflow": Workflow({})}, {*UNDER_ACTIONS, "problems"}),
        (run_result(), {"problems": ["x"]}, set()),
        (TESTED, {}, {"junit.xml", "coverage.json"}),
        (COVERED, {}, {"coverage.xml", "coverage.json"}),
        (run_result(), {"resolved": resolved(comment="on-failure")}, {"comment"}),
        (run_result(), {"resolved": resolved(check_run=True)}, {"check run"}),
        (run_result(), {"resolved": resolved(suggestions=True)}, {"suggestions"}),
        (run_result(), {"resolved": resolved(labels=True)}, {"labels"}),
        (run_result(), {"resolved": resolved(labels=True), "pull": NO_PULL}, set()),
    ],
)
def test_which_reporters_have_something_to_report(
    tmp_path: Path, result: RunResult, overrides: dict[str, Any], more: set[str]
):
    shown = publication(tmp_path, **{"pull": pull(), **overrides})
    assert {one.name for one in REPORTERS if one.when(result, shown)} == ALWAYS | more
