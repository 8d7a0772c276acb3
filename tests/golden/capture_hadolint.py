"""Capture what the bundled hadolint prints about Dockerfiles: `python tests/golden/capture_hadolint.py`."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from support.builders import context, write
from support.hadolint_runs import CASES, FOLDER, Case

from ci_action.project.programs import Program
from ci_action.stages.docker.hadolint import check
from ci_action.system.process import Command, Completed

HADOLINT: Final = Path(sys.prefix, "bin", "hadolint")


def captured(case: Case) -> dict[str, object]:
    """Return how hadolint ends for a case, started as by the tool."""
    kept: dict[str, object] = {}

    def run(command: Command) -> Completed:
        done = subprocess.run(
            command.argv, input=command.stdin, env={**command.environ}, capture_output=True, check=False
        )
        stdout, stderr = done.stdout.decode(), done.stderr.decode().replace(folder, "/tmp")
        kept.update(stdout=stdout, stderr=stderr, returncode=done.returncode)
        return Completed(returncode=done.returncode, stdout=done.stdout, stderr=stderr, seconds=0.0)

    with tempfile.TemporaryDirectory() as folder:
        workspace = write(Path(folder, "w"), {"Dockerfile": case.source, ".hadolint.yaml": case.config})
        check(context(workspace, run), Program(argv=(str(HADOLINT),), version=""))
    return kept


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    [version] = subprocess.run(
        [HADOLINT, "--version"], capture_output=True, check=True, text=True
    ).stdout.split()[-1:]
    for name, case in CASES.items():
        text = json.dumps(captured(case), indent=1, ensure_ascii=False)
        (FOLDER / f"{version}-{name}.json").write_text(text + "\n", "utf-8")
