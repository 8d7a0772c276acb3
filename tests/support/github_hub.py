"""The state of the fake GitHub: one repository, its pull requests, permissions and failures."""

import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from support.github_bodies import Body, comment, sha_of

BOT = "github-actions[bot]"
WRITE = {"contents": "write", "pull-requests": "write", "checks": "write"}
READ = {"contents": "read", "pull-requests": "read", "checks": "read"}
TOKEN, READER, PERSON = "ghs_writer", "ghs_reader", "ghp_person"


@dataclass
class Token:
    """The user and the permissions of a token. Only the token of a person reveals its user."""

    login: str = BOT
    may: Mapping[str, str] = field(default_factory=lambda: dict(WRITE))
    app: str = "github-actions"
    remaining: int | None = None
    """Number of remaining requests; None for no limit."""
    writes: int | None = None
    """Number of remaining writes before the secondary rate limit."""
    pause: int | None = 1
    """The `Retry-After` header after that; None for no header."""


@dataclass
class Fault:
    """What goes wrong with requests that match `<verb> <path>`, so many times."""

    matches: str
    status: int = 0
    """The status of the answer; 0 if `kind` decides."""
    kind: str = ""
    """`half` an answer, `hang`, `drip`, `reset`, or plain `text`."""
    text: str = ""
    times: int = 1_000_000
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """A request that was seen."""

    verb: str
    path: str
    query: str
    body: Any
    status: int


@dataclass
class Hub:
    """The repository `o/r` on GitHub."""

    repository: str = "o/r"
    root: str = ""
    """The address of the API, once it is served."""
    prefix: str = ""
    """What comes before every path, as on GitHub Enterprise Server: `/api/v3`."""
    tokens: dict[str, Token] = field(default_factory=dict)
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    files: dict[int, list[Body]] = field(default_factory=dict)
    commits: dict[str, list[int]] = field(default_factory=dict)
    """The pull requests of commits; those of heads are known by themselves."""
    merge_bases: dict[tuple[str, str], str] = field(default_factory=dict)
    comments: dict[int, list[Body]] = field(default_factory=dict)
    review_comments: dict[int, list[Body]] = field(default_factory=dict)
    reviews: list[Body] = field(default_factory=list)
    check_runs: dict[int, Body] = field(default_factory=dict)
    annotations: dict[int, list[Body]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Where a request or an answer is not as GitHub describes it."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    _last: int = 1000

    def __post_init__(self) -> None:
        known = {
            TOKEN: Token(),
            READER: Token(may=dict(READ)),
            PERSON: Token(login="maintainer", app=""),
        }
        self.tokens = {**known, **self.tokens}

    def next_id(self) -> int:
        self._last += 1
        return self._last

    def add_pull(self, number: int = 7, **overrides: Any) -> dict[str, Any]:
        """Add a pull request; its head commit is `head_sha`."""
        values = {
            "number": number,
            "title": "feat: a title",
            "body": "",
            "draft": False,
            "author": "someone",
            "labels": [],
            "head": "topic",
            "head_sha": sha_of(f"head {number}"),
            "head_repository": self.repository,
            "base": "main",
            "base_sha": sha_of("base"),
            "additions": 3,
            "deletions": 1,
            "changed_files": len(self.files.get(number, [])),
            **overrides,
        }
        self.pulls[number] = values
        for kept in (self.comments, self.review_comments, self.files):
            kept.setdefault(number, [])
        return values

    def add_comment(self, number: int, author: str, body: str, *, via: str = "") -> Body:
        """Add a comment of somebody."""
        made = comment(self.next_id(), author, body, self.root, via=via)
        self.comments[number].append(made)
        return made

    def asked(self, verb: str, path: str = "") -> list[Request]:
        """Return the requests of a kind; `path` is a regular expression that has to be found in the path."""
        return [one for one in self.requests if one.verb == verb and re.search(path, one.path)]

    @property
    def tally(self) -> dict[str, int]:
        """Number of requests by kind, without ids."""
        return dict(
            Counter(f"{one.verb} {re.sub(r'[0-9a-f]{40}|[0-9]+', 'N', one.path)}" for one in self.requests)
        )

    def fault(self, verb: str, path: str) -> Fault | None:
        """Return what goes wrong with a request, and count it."""
        for one in self.faults:
            if one.times > 0 and re.search(one.matches, f"{verb} {path}"):
                one.times -= 1
                return one
        return None
