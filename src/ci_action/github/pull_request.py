"""The pull request of a run, from the event and from GitHub. All text in it is foreign."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ci_action.github.client import GitHub
from ci_action.github.errors import ApiError
from ci_action.github.event import Event
from ci_action.system.text import plain

# The queue names a branch for the last pull request of a group: gh-readonly-queue/<base>/pr-<number>-<commit>.
_QUEUED: Final = re.compile(r"(?:.*/)?pr-([1-9]\d{0,17})-(?:[0-9a-f]{40}|[0-9a-f]{64})", re.DOTALL)
# GitHub's own numbers are 64 bits wide; a payload may hold any.
_LARGEST: Final = 2**63
_ADVICE: Final = "set `github-token`, with `permissions: pull-requests: read`"


@dataclass(frozen=True, kw_only=True)
class Pull:
    """A pull request."""

    number: int
    title: str
    body: str = ""
    author: str = ""
    is_bot: bool = False
    base: str = ""
    """The branch that it is for."""
    base_sha: str = ""
    head: str = ""
    """The branch that it comes from."""
    head_sha: str = ""
    """Its commit that the run is about; it may have newer ones."""
    head_repository: str = ""
    """`owner/name`; empty if the fork was deleted."""
    is_fork: bool = False
    is_draft: bool = False
    labels: tuple[str, ...] = ()
    additions: int | None = None
    deletions: int | None = None
    changed_files: int | None = None
    current: bool = False
    """Whether it comes from GitHub's API and not from the payload of the event, which is old in a rerun."""
    problem: str = ""
    """Why it may be outdated, or an empty text."""

    def shown(self, redact: Callable[[str], str]) -> "Pull":
        """Return it with redacted texts."""
        return replace(
            self,
            title=redact(self.title),
            body=redact(self.body),
            author=redact(self.author),
            base=redact(self.base),
            head=redact(self.head),
            head_repository=redact(self.head_repository),
            labels=tuple(map(redact, self.labels)),
        )

    def label_among(self, labels: Iterable[str]) -> str:
        """Return its first label that is one of these, ignoring case as GitHub does; or an empty text."""
        asked = {label.casefold() for label in labels}
        return next((label for label in self.labels if label.casefold() in asked), "")


@dataclass(frozen=True)
class NoPull:
    """Why the run has no pull request."""

    reason: str
    broken: bool = False
    """Whether the event requires one."""

    def shown(self, redact: Callable[[str], str]) -> "NoPull":
        """Return it with a redacted reason."""
        return replace(self, reason=redact(self.reason))


NO_PULL: Final = NoPull("no pull request here")


def pull_from(payload: Mapping[str, Any], *, current: bool = False) -> Pull | None:
    """Return a pull request from GitHub's JSON; None if number or title is missing."""
    number, title = _count(payload.get("number")), payload.get("title")
    if not number or not isinstance(title, str):
        return None
    user, base, head = (_object(payload, name) for name in ("user", "base", "head"))
    author = _text(user, "login")
    own, other = (_text(_object(side, "repo"), "full_name") for side in (base, head))
    return Pull(
        number=number,
        title=plain(title),
        body=_text(payload, "body"),
        author=author,
        is_bot=_text(user, "type") == "Bot" or author.endswith("[bot]"),
        base=_text(base, "ref"),
        base_sha=_text(base, "sha"),
        head=_text(head, "ref"),
        head_sha=_text(head, "sha"),
        head_repository=other,
        is_fork=not other or other != own,  # whose code it is has to be known, or it is a stranger's
        is_draft=payload.get("draft") is True,
        labels=tuple(_labels(payload.get("labels"))),
        additions=_count(payload.get("additions")),
        deletions=_count(payload.get("deletions")),
        changed_files=_count(payload.get("changed_files")),
        current=current,
    )


def _object(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = payload.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    return plain(value) if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value < _LARGEST else None


def _labels(value: object) -> Iterable[str]:
    for label in value if isinstance(value, list | tuple) else ():
        name = _text(label, "name") if isinstance(label, Mapping) else ""
        if name:
            yield name


def pull_of(event: Event, github: GitHub | None) -> Pull | NoPull:
    """Return the pull request of an event, from GitHub's API, else from the payload; never raises."""
    if event.name.startswith("pull_request"):
        return _of_pull_request(event, github)
    match event.name:
        case "issue_comment":
            return _of_comment(event, github)
        case "workflow_run":
            return _of_workflow_run(event, github)
        case "merge_group":
            return _of_merge_group(event, github)
        case "":
            return NoPull("no pull request here: not running under GitHub Actions")
        case _:
            return NoPull(f"no pull request here: the event is {event.name!r}")


def _of_pull_request(event: Event, github: GitHub | None) -> Pull | NoPull:
    payload = _object(event.payload, "pull_request")
    number = _count(payload.get("number")) or _count(event.payload.get("number"))
    if not number:
        why = event.problem or "not in its payload"
        return NoPull(
            f"the pull request of the event {event.name!r} is unknown: {why};"
            " set GITHUB_EVENT_PATH to the file of the event (act: `--eventpath FILE`)",
            broken=True,
        )
    then = pull_from({**payload, "number": number})
    now, problem = _asked(github, number)
    if now is None:
        if then is None:
            return NoPull(
                f"the payload of the event {event.name!r} lacks the title of pull request #{number},"
                f" and it could not be read from GitHub: {problem or _ADVICE}",
                broken=True,
            )
        return replace(then, problem=_may_be_old(event, problem))
    if then is None or then.head_sha in {"", now.head_sha}:
        return now
    # There are newer commits, which another run checks: the counts remain those of this run's commits.
    return replace(
        now,
        head_sha=then.head_sha,
        base_sha=then.base_sha,
        additions=then.additions,
        deletions=then.deletions,
        changed_files=then.changed_files,
    )


def _may_be_old(event: Event, problem: str) -> str:
    used = "using title, labels and draft of the event"
    if problem:
        return f"could not read the current pull request ({problem}): {used}"
    if event.attempt > 1:
        return f"this is a rerun without `github-token`: {used}, which may be outdated"
    return ""


def _asked(github: GitHub | None, number: int) -> tuple[Pull | None, str]:
    """Return a pull request from GitHub's API, or the reason why not; both are empty without a token."""
    if github is None:
        return None, ""
    try:
        pull = pull_from(github.pull(number), current=True)
    except ApiError as error:
        return None, error.reason
    if pull is None or pull.number != number:
        return None, f"GitHub's answer is not about pull request #{number}"
    return pull, ""


def _by_number(github: GitHub | None, number: int, what: str, *, needed: bool) -> Pull | NoPull:
    pull, problem = _asked(github, number)
    if pull is not None:
        return pull
    why = problem or _ADVICE
    if needed:
        return NoPull(f"{what} is about pull request #{number}, which could not be read: {why}", broken=True)
    return NoPull(f"no pull request here: {what} is about #{number}, which could not be read: {why}")


def _of_comment(event: Event, github: GitHub | None) -> Pull | NoPull:
    issue = _object(event.payload, "issue")
    number = _count(issue.get("number"))
    if not number:
        return NoPull(f"the event 'issue_comment' has no issue{_because(event)}", broken=True)
    if not isinstance(issue.get("pull_request"), Mapping):
        return NoPull("no pull request here: the comment is on an issue")
    return _by_number(github, number, "the comment", needed=True)


def _of_workflow_run(event: Event, github: GitHub | None) -> Pull | NoPull:
    run = _object(event.payload, "workflow_run")
    sha = _text(run, "head_sha")
    named = run.get("pull_requests")
    pulls = [one for one in named if isinstance(one, Mapping)] if isinstance(named, list) else []
    # Several if the branch has several: that of the commit of the run comes first.
    pulls.sort(key=lambda one: _text(_object(one, "head"), "sha") != sha)
    number = next(filter(None, (_count(one.get("number")) for one in pulls)), None)
    if number is None and _text(run, "event") == "pull_request":
        return _of_commit(run, sha, github)
    if number is None:
        return NoPull("no pull request here: the workflow run has none")
    return _by_number(github, number, "the workflow run", needed=True)


def _of_commit(run: Mapping[str, Any], sha: str, github: GitHub | None) -> Pull | NoPull:
    """Return the pull request of a run from a fork, which the event lacks, by its commit."""
    from_repository = _text(_object(run, "head_repository"), "full_name")
    if github is None or not sha:
        return NoPull(f"no pull request here: the workflow run has none; to search for it, {_ADVICE}")
    try:
        answers = [pull_from(one, current=True) for one in github.pulls_of_commit(sha)]
    except ApiError as error:
        return NoPull(f"no pull request here: {error.reason}")
    found = [one for one in answers if one and one.head_sha == sha and one.head_repository == from_repository]
    if len(found) == 1:
        return _by_number(github, found[0].number, "the workflow run", needed=True)
    return NoPull("no pull request here: none or several have the commit of the workflow run")


def _of_merge_group(event: Event, github: GitHub | None) -> Pull | NoPull:
    match = _QUEUED.fullmatch(_text(_object(event.payload, "merge_group"), "head_ref"))
    if match is None:
        return NoPull(f"no pull request here: the merge group has none{_because(event)}")
    return _by_number(github, int(match[1]), "the merge group", needed=False)


def _because(event: Event) -> str:
    return f" ({event.problem})" if event.problem else ""
