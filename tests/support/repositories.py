"""Real repositories as git and actions/checkout make them."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BAD = "import os\n"
OLD = "import re\n\n\ndef old():\n    return 1\n"
GIT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "PATH": os.environ["PATH"],
}


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], env=GIT, check=True, capture_output=True)
    return done.stdout.decode().strip()


def write(folder: Path, files: Mapping[str | bytes, str | bytes]) -> None:
    for name, content in files.items():
        file = os.path.join(os.fsencode(folder), os.fsencode(name))
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)


def commit(folder: Path, files: Mapping[str | bytes, str | bytes]) -> str:
    write(folder, files)
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "x")
    return git(folder, "rev-parse", "HEAD")


def pull_request(origin: Path, files: Mapping[str | bytes, str | bytes]) -> dict[str, Any]:
    """Commit to a branch, let the base move on, merge them as GitHub does; return the payload."""
    git(origin, "checkout", "--quiet", "-b", "topic")
    head = commit(origin, files)
    git(origin, "checkout", "--quiet", "main")
    base = commit(origin, {"moved.py": BAD})
    git(origin, "checkout", "--quiet", "--detach")
    git(origin, "merge", "--quiet", "--no-ff", "-m", "merge", "topic")
    git(origin, "update-ref", "refs/pull/7/merge", "HEAD")
    git(origin, "checkout", "--quiet", "main")
    return {"pull_request": {"number": 7, "head": {"sha": head}, "base": {"sha": base, "ref": "main"}}}


def checkout(origin: Path, folder: Path, ref: str, *options: str) -> Path:
    """Fetch one ref into an empty repository, as actions/checkout does."""
    git(origin.parent, "init", "--quiet", str(folder))
    git(folder, "remote", "add", "origin", f"file://{origin}")
    git(
        folder,
        "fetch",
        "--quiet",
        "--no-tags",
        *(options or ("--depth=1",)),
        "origin",
        f"+{ref}:refs/remotes/x",
    )
    git(folder, "checkout", "--quiet", "--detach", "refs/remotes/x")
    return folder


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Everything in a repository, `.git` too."""
    return {
        str(file): (file.stat().st_mtime_ns, file.read_bytes())
        for file in folder.rglob("*")
        if file.is_file()
    }
