"""The security stage against the three tools in a row, and bandit in several processes against `bandit -r`."""

import json
import os
import shutil
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.row import BIN, ROUNDS, Row, fetched, timed
from support.advisory_service import served

# The package that the quality stage is measured on, and one with more than a thousand files.
PACKAGE = "celery==5.5.3"
LARGE = "django==5.2.8"
FILES = 1_000
DEPENDENCIES = [
    "flask",
    "pydantic",
    "requests",
    "sqlalchemy",
    "rich",
    "pyyaml",
    "jinja2",
    "attrs",
    "httpx",
    "pytest",
]


def security(folder: Path) -> Iterator[Row]:
    """`ci-action run security` against pip-audit, detect-secrets and bandit by hand, cold and with nothing changed."""
    project = fetched(PACKAGE, folder / "scanned")
    env = _environ(folder)
    (project / "pyproject.toml").write_text(
        f"[project]\nname = 'x'\nversion = '0'\nrequires-python = '>=3.11'\ndependencies = {json.dumps(DEPENDENCIES)}\n"
    )
    subprocess.run([str(BIN / "uv"), "lock", "--quiet"], cwd=project, env=env, check=True)
    listed = folder / "listed.txt"
    subprocess.run(
        [str(BIN / "uv"), "export", "--locked", "--no-hashes", "--no-emit-project", "--quiet", "-o", str(listed)],
        cwd=project, env=env, check=True, capture_output=True,
    )  # fmt: skip
    _tracked(project, env)
    rows, cold, warm = [], [], []
    with served() as service:
        ours = [*_ours(folder), f"--advisory-url={service.address}"]
        audit: list[str | Path] = [
            BIN / "pip-audit", f"--requirement={listed}", "--no-deps", "--disable-pip", "--format=json",
            "--vulnerability-service=osv", f"--osv-url={service.address}/v1/query", "--progress-spinner=off",
        ]  # fmt: skip
        for _ in range(ROUNDS):
            by_hand = (
                timed(*audit, cwd=project, env=env),
                timed(BIN / "detect-secrets", "scan", "-n", cwd=project, env=env),
                timed(BIN / "bandit", "-r", ".", "-q", "-f", "json", cwd=project, env=env),
            )
            rows.append(sum(by_hand))
            shutil.rmtree(folder / "kept", ignore_errors=True)
            cold.append(timed(*ours, cwd=project, env=env))
            _looked(folder)
            warm.append(timed(*ours, cwd=project, env=env))
            _looked(folder)
        again = [_unlocked(ours, project, folder, env) for _ in range(ROUNDS)]
    yield _ratio("security / pip-audit, detect-secrets -n and bandit -r in a row", cold, rows, 0.6)
    yield _ratio("security again with nothing changed / the first time", warm, cold, 0.25)
    first, second = (list(column) for column in zip(*again, strict=True))
    yield _ratio("the same without a lock file", second, first, 0.25)


def _unlocked(
    ours: list[str | Path], project: Path, folder: Path, env: dict[str, str]
) -> tuple[float, float]:
    """Return the seconds of a first run and of a second one, for which uv has to resolve the dependencies."""
    # The requirements files of the package name repositories: what they lead to is resolved in every run.
    for name in ("uv.lock", "setup.py", "setup.cfg", "requirements"):
        place = project / name
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
    shutil.rmtree(folder / "kept", ignore_errors=True)
    took = []
    for _ in range(2):
        took.append(timed(*ours, cwd=project, env=env))
        assert _looked(folder)["pip-audit"]
    return took[0], took[1]


def bandit(folder: Path) -> Iterator[Row]:
    """The bandit part of the stage on a thousand files, with all else answered from kept results."""
    source = fetched(LARGE, folder / "large")
    project = folder / "thousand"
    files = sorted(source.rglob("*.py"))[:FILES]
    assert len(files) == FILES, f"{LARGE} has only {len(files)} files"
    for file in files:
        target = project / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    env = _environ(folder)
    _tracked(project, env)
    ours = _ours(folder)
    timed(*ours, cwd=project, env=env)
    alone, parts = [], []
    for _ in range(ROUNDS):
        alone.append(timed(BIN / "bandit", "-r", ".", "-q", "-f", "json", cwd=project, env=env))
        (folder / "kept" / "results" / "bandit.kept").unlink()
        timed(*ours, cwd=project, env=env)
        parts.append(_looked(folder)["bandit"])
    factor = statistics.median(one / part for one, part in zip(alone, parts, strict=True))
    shown = f"{factor:.2f} × ({statistics.median(alone):.2f} s / {statistics.median(parts):.2f} s)"
    yield Row(f"bandit -r / bandit in the stage, {FILES:,} files", shown, "≥ 1.60 ×", factor >= 1.6)


def _ratio(what: str, mine: list[float], theirs: list[float], most: float) -> Row:
    ratio = statistics.median(one / other for one, other in zip(mine, theirs, strict=True))
    shown = f"{ratio:.2f} × ({statistics.median(mine):.2f} s / {statistics.median(theirs):.2f} s)"
    return Row(what, shown, f"≤ {most:.2f} ×", ratio <= most)


def _looked(folder: Path) -> dict[str, float]:
    """Return the seconds of every tool of the last run, all of which have to have looked."""
    report = json.loads((folder / "reports" / "report.json").read_text())
    [stage] = report["stages"]
    seconds = {tool["name"]: tool["seconds"] for tool in stage["tools"]}
    assert stage["conclusion"] == "warned", stage["reasons"]
    return seconds


def _ours(folder: Path) -> list[str | Path]:
    return [
        BIN / "ci-action", "run", "security", f"--report-dir={folder / 'reports'}", f"--cache-dir={folder / 'kept'}",
        "--tool-versions=bundled",
    ]  # fmt: skip


def _tracked(project: Path, env: dict[str, str]) -> None:
    for words in (["init", "--quiet"], ["add", "--all", "--force"]):
        subprocess.run(["git", *words], cwd=project, env=env, check=True, capture_output=True)


def _environ(folder: Path) -> dict[str, str]:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("INPUT_", "GITHUB_"))}
    return {**kept, "HOME": str(home)}
