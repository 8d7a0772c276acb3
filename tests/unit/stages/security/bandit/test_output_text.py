"""What of bandit's words is shown: nothing of the source, and columns that count code points."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ci_action.stages.security.bandit.output import Issue, in_characters, messages, without_values

TESTS = st.sampled_from(["B103", "B105", "B106", "B107", "B202"])
TEXTS = {
    "B103": "Chmod setting a permissive mask 0o777 on file ({}).",
    "B105": "Possible hardcoded password: '{}'",
    "B106": "Possible hardcoded password: '{}'",
    "B107": "Possible hardcoded password: '{}'",
    "B202": "Found tarfile.extractall(members=?) but couldn't identify the type of members. Check if the members were"
    " properly validated {{'Other': '{}'}}).",
}


@given(TESTS, st.text())
@example("B105", "it's")
@example("B103", ") on file (x")
@example("B105", "a\n'b'\n")
def test_no_value_of_the_source_is_in_a_message(test: str, value: str):
    assert without_values(test, TEXTS[test].format(value)) == without_values(
        test, TEXTS[test].format("other")
    )


@given(st.text(min_size=1), st.sampled_from("'\"`"))
def test_nor_in_that_of_a_test_that_we_do_not_know(value: str, quote: str):
    text = without_values("B999", f"Found {quote}{value}{quote} in it")
    assert text == "Found … in it"


@pytest.mark.parametrize(
    ("test", "text", "expected"),
    [
        ("B602", "It  seems\nsafe. ", "It seems safe"),
        ("B404", "couldn't and wouldn't stay", "couldn't and wouldn't stay"),
        (
            "B702",
            "the 'n', 'h' or 'x' flags; the variable 'data'",
            "the 'n', 'h' or 'x' flags; the variable 'data'",
        ),
        ("B202", TEXTS["B202"].format("x"), "Found tarfile.extractall(members=?) but couldn't identify the type of members"),
        ("B202", "tarfile.extractall used without any validation. Please check.", "tarfile.extractall used without any validation. Please check"),
    ],
)  # fmt: skip
def test_other_texts_stay(test: str, text: str, expected: str):
    assert without_values(test, text) == expected


def test_messages_are_those_of_bandit_alone():
    crash = "[tester]\tERROR\tBandit internal error running: x on file a.py at line 1: 'hunter2'Traceback\n  File\nKeyError: 'hunter2'\n"
    other = "[manager]\tWARNING\tTest in comment: x is not a test name or id, ignoring"
    assert messages(f"{crash}{other}\nloose words\n") == other


COLUMNS = st.sampled_from(["ü = 1; ", "x = 'é😀'; ", "\t", "", "x = 'a'; "])


@given(COLUMNS, st.sampled_from(["utf-8", "latin-1"]), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_columns_count_code_points(before: str, encoding: str, newline: str, mark: bool):
    if "😀" in before and encoding == "latin-1":
        return
    text = f"# coding: {encoding}{newline}{before}eval(a){newline}"
    source = text.encode("utf-8-sig" if mark and encoding == "utf-8" else encoding)
    offset = len(before.encode())
    issue = Issue(
        rule="B307",
        message="m",
        severity="low",
        line=2,
        column=offset + 1,
        end_column=offset + 1 + len("eval(a)"),
    )
    (one,) = in_characters([issue], source)
    assert (one.column, one.end_column) == (len(before) + 1, len(before) + 1 + len("eval(a)"))


@pytest.mark.parametrize("source", [b"\xff\xfe", b"# coding: nonsense\n\xff", b"", b"\xc3\xa9\n"])
def test_columns_stay_where_the_source_does_not_tell(source: bytes):
    issue = Issue(rule="B307", message="m", severity="low", line=2, column=3)
    assert in_characters([issue], source) == [issue]
