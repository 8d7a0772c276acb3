"""Joined coverage is the same in any order and grouping, and coverage.json contains it."""

import json
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from support.builders import (
    publication,
    run_result,
    tool_result,
    without,
)
from support.shard_folders import case, covered

from ci_action.model.coverage import Coverage, FileCoverage, joined
from ci_action.model.result import Report
from ci_action.reporters import coverage_json
from ci_action.stages.test.coverage import from_json

PATHS = ("a.py", "pkg/b.py", "pkg/é \ud800.py")
# One source for all runs: its statements, and its branches.
STATEMENTS = frozenset(range(1, 8))
BRANCHES = frozenset({(1, 2), (1, 3), (4, 5), (4, -1)})


def file(path: str, executed: frozenset[int], branches: frozenset[tuple[int, int]]) -> FileCoverage:
    return FileCoverage(
        path=path,
        executed=executed,
        missing=STATEMENTS - executed,
        executed_branches=branches,
        missing_branches=BRANCHES - branches,
    )


SUBSETS = st.frozensets(st.sampled_from(sorted(STATEMENTS)))
TAKEN = st.frozensets(st.sampled_from(sorted(BRANCHES)))
RUNS = st.dictionaries(st.sampled_from(PATHS), st.tuples(SUBSETS, TAKEN)).map(
    lambda files: Coverage(files={path: file(path, *ran) for path, ran in files.items()})
)


@given(st.lists(RUNS, max_size=4), st.randoms(use_true_random=False))
def test_order_and_grouping_do_not_matter(parts, random):
    whole = joined(parts)
    shuffled = list(parts)
    random.shuffle(shuffled)
    cut = random.randint(0, len(parts))
    assert joined(shuffled) == whole
    assert joined([joined(parts[:cut]), joined(parts[cut:])]) == whole
    assert joined([whole, *parts]) == whole


@given(st.lists(RUNS, max_size=4))
def test_what_ran_in_one_ran_and_the_rest_is_missing(parts):
    whole = joined(parts)
    for path in PATHS:
        runs = [part.files[path] for part in parts if path in part.files]
        if not runs:
            assert path not in whole.files
            continue
        one = whole.files[path]
        assert one.executed == frozenset().union(*(run.executed for run in runs))
        assert one.executed_branches == frozenset().union(*(run.executed_branches for run in runs))
        assert (one.executed | one.missing, one.executed & one.missing) == (STATEMENTS, frozenset())
        assert one.executed_branches | one.missing_branches == BRANCHES
        assert not one.executed_branches & one.missing_branches


@given(SUBSETS, TAKEN, st.lists(st.integers(0, 3), min_size=11, max_size=11))
def test_the_shards_of_a_partition_are_the_whole(executed, taken, owners):
    whole = Coverage(files={"a.py": file("a.py", executed, taken)})
    lines = dict(zip(sorted(STATEMENTS), owners, strict=False))
    arcs = dict(zip(sorted(BRANCHES), owners[7:], strict=True))
    parts = [
        Coverage(
            files={
                "a.py": file(
                    "a.py",
                    frozenset(line for line in executed if lines[line] == part),
                    frozenset(arc for arc in taken if arcs[arc] == part),
                )
            }
        )
        for part in range(4)
    ]
    assert joined(parts) == whole
    assert joined(parts).percent == whole.percent
    assert joined(parts).metrics == whole.metrics


STARTED = datetime(2026, 1, 2, tzinfo=UTC)


@given(RUNS)
def test_the_file_has_the_shape_of_coverage_itself(coverage):
    document = json.loads(coverage_json.coverage_json(coverage, STARTED))
    names = {path.replace("\ud800", "\ufffd"): one for path, one in coverage.files.items()}
    read = from_json(document)
    assert read.metrics == coverage.metrics
    assert {path: one.executed_branches for path, one in read.files.items()} == {
        path: one.executed_branches for path, one in names.items()
    }
    totals = document["totals"]
    assert totals["covered_lines"] + totals["missing_lines"] == totals["num_statements"]
    assert totals["percent_covered"] == coverage.metrics["coverage"]
    assert document["meta"]["branch_coverage"] is bool(coverage.files)


def test_a_percent_is_not_rounded_up():
    document = json.loads(coverage_json.coverage_json(covered(range(1, 90_000), [90_000]), STARTED))
    assert document["totals"]["percent_covered_display"] == "99.99"


def test_missing_branches_of_lines_that_ran_are_partial():
    one = file("a.py", frozenset({1}), frozenset({(1, 2)}))
    document = json.loads(coverage_json.coverage_json(Coverage(files={"a.py": one}), STARTED))
    assert document["totals"]["num_partial_branches"] == 1
    assert document["totals"]["missing_branches"] == 3


def test_only_files_with_content_are_written(tmp_path: Path):
    nothing = publication(tmp_path)
    coverage_json.report(run_result(), nothing)
    assert nothing.written == set()
    shown = publication(tmp_path)
    cases = (case("t1"), case("t1", subtest="i=1", seconds=9), case("e", nodeid="test_b.py"), case("s3cr3t"))
    tool = tool_result(outcome=Report(tests=cases, coverage=covered([1], path="s3cr3t.py")))
    coverage_json.report(without(run_result(tool), "s3cr3t"), shown)
    assert shown.written == {"coverage.json", "durations.json"}
    assert json.loads((shown.folder / "durations.json").read_bytes()) == {
        "test_a.py::t1": 0.5,
        "test_a.py::***": 0.5,
    }
    assert "***.py" in json.loads((shown.folder / "coverage.json").read_bytes())["files"]
