"""A pull request as the runner and actions/checkout leave it: payloads that were recorded, and the clone of its merge."""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from support.container import projects
from support.container.variables import TOKEN
from support.github_bodies import changed_file
from support.github_hub import Hub, Token
from support.recorded_events import recorded

# Values in the recorded payloads.
REPOSITORY: Final = "Codertocat/Hello-World"
NUMBER: Final = 2
MERGE: Final = f"refs/pull/{NUMBER}/merge"
# By what happened: opened, and made a draft.
OPENED, DRAFT = 0, 5


@dataclass(frozen=True)
class Change:
    """A repository with a pull request, merged with its base as GitHub does."""

    origin: Path
    base: str
    head: str
    names: tuple[str, ...]

    def checkout(self, workspace: Path, depth: int = 2) -> str:
        """Clone it as actions/checkout does, for the runner's user; return the commit."""
        workspace.mkdir(parents=True, exist_ok=True)
        into = f"+{MERGE}:refs/remotes/pull/{NUMBER}/merge"
        projects.git_output(workspace, "init", "--quiet")
        projects.git_output(workspace, "remote", "add", "origin", f"file://{self.origin}")
        projects.git_output(
            workspace, "fetch", "--quiet", "--no-tags", "--prune", f"--depth={depth}", "origin", into
        )
        projects.git_output(workspace, "checkout", "--quiet", "--force", f"refs/remotes/pull/{NUMBER}/merge")
        projects.settle(workspace, git=False)
        return projects.git_output(workspace, "rev-parse", "HEAD")

    def payload(self, recording: int = OPENED, **overrides: Any) -> dict[str, Any]:
        """Return the recorded payload, about the commits of this repository; `overrides` are of its pull request."""
        found = copy.deepcopy(recorded()["pull_request"][recording])
        pull = found["pull_request"]
        for side, sha in (("head", self.head), ("base", self.base)):
            pull[side]["sha"] = sha
        pull |= {"changed_files": len(self.names), **overrides}
        return found

    def from_fork(self, repository: str = "stranger/Hello-World", **overrides: Any) -> dict[str, Any]:
        """Return the payload of a pull request from a fork."""
        found = self.payload(**overrides)
        head = found["pull_request"]["head"]
        head["repo"] |= {"full_name": repository, "fork": True}
        return found

    def hub(
        self, may: Mapping[str, str], *, patches: Mapping[str, str] | None = None, **overrides: Any
    ) -> Hub:
        """Return GitHub as it knows this pull request, for a token that may do this."""
        hub = Hub(repository=REPOSITORY, tokens={TOKEN: Token(may=may)})
        shown = patches or {}
        hub.files[NUMBER] = [
            changed_file(name, "https://example.org", **({"patch": shown[name]} if name in shown else {}))
            for name in self.names
        ]
        hub.add_pull(
            NUMBER, head="changes", head_sha=self.head, base="master", base_sha=self.base, **overrides
        )
        return hub


def change(origin: Path, files: projects.Files, *, before: projects.Files | None = None) -> Change:
    """Make a repository whose branch `changes` adds these files."""
    origin.mkdir(parents=True)
    projects.commands(origin, "init --quiet --initial-branch=master")
    base = _committed(origin, {"README.md": "# Hello\n", **(before or {})})
    projects.commands(origin, "checkout --quiet -b changes")
    head = _committed(origin, files)
    projects.commands(
        origin,
        "checkout --quiet --detach master",
        "merge --quiet --no-ff -m merge changes",
        f"update-ref {MERGE} HEAD",
        "config uploadpack.allowAnySHA1InWant true",
    )
    return Change(
        origin, base, head, tuple(n.decode("utf-8", "replace") if isinstance(n, bytes) else n for n in files)
    )


def _committed(folder: Path, files: Mapping[Any, Any]) -> str:
    projects.put(folder, files)
    projects.commands(folder, "add --all --force .", "commit --quiet -m sample")
    return projects.git_output(folder, "rev-parse", "HEAD")


def variables(event: str, sha: str, **more: str) -> dict[str, str]:
    """Return the variables of a run for a pull request."""
    values = {"GITHUB_EVENT_NAME": event, "GITHUB_SHA": sha, "GITHUB_REPOSITORY": REPOSITORY}
    if event == "pull_request":
        values |= {"GITHUB_REF": MERGE, "GITHUB_REF_NAME": f"{NUMBER}/merge"}
        values |= {"GITHUB_BASE_REF": "master", "GITHUB_HEAD_REF": "changes"}
    return values | more


def tell(workflow: Path, payload: object) -> None:
    """Write the file of the event, if there is a payload."""
    file = workflow / "event.json"
    file.unlink(missing_ok=True)
    if payload is not None:
        file.write_text(json.dumps(payload), "utf-8")
