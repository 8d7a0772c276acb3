"""The whole program on one file against what a person would type, Black, then Ruff; and pinned tools against bundled ones."""

import json
import os
import shutil
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.row import BIN, Row, timed

# Each takes a fraction of a second, so the median needs more rounds than the others.
ROUNDS = 15
PINNED_ROUNDS = 3
# Pins that are near the bundled versions: the tools themselves should take the same time.
PINS = ["black==25.12.0", "ruff==0.14.10"]


def small(folder: Path) -> Iterator[Row]:
    """`run quality` on a repository of one file: nothing changed since the last run, and with a cold cache."""
    project, caches = _project(folder / "small", 1), folder / "small-caches"
    env = {**_environ(), "BLACK_CACHE_DIR": str(caches), "HOME": str(caches), "XDG_CACHE_HOME": str(caches)}
    ours = (BIN / "ci-action", "run", "quality", f"--report-dir={folder / 'reports'}")

    def by_hand() -> float:
        took = timed(BIN / "black", "--check", "-q", ".", cwd=project, env=env)
        return took + timed(BIN / "ruff", "check", "-q", ".", cwd=project, env=env)

    for cold in (False, True):
        mine: list[float] = []
        hand: list[float] = []
        by_hand(), timed(*ours, cwd=project, env=env)
        for _ in range(ROUNDS):
            for took, run in ((hand, by_hand), (mine, lambda: timed(*ours, cwd=project, env=env))):
                if cold:
                    shutil.rmtree(caches)
                took.append(run())
        ratio = statistics.median(mine) / statistics.median(hand)
        shown = f"{ratio:.2f} × ({statistics.median(mine):.2f} s / {statistics.median(hand):.2f} s)"
        if cold:
            print(f"        one file with a cold cache: {shown}")
        else:
            yield Row("one file / Black, then Ruff, nothing changed", shown, "≤ 1.50 ×", ratio <= 1.5)


def pinned(folder: Path) -> Iterator[Row]:
    """`run quality` with pinned tools that are kept, against the bundled ones: with kept results, and without any."""
    caches = folder / "pinned-caches"
    env = {**_environ(), "HOME": str(caches), "XDG_CACHE_HOME": str(caches)}
    for files, rounds in ((1, ROUNDS), (300, PINNED_ROUNDS)):
        project = _project(folder / f"pinned{files}", files, PINS)
        argv: list[str | Path] = [BIN / "ci-action", "run", "quality", f"--report-dir={folder / 'reports'}"]
        ways = ([*argv, "--tool-versions=bundled"], argv)
        for way in ways:
            timed(*way, cwd=project, env=env)
        bundled: list[float] = []
        mine: list[float] = []
        for _ in range(rounds):
            for took, way in zip((bundled, mine), ways, strict=True):
                if files > 1:
                    (caches / "ci-action" / "results" / "black.kept").unlink()
                took.append(timed(*way, cwd=project, env=env))
        report = json.loads((folder / "reports" / "report.json").read_text())
        versions = {tool["name"]: tool["version"] for tool in report["stages"][0]["tools"]}
        assert {f"{name}=={versions[name]}" for name in ("black", "ruff")} == {*PINS}, report["warnings"]
        ratio = statistics.median(mine) / statistics.median(bundled)
        shown = f"{ratio:.2f} × ({statistics.median(mine):.2f} s / {statistics.median(bundled):.2f} s)"
        what = "one file" if files == 1 else f"{files} files"
        yield Row(f"pinned tools, {what} / bundled ones", shown, "≤ 1.20 ×", ratio <= 1.2)


def _project(folder: Path, files: int, pins: Sequence[str] = ()) -> Path:
    """Make a repository of formatted files that pins its tools."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "small"\nversion = "1"\nrequires-python = ">=3.11"\n'
        f"[dependency-groups]\nlint = {json.dumps(list(pins))}\n"
    )
    for number in range(files):
        body = f'def f() -> int:\n    """Return one."""\n    return {number}\n'
        (folder / f"a{number}.py").write_text("\n\n".join([body] * (1 if files == 1 else 20)))
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], cwd=folder, check=True)
    return folder


def _environ() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("INPUT_", "GITHUB_", "BLACK_"))
    }
