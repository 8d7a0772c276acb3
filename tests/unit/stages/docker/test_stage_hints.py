"""Hints for builds and for containers that start: each is recognised in a log of the real error, and only there."""

import time
from dataclasses import replace

import pytest
from support.paths import GOLDEN

from ci_action.engine.hints import Facts, entries, recognise
from ci_action.model.result import Hint
from ci_action.stages.docker.stage import STAGE

LOGS = GOLDEN / "docker-hints"
REPORTED = Facts(reported=True)
# The recorded log, its tool, the hint, and words in it.
CASES = [
    ("compiler", "build", "image-compiler", "`build-essential`"),
    ("compiler-pg", "build", "image-compiler", "`libpq-dev`"),
    ("compiler-rust", "build", "image-compiler", "`build-essential`"),
    ("context-absent", "build", "image-context", "requirement.txt"),
    ("context-ignored", "build", "image-context", "!requirements.txt"),
    ("platform", "build", "image-platform", "`platform`"),
    ("limit", "build", "registry-limit", "pull"),
    ("private", "build", "registry-access", "pull"),
    ("permission-in-build", "build", "program-permission", "/run.sh"),
    ("disk-full", "build", "image-disk-full", "prune"),
    ("crlf", "smoke", "program-interpreter", "/run.sh"),
    ("interpreter", "smoke", "program-interpreter", "CRLF"),
    ("permission", "smoke", "program-permission", "/run.sh"),
    ("no-first-line", "smoke", "program-format", "#!"),
    ("other-processor", "smoke", "program-format", "/run.sh"),
    ("absent", "smoke", "program-absent", "gunicorn"),
    ("absent-path", "smoke", "program-absent", "/app/start.sh"),
    ("variable", "smoke", "container-variable", "DATABASE_URL"),
    ("variable-pydantic", "smoke", "container-variable", "database_url, secret_key"),
    ("variable-environs", "smoke", "container-variable", "SECRET_KEY"),
    ("service-refused", "smoke", "container-service", "127.0.0.1"),
    ("service-unknown", "smoke", "container-service", "db"),
    ("service-asyncpg", "smoke", "container-service", "127.0.0.1"),
    ("service-redis", "smoke", "container-service", "cache"),
    ("loopback-uvicorn", "smoke", "listens-on-loopback", "127.0.0.1:8000"),
    ("loopback-gunicorn", "smoke", "listens-on-loopback", "127.0.0.1:8000"),
    ("loopback-hypercorn", "smoke", "listens-on-loopback", "127.0.0.1:8000"),
    ("loopback-flask", "smoke", "listens-on-loopback", "127.0.0.1:5000"),
]
NOTHING = {"red-test": "build", "red-program": "smoke", "green": "smoke"}
NO_ANSWER = "no-answer: http://localhost:8000/: connection refused"


def found(text: str, tool: str) -> tuple[Hint, ...]:
    return recognise(text, replace(REPORTED, tool=tool), STAGE.hints)


def log(name: str) -> str:
    return (LOGS / f"{name}.log").read_text("utf-8")


@pytest.mark.parametrize(("name", "tool", "expected", "word"), CASES, ids=[case[0] for case in CASES])
def test_the_right_hint_and_no_other(name: str, tool: str, expected: str, word: str):
    more = NO_ANSWER if expected == "listens-on-loopback" else ""
    (one,) = found(f"{log(name)}\n{more}", tool)
    assert one.name == expected
    assert word in f"{one.cause} {one.fix}"
    assert "{" not in one.cause + one.fix


@pytest.mark.parametrize(("name", "tool"), NOTHING.items())
def test_other_logs_have_no_hints(name: str, tool: str):
    assert found(f"{log(name)}\n{NO_ANSWER}", tool) == ()


def test_a_loopback_address_matters_only_without_an_answer():
    assert found(f"{log('loopback-uvicorn')}\nexited: code 3", "smoke") == ()


def test_every_log_and_every_hint_has_a_case():
    assert {path.stem for path in LOGS.glob("*.log")} == {case[0] for case in CASES} | set(NOTHING)
    tested = {case[2] for case in CASES}
    assert {entry.name for entry in entries(STAGE.hints) if entry.reported} == tested


# BuildKit 0.34, which words them in another way than the engine of the logs.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'checksum of ref 8dwn::pxvx50nx6g: "/app/x.txt": not found',
            "image-context",
        ),
        (
            "unexpected status from HEAD request to http://registry.example.org/v2/limited/manifests/1: 429 Too Many Requests",
            "registry-limit",
        ),
        (
            "unexpected status from HEAD request to http://registry.example.org/v2/private/manifests/1: 401 Unauthorized",
            "registry-access",
        ),
        (
            "failed to resolve source metadata for registry.example.org/armonly:1: no match for platform in manifest: not found",
            "image-platform",
        ),
        (
            "registry.example.org/private:1: pull access denied, repository does not exist or may require authorization",
            "registry-access",
        ),
    ],
)
def test_newer_builders(text: str, expected: str):
    assert [one.name for one in found(f"build-failed: {text}", "build")] == [expected]


@pytest.mark.parametrize("join", ["\n", "", " "], ids=["lines", "one line", "words"])
def test_a_megabyte_of_hostile_text_takes_little_time(join: str):
    lines = [line for case in CASES for line in log(case[0]).splitlines() if line.strip()]
    starts = [line[: len(line) * part // 4] for line in lines for part in (2, 3, 4)]
    for text in (join.join(starts), *(join.join([start] * 2000) for start in starts[:: len(starts) // 8])):
        whole = (text * (1_000_000 // len(text) + 1))[:1_000_000]
        began = time.process_time()
        recognise(whole, REPORTED, STAGE.hints)
        assert time.process_time() - began < 2
