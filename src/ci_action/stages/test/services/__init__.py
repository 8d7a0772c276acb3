"""The services that the tests need: before the tests begin, ci-action waits until each of them answers."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, TypeAlias

from ci_action.engine.context import Context
from ci_action.engine.tool import Checked, Tool, Turn
from ci_action.model.result import Broken, Counted, Hint, Report, Skipped
from ci_action.project.programs import Program
from ci_action.stages.test.services.addresses import Address, parse
from ci_action.stages.test.services.faults import Fault, Unfit, cause, fix
from ci_action.system.text import counted, duration
from ci_action.system.wait import Clock, Tried, Waiting

_DOCUMENTATION: Final = (
    "https://docs.github.com/actions/tutorials/use-containerized-services/use-docker-service-containers"
)
# Services that take longer than this do not start.
_MOST_SECONDS: Final = 60.0
# The network of a job may know a host a moment late; an unknown one stays unknown. In our container nothing starts to
# listen on localhost, unless it shares the network of the machine.
_STUBBORN_SECONDS: Final = 10.0
# What may change while waiting; any other answer is final.
_PASSING: Final = frozenset({
    Fault.UNRESOLVED, Fault.REFUSED, Fault.UNREACHABLE, Fault.SILENT, Fault.CLOSED, Fault.STARTING,
    Fault.UNHEALTHY,
})  # fmt: skip

Attempt = Callable[[Address, float], str]
"""Greets a service once, with a timeout; returns its version or raises `Unfit`."""
Answer: TypeAlias = str | Unfit
"""The version of a service, or why it is not ready."""


def probe(
    addresses: Iterable[Address], attempt: Attempt, waiting: Waiting, *, container: bool
) -> dict[Address, Tried[Answer]]:
    """Greet all services in parallel until each is ready, its fault is final, or the time is over."""

    def patience(address: Address, answer: Answer) -> float:
        if isinstance(answer, str) or answer.fault not in _PASSING:
            return 0
        own = container and address.local and answer.fault is Fault.REFUSED
        return _STUBBORN_SECONDS if own or answer.fault is Fault.UNRESOLVED else waiting.limit

    def greet(address: Address, seconds: float) -> Answer:
        try:
            return attempt(address, seconds)
        except Unfit as unfit:
            return unfit

    found = waiting.for_all({
        one: partial(waiting.until, partial(greet, one), partial(patience, one)) for one in addresses
    })  # fmt: skip
    hung = Unfit(Fault.SILENT, "the last attempt did not end")
    return {
        address: tried or Tried(answer=hung, seconds=waiting.limit, tries=1)
        for address, tried in found.items()
    }


def log_line(address: Address, tried: Tried[Answer]) -> str:
    """Return the line of the log for a service."""
    tries = counted(tried.tries, "try", "tries")
    if isinstance(tried.answer, Unfit):
        return f"{cause(address, tried.answer)} ({tries} in {duration(tried.seconds)})"
    version = f" {tried.answer}" if tried.answer else ""
    return f"{address.kind}{version} at {address} answered after {duration(tried.seconds)} ({tries})"


def check(ctx: Context, _program: Program) -> Checked:
    """Wait until every service of `wait-for` is ready."""
    from ci_action.stages.test.services.greet import greeted  # it imports ssl and http

    return look(ctx, greeted, Clock())


def look(ctx: Context, attempt: Attempt, clock: Clock) -> Checked:
    """Wait for the services; how one is greeted and the clock are arguments."""
    addresses = dict.fromkeys(map(parse, ctx.settings.wait_for))
    if not addresses:
        return Checked(outcome=Skipped("no services to wait for"))
    waiting = Waiting(limit=min(float(ctx.settings.timeout), _MOST_SECONDS), stopped=ctx.stopped, clock=clock)
    probed = probe(addresses, attempt, waiting, container=ctx.container)
    log = "\n".join(map(log_line, probed, probed.values()))
    hints = tuple(
        Hint(
            name=one.answer.fault,
            cause=cause(address, one.answer),
            fix=fix(address, one.answer.fault, container=ctx.container),
            url=_DOCUMENTATION,
        )
        for address, one in probed.items()
        if isinstance(one.answer, Unfit)
    )
    examined = {Counted.SERVICES: len(probed) - len(hints)}
    if not hints:
        return Checked(outcome=Report(examined=examined), log=log)
    reason = "; ".join(f"{hint.cause}: {hint.fix}" for hint in hints)
    return Checked(outcome=Broken(reason, log, examined=examined), log=log, hints=hints)


def plan(ctx: Context) -> str:
    """Return the number of services to wait for."""
    number = len(ctx.settings.wait_for)
    return f"waits for {counted(number, 'service')}" if number else "nothing to wait for"


TOOL: Final = Tool(
    name="services",
    summary="Waits until the services of `wait-for` answer.",
    url=_DOCUMENTATION,
    check=check,
    plan=plan,
    program=lambda _: Program(argv=(), version="", source=""),
    turn=lambda _: Turn.INSTALLS,  # beside the environment: both wait for the network
)
