"""What was seen of the container at one moment, and what follows from it. Does no input or output."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ci_action.stages.docker.smoke.url import Answer

UP_SECONDS: Final = 5.0
"""How long a container must stay up that is asked nothing."""
_ENDED: Final = frozenset({"exited", "dead", "removing"})


@dataclass(frozen=True, kw_only=True)
class State:
    """The container, as the engine knows it."""

    status: str = "running"
    exit_code: int = 0
    out_of_memory: bool = False
    error: str = ""
    """Why the engine could not start it: foreign text."""
    health: str = ""
    """`starting`, `healthy` or `unhealthy`; empty without a HEALTHCHECK."""
    checks: tuple[tuple[str, int, str], ...] = ()
    """The last probes of the HEALTHCHECK: when it began, its exit code and its output, which is foreign text."""

    @classmethod
    def of(cls, container: Mapping[str, Any]) -> "State":
        """Read what `docker inspect` prints."""
        state = container.get("State") or {}
        health = state.get("Health") or {}
        status = str(health.get("Status") or "")
        checks = (
            (str(one.get("Start", "")), int(one.get("ExitCode", 0)), str(one.get("Output", "")))
            for one in health.get("Log") or ()
        )
        return cls(
            status=str(state.get("Status", "")),
            exit_code=int(state.get("ExitCode", 0)),
            out_of_memory=bool(state.get("OOMKilled")),
            error=str(state.get("Error") or ""),
            health="" if status == "none" else status,
            checks=tuple(checks),
        )

    @property
    def has_ended(self) -> bool:
        """Whether its program does not run any more."""
        return self.status in _ENDED


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The questions to a container before its commands."""

    health: bool = False
    url: bool = False

    @property
    def nothing(self) -> bool:
        """Whether it only has to stay up."""
        return not self.health and not self.url


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen at one moment."""

    state: State
    answer: Answer | None = None
    """The last one of the URL."""
    seconds: float = 0.0
    """Since the start of the container."""
    settled: float = 0.0
    """For how long answers have come that no start-up explains."""


class Decision(StrEnum):
    """What follows: to wait, that all is good, or a finding, by its rule."""

    WAIT = "wait"
    GOOD = "good"
    EXITED = "exited"
    UNHEALTHY = "unhealthy"
    NO_ANSWER = "no-answer"
    WRONG_STATUS = "wrong-status"


def decide(asked: Asked, look: Look, *, over: bool = False) -> Decision:
    """Return what follows from a look; `over` is whether the time is."""
    answer = look.answer
    if look.state.has_ended:
        return Decision.EXITED
    if asked.health and look.state.health == "unhealthy":
        return Decision.UNHEALTHY
    wrong = Decision.WRONG_STATUS if answer and answer.status else Decision.NO_ANSWER
    if answer and not answer.is_good and look.settled >= answer.patience:
        return wrong
    healthy = not asked.health or look.state.health == "healthy"
    answered = not asked.url or (answer is not None and answer.is_good)
    stayed = not asked.nothing or look.seconds >= UP_SECONDS
    if healthy and answered and (stayed or over):
        return Decision.GOOD
    if not over:
        return Decision.WAIT
    return wrong if healthy or (answer and answer.status and not answer.is_good) else Decision.UNHEALTHY
