"""Pull requests of events, and GitHub as it may answer for them."""

from collections.abc import Mapping, Sequence
from typing import Any

from ci_action.github.errors import ApiError
from ci_action.github.event import Event
from ci_action.github.pull_request import NoPull, Pull, pull_of


class Answers:
    """GitHub's API with given pull requests; others are not found."""

    def __init__(
        self, *pulls: Mapping[str, Any], error: str = "", by_commit: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self.asked: list[int | str] = []
        self._pulls = {one["number"]: one for one in pulls}
        self._error = error
        self._by_commit = by_commit

    def pull(self, number: int) -> Mapping[str, Any]:
        self.asked.append(number)
        if self._error or number not in self._pulls:
            raise ApiError(self._error or "not found (404)", 404)
        return self._pulls[number]

    def pulls_of_commit(self, sha: str) -> Sequence[Mapping[str, Any]]:
        self.asked.append(sha)
        if self._error:
            raise ApiError(self._error, 403)
        return self._by_commit


def event(name: str = "pull_request", payload: Mapping[str, Any] | None = None, **overrides: Any) -> Event:
    return Event(name=name, payload=payload or {}, repository="o/r", **overrides)


def of(*given: Any, github: Any = None, **overrides: Any) -> Pull:
    found = pull_of(event(*given, **overrides), github)
    assert isinstance(found, Pull), found
    return found


def none_of(*given: Any, github: Any = None, **overrides: Any) -> NoPull:
    found = pull_of(event(*given, **overrides), github)
    assert isinstance(found, NoPull), found
    return found
