"""GitHub's API through PyGithub: the only module that imports it, at the first request.

PyGithub's own retries would wait for hours and repeat writes that may have succeeded, so they are disabled: a request
that hit a rate limit is retried, a failed one only if it reads, and all waiting of a run together is limited. A library
for retries limits each request alone, and its pauses do not end with an interruption.
"""

import re
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ci_action import __version__
from ci_action.github.client import PER_PAGE, GitHub
from ci_action.github.errors import SERVER, Answer, ApiError, refusal
from ci_action.github.event import Event
from ci_action.system.parallel import in_background

if TYPE_CHECKING:
    from github.Requester import Requester

API: Final = "https://api.github.com"
# Timeouts in seconds: without a byte, and for a whole request.
SILENCE: Final = 10
LONGEST: Final = 30.0
# Seconds that a run may wait for rate limits, for retries and for answers that never come. A rate limit without a time
# takes a minute, which is too long.
PATIENCE: Final = 45.0
_TRIES: Final = 3
_SUCCESS: Final = range(200, 300)
_TOKEN: Final = re.compile(r"[!-~]+")


def open_api(
    token: str,
    environ: Mapping[str, str],
    event: Event,
    *,
    stopped: Callable[[], bool] = lambda: False,
    patience: float = PATIENCE,
) -> GitHub | None:
    """Return the API for the repository of the run; None without a token or a repository. Nothing is sent yet.

    `stopped` returns whether the run was interrupted, which ends all waiting.
    """
    token = token.strip()
    if not token or not event.repository:
        return None
    address = environ.get("GITHUB_API_URL", "").strip() or API
    return GitHub(Line(address, token, stopped=stopped, patience=patience).ask, event.repository)


class Line:
    """Sends one request after the other."""

    def __init__(
        self,
        address: str,
        token: str,
        *,
        stopped: Callable[[], bool] = lambda: False,
        patience: float = PATIENCE,
        longest: float = LONGEST,
    ) -> None:
        """Open nothing yet."""
        self._address = address.rstrip("/")
        self._token = token
        self._stopped = stopped
        self._patience = patience
        self._longest = longest
        self._silence = ""

    @cached_property
    def _requester(self) -> "Requester":
        from github import Auth, Github  # takes half a second, which only its users pay

        return Github(
            auth=Auth.Token(self._token),
            base_url=self._address,
            timeout=SILENCE,
            user_agent=f"ci-action/{__version__}",
            per_page=PER_PAGE,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        ).requester

    def ask(
        self,
        verb: str,
        path: str,
        what: str,
        needs: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Return the answer to a request that succeeded; raises `ApiError`, which mentions `what`."""
        self._check(what)
        if self._silence and self._patience <= 0:
            raise ApiError(f"the request to {what} failed: not sent, because {self._silence}")
        for left in reversed(range(_TRIES)):
            again = left > 0 and not self._stopped()
            began = time.monotonic()
            try:
                answer = self._once(verb, path, parameters, body)
            except ApiError as error:
                self._silence = error.reason
                self._patience -= time.monotonic() - began
                if again and verb == "GET" and self._wait(2.0 ** (_TRIES - left - 1)):
                    continue
                raise ApiError(f"the request to {what} failed: {error.reason}") from error
            if answer.status in _SUCCESS:
                return answer
            failed = answer.status >= SERVER and verb == "GET"
            pause = answer.pause() if answer.limited else 2.0 ** (_TRIES - left - 1)
            if not (again and (answer.limited or failed) and self._wait(pause)):
                raise refusal(answer, what, needs)
        raise AssertionError("the last try returns or raises")

    def _check(self, what: str) -> None:
        """Refuse what makes PyGithub fail with the token in its message."""
        try:
            parts = urlsplit(self._address)
            right = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            right = False
        if not right:
            raise ApiError(f"the request to {what} failed: `GITHUB_API_URL` is not a valid address")
        if not _TOKEN.fullmatch(self._token):
            raise ApiError(f"the request to {what} failed: `github-token` has invalid characters")

    def _once(
        self, verb: str, path: str, parameters: Mapping[str, Any] | None, body: Mapping[str, Any] | None
    ) -> Answer:
        def send() -> Answer:
            given = dict(parameters) if parameters else None
            status, headers, text = self._requester.requestJson(
                verb, path, parameters=given, input=dict(body) if body is not None else None
            )
            return Answer(status, {name.lower(): str(value) for name, value in headers.items()}, text)

        host = urlsplit(self._address).hostname
        try:
            return _within(self._longest, send)
        except TimeoutError as error:
            raise ApiError(f"{host} did not answer within {self._longest:g} s") from error
        except Exception as error:  # its text may quote the headers, so only its type is shown
            kind = type(error).__name__
            raise ApiError(f"no complete answer from {host} ({kind}): check `GITHUB_API_URL`") from error

    def _wait(self, seconds: float) -> bool:
        """Wait, unless that exceeds what the run may wait in total; return whether it waited."""
        if seconds > self._patience:
            return False
        self._patience -= seconds
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            if self._stopped():
                return False
            time.sleep(min(rest, 0.2))
        return True


def _within(seconds: float, work: Callable[[], Answer]) -> Answer:
    """Return the result of `work`; raises `TimeoutError`. A server that sends a byte now and then is never silent for long."""
    return in_background(work).result(seconds)
