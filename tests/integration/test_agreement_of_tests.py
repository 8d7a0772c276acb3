"""What the test stage counts equals what the project's own command counts in the same environment, on real packages."""

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

PACKAGES = {
    "itsdangerous==2.2.0": ("pytest", "--cov"),
    "iniconfig==2.3.1": ("pytest", "--cov"),
    "pluggy==1.6.0": ("coverage", "run", "-m", "pytest"),
}
_COUNT = re.compile(r"(\d+) (passed|failed|error|skipped|xfailed|xpassed)")


def source(package: str, folder: Path) -> Path:
    """Fetch the source of a package, which has its tests with it."""
    name = package.partition("==")[0]
    argv = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", name, package]
    subprocess.run([*argv, "--dest", str(folder)], check=True, cwd=folder)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder / "source", filter="data")
    return next((folder / "source").iterdir())


@pytest.mark.parametrize("package", PACKAGES)
def test_counts_and_covered_lines_are_those_of_pytest(package, ci_action, tmp_path):
    project = source(package, tmp_path)
    cache = tmp_path / "cache"
    ran = ci_action(project, "run", "test", f"--cache-dir={cache}", "--coverage-min=1")
    [done] = (cache / "environments").glob("*/ci-action.json")
    python = json.loads(done.read_text())["python"]
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COVERAGE", "PYTEST", "PYTHON"))
    }

    def by_itself(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, "-m", *words],
            cwd=project,
            env={**kept, "COVERAGE_FILE": str(tmp_path / "hand.data"), "PY_COLORS": "0"},
            capture_output=True,
            text=True,
            check=False,
        )

    by_hand = by_itself(*PACKAGES[package], "-p", "no:cacheprovider")
    by_itself("coverage", "combine")
    by_itself("coverage", "json", "-o", str(tmp_path / "hand.json"))
    told = [line for line in by_hand.stdout.splitlines() if _COUNT.search(line) and " in " in line]
    assert told, by_hand.stdout[-800:] + by_hand.stderr[-800:]
    counted = {what: int(number) for number, what in _COUNT.findall(told[-1])}
    metrics = ran.tool("pytest")["metrics"]
    assert counted
    assert {name: metrics.get(f"{name}s" if name == "error" else name, 0) for name in counted} == counted
    assert metrics["tests"] == sum(counted.values())
    totals = json.loads((tmp_path / "hand.json").read_text())["totals"]
    figures = ran.tool("coverage")["metrics"]
    assert (figures["covered_lines"], figures["statements"]) == (
        totals["covered_lines"],
        totals["num_statements"],
    )
    assert (figures["covered_branches"], figures["branches"]) == (
        totals.get("covered_branches", 0),
        totals.get("num_branches", 0),
    )
    assert figures["coverage"] == pytest.approx(totals["percent_covered"])
