"""Secrets in results are redacted, and the rest stays readable."""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from enum import EnumMeta
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import (
    STARTED,
    broken_tool,
    case,
    covered,
    file_coverage,
    finding,
    stage_result,
    tool_result,
    with_tests,
)

from ci_action.engine.redact import redacted
from ci_action.model.docker import BuildStep, Image, Probe
from ci_action.model.migrations import Migrations
from ci_action.model.result import Broken, Hint, Report, RunResult, Skipped, StageResult, ToolResult
from ci_action.model.totals import coverage_of
from ci_action.system.redaction import HIDDEN, Redactor

SECRET = "hunter2-Xy9"


def redactor(*values: str) -> tuple[Redactor, list[str]]:
    masked: list[str] = []
    redact = Redactor(mask=masked.append)
    redact.add(values)
    return redact, masked


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        pytest.param(SECRET, True, id="letters and digits"),
        pytest.param("hunter", False, id="a word"),
        pytest.param("correcthorse", True, id="a long word"),
        pytest.param("correcthors", False, id="a word that is not long"),
        pytest.param("Secret1", True, id="six or more of several kinds"),
        pytest.param("aB3x9", False, id="five"),
        pytest.param("123456", False, id="a number"),
        pytest.param("password", False, id="an everyday word"),
    ],
)
def test_values_that_are_not_everyday_words_are_masked(value: str, masked: bool):
    assert redactor(value)[1] == ([value] if masked else [])


@pytest.mark.parametrize(
    ("values", "text", "shown"),
    [
        pytest.param([SECRET], f"x{SECRET}y", "x***y", id="a long one inside a word"),
        pytest.param(["abc"], "abc 'abc' x=abc abcd", "abc '***' x=*** abcd", id="a word as a value"),
        pytest.param(
            ["admin"], "u:admin@host, password: admin", "u:***@host, password: ***", id="a password"
        ),
        pytest.param(
            ["test"], "tests/test_it.py::test 1 test", "tests/test_it.py::test 1 test", id="a node id"
        ),
        pytest.param(["Password"], "Password is a word", "Password is a word", id="an everyday word"),
        pytest.param(["", "  "], "a  b", "a  b", id="blanks"),
        pytest.param(["s3cret", "s3cret-more"], "s3cret-more s3cret", "*** ***", id="the longer first"),
        pytest.param(['pa"ss\\wörd'], json.dumps('pa"ss\\wörd'), '"***"', id="as in JSON"),
        pytest.param(
            ["ghp_k3XmLq8TzRw5nYvB9cDf"],
            "assert 'ghp_k3XmLq...nYvB9cDf' == {'t': 'gh...B9cDf'} ghp_k3XmLq9 ghp_k3 ... it",
            "assert '***...***' == {'t': 'gh...B9cDf'} ghp_k3XmLq9 ghp_k3 ... it",
            id="cut by pytest",
        ),
        pytest.param(["tab\tbed9"], repr("tab\tbed9"), "'***'", id="as Python shows it"),
        pytest.param(["a.c+(9)"], "abc+(9) a.c+(9)", "abc+(9) ***", id="no pattern"),
    ],
)
def test_values_are_redacted(values: list[str], text: str, shown: str):
    assert redactor(*values)[0](text) == shown


def test_nothing_to_hide():
    redact = Redactor()
    assert (bool(redact), redact("a")) == (False, "a")
    redact.add(["", "password"])
    assert not redact


def test_a_word_is_only_redacted_as_a_value():
    redact, masked = redactor()
    redact.add([], ["international"])
    text = "an international key: 'international', key=international"
    assert redact(text) == "an international key: '***', key=***"
    redact.add(["international"])
    assert redact(text) == "an *** key: '***', key=***"
    redact.add([], ["international"])
    assert redact("an international key") == "an *** key"
    assert masked == ["international"]


def test_values_add_up_and_each_is_masked_once():
    redact, masked = redactor(SECRET)
    redact.add([SECRET, "other-Value1"])
    assert masked == [SECRET, "other-Value1"]
    assert redact(f"{SECRET} other-Value1") == "*** ***"


def test_threads_lose_no_value():
    redact = Redactor()
    values = [[f"thread{thread}-Value{number}" for number in range(40)] for thread in range(8)]

    def add(part: list[str]) -> None:
        for one in part:
            redact.add([one])

    threads = [threading.Thread(target=add, args=(part,)) for part in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [one for part in values for one in part if redact(f" {one} ") != f" {HIDDEN} "]


@given(
    st.lists(st.text("abB9.*é\\\"'", min_size=4, max_size=8).map("K9".__add__), min_size=1, max_size=4),
    st.lists(st.text("xyz \n", max_size=5), min_size=2, max_size=4),
)
def test_every_value_is_redacted(values: list[str], between: list[str]):
    redact = redactor(*values)[0]
    for value in values:
        assert not any(one in redact(value.join(between)) for one in values)


def test_every_text_of_a_result_is_redacted_and_names_are_kept():
    one = finding(
        message=f"found {SECRET}",
        fix_message=SECRET,
        before=f"x = '{SECRET}'\n",
        after=f"y = '{SECRET}'\n",
    )
    tests = with_tests(case("t.py::t", "failed", message=SECRET, detail=SECRET, subtest=SECRET))
    tools = [
        replace(
            tool_result(one, warnings=(SECRET,), log=SECRET),
            hints=(Hint(name="h", cause=SECRET, fix=SECRET, url=""),),
        ),
        broken_tool(SECRET, detail=SECRET, findings=(one,)),
        tool_result(tool="black", outcome=Skipped(SECRET)),
        tests,
    ]
    (stage,) = redacted((stage_result(*tools),), redactor(SECRET)[0])
    assert SECRET not in repr(stage)
    assert repr(stage).count(HIDDEN) == 19
    assert [tool.tool for tool in stage.tools] == [tool.tool for tool in tools]
    assert [found.location for found in stage.tools[0].findings] == [one.location]


def test_without_secrets_results_are_the_same_object():
    stages = (stage_result(),)
    assert redacted(stages, Redactor()) is stages


# Texts of our own: a secret that is such a word hides nothing.
OURS = {
    "Finding.tool", "Finding.severity", "Finding.fingerprint",
    "Hint.name",
    "ToolResult.tool", "ToolResult.url",
    "StageResult.stage",
    "RunResult.scope",
}  # fmt: skip


def filled(kind: Any) -> Any:
    """Return a value of a type with the secret in every text of it."""
    origin, args = get_origin(kind), get_args(kind)
    ordinary = {str: f"it is {SECRET}", int: 1, float: 1.0, bool: True, datetime: STARTED}
    if origin in {UnionType, Union}:
        return filled(args[0])
    if origin is tuple:
        return (filled(args[0]),) if args[-1] is ... else tuple(map(filled, args))
    if origin is Mapping:
        return {filled(args[0]): filled(args[1])}
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(
            kind, localns={"Migrations": Migrations, "Image": Image}
        )  # which is imported for types only
        return kind(**{field.name: filled(hints[field.name]) for field in fields(kind)})
    return next(iter(kind)) if isinstance(kind, EnumMeta) else ordinary.get(kind, frozenset())


def holding(value: Any, name: str = "") -> Iterator[str]:
    """Yield the fields that hold the secret."""
    if isinstance(value, str):
        if SECRET in value:
            yield name
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from holding(key, name)
            yield from holding(one, name)
    elif isinstance(value, tuple):
        for one in value:
            yield from holding(one, name)
    elif is_dataclass(value):
        for field in fields(value):
            yield from holding(getattr(value, field.name), f"{type(value).__name__}.{field.name}")


def test_every_text_that_is_not_ours_is_redacted():
    """Also new fields: add them to `OURS`, or they are redacted."""
    outcomes = (filled(Report), filled(Skipped), filled(Broken))
    stage = replace(
        filled(StageResult), tools=tuple(replace(filled(ToolResult), outcome=one) for one in outcomes)
    )
    result = replace(filled(RunResult), stages=(stage,))
    assert set(holding(result)) > OURS
    left = set(holding(redacted(result, Redactor([SECRET]))))
    assert left - OURS <= {
        "Report.outputs",
        "Report.metrics",
        "Broken.outputs",
        "Broken.metrics",
    }  # their names
    assert left >= OURS


@pytest.mark.parametrize(
    ("paths", "shown"),
    [
        (["a.py", "b.py"], ["a.py", "b.py"]),
        ([f"{SECRET}.py"], ["***.py"]),
        (["one-Secret.py", "two-Secret.py"], ["***.py", "***.py-2"]),
        ([f"{SECRET}.py", "***.py"], ["***.py-2", "***.py"]),
    ],
)
def test_redacted_files_of_coverage_stay_distinct(paths: list[str], shown: list[str]):
    before = covered(*map(file_coverage, paths))
    (stage,) = redacted((stage_result(before),), Redactor([SECRET, "one-Secret", "two-Secret"]))
    coverage, ran = coverage_of(stage.tools[0]), coverage_of(before)
    assert coverage
    assert ran
    assert list(coverage.files) == [one.path for one in coverage.files.values()] == shown
    assert coverage.metrics == ran.metrics


@pytest.mark.parametrize(
    ("values", "redacted_lines"),
    [
        ({"before": f"x = '{SECRET}'\n"}, True),
        ({"after": f"x = '{SECRET}'\n"}, True),
        ({"message": f"about {SECRET}"}, False),
        ({"before": "x = '***'\n"}, False),
    ],
    ids=["before", "after", "the message alone", "stars of the project"],
)
def test_a_finding_notes_that_secrets_in_its_lines_were_replaced(
    values: dict[str, str], redacted_lines: bool
):
    redact, _ = redactor(SECRET)
    one = redacted(finding(**values), redact)
    assert one.redacted is redacted_lines
    assert SECRET not in repr(one)


def test_the_names_of_build_steps_and_probes_are_prose():
    """They quote the Dockerfile with the values of its build arguments, and commands."""
    redact = Redactor()
    redact.add(["hunter-2-hunter"])
    step = BuildStep(name="[2/2] RUN login hunter-2-hunter", seconds=1.0)
    probe = Probe(name="login hunter-2-hunter", answer="exit code 0", seconds=1.0)
    image = redacted(Image(steps=(step,), probes=(probe,)), redact)
    assert image.steps[0].name == f"[2/2] RUN login {HIDDEN}"
    assert image.probes[0].name == f"login {HIDDEN}"
