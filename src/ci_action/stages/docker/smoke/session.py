"""One test of an image: a container of it is started, watched, asked by commands, and removed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.docker.client import Docker
from ci_action.model.docker import Probe
from ci_action.model.finding import Finding
from ci_action.stages.docker.model import Built
from ci_action.stages.docker.smoke import findings
from ci_action.stages.docker.smoke.container import (
    Container,
    Image,
    Place,
    created,
    health_options,
    knows_start_interval,
)
from ci_action.stages.docker.smoke.state import Asked, Decision, State
from ci_action.stages.docker.smoke.url import Answer, Fault, Url, ask
from ci_action.stages.docker.smoke.watch import PAUSE, Inspected, Watch, Watched
from ci_action.system.errors import InterruptedRunError, TimedOutError, ToolError
from ci_action.system.process import Completed
from ci_action.system.text import duration
from ci_action.system.wait import Waiting

START: Final = "start"
"""The probe whether the program starts and keeps running."""
HEALTHCHECK: Final = "HEALTHCHECK"
_LEAST_SECONDS: Final = 1.0
# The exit code of a command that was killed, and how long its container may need to be known as ended.
_KILLED: Final = 137
_ENDING_SECONDS: Final = 2.0


@dataclass
class Session:
    """A test with its results until now."""

    ctx: Context
    built: Built
    mounts: str
    """Those of our process, which name our container."""
    findings: list[Finding] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    log: str = ""
    """The log of the container, then what the commands printed: foreign text."""

    def run(self) -> None:
        """Test the image; raises `ToolError`."""
        docker = Docker(self.ctx)
        engine = docker.engine()
        found = docker.inspect("image", self.built.id)
        if found is None:
            raise ToolError(f"the image {self.built.name} was removed after its build")
        image = Image.of(found)
        if not image.command:
            self._not_started("no program", findings.no_command())
            return
        url = Url.of(self.ctx.settings.smoke_url) if self.ctx.settings.smoke_url else None
        place = Place.of(docker, self.mounts)
        options = list(health_options(image.health, start_interval=knows_start_interval(engine)))
        if place.publish and url:
            options.append(f"--publish=127.0.0.1::{url.port}")
        platforms = (image.platform, f"{engine.os_type}/{engine.architecture}")
        with created(self.ctx, self.built.id, place, self.mounts, options) as container:
            if reason := container.start():
                self._not_started("not started", findings.not_started(reason, platforms))
                self.log = reason
                return
            _Running(self, container, place, url, platforms).test(health=bool(image.health))

    def _not_started(self, answer: str, message: str) -> None:
        self.found(Decision.EXITED, message)
        self.probes.append(Probe(name=START, answer=answer, seconds=0.0, failed=True))

    def found(self, rule: str, message: str) -> None:
        """Add a finding, on the line of the Dockerfile that it is about."""
        place = findings.place_of(self.built, self.ctx.settings.target, rule)
        self.findings.append(findings.finding(rule, message, place))


class _Running:
    """The part of a test in which the container runs."""

    def __init__(
        self,
        session: Session,
        container: Container,
        place: Place,
        url: Url | None,
        platforms: tuple[str, str],
    ) -> None:
        self._session = session
        self._container = container
        self._place = place
        self._url = url
        self._platforms = platforms
        self._limit = float(session.ctx.settings.smoke_timeout)
        self._waiting = Waiting(limit=self._limit, longest_delay=PAUSE, stopped=session.ctx.stopped)
        self._started = self._waiting.clock.now()
        self._printed: list[str] = []

    @property
    def _seconds(self) -> float:
        return self._waiting.clock.now() - self._started

    def test(self, *, health: bool) -> None:
        """Watch it, then run the commands."""
        asked = Asked(health=health, url=self._url is not None)
        watched = Watch(asked, self._container.inspect, self._request, self._waiting).run()
        if self._session.ctx.stopped():
            raise InterruptedRunError("interrupted while the container was tested")
        ports = self._container.open_ports() if watched.decision is Decision.NO_ANSWER else None
        log = self._container.log()
        self._probed(asked, watched)
        self._judge(watched, ports, log)
        if watched.decision is Decision.GOOD:
            self._commands()
            log = self._container.log()
        self._session.log = "\n".join([log, *self._printed])

    def _request(self, container: Inspected, seconds: float) -> Callable[[], Answer] | None:
        if self._url is None:
            return None
        address = self._container.address(container, self._url, publish=self._place.publish)
        return partial(ask, self._url, address, seconds) if address else None

    def _probed(self, asked: Asked, watched: Watched) -> None:
        look, good, probes = watched.look, watched.decision is Decision.GOOD, self._session.probes
        if watched.decision is Decision.EXITED:
            self._ended(look.state, look.seconds)
        if asked.nothing and good:
            probes.append(Probe(name=START, answer=f"up for {look.seconds:.0f} s", seconds=look.seconds))
            self._session.details.append(
                f"the container stayed up for {duration(look.seconds)}, and its answers were not tested:"
                " the image has no HEALTHCHECK, and `smoke-url` is not set"
            )
        if asked.health and look.state.health:
            health = look.state.health
            probes.append(
                Probe(
                    name=HEALTHCHECK,
                    answer=health,
                    seconds=look.seconds,
                    tries=max(watched.checks, 1),
                    failed=health != "healthy",
                )
            )
        if self._url and look.answer:
            probes.append(
                Probe(
                    name=self._url.text,
                    answer=str(look.answer),
                    seconds=look.seconds,
                    tries=watched.requests,
                    failed=not look.answer.is_good,
                )
            )
            if self._url.tls and look.answer.status:
                self._session.details.append(f"the TLS certificate of {self._url.text} was not verified")

    def _ended(self, state: State, seconds: float) -> None:
        self._session.probes.append(
            Probe(name=START, answer=f"exit code {state.exit_code}", seconds=seconds, failed=True)
        )

    def _judge(self, watched: Watched, ports: frozenset[tuple[int, bool]] | None, log: str) -> None:
        look, rule = watched.look, watched.decision
        match rule:
            case Decision.EXITED:
                self._session.found(rule, findings.exited(look.state, log, self._platforms))
            case Decision.UNHEALTHY:
                self._session.found(rule, findings.unhealthy(look.state, self._limit, log))
            case Decision.NO_ANSWER if self._url:
                if look.answer and look.answer.fault is Fault.ABROAD:
                    raise ToolError(
                        f"cannot reach the network of the container from here ({look.answer}):"
                        " run ci-action in a network of the engine"
                    )
                self._session.found(rule, findings.no_answer(self._url, look.answer, self._limit, ports, log))
            case Decision.WRONG_STATUS if self._url and look.answer:
                self._session.found(rule, findings.wrong_status(self._url, look.answer, log))

    def _commands(self) -> None:
        """Run the commands, until the program ends or the time is over."""
        for command in self._session.ctx.settings.smoke_command:
            done = self._run(command)
            state = self._state_after(done)
            if state.has_ended:
                self._ended(state, self._seconds)
                self._session.found(
                    Decision.EXITED, findings.exited(state, self._container.log(), self._platforms)
                )
                return
            answer = f"exit code {done.returncode}" if done else "timed out"
            failed = done is None or done.returncode != 0
            self._session.probes.append(
                Probe(name=command, answer=answer, seconds=self._seconds, failed=failed)
            )
            if failed:
                message = findings.command_failed(command, done, self._limit)
                self._session.found(findings.COMMAND_FAILED, message)
            if done is None:
                return

    def _state_after(self, done: Completed | None) -> State:
        """Return the state after a command; one that was killed may be, because the program of the container has just ended."""
        patience = float("inf") if done and done.returncode == _KILLED else 0.0
        waiting = Waiting(limit=_ENDING_SECONDS, longest_delay=PAUSE, stopped=self._session.ctx.stopped)
        return waiting.until(
            lambda _: self._container.state(), lambda state: 0.0 if state.has_ended else patience
        ).answer

    def _run(self, command: str) -> Completed | None:
        """Run a command; None if it did not end in time."""
        done: Completed | None = None
        printed: bytes
        try:
            done = self._container.run(command, max(self._limit - self._seconds, _LEAST_SECONDS))
            printed, errors = done.stdout, done.stderr
        except TimedOutError as error:
            printed, errors = error.stdout, error.stderr
        texts = (f"$ {command}", printed.decode("utf-8", "replace"), errors)
        self._printed += [text.rstrip("\n") for text in texts if text]
        return done
