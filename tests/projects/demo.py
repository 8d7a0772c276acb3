"""`make demo`: the quality and the security stage on copies of two samples, as a user would run them in a terminal.

No network is needed: advisories come from a small service on this machine, which has a few real ones. Exit code 0
exactly when both samples gave the exit code 1 that they are made for, and no planted secret is in what was written.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

EXPECTED: Final = 1
PROJECTS: Final = Path(__file__).resolve().parent
REPOSITORY: Final = PROJECTS.parents[1]
REPORTS: Final = REPOSITORY / "ci-action-report" / "demo"
sys.path[:0] = [str(PROJECTS.parent), str(PROJECTS)]

from support.advisory_service import served  # noqa: E402 - found by the line above
from plant import plant  # noqa: E402 - found by the line above


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="ci-action-demo-") as folder, served() as service:
        harbour, beacon = copied("messy", Path(folder, "harbour")), copied("exposed", Path(folder, "beacon"))
        values = plant(beacon)
        subprocess.run(["git", "-C", str(beacon), "add", "."], check=True)
        codes = [run(harbour, "quality"), run(beacon, "security", f"--advisory-url={service.address}")]
    print("report files, to open:")
    files = sorted(file for file in REPORTS.glob("*/[!.]*") if file.is_file())
    for file in files:
        print(f"  {os.path.relpath(file)}")
    told = [file for file in files if any(value in file.read_text("utf-8") for value in values)]
    if told:
        print(f"demo: a planted secret is in {', '.join(map(str, told))}", file=sys.stderr)
        return 1
    if codes == [EXPECTED, EXPECTED]:
        print(f"demo: as expected, since the samples are wrong on purpose (exit code {EXPECTED}: something was found)")
        return 0
    print(f"demo: exit code {EXPECTED} was expected of both samples", file=sys.stderr)
    return 1


def copied(sample: str, project: Path) -> Path:
    ignored = shutil.ignore_patterns(".*_cache", "ci-action-report", ".venv")
    shutil.copytree(PROJECTS / sample, project, ignore=ignored)
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    return project


def run(project: Path, stage: str, *words: str) -> int:
    reports = REPORTS / stage
    shutil.rmtree(reports, ignore_errors=True)
    command: Sequence[str] = ["ci-action", "run", stage, *words, f"--report-dir={reports}", "--cache-dir=none"]
    print(f"$ {shlex.join(command)}", flush=True)
    program = Path(sys.executable).parent / "ci-action"
    done = subprocess.run(command, executable=program, cwd=project, env=environment(), check=False)
    print(f"\nexit code: {done.returncode}\n")
    return done.returncode


def environment() -> dict[str, str]:
    """Return our variables without those of a workflow, which would make the run a step of it."""
    ours = ("GITHUB_", "INPUT_", "RUNNER_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


if __name__ == "__main__":
    raise SystemExit(main())
