"""Where the changed files of a pull request are known from: git where its base is in the clone, else GitHub's API.

Where neither tells them, their numbers are those of the pull request itself, which the payload of the event has.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from ci_action.engine.context import Context
from ci_action.github.pull_request import Pull
from ci_action.project.git.repository import Commit
from ci_action.stages.pr.changed_files import MOST_LISTED, PullFiles, from_github, listing
from ci_action.stages.pr.git_diff import PullDiff
from ci_action.system.errors import ToolError

_GIT: Final = "git"
_GITHUB: Final = "GitHub"
_ATTRIBUTES: Final = ".gitattributes"


def files_of(ctx: Context, pull: Pull) -> PullFiles:
    """Return the changed files, asked for once in a run; raises `ToolError` with what to do where nobody knows them."""
    files: PullFiles = ctx.pull_files.of(lambda: _found(ctx, pull))
    return files


@dataclass(frozen=True)
class _Seen:
    """What the clone has of the pull request."""

    diff: PullDiff
    base: str
    tip: str


def _found(ctx: Context, pull: Pull) -> PullFiles:
    try:
        seen = _seen(ctx, pull)
        counted = listing(seen.diff.changed_files(seen.base, seen.tip), _GIT)
    except ToolError as error:
        return _without_git(ctx, pull, error.reason)
    if pull.changed_files not in {None, counted.total}:
        # The base has moved on, or GitHub takes other files for renamed: its own count is the one that people see.
        counted = _reconciled(ctx, pull, counted)
    return replace(counted, marks=seen.diff.marks(file.name for file in counted.files))


def _seen(ctx: Context, pull: Pull) -> _Seen:
    """Find the two commits between which the pull request lies; raises `ToolError` where they are not here."""
    if ctx.changes is None or not ctx.changes.known:
        raise ToolError(ctx.changes.problem if ctx.changes else "nobody looked for the base")
    repository = ctx.repository.with_fetched()
    head = repository.head()
    if not _is_of(pull, head, ctx):
        raise ToolError(f"the checkout is {head.sha[:12]}, not this pull request")
    base, tip = ctx.changes.base, head.sha
    if head.sha != pull.head_sha and head.parents[:1] == (base,) and not repository.shallow:
        # What GitHub counts is what the pull request did since it left its base, not what the merge did to the base.
        parted = repository.merge_base(base, head.parents[1])
        base, tip = (parted, head.parents[1]) if parted else (base, tip)
    return _Seen(PullDiff.at(repository, base), base, tip)


def _is_of(pull: Pull, head: Commit, ctx: Context) -> bool:
    """Whether what is checked out is the pull request: its last commit, or its merge with the base."""
    payload = ctx.event.payload.get("pull_request")
    told = payload.get("head") if isinstance(payload, Mapping) else None
    tips = {pull.head_sha, told.get("sha") if isinstance(told, Mapping) else ""} - {"", None}
    merge = len(head.parents) == 2  # noqa: PLR2004 - a merge of the base and the pull request
    if merge and ctx.event.name == "pull_request" and ctx.event.sha in {"", head.sha}:
        return True
    return head.sha in tips or (merge and head.parents[1] in tips) or (not tips and not merge)


def _without_git(ctx: Context, pull: Pull, reason: str) -> PullFiles:
    """Return what GitHub lists, else what the pull request says of itself; raises `ToolError` where that does not do."""
    try:
        found = _asked(ctx, pull)
    except ToolError as error:
        why, advice = (
            f"{reason}, and {error.reason}",
            "this action a `github-token` with `pull-requests: read`",
        )
        if ctx.github is not None:
            why = f"{reason}, and GitHub did not tell them ({error.reason})"
            advice = "the job `pull-requests: read`"
        problem = (
            f"the changed files are not known: {why}; give actions/checkout `fetch-depth: 2`, or {advice}"
        )
        numbers = _numbers(pull, problem)
        if numbers is None:
            raise ToolError(problem) from error
        return numbers
    return _with_attributes_here(ctx, found)


def _numbers(pull: Pull, problem: str) -> PullFiles | None:
    """Return the numbers alone, which a payload has without anybody being asked; None where it has not all of them."""
    if pull.changed_files is None or pull.additions is None or pull.deletions is None:
        return None
    return PullFiles(
        files=(),
        total=pull.changed_files,
        additions=pull.additions,
        deletions=pull.deletions,
        source="the pull request",
        note=f"{problem}. The numbers are those of the pull request itself, and nothing is left out of them",
        unmarked="the changed files are not known",
    )


def _asked(ctx: Context, pull: Pull) -> PullFiles:
    """Ask GitHub, which lists no more than 3,000 files; the numbers of the pull request itself tell of the others."""
    if ctx.github is None:
        raise ToolError("there is no token to ask GitHub with")
    found = listing(from_github(islice(ctx.github.pull_files(pull.number), MOST_LISTED + 1)), _GITHUB)
    # A payload may be older than the list; GitHub's own number of now is not.
    if found.total < MOST_LISTED and not (pull.current and (pull.changed_files or 0) > found.total):
        return found
    total = max(found.total, pull.changed_files or 0)
    if total == found.total and pull.changed_files is not None:
        return found
    known = f"GitHub lists {found.total:,} of {total:,} changed files"
    if pull.changed_files is None:
        total, known = found.total + 1, f"GitHub lists {found.total:,} changed files, which may not be all"
    return replace(
        found,
        total=total,
        additions=max(found.additions, pull.additions or 0),
        deletions=max(found.deletions, pull.deletions or 0),
        note=f"{known}: what is left out, areas and kinds of files are known of these only",
    )


def _reconciled(ctx: Context, pull: Pull, counted: PullFiles) -> PullFiles:
    try:
        return _asked(ctx, pull)
    except ToolError as error:
        note = (
            f"git counts {counted.total:,} changed files, GitHub {pull.changed_files:,}: those of git are taken"
            f" ({error.reason})"
        )
        return replace(counted, note=note)


def _with_attributes_here(ctx: Context, found: PullFiles) -> PullFiles:
    """Add what the checkout's `.gitattributes` say, unless the pull request itself changes them."""
    names = [file.name for file in found.files]
    changed = [name for file in found.files for name in file.names if name.rpartition("/")[2] == _ATTRIBUTES]
    if changed or found.truncated:
        doubt = "changes" if changed else "may change"
        return replace(
            found, unmarked=f"the clone lacks its base, and the pull request {doubt} .gitattributes"
        )
    try:
        return replace(found, marks=PullDiff.at(ctx.repository, "HEAD").marks(names))
    except ToolError as error:
        return replace(found, unmarked=error.reason)
