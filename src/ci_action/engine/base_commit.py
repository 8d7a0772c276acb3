"""The commit that a change is compared with: from the event under Actions, from the branches on a laptop."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ci_action.engine.context import Context
from ci_action.github.event import Event
from ci_action.github.protocol import ApiError
from ci_action.model.changes import Changes
from ci_action.project.file_kinds import SOURCES
from ci_action.project.git.diff import Diff
from ci_action.project.git.repository import Commit, Repository, Server, is_commit_name
from ci_action.settings import Settings
from ci_action.settings.types import FailOn, GateChanges, Scope
from ci_action.system.errors import UNDONE, ProjectFileError, ToolError
from ci_action.system.project_files import LARGEST_SOURCE, read_project_file
from ci_action.system.redaction import credentials

# On a laptop, in this order: the first that exists; after them the branch that the current one follows.
BRANCHES: Final = ("refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master")
_GITHUB: Final = "https://github.com"
# Nobody counts the lines of a larger file that is no source.
_LARGEST_OTHER: Final = 5_000_000


@dataclass(frozen=True, kw_only=True)
class Base:
    """The commit that the event names."""

    commit: str
    source: str
    parts: bool = False
    """Whether the change began before this commit, where its line of history and ours part."""
    depth: int = 0
    """The `fetch-depth` with which a checkout has it; 0 is all of the history."""


def is_needed(settings: Settings) -> bool:
    """Whether a setting asks for the change, so that a missing commit is worth a fetch; a warning is not."""
    asked = settings.scope is Scope.CHANGED or settings.patch_coverage_min is not None
    return asked or settings.fail_on is FailOn.NEW or settings.gate_changes is GateChanges.FAIL


def with_changes(ctx: Context, *, fetch: bool | None = None, lines: bool = True) -> Context:
    """Return the context with the lines of the change; a missing commit is fetched only where they are needed.

    Without `lines` the base is all that is found: comparing every line takes a second.
    """
    wanted = is_needed(ctx.settings) if fetch is None else fetch
    return replace(ctx, changes=changes_of(ctx, fetch=wanted, lines=lines))


def changes_of(ctx: Context, *, fetch: bool, lines: bool = True) -> Changes:
    """Find the base and compare; whatever stands in the way is told by `problem`, never raised."""
    try:
        repository = ctx.repository
        head = repository.head()
        actions = bool(ctx.event.name)
        if actions:
            base = base_of(ctx.event, head)
            commit, repository = _obtained(ctx, repository, head, base, fetch=fetch)
            source = base.source
        else:
            commit, source = _of_branches(repository, head)
        changed = _lines(ctx, repository, repository.diff(commit), untracked=not actions) if lines else {}
    except UNDONE as error:
        return Changes(problem=error.reason)
    except OSError as error:
        return Changes(problem=f"a commit cannot be kept in {str(ctx.tempdir)!r}: {error}")
    return Changes(base=commit, source=source, lines=changed)


def base_of(event: Event, head: Commit) -> Base:
    """Say which commit is the base by the event; raises `ToolError` with the reason where none is named."""
    payload = event.payload
    pull = payload.get("pull_request")
    if isinstance(pull, dict) or event.name == "pull_request":
        return _of_pull_request(event, pull if isinstance(pull, dict) else {}, head)
    if event.name == "push":
        before = payload.get("before")
        if is_commit_name(before):
            return Base(commit=str(before), source="the commit before the push")
        made = isinstance(before, str) and before and not before.strip("0")
        reason = "the push made the branch or tag" if made else "the payload of the push lacks it"
        raise ToolError(f"there is no commit before the push: {reason}{_because(event)}")
    if event.name == "merge_group":
        sha = _at(payload, "merge_group", "base_sha")
        if is_commit_name(sha):
            return Base(commit=str(sha), source="the base of the merge group", depth=2)
    raise ToolError(f"the event {event.name!r} names no base commit{_because(event)}")


def _of_pull_request(event: Event, pull: Mapping[str, Any], head: Commit) -> Base:
    tip, base = _at(pull, "head", "sha"), _at(pull, "base", "sha")
    own = event.name == "pull_request" and event.sha in {"", head.sha}
    if len(head.parents) == 2 and (head.parents[1] == tip or (own and not tip)):  # noqa: PLR2004 - a merge
        return Base(commit=head.parents[0], source="the first parent of the merge commit", depth=2)
    if not is_commit_name(base):
        raise ToolError(f"the payload of the pull request names no base commit{_because(event)}")
    return Base(commit=str(base), source="where the pull request left its base branch", parts=True)


def _at(payload: object, *names: str) -> object:
    for name in names:
        payload = payload.get(name) if isinstance(payload, dict) else None
    return payload


def _because(event: Event) -> str:
    return f" ({event.problem})" if event.problem else ""


def _obtained(
    ctx: Context, repository: Repository, head: Commit, base: Base, *, fetch: bool
) -> tuple[str, Repository]:
    """Return the commit to compare with, and the repository in which it can be seen."""
    commit = base.commit
    if base.parts:
        commit = _parting(ctx, repository, head, base, fetch=fetch)
        if commit == head.sha:
            raise ToolError(
                f"the checkout is {head.sha[:12]}, which is a part of the base branch: check out the pull request"
            )
    if commit in repository.commits(commit):
        return commit, repository
    if not fetch:
        raise ToolError(f"the clone lacks the commit {commit[:12]}, {base.source}; {_advice(base)}")
    try:
        repository = repository.with_commit(commit, _server(ctx))
    except ToolError as error:
        raise _unfetched(commit, base, error) from error
    return commit, repository


def _parting(ctx: Context, repository: Repository, head: Commit, base: Base, *, fetch: bool) -> str:
    here = base.commit in repository.commits(base.commit)
    found = repository.merge_base(base.commit, head.sha) if here else ""
    if found or not fetch:
        if not found:
            raise ToolError(
                f"the clone does not reach back to where the pull request left {base.commit[:12]}; {_advice(base)}"
            )
        return found
    try:
        found = repository.fetched_merge_base(base.commit, head.sha, _server(ctx))
    except ToolError as error:
        found = _named_by_github(ctx, base.commit, head.sha)
        if not found:
            raise _unfetched(base.commit, base, error) from error
    if not found:
        raise ToolError(f"the checkout and the commit {base.commit[:12]} have no history in common")
    return found


def _named_by_github(ctx: Context, base: str, head: str) -> str:
    """Ask GitHub where two commits part: that one can be fetched by its name, where all of the history was too much."""
    try:
        return ctx.github.merge_base(base, head) if ctx.github and not ctx.stopped() else ""
    except ApiError:  # what stood in git's way is told
        return ""


def _unfetched(commit: str, base: Base, error: ToolError) -> ToolError:
    return ToolError(f"the commit {commit[:12]} cannot be fetched ({error.reason}); {_advice(base)}")


def _advice(base: Base) -> str:
    return f"give actions/checkout `fetch-depth: {base.depth}`"


def _server(ctx: Context) -> Server | None:
    """Return the server of the event with our token for it; None without a token."""
    token = ctx.settings.github_token.value.strip()
    if not token or not ctx.event.repository:
        return None
    return Server(
        address=ctx.event.server_url or _GITHUB,
        repository=ctx.event.repository,
        authorization=f"AUTHORIZATION: basic {credentials(token)}",
    )


def _of_branches(repository: Repository, head: Commit) -> tuple[str, str]:
    """Return where the current branch left the first of the branches that is there, and its name."""
    found = repository.commits(*BRANCHES)
    for name in BRANCHES:
        commit = found.get(name)
        base = repository.merge_base(commit.sha, head.sha) if commit else ""
        if base:
            return base, f"where the branch left {name.removeprefix('refs/remotes/')}"
    upstream = repository.upstream()
    base = repository.merge_base(upstream.sha, head.sha) if upstream else ""
    if base:
        return base, "where the branch left its upstream"
    raise ToolError("there is no origin/HEAD, origin/main, origin/master or upstream branch to compare with")


def _lines(ctx: Context, repository: Repository, diff: Diff, *, untracked: bool) -> dict[str, frozenset[int]]:
    """Return the changed lines by paths relative to the workspace; what lies outside is left out."""
    top, workspace = str(repository.top), os.path.realpath(ctx.layout.workspace)
    found: dict[str, frozenset[int]] = {}
    wholly = set(diff.whole) | set(repository.untracked() if untracked else ())
    for name in [*diff.lines, *(wholly - diff.lines.keys())]:
        file = os.path.join(top, name)
        path = os.path.relpath(file, workspace)
        if path.split(os.sep, 1)[0] == os.pardir:
            continue
        if name in wholly or (name.endswith(SOURCES) and _ends_lines_by_cr(Path(file), ctx.layout.workspace)):
            found[path] = frozenset(_every_line(Path(file), ctx.layout.workspace))
        else:
            found[path] = diff.lines[name]
    return found


def _every_line(file: Path, workspace: Path) -> Iterator[int]:
    raw = _content(file, workspace)
    yield from range(1, raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n") + 2)


def _ends_lines_by_cr(file: Path, workspace: Path) -> bool:
    # For git such a file has other lines than for Python.
    raw = _content(file, workspace)
    return raw.count(b"\r") != raw.count(b"\r\n")


def _content(file: Path, workspace: Path) -> bytes:
    largest = LARGEST_SOURCE if file.suffix in SOURCES else _LARGEST_OTHER
    try:
        return b"" if file.is_symlink() else read_project_file(file, workspace, largest=largest)
    except ProjectFileError:
        return b""
