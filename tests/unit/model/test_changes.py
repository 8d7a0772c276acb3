"""Changed lines from git's diff, and which findings touch them."""

from contextlib import suppress
from difflib import SequenceMatcher, unified_diff
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import at, finding
from support.paths import GOLDEN

from ci_action.model.changes import OLDER, Changes, aside
from ci_action.model.finding import Finding, Reach
from ci_action.project.git.diff import Diff, parse
from ci_action.system.errors import ToolError

RECORDED = GOLDEN / "git"


TOUCHED = Changes(base="b", lines={"src/app.py": frozenset({3}), "renamed.py": frozenset()})


@pytest.mark.parametrize(
    ("one", "by_lines", "reach"),
    [
        pytest.param(finding(), True, Reach.LINES, id="on a changed line"),
        pytest.param(finding(location=at(line=9)), True, Reach.FILE, id="elsewhere in the file"),
        pytest.param(finding(location=at("renamed.py", 9)), True, Reach.FILE, id="in a renamed file"),
        pytest.param(finding(location=at("other.py")), True, Reach.NONE, id="in another file"),
        pytest.param(finding(location=None), True, Reach.LINES, id="about the project"),
        pytest.param(finding(location=at("other.py")), False, Reach.LINES, id="a failed test"),
        pytest.param(finding(location=at("other.py"), new=True), True, Reach.LINES, id="new by the tool"),
        pytest.param(finding(new=False), True, Reach.FILE, id="old by the tool"),
        pytest.param(finding(location=at("other.py"), new=False), False, Reach.NONE, id="old, anywhere"),
    ],
)
def test_how_near_a_finding_is_to_the_change(one: Finding, by_lines: bool, reach: Reach):
    assert TOUCHED.reach(one, by_lines=by_lines) is reach
    assert Changes(problem="no git").reach(one, by_lines=by_lines) is Reach.NONE


@pytest.mark.parametrize("file", sorted(RECORDED.glob("*-change.out")), ids=lambda file: file.name)
def test_the_recorded_diffs_have_these_lines(file: Path):
    diff = parse(file.read_bytes())
    assert {name: sorted(lines) for name, lines in diff.lines.items()} == {
        "plain.py": [2, 6, 7, 8, 9, 10, 11],
        "sp ace.py": [2],
        'quo"te.py': [1],
        "new\nline.py": [2],
        "bad\udcff\udce9.py": [2],
        "é.py": [1],
        "was moved.py": [51],
        "the same.py": [],
        "mode.py": [],
        "binary.py": [],
        "x and y.py": [],
        "cut.py": [],
        "tab\t.py": [1],
        "no newline.py": [1],
        " lead.py ": [1],
        "crlf.py": [2],
        "empty.py": [],
        "link.py": [1],
        "back\\slash.py": [1],
        "a b/b/x b/c.py": [1],
        "dash\n+++ b.py": [1, 2, 3],
    }
    assert diff.whole == {"binary.py", "x and y.py"}


def quoted(prefix: str, name: bytes) -> bytes:
    """Write a name as git does with `core.quotePath=off` (quote.c)."""
    letters = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}
    if not any(byte in letters or byte < 32 or byte == 127 for byte in name):
        return prefix.encode() + name
    body = b"".join(
        (
            b"\\" + letters[byte].encode()
            if byte in letters
            else b"\\%03o" % byte if byte < 32 or byte == 127 else bytes([byte])
        )
        for byte in name
    )
    return b'"' + prefix.encode() + body + b'"'


NAMES = st.binary(min_size=1, max_size=12).filter(lambda raw: not {0, 47} & set(raw)) | st.sampled_from(
    [b"a b/c.py", b"x d:/y", b"\xc3\xa9", b'"', b"dev/null", b" ", b"+++ d:"]
)
LINES = st.lists(
    st.sampled_from(
        ["", "a", "b", "-- x", "++ y", "@@ -1 +1 @@", "diff --git s://x d://x", "\x0c", "\x85", "é", " "]
    ),
    max_size=12,
)


@given(st.lists(st.tuples(NAMES, LINES, LINES), max_size=4, unique_by=lambda one: one[0]))
def test_lines_and_names_survive_a_diff(files):
    printed, expected = b"", {}
    for name, before, after in files:
        if before == after:
            continue
        source, target = quoted("s://", name), quoted("d://", name)
        tab = b"\t" if b" " in name else b""
        head = [b"diff --git " + source + b" " + target, b"index 1234567..89abcde 100644"]
        head += [b"--- " + source + tab, b"+++ " + target + tab]
        body = list(unified_diff(before, after, n=0, lineterm=""))[2:]
        printed += b"".join(line + b"\n" for line in [*head, *(line.encode() for line in body)])
        matcher = SequenceMatcher(None, before, after)
        expected[name.decode("utf-8", "surrogateescape")] = {
            number + 1
            for kind, _, _, start, end in matcher.get_opcodes()
            if kind != "equal"
            for number in range(start, end)
        }
    assert parse(printed) == Diff(lines={name: frozenset(lines) for name, lines in expected.items()})


def test_all_lines_of_a_file_in_a_conflict_count():
    assert parse(b'* Unmerged path a b.py\n* Unmerged path "q\\"\\303\\251.py"\n').whole == {
        "a b.py",
        'q"é.py',
    }


@given(st.binary(max_size=200))
def test_other_text_is_an_error_or_has_no_lines(raw: bytes):
    with suppress(ToolError):
        assert parse(raw).lines == {} or b"diff" in raw or b"+++" in raw or b"Binary" in raw


def test_a_truncated_diff_is_an_error():
    with pytest.raises(ToolError, match="invalid diff"):
        parse(b"diff --git s://a d://a\n--- s://a\n+++ d://a\n@@ -1,2 +1,2 @@\n-1\n")


CHANGES = Changes(
    base="c0ffee", lines={"a.py": frozenset({3, 7, 8}), "b\udcff.py": frozenset({1}), "n.ipynb": frozenset()}
)


@pytest.mark.parametrize(
    ("one", "touches"),
    [
        pytest.param(finding(location=at("a.py", 3)), True, id="on the line"),
        pytest.param(finding(location=at("a.py", 2)), False, id="before it"),
        pytest.param(finding(location=at("a.py", 4)), False, id="behind it"),
        pytest.param(finding(location=at("a.py", 4, end_line=6)), False, id="between"),
        pytest.param(finding(location=at("a.py", 4, end_line=7)), True, id="the last of its lines"),
        pytest.param(finding(location=at("a.py", 1, end_line=900)), True, id="around it"),
        pytest.param(finding(location=at("a.py", 9, end_line=900)), False, id="far behind"),
        pytest.param(finding(location=at("b.py", 3)), False, id="another file"),
        pytest.param(finding(location=at("a.py", None)), True, id="about the file"),
        pytest.param(finding(location=at("c.py", None)), False, id="about another file"),
        pytest.param(finding(location=None), True, id="about the project"),
        pytest.param(finding(location=at("a.py", 5), rule="invalid-syntax"), True, id="cannot be read"),
        pytest.param(finding(location=at("c.py", 5), rule="invalid-syntax"), False, id="another cannot"),
        pytest.param(finding(location=at("a.py", 4), after="\n"), True, id="to be added behind it"),
        pytest.param(finding(location=at("a.py", 5), after="\n"), False, id="to be added elsewhere"),
        pytest.param(finding(location=at("a.py", 4), before="x\n", after="y\n"), False, id="to be replaced"),
        pytest.param(finding(location=at("b\ufffd.py", 1)), True, id="a name that is not UTF-8"),
        pytest.param(finding(location=at("n.ipynb", 5)), True, id="a cell of a notebook"),
    ],
)
def test_what_touches_the_change(one, touches: bool):
    assert CHANGES.touches(one) is touches


@pytest.mark.parametrize(
    ("muted", "text"),
    [
        ([""], ""),
        (["", OLDER], " on your lines (+ 1 older)"),
        ([OLDER] * 1200 + ["x"], " on your lines (+ 1,200 older, 1 muted)"),
        (["x", "y"], " (+ 2 muted)"),
    ],
)
def test_muted_findings_are_counted_in_brackets(muted: list[str], text: str):
    assert aside([finding(muted=reason) for reason in muted]) == text


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("place", [None, at("a.py", 3), at("b.py", 3)], ids=str)
def test_a_finding_that_the_tool_knows_to_be_new_needs_no_lines(new: bool, place):
    changes = Changes(base="c" * 40, lines={"a.py": frozenset({3})})
    assert changes.touches(finding(location=place, new=new)) is new
