"""What GitHub's refusals mean: one sentence with what to do for each, and how long to wait before asking again."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ci_action.github.protocol import ApiError
from ci_action.system.text import one_line

_LONGEST_MESSAGE: Final = 300
_MOST_ERRORS: Final = 3
# What GitHub asks for where it does not say how long ("Rate limits for the REST API").
_SECONDARY_PAUSE: Final = 60.0
_LIMITED: Final = (
    "rate limit",
    "abuse detection",
    "please wait a few minutes",
    "retry your request again later",
)

_LIMIT: Final = "too much was asked of it, and it wants a pause of {seconds} s: run the job again later"
_FAILURE: Final = "it has a failure of its own: run the job again"
_UNEXPECTED: Final = "its answer was not expected: is `GITHUB_API_URL` that of a GitHub API?"
_READ_ONLY: Final = (
    "; for pull requests of forks and of Dependabot the token is read-only whatever the workflow says"
)
# The cause, and what to do; `NEEDED` stands for the permission.
_REASONS: Final = {
    401: "the token is not valid: give `github-token` one that has not expired",
    403: "the token may not: the job needs `permissions: NEEDED`",
    404: "there is no such thing, or the token may not see it: the job needs `permissions: NEEDED`",
    410: "it is gone: it was deleted, or is switched off in the settings of the repository",
    422: "it was refused as it is",
}


@dataclass(frozen=True)
class Answer:
    """An answer as it came; the names of the headers are lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def message(self) -> str:
        """What GitHub says of it, with the mistakes that it names: foreign text on one line."""
        try:
            data = json.loads(self.text)
        except (ValueError, RecursionError):
            return ""
        if not isinstance(data, dict):
            return ""
        errors = data.get("errors")
        said = [data.get("message"), *(errors if isinstance(errors, list) else [errors])[:_MOST_ERRORS]]
        shown = [text for text in map(_said, said) if text]
        return one_line("; ".join(shown))[:_LONGEST_MESSAGE]

    @property
    def limited(self) -> bool:
        """Whether it is refused because too much was asked, so that it may go through later."""
        if self.status == 429:  # noqa: PLR2004 - too many requests
            return True
        if self.status != 403:  # noqa: PLR2004 - forbidden, which has other reasons too
            return False
        spent = self.headers.get("x-ratelimit-remaining") == "0"
        words = self.message.casefold()
        return spent or "retry-after" in self.headers or any(word in words for word in _LIMITED)

    def pause(self) -> float:
        """Return how many seconds GitHub wants us to wait."""
        after = self.headers.get("retry-after", "")
        if after.isascii() and after.isdecimal():
            return float(after)
        reset = self.headers.get("x-ratelimit-reset", "")
        spent = self.headers.get("x-ratelimit-remaining") == "0"
        if spent and reset.isascii() and reset.isdecimal():
            return max(0.0, float(reset) - time.time()) + 1
        return _SECONDARY_PAUSE


def _said(entry: object) -> str:
    if isinstance(entry, dict):
        words = (entry.get(name) for name in ("resource", "field", "code", "message"))
        return " ".join(word for word in words if isinstance(word, str))
    return entry if isinstance(entry, str) else ""


def refusal(answer: Answer, what: str, needs: str) -> ApiError:
    """Return the error for an answer that is no success: what was asked for, why it failed, what to do."""
    return ApiError(f"GitHub did not {what}: {_reason(answer, needs)}", answer.status)


def _reason(answer: Answer, needs: str) -> str:
    status, said = answer.status, answer.message
    quoted = f" ({status}, {said!r})" if said else f" ({status})"
    if answer.limited:
        text = _LIMIT.format(seconds=f"{answer.pause():,.0f}")
    elif status >= 500:  # noqa: PLR2004 - the failures of the server
        text = _FAILURE
    else:
        text = _REASONS.get(status, _UNEXPECTED)
        text += _READ_ONLY if status == 403 and needs.endswith("write") else ""  # noqa: PLR2004 - forbidden
    cause, _, remedy = text.partition(": ")
    return f"{cause}{quoted}" + (f": {remedy.replace('NEEDED', needs)}" if remedy else "")


def decoded(answer: Answer, what: str, shape: type) -> Any:
    """Return the JSON of a success; raises `ApiError` where it is none, or of another shape."""
    try:
        data = json.loads(answer.text)
    except (ValueError, RecursionError) as error:
        raise ApiError(
            f"GitHub did not {what}: its answer is no whole JSON (of {len(answer.text):,} characters)",
            answer.status,
        ) from error
    if not isinstance(data, shape):
        kind = "object" if shape is dict else "list"
        raise ApiError(f"GitHub did not {what}: its answer is no JSON {kind}", answer.status)
    return data
