"""Wait until something answers: retry with growing delays, several things in parallel, with a deadline for each."""

import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from ci_action.system.errors import InterruptedRunError
from ci_action.system.parallel import in_background

T = TypeVar("T")
K = TypeVar("K")

ATTEMPT_SECONDS: Final = 5.0
"""The timeout of one attempt."""
_FIRST_DELAY: Final = 0.1
_LONGEST_DELAY: Final = 2.0
_SHORTEST: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The functions of time that waiting needs."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    """A number from 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Tried(Generic[T]):
    """The last answer, the seconds until it came, and the number of attempts."""

    answer: T
    seconds: float
    tries: int


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How long to wait, and what ends it early."""

    limit: float
    """The timeout in seconds."""
    longest_delay: float = _LONGEST_DELAY
    """The maximum of seconds between two attempts."""
    stopped: Callable[[], bool] = lambda: False
    """Whether the run was interrupted."""
    clock: Clock = field(default_factory=Clock)

    def until(self, attempt: Callable[[float], T], patience: Callable[[T], float]) -> Tried[T]:
        """Retry until an answer is final, the time is over, or the run is interrupted.

        `attempt` gets its timeout. `patience` returns the seconds that an answer is retried for: 0 if it is final.
        The delay doubles up to a maximum; jitter keeps several waits out of step.
        """
        started = self.clock.now()
        tries, longest = 0, min(_FIRST_DELAY, self.longest_delay)
        while True:
            tries += 1
            left = self.limit - (self.clock.now() - started)
            answer = attempt(min(ATTEMPT_SECONDS, max(left, _SHORTEST)))
            seconds = self.clock.now() - started
            delay = longest * (0.75 + self.clock.jitter() / 4)
            if seconds + delay >= min(patience(answer), self.limit) or self.stopped():
                return Tried(answer=answer, seconds=seconds, tries=tries)
            self.clock.sleep(delay)
            longest = min(longest * 2, self.longest_delay)

    def for_all(self, work: Mapping[K, Callable[[], T]]) -> dict[K, T | None]:
        """Run all of it in parallel, a thread each; None for what did not end in time.

        Such threads are left behind: a name lookup of the system may hang, and nothing can end it.
        Raises `InterruptedRunError` at once if the run is interrupted.
        """
        end = self.clock.now() + self.limit + ATTEMPT_SECONDS
        working = {key: in_background(one) for key, one in work.items()}
        waiting = set(working.values())
        while waiting and self.clock.now() < end and not self.stopped():
            waiting = wait(waiting, timeout=_SHORTEST, return_when=FIRST_COMPLETED).not_done
        if self.stopped():
            raise InterruptedRunError("interrupted while waiting")
        return {key: None if future in waiting else future.result() for key, future in working.items()}
