"""Events that run with write access, while the code in the checkout may be untrusted.

`pull_request_target`, `workflow_run` and `issue_comment` have a token with write access, secrets and the caches of the
default branch. A workflow that checks out a pull request there and starts its code (a `conftest.py`, a `setup.py`) gives
them away. So tools that start the project's code refuse to, unless the commit is known to be the repository's own.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.github.event import Event
from ci_action.project.git.repository import Commit, Repository, is_commit_name
from ci_action.system.errors import ToolError

EVENTS: Final = frozenset({"pull_request_target", "workflow_run", "issue_comment"})
_ADVICE: Final = (
    "run this stage on `pull_request`, which is read-only, and what needs write access in a second workflow on"
    " `workflow_run` that starts no code of the pull request; or set the input `allow-privileged: true`"
)


def refusal(ctx: Context) -> str:
    """Return why the project's code must not be started; empty if it may be. Git is asked in these events only."""
    return f"refusing to run untrusted code: {danger}; {_ADVICE}" if (danger := _danger(ctx)) else ""


def permitted(ctx: Context) -> tuple[str, ...]:
    """Return the warnings about starting the project's code; raises `ToolError` if it must not be started."""
    if ctx.settings.allow_privileged:
        danger = _danger(ctx)
        return (f"`allow-privileged` runs untrusted code: {danger}",) if danger else ()
    if reason := refusal(ctx):
        raise ToolError(reason)
    return ()


def _danger(ctx: Context) -> str:
    if ctx.event.name not in EVENTS:
        return ""
    try:
        repository = ctx.repository
        head = repository.head()
        strange = whose(ctx.event, head, lambda commit: _holds(repository, commit, head.sha))
        strange = strange or _changed(repository, ctx.own_folders)
    except ToolError as error:
        strange = f"the origin of the code is unknown ({error.reason})"
    return f"`{ctx.event.name}` runs with write access, and {strange}" if strange else ""


def whose(event: Event, head: Commit, holds: Callable[[str], bool]) -> str:
    """Return why the checked out commit may be untrusted; empty if it is the repository's own.

    `holds` is whether the clone has a commit of the repository with the checked out one in its history.
    """
    own = [sha for sha in _own_commits(event, head) if is_commit_name(sha)]
    if head.sha in own or any(holds(sha) for sha in own):
        return ""
    for sha, what in _strange_commits(event):
        if sha and sha == head.sha:
            return f"the checkout is {what}"
        if sha and sha in head.parents[1:]:
            return f"the checkout merges {what}"
    return f"the checkout, {head.sha[:12]}, is not known to be in the repository's own branches"


def _own_commits(event: Event, head: Commit) -> list[str]:
    """Return the commits that only users with write access can have made."""
    found = [] if _named_as_strange(event) else [event.sha]
    if event.name == "pull_request_target":
        found.append(event.text("pull_request", "base", "sha"))
    if event.name == "workflow_run" and _ran_for_own(event, head):
        found.append(head.sha)
    return found


def _named_as_strange(event: Event) -> bool:
    """Whether the commit of the runner is that of the pull request in the payload, as runners other than GitHub's set it."""
    pull = event.payload.get("pull_request")
    merged = isinstance(pull, Mapping) and pull.get("merged") is True
    return not merged and event.sha in {
        event.text("pull_request", "head", "sha"),
        event.text("pull_request", "merge_commit_sha"),
    }


def _ran_for_own(event: Event, head: Commit) -> bool:
    """Whether the workflow run before this one had a commit of the repository itself, not of a pull request."""
    cause = event.text("workflow_run", "event")
    from_repository = event.text("workflow_run", "head_repository", "full_name")
    return (
        cause in {"push", "schedule", "workflow_dispatch", "merge_group", "release"}
        and event.text("workflow_run", "head_sha") == head.sha
        and from_repository != ""
        and from_repository == event.repository
    )


def _strange_commits(event: Event) -> tuple[tuple[str, str], ...]:
    return (
        (event.text("pull_request", "head", "sha"), "the commit of the pull request"),
        (event.text("pull_request", "merge_commit_sha"), "the merge of the pull request"),
        (event.text("workflow_run", "head_sha"), "the commit of the workflow run"),
    )


def _holds(repository: Repository, commit: str, head: str) -> bool:
    return commit in repository.commits(commit) and repository.merge_base(head, commit) == head


def _changed(repository: Repository, own: Iterable[Path]) -> str:
    """Return which file differs from the commit: an artifact or a second checkout may have written it."""
    name = repository.changed(own)
    return f"the file {name!r} differs from the commit" if name else ""
