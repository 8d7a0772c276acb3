"""What the reporters have in common that write to GitHub: whom they write to, and what they know for their own."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from ci_action.github.protocol import GitHub
from ci_action.github.pull_request import Pull
from ci_action.model.result import RunResult
from ci_action.project.layout import Layout
from ci_action.reporters.context import Publication
from ci_action.settings.general import COMMENT
from ci_action.system.errors import ToolError
from ci_action.system.exit_codes import ExitCode
from ci_action.system.text import plain

# The token of a workflow writes as this app, and may not ask who it is.
WORKFLOW: Final = "github-actions[bot]"
# Their checkout is that of the default branch, unless the workflow fetches another.
ELSEWHERE: Final = frozenset({"pull_request_target", "issue_comment", "workflow_run"})


def on_pull(
    result: RunResult, publication: Publication, what: str, write: Callable[[GitHub, Pull], None]
) -> None:
    """Write to the pull request of the run; where it has none, there is nothing to write."""
    pull = publication.pull
    if isinstance(pull, Pull):
        to_github(result, publication, what, lambda github: write(github, pull))
    elif pull.broken:
        _failed(publication, what, pull.reason)


def to_github(
    result: RunResult, publication: Publication, what: str, write: Callable[[GitHub], None]
) -> None:
    """Write to GitHub; what stands in the way is a problem, never an error."""
    if not publication.event.name or any(stage.stage == COMMENT for stage in result.stages):
        return  # a laptop has nothing to say there, and the result of posting is not posted itself
    # After a signal a few seconds are left, and the verdict is none.
    if result.verdict.exit_code is ExitCode.INTERRUPTED:
        return
    if publication.github is None:
        _failed(publication, what, "there is no token: give `github-token`")
    elif problem := _hindrance(result, publication):
        _failed(publication, what, problem)
    else:
        try:
            write(publication.github)
        except ToolError as error:
            _failed(publication, what, error.reason)


def _failed(publication: Publication, what: str, reason: str) -> None:
    publication.note(f"{what} could not be written: {reason}")


def _hindrance(result: RunResult, publication: Publication) -> str:
    event = publication.event.name
    looked = any(not stage.reason and not stage.of_pull for stage in result.stages)
    if event in ELSEWHERE and looked and not publication.resolved.settings.allow_privileged:
        return (
            f"under {event!r} what was looked at need not be the code of the pull request, and its verdict would be wrong:"
            " run these stages under `pull_request`"
        )
    return ""


class Ours:
    """Tells our own comments from those of others: a stranger can copy a marker, but not an author."""

    def __init__(self, github: GitHub) -> None:
        """Nobody is asked before there is something to tell."""
        self._github = github
        self._login: str | None = None

    def learn(self, made: Mapping[str, Any]) -> None:
        """Take who we are from what we have just written."""
        self._login = _text(made, "user", "login") or self._login

    def is_comment(self, entry: Mapping[str, Any], marker: str) -> bool:
        """Whether it is a comment of ours: it begins with the marker, and we have written it."""
        if not isinstance(entry.get("id"), int) or not _text(entry, "body").startswith(marker):
            return False
        if self._login is None:
            self._login = self._github.login()
        author = _text(entry, "user", "login")
        if self._login:
            return author.casefold() == self._login.casefold()
        slug = _text(entry, "performed_via_github_app", "slug")
        return _text(entry, "user", "type") == "Bot" and author in {WORKFLOW, f"{slug}[bot]"}


def _text(entry: object, *names: str) -> str:
    for name in names:
        entry = entry.get(name) if isinstance(entry, Mapping) else None
    return entry if isinstance(entry, str) else ""


def top_of(layout: Layout) -> str:
    """Return the folder of the repository, relative to the workspace: a checkout may lie below it."""
    root = Path(os.path.realpath(layout.root))
    workspace = Path(os.path.realpath(layout.workspace))
    for folder in (root, *root.parents):
        if (folder / ".git").exists() or folder == workspace:
            return os.path.relpath(folder, workspace) if folder.is_relative_to(workspace) else "."
    return "."


def in_repository(path: str, top: str) -> str:
    """Return a path of the workspace as the repository has it; empty for what is none of its files."""
    path = os.path.normpath(path)
    if top != ".":
        if not path.startswith(top + os.sep):
            return ""
        path = path.removeprefix(top + os.sep)
    outside = path in {".", ""} or path.startswith(("/", "../")) or path == ".."
    unnameable = plain(path) != path or "\ufffd" in path
    return "" if outside or unnameable else path


def place_of(chosen: Mapping[str, Any]) -> str:
    """Say what tells a run from others with the same stages: its folder, its Python, its part."""
    names = {"working-directory": "in", "python-version": "Python", "shard": "part"}
    return ", ".join(f"{word} {chosen[name]}" for name, word in names.items() if chosen.get(name))
