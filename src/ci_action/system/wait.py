"""Wait until something answers: try again with growing delays, several things side by side, each with an end."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from ci_action.system.parallel import in_background

T = TypeVar("T")
K = TypeVar("K")

ATTEMPT_SECONDS: Final = 5.0
"""What one try may take."""
_FIRST_DELAY: Final = 0.1
_LONGEST_DELAY: Final = 2.0
_LEAST: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Time, as far as waiting needs it."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    """A number from 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Tried(Generic[T]):
    """The last answer, after how many seconds, and how often was tried."""

    answer: T
    seconds: float
    tries: int


def delays(jitter: Callable[[], float]) -> Iterator[float]:
    """Yield how long to wait before each further try: doubling up to a bound, and never in step with others."""
    longest = _FIRST_DELAY
    while True:
        yield longest * (0.75 + jitter() / 4)
        longest = min(longest * 2, _LONGEST_DELAY)


def tried(
    attempt: Callable[[float], T],
    *,
    limit: float,
    patience: Callable[[T], float],
    clock: Clock,
    stopped: Callable[[], bool],
) -> Tried[T]:
    """Try until waiting longer does not help, or the run is interrupted.

    `attempt` gets the seconds that it may take; `patience` returns after how many seconds an answer is believed to stay:
    0 for one that is final.
    """
    started = clock.now()
    for tries, delay in enumerate(delays(clock.jitter), 1):
        left = limit - (clock.now() - started)
        answer = attempt(min(ATTEMPT_SECONDS, max(left, _LEAST)))
        seconds = clock.now() - started
        if seconds + delay >= patience(answer) or stopped():
            return Tried(answer=answer, seconds=seconds, tries=tries)
        clock.sleep(delay)
    raise AssertionError("delays never end")


def side_by_side(
    work: Mapping[K, Callable[[], T]], *, limit: float, clock: Clock, stopped: Callable[[], bool]
) -> dict[K, T | None]:
    """Do all of it at once, each in a thread; None for what did not come to its end in time, or before an interruption.

    Such threads are not waited for: the system's look-up of a name may hang, which nothing can end.
    """
    end = clock.now() + limit + ATTEMPT_SECONDS
    working = {key: in_background(one) for key, one in work.items()}
    waiting = set(working.values())
    while waiting and clock.now() < end and not stopped():
        waiting = wait(waiting, timeout=_LEAST, return_when=FIRST_COMPLETED).not_done
    return {key: None if future in waiting else future.result() for key, future in working.items()}
