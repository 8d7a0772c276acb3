"""Which type checkers run, how, and why the others do not."""

from pathlib import Path

import pytest
from support.builders import layout, write

from ci_action.project.evidence import gather
from ci_action.settings.types import TypeChecker
from ci_action.stages.types.chosen import decided

TABLES = "[tool.mypy]\nstrict = true\n[tool.pyright]\nstrict = ['src']\n"
HOOK = "repos:\n- repo: https://github.com/pre-commit/mirrors-mypy\n  rev: v1.11.2\n  hooks:\n  - id: mypy\n"
WORKFLOW = "on: push\njobs:\n  a:\n    steps:\n    - run: pyright src\n"


def decision(
    tmp_path: Path, files: dict[str, str], asked: TypeChecker = TypeChecker.AUTO
) -> dict[str, list[str]]:
    root = write(tmp_path / "project", {"src/x.py": "", "a/x.py": "", "b/x.py": "", **files})
    found = decided(layout(root), asked, gather(layout(root)))
    assert all(one.why for one in found.values())
    return {tool: [" ".join(run.words) for run in one.runs] for tool, one in found.items() if one.runs}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"pyproject.toml": "[tool.mypy]\n"}, {"mypy": [""]}, id="a table"),
        pytest.param({"mypy.ini": "[mypy]\n"}, {"mypy": [""]}, id="mypy.ini"),
        pytest.param({"setup.cfg": "[mypy]\nstrict = 1\n"}, {"mypy": [""]}, id="setup.cfg"),
        pytest.param({"pyrightconfig.json": "{}"}, {"pyright": [""]}, id="pyrightconfig.json"),
        pytest.param({"ty.toml": ""}, {"ty": [""]}, id="ty.toml"),
        pytest.param({"pyproject.toml": "[tool.ty.rules]\nx = 'error'\n"}, {"ty": [""]}, id="a table of ty"),
        pytest.param({"pyproject.toml": TABLES}, {"mypy": [""], "pyright": [""]}, id="two tables"),
        pytest.param(
            {"pyproject.toml": f"[dependency-groups]\ndev = ['mypy']\n{TABLES}"},
            {"mypy": [""]},
            id="two tables, one of them installed: the other is for editors",
        ),
        pytest.param({"pyproject.toml": "[dependency-groups]\ndev = ['mypy']\n"}, {}, id="only installed"),
        pytest.param(
            {"pyproject.toml": TABLES, ".github/workflows/ci.yml": WORKFLOW},
            {"pyright": ["src"]},
            id="what runs stands over what is configured",
        ),
        pytest.param(
            {".pre-commit-config.yaml": HOOK, ".github/workflows/ci.yml": WORKFLOW},
            {"mypy": ["--ignore-missing-imports --scripts-are-modules"], "pyright": ["src"]},
            id="all that run",
        ),
        pytest.param(
            {"tox.ini": "[testenv:t]\ncommands = mypy a\n", "Makefile": "t:\n\tmypy b\n"},
            {"mypy": ["a"]},
            id="tox before make",
        ),
        pytest.param(
            {"tox.ini": "[testenv:t]\ncommands = mypy {envdir}\n", "Makefile": "t:\n\tmypy b\n"},
            {"mypy": ["b"]},
            id="arguments that can be read",
        ),
        pytest.param(
            {"Makefile": "t:\n\tmypy $(shell ls)\n"}, {"mypy": [""]}, id="no arguments that can be read"
        ),
        pytest.param({"Makefile": "t:\n\tpyright --verifytypes x\n"}, {}, id="pyright that checks no files"),
        pytest.param(
            {"pyproject.toml": TABLES, "Makefile": "t:\n\tpyrefly check src\n"}, {}, id="another checker"
        ),
    ],
)
def test_auto(tmp_path: Path, files: dict[str, str], expected: dict[str, list[str]]):
    assert decision(tmp_path, files) == expected


@pytest.mark.parametrize(
    ("files", "offered"),
    [
        pytest.param({}, False, id="nothing shows what the project checks"),
        pytest.param(
            {".github/workflows/ci.yml": WORKFLOW.replace("pyright src", "pytest")}, True, id="other"
        ),
        pytest.param({".github/workflows/ci.yml": WORKFLOW.replace("pyright", "mypy")}, False, id="it runs"),
        pytest.param(
            {".github/workflows/ci.yml": WORKFLOW.replace("run: pyright src", "uses: org/ci-action@v1")},
            False,
            id="ci-action is the check",
        ),
    ],
)
def test_a_checker_that_the_own_checks_leave_out_is_offered(
    tmp_path: Path, files: dict[str, str], offered: bool
):
    root = write(tmp_path, {"src/x.py": "", "pyproject.toml": "[tool.mypy]\n", **files})
    found = decided(layout(root), TypeChecker.AUTO, gather(layout(root)))["mypy"]
    assert found.runs
    assert bool(found.offer) is offered


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (TypeChecker.NONE, {}),
        (TypeChecker.MYPY, {"mypy": [""]}),
        (TypeChecker.PYRIGHT, {"pyright": ["src"]}),
        (TypeChecker.TY, {"ty": [""]}),
    ],
)
def test_a_checker_that_is_asked_for(tmp_path: Path, asked: TypeChecker, expected: dict[str, list[str]]):
    assert decision(tmp_path, {".github/workflows/ci.yml": WORKFLOW}, asked) == expected
