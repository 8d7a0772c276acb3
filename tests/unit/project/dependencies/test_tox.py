"""The environment of tox that runs pytest, and what it installs."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import layout, write

from ci_action.project.dependencies.tox import chosen, of_tox
from ci_action.project.tox import of_ini

BASE = "[tox]\nenvlist = py{311,312},lint\n[testenv]\ndeps = pytest\ncommands = pytest\n"
BASE += "[testenv:lint]\ncommands = ruff\n"


@pytest.mark.parametrize(
    ("ini", "python", "name"),
    [
        (BASE, "3.12", "py312"),
        (BASE, "3.14", "py312"),
        (BASE, "", "py311"),
        ("[testenv]\ncommands = pytest\n[testenv:diff]\ndeps = x\n", "3.12", "py"),
        ("[tox]\nenv_list = lint, tests\n[testenv:lint]\ncommands = ruff\n[testenv:tests]\ncommands = python -m pytest\n", "3.12", "tests"),
        ("[tox]\nenvlist = py312-{main,dj5}\n[testenv]\ncommands = pytest\n", "3.12", "py312-dj5"),
        ("[tox]\nenvlist = pypy3,3.9\n[testenv]\ncommands = py.test\n", "3.12", "3.9"),
        ("[testenv]\ncommands = make test\ndeps = pytest\n", "3.12", "py"),
        ("[testenv]\ncommands = python -m unittest\n", "3.12", None),
        ("[testenv]\ncommands = cat pytest.ini\ndeps = pytest-of-mine/x\n", "3.12", None),
    ],
)  # fmt: skip
def test_which_environment_runs_pytest(ini: str, python: str, name: str | None):
    assert chosen(of_ini(ini, "tox.ini", "/p"), python) == name


def asked(folder: Path, files: dict[str, str], python: str = "3.12"):
    write(folder, files)
    document = tomllib.loads(files.get("pyproject.toml", ""))
    found = of_tox(layout(folder, pyproject=document), python)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("deps", "requirements"),
    [
        ("pytest", ("pytest",)),
        ("\n  pytest >= 8  # ours\n  # no\n  six", ("pytest >= 8", "six")),
        ("\n  pytest\n  py: a\n  py312: b\n  py38,py39: c", ("pytest", "a", "b")),
        ("\n  pytest\n  !py312: a\n  py312-django: b\n  py{311,312}: c", ("pytest", "c")),
        ("\n  pytest\n  {[shared]deps}", ("pytest", "six", "attrs")),
        ("\n  pytest\n  {env:EXTRA:pluggy}\n  {posargs}", ("pytest", "pluggy")),
        ("\n  pytest\n  {[loop]deps}", ("pytest",)),
    ],
)
def test_dependencies(deps: str, requirements: tuple[str, ...], tmp_path: Path):
    more = "[shared]\ndeps = six\n  attrs\n[loop]\ndeps = {[loop]deps}\n"
    text = f"[testenv]\ncommands = pytest\ndeps = {deps}\n{more}"
    assert asked(tmp_path, {"tox.ini": text}).requirements == requirements


FILES = {"requirements/test.txt": "pytest\n", "limits.txt": ""}


@pytest.mark.parametrize(
    "deps", ["-r{toxinidir}/requirements/test.txt", "-r requirements/test.txt", "--requirement={tox_root}{/}requirements/test.txt"]
)  # fmt: skip
def test_requirements_files_and_limits(deps: str, tmp_path: Path):
    text = f"[testenv]\ncommands = pytest\ndeps = {deps}\n  -c limits.txt\n"
    found = asked(tmp_path, {**FILES, "tox.ini": text})
    assert (found.files, found.constraints) == (("requirements/test.txt",), ("limits.txt",))


def test_extras_and_groups(tmp_path: Path):
    text = "[tox]\nenvlist = py312-unit\n[testenv]\ncommands = pytest\nextras =\n  a, b\n  unit: c\n  docs: d\ndependency_groups = dev\n"
    found = asked(tmp_path, {"tox.ini": text})
    assert (found.extras, found.groups) == (("a", "b", "c"), ("dev",))


def test_variables_of_the_tests(tmp_path: Path):
    text = (
        "[testenv]\ncommands = pytest\ndeps = pytest\nsetenv =\n  A = 1\n  py38: B=2\n  py: C = x=y\n"
        "  PYTHONPATH = {env:PYTHONPATH}{:}{toxinidir}/src\n  D = {envdir}\n  PATH = /evil\n  COVERAGE_FILE = x\n  E;F = 1\n"
    )
    found = asked(tmp_path, {"tox.ini": text})
    assert dict(found.variables) == {"A": "1", "C": "x=y", "PYTHONPATH": f":{tmp_path}/src"}


@pytest.mark.parametrize(
    ("commands", "tests"),
    [
        ("pytest {posargs:tests/}", ("tests",)),
        ("python -m pytest -n 4 --cov src tests a.py::test_x", ("tests",)),
        ("coverage run -m pytest {posargs} a.py", ("a.py",)),
        ("pytest -k tests", ()),
        ("pytest . tests", ()),
        ("pytest ../out absent {envdir}/tests", ()),
        ("ruff check src\n  pytest tests\n  pytest a.py", ("tests", "a.py")),
    ],
)
def test_what_pytest_is_started_with(commands: str, tests: tuple[str, ...], tmp_path: Path):
    files = {"p/tests/x": "", "p/src/x": "", "p/a.py": "", "out/x": ""}
    write(tmp_path, files)
    text = f"[testenv]\ndeps = pytest\ncommands =\n  {commands}\n"
    assert asked(tmp_path / "p", {"tox.ini": text}).tests == tests


def test_variables_in_toml(tmp_path: Path):
    text = TOML.replace("extras =", "set_env = { A = '1', B = { replace = 'env' } }\nextras =")
    assert asked(tmp_path, {**FILES, "tox.toml": text}).variables == (("A", "1"),)


def test_an_environment_inherits_and_replaces(tmp_path: Path):
    text = "[tox]\nenvlist = t\n[testenv]\ndeps = base\n[own]\n[testenv:a]\ndeps = pytest\n[testenv:t]\nbase = a\ncommands = pytest\n"
    found = asked(tmp_path, {"tox.ini": text})
    assert (found.requirements, found.source) == (("pytest",), "tox.ini [testenv:t]")


TOML = """
env_list = ["lint", "3.12"]
[env_run_base]
deps = ["pytest", "-r limits.txt"]
extras = ["a"]
dependency_groups = ["tests"]
commands = [["python", "-m", "pytest", { replace = "posargs" }]]
[env.lint]
commands = [["ruff", "check"]]
[env.other]
deps = [{ replace = "ref", of = ["env_run_base", "deps"], extend = true }]
"""


@pytest.mark.parametrize(
    ("files", "source"),
    [
        ({"tox.ini": "[testenv]\ncommands = pytest\ndeps = pytest\n"}, "tox.ini [testenv]"),
        ({"setup.cfg": "[tox:tox]\n[testenv]\ncommands = pytest\ndeps = pytest\n"}, "setup.cfg [testenv]"),
        ({"tox.toml": TOML}, "tox.toml [env_run_base]"),
        ({"pyproject.toml": TOML.replace("[env", "[tool.tox.env").replace("env_list", "tool.tox.env_list")}, "pyproject.toml [testenv]"),
        ({"pyproject.toml": "[tool.tox]\nlegacy_tox_ini = '''\n[testenv]\ncommands = pytest\ndeps = pytest\n'''\n"}, "pyproject.toml legacy_tox_ini [testenv]"),
    ],
)  # fmt: skip
def test_every_file_of_tox(files: dict[str, str], source: str, tmp_path: Path):
    found = asked(tmp_path, {**FILES, **files})
    assert "pytest" in found.requirements
    assert found.source.partition(" ")[0] == source.partition(" ")[0]


@pytest.mark.parametrize("text", ["[testenv\n", "\0", "no section\n", "[testenv]\nx\n"])
def test_what_is_no_configuration_says_nothing(text: str, tmp_path: Path):
    write(tmp_path, {"tox.ini": text})
    assert of_tox(layout(tmp_path), "3.12") is None


@given(st.text(alphabet="{}[]:=-,!# \nabtestenvdps1", max_size=120))
def test_any_configuration_is_read_or_refused(text: str):
    try:
        conf = of_ini(f"[testenv]\n{text}", "tox.ini", "/p")
    except ValueError:
        return
    chosen(conf, "3.12")
