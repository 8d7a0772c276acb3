"""The types stage with real checkers, in the environments of real projects."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

BAD = "import attrs\n\n\ndef f(x: int) -> str:\n    return x\n"
FILES = {"pkg/__init__.py": "", "pkg/a.py": BAD, "tests/test_a.py": "x: int = 'no'\n"}
PROJECT = "[project]\nname = 'sample'\nversion = '0'\ndependencies = ['attrs']\n"


@pytest.fixture
def stage(standing, ci_action, kept):
    def run(files, *words, **more):
        folder = standing({"pyproject.toml": PROJECT, **FILES, **files})
        ran = ci_action(folder, "run", "types", f"--cache-dir={kept}", *words, **more)
        left = subprocess.run(
            ["git", "status", "--porcelain", "--ignored"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        assert {line[3:].partition("/")[0] for line in left.stdout.splitlines()} <= {
            "pyproject.toml", "pkg", "tests", "ci-action-report", *files,
        }  # fmt: skip
        assert not [*folder.rglob(".mypy_cache")]
        return ran

    return run


def found(ran: Any, tool: str) -> list[tuple[str, str, int]]:
    return [(one["rule"], one["path"], one["line"]) for one in ran.tool(tool)["findings"]]


@pytest.mark.parametrize(
    ("tool", "rule", "table", "files"),
    [
        ("mypy", "return-value", "[tool.mypy]\n", 2),
        ("pyright", "reportReturnType", "[tool.pyright]\ninclude = ['pkg']\n", 2),
        ("ty", "", "[tool.ty.src]\ninclude = ['pkg']\n", 2),
    ],
)
def test_a_configured_checker(stage, tool: str, rule: str, table: str, files: int):
    ran = stage({"pyproject.toml": PROJECT + table})
    assert ran.code == 1
    ((name, path, line),) = found(ran, tool)
    assert (path, line) == ("pkg/a.py", 5)
    assert not rule or name == rule
    assert ran.tool(tool)["examined"]["files"] == files
    others = {"mypy", "pyright", "ty"} - {tool}
    assert {ran.tool(one)["outcome"] for one in others} == {"skipped"}


def test_the_run_of_tox(stage):
    ini = "[testenv:type]\nskip_install = true\ndeps =\n  mypy==1.10.1\n  attrs\ncommands = mypy {posargs:pkg tests}\n"
    ran = stage({"tox.ini": ini})
    assert ran.code == 1
    assert sorted(found(ran, "mypy")) == [
        ("assignment", "tests/test_a.py", 1),
        ("return-value", "pkg/a.py", 5),
    ]
    assert ran.tool("mypy")["version"] == "1.10.1"
    assert ran.tool("environment")["outcome"] == "report"


def test_a_hook_is_apart(stage):
    hook = (
        "repos:\n- repo: https://github.com/pre-commit/mirrors-mypy\n  rev: v1.11.2\n  hooks:\n  - id: mypy\n"
        "    files: ^pkg/\n    args: [--strict]\n"
    )
    ran = stage({".pre-commit-config.yaml": hook})
    # The hook installs nothing else, so the package of the import is missing.
    assert found(ran, "mypy")[0][:2] == ("import-not-found", "pkg/a.py")
    assert ran.tool("mypy")["version"] == "1.11.2"
    assert ran.code == 1


@pytest.mark.parametrize(
    ("words", "code", "result"),
    [((), 2, "empty"), (("--type-checker=none",), 2, "empty"), (("--type-checker=mypy",), 1, "failed")],
)
def test_a_project_without_a_checker(stage, words: tuple[str, ...], code: int, result: str):
    ran = stage({}, *words)
    assert (ran.code, ran.report["conclusion"]) == (code, result)


def test_a_plugin_of_the_project_that_is_missing(stage):
    ran = stage({"pyproject.toml": f"{PROJECT}[tool.mypy]\nplugins = ['nowhere.plugin']\n"})
    assert (ran.code, ran.tool("mypy")["outcome"]) == (3, "broken")
    assert [hint["name"] for hint in ran.tool("mypy")["hints"]] == ["missing-plugin"]


def test_warnings_do_not_fail(stage):
    table = "[tool.pyright]\ninclude = ['pkg']\nreportReturnType = 'warning'\n"
    ran = stage({"pyproject.toml": PROJECT + table})
    assert (ran.code, ran.report["conclusion"]) == (0, "warned")


def test_an_event_with_write_access_starts_no_plugin(stage, tmp_path: Path):
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 1, "head": {"sha": "a" * 40}}}))
    ran = stage(
        {"pyproject.toml": f"{PROJECT}[tool.mypy]\n"},
        env={"GITHUB_EVENT_NAME": "pull_request_target", "GITHUB_EVENT_PATH": str(event)},
    )
    assert ran.code == 3
    assert not ran.tool("mypy")["findings"]
