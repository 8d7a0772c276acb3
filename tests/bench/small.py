"""The whole program on one file against what a person would type: Black, then Ruff."""

import os
import shutil
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.row import BIN, Row, timed

# Each takes a fraction of a second, so the median needs more rounds than the others.
ROUNDS = 15


def small(folder: Path) -> Iterator[Row]:
    """`run quality` on a repository of one file: nothing changed since the last run, and with a cold cache."""
    project, caches = folder / "small", folder / "small-caches"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        '[project]\nname = "small"\nversion = "1"\nrequires-python = ">=3.11"\n'
    )
    (project / "a.py").write_text('def f() -> int:\n    """Return one."""\n    return 1\n')
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], cwd=project, check=True)
    base = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("INPUT_", "GITHUB_", "BLACK_"))
    }
    env = {**base, "BLACK_CACHE_DIR": str(caches), "HOME": str(caches), "XDG_CACHE_HOME": str(caches)}
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
