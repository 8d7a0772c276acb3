"""What coverage is asked in the project's environment, what its answer comes to, and where it has none."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import FakeRun, completed, context, event, program, write

from ci_action.engine.test_run import PLUGIN
from ci_action.engine.test_run.measuring import Measuring
from ci_action.engine.tool import Checked
from ci_action.model.changes import Changes
from ci_action.model.finding import Level
from ci_action.model.result import Broken, Report, Skipped
from ci_action.project.coverage_command import Starter
from ci_action.project.environment import Environment
from ci_action.stages.test.coverage import check, coverage_of, from_json
from ci_action.system.errors import ToolError
from ci_action.system.process import Command, Completed

PYTHON = "/env/bin/python"


def entry(executed: list[int], missing: list[int]) -> dict[str, Any]:
    figures = {"covered_lines": len(executed), "missing_lines": len(missing)}
    return {
        "executed_lines": executed,
        "missing_lines": missing,
        "summary": {**figures, "num_statements": len(executed) + len(missing)},
    }


THREE_OF_FOUR = {"a.py": entry([1, 2, 3], [4])}


def document(files: Mapping[str, Any]) -> dict[str, Any]:
    names = ("covered_lines", "missing_lines", "num_statements")
    totals = {name: sum(one["summary"][name] for one in files.values()) for name in names}
    return {"files": dict(files), "totals": totals}


def coverage(
    files: Mapping[str, Any] = THREE_OF_FOUR,
    *,
    fail_under: str = "0",
    precision: int = 0,
    stdout: str = "",
    **process: Any,
) -> Any:
    """Return a coverage that measured these files."""

    def run(command: Command) -> Completed:
        Path(command.argv[3]).write_text(json.dumps(document(files)))
        Path(command.argv[4]).write_text("{}")
        said = json.dumps({"fail_under": fail_under, "precision": precision, "version": "7.10.0"})
        return completed(stdout or f"printed by a plugin\n{said}\n", **process)

    return run


def checked(
    folder: Path,
    answer: Any = None,
    *,
    options: Mapping[str, Any] | None = None,
    measuring: Mapping[str, Any] | None = None,
    **overrides: Any,
) -> tuple[Checked, FakeRun]:
    (folder / "w").mkdir(exist_ok=True)
    run = FakeRun(python=answer or coverage())
    ctx = context(folder / "w", run, **overrides)
    Environment(python=PYTHON, version="3.13", source="uv.lock", overlay="/overlay").save(ctx.tempdir)
    Measuring(**{"starter": Starter.PYTEST_COV, **(measuring or {})}).save(ctx.tempdir)
    write(ctx.tempdir, {"pytest/coverage-options.json": json.dumps(options or {})})
    return check(ctx, program("coverage")), run


def report(found: Checked) -> Report:
    assert isinstance(found.outcome, Report)
    return found.outcome


def rules(found: Checked) -> list[str]:
    return [one.rule for one in found.outcome.findings]


def known(run: FakeRun) -> dict[str, Any]:
    """Return what the reader of the data was given."""
    [command] = run.asked
    facts: dict[str, Any] = json.loads(command.argv[5])
    return facts


def test_what_was_measured(tmp_path: Path):
    found, run = checked(tmp_path, environ={"PYTHONPATH": "/mine"})
    outcome = report(found)
    assert (outcome.examined, outcome.findings) == ({"files": 1}, ())
    assert outcome.metrics["coverage"] == 75
    assert (found.version, found.version_source, found.warnings) == ("7.10.0", "uv.lock", ())
    [command] = run.asked
    assert command.argv[:2] == (PYTHON, "-c")
    assert command.environ["PYTHONPATH"] == "/mine"
    assert command.environ["COVERAGE_FILE"].endswith("/pytest/.coverage")


def test_our_own_files_are_in_no_figure(tmp_path: Path):
    _, run = checked(tmp_path)
    assert known(run)["omit"] == [f"{PLUGIN}/*", "/overlay/*"]


@pytest.mark.parametrize(
    ("measuring", "config"),
    [
        ({"starter": Starter.PYTEST_COV, "config": "theirs"}, "given.cfg"),
        ({"starter": Starter.COVERAGE, "config": "theirs"}, "theirs"),
        ({"starter": Starter.COVERAGE}, ""),
    ],
)
def test_the_data_is_read_as_it_was_measured(tmp_path: Path, measuring: dict[str, Any], config: str):
    _, run = checked(tmp_path, options={"config": "given.cfg", "path": ["lib"]}, measuring=measuring)
    assert known(run)["config"] == config
    assert known(run)["path"] == ["lib", "/overlay"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"path": 1}', '{"fail_under": "x"}'])
def test_options_that_our_plugin_cannot_have_written_are_not_used(tmp_path: Path, text: str):
    (tmp_path / "w").mkdir()
    ctx = context(tmp_path / "w", FakeRun(python=coverage()))
    Environment(python=PYTHON, version="3.13", source="uv.lock").save(ctx.tempdir)
    Measuring(starter=Starter.PYTEST_COV).save(ctx.tempdir)
    write(ctx.tempdir, {"pytest/coverage-options.json": text})
    assert report(check(ctx, program("coverage"))).metrics["coverage"] == 75


@pytest.mark.parametrize(
    ("options", "measuring", "fail_under", "found"),
    [
        ({}, {}, "80", 80),
        ({"fail_under": 90}, {"fail_under": "70"}, "80", 90),
        ({"fail_under": 0}, {"fail_under": "70"}, "80", None),
        ({}, {"fail_under": "70"}, "80", 70),
        ({}, {}, "0", None),
    ],
)
def test_whose_word_is_the_minimum_of_the_project(
    tmp_path: Path, options: dict[str, Any], measuring: dict[str, str], fail_under: str, found: float | None
):
    ran, _ = checked(tmp_path, coverage(fail_under=fail_under), options=options, measuring=measuring)
    assert report(ran).metrics.get("fail_under") == found


NINES = {"a.py": entry(list(range(1, 896)), list(range(900, 1005)))}  # 89.5 %


@pytest.mark.parametrize(
    ("settings", "fail_under", "precision", "red"),
    [
        ({}, "90", 0, False),
        ({}, "90", 1, True),
        ({}, "90.5", 0, True),
        ({"coverage_min": "90"}, "90", 0, True),
    ],
)
def test_the_minimum_of_the_project_is_rounded_as_coverage_does(
    tmp_path: Path, settings: dict[str, str], fail_under: str, precision: int, red: bool
):
    answer = coverage(NINES, fail_under=fail_under, precision=precision)
    found, _ = checked(tmp_path, answer, settings=settings)
    assert rules(found) == ["coverage-min"] * red


@pytest.mark.parametrize(
    ("settings", "fail_under", "red", "metrics"),
    [
        ({}, "0", [], {}),
        ({}, "75", [], {"coverage_min": 75, "fail_under": 75}),
        ({}, "76", ["coverage-min"], {"coverage_min": 76, "fail_under": 76}),
        ({"coverage_min": "75"}, "76", [], {"coverage_min": 75, "fail_under": 76}),
        ({"coverage_min": "75.01"}, "0", ["coverage-min"], {"coverage_min": 75.01}),
        ({"coverage_min": "0"}, "90", [], {"coverage_min": 0, "fail_under": 90}),
        ({"shard": "1/2", "coverage_min": "90"}, "90", [], {"fail_under": 90}),
    ],
    ids=["none", "reached", "missed", "ours first", "ours missed", "switched off by ours", "a shard judges nothing"],
)  # fmt: skip
def test_whose_minimum_counts(
    tmp_path: Path, settings: dict[str, str], fail_under: str, red: list[str], metrics: dict[str, float]
):
    found, _ = checked(tmp_path, coverage(fail_under=fail_under), settings=settings)
    outcome = report(found)
    assert rules(found) == red
    assert {
        name: outcome.metrics[name] for name in ("coverage_min", "fail_under") if name in outcome.metrics
    } == (metrics)
    assert ("merge" in " ".join(found.warnings)) is ("shard" in settings)


@pytest.mark.parametrize(
    ("settings", "fail_under", "levels"),
    [
        ({}, "76", [Level.WARNING]),
        ({}, "75", []),
        ({"coverage_min": "76"}, "0", [Level.ERROR]),
        ({"coverage_min": "76"}, "90", [Level.ERROR]),
        ({"coverage_min": "75"}, "90", []),
    ],
    ids=["missed", "reached", "ours missed", "ours missed first", "ours reached"],
)
def test_a_minimum_of_several_environments_is_not_that_of_one_run(
    tmp_path: Path, settings: dict[str, str], fail_under: str, levels: list[Level]
):
    answer, measuring = coverage(fail_under=fail_under), {"combined": "tox.ini: testenv:report"}
    found, _ = checked(tmp_path, answer, settings=settings, measuring=measuring)
    findings = report(found).findings
    assert [(one.rule, one.level) for one in findings] == [("coverage-min", level) for level in levels]
    for one in findings:
        assert "75" in one.message
        assert (measuring["combined"] in one.message) is (one.level is Level.WARNING)


def test_the_change_is_judged_by_its_lines(tmp_path: Path):
    changes = Changes(base="ba5e", lines={"a.py": frozenset({3, 4})})
    settings = {"patch_coverage_min": "51"}
    (tmp_path / "w").mkdir()
    write(tmp_path / "w", {"a.py": "a\nb\nc\nd\n"})
    (tmp_path / "other").mkdir()
    found, _ = checked(tmp_path / "other", settings=settings, changes=changes)
    outcome = report(found)
    assert [one.rule for one in outcome.findings] == ["patch-coverage-min", "uncovered"]
    assert outcome.metrics["patch_coverage"] == 50


def test_a_pull_request_without_a_base_cannot_be_judged(tmp_path: Path):
    overrides: dict[str, Any] = {
        "settings": {"patch_coverage_min": "51"},
        "changes": Changes(problem="the clone is shallow"),
    }
    with pytest.raises(ToolError, match="the clone is shallow"):
        checked(tmp_path, event=event(name="pull_request"), **overrides)
    (tmp_path / "other").mkdir()
    found, _ = checked(tmp_path / "other", event=event(name="push"), **overrides)
    assert "the clone is shallow" in found.warnings[0]


NOTHING = completed(stderr="coverage.exceptions.NoDataError: No data to report.\n", returncode=1)


def unreadable(fail_under: str) -> Completed:
    """Return a coverage that knows its configuration, and not its data."""
    facts = json.dumps({"fail_under": fail_under, "precision": 0, "version": "7.10.0"})
    return completed(
        f"{facts}\n", stderr="ModuleNotFoundError: No module named 'covdefaults'\n", returncode=1
    )


@pytest.mark.parametrize(
    ("settings", "fail_under", "broken"),
    [
        ({}, "0", False),
        ({}, "90", True),
        ({"coverage_min": "1"}, "0", True),
        ({"patch_coverage_min": "1"}, "0", True),
        ({"coverage_min": "0"}, "90", True),
    ],
)
def test_without_data_only_a_minimum_is_broken(
    tmp_path: Path, settings: dict[str, str], fail_under: str, broken: bool
):
    found, _ = checked(tmp_path, unreadable(fail_under), settings=settings)
    if broken:
        assert isinstance(found.outcome, Broken)
        assert "covdefaults" in found.outcome.reason
        return
    [finding] = report(found).findings
    assert (finding.rule, finding.level) == ("not-measured", Level.WARNING)
    assert "covdefaults" in finding.message


@pytest.mark.parametrize(
    ("options", "word"), [({"disabled": True}, "--no-cov"), ({"loaded": False}, "-p no:cov")]
)
def test_a_project_that_switches_coverage_off_is_not_warned(
    tmp_path: Path, options: dict[str, bool], word: str
):
    found, _ = checked(tmp_path, NOTHING, options=options)
    assert isinstance(found.outcome, Skipped)
    assert word in found.outcome.reason
    found, _ = checked(tmp_path, NOTHING, options=options, settings={"coverage_min": "1"})
    assert isinstance(found.outcome, Broken)


def test_a_suite_that_ran_without_coverage_says_why(tmp_path: Path):
    found, _ = checked(tmp_path, NOTHING, measuring={"starter": Starter.NONE, "failed": "no covdefaults"})
    [finding] = report(found).findings
    assert (finding.rule, "no covdefaults" in finding.message) == ("not-measured", True)


@pytest.mark.parametrize("settings", [{"shard": "1/2"}, {"shard": "1/2", "coverage_min": "90"}])
def test_a_shard_may_have_run_nothing(tmp_path: Path, settings: dict[str, str]):
    assert isinstance(checked(tmp_path, NOTHING, settings=settings)[0].outcome, Skipped)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            completed(stderr="ModuleNotFoundError: No module named 'coverage'\n", returncode=1),
            "No module named",
        ),
        (completed("said\n", returncode=1), "said"),
        (completed(returncode=1), "no reason"),
        (coverage(stdout="no JSON\n"), "no JSON"),
        (coverage(stdout="{}\n"), "{}"),
        (coverage({"a.py": {**entry([1], []), "missing_lines": [-1]}}), "missing_lines"),
    ],
)
def test_what_cannot_be_trusted_is_broken(tmp_path: Path, answer: Any, reason: str):
    found, _ = checked(tmp_path, answer, settings={"coverage_min": "0"})
    assert isinstance(found.outcome, Broken)
    assert reason in found.outcome.reason


PARSED = (
    "/v/coverage/report_core.py:116: CoverageWarning: Couldn't parse Python file '{}/bad.py' (couldnt-parse)"
)


def test_the_warnings_of_coverage_are_findings(tmp_path: Path):
    stderr = f"{PARSED.format(tmp_path / 'w')}\n  warn(x)\n"
    noted = (("module-not-imported", "Module pkg was never imported."), ("no-data-collected", "No data."))
    found, _ = checked(tmp_path, coverage(stderr=stderr), measuring={"noted": noted})
    # Data was collected after all: by another process.
    assert [(one.rule, one.level, one.path) for one in found.outcome.findings] == [
        ("module-not-imported", Level.WARNING, ""),
        ("couldnt-parse", Level.WARNING, "bad.py"),
    ]
    assert "'bad.py'" in found.outcome.findings[1].message
    found, _ = checked(tmp_path, coverage({}), measuring={"noted": noted})
    assert rules(found) == ["module-not-imported", "no-data-collected"]


ENTRY: dict[str, Any] = {
    **entry([1, 2, 3], [5]),
    "executed_branches": [[2, 3]],
    "missing_branches": [[2, 5]],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
MORE = st.dictionaries(st.sampled_from(sorted(ENTRY)), JSON, max_size=2)
WHOLE = document({"a.py": ENTRY})
ANY = (
    JSON
    | MORE.map(lambda more: {**WHOLE, "files": {"a.py": {**ENTRY, **more}}})
    | JSON.map(lambda value: {**WHOLE, "totals": value})
)


@given(ANY.map(json.dumps) | st.text(max_size=20), ANY.map(json.dumps) | st.just("{}"))
def test_whatever_the_files_hold_is_coverage_or_an_error_of_ours(report: str, statements: str):
    try:
        found = coverage_of(report.encode("utf-8", "replace"), statements.encode("utf-8", "replace"), str)
    except ValueError:
        return
    assert 0 <= found.percent <= 100


def test_what_is_nested_too_deeply_is_an_error_of_ours():
    with pytest.raises(ValueError, match="JSON"):
        coverage_of(b'{"a":' * 200_000, b"{}", str)


FOUR_LINES: dict[str, Any] = {
    "executed_lines": [1, 2, 3],
    "missing_lines": [5],
    "executed_branches": [[2, 3]],
    "missing_branches": [[2, 5]],
    "summary": {
        "covered_lines": 3, "missing_lines": 1, "num_statements": 4,
        "num_branches": 4, "covered_branches": 3, "missing_branches": 1,
    },
}  # fmt: skip
WITH_BRANCHES: dict[str, Any] = {"files": {"a.py": FOUR_LINES}, "totals": FOUR_LINES["summary"]}


def changed(**entry: Any) -> dict[str, Any]:
    return {**WITH_BRANCHES, "files": {"a.py": {**FOUR_LINES, **entry}}}


def with_summary(**figures: Any) -> dict[str, Any]:
    return changed(summary={**FOUR_LINES["summary"], **figures})


def test_branches_are_as_many_as_coverage_counts():
    coverage = from_json(WITH_BRANCHES)
    assert coverage.metrics == {
        "coverage": 75.0, "covered_lines": 3, "statements": 4, "covered_branches": 3, "branches": 4,
    }  # fmt: skip


def test_only_statements_count():
    raw = {**changed(executed_lines=[1, 2, 3, 9]), "totals": FOUR_LINES["summary"]}
    with pytest.raises(ValueError, match="is 3, and its lines make 4"):
        from_json(raw)
    coverage = from_json(raw, statements={"a.py": frozenset({1, 2, 3, 5})})
    assert coverage.files["a.py"].executed == {1, 2, 3}
    assert coverage.metrics["coverage"] == 75.0


@pytest.mark.parametrize("figure", FOUR_LINES["summary"])
def test_figures_that_contradict_each_other_are_refused(figure: str):
    for more in (-1, 1):
        wrong = {figure: FOUR_LINES["summary"][figure] + more}
        with pytest.raises(ValueError, match=r"of 'a\.py' is|out of range"):
            from_json({**with_summary(**wrong), "totals": {**FOUR_LINES["summary"], **wrong}})
        with pytest.raises(ValueError, match="of all files is"):
            from_json({**WITH_BRANCHES, "totals": {**FOUR_LINES["summary"], **wrong}})
    assert from_json({"files": {}, "totals": dict.fromkeys(FOUR_LINES["summary"], 0)}).files == {}


def test_a_file_under_two_names_is_one():
    document = {
        "files": {
            "a.py": FOUR_LINES,
            "./a.py": {**FOUR_LINES, "executed_lines": [1, 2, 5], "missing_lines": [3]},
        },
        "totals": {name: 2 * number for name, number in FOUR_LINES["summary"].items()},
    }
    [one] = from_json(document, lambda name: name.removeprefix("./")).files.values()
    assert (set(one.executed), set(one.missing)) == ({1, 2, 3, 5}, set())
