"""Joining the shards of a large run, reports included: what the last job of a matrix waits for."""

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.row import BIN, ROUNDS, Row, timed
from support.shard_folders import case, write_shard

from ci_action.model.coverage import Coverage, FileCoverage

SHARDS = 16
TESTS = 5_000
FILES = 400
LINES = 200


def merge(folder: Path) -> Iterator[Row]:
    """`ci-action merge` of 16 shards with 5,000 tests each, and coverage of 400 files in every one."""
    project = folder / "merge"
    project.mkdir()
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    for part in range(1, SHARDS + 1):
        cases = [case(f"test_{part}_{number}[a-{number}]") for number in range(TESTS)]
        write_shard(project / "shards" / f"shard-{part}", f"{part}/{SHARDS}", cases, _coverage(part))
    argv: list[str | Path] = [BIN / "ci-action", "merge", "shards", "--coverage-min=10"]
    done = subprocess.run(argv, cwd=project, capture_output=True, text=True, check=False)
    if f"{SHARDS * TESTS:,} tests" not in done.stdout or done.returncode:
        sys.exit(f"the shards were not joined: {done.stdout}{done.stderr}")
    took = statistics.median(timed(*argv, cwd=project, env=dict(os.environ)) for _ in range(ROUNDS))
    yield Row(f"merge of {SHARDS} shards of {TESTS:,} tests", f"{took:.2f} s", "≤ 5 s", took <= 5)


def _coverage(part: int) -> Coverage:
    files = {}
    for number in range(FILES):
        path = f"src/package/module_{number}.py"
        executed = frozenset(line for line in range(1, LINES) if line % SHARDS in {part - 1, 0})
        files[path] = FileCoverage(
            path=path, executed=executed, missing=frozenset(range(1, LINES)) - executed
        )
    return Coverage(files=files)
