"""A whole test of an image with an engine that is a table: what is reported, and in which order things are asked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.builders import at, completed, context
from support.docker_engine import INFO, answer

from ci_action.engine.context import Context
from ci_action.engine.tool import Checked
from ci_action.model.result import Counted, Report
from ci_action.stages.docker.model import Built, Dockerfile
from ci_action.stages.docker.smoke import checked
from ci_action.system.errors import InterruptedRunError, TimedOutError, ToolError
from ci_action.system.process import Command, Completed, Ended

BUILT = Built(
    name="a:ci",
    id="sha256:1",
    engine="",
    dockerfile=Dockerfile(path="Dockerfile", stages=()),
    place=at("Dockerfile", 1),
    steps=(),
)
CONFIG: dict[str, Any] = {"Cmd": ["serve"], "Healthcheck": {"Test": ["CMD", "check"]}}
HEALTHY = {"Status": "running", "Health": {"Status": "healthy", "Log": [{"Start": "1", "ExitCode": 0}]}}
SICK = {"Status": "running", "Health": {"Status": "unhealthy", "Log": [{"Start": "1", "ExitCode": 7}]}}
EXITED = {"Status": "exited", "ExitCode": 3}
FAILED = completed(b"out", returncode=7, stderr="err")
KILLED = completed(b"", returncode=137)


class Engine:
    """Answers like an engine; the last state stays."""

    def __init__(self, states: Sequence[dict[str, Any]] = (HEALTHY,), **answers: Completed | None) -> None:
        self.states = list(states)
        self.answers = answers
        self.words: list[str] = []

    def run(self, command: Command) -> Completed:
        word = command.argv[1]
        self.words.append(word)
        if word in self.answers:
            found = self.answers[word]
            if found is None:
                raise TimedOutError("docker timed out", stdout=b"until then")
            return found
        if word == "container":
            return answer({"State": self.states.pop(0) if len(self.states) > 1 else self.states[0]})
        plain = {
            "info": answer(INFO),
            "image": answer({"Os": "linux", "Architecture": "amd64", "Config": CONFIG}),
            "logs": completed(b"2026-01-02T03:04:05.000000001Z its log\n"),
        }
        return plain.get(word, completed(b""))

    @contextmanager
    def serve(self, _: Command) -> Iterator[Ended]:
        yield lambda: None

    def context(self, workspace: Path, **settings: Any) -> Context:
        return context(workspace, self.run, serve=self.serve, settings=settings)


def smoked(engine: Engine, workspace: Path, **settings: Any) -> tuple[Checked, Report]:
    found = checked(engine.context(workspace, **settings), BUILT, "")
    assert isinstance(found.outcome, Report)
    return found, found.outcome


@pytest.mark.parametrize(
    ("engine", "commands", "rules", "probes"),
    [
        (Engine(), "", [], [("HEALTHCHECK", "healthy")]),
        (Engine(), "one\ntwo", [], [("HEALTHCHECK", "healthy"), ("one", "exit code 0"), ("two", "exit code 0")]),
        (Engine(exec=FAILED), "one\ntwo", ["command-failed"] * 2,
         [("HEALTHCHECK", "healthy"), ("one", "exit code 7"), ("two", "exit code 7")]),
        (Engine(exec=KILLED), "one", ["command-failed"], [("HEALTHCHECK", "healthy"), ("one", "exit code 137")]),
        (Engine(exec=None), "one\ntwo", ["command-failed"], [("HEALTHCHECK", "healthy"), ("one", "timed out")]),
        # The engine reports the end of the command before that of the program.
        (Engine([HEALTHY, HEALTHY, HEALTHY, EXITED], exec=KILLED), "one\ntwo", ["exited"],
         [("HEALTHCHECK", "healthy"), ("start", "exit code 3")]),
        (Engine([HEALTHY, EXITED]), "one", ["exited"], [("HEALTHCHECK", "healthy"), ("start", "exit code 3")]),
        (Engine([SICK]), "one", ["unhealthy"], [("HEALTHCHECK", "unhealthy")]),
        (Engine([EXITED]), "one", ["exited"], [("start", "exit code 3")]),
        (Engine(image=answer({"Config": {}})), "one", ["exited"], [("start", "no program")]),
        (Engine([{"Status": "created", "ExitCode": 127}], start=completed(b"", returncode=1)), "one", ["exited"],
         [("start", "not started")]),
    ],
)  # fmt: skip
def test_what_is_reported(
    tmp_path: Path, engine: Engine, commands: str, rules: list[str], probes: list[tuple[str, str]]
):
    found, outcome = smoked(engine, tmp_path, **{"smoke-command": commands})
    assert [one.rule for one in outcome.findings] == rules
    assert outcome.image
    assert [(one.name, one.answer) for one in outcome.image.probes] == probes
    bad = {
        "unhealthy",
        "timed out",
        "exit code 3",
        "exit code 7",
        "exit code 137",
        "no program",
        "not started",
    }
    assert all(one.failed is (one.answer in bad) for one in outcome.image.probes)
    assert outcome.examined == {Counted.PROBES: len(probes)}
    assert ("its log" in found.log) is ("logs" in engine.words)
    assert ("$ one" in found.log) is ("exec" in engine.words)


@pytest.mark.parametrize(
    ("engine", "error", "part"),
    [
        (Engine(image=completed(b"", returncode=1, stderr="No such image: x")), ToolError, "a:ci"),
        (Engine(create=completed(b"", returncode=1, stderr="no space left")), ToolError, "no space left"),
        (
            Engine(network=completed(b"", returncode=1, stderr="no address pool")),
            ToolError,
            "no address pool",
        ),
        (Engine(container=completed(b"", returncode=1, stderr="No such container: x")), ToolError, "removed"),
    ],
)
def test_what_is_not_the_fault_of_the_image(
    tmp_path: Path, engine: Engine, error: type[Exception], part: str
):
    with pytest.raises(error, match=part):
        smoked(engine, tmp_path)


def test_an_interruption(tmp_path: Path):
    engine = Engine([{"Status": "running"}])
    ctx = replace(engine.context(tmp_path), stopped=lambda: True)
    with pytest.raises(InterruptedRunError):
        checked(ctx, BUILT, "")
    assert "logs" not in engine.words
