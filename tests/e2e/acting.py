"""What workflows in nektos/act need: the tool, the action as a consumer names it, a consumer's repository."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from e2e import projects
from e2e.image import REPOSITORY

TOOLS: Final = Path(os.environ.get("CI_ACTION_TOOLS_DIR") or REPOSITORY.parent / "shared" / "tools").resolve()
ACTION: Final = "org/ci-action@v1"
CHECKOUT: Final = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
UPLOAD: Final = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"


def tool(name: str) -> Path:
    """Return a script that brings in what cannot be downloaded here."""
    script = TOOLS / name
    assert (
        script.is_file()
    ), f"there is no {script}: set CI_ACTION_TOOLS_DIR, or leave out tests/e2e/test_act*"
    return script


def act(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run a workflow of a folder; return the exit code and the log without colours."""
    done = subprocess.run(
        [tool("act-run"), *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
        check=False,
    )
    return done.returncode, re.sub(r"\x1b\[[0-9;]*m", "", done.stdout.decode("utf-8", "replace"))


def consumer(folder: Path, files: Mapping[str, str], workflow: str) -> Path:
    """Make a repository that uses the action."""
    projects.write(folder, {**files, ".github/workflows/quality.yml": workflow})
    return folder
