"""Secrets that were found in the project's files: on no channel, and the rest stays readable."""

import json
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import broken_tool, case, finding, stage_result, tool_result, with_tests

from ci_action.engine.redact import concealed
from ci_action.model.result import Hint, Skipped
from ci_action.system.redaction import HIDDEN, Concealer

SECRET = "hunter2-Xy9"


def concealer(*values: str) -> tuple[Concealer, list[str]]:
    masked: list[str] = []
    conceal = Concealer(masked.append)
    conceal.add(values)
    return conceal, masked


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
def test_the_runner_is_told_of_what_is_no_everyday_word(value: str, masked: bool):
    assert concealer(value)[1] == ([value] if masked else [])


@pytest.mark.parametrize(
    ("values", "text", "shown"),
    [
        pytest.param([SECRET], f"x{SECRET}y", "x***y", id="a long one inside a word"),
        pytest.param(
            ["abc"], "abc 'abc' x=abc abcd", "abc '***' x=*** abcd", id="a word where it is a value"
        ),
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
def test_values_are_taken_out(values: list[str], text: str, shown: str):
    assert concealer(*values)[0](text) == shown


def test_nothing_to_hide():
    conceal = Concealer()
    assert (bool(conceal), conceal("a")) == (False, "a")
    conceal.add(["", "password"])
    assert not conceal


def test_values_add_up_and_each_is_masked_once():
    conceal, masked = concealer(SECRET)
    conceal.add([SECRET, "other-Value1"])
    assert masked == [SECRET, "other-Value1"]
    assert conceal(f"{SECRET} other-Value1") == "*** ***"


def test_threads_lose_no_value():
    conceal = Concealer()
    values = [[f"thread{thread}-Value{number}" for number in range(40)] for thread in range(8)]

    def add(part: list[str]) -> None:
        for one in part:
            conceal.add([one])

    threads = [threading.Thread(target=add, args=(part,)) for part in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [one for part in values for one in part if conceal(f" {one} ") != f" {HIDDEN} "]


@given(
    st.lists(st.text("abB9.*é\\\"'", min_size=4, max_size=8).map("K9".__add__), min_size=1, max_size=4),
    st.lists(st.text("xyz \n", max_size=5), min_size=2, max_size=4),
)
def test_no_value_is_left(values: list[str], between: list[str]):
    conceal = concealer(*values)[0]
    for value in values:
        assert not any(one in conceal(value.join(between)) for one in values)


def test_every_text_of_a_result_is_cleaned_and_names_stay():
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
            hints=(Hint(name="h", cause=SECRET, fix=SECRET),),
        ),
        broken_tool(SECRET, detail=SECRET, findings=(one,)),
        tool_result(tool="black", outcome=Skipped(SECRET)),
        tests,
    ]
    (stage,) = concealed((stage_result(*tools),), concealer(SECRET)[0])
    assert SECRET not in repr(stage)
    assert repr(stage).count(HIDDEN) == 19
    assert [tool.tool for tool in stage.tools] == [tool.tool for tool in tools]
    assert [found.location for found in stage.tools[0].findings] == [one.location]


def test_without_secrets_results_are_the_same_object():
    stages = (stage_result(),)
    assert concealed(stages, Concealer()) is stages
