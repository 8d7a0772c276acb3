"""The commit that a change is compared with: from the event under Actions, from the branches on a laptop."""

import os
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.github.errors import ApiError
from ci_action.github.event import Event
from ci_action.model.changes import NO_BASE, Changes
from ci_action.project.file_kinds import SOURCES
from ci_action.project.git.diff import Diff
from ci_action.project.git.repository import Commit, Repository, Server, is_commit_name
from ci_action.settings import Settings
from ci_action.settings.types import FailOn, GateChanges, Scope
from ci_action.system.errors import UNDONE, ProjectFileError, ToolError
from ci_action.system.project_files import LARGEST_SOURCE, read_project_file
from ci_action.system.redaction import credentials

# On a laptop, in this order; after them the upstream branch.
BRANCHES: Final = ("refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master")
_GITHUB: Final = "https://github.com"
# The lines of a larger file that is not Python are not counted.
_LARGEST_OTHER: Final = 5_000_000
_MIGRATIONS: Final = "migrations"
# How long a fetch may take that only the order of the findings needs.
_CHEAP_SECONDS: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class Tip:
    """The newest commit of the branch that the change goes to."""

    commit: str
    name: str
    """The branch, for people."""
    repository: Repository
    """The repository as one that has the commit."""
    older: str = ""
    """Why the branch may have newer commits; empty if it has none."""


class Fetch(Enum):
    """Which missing commits are fetched."""

    NONE = auto()
    CHEAP = auto()
    """One commit without its history, and only if that takes seconds: reports then show new findings first."""
    ANY = auto()
    """Whatever a setting needs."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """The commit that the event names."""

    commit: str
    source: str
    parts: bool = False
    """Whether the change began at the merge base of this commit and the checkout."""
    depth: int = 0
    """The `fetch-depth` that is needed; 0 is the whole history."""

    def is_wanted(self, fetch: Fetch) -> bool:
        """Whether it is fetched if it is missing: cheap is the one commit below the checkout."""
        return fetch is Fetch.ANY or (fetch is Fetch.CHEAP and bool(self.depth))


def needed(settings: Settings) -> Fetch:
    """Return what is fetched: whatever a setting needs, else what is cheap."""
    asked = settings.scope is Scope.CHANGED or settings.patch_coverage_min is not None
    blocks = asked or settings.fail_on is FailOn.NEW or settings.gate_changes is GateChanges.FAIL
    blocks = blocks or _MIGRATIONS in settings.stage  # it checks the tree after the merge
    return Fetch.ANY if blocks else Fetch.CHEAP


def with_changes(ctx: Context, *, fetch: Fetch | None = None, lines: bool = True) -> Context:
    """Return the context with the lines of the change; a missing commit is fetched as far as the settings need it.

    Without `lines` only the base is found: comparing all lines takes a second.
    """
    wanted = fetch or needed(ctx.settings)
    if wanted is Fetch.CHEAP and not lines:
        wanted = Fetch.NONE
    return replace(ctx, changes=changes_of(ctx, fetch=wanted, lines=lines))


def changes_of(ctx: Context, *, fetch: Fetch, lines: bool = True) -> Changes:
    """Find the base and compare; an error is in `problem`, never raised."""
    try:
        repository = ctx.repository
        actions = bool(ctx.event.name)
        if actions:
            head = repository.head()
            base = base_of(ctx.event, head)
            commit, repository = _obtained(ctx, repository, head, base, fetch=fetch)
            source = base.source
        else:
            commit, _, name = _of_branches(repository)
            source = f"the merge base with {name}"
        changed = _lines(ctx, repository, repository.diff(commit), untracked=not actions) if lines else {}
    except UNDONE as error:
        return Changes(problem=error.reason)
    except OSError as error:
        return Changes(problem=f"could not write a commit to {str(ctx.tempdir)!r}: {error}")
    return Changes(base=commit, source=source, lines=changed)


def base_of(event: Event, head: Commit) -> Base:
    """Return the base commit of the event; raises `ToolError` if it has none."""
    because = f" ({event.problem})" if event.problem else ""
    if isinstance(event.payload.get("pull_request"), dict) or event.name == "pull_request":
        return _of_pull_request(event, head, because)
    if event.name == "push":
        before = event.text("before")
        if is_commit_name(before):
            return Base(commit=before, source="the commit before the push")
        made = before and not before.strip("0")
        reason = "the push created the branch or tag" if made else "the payload does not name it"
        raise ToolError(f"no commit before the push: {reason}{because}")
    if event.name == "merge_group":
        sha = event.text("merge_group", "base_sha")
        if is_commit_name(sha):
            return Base(commit=sha, source="the base of the merge group", depth=2)
    raise ToolError(f"the event {event.name!r} has no base commit{because}")


def _of_pull_request(event: Event, head: Commit, because: str) -> Base:
    tip, base = event.text("pull_request", "head", "sha"), event.text("pull_request", "base", "sha")
    own = event.name == "pull_request" and event.sha in {"", head.sha}
    if head.merged and (head.merged == tip or (own and not tip)):
        return Base(commit=head.parents[0], source="the first parent of the merge commit", depth=2)
    if not is_commit_name(base):
        raise ToolError(f"the payload of the pull request has no base commit{because}")
    return Base(commit=base, source="the merge base with the base branch", parts=True)


def _obtained(
    ctx: Context, repository: Repository, head: Commit, base: Base, *, fetch: Fetch
) -> tuple[str, Repository]:
    """Return the commit to compare with, and the repository that has it; raises `ToolError`."""
    advice = f"set `fetch-depth: {base.depth}` of actions/checkout"
    commit = base.commit if base.commit in repository.commits(base.commit) else ""
    if commit and base.parts:
        commit = repository.merge_base(commit, head.sha)
    if not commit and not base.is_wanted(fetch):
        raise ToolError(f"{base.source} ({base.commit[:12]}) is not in the clone; {advice}")
    if not commit:
        try:
            seconds = None if fetch is Fetch.ANY else _CHEAP_SECONDS
            commit, repository = _fetched(ctx, repository, head, base, seconds)
        except ToolError as error:
            reason = f"could not fetch commit {base.commit[:12]} ({error.reason}); {advice}"
            raise ToolError(reason) from error
    if not commit:
        raise ToolError(f"the checkout and commit {base.commit[:12]} have no common history")
    if base.parts and commit == head.sha:
        raise ToolError(
            f"the checkout is {head.sha[:12]}, a commit of the base branch: check out the pull request"
        )
    return commit, repository


def _fetched(
    ctx: Context, repository: Repository, head: Commit, base: Base, seconds: float | None
) -> tuple[str, Repository]:
    """Fetch the base; the commit is empty without a common history. Raises `ToolError`."""
    commit, server = base.commit, _server(ctx)
    if base.parts:
        try:
            commit = repository.fetched_merge_base(commit, head.sha, server)
        except ToolError:
            commit = _named_by_github(ctx, commit, head.sha)
            if not commit:
                raise
    if commit and commit not in repository.commits(commit):
        repository = repository.with_commit(commit, server, seconds)
    return commit, repository


def _named_by_github(ctx: Context, base: str, head: str) -> str:
    """Return the merge base by GitHub: it can be fetched by its name, if the whole history was too large."""
    try:
        return ctx.github.merge_base(base, head) if ctx.github and not ctx.stopped() else ""
    except ApiError:  # the error of git is reported
        return ""


def tip_of_base(ctx: Context) -> Tip | None:
    """Return the newest commit of the base branch, which is fetched under Actions; None if the event merges nothing.

    Raises `ToolError` if it is unknown.
    """
    repository = ctx.repository
    if not ctx.event.name:
        _, commit, name = _of_branches(repository)
        return Tip(commit=commit, name=name, repository=repository.with_fetched())
    name = ctx.event.text("pull_request", "base", "ref")
    if not name:
        return None
    try:
        commit, fetched = repository.with_branch(name, _server(ctx), _CHEAP_SECONDS)
        return Tip(commit=commit, name=name, repository=fetched)
    except ToolError as error:
        reason = error.reason
    head, known = repository.head(), ctx.event.text("pull_request", "base", "sha")
    commit = head.parents[0] if head.merged else known
    fetched = repository.with_fetched()
    if not is_commit_name(commit) or commit not in fetched.commits(commit):
        raise ToolError(f"could not fetch the branch {name!r}: {reason}")
    return Tip(commit=commit, name=name, repository=fetched, older=f"could not fetch it: {reason}")


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


def _of_branches(repository: Repository) -> tuple[str, str, str]:
    """Return the first known branch with a common history: the merge base, its own commit, its name.

    Raises `ToolError`.
    """
    head, found = repository.head_and(*BRANCHES)
    for name in BRANCHES:
        commit = found.get(name)
        base = repository.merge_base(commit.sha, head.sha) if commit else ""
        if commit and base:
            return base, commit.sha, name.removeprefix("refs/remotes/")
    upstream = repository.upstream()
    base = repository.merge_base(upstream.sha, head.sha) if upstream else ""
    if upstream and base:
        return base, upstream.sha, "the upstream branch"
    raise ToolError(NO_BASE)


def _lines(ctx: Context, repository: Repository, diff: Diff, *, untracked: bool) -> dict[str, frozenset[int]]:
    """Return the changed lines by paths relative to the workspace, without those outside of it."""
    top, workspace = str(repository.top), os.path.realpath(ctx.layout.workspace)
    found: dict[str, frozenset[int]] = {}
    wholly = set(diff.whole) | set(repository.untracked() if untracked else ())
    for name in [*diff.lines, *(wholly - diff.lines.keys())]:
        file = os.path.join(top, name)
        path = os.path.relpath(file, workspace)
        if path.split(os.sep, 1)[0] == os.pardir:
            continue
        whole = name in wholly
        raw = _content(Path(file), ctx.layout.workspace) if whole or name.endswith(SOURCES) else b""
        # A lone carriage return ends a line for Python, and not for git.
        lone = raw.count(b"\r") - raw.count(b"\r\n")
        every = range(1, raw.count(b"\n") + lone + 2)
        found[path] = frozenset(every) if whole or lone else diff.lines[name]
    return found


def _content(file: Path, workspace: Path) -> bytes:
    largest = LARGEST_SOURCE if file.suffix in SOURCES else _LARGEST_OTHER
    try:
        return b"" if file.is_symlink() else read_project_file(file, workspace, largest=largest)
    except ProjectFileError:
        return b""
