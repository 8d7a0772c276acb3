"""The pull request of a run: what the event says of it, and what GitHub says of it now. All text in it is foreign."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


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
    head_repository: str = ""
    """`owner/name`; empty where the fork is gone."""
    is_fork: bool = False
    is_draft: bool = False
    labels: tuple[str, ...] = ()
    additions: int | None = None
    deletions: int | None = None
    changed_files: int | None = None
    current: bool = False
    """Whether GitHub said so just now, and not the payload of the event, which is old in a re-run."""


@dataclass(frozen=True)
class NoPull:
    """Why there is no pull request to look at."""

    reason: str
    broken: bool = False
    """Whether there has to be one: an event of a pull request that does not say which."""


NO_PULL: Final = NoPull("no pull request here")


def pull_from(payload: Mapping[str, Any], *, current: bool = False) -> Pull | None:
    """Read a pull request as GitHub writes it in payloads and answers; None where it is none."""
    raise NotImplementedError
