"""Watches a container that was started: inspects it again and again, requests its URL meanwhile, and stops when all is decided."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from ci_action.stages.docker.smoke.state import Asked, Decision, Look, State, decide
from ci_action.stages.docker.smoke.url import SETTLING_SECONDS, Answer
from ci_action.system.parallel import in_background
from ci_action.system.wait import Waiting

PAUSE: Final = 0.25
"""Seconds between two looks."""
_REQUEST_SECONDS: Final = 10.0
# A program that answers writes each request to its log, of which the end is shown.
_PAUSE_AFTER_STATUS: Final = 1.0

Inspected: TypeAlias = Mapping[str, Any]
"""What `docker inspect` prints of a container."""
Request: TypeAlias = Callable[[Inspected, float], Callable[[], Answer] | None]
"""Returns what asks the URL of a container within some seconds; None if its place is not known yet."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """How it ended."""

    decision: Decision
    look: Look
    requests: int
    """Number of requests."""
    checks: int
    """Number of probes of the HEALTHCHECK that were seen."""


class Watch:
    """Watches one container. Requests run in a thread, so that none of them hides that the program has ended."""

    def __init__(
        self, asked: Asked, inspect: Callable[[], Inspected], request: Request, waiting: Waiting
    ) -> None:
        """Start nothing yet."""
        self._asked = asked
        self._inspect = inspect
        self._work = request
        self._waiting = waiting
        self._now = waiting.clock.now
        self._started = self._now()
        self._request: Future[Answer] | None = None
        self._answer: Answer | None = None
        self._requests = 0
        self._answered = 0.0
        self._settled: float | None = None
        self._checks: set[str] = set()

    def run(self) -> Watched:
        """Look until all is decided or the time is over; raises `ToolError`."""
        tried = self._waiting.until(self._look, lambda look: float("inf") if self._pending(look) else 0)
        look = tried.answer
        if self._request and self._pending(look):  # it ends with the time, and knows more than the one before
            look = replace(look, answer=self._request.result())
        decision = decide(self._asked, look, over=True)
        return Watched(decision=decision, look=look, requests=self._requests, checks=len(self._checks))

    def _pending(self, look: Look) -> bool:
        return decide(self._asked, look) is Decision.WAIT

    def _look(self, _: float) -> Look:
        container = self._inspect()
        state = State.of(container)
        self._checks.update(start for start, _, _ in state.checks)
        if self._asked.url and not state.has_ended:
            self._request_again(container)
        now = self._now()
        return Look(
            state=state,
            answer=self._answer,
            seconds=now - self._started,
            settled=0.0 if self._settled is None else now - self._settled,
        )

    def _request_again(self, container: Inspected) -> None:
        """Note the answer of the last request, and start another one unless it was good."""
        if self._request and self._request.done():
            self._answer = self._request.result()
            self._request = None
            self._answered = self._now()
            if self._answer.patience > SETTLING_SECONDS:
                self._settled = None
            elif self._settled is None:
                self._settled = self._now()
        if self._request or (self._answer and not self._is_due(self._answer)):
            return
        left = self._waiting.limit - (self._now() - self._started)
        work = self._work(container, min(_REQUEST_SECONDS, max(left, PAUSE)))
        if work:
            self._requests += 1
            self._request = in_background(work)

    def _is_due(self, answer: Answer) -> bool:
        pause = _PAUSE_AFTER_STATUS if answer.status else 0.0
        return not answer.is_good and self._now() - self._answered >= pause
