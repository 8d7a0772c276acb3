"""The reader of Dockerfiles: places as BuildKit reports them, stages, and base images with arguments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import context, write

from ci_action.stages.docker.dockerfile import (
    expanded,
    frontend,
    parse,
    platform_arguments,
    read,
    with_arguments,
)
from ci_action.stages.docker.model import Dockerfile
from ci_action.system.errors import ProjectFileError


def parsed(text: str | bytes) -> Dockerfile:
    return parse(text if isinstance(text, bytes) else text.encode(), "Dockerfile")


def instructions(text: str | bytes) -> list[tuple[str, str, int, int]]:
    return [
        (one.name, one.value, one.line, one.end_line)
        for stage in parsed(text).stages
        for one in (stage.start, *stage.instructions)
    ]


FROM = ("FROM", "a", 1, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a\nRUN b c\n", [FROM, ("RUN", "b c", 2, 2)]),
        ("FROM a\nRUN b c", [FROM, ("RUN", "b c", 2, 2)]),
        ("from a\n  run\tb\n", [FROM, ("RUN", "b", 2, 2)]),
        ("\ufeffFROM a\r\nRUN b \\\r\n c\r\n", [FROM, ("RUN", "b  c", 2, 3)]),
        ("FROM a\n# RUN no\n\n  # no\nUSER b\n", [FROM, ("USER", "b", 5, 5)]),
        ("FROM a\nRUN b && \\\n# no\n\n  c \\ \n  d\nCMD e\n", [FROM, ("RUN", "b &&   c   d", 2, 6), ("CMD", "e", 7, 7)]),
        ("FROM a\nRUN b \\", [FROM, ("RUN", "b", 2, 2)]),
        ("FROM a\nRUN b \\\\\nRUN c\n", [FROM, ("RUN", "b \\\\", 2, 2), ("RUN", "c", 3, 3)]),
        ("# escape=`\nFROM a\nRUN b `\n c\nRUN d \\\n", [
            ("FROM", "a", 2, 2), ("RUN", "b  c", 3, 4), ("RUN", "d \\", 5, 5),
        ]),
        ("#no\n# escape=`\nFROM a\nRUN b `\nRUN c\n", [
            ("FROM", "a", 3, 3), ("RUN", "b `", 4, 4), ("RUN", "c", 5, 5),
        ]),
        ("# escape=x\nFROM a\\\nb\n", [("FROM", "ab", 2, 3)]),
        ("FROM a\nRUN <<EOF\nUSER b\n EOF\nEOF\nUSER c\n", [FROM, ("RUN", "<<EOF", 2, 5), ("USER", "c", 6, 6)]),
        ("FROM a\nRUN <<-'EOF' && \\\n  cat\n\tEOF\nUSER c\n", [FROM, ("RUN", "<<-'EOF' &&   cat", 2, 4), ("USER", "c", 5, 5)]),
        ('FROM a\nCOPY <<X 3<<"Y" /b/\nY\nX\nX\nY\nUSER c\n', [FROM, ("COPY", '<<X 3<<"Y" /b/', 2, 6), ("USER", "c", 7, 7)]),
        ("FROM a\nONBUILD RUN <<\\E\nE\nUSER c\n", [FROM, ("ONBUILD", "RUN <<\\E", 2, 3), ("USER", "c", 4, 4)]),
        ("FROM a\nRUN echo '<<E' \\<<E $((1<<2)) a<<E <<<E\nUSER c\n", [
            FROM, ("RUN", "echo '<<E' \\<<E $((1<<2)) a<<E <<<E", 2, 2), ("USER", "c", 3, 3),
        ]),
        ('FROM a\nRUN echo "<<E\nUSER c\n', [FROM, ("RUN", 'echo "<<E', 2, 2), ("USER", "c", 3, 3)]),
        ("FROM a\nENV X=<<E\nLABEL y <<E\nUSER c\n", [
            FROM, ("ENV", "X=<<E", 2, 2), ("LABEL", "y <<E", 3, 3), ("USER", "c", 4, 4),
        ]),
        ("FROM a\nRUN <<E\nUSER c\n", [FROM, ("RUN", "<<E", 2, 3)]),
        (b"FROM a\nRUN \xff\n", [FROM, ("RUN", "\ufffd", 2, 2)]),
        ("", []),
        ("\n\n# nothing\n", []),
        ("RUN a\n", []),
    ],
)  # fmt: skip
def test_instructions(text: str | bytes, expected: list[tuple[str, str, int, int]]):
    assert instructions(text) == expected


@pytest.mark.parametrize(
    ("text", "stages"),
    [
        ("FROM a", [("a", "")]),
        ("FROM a AS B", [("a", "b")]),
        ("FROM --platform=$BUILDPLATFORM a:1 as b\nFROM b", [("a:1", "b"), ("b", "")]),
        ("ARG X=1\nFROM a:$X", [("a:$X", "")]),
        ("FROM", [("", "")]),
        ("FROM --platform=x", [("", "")]),
        ("FROM a b c", [("a", "")]),
        ("FROM a AS", [("a", "")]),
    ],
)
def test_stages(text: str, stages: list[tuple[str, str]]):
    assert [(one.base, one.name) for one in parsed(text).stages] == stages


@pytest.mark.parametrize(
    ("target", "bases"),
    [("", ["run", "build", "a"]), ("BUILD", ["a"]), ("1", ["build", "a"]), ("no", []), ("9", [])],
)
def test_the_chain_of_a_target(target: str, bases: list[str]):
    found = parsed("FROM a AS build\nFROM build AS run\nFROM other AS side\nFROM run\n")
    assert [one.base for one in found.chain(target)] == bases


@pytest.mark.parametrize(
    ("text", "given", "bases"),
    [
        ("ARG V=3.13\nFROM python:$V", {}, ["python:3.13"]),
        ("ARG V=3.13\nFROM python:${V}-slim", {"V": "3.12"}, ["python:3.12-slim"]),
        ("ARG V\nFROM python:${V:-3.11}", {}, ["python:3.11"]),
        ("ARG V\nFROM python:${V:-3.11}", {"V": "3.12"}, ["python:3.12"]),
        ("ARG V=''\nFROM python${V:+:$V}", {}, ["python"]),
        ("FROM python:$V", {"V": "3.12"}, ["python:"]),
        ('ARG R=ghcr.io P=$R/py\nARG I="${P}:1"\nFROM $I\n', {"R": "x"}, ["x/py:1"]),
        ("ARG V=1\nFROM a:$V AS b\nARG V=2\nFROM c:$V", {}, ["a:1", "c:1"]),
        ("FROM base-$TARGETARCH", {"TARGETARCH": "arm64"}, ["base-arm64"]),
        ("FROM 'a:1'", {}, ["a:1"]),
        ("FROM a:${V", {}, ["a:${V"]),
    ],
)  # fmt: skip
def test_bases_with_arguments(text: str, given: dict[str, str], bases: list[str]):
    found = with_arguments(parsed(text), given)
    assert [one.base for one in found.stages] == bases


def test_a_stage_can_be_chosen_by_an_argument():
    text = "ARG KIND=slow\nFROM a AS slow\nFROM b AS fast\nFROM $KIND\n"
    chains = [
        with_arguments(parsed(text), given).chain("") for given in ({}, {"KIND": "fast"}, {"KIND": "c"})
    ]
    assert [[one.base for one in chain] for chain in chains] == [["slow", "a"], ["fast", "b"], ["c"]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$X ${X} ${X:-y} ${X-y} ${X:+y} ${X+y}", "1 1 1 1 y y"),
        ("$E|${E}|${E:-y}|${E-y}|${E:+y}|${E+y}", "||y|||y"),
        ("$N|${N}|${N:-y}|${N-y}|${N:+y}|${N+y}", "||y|y||"),
        ("$ $1 ${} ${X#y}", "$ $1 ${} ${X#y}"),
    ],
)
def test_variables(text: str, value: str):
    assert expanded(text, {"X": "1", "E": ""}) == value


def test_arguments_of_the_platform():
    assert platform_arguments("linux/arm/v7") == {
        "TARGETPLATFORM": "linux/arm/v7", "TARGETOS": "linux", "TARGETARCH": "arm", "TARGETVARIANT": "v7",
    }  # fmt: skip
    assert platform_arguments("linux/amd64")["TARGETVARIANT"] == ""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("# syntax=docker/dockerfile:1\nFROM a", "docker/dockerfile:1"),
        ("#Syntax = x \n# escape=`\nFROM a", "x"),
        ("# escape=`\r\n# syntax=x\r\n", "x"),
        ("\n# syntax=x\n", ""),
        ("# a comment\n# syntax=x\n", ""),
        ("", ""),
    ],
)
def test_the_parser_that_a_file_names(text: str, name: str):
    assert frontend(text.encode()) == name


def test_the_file_of_the_settings_is_read(tmp_path):
    ctx = context(write(tmp_path / "w", {"app/Dockerfile": "FROM a\n"}), settings={"context": "app"})
    assert read(ctx.settings, ctx.layout).path == "app/Dockerfile"
    with pytest.raises(ProjectFileError):
        read(context(tmp_path / "w").settings, ctx.layout)


WORDS = st.sampled_from(
    ["FROM a AS b", "RUN <<E", "E", "\\", "`", "\n", "\r\n", "# escape=`", "<<-'X'", '"', "'", "${X:-", "}", " ", "\t", "COPY"]
)  # fmt: skip


@given(st.one_of(st.binary(), st.lists(WORDS).map(lambda words: "".join(words).encode())))
def test_nothing_is_an_error_and_places_are_in_the_file(raw: bytes):
    found = with_arguments(parse(raw, "Dockerfile"), {"X": "1"})
    every = [one for stage in found.stages for one in (stage.start, *stage.instructions)]
    last = 0
    for one in every:
        assert last < one.line <= one.end_line <= raw.count(b"\n") + 1
        last = one.end_line
    assert len(found.chain("")) <= len(found.stages)
    frontend(raw)


def test_a_large_file_takes_linear_time():
    many = "FROM a\n" + "RUN b \\\n" * 20_000 + "RUN <<E\n" * 20_000 + "RUN " + "'<<\" \\ " * 20_000
    assert parsed(many).stages[0].instructions
