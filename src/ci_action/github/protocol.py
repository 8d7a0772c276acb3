"""What we ask of GitHub's API, whoever answers: `gh.api` does it through PyGithub, a test by a small object.

Every method raises `ApiError` with the reason in a sentence. Answers are the JSON of GitHub as it is: foreign text.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from ci_action.system.errors import ToolError


class ApiError(ToolError):
    """GitHub did not do what was asked: refused, not there, too much, or no answer."""

    def __init__(self, reason: str, status: int = 0) -> None:
        """`status` is that of HTTP; 0 where there was no answer."""
        super().__init__(reason)
        self.status = status


class GitHub(Protocol):
    """The repository of the run on GitHub."""

    def pull(self, number: int) -> Mapping[str, Any]:
        """Return a pull request as it is now."""
        ...

    def pull_files(self, number: int) -> Iterator[Mapping[str, Any]]:
        """Yield the changed files of a pull request over all pages; GitHub tells 3,000 of them at most."""
        ...

    def pulls_of_commit(self, sha: str) -> Sequence[Mapping[str, Any]]:
        """Return the pull requests that a commit belongs to."""
        ...

    def merge_base(self, base: str, head: str) -> str:
        """Return the commit at which two lines of history part."""
        ...

    def comments(self, number: int) -> Iterator[Mapping[str, Any]]:
        """Yield the comments of a pull request over all pages, the oldest first."""
        ...

    def create_comment(self, number: int, body: str) -> Mapping[str, Any]:
        """Write a comment."""
        ...

    def update_comment(self, comment: int, body: str) -> None:
        """Replace the text of a comment."""
        ...

    def delete_comment(self, comment: int) -> None:
        """Take a comment away."""
        ...

    def create_check_run(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Create a check run."""
        ...

    def update_check_run(self, check_run: int, body: Mapping[str, Any]) -> None:
        """Change a check run; annotations are appended."""
        ...

    def review_comments(self, number: int) -> Iterator[Mapping[str, Any]]:
        """Yield the comments on lines of a pull request over all pages."""
        ...

    def create_review(self, number: int, body: Mapping[str, Any]) -> None:
        """Write a review with comments on lines."""
        ...

    def add_labels(self, number: int, labels: Sequence[str]) -> None:
        """Add labels to a pull request; those that do not exist are created."""
        ...

    def remove_label(self, number: int, label: str) -> None:
        """Take a label away."""
        ...

    def login(self) -> str:
        """Return who we write as, such as `github-actions[bot]`; empty where GitHub does not tell."""
        ...
