"""Coverage is measured as the project's own commands do, and never fails a suite that passes without it."""

import json
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest

PYPROJECT = "[project]\nname = 'sample'\nversion = '0'\nrequires-python = '>=3.9'\n"
OK = "def test_ok():\n    assert True\n"
PACKAGE = {"pkg/__init__.py": "def add(a, b):\n    if a > 100:\n        return 0\n    return a + b\n"}
COVERED = "from pkg import add\ndef test_add():\n    assert add(1, 2) == 3\n"


@pytest.fixture
def stage(standing, ci_action, kept):
    def run(files, *words, **more):
        folder = standing({"pyproject.toml": PYPROJECT, **files})
        return ci_action(folder, "run", "test", f"--cache-dir={kept}", *words, **more)

    return run


@pytest.fixture
def by_hand(standing, kept):
    """Run a command of the project in the environment of the last run; return the totals of coverage."""

    def run(*words: str) -> dict[str, Any]:
        folder = standing({})
        done = max((kept / "environments").glob("*/ci-action.json"), key=lambda file: file.stat().st_mtime)
        python = json.loads(done.read_text())["python"]
        for argv in (words, ("coverage", "combine"), ("coverage", "json", "-o", f"{kept}/hand.json")):
            subprocess.run([python, "-m", *argv], cwd=folder, check=False, capture_output=True)
        totals: dict[str, Any] = json.loads((kept / "hand.json").read_text())["totals"]
        (kept / "hand.json").unlink()
        return totals

    return run


def figures(ran: Any) -> tuple[float, ...]:
    metrics = ran.tool("coverage")["metrics"]
    return tuple(metrics[name] for name in ("statements", "covered_lines", "branches", "covered_branches"))


def of_totals(totals: dict[str, Any]) -> tuple[float, ...]:
    names = ("num_statements", "covered_lines", "num_branches", "covered_branches")
    return tuple(totals.get(name, 0) for name in names)


def rules(ran: Any) -> list[tuple[str, str]]:
    return [(one["rule"], one["level"]) for one in ran.findings("coverage")]


OTHER = {"pkg/other.py": "x = 1\n"}
COMMANDS = {
    "coverage run": (
        {"tox.ini": "[testenv]\ncommands = coverage run --branch --source={envsitepackagesdir}/pkg -m pytest\n"},
        ("coverage", "run", "--branch", "--source=pkg", "-m", "pytest"),
    ),
    "in parts": (
        {
            "tox.ini": "[testenv]\ncommands =\n    coverage run -m \\\n      pytest {posargs}\n",
            ".coveragerc": "[run]\nparallel = true\nsource = pkg\ndata_file = some/where/data\nrelative_files = true\n",
            "some/where/x": "",
        },
        ("coverage", "run", "-m", "pytest"),
    ),
    "pytest-cov": (
        {"Makefile": "test:\n\tpytest --cov=pkg --cov-branch\n"},
        ("pytest", "--cov=pkg", "--cov-branch"),
    ),
    "addopts": ({"pytest.ini": "[pytest]\naddopts = --cov=pkg --cov-report=html\n"}, ("pytest",)),
    "configuration": ({".coveragerc": "[run]\nbranch = true\nsource_pkgs = pkg\n"}, ("pytest", "--cov")),
    "a script in a subprocess": (
        {
            "Makefile": "test:\n\tcoverage run -m pytest\n",
            ".coveragerc": "[run]\nsource = pkg\npatch = subprocess\n",
            "test_b.py": "import subprocess, sys\n"
            "def test_b(): subprocess.run([sys.executable, '-c', 'import pkg.other'], check=True)\n",
        },
        ("coverage", "run", "-m", "pytest"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_the_figures_are_those_of_the_projects_own_command(name, stage, by_hand, standing):
    files, words = COMMANDS[name]
    ran = stage({**PACKAGE, **OTHER, "test_a.py": COVERED, **files})
    assert ran.code == 0, ran.out
    left = {str(path.relative_to(standing({}))) for path in standing({}).rglob("*") if path.is_file()}
    assert {one for one in left if ".git/" not in one} == {
        "pyproject.toml", "test_a.py", *PACKAGE, *OTHER, *files,
    }  # fmt: skip
    assert figures(ran) == of_totals(by_hand(*words))
    assert ran.tool("coverage")["version_source"]


MINIMUM = "[run]\nsource = pkg\n[report]\nfail_under = 90\n"
BASE = "[tox]\nenv_list = py{310,311}, report\n[testenv]\ncommands = coverage run -m pytest\n"
REPORT = "[testenv:report]\ndepends = py{310,311}\ncommands =\n    coverage combine\n    coverage report\n"


@pytest.mark.parametrize(
    ("tox", "words", "code", "level"),
    [
        (BASE + REPORT, (), 0, "warning"),
        (BASE + REPORT, ("--coverage-min=90",), 1, "error"),
        (BASE + REPORT.replace("py{310,311}", "py310"), (), 1, "error"),
        (BASE + "    coverage combine\n    coverage report\n", (), 1, "error"),
    ],
    ids=["several environments", "our minimum", "one environment", "each environment"],
)
def test_a_minimum_of_several_environments_only_warns(tox, words, code, level, stage):
    ran = stage({**PACKAGE, "test_a.py": COVERED, ".coveragerc": MINIMUM, "tox.ini": tox}, *words)
    assert ran.code == code, ran.out
    assert rules(ran) == [("coverage-min", level)]


PLUGIN = {
    "src/pytest_sample.py": "import pytest\ndef helper():\n    return 1\n@pytest.fixture\ndef one():\n    return helper()\n",
    "test_a.py": "def test_a(one): assert one == 1\n",
    ".coveragerc": "[run]\nsource_pkgs = pytest_sample\n",
}
BUILD = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[tool.hatch.build]
packages = ["src/pytest_sample.py"]
dev-mode-dirs = ["src"]
[project.entry-points.pytest11]
sample = "pytest_sample"
"""


def test_a_plugin_of_pytest_is_measured_from_the_start(stage):
    files = {**PLUGIN, "pyproject.toml": PYPROJECT + BUILD}
    ran = stage(files)
    assert (ran.code, ran.report["conclusion"]) == (0, "passed"), ran.out
    assert ran.report["outputs"]["coverage"] == "100.00"
    # Its own command starts later.
    ran = stage({**files, "Makefile": "test:\n\tpytest --cov\n"})
    assert ran.code == 0
    assert ran.tool("coverage")["metrics"]["coverage"] < 100


PLUGIN_MISSING = {".coveragerc": "[run]\nplugins = no_such_plugin\n"}


@pytest.mark.parametrize("own", [{}, {"tox.ini": "[testenv]\ncommands = coverage run -m pytest\n"}])
def test_a_suite_that_cannot_start_with_coverage_runs_without_it(own, stage):
    files = {**PACKAGE, **PLUGIN_MISSING, **own, "test_a.py": COVERED}
    ran = stage(files)
    assert (ran.code, ran.report["conclusion"]) == (0, "warned"), ran.out
    assert rules(ran) == [("not-measured", "warning")]
    assert "no_such_plugin" in ran.findings("coverage")[0]["message"]
    assert ran.tool("pytest")["metrics"]["passed"] == 1
    assert stage(files, "--coverage-min=1").code == 3
    config = {".coveragerc": PLUGIN_MISSING[".coveragerc"] + "[report]\nfail_under = 1\n"}
    assert stage({**files, **config}).code == 3


WARNED = {
    "module-not-imported": ({".coveragerc": "[run]\nsource_pkgs = pkg, ghost\n"}, ""),
    "couldnt-parse": ({"pkg/old.py": "print 'two'\n", ".coveragerc": "[run]\nsource = pkg\n"}, "pkg/old.py"),
}


@pytest.mark.parametrize("rule", WARNED)
def test_the_warnings_of_coverage_are_findings(rule, stage):
    files, path = WARNED[rule]
    ran = stage({**PACKAGE, "test_a.py": COVERED, **files})
    assert (ran.code, ran.report["conclusion"]) == (0, "warned"), ran.out
    found = [(one["rule"], one["level"], one["path"]) for one in ran.findings("coverage")]
    assert found == [(rule, "warning", path)]


def test_no_data_at_all_is_said_and_only_a_minimum_makes_it_red(stage):
    files = {".coveragerc": "[run]\nsource_pkgs = ghost\n", "test_a.py": OK}
    ran = stage(files)
    assert (ran.code, ran.report["conclusion"]) == (0, "warned"), ran.out
    assert {rule for rule, _ in rules(ran)} == {"not-measured", "module-not-imported", "no-data-collected"}
    assert stage(files, "--patch-coverage-min=1").code == 3


TRACED = "import sys\ndef test_traced(): assert sys.gettrace() is None\ndef test_red(): assert 0\n" + OK


def test_a_test_that_fails_only_because_it_is_measured_passed(stage):
    ran = stage({"test_a.py": TRACED.replace("def test_red(): assert 0\n", "")})
    assert (ran.code, ran.tool("pytest")["metrics"]["passed"]) == (0, 2), ran.out
    assert any("test_traced" in one for one in ran.report["warnings"])
    ran = stage({"test_a.py": TRACED})
    assert [one["message"].partition(":")[0] for one in ran.findings("pytest")] == ["test_a.py"]
    assert "test_red" in ran.findings("pytest")[0]["message"]
    assert ran.code == 1
    # Where the project measures coverage itself, its own command is red as well.
    assert len(stage({"test_a.py": TRACED, "Makefile": "test:\n\tpytest --cov\n"}).findings("pytest")) == 2


COUNTED = """
import os

def test_counted(tmp_path_factory):
    file = os.path.join(os.path.dirname(__file__), "count")
    count = (int(open(file).read()) if os.path.exists(file) else 0) + 1
    with open(file, "w") as stream:
        stream.write(str(count))
    assert {condition}
"""


@pytest.mark.parametrize("condition", ["count > 1", "count % 2 == 0", "count in (2, 3)"])
def test_what_a_test_leaves_behind_does_not_make_it_pass(condition, stage):
    ran = stage({"test_a.py": COUNTED.format(condition=condition) + OK})
    assert (ran.code, ran.tool("pytest")["metrics"]["failed"]) == (1, 1), ran.out


INNER = """
    import os, pathlib, subprocess, sys
    from pkg import add

    def test_inner(tmp_path):
        assert not {"COVERAGE_FILE", "NO_COLOR", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH"} & set(os.environ)
        (tmp_path / "t.py").write_text("def test_x(): pass\\n")
        words = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "t.py"]
        subprocess.run(words, cwd=tmp_path, check=True)
        assert {".coverage", "__pycache__"} <= {one.name for one in tmp_path.iterdir()}
        assert add(1, 2) == 3

    def test_cache(request):
        request.config.cache.set("a/b", 1)

    def test_compiled():
        assert pathlib.Path("pkg/__pycache__").is_dir()
"""


@pytest.mark.parametrize("own", [{}, {"Makefile": "test:\n\tcoverage run -m pytest\n"}])
def test_the_tests_see_nothing_of_our_measuring(own, stage, standing):
    ran = stage({
        **PACKAGE, **own, "test_a.py": textwrap.dedent(INNER), ".coveragerc": "[run]\nsource = pkg\n",
        "pytest.ini": "[pytest]\naddopts = --ff\n",
    })  # fmt: skip
    assert (ran.code, ran.report["conclusion"]) == (0, "passed"), ran.out
    assert figures(ran)[:2] == (4, 3)
    assert not [path for path in standing({}).rglob("*cache*") if ".git" not in path.parts]


NOISY = """
    import warnings

    def test_a():
        for _ in range(3):
            warnings.warn("the old way", DeprecationWarning)

    def test_b():
        warnings.warn("once")
"""


def test_the_warnings_of_pytest_are_listed(stage, tmp_path: Path):
    ran = stage({"test_a.py": textwrap.dedent(NOISY)})
    assert (ran.code, ran.report["conclusion"]) == (0, "passed")
    listed = ran.tool("pytest")["test_warnings"]
    assert {(one["category"], one["message"], one["path"], one["line"]) for one in listed} == {
        ("DeprecationWarning", "the old way", "test_a.py", 6),
        ("UserWarning", "once", "test_a.py", 9),
    }
    assert ran.tool("pytest")["metrics"]["test_warnings"] == sum(one["number"] for one in listed)
    assert "the old way" in ran.out
    assert "the old way" in next(tmp_path.rglob("summary.md")).read_text()
    assert (
        stage({"test_a.py": textwrap.dedent(NOISY), "pytest.ini": "[pytest]\nfilterwarnings = error\n"}).code
        == 1
    )
