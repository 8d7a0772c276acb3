"""What we ask of GitHub, by the addresses of its REST API."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol
from urllib.parse import quote

from ci_action.github.errors import Answer, decoded
from ci_action.github.protocol import ApiError, GitHub

PER_PAGE: Final = 100
# No list that we read is longer, but one that leads in a circle is.
_MOST_PAGES: Final = 300
_REPOSITORY: Final = re.compile(r"(?!\.)[\w.-]+/(?!\.{1,2}$)[\w.-]+", re.ASCII)
_NEXT: Final = re.compile(r'<([^<>]+)>;[^,]*\brel="?next\b')


class Ask(Protocol):
    """Sends a request and returns the answer, if it succeeded; raises `ApiError` else."""

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
        """Ask; `what` goes on after "GitHub did not", `needs` after "permissions:"."""
        ...


class Api(GitHub):
    """The repository of the run on GitHub, by REST."""

    def __init__(self, ask: Ask, repository: str) -> None:
        """`repository` is `owner/name`."""
        self._send = ask
        self._repository = repository

    def pull(self, number: int) -> Mapping[str, Any]:
        """Return a pull request as it is now."""
        return self._object(
            "GET", f"pulls/{number}", f"show the pull request #{number}", "pull-requests: read"
        )

    def pull_files(self, number: int) -> Iterator[Mapping[str, Any]]:
        """Yield the changed files of a pull request."""
        return self._pages(
            f"pulls/{number}/files", f"list the files of the pull request #{number}", "pull-requests: read"
        )

    def pulls_of_commit(self, sha: str) -> Sequence[Mapping[str, Any]]:
        """Return the pull requests that a commit belongs to."""
        path = f"commits/{quote(sha, safe='')}/pulls"
        return list(self._pages(path, "say which pull request the commit is of", "pull-requests: read"))

    def merge_base(self, base: str, head: str) -> str:
        """Return the commit at which two lines of history part."""
        what = "say where the pull request left its base branch"
        path = f"compare/{quote(base, safe='')}...{quote(head, safe='')}"
        found = self._object("GET", path, what, "contents: read", parameters={"per_page": 1})
        commit = found.get("merge_base_commit")
        sha = commit.get("sha") if isinstance(commit, dict) else None
        if not isinstance(sha, str) or not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", sha):
            raise ApiError(f"GitHub did not {what}: its answer names no commit")
        return sha

    def comments(self, number: int) -> Iterator[Mapping[str, Any]]:
        """Yield the comments of a pull request."""
        what = f"list the comments of the pull request #{number}"
        return self._pages(f"issues/{number}/comments", what, "pull-requests: read")

    def create_comment(self, number: int, body: str) -> Mapping[str, Any]:
        """Write a comment."""
        what = f"take a comment on the pull request #{number}"
        return self._object(
            "POST", f"issues/{number}/comments", what, "pull-requests: write", body={"body": body}
        )

    def update_comment(self, comment: int, body: str) -> None:
        """Replace the text of a comment."""
        path = f"issues/comments/{comment}"
        self._object("PATCH", path, "change our comment", "pull-requests: write", body={"body": body})

    def delete_comment(self, comment: int) -> None:
        """Take a comment away."""
        self._ask("DELETE", f"issues/comments/{comment}", "delete our comment", "pull-requests: write")

    def create_check_run(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Create a check run."""
        return self._object("POST", "check-runs", "take a check run", "checks: write", body=body)

    def update_check_run(self, check_run: int, body: Mapping[str, Any]) -> None:
        """Change a check run."""
        self._object("PATCH", f"check-runs/{check_run}", "change the check run", "checks: write", body=body)

    def review_comments(self, number: int) -> Iterator[Mapping[str, Any]]:
        """Yield the comments on lines of a pull request."""
        what = f"list the review comments of the pull request #{number}"
        return self._pages(f"pulls/{number}/comments", what, "pull-requests: read")

    def create_review(self, number: int, body: Mapping[str, Any]) -> None:
        """Write a review with comments on lines."""
        what = f"take a review of the pull request #{number}"
        self._object("POST", f"pulls/{number}/reviews", what, "pull-requests: write", body=body)

    def add_labels(self, number: int, labels: Sequence[str]) -> None:
        """Add labels to a pull request."""
        body = {"labels": list(labels)}
        what = f"label the pull request #{number}"
        self._ask("POST", f"issues/{number}/labels", what, "pull-requests: write", body=body)

    def remove_label(self, number: int, label: str) -> None:
        """Take a label away."""
        path = f"issues/{number}/labels/{quote(label, safe='')}"
        self._ask("DELETE", path, f"take a label off the pull request #{number}", "pull-requests: write")

    def login(self) -> str:
        """Return who we write as; empty where GitHub does not tell, as with the token of a workflow."""
        what = "say whose token it is"
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
            raise ApiError(f"GitHub did not {what}: GITHUB_REPOSITORY is no `owner/name`")
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
                    raise ApiError(f"GitHub did not {what}: its list holds something that is no JSON object")
                yield entry
            following = _NEXT.search(answer.headers.get("link", ""))
            if following is None:
                return
            if following[1] in seen or len(seen) >= _MOST_PAGES:
                raise ApiError(f"GitHub did not {what}: its pages have no end")
            seen.add(following[1])
            answer = self._send("GET", following[1], what, needs)
