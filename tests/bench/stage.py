"""The test stage against what a person would type: the tests themselves, and making their environment."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.row import BIN, ROUNDS, Row, fetched, timed

# A real package with tests that take seconds and a configuration of coverage of its own.
PACKAGE = "click==8.2.1"
DEPENDENCIES = ["flask", "pydantic", "requests", "sqlalchemy", "rich", "pyyaml", "jinja2", "attrs"]


def tests(folder: Path) -> Iterator[Row]:
    """`ci-action run test` against `pytest --cov` in the same environment, which both find made."""
    project = fetched(PACKAGE, folder / "tested")
    env = _environ(folder)
    ours = _ours(folder, folder / "kept")
    timed(*ours, cwd=project, env=env)
    python = _python(folder / "kept")
    by_hand: list[str | Path] = [python, "-m", "pytest", "--cov", "-q", "-p", "no:cacheprovider"]
    pairs = []
    for _ in range(ROUNDS):
        hand = timed(*by_hand, cwd=project, env={**env, "COVERAGE_FILE": str(folder / "data")})
        pairs.append((timed(*ours, cwd=project, env=env), hand))
    more = statistics.median(mine - 1.03 * hand for mine, hand in pairs)
    mine, hand = (statistics.median(column) for column in zip(*pairs, strict=True))
    yield Row(
        "test stage - 1.03 × pytest --cov",
        f"{more:+.2f} s ({mine:.2f} s / {hand:.2f} s)",
        "≤ +0.50 s",
        more <= 0.5,
    )


def environments(folder: Path) -> Iterator[Row]:
    """An environment from a lock file against pip, both without any cache; and once more with nothing changed."""
    project = folder / "locked"
    project.mkdir()
    listed = json.dumps([*DEPENDENCIES, "pytest", "pytest-cov"])
    text = f"[project]\nname = 'x'\nversion = '0'\nrequires-python = '>=3.11'\ndependencies = {listed}\n"
    (project / "pyproject.toml").write_text(text)
    (project / "test_x.py").write_text("def test_x(): pass\n")
    env = _environ(folder)
    subprocess.run([str(BIN / "uv"), "lock", "--quiet"], cwd=project, env=env, check=True)
    export: list[str | Path] = [
        BIN / "uv",
        "export",
        "--locked",
        "--no-hashes",
        "--no-emit-project",
        "--quiet",
        "-o",
        "all.txt",
    ]
    subprocess.run(export, cwd=project, env=env, check=True, capture_output=True)
    pip, cold, warm = [], [], []
    for number in range(ROUNDS):
        where = folder / f"venv{number}"
        first = timed(sys.executable, "-m", "venv", where, cwd=project, env=env)
        words = ["-m", "pip", "install", "-q", "--no-cache-dir", "-r", "all.txt"]
        pip.append(first + timed(where / "bin" / "python", *words, cwd=project, env=env))
        (project / "all.txt").rename(folder / "all.txt")
        kept = folder / f"kept{number}"
        cold.append(_seconds(folder, project, kept, env))
        warm.append(_seconds(folder, project, kept, env))
        (folder / "all.txt").rename(project / "all.txt")
    ratio = statistics.median(mine / theirs for mine, theirs in zip(cold, pip, strict=True))
    again = statistics.median(mine / theirs for mine, theirs in zip(warm, pip, strict=True))
    middle = statistics.median
    shown = f"{ratio:.2f} × ({middle(cold):.2f} s / {middle(pip):.2f} s)"
    yield Row("environment from a lock / venv and pip install, cold", shown, "≤ 0.30 ×", ratio <= 0.3)
    yield Row("the same once more with nothing changed", f"{again:.3f} ×", "≤ 0.10 ×", again <= 0.1)


def _seconds(folder: Path, project: Path, kept: Path, env: dict[str, str]) -> float:
    """Return what the environment took in a run of the stage."""
    timed(*_ours(folder, kept), cwd=project, env=env)
    report = json.loads((folder / "reports" / "report.json").read_text())
    assert report["conclusion"] == "passed", report["reasons"]
    return float(
        next(tool["seconds"] for tool in report["stages"][0]["tools"] if tool["name"] == "environment")
    )


def _ours(folder: Path, kept: Path) -> list[str | Path]:
    return [BIN / "ci-action", "run", "test", f"--report-dir={folder / 'reports'}", f"--cache-dir={kept}"]


def _python(kept: Path) -> Path:
    [done] = (kept / "environments").glob("*/ci-action.json")
    return Path(json.loads(done.read_text())["python"])


def _environ(folder: Path) -> dict[str, str]:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    shutil.rmtree(folder / "reports", ignore_errors=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("INPUT_", "GITHUB_"))}
    return {**kept, "HOME": str(home)}
