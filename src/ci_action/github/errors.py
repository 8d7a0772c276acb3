"""GitHub's errors: the message with what to do for each, and how long to wait before a retry."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ci_action.system.errors import ToolError
from ci_action.system.text import one_line

FORBIDDEN: Final = 403
TOO_MANY: Final = 429
SERVER: Final = 500
"""The first status of the errors of a server."""

_LONGEST_MESSAGE: Final = 300
_MOST_ERRORS: Final = 3
# What GitHub's documentation asks for without `retry-after` ("Rate limits for the REST API").
_SECONDARY_PAUSE: Final = 60.0
_LIMITED: Final = (
    "rate limit",
    "abuse detection",
    "please wait a few minutes",
    "retry your request again later",
)

_LIMIT: Final = "rate limit, retry after {seconds} s: rerun the job later"
_FAILURE: Final = "server error: rerun the job"
_UNEXPECTED: Final = "unexpected answer: check that `GITHUB_API_URL` is the address of a GitHub API"
_READ_ONLY: Final = "; the token is always read-only for pull requests from forks and from Dependabot"
# The cause, and what to do; `NEEDED` is replaced by the permission.
_REASONS: Final = {
    401: "invalid token: set `github-token` to one that has not expired",
    FORBIDDEN: "missing permission: the job needs `permissions: NEEDED`",
    404: "not found, or missing permission: the job needs `permissions: NEEDED`",
    410: "deleted, or disabled in the settings of the repository",
    422: "invalid request",
}


class ApiError(ToolError):
    """A request to GitHub failed: refused, not found, limited, or without an answer."""

    def __init__(self, reason: str, status: int = 0) -> None:
        """`status` is that of HTTP; 0 without an answer."""
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Answer:
    """An answer; the names of the headers are lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def message(self) -> str:
        """GitHub's message with the errors in it: foreign text on one line."""
        try:
            data = json.loads(self.text)
        except (ValueError, RecursionError):
            return ""
        if not isinstance(data, dict):
            return ""
        errors = data.get("errors")
        parts = [data.get("message"), *(errors if isinstance(errors, list) else [errors])[:_MOST_ERRORS]]
        shown = [text for text in map(_words, parts) if text]
        return one_line("; ".join(shown))[:_LONGEST_MESSAGE]

    @property
    def limited(self) -> bool:
        """Whether a rate limit refused it, so that a retry may succeed."""
        if self.status == TOO_MANY:
            return True
        if self.status != FORBIDDEN:  # which has other reasons too
            return False
        spent = self.headers.get("x-ratelimit-remaining") == "0"
        words = self.message.casefold()
        return spent or "retry-after" in self.headers or any(word in words for word in _LIMITED)

    def pause(self) -> float:
        """Return the seconds to wait before a retry."""
        after = self.headers.get("retry-after", "")
        if after.isascii() and after.isdecimal():
            return float(after)
        reset = self.headers.get("x-ratelimit-reset", "")
        spent = self.headers.get("x-ratelimit-remaining") == "0"
        if spent and reset.isascii() and reset.isdecimal():
            return max(0.0, float(reset) - time.time()) + 1
        return _SECONDARY_PAUSE


def _words(entry: object) -> str:
    if isinstance(entry, dict):
        words = (entry.get(name) for name in ("resource", "field", "code", "message"))
        return " ".join(word for word in words if isinstance(word, str))
    return entry if isinstance(entry, str) else ""


def refusal(answer: Answer, what: str, needs: str) -> ApiError:
    """Return the error for a failed request: what was requested, why it failed, what to do."""
    return ApiError(f"the request to {what} failed: {_reason(answer, needs)}", answer.status)


def _reason(answer: Answer, needs: str) -> str:
    status, message = answer.status, answer.message
    quoted = f" ({status}, {message!r})" if message else f" ({status})"
    if answer.limited:
        text = _LIMIT.format(seconds=f"{answer.pause():,.0f}")
    elif status >= SERVER:
        text = _FAILURE
    else:
        text = _REASONS.get(status, _UNEXPECTED)
        text += _READ_ONLY if status == FORBIDDEN and needs.endswith("write") else ""
    cause, _, remedy = text.partition(": ")
    return f"{cause}{quoted}" + (f": {remedy.replace('NEEDED', needs)}" if remedy else "")


def decoded(answer: Answer, what: str, shape: type) -> Any:
    """Return the JSON of an answer; raises `ApiError` if it is invalid or has another shape."""
    try:
        data = json.loads(answer.text)
    except (ValueError, RecursionError) as error:
        raise ApiError(
            f"the request to {what} failed: GitHub's answer of {len(answer.text):,} characters is not valid JSON",
            answer.status,
        ) from error
    if not isinstance(data, shape):
        kind = "object" if shape is dict else "list"
        raise ApiError(f"the request to {what} failed: GitHub's answer is not a JSON {kind}", answer.status)
    return data
