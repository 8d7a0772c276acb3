"""Capture what squawk prints about statements: `python tests/golden/capture_squawk.py`.

The newest is the bundled one; the oldest supported comes by uv, which needs the network.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from support.builders import context
from support.squawk_runs import CASES, FOLDER, steps

from ci_action.project.programs import Program
from ci_action.stages.migrations.danger import danger
from ci_action.system.errors import ToolError
from ci_action.system.process import Command, Completed

BIN: Final = Path(sys.prefix, "bin")
OLDEST: Final = "2.0.0"


class Recorder:
    """Runs commands and keeps their input and output."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, object]] = {}

    def __call__(self, command: Command) -> Completed:
        done = subprocess.run(command.argv, input=command.stdin, capture_output=True, check=False)
        stdout, stderr = done.stdout.decode(), done.stderr.decode()
        self.runs[command.stdin.decode()] = {
            "stdout": stdout,
            "stderr": stderr,
            "returncode": done.returncode,
        }
        return Completed(returncode=done.returncode, stdout=done.stdout, stderr=stderr, seconds=0.0)


def capture(argv: tuple[str, ...], version: str) -> None:
    """Keep the runs of one version about every case."""
    for case, statements in CASES.items():
        recorder = Recorder()
        with tempfile.TemporaryDirectory() as folder:
            workspace = Path(folder, "project")
            workspace.mkdir()
            ctx = context(workspace, recorder)
            try:
                danger(ctx, Program(argv=argv, version=version), steps(*statements))
            except ToolError as error:
                print(f"{case}, {version}: {error.reason}")
        text = json.dumps(recorder.runs, indent=1, ensure_ascii=False)
        (FOLDER / f"{version}-{case}.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    [version] = subprocess.run(
        [BIN / "squawk", "--version"], capture_output=True, check=True, text=True
    ).stdout.split()[1:]
    capture((str(BIN / "squawk"),), version)
    old = (str(BIN / "uv"), "tool", "run", "--quiet", f"--from=squawk-cli=={OLDEST}", "squawk")
    capture(old, OLDEST)
