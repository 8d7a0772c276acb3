"""The results of shards as those of one run: counts, findings, coverage, and the conclusion."""

import copy
import itertools
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import FakeRun, at, completed, context, event, resolved
from support.execution import RecordedProgress
from support.security_sample import advisory
from support.shard_folders import case, covered, layout_of, write_shard

from ci_action.commands.merge import merged as joined
from ci_action.commands.merge.joining import cases_of, minima_of, uneven
from ci_action.commands.merge.shards import shards_of
from ci_action.engine.run import Run
from ci_action.model.changes import OLDER, Changes
from ci_action.model.finding import Finding, Level
from ci_action.model.result import Broken, Conclusion, Report, RunResult
from ci_action.model.tests import TestOutcome, counts
from ci_action.reporters.report_json.write import finding_entry


def merged(tmp_path: Path, *, settings: dict[str, Any] | None = None, **overrides: Any) -> RunResult:
    shards = shards_of(layout_of(tmp_path))
    chosen = resolved(stage="merge", **(settings or {}))
    git = FakeRun(git=completed("c0ffee\n", returncode=128))
    ctx = context(tmp_path, git, settings=settings or {}, **overrides)
    with Run(ctx, chosen, RecordedProgress()) as run:
        return joined(run, shards, ctx, chosen)


def shards(tmp_path: Path, *given_cases: str, **more: Any) -> None:
    """Write shards with these tests: `"a b", "c"` are two."""
    for number, names in enumerate(given_cases, 1):
        cases = [case(name) for name in names.split()]
        write_shard(tmp_path / "shards" / str(number), f"{number}/{len(given_cases)}", cases, **more)


CONCLUSIONS: dict[str, tuple[tuple[str, ...], Conclusion]] = {
    "all passed": (("a", "b"), Conclusion.PASSED),
    "one failed": (("a", "f1"), Conclusion.FAILED),
    "an error": (("a", "e1"), Conclusion.FAILED),
    "one had no test": (("a", ""), Conclusion.PASSED),
    "none had a test": (("", ""), Conclusion.EMPTY),
    "one was skipped": (("a", "s1"), Conclusion.PASSED),
    "all were skipped": (("s1", "s2"), Conclusion.FAILED),
}


@pytest.mark.parametrize("name", CONCLUSIONS)
def test_conclusions(tmp_path: Path, name: str):
    given_cases, conclusion = CONCLUSIONS[name]
    shards(tmp_path, *given_cases)
    result = merged(tmp_path)
    assert result.verdict.conclusion is conclusion
    assert result.verdict.exit_code == conclusion.exit_code


@pytest.mark.parametrize(
    ("change", "more"),
    [
        (lambda found: None, {"broken": "killed"}),
        (lambda found: found.update(conclusion="broken", exit_code=130), {}),
        (lambda found: found.update(conclusion="broken", exit_code=4), {}),
        (lambda found: found.update(conclusion="broken", exit_code=3), {}),
    ],
)
def test_a_broken_shard_breaks_the_run_and_the_rest_is_kept(tmp_path: Path, change: Any, more: Any):
    write_shard(tmp_path / "shards" / "1", "1/2", [case("f1")], covered([1], [2]))
    write_shard(tmp_path / "shards" / "2", "2/2", [case("b")], covered([1], [2]), change=change, **more)
    result = merged(tmp_path, settings={"coverage_min": "99"})
    assert result.verdict.conclusion is Conclusion.BROKEN
    assert "shard 2/2 is broken: " in result.verdict.reasons[0]
    found, coverage = result.stages[0].tools
    assert [finding.rule for finding in found.findings] == ["failed"]
    assert coverage.findings == ()
    assert "was not judged" in " ".join(coverage.warnings)


def test_a_shard_that_failed_without_a_finding_is_not_green(tmp_path: Path):
    shards(
        tmp_path,
        "a",
        "b",
        change=lambda found: found.update(conclusion="failed", exit_code=1, reasons=["no idea"]),
    )
    result = merged(tmp_path)
    assert result.verdict.conclusion is Conclusion.FAILED
    assert [finding.message for finding in result.findings] == [
        "shard 1/2 failed: no idea",
        "shard 2/2 failed: no idea",
    ]


@pytest.mark.parametrize(("level", "code"), [(Level.WARNING, 0), (Level.ERROR, 1)])
def test_changes_that_all_shards_report_are_reported_once(tmp_path: Path, level: Level, code: int):
    def change(found: dict[str, Any]) -> None:
        tool = copy.deepcopy(found["stages"][0]["tools"][0])
        gone = Finding(tool="", rule="removed-test", message="gone", level=level)
        found["stages"][0]["tools"].append(
            {**tool, "name": "gate-changes", "tests": [], "findings": [finding_entry(gone)]}
        )
        found["stages"][0]["conclusion"] = "failed" if code else "warned"
        found.update(conclusion="failed" if code else "warned", exit_code=code)

    shards(tmp_path, "a", "b", change=change)
    result = merged(tmp_path)
    assert [(one.tool, one.rule) for one in result.findings] == [("gate-changes", "removed-test")]
    assert [tool.tool for tool in result.stages[0].tools] == ["pytest", "coverage", "gate-changes"]
    assert result.verdict.exit_code == code


def test_counts_are_those_of_all_and_a_module_that_cannot_be_collected_counts_once(tmp_path: Path):
    torn = case("e", nodeid="test_b.py", message="no module")
    for number, names in enumerate(("a f1", "s1"), 1):
        cases = [torn, *map(case, names.split()), case("p", nodeid=f"test_p.py::{number}", subtest="i=1")]
        write_shard(tmp_path / "shards" / str(number), f"{number}/2", cases)
    tool = merged(tmp_path).stages[0].tools[0]
    assert isinstance(tool.outcome, Report)
    metrics = {name: value for name, value in tool.outcome.metrics.items() if value}
    assert metrics == {
        "tests": 4, "passed": 1, "failed": 1, "errors": 1, "skipped": 1, "subtests": 2, "test_warnings": 2,
    }  # fmt: skip
    assert tool.examined == {"tests": 4, "shards": 2}
    assert [one.message for one in tool.outcome.test_warnings] == ["old", "old"]
    assert sorted(finding.rule for finding in tool.findings) == ["collection", "failed"]
    assert len({finding.fingerprint for finding in tool.findings}) == 2


def test_coverage_warns_of_what_no_shard_imports(tmp_path: Path):
    for number, warned in enumerate((["module-not-imported", "couldnt-parse"], ["couldnt-parse"]), 1):
        folder = tmp_path / "shards" / str(number)
        write_shard(folder, f"{number}/2", [case(f"a{number}")], covered([1]), warned=warned)
    result = merged(tmp_path)
    assert [(one.tool, one.rule) for one in result.findings] == [("coverage", "couldnt-parse")]
    assert result.verdict.conclusion is Conclusion.WARNED


def test_the_minimum_of_the_project_is_rounded_in_all_shards_alike(tmp_path: Path):
    lines = covered(range(1, 896), range(900, 1005))  # 89.5 %
    write_shard(tmp_path / "shards", "1/1", [case("a")], lines, fail_under=90)
    assert merged(tmp_path).verdict.conclusion is Conclusion.PASSED


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_the_shards_of_a_partition_have_the_tests_of_the_whole(tmp_path_factory: Any, owners: list[int]):
    folder = tmp_path_factory.mktemp("w")
    whole = [case(f"{kind}{number}") for number, kind in zip(range(len(owners)), itertools.cycle("afse"))]
    for part in range(4):
        mine = [one for one, owner in zip(whole, owners, strict=True) if owner == part]
        write_shard(folder / "shards" / str(part), f"{part + 1}/4", mine)
    found = cases_of(shards_of(layout_of(folder)))
    assert sorted(found, key=lambda one: one.nodeid) == sorted(whole, key=lambda one: one.nodeid)
    assert counts(found) == counts(whole)


@pytest.mark.parametrize(
    ("ignore", "muted", "conclusion"),
    [
        ((), "", Conclusion.FAILED),
        (("pytest:failed",), "ignored by the setting 'pytest:failed'", Conclusion.PASSED),
    ],
)
def test_the_settings_of_the_last_job_decide_what_is_muted(
    tmp_path: Path, ignore: tuple[str, ...], muted: str, conclusion: Conclusion
):
    def change(found: dict[str, Any]) -> None:
        found["stages"][0]["tools"][0]["findings"][0]["muted"] = OLDER
        found["stages"][0]["conclusion"] = "passed"
        found.update(conclusion="passed", exit_code=0)

    write_shard(tmp_path / "shards", "1/1", [case("f1")], change=change)
    result = merged(tmp_path, settings={"ignore": ignore})
    assert [finding.muted for finding in result.findings] == [muted]
    assert result.verdict.conclusion is conclusion


@pytest.mark.parametrize("severity", ["", "low"])
def test_a_finding_without_a_test_counts_whatever_its_severity(tmp_path: Path, severity: str):
    def change(found: dict[str, Any]) -> None:
        odd = finding_entry(
            Finding(tool="pytest", rule="all-skipped", message="exit code 1", severity=severity)
        )
        found["stages"][0]["tools"][0]["findings"].append(odd)
        found["stages"][0]["conclusion"] = "failed"
        found.update(conclusion="failed", exit_code=1)

    write_shard(tmp_path / "shards", "1/1", [case("a")], change=change)
    result = merged(tmp_path)
    assert [finding.rule for finding in result.findings] == ["all-skipped"]
    assert result.verdict.conclusion is Conclusion.FAILED


def test_the_package_of_a_finding_is_read_back(tmp_path: Path):
    given_finding = advisory(also=("ruff:S105",), new=False, location=at("a.py", 3))

    def change(found: dict[str, Any]) -> None:
        found["stages"][0]["tools"][0]["findings"].append(finding_entry(given_finding))

    write_shard(tmp_path / "shards", "1/1", [case("a")], change=change)
    [shard] = shards_of(layout_of(tmp_path))
    (found,) = shard.outcomes["pytest"].findings
    names = ("rule", "message", "level", "severity", "location", "package", "also", "new")
    assert [getattr(found, name) for name in names] == [getattr(given_finding, name) for name in names]


MINIMA = {
    "nothing": ({}, {}, 0, None, ""),
    "given here": ({"coverage_min": "70"}, {"coverage_min": "90"}, 95, "70", "coverage-min"),
    "given to the shards": ({}, {"coverage_min": "87.5"}, 95, "87.5", "coverage-min of the shards"),
    "of the project": ({}, {}, 99.5, "99.5", "fail_under of the project"),
    "0 for the shards": ({}, {"coverage_min": "0"}, 95, None, "coverage-min of the shards"),
}


@pytest.mark.parametrize("name", MINIMA)
def test_where_the_minimum_comes_from(tmp_path: Path, name: str):
    here, there, own, expected, origin = MINIMA[name]
    write_shard(tmp_path / "shards", "1/1", [case("a")], covered([1]), given=there, fail_under=own)
    found = minima_of(shards_of(layout_of(tmp_path)), resolved(**here).settings)
    assert found.coverage == (Decimal(expected) if expected else None)
    assert not origin or found.origin == origin


@pytest.mark.parametrize(("minimum", "conclusion"), [("75", Conclusion.PASSED), ("75.01", Conclusion.FAILED)])
def test_the_minimum_is_judged_once_on_all_shards(tmp_path: Path, minimum: str, conclusion: Conclusion):
    write_shard(tmp_path / "shards" / "1", "1/2", [case("a")], covered([1, 2], [3, 4]))
    write_shard(tmp_path / "shards" / "2", "2/2", [case("b")], covered([3], [1, 2, 4]))
    result = merged(tmp_path, settings={"coverage_min": minimum})
    assert result.verdict.conclusion is conclusion
    assert len(list(result.findings)) == (conclusion is Conclusion.FAILED)


def test_a_minimum_without_any_coverage_is_broken(tmp_path: Path):
    shards(tmp_path, "a", "b")
    result = merged(tmp_path, settings={"coverage_min": "1"})
    assert result.verdict.conclusion is Conclusion.BROKEN
    assert merged(tmp_path).verdict.conclusion is Conclusion.PASSED


def test_the_lines_of_the_change(tmp_path: Path):
    write_shard(tmp_path / "shards" / "1", "1/2", [case("a")], covered([1], [2, 3]))
    write_shard(tmp_path / "shards" / "2", "2/2", [case("b")], covered([2], [1, 3]))
    changes = Changes(base="ba5e", lines={"pkg/a.py": frozenset({2, 3})})
    settings = {"patch_coverage_min": "60"}
    result = merged(tmp_path, settings=settings, changes=changes, event=event())
    assert [(finding.rule, finding.level.value) for finding in result.findings] == [
        ("patch-coverage-min", "error"),
        ("uncovered", "notice"),
    ]


@pytest.mark.parametrize(
    ("commit", "sha"),
    [
        ("c0ffee", "f00d"),
        ("", "f00d"),
    ],
)
def test_shards_of_another_commit_are_broken_and_judged_by_no_minimum(
    tmp_path: Path, commit: str, sha: str, wording: Any
):
    write_shard(
        tmp_path / "shards",
        "1/1",
        [case("a")],
        covered([1], [2]),
        change=lambda found: found.update(commit=commit),
    )
    result = merged(tmp_path, settings={"coverage_min": "99"}, event=event(sha=sha))
    assert (result.verdict.conclusion, result.verdict.exit_code) == (Conclusion.BROKEN, 3)
    assert result.verdict.reasons[0] == wording
    assert not list(result.findings)
    found = result.stages[0].tools[0].outcome
    assert isinstance(found, Broken)
    assert [one.nodeid for one in found.tests] == ["test_a.py::a"]


def test_a_commit_that_cannot_be_verified_is_a_warning(tmp_path: Path, wording: Any):
    shards(tmp_path, "a")
    result = merged(tmp_path)
    assert result.verdict.conclusion is Conclusion.PASSED
    assert " ".join(result.warnings) == wording
    assert not merged(tmp_path, event=event(sha="c0ffee")).warnings


def test_no_statement_reaches_no_minimum(tmp_path: Path):
    write_shard(tmp_path / "shards", "1/1", [case("a")], covered([]))
    assert merged(tmp_path).verdict.conclusion is Conclusion.PASSED
    result = merged(tmp_path, settings={"coverage_min": "1"})
    assert result.verdict.conclusion is Conclusion.BROKEN
    assert "coverage-source" in result.verdict.reasons[0]


def test_shards_in_which_no_test_passed_are_red_once(tmp_path: Path):
    xfailed = case("x", outcome=TestOutcome.XFAILED)
    write_shard(tmp_path / "shards" / "1", "1/2", [xfailed])
    write_shard(tmp_path / "shards" / "2", "2/2", [case("s")])
    result = merged(tmp_path)
    assert [one.rule for one in result.findings] == ["none-passed"]
    write_shard(tmp_path / "shards" / "2", "2/2", [case("a")])
    assert merged(tmp_path).verdict.conclusion is Conclusion.PASSED


def test_the_run_has_the_commit_and_the_duration_of_the_shards(tmp_path: Path):
    shards(tmp_path, "a", "b", change=lambda found: found.update(seconds=len(found["reproduce"]) + 70.0))
    result = merged(tmp_path, settings={"coverage_min": "1", "paths": "shards"})
    assert result.reproduce == "ci-action run merge --paths=shards --coverage-min=1"
    assert result.commit == "c0ffee"
    assert result.seconds > 70
    assert [tool.seconds for tool in result.stages[0].tools] == [0.25, 0.25]
    first = result.stages[0].tools[0]
    assert (first.version, first.version_source) == ("9.1", "bundled")


def test_shards_that_did_not_collect_the_same_are_a_warning(tmp_path: Path):
    for part, left in ((1, 4), (2, 5)):

        def change(found: dict[str, Any], left: int = left) -> None:
            found["stages"][0]["tools"][0]["metrics"]["deselected"] = left

        write_shard(tmp_path / "shards" / str(part), f"{part}/2", [case(f"t{part}")], change=change)
    [note] = uneven(shards_of(layout_of(tmp_path)))
    assert note.endswith("5 in shard 1/2, 6 in shard 2/2")
