"""The requests to GitHub's REST API. Answers are JSON with foreign text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol
from urllib.parse import quote

from ci_action.github.errors import Answer, ApiError, decoded

PER_PAGE: Final = 100
# No list that we read is longer, except one whose pages form a circle.
_MOST_PAGES: Final = 300
_REPOSITORY: Final = re.compile(r"(?!\.)[\w.-]+/(?!\.{1,2}$)[\w.-]+", re.ASCII)
_NEXT: Final = re.compile(r'<([^<>]+)>;[^,]*\brel="?next\b')


class Ask(Protocol):
    """Sends a request and returns the answer; raises `ApiError` if it failed."""

    def __call__(
        self,
        verb: str,
        path: str,
        what: str,
        needs: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Send; an error mentions `what` and the permission `needs`."""
        ...


class GitHub:
    """The repository of the run on GitHub. Every method raises `ApiError`."""

    def __init__(self, ask: Ask, repository: str) -> None:
        """`repository` is `owner/name`."""
        self._send = ask
        self._repository = repository

    def pull(self, number: int) -> Mapping[str, Any]:
        """Return the current state of a pull request."""
        return self._object("GET", f"pulls/{number}", f"read pull request #{number}", "pull-requests: read")

    def pull_files(self, number: int) -> Iterator[Mapping[str, Any]]:
        """Yield the changed files of a pull request; GitHub lists 3,000 at most."""
        return self._pages(
            f"pulls/{number}/files", f"list the files of pull request #{number}", "pull-requests: read"
        )

    def pulls_of_commit(self, sha: str) -> Sequence[Mapping[str, Any]]:
        """Return the pull requests that a commit belongs to."""
        path = f"commits/{quote(sha, safe='')}/pulls"
        return list(self._pages(path, "find the pull request of the commit", "pull-requests: read"))

    def merge_base(self, base: str, head: str) -> str:
        """Return the merge base of two commits."""
        what = "find the merge base of the pull request"
        path = f"compare/{quote(base, safe='')}...{quote(head, safe='')}"
        found = self._object("GET", path, what, "contents: read", parameters={"per_page": 1})
        commit = found.get("merge_base_commit")
        sha = commit.get("sha") if isinstance(commit, dict) else None
        if not isinstance(sha, str) or not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", sha):
            raise ApiError(f"the request to {what} failed: GitHub's answer has no commit")
        return sha

    def comments(self, number: int) -> Iterator[Mapping[str, Any]]:
        """Yield the comments of a pull request, the oldest first."""
        what = f"list the comments of pull request #{number}"
        return self._pages(f"issues/{number}/comments", what, "pull-requests: read")

    def create_comment(self, number: int, body: str) -> Mapping[str, Any]:
        """Write a comment."""
        what = f"comment on pull request #{number}"
        return self._object(
            "POST", f"issues/{number}/comments", what, "pull-requests: write", body={"body": body}
        )

    def update_comment(self, comment: int, body: str) -> None:
        """Replace the text of a comment."""
        path = f"issues/comments/{comment}"
        self._object("PATCH", path, "update the comment", "pull-requests: write", body={"body": body})

    def delete_comment(self, comment: int) -> None:
        """Delete a comment."""
        self._ask("DELETE", f"issues/comments/{comment}", "delete the comment", "pull-requests: write")

    def create_check_run(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Create a check run."""
        return self._object("POST", "check-runs", "create a check run", "checks: write", body=body)

    def update_check_run(self, check_run: int, body: Mapping[str, Any]) -> None:
        """Update a check run; annotations are appended."""
        self._object("PATCH", f"check-runs/{check_run}", "update the check run", "checks: write", body=body)

    def review_comments(self, number: int) -> Iterator[Mapping[str, Any]]:
        """Yield the comments on lines of a pull request."""
        what = f"list the review comments of pull request #{number}"
        return self._pages(f"pulls/{number}/comments", what, "pull-requests: read")

    def create_review(self, number: int, body: Mapping[str, Any]) -> None:
        """Write a review with comments on lines."""
        what = f"review pull request #{number}"
        self._object("POST", f"pulls/{number}/reviews", what, "pull-requests: write", body=body)

    def add_labels(self, number: int, labels: Sequence[str]) -> None:
        """Add labels to a pull request; those that do not exist are created."""
        body = {"labels": list(labels)}
        what = f"label pull request #{number}"
        self._ask("POST", f"issues/{number}/labels", what, "pull-requests: write", body=body)

    def remove_label(self, number: int, label: str) -> None:
        """Remove a label."""
        path = f"issues/{number}/labels/{quote(label, safe='')}"
        self._ask("DELETE", path, f"remove a label from pull request #{number}", "pull-requests: write")

    def login(self) -> str:
        """Return the user of the token, such as `github-actions[bot]`; empty with the token of a workflow."""
        what = "read the user of the token"
        try:
            answer = self._send("GET", "/user", what, "the right to read its own user")
        except ApiError as error:
            if error.status in {403, 404}:
                return ""
            raise
        found = decoded(answer, what, dict).get("login")
        return found if isinstance(found, str) else ""

    def _ask(self, verb: str, path: str, what: str, needs: str, **given: Any) -> Answer:
        if not _REPOSITORY.fullmatch(self._repository):
            raise ApiError(f"the request to {what} failed: GITHUB_REPOSITORY is not `owner/name`")
        return self._send(verb, f"/repos/{self._repository}/{path}", what, needs, **given)

    def _object(self, verb: str, path: str, what: str, needs: str, **given: Any) -> Mapping[str, Any]:
        found: Mapping[str, Any] = decoded(self._ask(verb, path, what, needs, **given), what, dict)
        return found

    def _pages(self, path: str, what: str, needs: str) -> Iterator[Mapping[str, Any]]:
        answer = self._ask("GET", path, what, needs, parameters={"per_page": PER_PAGE})
        seen: set[str] = set()
        while True:
            for entry in decoded(answer, what, list):
                if not isinstance(entry, dict):
                    raise ApiError(
                        f"the request to {what} failed: an entry of GitHub's list is not a JSON object"
                    )
                yield entry
            following = _NEXT.search(answer.headers.get("link", ""))
            if following is None:
                return
            if following[1] in seen or len(seen) >= _MOST_PAGES:
                raise ApiError(f"the request to {what} failed: GitHub's list has no last page")
            seen.add(following[1])
            answer = self._send("GET", following[1], what, needs)
