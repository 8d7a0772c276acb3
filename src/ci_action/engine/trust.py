"""Events that run with the rights of the repository, while the code in the checkout may be a stranger's.

`pull_request_target`, `workflow_run` and `issue_comment` have a token that may write, secrets and the caches of the
default branch. Who checks out a pull request there and starts anything of it (a `conftest.py`, a `setup.py`) hands
them over. So what starts the project's code refuses, unless the commit is known to be the repository's own.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from ci_action.engine.context import Context
from ci_action.github.event import Event
from ci_action.project.git.repository import Commit, Repository, is_commit_name
from ci_action.system.errors import ToolError

EVENTS: Final = frozenset({"pull_request_target", "workflow_run", "issue_comment"})
_ADVICE: Final = (
    "run this stage under `pull_request`, which has no rights to lose, and what needs rights in a second workflow on"
    " `workflow_run` that starts no code of the pull request; or set the input `allow-privileged: true`"
)


def is_privileged(event: Event) -> bool:
    """Whether the event has rights that a stranger's code must not get."""
    return event.name in EVENTS


def refusal(ctx: Context) -> str:
    """Say why the project's code is not started; empty where it may be. Git is asked for the event's sake only."""
    if not is_privileged(ctx.event):
        return ""
    return f"the code is not started: {danger}; {_ADVICE}" if (danger := _danger(ctx)) else ""


def permission(ctx: Context) -> str:
    """Say what is dared with `allow-privileged`; empty where nothing is."""
    if not is_privileged(ctx.event):
        return ""
    return f"`allow-privileged` lets the code run although {danger}" if (danger := _danger(ctx)) else ""


def permitted(ctx: Context) -> tuple[str, ...]:
    """Return what is dared by letting the project's code decide; raises `ToolError` if it must not."""
    if ctx.settings.allow_privileged:
        return (dared,) if (dared := permission(ctx)) else ()
    if reason := refusal(ctx):
        raise ToolError(reason)
    return ()


def _danger(ctx: Context) -> str:
    rights = f"the event {ctx.event.name!r} has the rights of the repository"
    try:
        repository = ctx.repository
        head = repository.head()
        strange = whose(ctx.event, head, lambda commit: _holds(repository, commit, head.sha))
        strange = strange or _changed(repository, ctx.own_folders)
    except ToolError as error:
        strange = f"whose code this is cannot be told ({error.reason})"
    return f"{rights}, and {strange}" if strange else ""


def whose(event: Event, head: Commit, holds: Callable[[str], bool]) -> str:
    """Say why the commit that is checked out may be a stranger's; empty where it is the repository's own.

    `holds` says whether a commit of the repository is here and has the checked out one in its history.
    """
    own = [sha for sha in _own_commits(event, head) if is_commit_name(sha)]
    if head.sha in own or any(holds(sha) for sha in own):
        return ""
    for sha, what in _strange_commits(event):
        if sha and sha == head.sha:
            return f"the checkout is {what}"
        if sha and sha in head.parents[1:]:
            return f"the checkout merges {what}"
    return f"the checkout, {head.sha[:12]}, is not known to be a part of the repository's own branches"


def _own_commits(event: Event, head: Commit) -> list[str]:
    """Return the commits that only those can have made who may write to the repository."""
    found = [] if _named_as_strange(event) else [event.sha]
    if event.name == "pull_request_target":
        found.append(_at(event.payload, "pull_request", "base", "sha"))
    if event.name == "workflow_run" and _ran_for_own(event, head):
        found.append(head.sha)
    return found


def _named_as_strange(event: Event) -> bool:
    """Whether the runner's commit is the one that the payload calls the pull request's: a runner that is not GitHub's."""
    pull = event.payload.get("pull_request")
    merged = isinstance(pull, Mapping) and pull.get("merged") is True
    return not merged and event.sha in {
        _at(event.payload, "pull_request", "head", "sha"),
        _at(event.payload, "pull_request", "merge_commit_sha"),
    }


def _ran_for_own(event: Event, head: Commit) -> bool:
    """Whether the workflow run before this one was about a commit of the repository itself, and no pull request's."""
    cause = _at(event.payload, "workflow_run", "event")
    from_repository = _at(event.payload, "workflow_run", "head_repository", "full_name")
    return (
        cause in {"push", "schedule", "workflow_dispatch", "merge_group", "release"}
        and _at(event.payload, "workflow_run", "head_sha") == head.sha
        and from_repository != ""
        and from_repository == event.repository
    )


def _strange_commits(event: Event) -> tuple[tuple[str, str], ...]:
    payload = event.payload
    return (
        (_at(payload, "pull_request", "head", "sha"), "the commit of the pull request"),
        (_at(payload, "pull_request", "merge_commit_sha"), "the merge of the pull request"),
        (_at(payload, "workflow_run", "head_sha"), "the commit of the workflow run"),
    )


def _at(payload: Mapping[str, Any], *names: str) -> str:
    value: object = payload
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""


def _holds(repository: Repository, commit: str, head: str) -> bool:
    return commit in repository.commits(commit) and repository.merge_base(head, commit) == head


def _changed(repository: Repository, own: Iterable[Path]) -> str:
    """Say which file is not that of the commit: an artifact or a second checkout may have brought it."""
    name = repository.changed(own)
    return f"the file {name!r} is not that of the commit" if name else ""
