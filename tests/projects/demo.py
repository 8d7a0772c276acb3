"""`make demo`: run the quality stage on a copy of the messy sample, as a user would in a terminal.

Exit code 0 exactly when the sample gave the exit code 1 that it is made for.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

EXPECTED: Final = 1
SAMPLE: Final = Path(__file__).resolve().parent / "messy"
REPOSITORY: Final = SAMPLE.parents[2]
REPORTS: Final = REPOSITORY / "ci-action-report" / "demo"


def main() -> int:
    program = Path(sys.executable).parent / "ci-action"
    with tempfile.TemporaryDirectory(prefix="ci-action-demo-") as folder:
        project = Path(folder, "harbour")
        shutil.copytree(SAMPLE, project, ignore=shutil.ignore_patterns(".*_cache", "ci-action-report"))
        subprocess.run(["git", "init", "--quiet", str(project)], check=True)
        command = ["ci-action", "run", "quality", f"--report-dir={REPORTS}", "--cache-dir=none"]
        print(f"$ {shlex.join(command)}", flush=True)
        done = subprocess.run(command, executable=program, cwd=project, env=environment(), check=False)
    code = done.returncode
    print()
    print(f"exit code: {code}")
    print("report files, to open:")
    for file in sorted(REPORTS.glob("[!.]*")):
        print(f"  {os.path.relpath(file)}")
    if code == EXPECTED:
        print(f"demo: as expected, since the sample is messy on purpose (exit code {EXPECTED}: something was found)")
        return 0
    print(f"demo: exit code {EXPECTED} was expected of the messy sample", file=sys.stderr)
    return 1


def environment() -> dict[str, str]:
    """Return our variables without those of a workflow, which would make the run a step of it."""
    ours = ("GITHUB_", "INPUT_", "RUNNER_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


if __name__ == "__main__":
    raise SystemExit(main())
