"""Patterns that the project brings come to an end, and mean what they meant."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from ci_action.errors import ToolError
from ci_action.matching import SECONDS, Bounded, gitignore

ENDLESS = "*a" * 25 + "b"
NAME = "a" * 120


@pytest.mark.parametrize("line", [ENDLESS, f"/{ENDLESS}/", f"**/{ENDLESS}", f"x/**/{ENDLESS}/**"])
@pytest.mark.parametrize("end", ["", "c", "bc"])
def test_a_line_that_would_take_re_for_ever_has_an_answer(line: str, end: str):
    started = time.monotonic()
    assert not gitignore([line]).match_file(f"x/{NAME}{end}/{NAME}{end}")
    assert time.monotonic() - started < SECONDS


def test_an_expression_has_one_limit_for_all_its_matches():
    pattern = Bounded(re.compile("(a|aa)+$"), seconds=0.05)
    assert pattern.search("aa")
    for _ in range(2):
        with pytest.raises(ToolError, match="takes too long"):
            pattern.search(NAME * 2 + "b")


def test_flags_stay():
    assert Bounded(re.compile("A # comment", re.VERBOSE | re.IGNORECASE)).search("a")


_PART = st.text(st.sampled_from("ab.*?[]-!"), min_size=1, max_size=5) | st.just("**")
_LINES = st.lists(st.lists(_PART, min_size=1, max_size=3).map("/".join), max_size=4)
_PATHS = st.lists(st.text(st.sampled_from("ab.-"), min_size=1, max_size=4), min_size=1, max_size=3).map(
    "/".join
)


@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")
@given(_LINES, _PATHS)
def test_lines_mean_what_they_mean_to_pathspec(lines: list[str], path: str):
    try:
        expected = GitIgnoreSpec.from_lines(lines, backend="simple").match_file(path)
    except (ValueError, re.error):
        return
    assert gitignore(lines).match_file(path) == expected
