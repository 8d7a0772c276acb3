"""GitHub's API through PyGithub: the only module that imports it, and only once something is asked.

PyGithub's own retries would wait for hours and send again what may have been done already, so they are switched off:
what was refused for its number is asked again, what failed is asked again only where asking changes nothing, and all
waiting of a run together has an end.
"""

import queue
import re
import threading
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ci_action import __version__
from ci_action.github.client import PER_PAGE, Api
from ci_action.github.errors import Answer, refusal
from ci_action.github.event import Event
from ci_action.github.protocol import ApiError, GitHub

if TYPE_CHECKING:
    from github.Requester import Requester

API: Final = "https://api.github.com"
# Seconds of silence after which a request is given up, and for the whole of it.
SILENCE: Final = 10
LONGEST: Final = 30.0
# Seconds that a run may spend waiting for GitHub's limits to be lifted, for its failures to pass, and for answers that
# never come.
# A limit without a word on when it ends takes a minute: nobody waits for that.
PATIENCE: Final = 45.0
_TRIES: Final = 3
_TOKEN: Final = re.compile(r"[!-~]+")


def open_api(
    token: str,
    environ: Mapping[str, str],
    event: Event,
    *,
    stopped: Callable[[], bool] = lambda: False,
    patience: float = PATIENCE,
) -> GitHub | None:
    """Return the API for the repository of the run; None without a token or a repository. Nothing is asked yet.

    `stopped` says that the run was interrupted: then nobody waits any longer.
    """
    token = token.strip()
    if not token or not event.repository:
        return None
    address = environ.get("GITHUB_API_URL", "").strip() or API
    return Api(Line(address, token, stopped=stopped, patience=patience).ask, event.repository)


class Line:
    """Sends one request after the other, and says in words what went wrong."""

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
        from github import Auth, Github  # noqa: PLC0415 - takes half a second, which only its users pay

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
        """Return the answer to a request that succeeded; raises `ApiError`. `what` goes on after "GitHub did not"."""
        self._check(what)
        if self._silence and self._patience <= 0:
            raise ApiError(f"GitHub did not {what}: it was not asked any more, since {self._silence}")
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
                raise ApiError(f"GitHub did not {what}: {error.reason}") from error
            if 200 <= answer.status < 300:  # noqa: PLR2004 - success
                return answer
            failed = answer.status >= 500 and verb == "GET"  # noqa: PLR2004 - the failures of the server
            pause = answer.pause() if answer.limited else 2.0 ** (_TRIES - left - 1)
            if not (again and (answer.limited or failed) and self._wait(pause)):
                raise refusal(answer, what, needs)
        raise AssertionError("the last try returns or raises")

    def _check(self, what: str) -> None:
        """Refuse what PyGithub would stumble over, with the token in its words."""
        try:
            parts = urlsplit(self._address)
            right = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            right = False
        if not right:
            raise ApiError(f"GitHub did not {what}: `GITHUB_API_URL` is no address")
        if not _TOKEN.fullmatch(self._token):
            raise ApiError(f"GitHub did not {what}: `github-token` holds characters that no token has")

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
        except Exception as error:  # its text may quote the headers, so it is named by its kind alone
            kind = type(error).__name__
            raise ApiError(
                f"{host} cannot be reached, or broke off ({kind}): is `GITHUB_API_URL` right?"
            ) from error

    def _wait(self, seconds: float) -> bool:
        """Wait, unless that takes longer than a run may wait in all; return whether it was done."""
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
    """Do something that may never end: a server that sends a byte now and then is never silent for long."""
    ended: queue.SimpleQueue[Answer | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            ended.put(work())
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            ended.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        outcome = ended.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
