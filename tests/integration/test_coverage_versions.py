"""The figures of coverage are its own, whichever version of it the project has: those of its totals, not of its lines."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.builders import write

from ci_action.engine.test_run.coverage_minimum import patch
from ci_action.model.coverage import Coverage
from ci_action.stages.test.coverage import MEASURE, coverage_of

VERSIONS = ("6.5.0", "7.6.12", "7.10.7", "7.13.0", "7.13.1", "")
MODULE = '''"""The docstring of the module."""
import os  # pragma: no cover


def add(a, b):
    """A docstring."""
    if a > 100:
        return 0
    for i in range(3):
        """No value."""
        try:
            if i == 2:
                break
        except ValueError:
            pass
    while True:
        if a: break
    while b:  # pragma: no branch
        b -= 1
    with open(os.devnull) as f:
        return a + b


def debug():  # pragma: no cover
    """A docstring."""
    return 1


class C:
    """A docstring."""
    x: int
    x = 1
    if x:
        y = lambda: 1

    def __repr__(self):
        """A docstring."""
        return "left out"
'''
FILES = {
    "pkg/__init__.py": MODULE,
    "pkg/empty.py": "",
    "pkg/text.py": '"""Only this."""\n',
    "pkg/left.py": "x = 1\n",
    "pkg/unused.py": "def f():\n    pass\n",
    "main.py": "from pkg import C, add, debug\nimport pkg.text, pkg.left\nadd(1, 2)\ndebug()\nrepr(C())\n",
}
OPTIONS: dict[str, str] = {
    "plain": "[run]\nsource = pkg\n",
    "branches": "[run]\nsource = pkg\nbranch = true\n",
    "lines": "[run]\nsource = pkg\n[report]\nexclude_lines =\n    def __repr__\n    if a > 100\n",
    "also": "[run]\nsource = pkg\nbranch = true\n[report]\nexclude_also =\n    def __repr__\n    if a > 100\n",
    "omit": "[run]\nsource = pkg\nbranch = true\nomit = pkg/left.py\n",
    "relative": "[run]\nsource = .\nbranch = true\nrelative_files = true\ndynamic_context = test_function\n",
    "parallel": "[run]\nsource = .\nbranch = true\nparallel = true\n",
}


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """Return where a version of coverage is: installed once."""
    folder = tmp_path_factory.mktemp("versions")

    def install(version: str) -> Path:
        target = Path(folder, version or "newest")
        if not target.exists():
            name = f"coverage=={version}" if version else "coverage"
            uv = [str(Path(sys.prefix, "bin", "uv")), "pip", "install", "--quiet", "--no-deps", name]
            subprocess.run([*uv, "--target", str(target), "--python", sys.executable], check=True)
        return target

    return install


def measured(folder: Path, library: Path, options: str) -> tuple[Coverage, dict[str, Any], str]:
    """Return what we read, coverage's own totals, and the percent that it prints."""
    write(folder, {**FILES, ".coveragerc": options})
    environ = {"PYTHONPATH": str(library), "PATH": os.environ["PATH"]}

    def run(*words: str) -> str:
        argv = [sys.executable, *words]
        return subprocess.run(
            argv, cwd=folder, env=environ, check=True, capture_output=True, text=True
        ).stdout

    run("-m", "coverage", "run", "main.py")
    known = {"config": "", "path": [], "omit": ["/nowhere/*"]}
    run("-c", MEASURE, "coverage.json", "statements.json", json.dumps(known))
    raw = [Path(folder, name).read_bytes() for name in ("coverage.json", "statements.json")]
    shown = run("-m", "coverage", "report", "--precision=2").splitlines()[-1].split()[-1]
    return coverage_of(raw[0], raw[1], str), json.loads(raw[0])["totals"], shown


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", OPTIONS)
def test_the_figures_are_those_of_coverage(name: str, version: str, installed, tmp_path: Path):
    coverage, totals, shown = measured(tmp_path, installed(version), OPTIONS[name])
    metrics = coverage.metrics
    assert metrics["statements"] == totals["num_statements"]
    assert metrics["covered_lines"] == totals["covered_lines"]
    assert metrics["branches"] == totals.get("num_branches", 0)
    assert metrics["covered_branches"] == totals.get("covered_branches", 0)
    assert metrics["coverage"] == pytest.approx(totals["percent_covered"])
    assert f"{metrics['coverage']:.2f}%" == shown
    # Neither docstrings nor what is excluded are statements of the change.
    every = {path: frozenset(range(1, 60)) for path in coverage.files}
    patched = patch(coverage, every, lambda path: (tmp_path / path).read_text())
    assert (patched.covered, patched.statements) == (metrics["covered_lines"], metrics["statements"])
    docstrings = {"pkg/__init__.py": frozenset({1, 6})}
    assert patch(coverage, docstrings, lambda _: MODULE).statements == 0
