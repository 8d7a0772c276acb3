"""What a build means: a finding on its line, or why it is not the fault of the project."""

import json

import pytest
from support.buildx_runs import ENGINES, dockerfile, printed, progress

from ci_action.model.finding import Level
from ci_action.stages.docker.build.judging import failure_of, lint_findings, running, unread_caches
from ci_action.stages.docker.build.progress import Progress
from ci_action.stages.docker.build.steps import is_base, steps_of
from ci_action.stages.docker.dockerfile import parse


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("case", "line", "parts"),
    [
        ("failing", 10, ("RUN echo before", "exit code 7", "\noops")),
        ("parse", 2, ("RUNN",)),
        ("empty", 1, ("empty",)),
        ("absent-base", 2, ("/nope:1: not found",)),
        ("no-file", 3, ("COPY nope", '"/nope"')),
        ("no-user", 3, ("RUN id", "find user nope")),
        ("no-target", 1, ("nope",)),
    ],
)
def test_the_fault_of_the_project(engine: str, case: str, line: int, parts: tuple[str, ...]):
    failure = failure_of(progress(engine, case), dockerfile(case), "exit code 1")
    assert failure.finding
    assert (failure.finding.rule, failure.finding.level) == ("build-failed", Level.ERROR)
    assert (failure.finding.path, failure.finding.line) == ("Dockerfile", line)
    assert all(part in failure.finding.message for part in parts)
    assert "checksum of ref" not in failure.finding.message


@pytest.mark.parametrize(
    ("case", "part"),
    [
        ("docker-20.10-no-host", "proxy"),
        ("buildkit-no-host", "proxy"),
        ("docker-20.10-refused", "proxy"),
        ("buildkit-refused", "proxy"),
        ("docker-20.10-no-download", "proxy"),
        ("buildkit-no-download", "proxy"),
        ("docker-20.10-full-in-step", "docker system prune"),
        ("buildkit-full-in-step", "docker system prune"),
        ("buildkit-full", "docker system prune"),
        ("buildkit-gone", "daemon"),
        ("buildkit-dead", "daemon"),
        ("docker-20.10-canceled", "canceled"),
        ("buildkit-canceled", "canceled"),
        ("docker-20.10-bad-name", "`image-tag`"),
        ("buildkit-bad-name", "`image-tag`"),
        ("docker-20.10-no-builder", "BUILDX_BUILDER"),
        ("docker-20.10-unwritten-cache", "`cache-to`"),
        ("buildkit-unwritten-cache", "ignore-error=true"),
        ("buildkit-no-cache-type", "`type=gha`"),
    ],
)
def test_not_the_fault_of_the_project(case: str, part: str):
    engine = next(one for one in ENGINES if case.startswith(one))
    name = case.removeprefix(f"{engine}-")
    failure = failure_of(progress(engine, name), dockerfile(name), "exit code 1")
    assert failure.finding is None
    assert part in failure.broken
    assert "\n" not in failure.broken


def failed(*errors: str, reported: str = "") -> Progress:
    """Return a build with one failed step for each error; its client reports the last one."""
    started = "2026-01-01T00:00:00Z"
    steps = [
        {"digest": str(number), "name": f"[{number + 2}/9] RUN x", "started": started, "error": error}
        for number, error in enumerate(errors)
    ]
    return Progress.of(f'{json.dumps({"vertexes": steps}, indent=2)}\nERROR: failed to solve: {reported or errors[-1]}\n')


@pytest.mark.parametrize("words", ["dial tcp", "disk quota exceeded", "context canceled", "x509: y"])
def test_words_of_a_command_do_not_excuse_it(words: str):
    progress = failed(f"executor failed running [/bin/sh -c echo '{words}'; exit 3]: exit code: 3")
    failure = failure_of(progress, dockerfile("good"), "exit code 1")
    assert failure.finding
    assert "exit code 3" in failure.finding.message


@pytest.mark.parametrize("reported", ["", "in other words"])
def test_steps_that_are_canceled_because_another_one_fails(reported: str):
    canceled = "process x: exit code: 137: context canceled"
    progress = failed(canceled, "process y: exit code: 3", reported=reported)
    failure = failure_of(progress, dockerfile("good"), "exit code 1")
    assert failure.finding
    assert "[3/9]" in failure.finding.message


@pytest.mark.parametrize("text", ["", "some words\n", "{\n"])
def test_an_end_without_an_error(text: str):
    assert "SIGKILL" in failure_of(Progress.of(text), dockerfile("good"), "SIGKILL").broken


@pytest.mark.parametrize(
    ("error", "part"),
    [
        ("Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?", "daemon"),
        ("failed to solve: x: failed to authorize: failed to fetch anonymous token: GET ghcr.io: 403 Forbidden", "log in"),
        ("failed to solve: x: unexpected status from HEAD request to https://x/: 503 Service Unavailable", "network"),
        ("failed to solve: toomanyrequests: You have reached your pull rate limit", "network"),
        ("failed to solve: failed to create endpoint x on network bridge", "daemon"),
        ("unknown flag: --sbom", "--sbom"),
    ],
)
def test_errors_that_were_not_captured(error: str, part: str):
    assert part in failure_of(Progress.of(f"ERROR: {error}\n"), dockerfile("good"), "exit code 1").broken


def test_an_image_that_does_not_exist_on_docker_hub_is_the_fault_of_the_project():
    error = (
        "ERROR: failed to solve: nope: failed to resolve source metadata for docker.io/library/nope:1: pull access denied,"
        " repository does not exist or may require authorization: server message: insufficient_scope: authorization failed\n"
    )
    assert failure_of(Progress.of(error), dockerfile("good"), "exit code 1").finding


def test_what_buildkit_warns_about():
    found = lint_findings(progress("buildkit", "good"), dockerfile("good"))
    assert [(one.rule, one.line, one.level) for one in found] == [
        ("lint/FromAsCasing", 7, Level.WARNING),
        ("lint/ConsistentInstructionCasing", 7, Level.WARNING),
        ("lint/JSONArgsRecommended", 11, Level.WARNING),
    ]
    assert all("(line" not in one.message and one.url.startswith("https://docs.docker.com/") for one in found)


def test_a_client_that_was_killed_names_the_step():
    text = printed("docker-20.10", "failing")
    begun = Progress.of(text[: text.index('"logs"')])
    assert "RUN echo before" in failure_of(begun, dockerfile("failing"), "SIGKILL").broken


@pytest.mark.parametrize("engine", ENGINES)
def test_steps_and_their_lines(engine: str):
    steps = steps_of(progress(engine, "again"), dockerfile("again"))
    assert [one.place.line for one in steps if one.place] == [2, 4, 8, 9, 10]
    assert [one.cached for one in steps if one.place][1:] == [True] * 4
    assert [one.failed for one in steps_of(progress(engine, "failing"), dockerfile("failing")) if one.place][-1]


SEVERAL = """\
FROM a AS One
RUN 1
FROM b
COPY x y
ENV A=1
WORKDIR /a
FROM one
COPY --from=1 a b
"""


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("[one 1/2] FROM docker.io/library/a", 1),
        ("[linux/arm64 one 2/2] RUN 1", 2),
        ("[stage-1 2/3] COPY x y", 4),
        ("[stage-1 3/3] WORKDIR /a", 6),
        ("[stage-2 1/1] COPY --from=1 a b", 8),
        ("[stage-1 2/3] RUN other", None),
        ("[stage-9 1/1] COPY x", None),
        ("[other 1/1] COPY x", None),
        ("[1/1] COPY x", None),
        ("[internal] load metadata for docker.io/library/b:latest", 3),
        ("[internal] load build context", None),
        ("exporting to image", None),
    ],
)
def test_the_line_of_a_step(name: str, line: int | None):
    text = '{"vertexes": [{"digest": "d", "name": "%s", "started": "2026-01-01T00:00:00Z", "error": "x"}]}'
    [step] = steps_of(Progress.of(text % name), parse(SEVERAL.encode(), "Dockerfile"))
    assert (step.place.line if step.place else None) == line


def test_steps_that_a_base_image_adds():
    text = '{"vertexes": [{"digest": "d", "name": "[4/4] RUN x", "started": "2026-01-01T00:00:00Z"}]}'
    [step] = steps_of(Progress.of(text), parse(b"FROM a\nRUN x\n", "Dockerfile"))
    assert step.place
    assert step.place.line == 2


@pytest.mark.parametrize(
    ("base", "image", "same"),
    [
        ("python:3.13", "docker.io/library/python:3.13", True),
        ("python", "docker.io/library/python:latest", True),
        ("org/app", "docker.io/org/app:latest", True),
        ("ghcr.io/org/app:1", "ghcr.io/org/app:1", True),
        ("localhost:5000/app", "localhost:5000/app:latest", True),
        ("python:3.13", "docker.io/library/python:3.12", False),
    ],
)
def test_the_base_of_a_stage(base: str, image: str, same: bool):
    assert is_base(base, image) is same


def test_the_step_that_a_build_has_come_to():
    assert "sleep 1000" in running(progress("docker-20.10", "canceled"))
    assert not running(progress("docker-20.10", "good"))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_cache_that_cannot_be_read(engine: str):
    [warning] = unread_caches(progress(engine, "unread-cache"))
    assert "127.0.0.1:9/x:1" in warning
    assert not unread_caches(progress(engine, "good"))
