"""The history of an image and its Dockerfile: which steps are its own, their lines, and what they show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.model.finding import Location
from ci_action.stages.docker.dockerfile import parse
from ci_action.stages.docker.image.facts import (
    Step,
    build_arguments,
    declared,
    facts_of,
    matching,
    place_of,
    variables,
)
from ci_action.system.errors import ToolError

TEXT = """\
ARG VERSION=3.13
FROM python:${VERSION} AS base
ARG TOKEN
ENV A=b C="d e"
WORKDIR /app
RUN pip install \\
    .
FROM other AS unused
RUN nothing
FROM base
COPY . .
USER app
CMD ["python"]
"""
BUILDKIT = [
    "ENV GPG_KEY=A0",
    "RUN /bin/sh -c apt-get update # buildkit",
    "ARG TOKEN",
    "ENV A=b C=d e",
    "WORKDIR /app",
    "RUN |1 TOKEN=x /bin/sh -c pip install     . # buildkit",
    "COPY . . # buildkit",
    "USER app",
    'CMD ["python"]',
]
CLASSIC = [
    "/bin/sh -c #(nop)  ENV GPG_KEY=A0",
    "/bin/sh -c apt-get update",
    "/bin/sh -c #(nop)  ARG TOKEN",
    "/bin/sh -c #(nop)  ENV A=b C=d e",
    "/bin/sh -c #(nop) WORKDIR /app",
    "|1 TOKEN=x /bin/sh -c pip install     .",
    "/bin/sh -c #(nop) COPY dir:0abc in . ",
    "/bin/sh -c #(nop)  USER app",
    '/bin/sh -c #(nop)  CMD ["python"]',
]


def steps(*commands: str) -> list[Step]:
    return [Step(command=one, size=0) for one in commands]


def history(*commands: str) -> list[dict[str, str]]:
    return [{"CreatedBy": one, "Size": "3"} for one in reversed(commands)]


@pytest.mark.parametrize("commands", [BUILDKIT, CLASSIC], ids=["buildkit", "classic"])
def test_the_newest_steps_are_those_of_the_stages(commands: list[str]):
    dockerfile = parse(TEXT.encode(), "Dockerfile")
    found, matched = matching(steps(*commands), dockerfile, "")
    assert matched
    assert [one.own for one in found] == [False] * 2 + [True] * 7
    lines = [one.instruction and (one.instruction.line, one.instruction.end_line) for one in found]
    assert lines == [None, None, (3, 3), (4, 4), (5, 5), (6, 7), (11, 11), (12, 12), (13, 13)]
    assert found[5].shown.startswith("RUN pip install")
    assert (found[1].shown, found[1].name) == ("RUN apt-get update", "RUN")


def test_what_differs_from_the_dockerfile_has_no_lines():
    dockerfile = parse(TEXT.encode(), "Dockerfile")
    found, matched = matching(steps(*BUILDKIT[:-1], "STOPSIGNAL 9"), dockerfile, "")
    assert not matched
    assert [one.own for one in found] == [False] * 2 + [True] * 7
    assert not any(one.instruction for one in found)
    otherwise = Location(path="Dockerfile", line=10)
    assert place_of(found[-1], dockerfile, otherwise) == otherwise


def test_a_short_history_is_the_dockerfiles_own():
    found, matched = matching(steps("CMD x"), parse(TEXT.encode(), "Dockerfile"), "")
    assert ([one.own for one in found], matched) == ([True], False)


def test_steps_that_the_base_image_triggers_are_own_ones():
    dockerfile = parse(b"FROM python:onbuild\nCMD x\n", "Dockerfile")
    commands = [
        "RUN base",
        "ONBUILD COPY . /app",
        "ONBUILD RUN pip install .",
        "COPY . /app",
        "RUN pip install .",
        "CMD x",
    ]
    found, _ = matching(steps(*commands), dockerfile, "")
    assert [one.own for one in found] == [False, False, False, True, True, True]
    assert found[3].instruction is not None
    assert (found[3].instruction.name, found[3].instruction.line) == ("FROM", 1)


def test_the_target_decides_about_the_stages():
    dockerfile = parse(TEXT.encode(), "Dockerfile")
    found, matched = matching(steps(*BUILDKIT[:6]), dockerfile, "base")
    assert (matched, [one.own for one in found]) == (True, [False] * 2 + [True] * 4)


@pytest.mark.parametrize(
    ("commands", "names", "values"),
    [
        (["RUN |1 TOKEN=x y /bin/sh -c make # buildkit"], ["TOKEN"], {"TOKEN": "x y"}),
        (["RUN |2 A=1 B=two words= /bin/sh -c x"], ["A", "B"], {"A": "1", "B": "two words="}),
        (["|2 A=1 B=2 /bin/bash -o pipefail -c x"], ["A", "B"], {"A": "1", "B": "2"}),
        (['RUN |1 A=1 ["ls"]'], ["A"], {"A": "1"}),
        (["RUN /bin/sh -c TOKEN=x make"], ["TOKEN"], {}),
        (["RUN |1 A=1 /bin/sh -c TOKEN=x make"], ["A"], {"A": "1"}),
        (["RUN |1 A=1 /bin/sh -c a", "RUN |1 A=2 /bin/sh -c b"], ["A"], {"A": "1"}),
        (["RUN |1 A=1 /bin/sh -c a"], [], {}),
        ([""], ["A"], {}),
    ],
)
def test_build_arguments_in_the_history(commands: list[str], names: list[str], values: dict[str, str]):
    assert build_arguments(steps(*commands), names) == values


def test_variables_in_the_history():
    found = variables(steps("ENV A=b C=d e", "ENV A=", "RUN x", "ENV B=1", "ARG C=f"), ["A", "C"])
    assert [(name, value) for name, value, _ in found] == [("A", "b"), ("C", "d e"), ("A", ""), ("C", "f")]


def test_what_the_stages_declare():
    dockerfile = parse(b"FROM x\nARG A\nARG B=1 C\nENV D e f\nENV E=1 F='a G=2'\nRUN x\n", "Dockerfile")
    assert set(declared(dockerfile, "", "ARG")) >= {"A", "B"}
    assert set(declared(dockerfile, "", "ENV")) >= {"D", "E", "F"}


def test_what_the_engine_answers():
    inspected = {
        "Size": 7,
        "Config": {"User": " app ", "Env": ["A=b=c", "B"]},
        "RootFS": {"Layers": ["sha256:1"]},
    }
    facts = facts_of(inspected, history("RUN x", "CMD y"), parse(b"FROM x\nCMD y\n", "Dockerfile"), "")
    assert (facts.size, facts.user, dict(facts.env), facts.layers) == (
        7,
        "app",
        {"A": "b=c", "B": ""},
        ("sha256:1",),
    )
    assert [(one.command, one.own) for one in facts.shown] == [("RUN x", False), ("CMD y", True)]


@pytest.mark.parametrize(
    ("inspected", "entries"),
    [({}, []), ({"Size": "x"}, []), ({"Size": 1}, [{"CreatedBy": 1}]), ({"Size": 1}, [{"Size": "1 MB"}])],
)
def test_an_answer_that_is_not_understood(inspected: object, entries: list[object]):
    with pytest.raises(ToolError):
        facts_of(inspected, entries, parse(b"", "Dockerfile"), "")


def test_an_image_without_a_configuration():
    facts = facts_of({"Size": 1, "Config": None, "RootFS": None}, [], parse(b"", "Dockerfile"), "")
    assert (facts.user, facts.layers, facts.steps) == ("", (), ())


COMMANDS = st.builds(
    str.__add__,
    st.sampled_from(["", "ENV ", "ARG ", "RUN |1 ", "/bin/sh -c #(nop) "]),
    st.text("A= \n|/TOKEN", max_size=30),
)


@given(st.lists(COMMANDS | st.text(max_size=40), max_size=6), st.text(max_size=60))
def test_any_history_and_any_dockerfile(commands: list[str], text: str):
    dockerfile = parse(f"FROM x\n{text}".encode("utf-8", "replace"), "Dockerfile")
    found, _ = matching(steps(*commands), dockerfile, "")
    assert [one.command for one in found] == commands
    for one in found:
        assert "\n" not in one.shown
    build_arguments(found, ["A", "TOKEN"])
    list(variables(found, ["A"]))
