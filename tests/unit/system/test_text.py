"""Foreign text made harmless: for a line, a terminal, and the runner's parser."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.hostile_text import FOREIGN
from support.runner_model import commands, could_be_command, log_lines

from ci_action.system.text import (
    data_size,
    duration,
    lines_of,
    listed,
    neutral,
    one_line,
    plain,
    quoted,
    visible,
)


@given(FOREIGN)
@example("::error::x")
@example("  ::set-output name=a::b")
@example("x ##[set-output name=a]b")
@example("50%\r::add-mask::e")
@example("\u3000::error::x")
@example("\x85::error::x")
@example("####[[a]")
@example("\x0b::error::x\u2028::error::y")
@example("\x1c::error::x")
def test_no_line_of_neutral_text_is_a_command(text: str):
    result = neutral(text)
    assert commands(result) == []
    assert not any(could_be_command(line) for line in log_lines(result))


@given(FOREIGN)
def test_neutral_text_has_no_other_breaks_and_no_control_characters(text: str):
    result = neutral(text)
    assert not [
        char
        for char in result
        if (unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} and char not in "\n\t")
        or char in "\u202a\u202e\u2066\u2069\u200b\u061c\ufeff"
    ]


@given(FOREIGN)
def test_neutral_is_idempotent(text: str):
    assert neutral(neutral(text)) == neutral(text)


@given(st.text(st.characters(categories=["L", "N"], include_characters=" :#[-]%"), max_size=30))
def test_ordinary_text_is_unchanged(text: str):
    if not text.lstrip().startswith("::") and "##[" not in text:
        assert neutral(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("::error::x", "\\::error::x"),
        ("  ::error::x", "  \\::error::x"),
        ("a ##[group]b", "a ##\\[group]b"),
        ("a\rb\r\nc\x0bd", "a\nb\nc\nd"),
        ("a ::error::x", "a ::error::x"),
        (":: ", "\\:: "),
        ("", ""),
    ],
)
def test_neutral(text: str, expected: str):
    assert neutral(text) == expected


@given(FOREIGN)
def test_one_line_is_one_line_without_control_characters(text: str):
    result = one_line(text)
    assert len(lines_of(result)) == 1
    assert result.splitlines() in ([result], [])
    assert not [char for char in result if unicodedata.category(char) in {"Cc", "Cs"} and char != "\t"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("a\x00b\x07\x7f\x9b", "a␀b␇␡\ufffd"),
        ("tab\tand\nnewline", "tab\tand\nnewline"),
        ("\r", "␍"),
        ("lone \udcff", "lone \ufffd"),
        ("é 🎉", "é 🎉"),
    ],
)
def test_visible(text: str, expected: str):
    assert visible(text) == expected


@given(st.text())
def test_plain_text_can_be_encoded(text: str):
    assert plain(text).encode("utf-8").decode("utf-8") == plain(text)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_without_surrogates_is_unchanged(text: str):
    assert plain(text) == text


@pytest.mark.parametrize(
    ("number", "expected"), [(0.0, "0.00 s"), (0.994, "0.99 s"), (1.0, "1.0 s"), (75.25, "75.2 s")]
)
def test_times(number: float, expected: str):
    assert duration(number) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1 kB"),
        (999_999, "999.9 kB"),
        (181_349_999, "181.3 MB"),
        (299_999_999, "299.9 MB"),
        (10**9, "1 GB"),
        (12_345 * 10**9, "12,345 GB"),
    ],
)
def test_sizes_are_cut(number: int, expected: str):
    assert data_size(number) == expected


def test_listed_entries_are_limited():
    assert listed([]) == ""
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(number) for number in range(1500)], 2) == "0, 1 and 1,498 more"
    assert quoted(list("abcdef")) == "'a', 'b', 'c', 'd', 'e' and 1 more"
