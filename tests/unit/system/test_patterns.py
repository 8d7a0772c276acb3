"""Patterns of the project have a time limit and match as before."""

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from ci_action.system.errors import TimedOutError, ToolError
from ci_action.system.patterns import SECONDS, Bounded, Budget, Expressions, gitignore

ENDLESS = "*a" * 25 + "b"
NAME = "a" * 120


@pytest.mark.parametrize("line", [ENDLESS, f"/{ENDLESS}/", f"**/{ENDLESS}", f"x/**/{ENDLESS}/**"])
@pytest.mark.parametrize("end", ["", "c", "bc"])
def test_a_line_that_would_take_re_forever_is_matched(line: str, end: str):
    started = time.monotonic()
    assert not gitignore([line]).match_file(f"x/{NAME}{end}/{NAME}{end}")
    assert time.monotonic() - started < SECONDS


def test_an_expression_has_one_limit_for_all_its_matches():
    pattern = Bounded(re.compile("(a|aa)+$"), budget=Budget(0.05))
    assert pattern.search("aa")
    for match in (pattern.search, pattern.fullmatch):
        with pytest.raises(TimedOutError, match="takes too long"):
            match(NAME * 2 + "b")


def test_expressions_share_one_limit():
    expressions = Expressions(0.05)
    for endless in ("(a|aa)+$", "(a|a)+$"):
        with pytest.raises(TimedOutError, match="takes too long"):
            expressions.fullmatch(endless, NAME * 2 + "b")
    assert expressions.fullmatch("a+", NAME)  # which ends in time by itself


@pytest.mark.parametrize("expression", ["(a){4294967294}", "((a{1000}){1000}){1000}"])
def test_a_pattern_that_needs_too_many_copies_is_refused(expression: str, wording: Any):
    with pytest.raises(ToolError) as caught:
        Bounded(re.compile(expression))
    assert str(caught.value) == wording


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("(?:foo){e<=1}", "fox"),
        ("(?:foo){e<=1}", "foo{e<=1}"),
        ("(x){e}", "x{e}"),
        ("(x){1<=e<=3}", "x"),
        ("x{1,2}y{,2}z{,}{}{", "xxyyzzz{}{"),
        ("(a)[[:alpha:]]", "aa"),
        ("(a)[[:alpha:]]", "a:]"),
        (r"[]\[[:x]*+[^][]*", "][[:xab"),
        (r"(a)(?#[)\[[b]", "a[b"),
        ("(?x) a # [\n [b]{2}", "abb"),
        (r"(a)\{[{e}]", "a{e"),
    ],
)
@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")
def test_syntax_that_only_regex_has_is_escaped(expression: str, text: str):
    known, found = re.fullmatch(expression, text), Bounded(re.compile(expression)).fullmatch(text)
    assert (found and found.groups()) == (known and known.groups())


_EXPRESSIONS = st.lists(
    st.sampled_from(["a", "b", ".", "|", "(", ")", "(?:", "(?i:", "[", "[^", "]", "[:alpha:]", "-", "{", "}", "{e}", "{1,2}",
                     "{,2}", "{e<=1}", "*", "+", "?", "\\{", "\\[", "\\d", "^", "$", "#", " ", "&&", "--", "||", ":", "<"]),
    max_size=8,
).map("".join)  # fmt: skip


@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")
@given(_EXPRESSIONS, st.text(st.sampled_from("abAe1{}[]:-# &|<="), max_size=6), st.booleans())
def test_expressions_match_as_in_re(expression: str, text: str, verbose: bool):
    try:
        pattern = re.compile(expression, re.VERBOSE if verbose else 0)
    except re.error:
        return
    assert bool(Bounded(pattern).fullmatch(text)) is bool(pattern.fullmatch(text))


def test_flags_are_kept():
    assert Bounded(re.compile("A # comment", re.VERBOSE | re.IGNORECASE)).search("a")


_PART = st.text(st.sampled_from("ab.*?[]-!"), min_size=1, max_size=5) | st.just("**")
_LINES = st.lists(st.lists(_PART, min_size=1, max_size=3).map("/".join), max_size=4)
_PATHS = st.lists(st.text(st.sampled_from("ab.-"), min_size=1, max_size=4), min_size=1, max_size=3).map(
    "/".join
)


@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")
@given(_LINES, _PATHS)
def test_lines_match_as_in_pathspec(lines: list[str], path: str):
    try:
        expected = GitIgnoreSpec.from_lines(lines, backend="simple").match_file(path)
    except (ValueError, re.error):
        return
    assert gitignore(lines).match_file(path) == expected
