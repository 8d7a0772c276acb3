"""What the reporters that write to GitHub share: when they write, and how they recognise what ci-action has written."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from ci_action.github.client import GitHub
from ci_action.github.errors import ApiError
from ci_action.github.pull_request import Pull
from ci_action.model.result import RunResult
from ci_action.project.layout import Layout
from ci_action.reporters.context import Publication
from ci_action.settings.general import COMMENT
from ci_action.system.errors import ToolError
from ci_action.system.exit_codes import ExitCode
from ci_action.system.text import plain

# The token of a workflow writes as this app, and cannot ask for its own name.
WORKFLOW: Final = "github-actions[bot]"
# Their checkout is the default branch, unless the workflow fetches another.
ELSEWHERE: Final = frozenset({"pull_request_target", "issue_comment", "workflow_run"})
_NOT_FOUND: Final = 404


def on_pull(
    result: RunResult, publication: Publication, what: str, write: Callable[[GitHub, Pull], None]
) -> None:
    """Write to the pull request of the run, if it has one."""
    pull = publication.pull
    if isinstance(pull, Pull):
        to_github(result, publication, what, lambda github: write(github, pull))
    elif pull.broken:
        publication.note(f"could not {what}: {pull.reason}")


def to_github(
    result: RunResult,
    publication: Publication,
    what: str,
    write: Callable[[GitHub], None],
    *,
    of_code: bool = True,
) -> None:
    """Write to GitHub; a failure is a note. `of_code`: whether it is about the files of the checkout."""
    if not publication.event.name or any(stage.stage == COMMENT for stage in result.stages):
        return  # not on a laptop, and the result of posting is not posted itself
    # After a signal only a few seconds are left, and the verdict is incomplete.
    if result.verdict.exit_code is ExitCode.INTERRUPTED:
        return
    problem = "`github-token` is not set"
    if github := publication.github:
        try:
            problem = _wrong_checkout(result, publication) if of_code else ""
            if not problem:
                write(github)
        except ToolError as error:
            problem = error.reason
    if problem:
        publication.note(f"could not {what}: {problem}")


def _wrong_checkout(result: RunResult, publication: Publication) -> str:
    event = publication.event.name
    of_code = any(not stage.reason and not stage.of_pull for stage in result.stages)
    if event in ELSEWHERE and of_code and not publication.resolved.settings.allow_privileged:
        return (
            f"under {event!r} the checkout may not be the code of the pull request, and the verdict may be wrong;"
            " run these stages under `pull_request`"
        )
    return ""


def require_head(github: GitHub, number: int, commit: str) -> None:
    """Raise `ApiError` if a pull request has other commits than the run."""
    head = text_at(github.pull(number), "head", "sha")
    if head != commit:
        raise ApiError("the pull request has newer commits")


def if_found(ask: Callable[[], None]) -> None:
    """Ask GitHub to remove something; that it does not exist any more is fine."""
    try:
        ask()
    except ApiError as error:
        if error.status != _NOT_FOUND:
            raise


class Ours:
    """Recognises our own comments: a stranger can copy a marker, but not an author."""

    def __init__(self, github: GitHub) -> None:
        """Ask GitHub for our own name only when it is needed."""
        self._github = github
        self._login: str | None = None

    def learn(self, made: Mapping[str, Any]) -> None:
        """Take our own name from what we have just written."""
        self._login = text_at(made, "user", "login") or self._login

    def is_comment(self, entry: Mapping[str, Any], marker: str) -> bool:
        """Whether a comment begins with the marker and was written by us."""
        if not isinstance(entry.get("id"), int) or not text_at(entry, "body").startswith(marker):
            return False
        if self._login is None:
            self._login = self._github.login()
        author = text_at(entry, "user", "login")
        if self._login:
            return author.casefold() == self._login.casefold()
        slug = text_at(entry, "performed_via_github_app", "slug")
        return text_at(entry, "user", "type") == "Bot" and author in {WORKFLOW, f"{slug}[bot]"}


def text_at(entry: object, *names: str) -> str:
    """Return a text inside an answer of GitHub; empty if there is none."""
    for name in names:
        entry = entry.get(name) if isinstance(entry, Mapping) else None
    return entry if isinstance(entry, str) else ""


def top_of(layout: Layout) -> str:
    """Return the folder of the repository, relative to the workspace: a checkout may be below it."""
    root, workspace = (Path(os.path.realpath(folder)) for folder in (layout.root, layout.workspace))
    for folder in (root, *root.parents):
        if (folder / ".git").exists() or folder == workspace:
            return os.path.relpath(folder, workspace) if folder.is_relative_to(workspace) else "."
    return "."


def in_repository(path: str, top: str) -> str:
    """Return a path of the workspace relative to the repository; empty if it is outside or cannot be named."""
    path = os.path.normpath(path)
    if top != ".":
        if not path.startswith(top + os.sep):
            return ""
        path = path.removeprefix(top + os.sep)
    outside = path in {".", ".."} or path.startswith(("/", "../"))
    return "" if outside or plain(path) != path or "\ufffd" in path else path


def place_of(chosen: Mapping[str, Any]) -> str:
    """Return what distinguishes a run from others of the same stages: its folder, its Python, its shard."""
    names = {"working-directory": "in", "python-version": "Python", "shard": "part"}
    return ", ".join(f"{word} {chosen[name]}" for name, word in names.items() if chosen.get(name))
