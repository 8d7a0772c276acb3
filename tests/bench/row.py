"""What the comparisons share: a row of the table, a clock, a package from the index."""

import os
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.prefix) / "bin"
ROUNDS = 3


@dataclass(frozen=True)
class Row:
    """One comparison: what was measured, what it may be at most, and whether it is."""

    what: str
    measured: str
    target: str
    met: bool


def timed(*argv: str | Path, cwd: Path, env: dict[str, str]) -> float:
    """Run a program and return the seconds that it took."""
    # As installed: what may not write bytecode compiles all that was changed since, every time.
    env = {name: value for name, value in env.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(argv, cwd=cwd, env=env, capture_output=True, check=False)
    return time.perf_counter() - start


def measured(*argv: str | Path, cwd: Path, env: dict[str, str]) -> tuple[float, float]:
    """Run a program and return the seconds that it took, and the peak memory of its largest process in MB."""
    start = time.perf_counter()
    with open(os.devnull, "w") as nowhere:
        child = subprocess.Popen(argv, cwd=cwd, env=env, stdout=nowhere, stderr=nowhere)
        _, _, usage = os.wait4(child.pid, 0)
        child.returncode = 0  # it is waited for already
    return time.perf_counter() - start, usage.ru_maxrss / 1000


def fetched(package: str, folder: Path) -> Path:
    """Fetch the source of a package from the index and unpack it."""
    name = package.partition("==")[0]
    argv = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", name, package]
    subprocess.run([*argv, "--dest", str(folder)], check=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder / "sources", filter="data")
    return next((folder / "sources").iterdir())
