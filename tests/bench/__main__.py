"""Compare ci-action with the bare tools, side by side: `make bench`. Exits 1 where a target is missed."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.docker import docker
from bench.merge import merge
from bench.migrations import migrations
from bench.pull import pull
from bench.row import BIN, ROUNDS, Row, fetched, measured, timed
from bench.security import LARGE, bandit, security
from bench.small import pinned, small
from bench.stage import environments, tests

# A real package of over 200 files of Python, the same one for everybody.
PACKAGE = "celery==5.5.3"
HERE = Path(__file__).parent

# What the projects name does not matter here: both tools are compared with both.
BOTH = ("--formatter=black", "--linter=ruff")


def main() -> int:
    """Run every comparison and print the table."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="ci-action-bench-") as folder:
        for part in (
            quality,
            version,
            small,
            pinned,
            large,
            security,
            bandit,
            pull,
            tests,
            environments,
            migrations,
            docker,
            findings,
            reporters,
            merge,
            image,
        ):
            for row in part(Path(folder)):
                print(
                    f"{'met   ' if row.met else 'MISSED'}  {row.what:<62} {row.measured:<34} target {row.target}",
                    flush=True,
                )
                rows.append(row)
    return 0 if all(row.met for row in rows) else 1


def package(folder: Path) -> Path:
    """Fetch the package that the quality stage is measured on."""
    project = fetched(PACKAGE, folder)
    files = len(list(project.rglob("*.py")))
    print(
        f"package {PACKAGE}: {files} files of Python, {os.cpu_count()} processors, median of {ROUNDS} rounds, in turn"
    )
    assert files >= 200, "the package is too small to compare anything"
    return project


def quality(folder: Path) -> Iterator[Row]:
    """The quality stage against `black --check` then `ruff check`, cold and with nothing changed."""
    project = package(folder)
    base = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("INPUT_", "GITHUB_", "BLACK_"))
    }
    caches = folder / "caches"

    def fresh() -> dict[str, str]:
        shutil.rmtree(caches, ignore_errors=True)
        caches.mkdir()
        return {
            **base,
            "BLACK_CACHE_DIR": str(caches / "black"),
            "XDG_CONFIG_HOME": str(caches),
            "HOME": str(caches),
        }

    ours: list[str | Path] = [
        BIN / "ci-action",
        "run",
        "quality",
        f"--report-dir={folder / 'reports'}",
        f"--cache-dir={caches / 'ours'}",
    ]
    ours += ["--tool-versions=bundled", *BOTH]
    black, ruff, cold, warm = [], [], [], []
    for _ in range(ROUNDS):
        env = fresh()
        black.append(timed(BIN / "black", "--check", "-q", ".", cwd=project, env=env))
        ruff.append(timed(BIN / "ruff", "check", "-q", "--no-cache", ".", cwd=project, env=env))
        env = fresh()
        cold.append(timed(*ours, cwd=project, env=env))
        warm.append(timed(*ours, cwd=project, env=env))
    row = [one + other for one, other in zip(black, ruff, strict=True)]
    ratio = statistics.median(mine / theirs for mine, theirs in zip(cold, row, strict=True))
    more = statistics.median(
        mine - max(one, other) for mine, one, other in zip(cold, black, ruff, strict=True)
    )
    again = statistics.median(second / first for second, first in zip(warm, cold, strict=True))
    middle = statistics.median
    yield Row(
        "quality / (black --check, then ruff check)",
        f"{ratio:.2f} × ({middle(cold):.2f} s / {middle(row):.2f} s)",
        "≤ 1.00 ×",
        ratio <= 1.0,
    )
    yield Row("quality - the slower of the two", f"{more:+.2f} s", "≤ +0.40 s", more <= 0.4)
    yield Row(
        "quality again with nothing changed / the first time",
        f"{again:.2f} × ({middle(warm):.2f} s / {middle(cold):.2f} s)",
        "≤ 0.25 ×",
        again <= 0.25,
    )


# So many that the time of Black decides.
_LARGE_FILES = 2_000


def large(folder: Path) -> Iterator[Row]:
    """The quality stage on 2,000 files against `black --check` then `ruff check`, cold."""
    source = fetched(LARGE, folder / "larger")
    project = folder / "twothousand"
    files = sorted(source.rglob("*.py"))[:_LARGE_FILES]
    assert len(files) == _LARGE_FILES, f"{LARGE} has only {len(files)} files"
    for file in files:
        target = project / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    (project / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\n'
    )
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    subprocess.run(["git", "add", "--all", "--force"], cwd=project, check=True)
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("INPUT_", "GITHUB_", "BLACK_"))
    }
    ours = (
        BIN / "ci-action",
        "run",
        "quality",
        *BOTH,
        "--cache-dir=none",
        f"--report-dir={folder / 'reports'}",
    )
    hand, mine = [], []
    for _ in range(ROUNDS):
        env["BLACK_CACHE_DIR"] = tempfile.mkdtemp(dir=folder)
        took = timed(BIN / "black", "--check", "-q", ".", cwd=project, env=env)
        hand.append(took + timed(BIN / "ruff", "check", "-q", "--no-cache", ".", cwd=project, env=env))
        mine.append(timed(*ours, "--tool-versions=bundled", cwd=project, env=env))
    ratio = statistics.median(one / other for one, other in zip(mine, hand, strict=True))
    shown = f"{ratio:.2f} × ({statistics.median(mine):.1f} s / {statistics.median(hand):.1f} s)"
    yield Row(f"quality on {_LARGE_FILES:,} files / the two in a row", shown, "≤ 1.00 ×", ratio <= 1.0)


def version(folder: Path) -> Iterator[Row]:
    """How long the program takes to say its version, and to plan."""
    env = dict(os.environ)
    took = statistics.median(timed(BIN / "ci-action", "--version", cwd=folder, env=env) for _ in range(7))
    yield Row("ci-action --version", f"{took:.3f} s", "≤ 0.25 s", took <= 0.25)
    project = next((folder / "sources").iterdir())
    took = statistics.median(
        timed(BIN / "ci-action", "plan", "quality", cwd=project, env=env) for _ in range(3)
    )
    yield Row("ci-action plan", f"{took:.2f} s", "≤ 1 s", took <= 1.0)


# So many findings of real tools: 500 files, each with 195 unused imports and five runs of lines that Black would change.
_FILES = 500
_IMPORTS = 195
_RUNS = 5


def findings(folder: Path) -> Iterator[Row]:
    """The whole program on a project with 100,000 findings, against Black and Ruff by hand in a row; and on half of it."""
    whole, half = (_bad_project(folder / f"bad{count}", count) for count in (_FILES, _FILES // 2))
    env = {name: value for name, value in os.environ.items() if not name.startswith(("INPUT_", "GITHUB_"))}
    env |= {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / "caches")}
    ours = (BIN / "ci-action", "run", "quality", *BOTH, "--cache-dir=none", f"--report-dir={folder / 'many'}")
    more, large, small, peaks = [], [], [], []
    for _ in range(ROUNDS):
        env["BLACK_CACHE_DIR"] = tempfile.mkdtemp(dir=folder)
        bare = timed(BIN / "black", "--check", "--diff", "-q", ".", cwd=whole, env=env)
        rules = "--select=E4,E7,E9,F"
        bare += timed(BIN / "ruff", "check", "-q", "--no-cache", "--isolated", rules, ".", cwd=whole, env=env)
        took, peak = measured(*ours, cwd=whole, env=env)
        more.append(took - bare)
        large.append(took)
        peaks.append(peak)
        small.append(timed(*ours, cwd=half, env=env))
    count = json.loads((folder / "many" / "report.json").read_bytes())["outputs"]["findings"]
    assert int(count) == _FILES // 2 * (_IMPORTS + _RUNS), f"the sample has {count} findings"
    middle = statistics.median
    extra = f"{middle(more):+.2f} s ({middle(large):.2f} s)"
    yield Row("100,000 findings in a whole run - Black, then Ruff", extra, "≤ +5 s", middle(more) <= 5)
    yield Row("its memory", f"{max(peaks):.0f} MB", "≤ 300 MB", max(peaks) <= 300)
    ratio = middle(one / other for one, other in zip(large, small, strict=True))
    yield Row("100,000 findings / 50,000 findings", f"{ratio:.2f} ×", "≤ 2.20 ×", ratio <= 2.2)


def _bad_project(folder: Path, files: int) -> Path:
    imports = "".join(f"import module_{number}\n" for number in range(_IMPORTS))
    runs = "".join(f"\n\ndef call_{number}():\n    return ( {number})\n" for number in range(_RUNS))
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[project]\nname = "bad"\nversion = "1"\n')
    for number in range(files):
        (folder / f"bad_{number}.py").write_text(imports + runs)
    return folder


def reporters(folder: Path) -> Iterator[Row]:
    """Large runs through all reporters, each in a process of its own so that its memory can be told."""
    for kind, count, with_what in (("findings", 100_000, ""), ("tests", 50_000, ", 1,000 files of coverage")):
        argv = [sys.executable, str(HERE / "reporters.py"), str(folder / kind), kind, str(count)]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        took, peak = map(float, done.stdout.split()[-2:])
        yield Row(f"{count:,} {kind}{with_what} through all reporters", f"{took:.2f} s", "≤ 5 s", took <= 5)
        yield Row("their memory, the run included", f"{peak:.0f} MB", "≤ 300 MB", peak <= 300)


def image(_folder: Path) -> Iterator[Row]:
    """The layers of the image that are ours, where a Docker Engine is at hand."""
    from support.container.image import DOCKER, build, layers

    if (
        shutil.which(DOCKER) is None
        or subprocess.run([DOCKER, "info"], capture_output=True, check=False).returncode
    ):
        print("        no Docker Engine here: the layers of the image were not measured")
        return
    found = layers(build())
    for layer in found:
        print(f"        {layer}")
    total = sum(layer.size for layer in found) / 1e6
    yield Row("layers of the image that are ours, unpacked", f"{total:.0f} MB", "≤ 490 MB", total <= 490)


if __name__ == "__main__":
    raise SystemExit(main())
