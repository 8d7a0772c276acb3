"""Which runner makes the environment: tox, nox, Hatch, then the workflows."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import layout, write

from ci_action.project.dependencies.runners import commands, files_of_runners, of_runner, of_workflows

TOX = {"tox.ini": "[testenv]\ncommands = pytest\ndeps = pytest\n"}
NOX = {
    "noxfile.py": "@nox.session\ndef tests(session):\n    session.install('pytest')\n    session.run('pytest')\n"
}
HATCH = {"pyproject.toml": "[tool.hatch.envs.default]\ndependencies = ['pytest']\n"}
JOB = """
jobs:
  lint:
    steps:
      - run: pip install ruff && ruff check
  test:
    steps:
      - uses: actions/checkout@v7
      - run: |
          py -m pip3 install --upgrade \\
            pytest hypothesis
          pip install -e ".[test]"
      - if: matrix.free
        run: pip install pytest-run-parallel
      - run: pip install "${{ matrix.django }}" $MORE six
      - run: pytest -x
"""
WORKFLOW = {".github/workflows/ci.yml": JOB}


def of(folder: Path, files: dict[str, str]):
    write(folder, files)
    return of_runner(layout(folder, pyproject=tomllib.loads(files.get("pyproject.toml", ""))), "3.12")


@pytest.mark.parametrize(
    ("files", "source"),
    [
        ({**TOX, **NOX, **HATCH, **WORKFLOW}, "tox.ini [testenv]"),
        ({**NOX, **HATCH, **WORKFLOW}, "noxfile.py: session tests"),
        ({**HATCH, **WORKFLOW}, "pyproject.toml: Hatch environment default"),
        (WORKFLOW, ".github/workflows/ci.yml: job test"),
        ({"tox.ini": "[testenv]\ncommands = python -m unittest\n", **NOX}, "noxfile.py: session tests"),
        ({}, None),
    ],
)
def test_the_order(files: dict[str, str], source: str | None, tmp_path: Path):
    found = of(tmp_path, files)
    assert (found.source if found else None) == source
    assert {tmp_path / name for name in files if name != "pyproject.toml"} <= {
        *files_of_runners(layout(tmp_path))
    }


def test_a_job_of_a_workflow(tmp_path: Path):
    found = of(tmp_path, WORKFLOW)
    assert found is not None
    assert (found.requirements, found.extras) == (("pytest", "hypothesis", "six"), ("test",))


@pytest.mark.parametrize(
    ("root", "text", "there"),
    [
        ("", JOB, True),
        ("back", JOB, False),
        ("back", JOB.replace("jobs:", "defaults:\n  run:\n    working-directory: ./back/\njobs:"), True),
        ("", JOB.replace("pytest -x", "pip install pytest"), False),
        ("", JOB.replace("pytest -x", "cd tests; python -m pytest"), True),
        ("", "jobs: [", False),
        ("", "{}", False),
    ],
)
def test_only_a_job_that_runs_pytest_here_counts(root: str, text: str, there: bool, tmp_path: Path):
    write(tmp_path, {".github/workflows/ci.yml": text, "back/x": ""})
    assert (of_workflows(layout(tmp_path, root=tmp_path / root)) is not None) is there


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("a b && c | d; e", [["a", "b"], ["c"], ["d"], ["e"]]),
        ("a \\\n b # no\n", [["a", "b"]]),
        ("a ${{ x.y }} '$B' `id` c", [["a", None, None, None, "c"]]),
        ("a 'b\nc'", []),
    ],
)
def test_commands_of_a_script(script: str, expected: list[list[str | None]]):
    assert list(commands(script)) == expected


@given(st.text(max_size=100))
def test_any_script_is_read(script: str):
    assert all(words for words in commands(script))


@pytest.mark.parametrize(
    ("text", "requirements", "extras", "name"),
    [
        ("[tool.hatch.envs.default]\ndependencies = ['pytest', 'six']\n", ("pytest", "six"), (), "default"),
        ("[tool.hatch.envs.default]\nfeatures = ['x']\n[tool.hatch.envs.test]\ndependencies = ['pytest']\n", ("pytest",), ("x",), "test"),
        ("[tool.hatch.envs.a]\ndependencies = ['six']\nscripts.run = ['pytest {args}']\n", ("six",), (), "a"),
        ("[tool.hatch.envs.a]\ntemplate = 'b'\nscripts.run = 'pytest'\n[tool.hatch.envs.b]\ndependencies = ['six']\n", ("six",), (), "a"),
        ("[tool.hatch.envs.hatch-test]\nextra-dependencies = ['six']\nfeatures = ['x']\n", ("pytest", "pytest-mock", "six"), ("x",), "hatch-test"),
    ],
)  # fmt: skip
def test_environments_of_hatch(
    text: str, requirements: tuple[str, ...], extras: tuple[str, ...], name: str, tmp_path: Path
):
    found = of(tmp_path, {"pyproject.toml": text})
    assert found is not None
    assert (found.requirements, found.extras) == (requirements, extras)
    assert found.source.endswith(f" {name}")


def test_what_hatch_starts_pytest_with(tmp_path: Path):
    text = "[tool.hatch.envs.test.scripts]\nrun = 'pytest {args:tests}'\nall = ['pytest \"', 3]\n"
    found = of(tmp_path, {"pyproject.toml": text, "tests/x": ""})
    assert found is not None
    assert found.tests == ("tests",)


def test_variables_of_hatch(tmp_path: Path):
    text = "[tool.hatch.envs.test]\ndependencies = ['pytest']\nenv-vars = {A = '1', B = 2, HOME = 'x'}\n"
    found = of(tmp_path, {"pyproject.toml": text})
    assert found is not None
    assert found.variables == (("A", "1"),)


@pytest.mark.parametrize("text", ["[tool.hatch]\nenvs = 3\n", "[tool.hatch.envs]\na = 3\n", "[tool.hatch.envs.a]\ndependencies = 3\ntemplate = 4\n"])  # fmt: skip
def test_environments_of_another_shape_say_nothing(text: str, tmp_path: Path):
    assert of(tmp_path, {"pyproject.toml": text}) is None
