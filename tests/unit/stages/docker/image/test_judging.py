"""Findings about an image: size, user, base, variables, history and layers."""

import pytest
from support.builders import at

from ci_action.model.finding import Finding, Level
from ci_action.stages.docker.dockerfile import parse, with_arguments
from ci_action.stages.docker.image.contents import Removal
from ci_action.stages.docker.image.facts import Facts, Step, matching
from ci_action.stages.docker.image.judging import Judge, is_latest, is_root
from ci_action.stages.docker.image.look import Contents, Hit, Searched
from ci_action.stages.docker.image.secrets import Hit as TextHit

TEXT = """\
ARG BASE=python:3.13
FROM ${BASE}
ARG API_TOKEN
ENV DB_PASSWORD=hunter2 LANG=C
COPY . .
RUN make
USER root
"""
COMMANDS = [
    ("RUN apt-get update", 50_000_000),
    ("ARG API_TOKEN", 0),
    ("ENV DB_PASSWORD=hunter2 LANG=C", 0),
    ("COPY . . # buildkit", 3_000_000),
    ("RUN |1 API_TOKEN=abcd1234 /bin/sh -c make # buildkit", 20_000_000),
    ("USER root", 0),
]


def judge(text: str = TEXT, **overrides) -> Judge:
    dockerfile = with_arguments(parse(text.encode(), "Dockerfile"), overrides.pop("arguments", {}))
    given = overrides.pop("given", {})
    steps = [Step(command=command, size=size) for command, size in overrides.pop("commands", COMMANDS)]
    found, matched = matching(steps, dockerfile, "")
    facts = {
        "size": 73_000_000,
        "user": "",
        "env": {"DB_PASSWORD": "hunter2", "LANG": "C", "GPG_KEY": "A035"},
        "layers": ("sha256:1", "sha256:2", "sha256:3"),
        "steps": tuple(found),
        "matched": matched,
        **overrides,
    }
    return Judge(
        arguments=given, dockerfile=dockerfile, target="", whole=at("Dockerfile", 2), facts=Facts(**facts)
    )


def found(findings) -> list[tuple[str, int]]:
    return [(one.rule, one.line) for one in findings]


@pytest.mark.parametrize(
    ("limit", "line"),
    [(None, 0), (73_000_000, 0), (72_999_999, 6), (50_000_000, 6), (49_999_999, 2)],
)
def test_the_limit_of_the_size(limit: int | None, line: int):
    findings = [*judge().size(limit)]
    assert found(findings) == ([("too-large", line)] if line else [])
    assert all(one.level is Level.ERROR for one in findings)


def test_what_the_size_names():
    (one,) = judge().size(30_000_000)
    for word in ("73 MB", "30 MB", "23 MB", "20 MB", "`RUN make`", "`COPY . .`"):
        assert word in one.message


def test_sizes_that_look_the_same_are_exact():
    (one,) = judge(size=73_000_001).size(73_000_000)
    assert "73,000,001 bytes" in one.message
    assert "73,000,000 bytes" in one.message


@pytest.mark.parametrize(
    ("user", "root"),
    [
        ("", True), ("root", True), ("0", True), ("0:0", True), ("root:root", True), ("root:app", True), ("0:1000", True),
        ("00", True), (":1000", True), ("app", False), ("1000", False), ("1000:0", False), ("rooty", False), ("app:root", False),
    ],
)  # fmt: skip
def test_root(user: str, root: bool):
    assert is_root(user) is root
    assert found(judge(user=user).user()) == ([("runs-as-root", 7)] if root else [])


def test_root_without_a_user_is_on_the_stage():
    text, commands = "FROM x:1\nRUN y\n", [("RUN y", 0)]
    assert found(judge(text, commands=commands).user()) == [("runs-as-root", 2)]


@pytest.mark.parametrize(
    ("base", "latest"),
    [
        ("python", True), ("python:latest", True), ("ghcr.io/org/app", True), ("localhost:5000/app", True),
        ("localhost:5000/app:latest", True), ("python:3.13", False), ("localhost:5000/app:1", False), ("scratch", False),
        ("python@sha256:abc", False), ("python:latest@sha256:abc", False), ("", False), ("$BASE", False),
    ],
)  # fmt: skip
def test_latest(base: str, latest: bool):
    assert is_latest(base) is latest


@pytest.mark.parametrize(
    ("text", "arguments", "line"),
    [
        (TEXT, {}, 0),
        (TEXT, {"BASE": "python"}, 2),
        ("FROM python AS a\nFROM a\n", {}, 1),
        ("FROM python AS a\nFROM python:3\nCOPY --from=a / /\n", {}, 0),
        ("ARG TAG\nFROM python:${TAG:-latest}\n", {}, 2),
        ("", {}, 0),
    ],
)
def test_the_base_of_the_chain(text: str, arguments: dict[str, str], line: int):
    findings = judge(text, arguments=arguments, commands=[]).latest()
    assert found(findings) == ([("latest-base", line)] if line else [])


def in_variables(one: Judge, kinds: dict[int, list[str]] | None = None) -> list[Finding]:
    return [finding for _, finding in one.in_variables(one.variables(), kinds or {})]


def test_variables_of_this_dockerfile_alone():
    findings = in_variables(judge())
    assert found(findings) == [("secret-in-env", 4), ("secret-in-history", 3)]
    assert not any(value in one.message for one in findings for value in ("hunter2", "abcd1234"))
    assert all(one.level is Level.WARNING and not one.severity for one in findings)


def test_what_the_search_finds_counts_whatever_the_name():
    one = judge(env={"LANG": "x"}, commands=COMMANDS[:4])
    number = next(index for index, each in enumerate(one.variables()) if each.name == "LANG")
    assert "aws-access-key" in in_variables(one, {number: ["aws-access-key"]})[0].message
    assert not in_variables(
        judge(env={"LANG": "x"}, text="FROM x:1\nENV LANG=x\n", commands=[("ENV LANG=x", 0)]),
        {0: ["secret-keyword"]},
    )


def test_secrets_of_the_job_arrive_masked():
    text = 'FROM x:1\nARG KIND\nARG STARS="***"\nENV LEVEL=$KIND\nRUN echo "***"\nRUN make\n'
    commands = [
        ("ARG KIND", 0),
        ("ARG STARS=***", 0),
        ("ENV LEVEL=***", 0),
        ('RUN |2 KIND=*** STARS=*** /bin/sh -c echo "***"', 0),
        ("RUN |2 KIND=*** STARS=*** /bin/sh -c curl ***", 0),
    ]
    one = judge(text, commands=commands, env={"LEVEL": "x***"})
    assert found(in_variables(one)) == [("secret-in-env", 4), ("secret-in-history", 2)]
    assert found(one.in_commands([])) == [("secret-in-history", 6)]
    same = judge(text, commands=commands, env={}, given={"KIND": "***"})
    assert found(in_variables(same)) == []


def test_an_earlier_value_of_a_variable():
    text = "FROM x:1\nENV DB_PASSWORD=hunter2\nENV DB_PASSWORD=\n"
    commands = [("ENV DB_PASSWORD=hunter2", 0), ("ENV DB_PASSWORD=", 0)]
    assert found(in_variables(judge(text, commands=commands, env={"DB_PASSWORD": ""}))) == [
        ("secret-in-history", 2)
    ]


def test_commands_with_a_secret():
    hits = [
        (3, TextHit("github-token", 9)),
        (3, TextHit("secret-keyword", 9)),
        (2, TextHit("private-key", 5)),
    ]
    findings = [*judge().in_commands(hits)]
    assert found(findings) == [("secret-in-history", 6), ("secret-in-history", 5)]
    assert "github-token, secret-keyword" in findings[0].message


def contents(one: Judge, *removals: Removal) -> Contents:
    steps = tuple(step for step in one.facts.steps if step.size)
    hits = (
        Hit("/app/.env", "github-token", 3),
        Hit("/app/.env", "github-token", 9),
        Hit("/app/.env", "private-key", 1),
        Hit("/app/k\nx", "private-key", 1),
    )
    return Contents(
        steps=steps, packages=(), removals=removals, searched={1: Searched(hits=hits), 2: Searched()}
    )


def test_one_finding_for_a_file_of_a_layer():
    one = judge()
    first, second = one.in_layers(contents(one, Removal(2, "/app/.env")))
    assert found([first, second]) == [("secret-in-layer", 5)] * 2
    assert "github-token on line 3 and 1 more, private-key on line 1" in first.message
    assert ".dockerignore" in first.message
    assert "layer 2 of 3" in first.message
    assert first.message.count("a later layer") == 1
    assert "a later layer" not in second.message
    assert "\n" not in second.message


def test_the_place_of_what_is_not_known():
    one = judge()
    unknown = Contents(
        steps=(None,), packages=(), removals=(), searched={0: Searched(hits=(Hit("/x", "private-key", 1),))}
    )
    assert found(one.in_layers(unknown)) == [("secret-in-layer", 2)]
    assert one.place(one.facts.steps[0]) == at("Dockerfile", 2, end_line=2)
