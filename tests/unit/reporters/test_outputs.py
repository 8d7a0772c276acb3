"""The values of outputs, also if the run failed, and if they cannot be set."""

from pathlib import Path
from typing import Any

import pytest
from support.builders import (
    broken_tool,
    case,
    covered,
    file_coverage,
    finding,
    publication,
    run_result,
    stage_result,
    tool_result,
    with_tests,
    workflow,
)
from support.runner_model import key_values

from ci_action.model.finding import Level
from ci_action.model.result import Skipped
from ci_action.reporters.outputs import ABOUT, NOTHING_RUN, report, values


def test_counts_are_of_what_is_not_muted(tmp_path: Path):
    findings = [
        finding(),
        finding(level=Level.WARNING),
        finding(level=Level.WARNING),
        finding(level=Level.NOTICE),
        finding(muted="x"),
    ]
    found = values(run_result(*findings), publication(tmp_path))
    assert (found["findings"], found["errors"], found["warnings"], found["result"]) == (
        "4",
        "1",
        "2",
        "failed",
    )


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        (tool_result(), "passed"),
        (tool_result(outcome=Skipped("x")), "empty"),
        (broken_tool(), "broken"),
        (tool_result(finding()), "failed"),
    ],
)
def test_the_result(tmp_path: Path, tool, expected: str):
    assert values(run_result(tool), publication(tmp_path))["result"] == expected


def test_only_files_that_were_written_are_named(tmp_path: Path):
    found = values(run_result(), publication(tmp_path, written={"summary.md"}))
    assert (found["summary-file"], found["report"], found["sarif-file"]) == (
        "ci-action-report/summary.md",
        "",
        "",
    )


def test_a_folder_outside_the_workspace_is_named_absolute(tmp_path: Path):
    shown = publication(tmp_path / "w", folder=tmp_path / "out", written={"report.json"})
    assert values(run_result(), shown)["report"] == str(tmp_path / "out" / "report.json")


def test_the_runner_reads_them(tmp_path: Path):
    shown = publication(tmp_path, workflow=workflow(tmp_path))
    report(run_result(finding()), shown)
    assert key_values((tmp_path / "output").read_text("utf-8")) == values(run_result(finding()), shown)
    assert shown.problems == []


def test_outputs_that_cannot_be_set_are_a_problem(tmp_path: Path, wording: Any):
    shown = publication(tmp_path, workflow=workflow(tmp_path, GITHUB_OUTPUT="/no/such/folder/output"))
    report(run_result(), shown)
    assert shown.problems == [wording]


def test_outside_actions_nothing_happens(tmp_path: Path):
    shown = publication(tmp_path)
    report(run_result(), shown)
    assert shown.problems == []


def test_if_nothing_was_run_every_output_is_set():
    assert set(NOTHING_RUN) == set(ABOUT)
    assert {name for name, value in NOTHING_RUN.items() if value} == {"result"}
    assert NOTHING_RUN["result"] == "broken"


def test_tests_and_coverage(tmp_path: Path):
    outcomes = ["passed", "failed", "error", "skipped", "skipped"]
    tests = [case(f"t.py::t{number}", outcome) for number, outcome in enumerate(outcomes)]
    coverage = covered(
        file_coverage(executed=frozenset(range(2)), missing=frozenset({5})), patch_coverage=89.996
    )
    shown = publication(tmp_path, written={"junit.xml", "coverage.xml"})
    found = values(run_result(stage_result(with_tests(*tests), coverage, stage="test")), shown)
    assert {name: found[name] for name in NUMBERS} == {
        "tests-total": "5",
        "tests-failed": "2",
        "tests-skipped": "2",
        "coverage": "66.66",
        "patch-coverage": "89.99",
        "coverage-file": "ci-action-report/coverage.xml",
        "junit-file": "ci-action-report/junit.xml",
    }


NUMBERS = (
    "tests-total", "tests-failed", "tests-skipped", "coverage", "patch-coverage", "coverage-file", "junit-file",
)  # fmt: skip


def test_without_tests_their_outputs_are_empty(tmp_path: Path):
    found = values(run_result(finding()), publication(tmp_path))
    assert {found[name] for name in NUMBERS} == {""}
