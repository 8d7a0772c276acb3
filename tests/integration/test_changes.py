"""The lines of a change in real repositories, and what `scope: changed` makes of them."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

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


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """Make a repository with a main branch that serves every commit by its name, as GitHub does."""
    folder = tmp_path / "origin"
    git(tmp_path, "init", "--quiet", "-b", "main", str(folder))
    for key in ("allowAnySHA1InWant", "allowFilter"):
        git(folder, "config", f"uploadpack.{key}", "true")
    commit(folder, {"old.py": OLD, "both.py": OLD, "README": "x\n"})
    return folder


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
    git(folder, "fetch", "--quiet", "--no-tags", *(options or ("--depth=1",)), "origin", f"+{ref}:refs/remotes/x")
    git(folder, "checkout", "--quiet", "--detach", "refs/remotes/x")
    return folder


@pytest.fixture
def under_actions(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Return the variables of a run for an event."""

    def make(folder: Path, name: str, payload: Mapping[str, Any], **more: str) -> dict[str, str]:
        file = tmp_path / "event.json"
        file.write_text(json.dumps(payload))
        values = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(folder),
            "GITHUB_EVENT_NAME": name,
            "GITHUB_EVENT_PATH": str(file),
            "GITHUB_SHA": git(folder, "rev-parse", "HEAD"),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        }
        return {**values, **more}

    return make


def counting(ran: Any, tool: str = "ruff") -> list[str]:
    return sorted(one["path"] for one in ran.findings(tool) if not one["muted"])


def notes(ran: Any) -> str:
    return "\n".join(ran.report["warnings"])


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Everything in a repository, `.git` too."""
    return {
        str(file): (file.stat().st_mtime_ns, file.read_bytes()) for file in folder.rglob("*") if file.is_file()
    }


CHANGE: dict[str | bytes, str | bytes] = {"both.py": OLD + "\n\nimport sys\n", "new.py": BAD}


@pytest.mark.parametrize("depth", [1, 2])
def test_a_merge_commit_is_compared_with_its_first_parent(
    depth, origin, ci_action, under_actions, tmp_path
):
    payload = pull_request(origin, CHANGE)
    folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge", f"--depth={depth}")
    before = snapshot(folder)
    ran = ci_action(folder, "quality", "--scope=changed", env=under_actions(folder, "pull_request", payload))
    assert ran.code == 1
    assert ran.report["base"] == payload["pull_request"]["base"]["sha"]
    assert ran.report["scope"] == "changed"
    assert notes(ran) == ""
    assert counting(ran) == ["both.py", "both.py", "new.py"]  # unused, and not at the top
    assert {one["muted"] for one in ran.findings("ruff")} == {"", "outside the lines of the change"}
    assert ran.tool("ruff")["examined"]["files"] == 2
    assert ran.tool("black")["examined"]["files"] == 2
    assert ran.report["outputs"]["new-findings"] == ran.report["outputs"]["findings"]
    assert "ruff: 3 findings on your lines (+ 1 older)" in ran.report["reasons"]
    assert snapshot(folder) == before


def test_the_same_verdict_from_the_head_of_the_pull_request(origin, ci_action, under_actions, tmp_path):
    payload = pull_request(origin, CHANGE)
    folder = checkout(origin, tmp_path / "clone", "refs/heads/topic")
    before = snapshot(folder)
    ran = ci_action(folder, "quality", "--scope=changed", env=under_actions(folder, "pull_request", payload))
    assert ran.report["base"] == git(origin, "merge-base", "main", "topic")
    assert notes(ran) == ""
    assert counting(ran) == ["both.py", "both.py", "new.py"]
    assert snapshot(folder) == before


def test_with_scope_all_nothing_is_fetched_and_everything_counts(origin, ci_action, under_actions, tmp_path):
    payload = pull_request(origin, CHANGE)
    shallow = checkout(origin, tmp_path / "shallow", "refs/pull/7/merge")
    ran = ci_action(shallow, "quality", env=under_actions(shallow, "pull_request", payload))
    assert (ran.report["base"], ran.report["outputs"]["new-findings"], notes(ran)) == ("", "", "")
    deep = checkout(origin, tmp_path / "deep", "refs/pull/7/merge", "--depth=2")
    ran = ci_action(deep, "quality", env=under_actions(deep, "pull_request", payload))
    assert ran.report["base"] == payload["pull_request"]["base"]["sha"]
    outputs = ran.report["outputs"]
    assert (outputs["new-findings"], outputs["findings"]) == ("3", "6")


def test_without_a_remote_everything_counts_and_the_way_out_is_said(
    origin, ci_action, under_actions, tmp_path
):
    payload = pull_request(origin, CHANGE)
    folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge")
    git(folder, "remote", "remove", "origin")
    ran = ci_action(folder, "quality", "--scope=changed", env=under_actions(folder, "pull_request", payload))
    assert counting(ran) == ["both.py", "both.py", "both.py", "moved.py", "new.py", "old.py"]
    assert "every finding counts, because the base of the change is not known" in notes(ran)
    assert "cannot be fetched" in notes(ran)
    assert "fetch-depth: 2" in notes(ran)
