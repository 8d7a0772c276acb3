"""What is wrong with the container, and what to do: the findings of the tool `smoke`."""

from collections.abc import Collection
from typing import Final

from ci_action.model.finding import Finding, Location
from ci_action.stages.docker.model import Built, Instruction
from ci_action.stages.docker.smoke.state import Decision, State
from ci_action.stages.docker.smoke.url import Answer, Fault, Url
from ci_action.system.process import Completed, last_lines
from ci_action.system.text import listed, one_line

TOOL: Final = "smoke"
COMMAND_FAILED: Final = "command-failed"
_LINES: Final = 6
_CHARACTERS: Final = 1_000
_STARTS: Final = frozenset({"CMD", "ENTRYPOINT"})
# The instructions that a rule is about, the best first.
_ABOUT: Final = {
    Decision.UNHEALTHY: (frozenset({"HEALTHCHECK"}),),
    Decision.NO_ANSWER: (frozenset({"EXPOSE"}), _STARTS),
}
_OTHER_PLATFORM: Final = "exec format error"
_KILLED: Final = 137
_SIGNALS: Final = 128
_LISTEN: Final = "listen on 0.0.0.0, so that it can be reached from outside of the container"
# A port on which nothing listens: behind Docker's proxy the connection is closed instead.
_NOT_LISTENING: Final = frozenset({Fault.REFUSED, Fault.CLOSED})


def place_of(built: Built, target: str, rule: str) -> Location:
    """Return the line of the Dockerfile that a rule is about; the last stage as a whole if it has none."""
    for names in _ABOUT.get(Decision(rule) if rule in set(Decision) else Decision.EXITED, (_STARTS,)):
        for stage in built.dockerfile.chain(target):
            found: list[Instruction] = [one for one in stage.instructions if one.name in names]
            if found:
                end = found[-1].end_line if found[-1].end_line > found[-1].line else None
                return Location(path=built.dockerfile.path, line=found[-1].line, end_line=end)
    return built.place


def exited(state: State, log: str, platforms: tuple[str, str]) -> str:
    """Return the message for a program that has ended; `platforms` are those of the image and of the engine."""
    if _OTHER_PLATFORM in log:
        platform, engine = platforms
        advice = f"the image is for {platform}, the engine runs {engine}: set `platform`, or build on such a machine"
        return f"the container cannot run: {advice}{_end_of(log)}"
    if state.out_of_memory:
        return f"the container ended with exit code {state.exit_code}: out of memory{_end_of(log)}"
    advice = ""
    if state.exit_code == 0:
        advice = ": its program does not keep running; if it is meant to end, accept that by `ignore: smoke:exited`"
    elif state.exit_code == _KILLED:
        advice = ": killed, as happens if memory runs out"
    elif state.exit_code > _SIGNALS:
        advice = f": signal {state.exit_code - _SIGNALS}"
    return f"the container ended with exit code {state.exit_code}{advice}{_end_of(log)}"


def not_started(reason: str, platforms: tuple[str, str]) -> str:
    """Return the message for an image whose program the engine could not start."""
    if _OTHER_PLATFORM in reason:
        return exited(State(), reason, platforms)
    return f"the container could not be started: {one_line(reason)}; correct ENTRYPOINT, CMD, USER or WORKDIR"


def no_command() -> str:
    """Return the message for an image that names no program."""
    return "the container could not be started: the image has no CMD and no ENTRYPOINT; add one"


def unhealthy(state: State, limit: float, log: str) -> str:
    """Return the message for a HEALTHCHECK that has failed, or not succeeded in time."""
    what = (
        "the HEALTHCHECK failed"
        if state.health == "unhealthy"
        else f"not healthy within {limit:.0f} s; increase `smoke-timeout` if it needs longer"
    )
    if not state.checks:
        return f"{what}; no probe of it has ended{_end_of(log)}"
    _, code, output = state.checks[-1]
    shown = _shortened(output) or "nothing"
    return f"{what}; the last probe ended with exit code {code} and printed: {shown}{_end_of(log)}"


def no_answer(
    url: Url, answer: Answer | None, limit: float, ports: Collection[tuple[int, bool]] | None, log: str
) -> str:
    """Return the message for an address that is not answered."""
    what = answer or Answer(fault=Fault.SILENT, text=f"within {limit:.0f} s")
    advice = ""
    if what.fault in _NOT_LISTENING:
        advice = f"; {_not_listening(url.port, ports)}"
    return f"{url.text}: {one_line(str(what))}{advice}{_end_of(log)}"


def _not_listening(port: int, ports: Collection[tuple[int, bool]] | None) -> str:
    if ports is None:
        return (
            f"does the program listen on another port than {port}, or on 127.0.0.1 only? It has to {_LISTEN}"
        )
    if (port, True) in ports:
        return f"the program listens on 127.0.0.1:{port} only: {_LISTEN}"
    if (port, False) in ports:
        return f"the program listens on port {port}, but ends the connection"
    if not ports:
        return "nothing listens on any port in the container"
    others = listed([str(number) for number, _ in sorted(ports)])
    return f"nothing listens on port {port} in the container, but on {others}: correct `smoke-url` or the program"


def wrong_status(url: Url, answer: Answer, log: str) -> str:
    """Return the message for an answer with another status than 2xx or 3xx."""
    excerpt = f", {_shortened(answer.excerpt, 3)}" if answer.excerpt.strip() else ""
    return f"{url.text} answered {one_line(str(answer))}{excerpt}{_end_of(log)}"


def command_failed(command: str, done: Completed | None, seconds: float) -> str:
    """Return the message for a command that failed, or did not end in time."""
    if done is None:
        return f"`{command}` did not end within {seconds:.0f} s; increase `smoke-timeout` if it needs longer"
    text = _shortened(done.stdout.decode("utf-8", "replace") + done.stderr)
    return f"`{command}` ended with exit code {done.returncode}{f': {text}' if text else ''}"


def finding(rule: str, message: str, place: Location) -> Finding:
    """Return a finding of this tool."""
    return Finding(tool=TOOL, rule=rule, message=message, location=place)


def _shortened(text: str, lines: int = _LINES) -> str:
    """Return the end of a foreign text."""
    found = last_lines(text, lines)
    return found if len(found) <= _CHARACTERS else f"…{found[-_CHARACTERS:]}"


def _end_of(log: str) -> str:
    found = _shortened(log)
    return f"; its log ends with:\n{found}" if found else "; it has logged nothing"
