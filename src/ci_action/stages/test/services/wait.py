"""Wait for services until each has answered: all side by side, each with an end. What greets one is an argument."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from ci_action.stages.test.services.addresses import Address
from ci_action.stages.test.services.protocol import Fault, Unfit
from ci_action.system.errors import InterruptedRunError
from ci_action.system.parallel import in_background

MOST_SECONDS: Final = 60.0
"""A service that takes longer to start is rather not there."""
ATTEMPT_SECONDS: Final = 5.0
# The network of a job may learn a name a moment late; a name that nobody has stays unknown. In our container nobody
# begins to listen on localhost, unless it shares the network of the machine.
STUBBORN_SECONDS: Final = 10.0
_FIRST_DELAY: Final = 0.1
_LONGEST_DELAY: Final = 2.0
_LOOK_UP: Final = 0.1

# What waiting mends; whatever else a service answers, it answers again.
_PASSING: Final = frozenset({
    Fault.UNRESOLVED, Fault.REFUSED, Fault.UNREACHABLE, Fault.SILENT, Fault.CLOSED, Fault.STARTING,
    Fault.UNHEALTHY,
})  # fmt: skip

Attempt = Callable[[Address, float], str]
"""Greets a service once, within so many seconds; returns what it says of itself or raises `Unfit`."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Time, as far as waiting needs it."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    """A number from 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How services are waited for."""

    limit: float
    """Seconds that each of them may take."""
    stopped: Callable[[], bool] = lambda: False
    """Whether the run was interrupted."""
    container: bool = False
    """Whether we run in our image, where localhost is nobody but us."""
    clock: Clock = field(default_factory=Clock)

    def patience(self, address: Address, fault: Fault | None) -> float:
        """Return after how many seconds a fault is believed to stay."""
        if fault not in _PASSING:
            return 0.0
        stubborn = fault is Fault.UNRESOLVED or (fault is Fault.REFUSED and address.local and self.container)
        return min(self.limit, STUBBORN_SECONDS) if stubborn else self.limit


@dataclass(frozen=True, kw_only=True)
class Probed:
    """What came of one service: `fault` is None where it answered."""

    address: Address
    seconds: float
    tries: int
    version: str = ""
    fault: Fault | None = None
    said: str = ""
    """The last words of the service, or of the operating system."""


def delays(jitter: Callable[[], float]) -> Iterator[float]:
    """Yield how long to wait before each further try: doubling up to a bound, and never in step with others."""
    longest = _FIRST_DELAY
    while True:
        yield longest * (0.75 + jitter() / 4)
        longest = min(longest * 2, _LONGEST_DELAY)


def probe(address: Address, attempt: Attempt, terms: Terms) -> Probed:
    """Greet a service until it answers, cannot be mended by waiting, or its time is over."""
    clock = terms.clock
    started = clock.now()
    for tries, delay in enumerate(delays(clock.jitter), 1):
        left = terms.limit - (clock.now() - started)
        fault, said, version = None, "", ""
        try:
            version = attempt(address, min(ATTEMPT_SECONDS, max(left, _LOOK_UP)))
        except Unfit as unfit:
            fault, said = unfit.fault, unfit.said
        seconds = clock.now() - started
        if seconds + delay >= terms.patience(address, fault) or terms.stopped():
            return Probed(
                address=address, seconds=seconds, tries=tries, version=version, fault=fault, said=said
            )
        clock.sleep(delay)
    raise AssertionError("delays never end")


def probe_all(addresses: Iterable[Address], attempt: Attempt, terms: Terms) -> tuple[Probed, ...]:
    """Probe all services at once; raises `InterruptedRunError` within a moment when the run was interrupted.

    The threads are not waited for then, nor where the system's look-up of a name hangs, which nothing can end.
    """
    now = terms.clock.now
    end = now() + terms.limit + ATTEMPT_SECONDS
    probing = {one: in_background(partial(probe, one, attempt, terms)) for one in addresses}
    waiting = set(probing.values())
    while waiting and now() < end and not terms.stopped():
        waiting = wait(waiting, timeout=_LOOK_UP, return_when=FIRST_COMPLETED).not_done
    if terms.stopped():
        raise InterruptedRunError("interrupted while services were waited for")
    hung = "the last try does not end"
    return tuple(
        (
            Probed(address=address, seconds=terms.limit, tries=1, fault=Fault.SILENT, said=hung)
            if future in waiting
            else future.result()
        )
        for address, future in probing.items()
    )
