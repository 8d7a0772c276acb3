"""report.json: its names, its schema, and that text in it is only text."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema.validators import validator_for
from support.builders import (
    at,
    broken_tool,
    case,
    covered,
    file_coverage,
    finding,
    publication,
    report,
    resolved,
    run_result,
    stage_result,
    tool_result,
    with_tests,
    without,
)
from support.hostile_text import FOREIGN

from ci_action.model.finding import Fix, Package
from ci_action.model.result import Hint, RunResult, Skipped
from ci_action.reporters.context import Publication
from ci_action.reporters.report_json import write
from ci_action.reporters.report_json.schema import RunReport, json_schema
from ci_action.system.text import plain

SCHEMA = json_schema()
VALIDATOR = validator_for(SCHEMA)(SCHEMA)
# The names that design.md 8 fixes.
RUN = "schema version conclusion exit_code reasons seconds started commit base scope stages outputs"
STAGE = "name conclusion reasons seconds tools"
TOOL = "name version version_source seconds outcome reason examined metrics findings"
FINDING = (
    "rule message level severity path line column end_line end_column url fingerprint muted package also new"
)


def document(result: RunResult, shown: Publication) -> dict[str, Any]:
    text = write.render(result, shown)
    found: dict[str, Any] = json.loads(text)
    VALIDATOR.validate(found)
    assert json.loads(msgspec.json.encode(msgspec.json.decode(text, type=RunReport))) == found
    return found


def test_the_schema_is_valid():
    VALIDATOR.check_schema(SCHEMA)


def test_all_names_exist(tmp_path: Path):
    found = document(run_result(finding()), publication(tmp_path))
    stage = found["stages"][0]
    tool = stage["tools"][0]
    assert set(RUN.split(" ")) <= set(found)
    assert set(STAGE.split(" ")) <= set(stage)
    assert set(TOOL.split(" ")) <= set(tool)
    assert set(FINDING.split(" ")) <= set(tool["findings"][0])


def test_values(tmp_path: Path):
    one = finding(
        location=at("a.py", 1, column=2, end_line=3, end_column=4),
        url="u",
        fix=Fix.SAFE,
        before="b",
        after="a",
        muted="m",
    )
    tools = [
        tool_result(one),
        tool_result(outcome=Skipped("no files"), tool="s"),
        broken_tool("killed", tool="b"),
    ]
    found = document(run_result(*tools, warnings=("w",)), publication(tmp_path, resolved=resolved(timeout=5)))
    assert (found["conclusion"], found["exit_code"], found["schema"]) == ("broken", 3, 1)
    assert found["started"] == "2026-01-02T03:04:05+00:00"
    assert (found["warnings"], found["settings"]) == (["w"], {"timeout": 5})
    assert (found["commit"], found["base"], found["scope"]) == ("c0ffee", "", "all")
    looked, skipped, broken = found["stages"][0]["tools"]
    assert (looked["outcome"], looked["examined"]) == ("report", {"files": 3, "unreadable": 0})
    assert (skipped["outcome"], skipped["reason"], skipped["findings"]) == ("skipped", "no files", [])
    assert (broken["outcome"], broken["reason"]) == ("broken", "killed")
    (entry,) = looked["findings"]
    assert [entry[name] for name in ("path", "line", "column", "end_line", "end_column")] == [
        "a.py",
        1,
        2,
        3,
        4,
    ]
    assert [entry[name] for name in ("fix", "before", "after", "muted", "url")] == [
        "safe",
        "b",
        "a",
        "m",
        "u",
    ]
    assert found["outputs"]["result"] == "broken"


def test_the_package_is_written(tmp_path: Path):
    package = Package(
        name="urllib3",
        version="1.24",
        advisories=("CVE-1", "GHSA-2"),
        fixed_in=("1.26",),
        parents=("requests",),
        direct=False,
        upgrade="uv lock --upgrade-package=urllib3",
        licenses="MIT",
    )
    one = finding(package=package, also=("ruff:S105",), new=True)
    found = document(run_result(one, finding()), publication(tmp_path))
    entry, other = found["stages"][0]["tools"][0]["findings"]
    assert entry["package"] == json.loads(json.dumps(asdict(package)))
    assert (entry["also"], entry["new"]) == (["ruff:S105"], True)
    assert (other["package"], other["also"], other["new"]) == (None, [], None)


def test_a_finding_of_the_project_has_an_empty_path(tmp_path: Path):
    found = document(run_result(finding(location=None)), publication(tmp_path))
    assert found["stages"][0]["tools"][0]["findings"][0]["path"] == ""


def test_metrics(tmp_path: Path):
    tool = tool_result(outcome=report(metrics={"coverage": 87.5}))
    assert document(run_result(tool), publication(tmp_path))["stages"][0]["tools"][0]["metrics"] == {
        "coverage": 87.5
    }


shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
SEAM = st.sampled_from(['"findings": []', '"findings": [', "]", '"', "\\", '\\"findings\\": []', "\n", "{}"])
TEXT = st.lists(SEAM | FOREIGN, max_size=4).map("".join)


@shared
@given(TEXT)
@example("\ud800\udcff")
@example('"findings": []')
@example('x", "findings": [], "y": "')
def test_text_that_looks_like_json_stays_text(tmp_path: Path, text: str):
    tools = [
        tool_result(finding(message=text, rule=text, location=at(text)), warnings=(text,), version=text),
        broken_tool(text, tool="b", version_source=text),
        tool_result(finding(message="last"), tool="c"),
    ]
    result = run_result(*tools, warnings=(text,), reproduce=text)
    found = document(result, publication(tmp_path, resolved=resolved(paths=[text or "x"])))
    first, broken, last = found["stages"][0]["tools"]
    assert first["findings"][0]["message"] == plain(text)
    assert (broken["reason"], broken["findings"]) == (plain(text), [])
    assert last["findings"][0]["message"] == "last"
    assert found["reproduce"] == plain(text)


@pytest.mark.parametrize("stages", [0, 1, 3])
def test_findings_are_in_their_tools(tmp_path: Path, stages: int):
    given_stages = [
        stage_result(
            *[tool_result(*[finding(message=f"{s}.{t}")] * t, tool=f"t{t}") for t in range(3)], stage=f"s{s}"
        )
        for s in range(stages)
    ]
    result = run_result(*given_stages) if stages else run_result(stages=())
    found = document(result, publication(tmp_path))
    for s, stage in enumerate(found["stages"]):
        for t, tool in enumerate(stage["tools"]):
            assert [one["message"] for one in tool["findings"]] == [f"{s}.{t}"] * t


def test_the_file_names_itself_and_has_no_secret(tmp_path: Path):
    shown = publication(tmp_path)
    write.report(without(run_result(finding(message="s3cr3t é \ud800")), "s3cr3t"), shown)
    raw = (shown.folder / "report.json").read_bytes()
    assert json.loads(raw)["outputs"]["report"] == "ci-action-report/report.json"
    assert b"s3cr3t" not in raw
    assert raw.isascii()


def test_a_file_that_cannot_be_written_is_not_named(tmp_path: Path):
    (tmp_path / "ci-action-report").write_text("a file in the way")
    shown = publication(tmp_path)
    with pytest.raises(OSError, match="ci-action-report"):
        write.report(run_result(), shown)
    assert shown.written == set()


def test_the_schema_accepts_additions_and_refuses_errors(tmp_path: Path):
    found = document(run_result(finding()), publication(tmp_path))
    assert VALIDATOR.is_valid({**found, "more": 1})
    assert not VALIDATOR.is_valid({**found, "conclusion": "green"})
    assert not VALIDATOR.is_valid({name: value for name, value in found.items() if name != "stages"})


def test_tests_coverage_and_hints(tmp_path: Path):
    one = case(
        "t.py::t", "failed", message="m", detail=f"a{'x' * 20_000}b", subtest="s", seconds=0.123, runs=2
    )
    file = file_coverage(
        missing=frozenset({5, 6, 9}),
        executed_branches=frozenset({(1, 2)}),
        missing_branches=frozenset({(1, 3)}),
    )
    hint = Hint(name="h", cause="c", fix="f", url="u")
    tools = [with_tests(one, case(), hints=(hint,)), covered(file, patch_coverage=12.5)]
    found = document(run_result(*tools), publication(tmp_path))
    ran, measured = found["stages"][0]["tools"]
    first, second = ran["tests"]
    assert {name: first[name] for name in ("nodeid", "outcome", "seconds", "path", "line", "message")} == {
        "nodeid": "t.py::t",
        "outcome": "failed",
        "seconds": 0.123,
        "path": "t.py",
        "line": 3,
        "message": "m",
    }
    assert (first["runs"], first["subtest"], len(first["detail"]) < 10_100) == (2, "s", True)
    assert second["detail"] == ""
    assert (ran["coverage"], measured["tests"]) == (None, [])
    assert ran["metrics"]["tests"] == 1
    assert ran["hints"] == [{"name": "h", "cause": "c", "fix": "f", "url": "u"}]
    assert measured["coverage"] == {
        "files": {
            "src/app.py": {
                "covered_lines": 3,
                "statements": 6,
                "covered_branches": 1,
                "branches": 2,
                "missing": [[5, 6], [9, 9]],
            }
        }
    }
    assert measured["metrics"]["patch_coverage"] == 12.5


@given(FOREIGN)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_any_text_of_tests_parses_back(tmp_path: Path, text: str):
    text += '"tests": [] "findings": [] "coverage": null'
    result = run_result(
        with_tests(case(f"t{text}", "failed", message=text, detail=text, path=text)),
        covered(file_coverage(text), **{text: 1.0}),
    )
    ran, measured = document(result, publication(tmp_path))["stages"][0]["tools"]
    assert [ran["tests"][0][name] for name in ("nodeid", "message", "detail", "path")] == [
        plain(f"t{text}"), *[plain(text)] * 3,
    ]  # fmt: skip
    assert list(measured["coverage"]["files"]) == [plain(text)]
