"""Incomplete shards and forged report folders are refused, with every reason."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.shard_folders import case, covered, layout_of, write_shard

from ci_action.commands.merge.shards import shards_of
from ci_action.reporters.report_json.read import LARGEST
from ci_action.system.errors import ShardsError

Document = dict[str, Any]


def whole(tmp_path: Path, parts: int = 3, **more: Any) -> Path:
    folder = tmp_path / "shards"
    for part in range(1, parts + 1):
        tests = [case(f"t{part}")]
        write_shard(folder / f"s{part}", f"{part}/{parts}", tests, covered([part], [9]), **more)
    return folder


def reasons(tmp_path: Path, *paths: str) -> tuple[str, ...]:
    with pytest.raises(ShardsError) as raised:
        shards_of(layout_of(tmp_path, *paths))
    return raised.value.mistakes


def test_shards_are_read_in_their_order_from_any_folder(tmp_path: Path):
    folder = whole(tmp_path, 12)
    os.rename(folder / "s3", folder / "s12" / "deeper")
    found = shards_of(layout_of(tmp_path, "shards", "shards/s1", "shards/s2/report.json"))
    assert [shard.name for shard in found] == [f"{part}/12" for part in range(1, 13)]
    assert [one.nodeid for one in found[2].tests] == ["test_a.py::t3"]
    assert found[2].coverage == covered([3], [9])


def test_no_shard_found(tmp_path: Path, wording: Any):
    (tmp_path / "shards").mkdir()
    [reason] = reasons(tmp_path)
    assert reason == wording
    assert "download" in reason


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found["stages"][0].update(name="quality"),
        lambda found: found["settings"].update(stage=["merge"]),
    ],
    ids=["quality", "merge"],
)
def test_reports_of_other_stages_in_the_tree_of_a_job_are_left_out(tmp_path: Path, change: Any):
    folder = tmp_path / "shards" / "artifact"
    write_shard(folder / "other", "", [case("t1")], change=change)
    assert len(reasons(tmp_path)) == 1
    write_shard(folder / "test", "1/1", [case("t1")])
    assert [shard.where for shard in shards_of(layout_of(tmp_path))] == ["shards/artifact/test/report.json"]


def test_a_run_of_several_stages_in_the_tree_is_ambiguous(tmp_path: Path):
    folder = whole(tmp_path, 1)
    write_shard(
        folder / "all", "", [case("t1")], change=lambda found: found["stages"].insert(0, found["stages"][0])
    )
    [reason] = reasons(tmp_path)
    assert reason.startswith("shards/all/report.json: ")


def test_a_missing_and_a_duplicate_shard(tmp_path: Path):
    folder = whole(tmp_path, 4)
    (folder / "s3" / "report.json").unlink()
    write_shard(folder / "again", "2/4", [case("t2")])
    doubled, missing = reasons(tmp_path)
    assert doubled == "duplicate results for shard 2/4: shards/again/report.json, shards/s2/report.json"
    assert missing.startswith("shard 3/4 is missing: ")


def test_many_missing_shards_are_a_few_lines(tmp_path: Path):
    write_shard(tmp_path / "shards" / "one", "1/9999", [case("t")])
    found = reasons(tmp_path)
    assert len(found) == 11
    assert found[-1] == "and 9,988 more"


def test_shards_of_different_numbers(tmp_path: Path):
    write_shard(tmp_path / "shards" / "a", "1/3", [case("a")])
    write_shard(tmp_path / "shards" / "b", "2/4", [case("b")])
    [reason] = reasons(tmp_path)
    assert "1/3 (shards/a/report.json) and 2/4 (shards/b/report.json)" in reason


def test_shards_of_different_commits(tmp_path: Path, wording: Any):
    folder = whole(tmp_path, 2)
    write_shard(folder / "s2", "2/2", [case("t2")], change=lambda found: found.update(commit="f00d" * 10))
    [reason] = reasons(tmp_path)
    assert reason == (wording)


def test_a_test_in_two_shards(tmp_path: Path):
    folder = whole(tmp_path, 2)
    write_shard(folder / "s2", "2/2", [case("t1"), case("t1", subtest="i=1")])
    [reason] = reasons(tmp_path)
    assert "'test_a.py::t1' ran in shard 1/2 and in shard 2/2:" in reason
    assert ".test_durations" in reason


def test_a_module_that_no_shard_could_collect_is_not_a_duplicate(tmp_path: Path):
    folder = tmp_path / "shards"
    for part in (1, 2):
        write_shard(folder / str(part), f"{part}/2", [case("e", nodeid="test_b.py"), case(f"t{part}")])
    assert len(shards_of(layout_of(tmp_path))) == 2


def test_the_report_of_a_merge_is_not_a_shard(tmp_path: Path):
    whole(tmp_path, 2)
    write_shard(tmp_path / "shards" / "merged", "", [case("t1"), case("t2")], given={"stage": "merge"})
    assert len(shards_of(layout_of(tmp_path))) == 2


def test_all_reasons_at_once(tmp_path: Path):
    folder = whole(tmp_path, 3)
    (folder / "s1" / "report.json").write_text("no JSON")
    write_shard(folder / "s2", "2/3", [case("t3")], change=lambda found: found.update(commit="beef"))
    found = reasons(tmp_path)
    assert len(found) == 4
    assert [word for word in ("not a report", "missing", "commits", "two") if word in " ".join(found)] == [
        "not a report",
        "missing",
        "commits",
    ]


def tool(found: Document, name: str = "pytest") -> Document:
    return next(tool for tool in found["stages"][0]["tools"] if tool["name"] == name)


FINDING: Document = {
    **dict.fromkeys(("rule", "message", "path", "url", "fingerprint", "muted", "fix", "fix_message"), ""),
    **dict.fromkeys(("line", "column", "end_line", "end_column")),
    "level": "error",
    "severity": "",
    "before": "",
    "after": "",
    "package": None,
    "also": [],
    "loosens": 0,
    "new": None,
}


def red(**finding: str) -> Callable[[Document], None]:
    """Return a change that makes a test red, with the finding of it but for what is given."""

    def change(found: Document) -> None:
        tests = tool(found)
        tests["tests"][0].update(outcome="failed")
        tests["metrics"].update(passed=0, failed=1)
        reported = {**FINDING, "rule": "failed", "message": "test_a.py::t1: no"}
        tests["findings"].append({**reported, **finding})

    return change


WRONG: dict[str, Callable[[Document], Any]] = {
    "no shard": lambda found: found["settings"].pop("shard"),
    "a shard that is none": lambda found: found["settings"].update(shard="4/3"),
    "a shard of another type": lambda found: found["settings"].update(shard=[1, 3]),
    "stage of another type": lambda found: found["settings"].update(stage=7),
    "schema": lambda found: found.update(schema=2),
    "no schema": lambda found: found.pop("schema"),
    "no tests": lambda found: tool(found).pop("tests"),
    "two stages": lambda found: found["stages"].append(found["stages"][0]),
    "no stages": lambda found: found["stages"].clear(),
    "conclusion": lambda found: found.update(conclusion="green"),
    "outcome": lambda found: tool(found)["tests"][0].update(outcome="great"),
    "text for a number": lambda found: found.update(seconds="1"),
    "a list for a table": lambda found: found.update(settings=[]),
    "infinite": lambda found: tool(found)["metrics"].update(tests=float("inf")),
    "not a number": lambda found: tool(found)["tests"][0].update(seconds=float("nan")),
    "level": lambda found: tool(found)["findings"].append({**FINDING, "level": "mild"}),
    "severity": lambda found: tool(found)["findings"].append({**FINDING, "severity": "dire"}),
    "a package without a name": lambda found: tool(found)["findings"].append(
        {**FINDING, "package": {"version": "1"}}
    ),
    "a finding out of it": lambda found: tool(found)["findings"].append({**FINDING, "path": "../x"}),
    "line 0": lambda found: tool(found)["tests"][0].update(line=0),
    "a line without end": lambda found: tool(found)["tests"][0].update(line=10**300),
    "a path out of it": lambda found: tool(found)["tests"][0].update(path="a/../../../etc/passwd"),
    "NUL": lambda found: tool(found)["tests"][0].update(path="a\0b"),
    "another exit code": lambda found: found.update(exit_code=1),
    "a red conclusion that is green": lambda found: found.update(conclusion="failed"),
    "a finding that counts": lambda found: tool(found)["findings"].append(FINDING),
    "a broken tool": lambda found: tool(found, "coverage").update(outcome="broken"),
    "an outcome of a tool": lambda found: tool(found, "coverage").update(outcome="fine"),
    "no pytest": lambda found: found["stages"][0]["tools"].remove(tool(found)),
    "no coverage": lambda found: found["stages"][0]["tools"].remove(tool(found, "coverage")),
    "pytest twice": lambda found: found["stages"][0]["tools"].append(tool(found)),
    "a red test without its finding": lambda found: (
        tool(found)["tests"][0].update(outcome="failed"),
        tool(found)["metrics"].update(passed=0, failed=1),
    ),
    "a red test as a notice": red(level="notice"),
    "a red test as a warning": red(level="warning"),
    "a red test of a low severity": red(severity="low"),
    "a red test by a rule that is judged once": red(rule="all-skipped"),
    "tests of another tool": lambda found: found["stages"][0]["tools"].append(
        {**tool(found), "name": "gate-changes"}
    ),
    "findings of a tool that was skipped": lambda found: tool(found, "coverage").update(
        outcome="skipped", findings=[{**FINDING, "level": "notice"}]
    ),
    "tests of pytest, which was skipped": lambda found: tool(found).update(
        outcome="skipped", reason="pytest collected no tests"
    ),
    "a tool twice": lambda found: found["stages"][0]["tools"].extend(
        [{**tool(found, "coverage"), "name": "gate-changes", "metrics": {}, "coverage": None}] * 2
    ),
    "a red test that the figures do not know": lambda found: tool(found)["tests"][0].update(outcome="error"),
    "a test that is gone": lambda found: tool(found)["tests"].clear(),
    "no figures": lambda found: tool(found)["metrics"].clear(),
    "skipped for no reason": lambda found: tool(found).update(outcome="skipped", tests=[], reason=""),
    "skipped for another reason": lambda found: tool(found).update(
        outcome="skipped", tests=[], reason="no files that are named like tests"
    ),
    "other coverage": lambda found: tool(found, "coverage")["metrics"].update(statements=7),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_no_run_writes_is_refused(tmp_path: Path, name: str, wording: Any):
    change = WRONG[name]
    whole(tmp_path, 1, change=change)
    if name == "stage of another type":
        assert shards_of(layout_of(tmp_path))
        return
    [reason] = reasons(tmp_path)
    assert reason.startswith("shards/s1/report.json: ")
    assert reason == wording
    assert len(reason) < 1_000


COVERAGE = {
    "absent": None,
    "no JSON": "{",
    "a list": '{"files": []}',
    "texts": '{"files": {"a": {"executed_lines": ["1"], "missing_lines": []}}}',
    "a line without end": '{"files": {"a": {"executed_lines": [1%s], "missing_lines": []}}}' % ("0" * 5000),
    "a path out of it": '{"files": {"../x.py": {"executed_lines": [1], "missing_lines": []}}}',
    "deep": "[" * 1_000_000,
    "of another run": '{"files": {}}',
}


@pytest.mark.parametrize("name", COVERAGE)
def test_coverage_that_no_run_writes_is_refused(tmp_path: Path, name: str, wording: Any):
    text = COVERAGE[name]
    file = whole(tmp_path, 1) / "s1" / "coverage.json"
    file.unlink()
    if text is not None:
        file.write_text(text)
    [reason] = reasons(tmp_path)
    assert reason == wording


def test_coverage_of_an_earlier_run_is_not_used(tmp_path: Path):
    folder = whole(tmp_path, 1)
    write_shard(folder / "s1", "1/1", [case("t1")])
    [shard] = shards_of(layout_of(tmp_path))
    assert shard.coverage is None


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"[" * 1_000_000, b'{"schema": 1' + b"0" * 10_000 + b"}", b"null"]
)
def test_a_file_that_is_not_a_report(tmp_path: Path, content: bytes, wording: Any):
    (whole(tmp_path, 1) / "s1" / "report.json").write_bytes(content)
    [reason] = reasons(tmp_path)
    assert reason == wording


def test_files_that_are_not_regular(tmp_path: Path, wording: Any):
    folder = whole(tmp_path, 3)
    for part in (1, 2, 3):
        (folder / f"s{part}" / "report.json").unlink()
    os.mkfifo(folder / "s1" / "report.json")
    (folder / "s2" / "report.json").symlink_to("/etc/passwd")
    with (folder / "s3" / "report.json").open("wb") as stream:
        stream.truncate(LARGEST + 1)
    assert [reason.partition(": ")[2] for reason in reasons(tmp_path)] == [
        wording,
        wording,
        wording,
    ]


def test_a_place_outside_the_workspace_is_not_shown(tmp_path: Path):
    def change(found: Document) -> None:
        tool(found)["findings"][0].update(path="/etc/passwd", line=1)
        tool(found)["tests"][0].update(path="/etc/passwd")

    whole_folder = tmp_path / "shards"
    write_shard(whole_folder, "1/1", [case("f")], change=change)
    [shard] = shards_of(layout_of(tmp_path))
    assert shard.tests[0].path == ""
    assert [finding.location for finding in shard.outcomes["pytest"].findings] == [None]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(JSON, st.sampled_from(["report", "settings", "stages", "tool", "case", "coverage"]), st.data())
def test_any_json_is_a_shard_or_a_reason(
    tmp_path_factory: pytest.TempPathFactory, value: Any, where: str, data: st.DataObject
):
    workspace = tmp_path_factory.mktemp("w")

    def change(found: Document) -> None:
        places = {
            "report": found,
            "settings": found["settings"],
            "stages": found["stages"][0],
            "tool": tool(found),
            "case": tool(found)["tests"][0],
            "coverage": tool(found, "coverage"),
        }
        name = data.draw(st.sampled_from(sorted(places[where])))
        places[where][name] = value

    write_shard(workspace / "shards", "1/1", [case("t")], covered([1], [2]), change=change)
    reasons: tuple[str, ...] = ()
    try:
        shards_of(layout_of(workspace))
    except ShardsError as error:
        reasons = error.mistakes
    assert all(0 < len(reason) < 2_000 for reason in reasons)
    assert json.loads((workspace / "shards" / "coverage.json").read_bytes())["totals"]["num_statements"] == 2
