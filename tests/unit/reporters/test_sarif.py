"""SARIF is valid by the official schema and within GitHub's limits, with places and suppressions."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from support.builders import (
    at,
    broken_tool,
    finding,
    layout,
    publication,
    run_result,
    stage_result,
    tool_result,
    without,
)
from support.paths import GOLDEN

from ci_action.model.finding import Finding, Fix, Level, Package
from ci_action.model.result import RunResult, Skipped
from ci_action.reporters.encode import json_text
from ci_action.reporters.sarif import MOST_RESULTS, MOST_RUNS, render, report

SAMPLES = GOLDEN / "sarif"
VALIDATOR = Draft4Validator(json.loads((SAMPLES / "sarif-schema-2.1.0.json").read_text("utf-8")))


def log_of(result: RunResult) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(json_text(render(result)))
    VALIDATOR.validate(log)
    return log


def result_of(one: Finding) -> dict[str, Any]:
    (found,) = log_of(run_result(one))["runs"][0]["results"]
    assert isinstance(found, dict)
    return found


def example() -> RunResult:
    black = [
        finding(
            tool="black",
            rule="format",
            message="Black would reformat this line",
            fix=Fix.SAFE,
            before="a\n",
            after="b\n",
        ),
        finding(
            tool="black",
            rule="format",
            message="remove",
            fix=Fix.SAFE,
            before="a\nb\n",
            after="",
            location=at(end_line=4),
        ),
    ]
    ruff = [
        finding(
            url="https://docs.astral.sh/ruff/rules/unused-import",
            location=at("a b/é%.py", 1, column=8, end_line=1, end_column=10),
        ),
        finding(rule="E501", level=Level.NOTICE, muted="ignored by the setting 'ruff:E501'"),
        finding(rule="E902", level=Level.WARNING, message="", location=at(line=None)),
        finding(rule="X", location=None),
    ]
    warned = tool_result(*ruff, warnings=("two pins disagree",))
    return run_result(
        stage_result(tool_result(*black), warned, broken_tool("killed", tool="third", version=""))
    )


def test_the_example_is_as_recorded():
    shown = json.dumps(log_of(example()), indent=1, ensure_ascii=False) + "\n"
    golden = SAMPLES / "report.sarif"
    if not golden.is_file():
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text("utf-8")


def test_the_recorded_example_is_valid_and_the_schema_refuses_errors():
    log = json.loads((SAMPLES / "report.sarif").read_text("utf-8"))
    assert VALIDATOR.is_valid(log)
    log["runs"][0]["results"][0]["severity"] = "dreadful"
    assert not VALIDATOR.is_valid(log)


@pytest.mark.parametrize(
    ("path", "artifact"),
    [
        ("a.py", {"uri": "a.py", "uriBaseId": "SRCROOT"}),
        ("a b/c.py", {"uri": "a%20b/c.py", "uriBaseId": "SRCROOT"}),
        ("é.py", {"uri": "%C3%A9.py", "uriBaseId": "SRCROOT"}),
        ("100%.py", {"uri": "100%25.py", "uriBaseId": "SRCROOT"}),
        ("a#b?c.py", {"uri": "a%23b%3Fc.py", "uriBaseId": "SRCROOT"}),
        ("x:y.py", {"uri": "x%3Ay.py", "uriBaseId": "SRCROOT"}),
        ("caf\udce9.py", {"uri": "caf%E9.py", "uriBaseId": "SRCROOT"}),
        ("/else/a.py", {"uri": "file:///else/a.py"}),
    ],
)
def test_paths_become_addresses(path: str, artifact: dict[str, str]):
    (place,) = result_of(finding(location=at(path)))["locations"]
    assert place["physicalLocation"]["artifactLocation"] == artifact


@pytest.mark.parametrize(
    ("place", "region"),
    [
        (at(line=3), {"startLine": 3}),
        (at(line=3, end_line=5), {"startLine": 3, "endLine": 5}),
        (
            at(line=3, column=2, end_line=3, end_column=4),
            {"startLine": 3, "endLine": 3, "startColumn": 2, "endColumn": 4},
        ),
        (at(line=None), None),
    ],
    ids=["line", "lines", "columns", "file"],
)
def test_regions(place: Any, region: dict[str, int] | None):
    (found,) = result_of(finding(location=place))["locations"]
    assert found["physicalLocation"].get("region") == region


@pytest.mark.parametrize("folder", ["", "app"])
def test_a_finding_of_the_project_is_at_its_file(tmp_path: Path, folder: str):
    # GitHub refuses a file in which one result has no place.
    where = replace(publication(tmp_path), layout=layout(tmp_path, root=tmp_path / folder))
    report(run_result(finding(location=None)), where)
    log = json.loads((where.folder / "ci-action.sarif").read_bytes())
    (place,) = log["runs"][0]["results"][0]["locations"]
    uri = f"{folder}/pyproject.toml".lstrip("/")
    assert place == {"physicalLocation": {"artifactLocation": {"uri": uri, "uriBaseId": "SRCROOT"}}}


@pytest.mark.parametrize(
    ("severity", "least", "below"),
    [("critical", 9, 11), ("high", 7, 9), ("unknown", 7, 9), ("medium", 4, 7), ("low", 0.1, 4)],
)
def test_levels_are_in_github_s_ranges(severity: str, least: float, below: float):
    (run,) = log_of(run_result(finding(severity=severity), finding(rule="X")))["runs"]
    rated, other = sorted(run["tool"]["driver"]["rules"], key=lambda rule: rule["id"])
    assert least <= float(rated["properties"]["security-severity"]) < below
    assert rated["properties"]["tags"] == ["security"]
    assert "properties" not in other
    assert run["results"][0]["properties"]["severity"] == severity


def test_the_worst_finding_rates_the_rule_and_each_keeps_its_own_level():
    (run,) = log_of(
        run_result(finding(severity="low"), finding(severity="high"), finding(severity="medium"))
    )["runs"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["properties"]["security-severity"] == "8.0"
    assert sorted(one["properties"]["severity"] for one in run["results"]) == ["high", "low", "medium"]


def test_the_package_is_in_the_properties():
    package = Package(name="a\ud800", version="1", advisories=("CVE-1",), fixed_in=("2",), upgrade="uv lock")
    one = result_of(finding(severity="high", package=package, also=("ruff:S105",), new=False))
    assert one["properties"] == {
        "severity": "high",
        "security-severity": "8.0",
        "also": ["ruff:S105"],
        "new": False,
        "package": "a\ufffd",
        "version": "1",
        "advisories": ["CVE-1"],
        "fixedIn": ["2"],
        "upgrade": "uv lock",
    }
    assert "properties" not in result_of(finding())


@pytest.mark.parametrize("tool", ["bandit", "detect-secrets", "pip-audit"])
def test_the_scanners_have_an_address(tool: str):
    (run,) = log_of(run_result(finding(tool=tool)))["runs"]
    assert run["tool"]["driver"]["informationUri"].startswith("https://")


def test_muted_findings_are_suppressed_with_their_reason():
    one = result_of(finding(muted="because"))
    assert one["suppressions"] == [{"kind": "external", "justification": "because"}]
    assert "suppressions" not in result_of(finding())


def test_fingerprints_are_written():
    one = result_of(finding())
    assert one["partialFingerprints"]["ciAction/v1"]


@pytest.mark.parametrize(
    ("one", "replacement"),
    [
        (
            finding(fix=Fix.SAFE, before="a\nb\n", after="c\n", location=at(line=3, end_line=4)),
            {
                "deletedRegion": {"startLine": 3, "startColumn": 1, "endLine": 5, "endColumn": 1},
                "insertedContent": {"text": "c\n"},
            },
        ),
        (
            finding(fix=Fix.SAFE, before="", after="c\n"),
            {
                "deletedRegion": {"startLine": 3, "startColumn": 1, "endLine": 3, "endColumn": 1},
                "insertedContent": {"text": "c\n"},
            },
        ),
        (
            finding(fix=Fix.SAFE, before="a\n", after=""),
            {"deletedRegion": {"startLine": 3, "startColumn": 1, "endLine": 4, "endColumn": 1}},
        ),
    ],
    ids=["replaced", "added", "removed"],
)
def test_what_black_would_do_is_a_fix(one: Finding, replacement: dict[str, Any]):
    (fix,) = result_of(one)["fixes"]
    assert fix["artifactChanges"][0]["replacements"] == [replacement]


@pytest.mark.parametrize("one", [finding(), finding(fix=Fix.UNSAFE, before="a\n"), finding(fix=Fix.SAFE)])
def test_other_findings_have_no_fix(one: Finding):
    assert "fixes" not in result_of(one)


def test_a_broken_tool_was_not_successful():
    (run,) = log_of(run_result(broken_tool("killed", findings=(finding(),))))["runs"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"] == [{"level": "error", "message": {"text": "killed"}}]
    assert len(run["results"]) == 1


def test_a_skipped_tool_is_an_empty_run():
    (run,) = log_of(run_result(tool_result(outcome=Skipped("no files"))))["runs"]
    assert (run["results"], run["invocations"][0]["executionSuccessful"]) == ([], True)


def test_more_results_than_github_accepts_are_cut_the_muted_first(wording: Any):
    kept = [finding(location=at(line=number)) for number in range(1, MOST_RESULTS + 1)]
    (run,) = render(run_result(finding(muted="x"), *kept))["runs"]
    assert len(run["results"]) == MOST_RESULTS
    assert not any("suppressions" in one for one in run["results"])
    (notice,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notice["message"]["text"] == wording


def test_more_runs_than_github_accepts_are_cut():
    assert len(render(run_result(*[tool_result() for _ in range(MOST_RUNS + 1)]))["runs"]) == MOST_RUNS


def test_every_rule_is_listed_once_and_found_by_its_index():
    (run,) = log_of(run_result(finding(rule="B"), finding(rule="A", url="https://x.y"), finding(rule="B")))[
        "runs"
    ]
    rules = run["tool"]["driver"]["rules"]
    assert sorted(rule["id"] for rule in rules) == ["A", "B"]
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])


def test_hostile_text_is_written_without_secrets(tmp_path: Path):
    hostile = finding(message="\ud800 ::error:: \x1b s3cr3t", rule="```", location=at("a\nb.py"))
    shown = publication(tmp_path)
    report(without(run_result(hostile), "s3cr3t"), shown)
    raw = (shown.folder / "ci-action.sarif").read_bytes()
    VALIDATOR.validate(json.loads(raw))
    assert b"s3cr3t" not in raw
    assert shown.written == {"ci-action.sarif"}
