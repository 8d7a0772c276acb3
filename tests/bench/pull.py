"""The stage `pr` on a pull request of three thousand files: as GitHub lists them, page by page, and as git compares them."""

import json
import os
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.row import BIN, ROUNDS, Row, timed
from support.github_bodies import changed_file
from support.github_hub import READER, Hub
from support.github_service import served

# What GitHub lists at most of a pull request.
FILES = 3_000


def pull(folder: Path) -> Iterator[Row]:
    """`ci-action run pr`, where the clone has no base and GitHub is asked, and where git has both commits."""
    merge = _merged(folder / "origin")
    names = [_name(number) for number in range(FILES)]
    hub = Hub(files={7: [changed_file(name, "https://example.org") for name in names]})
    hub.add_pull(**merge)
    for source, depth, most in (("GitHub", 1, 2.0), ("git", 2, 1.0)):
        clone = _cloned(folder / "origin", folder / f"clone{depth}", depth)
        env = _environ(folder, clone, merge)
        with served(hub) as github:
            if source == "GitHub":
                env |= {"GITHUB_API_URL": github.root, "INPUT_GITHUB-TOKEN": READER}
            argv: list[str | Path] = [BIN / "ci-action", "run", "pr", f"--report-dir={folder / 'reports'}"]
            took = []
            for _ in range(ROUNDS):
                took.append(timed(*argv, cwd=clone, env=env))
                _looked(folder)
        middle = statistics.median(took)
        yield Row(
            f"pr with {FILES:,} files from {source}", f"{middle:.2f} s", f"≤ {most:g} s", middle <= most
        )


def _name(number: int) -> str:
    return f"src/package_{number % 40}/module_{number}.py"


def _merged(origin: Path) -> dict[str, Any]:
    """Make a repository with the merge of a pull request; return what is said of it."""
    _git(origin.parent, "init", "--quiet", "--initial-branch=main", str(origin))
    _commit(origin, {"README.md": "read me\n"})
    base = _git(origin, "rev-parse", "HEAD")
    _git(origin, "checkout", "--quiet", "-b", "topic")
    _commit(origin, {_name(number): f"x = {number}\n" for number in range(FILES)})
    head = _git(origin, "rev-parse", "HEAD")
    _git(origin, "checkout", "--quiet", "--detach", "main")
    _git(origin, "merge", "--quiet", "--no-ff", "-m", "merge", "topic")
    _git(origin, "update-ref", "refs/pull/7/merge", "HEAD")
    return {"head_sha": head, "base_sha": base, "additions": FILES, "deletions": 0, "changed_files": FILES}


def _cloned(origin: Path, clone: Path, depth: int) -> Path:
    """Fetch the merge as actions/checkout does."""
    _git(origin.parent, "init", "--quiet", str(clone))
    _git(clone, "fetch", "--quiet", "--no-tags", f"--depth={depth}", f"file://{origin}", "refs/pull/7/merge")
    _git(clone, "checkout", "--quiet", "--detach", "FETCH_HEAD")
    return clone


def _environ(folder: Path, clone: Path, merge: dict[str, Any]) -> dict[str, str]:
    sides = {
        side: {"ref": name, "sha": merge[f"{side}_sha"], "repo": {"full_name": "o/r"}}
        for side, name in (("head", "topic"), ("base", "main"))
    }
    event = folder / "event.json"
    about = {"number": 7, "title": "feat: a large one", "changed_files": FILES, **sides}
    event.write_text(json.dumps({"number": 7, "pull_request": about}))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("INPUT_", "GITHUB_"))}
    files = {name: str(folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        Path(file).write_bytes(b"")
    return {
        **kept,
        **files,
        "HOME": str(folder),
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_SHA": _git(clone, "rev-parse", "HEAD"),
    }


def _looked(folder: Path) -> None:
    """Check that the last run has counted every file."""
    report = json.loads((folder / "reports" / "report.json").read_text("utf-8"))
    assert report["outputs"]["changed-files"] == str(FILES), report["reasons"]


def _commit(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "-m", "x")


def _git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=bench", "-c", "user.email=bench@example.org")
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()
