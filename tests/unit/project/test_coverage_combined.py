"""Whether the minimum of a project is that of one run, or of the combined data of several environments."""

from pathlib import Path

import pytest
from support.builders import layout, write

from ci_action.project.coverage_combined import combination

TOX = """[tox]
env_list =
    erase
    py{3.10, 3.11}-{a, b}
    report
[testenv]
commands = coverage run -m pytest
[testenv:erase]
commands = coverage erase
[testenv:report]
depends = py{3.10, 3.11}-{a, b}
commands_pre = - coverage combine
commands = coverage report
[testenv:html]
depends = report
commands = coverage html --fail-under=0
"""
DEPENDS = "py{3.10, 3.11}-{a, b}\ncommands_pre"
JOBS = """jobs:
  tests:
    strategy: {matrix: {python: [1, 2]}}
    steps:
    - run: coverage run -p -m pytest
    - uses: actions/upload-artifact@v4
      with: {name: cov-1}
  report:
    steps:
    - uses: actions/download-artifact@v4
    - run: |
        python -m coverage combine
        python -m coverage report
"""
NOX = """import nox
ALL = ["3.10", "3.11"]
@nox.session(python=ALL)
def tests(session):
    session.run("coverage", "run", "-p", "-m", "pytest")
@nox.session
def cover(session):
    session.run("coverage", "combine")
    session.run("coverage", "report", "--fail-under=100")
"""
TOX_TOML = """env_list = ["3.10", "3.11", "report"]
[env_run_base]
commands = [["coverage", "run", "-m", "pytest"]]
[env.report]
depends = ["3.10", "3.11"]
commands = [["coverage", "combine"], ["coverage", "report"]]
"""
TWO = "[testenv:combine]\ndepends = *-a\ncommands = coverage combine\n[testenv:report]\ndepends = combine\ncommands = coverage report\n"
BASE = "[tox]\nenv_list = 3.{10-12}-a\n[testenv]\ncommands = coverage run -m pytest\n"
ONE = "coverage run --parallel-mode -m pytest\n    coverage combine\n    coverage report\n"

COMBINED: list[tuple[str, dict[str, str], str]] = [
    ("tox", {"tox.ini": TOX}, "tox.ini: testenv:report"),
    ("tox without depends", {"tox.ini": TOX.replace("depends = py", "x = py")}, "tox.ini: testenv:report"),
    ("tox in two", {"tox.ini": BASE + TWO}, "tox.ini: testenv:report"),
    ("tox.toml", {"tox.toml": TOX_TOML}, "tox.toml: report"),
    ("nox", {"noxfile.py": NOX}, "noxfile.py: cover"),
    ("nox, any report", {"noxfile.py": NOX.replace('"report", "--fail-under=100"', "*args")}, "noxfile.py: cover"),
    ("jobs", {".github/workflows/a.yml": JOBS}, ".github/workflows/a.yml: report"),
    ("make", {"tox.ini": BASE, "Makefile": "cov:\n\ttox -p\n\tcoverage combine\n\tcoverage report\n"}, "Makefile: cov"),
    ("script", {"tox.ini": BASE, "scripts/cov": "tox\ncoverage combine\ncoverage xml\n"}, "scripts/cov"),
    # One run, or not known to be several.
    ("nothing", {}, ""),
    ("no report", {"tox.ini": BASE}, ""),
    ("one environment", {"tox.ini": f"[tox]\nenv_list = py310, py311\n[testenv]\ncommands =\n    {ONE}"}, ""),
    ("one script", {"scripts/test": ONE}, ""),
    ("one target", {"Makefile": "test:\n\tcoverage run -p -m pytest\n\tcoverage combine\n\tcoverage report\n"}, ""),
    ("target after one", {"Makefile": "t:\n\tcoverage run -p -m pytest\nc: t\n\tcoverage combine\n\tcoverage report\n"}, ""),
    ("make, one of tox", {"tox.ini": BASE, "Makefile": "c:\n\ttox -e 3.10-a\n\tcoverage combine\n\tcoverage report\n"}, ""),
    ("make, tox of one", {"tox.ini": BASE.replace("{10-12}", "10"), "Makefile": "c:\n\ttox\n\tcoverage combine\n\tcoverage report\n"}, ""),
    ("depends on one", {"tox.ini": TOX.replace(DEPENDS, "erase, py3.10-a\ncommands_pre")}, ""),
    ("tox of one", {"tox.ini": (BASE + TWO).replace("{10-12}", "10")}, ""),
    ("combined after", {"tox.ini": TOX.replace("- coverage combine", "coverage report")}, ""),
    ("order", {"noxfile.py": NOX.replace('"combine"', '"xml"').replace('"report"', '"combine"')}, ""),
    ("each is reported too", {"tox.ini": TOX.replace("pytest", "pytest\n    coverage report")}, ""),
    ("one is reported elsewhere", {"tox.ini": TOX, "Makefile": "c:\n\tcoverage run -m pytest\n\tcoverage xml\n"}, ""),
    ("a minimum of zero elsewhere", {"tox.ini": TOX, "Makefile": "c:\n\tcoverage html --fail-under 0\n"}, "tox.ini: testenv:report"),
    ("0.5 is a minimum", {"tox.ini": TOX, "Makefile": "c:\n\tcoverage html --fail-under=0.5\n"}, ""),
    ("pytest-cov judges each", {"tox.ini": TOX, "Makefile": "c:\n\tpytest --cov\n"}, ""),
    ("so does Hatch", {"tox.ini": TOX, "Makefile": "c:\n\thatch test --cover\n"}, ""),
    ("unreadable", {"tox.ini": TOX, ".github/workflows/a.yml": "{"}, ""),
    ("unreadable too", {"tox.ini": TOX, "noxfile.py": "("}, ""),
    ("one session", {"noxfile.py": NOX.replace(', "3.11"', "")}, ""),
    ("a job without a matrix", {".github/workflows/a.yml": JOBS.replace("[1, 2]", "[1]")}, ""),
    ("something else is uploaded", {".github/workflows/a.yml": JOBS.replace("cov-1", "wheels")}, ""),
    ("nothing is downloaded", {".github/workflows/a.yml": JOBS.replace("download", "x")}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("files", "place"), [one[1:] for one in COMBINED], ids=[one[0] for one in COMBINED])
def test_whose_data_is_reported(tmp_path: Path, files: dict[str, str], place: str):
    write(tmp_path, files)
    assert combination(layout(tmp_path)) == place
