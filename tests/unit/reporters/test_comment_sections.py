"""The sections of a comment: reading, joining, writing, hostile text and limits."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hostile_text import FOREIGN

from ci_action.model.result import Conclusion
from ci_action.reporters.comment import (
    LEAST,
    LIMIT,
    MARKER,
    RunSection,
    assembled,
    harmless,
    joined,
    parse,
    room_beside,
)
from ci_action.reporters.limits import code_units

NOW, OLD = "a" * 40, "b" * 40


def section(number: int = 1, **overrides: Any) -> RunSection:
    values = {
        "key": f"{number:016x}",
        "id": f"{number:016x}",
        "commit": NOW,
        "run": "9-1",
        "step": "aa",
        "conclusion": Conclusion.FAILED,
        "red": True,
        "text": f"### stage {number}\n\ntext",
    }
    return RunSection(**{**values, **overrides})


def test_what_is_written_is_read_again():
    given_ = (section(1), section(2, conclusion=Conclusion.PASSED, red=False, text="### one line"))
    assert parse(assembled(given_)) == given_
    assert parse(assembled(given_).replace("\n", "\r\n")) == given_


PIECES = st.sampled_from(
    [
        MARKER,
        "<!-- ci-action:end -->",
        "<!--  ci-action:section key=",
        "<!-- ci-action:section key=0000000000000001 id=0000000000000001 commit= run=-1 step= conclusion=passed red=0 -->",
    ]
)


@given(st.lists(PIECES | FOREIGN | st.just("\n"), max_size=8).map("".join))
def test_no_text_can_be_taken_for_a_section(text: str):
    mine = section(1, text="### x\n" + harmless(text))
    others = (section(2), section(3))
    body = assembled((others[0], mine, others[1]))
    found = parse(body)
    assert [one.key for one in found] == [others[0].key, mine.key, others[1].key]
    assert (found[0], found[2]) == others


@pytest.mark.parametrize(
    "body",
    [
        "",
        MARKER,
        "<!-- ci-action:section key=1 -->\nx\n<!-- ci-action:end -->",
        assembled((section(),)).replace("conclusion=failed", "conclusion=grand"),
        assembled((section(),)).replace("<!-- ci-action:end -->", ""),
        "> " + assembled((section(),)).replace("\n", "\n> "),
    ],
)
def test_invalid_sections_are_dropped(body: str):
    assert parse(body) == ()


MINE = section(7)
JOINED: dict[str, tuple[list[RunSection], dict[str, Any], list[RunSection]]] = {
    "alone": ([], {}, [MINE]),
    "the same again": ([MINE], {}, [MINE]),
    "beside another stage": ([section(2)], {}, [section(2), MINE]),
    "of an older commit": ([section(2, commit=OLD), section(7, commit=OLD, run="8-1")], {}, [MINE]),
    "of an older run": ([section(7, id="c" * 16, run="8-1")], {}, [MINE]),
    "of an older attempt": ([section(7, id="c" * 16, run="8-2")], {}, [MINE]),
    "the same step again": ([section(7, id="c" * 16)], {}, [MINE]),
    "the same step, green now": ([section(7, id="c" * 16)], {"keep": False}, []),
    "a matrix": ([section(7, id="c" * 16, step="bb")], {}, [MINE, section(7, id="c" * 16, step="bb")]),
    "red before green": (
        [section(1, red=False, conclusion=Conclusion.PASSED)],
        {},
        [MINE, section(1, red=False, conclusion=Conclusion.PASSED)],
    ),
    "gone when green": ([section(2), section(7, id="c" * 16, run="8-1")], {"keep": False}, [section(2)]),
    "no section left": ([section(7, id="c" * 16, run="8-1")], {"keep": False}, []),
    "green beside a red one of the matrix": (
        [section(7, id="c" * 16, step="bb")],
        {"keep": False},
        [section(7, id="c" * 16, step="bb")],
    ),
    "a copy of a section": ([section(7, id="c" * 16)], {"copy": True}, [section(7, id="c" * 16)]),
    "a copy of something else": (
        [section(7, id="c" * 16, step="bb", conclusion=Conclusion.BROKEN)],
        {"copy": True},
        [section(7, id="c" * 16, step="bb", conclusion=Conclusion.BROKEN), MINE],
    ),
}


@pytest.mark.parametrize("name", JOINED)
def test_sections_of_several_runs(name: str):
    there, options, expected = JOINED[name]
    assert list(joined(there, MINE, **{"keep": True, **options})) == expected


def test_the_heading_is_the_worst():
    green = section(1, conclusion=Conclusion.PASSED, red=False)
    warns_only = section(2, conclusion=Conclusion.BROKEN, red=False)
    assert "## ✅ ci-action: passed\n" in assembled((green,))
    assert "## 💥 ci-action: broken\n" in assembled((warns_only, green))
    assert "## ❌ ci-action: failed\n" in assembled((section(3), warns_only, green))


def test_a_comment_that_would_be_too_long_keeps_the_failures_longest():
    text = "### {}\n\n" + "é🎉" * 5_000
    green = [
        section(number, conclusion=Conclusion.PASSED, red=False, text=text.format(number))
        for number in range(4)
    ]
    red = [section(number, text=text.format(number)) for number in range(10, 13)]
    body = assembled((*red, *green))
    assert code_units(body) <= LIMIT
    found = parse(body)
    assert [one.text for one in found[:3]] == [one.text for one in red]
    assert [one.text for one in found[3:]] == ["### 0", "### 1", "### 2", *[found[-1].text]]


@pytest.mark.parametrize("count", [1, 50, 1_000])
def test_no_number_of_sections_is_too_many(count: int):
    sections = tuple(section(number, text="### " + "x" * 150 + "\n" + "y" * 2_000) for number in range(count))
    body = assembled(sections)
    assert code_units(body) <= LIMIT
    kept = len(parse(body))
    assert kept == count or f"**{count - kept:,} more sections did not fit" in body
    assert kept >= 1


def test_the_others_leave_room():
    assert room_beside([], MINE) > 60_000
    assert room_beside([section(1, text="x" * 30_000)], MINE) < 35_000
    assert room_beside([section(1, text="x" * 90_000)], MINE) == LEAST
    assert room_beside([MINE], MINE) == room_beside([], MINE)
