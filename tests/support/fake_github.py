"""GitHub as a small object: it returns given values, records writes and raises given errors."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ci_action.github.errors import ApiError
from ci_action.github.pull_request import Pull


def pull(**overrides: Any) -> Pull:
    values = {
        "number": 7,
        "title": "feat: something",
        "author": "someone",
        "base": "main",
        "base_sha": "b" * 40,
        "head": "topic",
        "head_sha": "a" * 40,
        "head_repository": "o/r",
    }
    return Pull(**{**values, **overrides})


def entry(name: str, **overrides: Any) -> dict[str, Any]:
    """Return a file as GitHub lists it."""
    return {"filename": name, "status": "modified", "additions": 1, "deletions": 0, **overrides}


class FilesAndLabels:
    """A pull request with its files and labels."""

    def __init__(
        self,
        files: Sequence[Mapping[str, Any]] = (),
        *,
        labels: Sequence[str] = (),
        refuses: Mapping[str, ApiError] | None = None,
    ) -> None:
        self.labels = list(labels)
        self.asked: list[str] = []
        self._files = files
        self._refuses = refuses or {}

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what in self._refuses:
            raise self._refuses[what]

    def pull(self, number: int) -> Mapping[str, Any]:
        self._ask("pull")
        return {"number": number, "title": "x", "labels": [{"name": label} for label in self.labels]}

    def pull_files(self, number: int) -> Iterator[Mapping[str, Any]]:
        self._ask("pull_files")
        yield from self._files

    def add_labels(self, number: int, labels: Sequence[str]) -> None:
        self._ask("add_labels")
        self.labels += labels

    def remove_label(self, number: int, label: str) -> None:
        self._ask("remove_label")
        self.labels.remove(label)
