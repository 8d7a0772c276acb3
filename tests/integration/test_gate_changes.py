"""Changes that make the checks less strict, in real repositories and whole runs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.repositories import commit, git

CODE = "def f():\n    return 1\n"
TESTS = "def test_a():\n    assert True\n\n\ndef test_b():\n    assert True\n"
BASE: dict[str | bytes, str | bytes] = {
    "a.py": CODE,
    "test_a.py": TESTS,
    "Dockerfile": "FROM debian:13\n",
    "pyproject.toml": "[tool.ruff]\nline-length = 100\n\n[tool.ci-action]\ncoverage-min = 90\nfail-on = 'low'\n",
    ".coveragerc": "[report]\nfail_under = 90\n",
    ".secrets.baseline": json.dumps({"version": "1.5.0", "results": {}}),
    ".github/workflows/ci.yml": "jobs:\n  a:\n    steps:\n      - uses: org/ci-action@v1\n        with:\n"
    "          gate-changes: fail\n",
}
TABLE = str(BASE["pyproject.toml"])
# Each change with its finding: rule, file, line.
CHANGES: dict[str, tuple[Mapping[str | bytes, str | bytes | None], tuple[str, str, int | None]]] = {
    "lower-minimum": ({"pyproject.toml": TABLE.replace("90", "80")}, ("lower-minimum", "pyproject.toml", 5)),
    "fail_under": ({".coveragerc": "[report]\n"}, ("lower-minimum", ".coveragerc", 1)),
    "added-ignore": (
        {"pyproject.toml": TABLE.replace("100\n", '100\nextend-exclude = ["gen"]\n')},
        ("added-ignore", "pyproject.toml", 3),
    ),
    "narrower-paths": (
        {"pyproject.toml": f'{TABLE}paths = ["a.py"]\n'},
        ("narrower-paths", "pyproject.toml", 7),
    ),
    "softer-fail-on": (
        {"pyproject.toml": TABLE.replace("low", "high")},
        ("softer-fail-on", "pyproject.toml", 6),
    ),
    "gate-changes": (
        {".github/workflows/ci.yml": str(BASE[".github/workflows/ci.yml"]).replace("fail", "off")},
        ("softer-fail-on", ".github/workflows/ci.yml", 6),
    ),
    "larger-baseline": (
        {
            ".secrets.baseline": json.dumps(
                {"version": "1.5.0", "results": {"a.py": [{"type": "x", "hashed_secret": "y"}]}}
            )
        },
        ("larger-baseline", ".secrets.baseline", None),
    ),
    "added-suppression": (
        {"a.py": "def f():\n    return 1  # pragma: no cover\n"},
        ("added-suppression", "a.py", 2),
    ),
    "in a Dockerfile": (
        {"Dockerfile": "# hadolint ignore=DL3006\nFROM debian\n"},
        ("added-suppression", "Dockerfile", 1),
    ),
    "of hadolint": (
        {".hadolint.yaml": "override:\n  info: [DL3006]\n"},
        ("added-ignore", ".hadolint.yaml", 2),
    ),
    "removed-test": ({"test_a.py": "def test_a():\n    assert True\n"}, ("removed-test", "test_a.py", 2)),
    "a file of tests": ({"test_a.py": None}, ("removed-test", "test_a.py", None)),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a repository whose branch has left origin/main."""
    git(tmp_path, "init", "--quiet", "-b", "main", str(tmp_path / "project"))
    found = tmp_path / "project"
    git(found, "update-ref", "refs/remotes/origin/main", commit(found, BASE))
    return found


def change(folder: Path, files: Mapping[str | bytes, str | bytes | None]) -> None:
    for name in [name for name, content in files.items() if content is None]:
        (folder / str(name)).unlink()
    commit(folder, {name: content for name, content in files.items() if content is not None})


def found(ran: Any) -> list[tuple[str, str, int | None]]:
    return [(one["rule"], one["path"], one["line"]) for one in ran.findings("gate-changes")]


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_change_loosens(name: str, folder: Path, ci_action: Any):
    files, expected = CHANGES[name]
    change(folder, files)
    ran = ci_action(folder, "quality")
    assert found(ran) == [expected]
    assert (ran.code, ran.report["conclusion"]) == (0, "warned")
    assert "This change makes the checks less strict in 1 place" in ran.out
    summary = Path(ran.report["outputs"]["summary-file"]).read_text()
    assert summary.index("less strict") < summary.index("<th>Stage</th>")


@pytest.mark.parametrize("name", CHANGES)
def test_the_way_back_is_silent(name: str, folder: Path, ci_action: Any):
    change(folder, CHANGES[name][0])
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    commit(folder, BASE)
    ran = ci_action(folder, "quality")
    assert found(ran) == []
    assert (ran.code, ran.report["conclusion"]) == (0, "passed")


@pytest.mark.parametrize(
    ("mode", "code", "conclusion"), [("warn", 0, "warned"), ("fail", 1, "failed"), ("off", 0, "passed")]
)
@pytest.mark.parametrize("stage", ["quality", "security"])
def test_what_it_weighs(stage: str, mode: str, code: int, conclusion: str, folder: Path, ci_action: Any):
    change(folder, {"a.py": "def f():\n    return 1  # pragma: no cover\n"})
    ran = ci_action(folder, "run", stage, f"--gate-changes={mode}", "--fail-on=never")
    assert (ran.code, ran.report["conclusion"]) == (code, conclusion)
    tools = [[tool["name"] for tool in one["tools"]] for one in ran.report["stages"]]
    assert ("gate-changes" in tools[0]) is (mode != "off")


def test_it_looks_once_in_the_first_stage(folder: Path, ci_action: Any):
    change(folder, {"a.py": "def f():\n    return 1  # pragma: no cover\n"})
    ran = ci_action(folder, "run", "security", "quality")
    tools = [(one["name"], tool["name"]) for one in ran.report["stages"] for tool in one["tools"]]
    assert [one for one in tools if one[1] == "gate-changes"] == [("quality", "gate-changes")]
    plan = ci_action(folder, "plan", "security")
    assert "gate-changes" in plan.out


@pytest.mark.parametrize("mode", ["warn", "fail"])
def test_without_a_base_it_is_skipped_and_adds_nothing(mode: str, folder: Path, ci_action: Any):
    git(folder, "update-ref", "-d", "refs/remotes/origin/main")
    ran = ci_action(folder, "quality", f"--gate-changes={mode}")
    assert (ran.code, ran.report["conclusion"]) == (0, "passed")
    assert ran.tool("gate-changes")["outcome"] == "skipped"


def test_a_stage_with_nothing_to_check_stays_empty(folder: Path, ci_action: Any):
    change(folder, {"a.py": None, "test_a.py": None, "pyproject.toml": "[tool.ci-action]\n"})
    ran = ci_action(folder, "quality")
    assert len(found(ran)) == 3
    assert (ran.code, ran.report["conclusion"]) == (2, "empty")


def test_a_change_cannot_ignore_what_is_found_in_it(folder: Path, ci_action: Any):
    table = TABLE.replace("90", "10") + "ignore = ['gate-changes', '*']\n"
    change(folder, {"pyproject.toml": table})
    ran = ci_action(folder, "quality", "--gate-changes=fail")
    assert ran.code == 1
    assert [(one["rule"], bool(one["muted"])) for one in ran.findings("gate-changes")] == [
        ("lower-minimum", False),
        ("added-ignore", False),
    ]
    ran = ci_action(folder, "quality", "--gate-changes=fail", "--ignore=gate-changes")
    assert (ran.code, ran.report["conclusion"]) == (0, "passed")


def test_hostile_files_are_only_text(folder: Path, ci_action: Any):
    change(
        folder,
        {
            "pyproject.toml": TABLE.replace("90", "80"),
            "b\n::error::.py": CODE,
            "c.py": "x = " + "(" * 9000,
            "d.py": b"\xff\n",
        },
    )
    (folder / "setup.cfg").symlink_to("/proc/1/environ")
    (folder / "tox.ini").symlink_to("/dev/zero")
    (folder / ".bandit").symlink_to(".bandit")
    ran = ci_action(folder, "run", "pr", "--gate-changes=fail")
    assert ran.code == 1
    assert ("lower-minimum", "pyproject.toml", 5) in found(ran)
