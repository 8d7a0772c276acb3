"""The changed files of a pull request: from git if its base is in the clone, else from GitHub's API.

If both fail, only their numbers are known, which are in the payload of the event.
"""

from dataclasses import replace
from itertools import islice
from typing import Final

from ci_action.engine.context import Context
from ci_action.github.pull_request import Pull
from ci_action.project.git.repository import Commit, Repository
from ci_action.stages.pr.changed_files import MOST_LISTED, PullFiles, from_github, listing
from ci_action.stages.pr.git_diff import changed_files, marks, with_attributes_of
from ci_action.system.errors import ToolError

_ATTRIBUTES: Final = ".gitattributes"


def files_of(ctx: Context, pull: Pull) -> PullFiles:
    """Return the changed files, read once in a run; raises `ToolError` with advice if they are unknown."""
    files: PullFiles = ctx.pull_files.of(lambda: _found(ctx, pull))
    return files


def _found(ctx: Context, pull: Pull) -> PullFiles:
    try:
        repository, base, tip = _commits(ctx, pull)
        seen = with_attributes_of(repository, base)
        found = listing(changed_files(seen, base, tip))
    except ToolError as error:
        return _without_git(ctx, pull, error.reason)
    if pull.changed_files not in {None, found.total}:
        # The base has moved on, or GitHub detects other renames: people see the count of GitHub.
        try:
            found = _listed(ctx, pull)
        except ToolError as error:
            counts = f"git counts {found.total:,} changed files, GitHub {pull.changed_files:,}"
            found = replace(found, note=f"{counts}: using those of git ({error.reason})")
    return replace(found, marks=marks(seen, (file.name for file in found.files)))


def _commits(ctx: Context, pull: Pull) -> tuple[Repository, str, str]:
    """Return the two commits of the pull request, and their repository; raises `ToolError` if it lacks them."""
    if ctx.changes is None or not ctx.changes.known:
        raise ToolError(ctx.changes.problem if ctx.changes else "the base commit is unknown")
    repository = ctx.repository.with_fetched()
    head = repository.head()
    if not _is_of(pull, head, ctx):
        raise ToolError(f"the checkout is {head.sha[:12]}, not this pull request")
    base, tip = ctx.changes.base, head.sha
    if head.sha != pull.head_sha and head.parents[:1] == (base,) and not repository.shallow:
        # GitHub counts the changes since the pull request left its base, not those of the merge.
        parted = repository.merge_base(base, head.parents[1])
        base, tip = (parted, head.parents[1]) if parted else (base, tip)
    return repository, base, tip


def _is_of(pull: Pull, head: Commit, ctx: Context) -> bool:
    """Whether the checkout is the pull request: its last commit, or its merge with the base."""
    tips = {pull.head_sha, ctx.event.text("pull_request", "head", "sha")} - {""}
    if head.merged and ctx.event.name == "pull_request" and ctx.event.sha in {"", head.sha}:
        return True
    return head.sha in tips or head.merged in tips or not (tips or head.merged)


def _without_git(ctx: Context, pull: Pull, reason: str) -> PullFiles:
    """Return the files of GitHub's list, else the numbers of the payload; raises `ToolError` if there is neither."""
    try:
        return _with_attributes_of_head(ctx, _listed(ctx, pull))
    except ToolError as error:
        advice = "give this action a `github-token` with `pull-requests: read`"
        if ctx.github is not None:
            advice = "give the job `permissions: pull-requests: read`"
        problem = (
            f"the changed files are unknown: {reason}; GitHub: {error.reason};"
            f" set `fetch-depth: 2` of actions/checkout, or {advice}"
        )
        if pull.changed_files is None or pull.additions is None or pull.deletions is None:
            raise ToolError(problem) from error
    return PullFiles(
        files=(),
        total=pull.changed_files,
        lines=pull.additions + pull.deletions,
        note=f"{problem}. Using the numbers of the pull request, without exclusions",
        unmarked="the changed files are unknown",
    )


def _listed(ctx: Context, pull: Pull) -> PullFiles:
    """Return the files that GitHub lists, at most 3,000; the total numbers are those of the pull request."""
    if ctx.github is None:
        raise ToolError("`github-token` is not set")
    found = listing(from_github(islice(ctx.github.pull_files(pull.number), MOST_LISTED + 1)))
    # A payload may be older than the list; the current number of GitHub is not.
    if found.total < MOST_LISTED and not (pull.current and (pull.changed_files or 0) > found.total):
        return found
    total = max(found.total, pull.changed_files or 0)
    if total == found.total and pull.changed_files is not None:
        return found
    known = f"GitHub lists {found.total:,} of {total:,} changed files"
    if pull.changed_files is None:
        total, known = found.total + 1, f"GitHub lists {found.total:,} changed files; there may be more"
    return replace(
        found,
        total=total,
        lines=max(found.lines, (pull.additions or 0) + (pull.deletions or 0)),
        note=f"{known}: exclusions, areas and kinds of files are those of the listed files",
    )


def _with_attributes_of_head(ctx: Context, found: PullFiles) -> PullFiles:
    """Add the attributes of the checkout's `.gitattributes`, unless the pull request itself changes them."""
    changed = any(name.rpartition("/")[2] == _ATTRIBUTES for file in found.files for name in file.names)
    if changed or found.truncated:
        doubt = "changes" if changed else "may change"
        return replace(
            found, unmarked=f"the base is not in the clone, and the pull request {doubt} .gitattributes"
        )
    try:
        seen = with_attributes_of(ctx.repository, "HEAD")
        return replace(found, marks=marks(seen, (file.name for file in found.files)))
    except ToolError as error:
        return replace(found, unmarked=error.reason)
