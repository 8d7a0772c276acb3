"""GitHub as a small object that records comments, check runs and reviews, and raises given errors."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ci_action.github.client import GitHub
from ci_action.github.errors import ApiError

BOT = "github-actions[bot]"
HEAD = "a" * 40


class Feedback(GitHub):
    """A pull request and what is written on it."""

    def __init__(
        self, *, login: str = "", head: str = HEAD, refuses: Mapping[str, ApiError] | None = None
    ) -> None:
        self.found: list[dict[str, Any]] = []
        self.files: list[dict[str, Any]] = []
        self.lines: list[dict[str, Any]] = []
        self.created: list[dict[str, Any]] = []
        self.updated: list[dict[str, Any]] = []
        self.reviews: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.writer = login or BOT
        self.before_write: Callable[[], None] = lambda: None
        self._login = login
        self._head = head
        self._refuses = dict(refuses or {})
        self._last = 0

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self._refuses:
            raise self._refuses[name]

    def add(self, author: str, body: str, *, via: str = "", kind: str = "") -> dict[str, Any]:
        self._last += 1
        kind = kind or ("Bot" if author.endswith("[bot]") else "User")
        app = {"slug": via} if via else None
        made = {
            "id": self._last,
            "body": body,
            "user": {"login": author, "type": kind},
            "performed_via_github_app": app,
        }
        self.found.append(made)
        return made

    @property
    def bodies(self) -> list[str]:
        return [one["body"] for one in self.found]

    def login(self) -> str:
        self._call("login")
        return self._login

    def pull(self, number: int) -> Mapping[str, Any]:
        self._call("pull")
        return {"number": number, "title": "t", "head": {"sha": self._head}}

    def pull_files(self, number: int) -> Iterator[Mapping[str, Any]]:
        self._call("pull_files")
        yield from self.files

    def comments(self, number: int) -> Iterator[Mapping[str, Any]]:
        self._call("comments")
        yield from [dict(one) for one in self.found]

    def create_comment(self, number: int, body: str) -> Mapping[str, Any]:
        self.before_write()
        self._call("create_comment")
        return self.add(self.writer, body)

    def update_comment(self, comment: int, body: str) -> None:
        self.before_write()
        self._call("update_comment")
        next(one for one in self.found if one["id"] == comment)["body"] = body

    def delete_comment(self, comment: int) -> None:
        self._call("delete_comment")
        there = [one for one in self.found if one["id"] == comment]
        if not there:
            raise ApiError("it is gone", 404)
        self.found.remove(there[0])

    def create_check_run(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self._call("create_check_run")
        self.created.append(dict(body))
        return {"id": len(self.created)}

    def update_check_run(self, check_run: int, body: Mapping[str, Any]) -> None:
        self.updated.append(dict(body))
        self._call(f"update_check_run {len(self.updated)}")

    def review_comments(self, number: int) -> Iterator[Mapping[str, Any]]:
        self._call("review_comments")
        yield from self.lines

    def create_review(self, number: int, body: Mapping[str, Any]) -> None:
        self._call("create_review")
        self.reviews.append(dict(body))

    def pulls_of_commit(self, sha: str) -> Sequence[Mapping[str, Any]]:
        raise AssertionError("no reporter asks for it")

    def merge_base(self, base: str, head: str) -> str:
        raise AssertionError("no reporter asks for it")

    def add_labels(self, number: int, labels: Sequence[str]) -> None:
        raise AssertionError("these reporters set none")

    def remove_label(self, number: int, label: str) -> None:
        raise AssertionError("these reporters set none")
