"""What workflows in nektos/act need: the tool, the action as a consumer names it, a consumer's repository."""

import fcntl
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from support.container import projects
from support.paths import PAGES, ROOT

TOOLS: Final = Path(os.environ.get("CI_ACTION_TOOLS_DIR") or ROOT.parent / "shared" / "tools").resolve()
ACTION: Final = "org/ci-action@v1"
CHECKOUT: Final = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
DOWNLOAD: Final = "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"
UPLOAD: Final = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"


def tool(name: str) -> Path:
    """Return a script that provides what cannot be downloaded here."""
    script = TOOLS / name
    assert script.is_file(), f"{script} not found: set CI_ACTION_TOOLS_DIR, or deselect tests/e2e/test_act*"
    return script


def act(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run a workflow of a folder; return the exit code and the log without colours."""
    with _alone():
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


@contextmanager
def _alone() -> Iterator[None]:
    """Wait for runs of other checkouts on this machine: act uses the same name for all images."""
    with open(Path(tempfile.gettempdir(), "ci-action-act.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def recipe(word: str) -> str:
    """Return the workflow of the README or of docs/ that holds a word."""
    (found,) = (
        block
        for page in PAGES
        for block in re.findall(r"^```yaml\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        if word in block
    )
    return str(found)


def consumer(folder: Path, files: Mapping[str, str], workflow: str) -> Path:
    """Make a repository that uses the action."""
    projects.write(folder, {**files, ".github/workflows/quality.yml": workflow})
    return folder
