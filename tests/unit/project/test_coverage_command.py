"""Which command of the project measures its coverage, and when that has to start before pytest."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import layout, write

from ci_action.project.coverage_command import (
    CoverageCommand,
    PytestOptions,
    Starter,
    commands_in,
    coverage_command,
    loaded_early,
    pytest_options,
)

RUN, COV = Starter.COVERAGE, Starter.PYTEST_COV


def command(starter: Starter, **facts: Any) -> CoverageCommand:
    return CoverageCommand(**{"starter": starter, "origin": "", **facts})


COMMANDS: list[tuple[str, CoverageCommand | None]] = [
    ("coverage run -m pytest {posargs:tests}", command(RUN)),
    ("python -m coverage run -m pytest", command(RUN)),
    ('${PREFIX}coverage run -m pytest "$@"', command(RUN)),
    ("just env-run test coverage run -m pytest tests/unit -s", command(RUN)),
    ("    coverage: _CMD=coverage run -m pytest", command(RUN)),
    ("run: coverage run -m py.test -v", command(RUN)),
    ("python \\\n  -W error \\\n  -m coverage run \\\n  -m pytest -p no:x", command(RUN, disabled=("no:x",))),
    ("coverage run --append --source={envsitepackagesdir}/pytest_mock -m pytest t", command(RUN, source=("pytest_mock",))),
    ("coverage run -p --branch --source=a,b --rcfile=c.cfg -m pytest", command(RUN, source=("a", "b"), branch=True, config="c.cfg")),
    ("coverage run --source a --omit 'x/*' -m pytest", command(RUN, source=("a",), options=("--omit=x/*",))),
    ("coverage run --source=$(PKG) --include=${X}/* -m pytest", command(RUN)),
    ('session.run("coverage", "run", "-m", "pytest", *session.posargs)', command(RUN)),
    ('session.run(\n    "coverage",\n    "run",\n    "--branch",\n    "-m",\n    "pytest",\n)', command(RUN, branch=True)),
    ('commands = [["coverage", "run", "-m", "pytest", { replace = "posargs" }]]', command(RUN)),
    ("hatch test --cover -i python=3.10", command(RUN)),
    ("hatch test -c", command(RUN)),
    ("pytest --cov=src/requests tests", command(COV, source=("src/requests",))),
    ("pytest -vv --cov loguru/ --cov-report=", command(COV, source=("loguru/",))),
    ("pytest \\\n --cov a \\\n --cov b --cov-branch", command(COV, source=("a", "b"), branch=True)),
    ("tox -v -- --cov --cov-append --cov-report xml", command(COV)),
    ("pytest --cov={toxinidir}/pkg", command(COV, source=("pkg",))),
    ("pytest --cov=${{ matrix.package }}", command(COV)),
    ("pytest --cov=a --cov=$B", command(COV)),
    ("pytest --cov=a --cov-config=c.toml --cov-fail-under=90.5", command(COV, source=("a",), config="c.toml", fail_under="90.5")),
    ("pytest --cov=a --cov-fail-under=$MIN", command(COV, source=("a",))),
    ('"pytest", "--cov=a", "--cov-report=xml"', command(COV, source=("a",))),
    ('addopts = "--cov=a -q"', command(COV, source=("a",))),
    ("pytest -pno:a -p=no:b -p c --cov x-p no:d", command(COV, source=("x-p",), disabled=("no:a", "no:b"))),
    # None of them measures the tests of pytest.
    ("pytest {posargs} --cov-report xml", None),
    ("# coverage run -m pytest", None),
    ("coverage run -m unittest", None),
    ("coverage run setup.py test", None),
    ("coverage run foo.py; python -m pytest", None),
    ("coverage report -m pytest", None),
    ("mycoverage run -m pytest", None),
    ("coverage run -m pytest_wrapper", None),
    ("hatch test --cover-report", None),
    ("x--cov", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "found"), COMMANDS)
def test_commands(text: str, found: CoverageCommand | None):
    assert next(commands_in(text), None) == found


@given(st.text(), st.sampled_from(["coverage run ", "--cov", "--cov=", "hatch test "]))
def test_any_text_is_read(text: str, middle: str):
    for one in commands_in(text + middle + text):
        for word in (*one.source, *one.options):
            assert not set(word) & set(" \n\0;|&$`'\"")


def test_the_first_file_decides(tmp_path: Path):
    write(tmp_path, {
        "Makefile": "test:\n\tpytest --cov=a\n",
        ".github/workflows/ci.yml": "run: pytest --cov=b --cov-config=none.cfg\n",
        "scripts/test": "pytest\n",
        "scripts/sub/x": "",
    })  # fmt: skip
    place = layout(tmp_path)
    assert coverage_command(place) == command(COV, origin="Makefile", source=("a",))
    write(
        tmp_path,
        {"tox.ini": "[testenv]\ncommands = coverage run --rcfile=cov.cfg -m pytest\n", "cov.cfg": ""},
    )
    assert coverage_command(place) == command(RUN, origin="tox.ini", config="cov.cfg")
    (tmp_path / "tox.ini").unlink()
    (tmp_path / "Makefile").unlink()
    # A configuration that does not exist here is not used.
    assert coverage_command(place) == command(COV, origin=".github/workflows/ci.yml", source=("b",))
    write(tmp_path, {".github/workflows/ci.yml": "run: pytest\n"})
    assert coverage_command(place) is None


@pytest.mark.parametrize(
    "files",
    [
        {"pytest.ini": "[pytest]\naddopts = -n 2 --cov=a\nfilterwarnings =\n    error\n    ignore::a.W\n"},
        {".pytest.ini": "[pytest]\naddopts = -n 2 --cov=a\nfilterwarnings =\n    error\n    ignore::a.W\n"},
        {"tox.ini": "[pytest]\naddopts = -n 2 --cov=a\nfilterwarnings =\n    error\n    ignore::a.W\n"},
        {"setup.cfg": "[tool:pytest]\naddopts = -n 2 --cov=a\nfilterwarnings =\n    error\n    ignore::a.W\n"},
        {"pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-n 2 --cov=a'\nfilterwarnings = ['error', 'ignore::a.W']\n"},
        {"pyproject.toml": "[tool.pytest]\naddopts = ['-n', '2', '--cov=a']\nfilterwarnings = ['error', 'ignore::a.W']\n"},
        {"pytest.toml": "[pytest]\naddopts = ['-n', '2', '--cov=a']\nfilterwarnings = ['error', 'ignore::a.W']\n"},
    ],
    ids=lambda files: next(iter(files)),
)  # fmt: skip
def test_options_of_pytest(tmp_path: Path, files: dict[str, str]):
    write(tmp_path, {**files, "setup.py": "x"})
    found = pytest_options(layout(tmp_path), {"PYTEST_ADDOPTS": "-q"})
    assert found.words == ("-q", "-n", "2", "--cov=a")
    assert [line for line in found.filters if line] == ["error", "ignore::a.W"]
    assert (found.covers, found.spread) == (True, True)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"pytest.ini": "addopts = x\n"},
        {"pyproject.toml": "["},
        {"pyproject.toml": "tool = 1\n"},
        {"pytest.toml": "pytest = 1\n"},
        {"pyproject.toml": "[tool.pytest.ini_options]\naddopts = 1\nfilterwarnings = 2\n"},
        {"pytest.ini": "[pytest]\naddopts = '\n"},
    ],
)
def test_options_that_cannot_be_read_are_none(tmp_path: Path, files: dict[str, str]):
    write(tmp_path, files)
    assert pytest_options(layout(tmp_path), {"PYTEST_ADDOPTS": "'"}) == PytestOptions()


@pytest.mark.parametrize(
    ("words", "spread"),
    [(["-n2"], True), (["--numprocesses=auto"], True), (["--dist", "loadfile"], True), (["-nx"], False), (["--no-x"], False)],
)  # fmt: skip
def test_several_processes(words: list[str], spread: bool):
    assert PytestOptions(tuple(words)).spread is spread


@pytest.mark.parametrize(
    ("options", "early"),
    [
        (PytestOptions(), False),
        (PytestOptions(("-p", "own.testing")), True),
        (PytestOptions(("-pown",)), True),
        (PytestOptions(("-p", "other")), True),
        (PytestOptions(("-p", "no:cov")), False),
        (PytestOptions(("-p", "foreign.testing")), False),
        (PytestOptions(("-p",)), False),
        (PytestOptions(filters=("error", "ignore::own.OwnWarning")), True),
        (PytestOptions(filters=("ignore::DeprecationWarning", "ignore:own:foreign.W")), False),
    ],
)
def test_what_pytest_loads_before_pytest_cov(tmp_path: Path, options: PytestOptions, early: bool):
    write(tmp_path, {"src/own/__init__.py": "", "other.py": ""})
    assert bool(loaded_early(layout(tmp_path), options)) is early


@pytest.mark.parametrize(
    ("files", "pyproject", "early"),
    [
        ({}, {"project": {"entry-points": {"pytest11": {"x": "x"}}}}, True),
        ({}, {"tool": {"poetry": {"plugins": {"pytest11": {"x": "x"}}}}}, True),
        ({"setup.cfg": "[options.entry_points]\npytest11 =\n    x = x\n"}, {}, True),
        ({"setup.py": "setup(entry_points={'pytest11': ['x = x']})"}, {}, True),
        ({"setup.py": "setup()"}, {"project": {"entry-points": {"pytest1": {}}}, "tool": 1}, False),
    ],
)
def test_a_plugin_of_pytest(tmp_path: Path, files: dict[str, str], pyproject: dict[str, Any], early: bool):
    write(tmp_path, files)
    place = layout(tmp_path, pyproject=pyproject)
    assert bool(loaded_early(place, PytestOptions())) is early
