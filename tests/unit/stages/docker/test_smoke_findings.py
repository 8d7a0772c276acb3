"""Where a finding about the container is, and what its message names."""

import pytest

from ci_action.model.finding import Location
from ci_action.stages.docker.model import BuildStage, Built, Dockerfile, Instruction
from ci_action.stages.docker.smoke import findings
from ci_action.stages.docker.smoke.state import State
from ci_action.stages.docker.smoke.url import Answer, Fault, Url

LAST = Location(path="Dockerfile", line=7)
PLATFORMS = ("linux/arm64", "linux/x86_64")
URL = Url.of("http://localhost:8000/")


def stage(name: str, base: str, start: int, *instructions: tuple[str, int]) -> BuildStage:
    return BuildStage(
        base=base,
        name=name,
        start=Instruction(name="FROM", value=base, line=start, end_line=start),
        instructions=tuple(
            Instruction(name=one, value="", line=line, end_line=line + (one == "CMD"))
            for one, line in instructions
        ),
    )


def built(*stages: BuildStage) -> Built:
    return Built(
        name="a:ci",
        id="sha256:1",
        engine="",
        dockerfile=Dockerfile(path="Dockerfile", stages=stages),
        place=LAST,
        steps=(),
    )


FULL = built(
    stage("base", "python", 1, ("HEALTHCHECK", 2), ("CMD", 3)),
    stage("other", "python", 5, ("CMD", 6)),
    stage("", "base", 7, ("EXPOSE", 8), ("ENTRYPOINT", 9), ("EXPOSE", 10)),
)


@pytest.mark.parametrize(
    ("image", "target", "rule", "line"),
    [
        (FULL, "", "unhealthy", 2),
        (FULL, "", "exited", 9),
        (FULL, "", "no-answer", 10),
        (FULL, "", "wrong-status", 9),
        (FULL, "", "command-failed", 9),
        (FULL, "base", "exited", 3),
        (FULL, "base", "no-answer", 3),
        (FULL, "other", "exited", 6),
        (FULL, "other", "unhealthy", 7),
        (built(stage("", "python", 7)), "", "exited", 7),
        (built(), "", "unhealthy", 7),
    ],
)
def test_the_line_that_it_is_about(image: Built, target: str, rule: str, line: int):
    place = findings.place_of(image, target, rule)
    assert (place.path, place.line) == ("Dockerfile", line)
    assert place.end_line == (line + 1 if line in {3, 6} else None)


@pytest.mark.parametrize(
    ("state", "log", "parts"),
    [
        (State(exit_code=1), "a\n\nthe last\n", ("exit code 1", "the last")),
        (State(exit_code=0), "", ("exit code 0", "smoke:exited", "nothing")),
        (State(exit_code=137, out_of_memory=True), "x", ("out of memory",)),
        (State(exit_code=137), "x", ("137", "memory")),
        (State(exit_code=139), "x", ("signal 11",)),
        (State(exit_code=1), "exec /a: exec format error", ("linux/arm64", "linux/x86_64", "`platform`")),
    ],
)
def test_why_it_has_ended(state: State, log: str, parts: tuple[str, ...]):
    message = findings.exited(state, log, PLATFORMS)
    assert all(part in message for part in parts)


def test_only_the_end_of_a_log_is_shown():
    message = findings.exited(State(exit_code=1), "\n".join(f"line {n}" for n in range(99)), PLATFORMS)
    assert "line 98" in message
    assert "line 9\n" not in message
    assert len(findings.exited(State(exit_code=1), "x" * 99_999, PLATFORMS)) < 1_200


@pytest.mark.parametrize("reason", ['exec: "serve": not found', "exec format error"])
def test_why_it_was_not_started(reason: str):
    message = findings.not_started(reason, PLATFORMS)
    assert ("serve" in message) is ("serve" in reason)
    assert ("linux/arm64" in message) is ("format" in reason)


@pytest.mark.parametrize(
    ("state", "parts"),
    [
        (State(health="unhealthy", checks=(("1", 0, "old"), ("2", 7, "curl: it"))), ("code 7", "curl: it")),
        (State(health="starting", checks=(("1", 1, ""),)), ("12 s", "smoke-timeout", "nothing")),
        (State(health="starting"), ("12 s", "no probe")),
    ],
)
def test_why_it_is_not_healthy(state: State, parts: tuple[str, ...]):
    message = findings.unhealthy(state, 12, "log")
    assert all(part in message for part in parts)
    assert "old" not in message


@pytest.mark.parametrize(
    ("answer", "ports", "parts"),
    [
        (Answer(fault=Fault.REFUSED), {(8000, True)}, ("127.0.0.1:8000", "0.0.0.0")),
        (Answer(fault=Fault.CLOSED), {(8000, True)}, ("127.0.0.1:8000", "0.0.0.0")),
        (Answer(fault=Fault.REFUSED), {(9000, False), (80, True)}, ("80, 9000", "`smoke-url`")),
        (Answer(fault=Fault.REFUSED), set(), ("any port",)),
        (Answer(fault=Fault.REFUSED), None, ("127.0.0.1", "0.0.0.0")),
        (Answer(fault=Fault.CLOSED), {(8000, False)}, ("ends the connection",)),
        (Answer(fault=Fault.SILENT, text="within 3 s"), {(8000, True)}, ("within 3 s",)),
        (Answer(fault=Fault.PROTOCOL, text="SSH-2.0"), None, ("HTTP", "SSH-2.0")),
        (None, None, ("within 60 s",)),
    ],
)
def test_why_it_does_not_answer(
    answer: Answer | None, ports: set[tuple[int, bool]] | None, parts: tuple[str, ...]
):
    message = findings.no_answer(URL, answer, 60, ports, "the log")
    assert all(part in message for part in ("http://localhost:8000/", "the log", *parts))


def test_what_it_answers():
    message = findings.wrong_status(URL, Answer(status=500, text="Oh\nno", excerpt="a\n\nreason"), "")
    assert "500 Oh no" in message
    assert "reason" in message
