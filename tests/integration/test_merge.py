"""Shards of the program, joined by it, are the same as one run; incomplete ones are refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.runs import Write

from ci_action.cli import main

PYPROJECT = """
[project]
name = 'sample'
version = '0'
requires-python = '>=3.9'
[tool.coverage.run]
branch = true
source = ['pkg']
[tool.coverage.report]
fail_under = 50
"""
PACKAGE = "".join(
    f"def even_{number}(value):\n    if value % 2:\n        return False\n    return True\n"
    for number in range(6)
)
TESTS = "import pkg\n" + "".join(
    f"def test_{number}():\n    assert pkg.even_{number}({number}) is {number % 2 == 0}\n"
    for number in range(5)
)
OTHERS = "import pytest\ndef test_bad():\n    assert 0\n@pytest.mark.skip\ndef test_skipped(): pass\n"
FILES = {"pyproject.toml": PYPROJECT, "pkg/__init__.py": PACKAGE, "tests/test_a.py": TESTS}


@pytest.fixture
def project(standing: Write) -> Write:
    return standing


@pytest.fixture
def sharded(project, environ, kept, monkeypatch, capsys) -> Callable[..., tuple[Path, list[int]]]:
    """Run a project in shards; their report folders lie in `shards`."""

    def run(files: dict[str, str], parts: int = 3, *words: str) -> tuple[Path, list[int]]:
        folder = project(files)
        monkeypatch.chdir(folder)
        codes = []
        for part in range(1, parts + 1):
            argv = ["run", "test", f"--shard={part}/{parts}", f"--cache-dir={kept}", *words]
            codes.append(main([*argv, f"--report-dir=shards/shard-{part}"], environ))
        capsys.readouterr()
        return folder, codes

    return run


@pytest.fixture
def merge(environ, capsys, tmp_path) -> Callable[..., tuple[int, dict[str, Any], str]]:
    """Join the folder `shards`; returns the exit code, the report, and what was printed."""

    def run(*words: str, env: dict[str, str] | None = None) -> tuple[int, dict[str, Any], str]:
        reports = tmp_path / "merged"
        shutil.rmtree(reports, ignore_errors=True)
        argv = [] if env else ["merge", "shards", f"--report-dir={reports}", *words]
        extra = {f"INPUT_{name}": value for name, value in (env or {}).items()}
        if env:
            extra |= {"INPUT_REPORT-DIR": str(reports), "GITHUB_ACTIONS": "true"}
        code = main(argv, {**environ, **extra})
        file = reports / "report.json"
        return code, json.loads(file.read_bytes()) if file.is_file() else {}, capsys.readouterr().out

    return run


def metrics(report: dict[str, Any], name: str) -> dict[str, float]:
    tools = {tool["name"]: tool for stage in report["stages"] for tool in stage["tools"]}
    return {key: value for key, value in tools[name]["metrics"].items() if key != "fail_under"}


def nodes(report: dict[str, Any]) -> list[tuple[str, str, int]]:
    tests = (case for stage in report["stages"] for tool in stage["tools"] for case in tool["tests"])
    return sorted((case["nodeid"], case["outcome"], case["line"]) for case in tests)


def test_three_shards_are_the_whole(sharded, merge, ci_action, kept, tmp_path):
    files = {**FILES, "tests/test_b.py": OTHERS}
    folder, codes = sharded(files)
    assert codes == [0, 1, 1]  # the last one has skipped tests alone
    code, report, out = merge()
    whole = ci_action(folder, "run", "test", f"--cache-dir={kept}")
    assert (code, report["conclusion"], report["stages"][0]["name"]) == (1, "failed", "test")
    assert whole.code == code
    assert metrics(report, "pytest") == metrics(whole.report, "pytest")
    assert metrics(report, "coverage") == metrics(whole.report, "coverage")
    assert nodes(report) == nodes(whole.report)
    theirs = json.loads((tmp_path / "reports" / "coverage.json").read_bytes())
    ours = json.loads((tmp_path / "merged" / "coverage.json").read_bytes())
    assert (ours["files"], ours["totals"]) == (theirs["files"], theirs["totals"])
    assert {one["message"] for one in report["stages"][0]["tools"][0]["findings"]} == {
        one["message"] for one in whole.findings("pytest")
    }
    for name in ("coverage", "tests-total", "tests-failed", "tests-skipped", "result", "findings"):
        assert report["outputs"][name] == whole.report["outputs"][name]
    assert {"junit.xml", "coverage.xml", "durations.json"} <= {
        file.name for file in (tmp_path / "merged").iterdir()
    }
    assert "ci-action: failed" in out.splitlines()[-1]
    assert report["commit"] == whole.report["commit"]


def test_the_artifacts_of_jobs_with_several_steps_are_joined(project, environ, kept, monkeypatch, merge):
    folder = project({**FILES, "bad.py": "import os\n"})
    monkeypatch.chdir(folder)
    for part in (1, 2):
        assert main(["run", "quality", "--cache-dir=none"], environ) == 1
        assert main(["run", "test", f"--shard={part}/2", f"--cache-dir={kept}"], environ) == 0
        reports = folder / "ci-action-report"
        assert [file.name for file in sorted(reports.iterdir())] == [".gitignore", "quality", "test"]
        assert not (reports / "quality" / "junit.xml").exists()
        assert (reports / "test" / "junit.xml").is_file()
        hidden = shutil.ignore_patterns(".*")
        shutil.copytree(reports, folder / "shards" / f"job-{part}", ignore=hidden)
        shutil.rmtree(reports)
    code, report, _ = merge()
    assert (code, metrics(report, "pytest")["tests"]) == (0, 5)
    assert [stage["name"] for stage in report["stages"]] == ["test"]


def test_a_run_leaves_nothing_of_an_earlier_one(project, environ, kept, monkeypatch, capsys):
    folder = project(FILES)
    monkeypatch.chdir(folder)
    assert main(["run", "test", "--report-dir=out", f"--cache-dir={kept}"], environ) == 0
    (folder / "out" / "mine.txt").write_text("")
    assert main(["run", "pr", "--report-dir=out"], environ) == 0
    found = {file.name for file in (folder / "out").iterdir()}
    assert found == {
        ".gitignore", "mine.txt", "report.html", "report.json", "summary.md", "ci-action.sarif",
    }  # fmt: skip


def test_minimum_coverage_applies_to_all_shards_together(sharded, merge):
    _, codes = sharded(FILES, 2, "--coverage-min=85")
    assert codes == [0, 0]
    code, report, _ = merge()
    assert code == 1
    [finding] = report["stages"][0]["tools"][1]["findings"]
    assert "the minimum is 85 % (coverage-min of the shards)" in finding["message"]
    assert merge("--coverage-min=80")[0] == 1
    assert merge("--coverage-min=50")[0] == 0


def test_the_minimum_of_the_project_holds(sharded, merge):
    files = {**FILES, "pyproject.toml": PYPROJECT.replace("50", "99")}
    assert sharded(files, 2)[1] == [0, 0]
    code, report, _ = merge()
    assert code == 1
    assert "99" in report["stages"][0]["tools"][1]["findings"][0]["message"]


def test_the_stage_of_the_action(sharded, merge):
    sharded(FILES, 2)
    code, report, _ = merge(env={"STAGE": "merge", "PATHS": "shards"})
    assert (code, report["conclusion"]) == (0, "passed")
    code, report, out = merge(env={"STAGE": "merge", "PATHS": "shards/shard-1", "COVERAGE-MIN": "1"})
    assert (code, report) == (2, {})
    assert "error: shard 2/2 is missing" in out
    assert "1 mistake in the report folders of the shards" in out


def test_a_shard_without_tests(sharded, merge):
    files = {**FILES, "tests/test_a.py": "import pkg\ndef test_it():\n    assert pkg.even_0(0)\n"}
    _, codes = sharded(files, 2)
    assert sorted(codes) == [0, 2]
    code, report, _ = merge("--coverage-min=1")
    assert (code, metrics(report, "pytest")["tests"]) == (0, 1)


def test_a_shard_that_broke(sharded, merge):
    files = {**FILES, "tests/test_z.py": "import os\ndef test_z():\n    os._exit(0)\n"}
    _, codes = sharded(files, 2)
    assert codes == [0, 3]
    code, report, _ = merge()
    assert (code, report["conclusion"]) == (3, "broken")
    assert "shard 2/2 is broken: pytest: the interpreter exited during the tests" in report["reasons"][0]


def test_a_module_that_cannot_be_collected_is_reported_once(sharded, merge):
    files = {**FILES, "tests/test_b.py": "import nothing_like_it\n"}
    _, codes = sharded(files, 2)
    assert codes == [1, 1]
    code, report, _ = merge()
    assert code == 1
    assert metrics(report, "pytest")["errors"] == 1
    assert [one["rule"] for one in report["stages"][0]["tools"][0]["findings"]] == ["collection"]


def foreign(folder: Path) -> None:
    document = json.loads((folder / "shard-1" / "report.json").read_bytes())
    (folder / "other").mkdir()
    document["settings"]["shard"] = "2/4"
    (folder / "other" / "report.json").write_text(json.dumps(document))
    shutil.copy(folder / "shard-1" / "coverage.json", folder / "other")


REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda folder: shutil.rmtree(folder / "shard-1"), "shard 1/2 is missing"),
    "doubled": (
        lambda folder: shutil.copytree(folder / "shard-1", folder / "again"),
        "duplicate results for shard 1/2",
    ),
    "foreign": (foreign, "numbers of shards differ"),
    "empty": (
        lambda folder: [one.rename(folder.parent / one.name) for one in folder.iterdir()],
        "no report folder",
    ),
    "corrupt": (
        lambda folder: (folder / "shard-2" / "report.json").write_bytes(b"{\x00"),
        "not a report of ci-action",
    ),
    "deep": (
        lambda folder: (folder / "shard-2" / "report.json").write_bytes(b'{"a":' * 1_000_000),
        "not a report of ci-action",
    ),
    "a command": (
        lambda folder: (folder / "shard-2").rename(folder / "\r::error::x\n::set-output name=a::b"),
        "",
    ),
    "no coverage": (
        lambda folder: (folder / "shard-1" / "coverage.json").unlink(),
        "upload the whole report folder",
    ),
}


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> Path:
    """Two report folders, made without running anything."""
    from support.shard_folders import case, covered, write_shard

    folder: Path = tmp_path_factory.mktemp("shards")
    for part in (1, 2):
        write_shard(folder / f"shard-{part}", f"{part}/2", [case(f"t{part}")], covered([part], [3]))
    return folder


@pytest.mark.parametrize("name", REFUSED)
def test_shards_that_cannot_be_joined_are_refused(name, shards, project, merge, monkeypatch):
    folder = project(FILES)
    monkeypatch.chdir(folder)
    shutil.copytree(shards, folder / "shards")
    change, part = REFUSED[name]
    change(folder / "shards")
    code, report, out = merge()
    assert "Traceback" not in out
    assert "\n::" not in out
    assert "\r" not in out
    assert part in out
    assert (code, bool(report)) == ((2, False) if part else (0, True))


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["merge"], "DIR"),
        (["merge", "nowhere"], "no such file or folder"),
        (["merge", ".."], "outside the workspace"),
        (["run", "merge", "test"], "in a separate step"),
        (["merge", ".", "--shard=1/2"], "joins all shards"),
    ],
)
def test_wrong_usage(words, part, project, environ, capsys, monkeypatch):
    monkeypatch.chdir(project(FILES))
    assert main(words, environ) == 2
    assert part in capsys.readouterr().out
