"""Wait for services until each has answered. What greets one is an argument."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from ci_action.stages.test.services.addresses import Address
from ci_action.stages.test.services.protocol import Fault, Unfit
from ci_action.system.errors import InterruptedRunError
from ci_action.system.wait import Clock, side_by_side, tried

MOST_SECONDS: Final = 60.0
"""A service that takes longer to start is rather not there."""
# The network of a job may learn a name a moment late; a name that nobody has stays unknown. In our container nobody
# begins to listen on localhost, unless it shares the network of the machine.
STUBBORN_SECONDS: Final = 10.0

# What waiting mends; whatever else a service answers, it answers again.
_PASSING: Final = frozenset({
    Fault.UNRESOLVED, Fault.REFUSED, Fault.UNREACHABLE, Fault.SILENT, Fault.CLOSED, Fault.STARTING,
    Fault.UNHEALTHY,
})  # fmt: skip

Attempt = Callable[[Address, float], str]
"""Greets a service once, within so many seconds; returns what it says of itself or raises `Unfit`."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How services are waited for."""

    limit: float
    """Seconds that each of them may take."""
    stopped: Callable[[], bool] = lambda: False
    """Whether the run was interrupted."""
    container: bool = False
    """Whether we run in our image, where localhost is our own container."""
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


def probe(address: Address, attempt: Attempt, terms: Terms) -> Probed:
    """Greet a service until it answers, cannot be mended by waiting, or its time is over."""

    def greet(seconds: float) -> tuple[str, Fault | None, str]:
        try:
            return attempt(address, seconds), None, ""
        except Unfit as unfit:
            return "", unfit.fault, unfit.said

    last = tried(
        greet,
        limit=terms.limit,
        patience=lambda answer: terms.patience(address, answer[1]),
        clock=terms.clock,
        stopped=terms.stopped,
    )
    version, fault, said = last.answer
    return Probed(
        address=address, seconds=last.seconds, tries=last.tries, version=version, fault=fault, said=said
    )


def probe_all(addresses: Iterable[Address], attempt: Attempt, terms: Terms) -> tuple[Probed, ...]:
    """Probe all services at once; raises `InterruptedRunError` within a moment when the run was interrupted."""
    work = {one: partial(probe, one, attempt, terms) for one in addresses}
    found = side_by_side(work, limit=terms.limit, clock=terms.clock, stopped=terms.stopped)
    if terms.stopped():
        raise InterruptedRunError("interrupted while services were waited for")
    hung = "the last try does not end"
    return tuple(
        one or Probed(address=address, seconds=terms.limit, tries=1, fault=Fault.SILENT, said=hung)
        for address, one in found.items()
    )
