"""The words of the console, and carets under what they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import at, broken_tool, finding, report, resolved, run_result, tool_result
from support.hostile_text import FOREIGN

from ci_action.model.finding import Finding, Fix, Package
from ci_action.model.ranking import Row as FindingRow
from ci_action.model.result import Counted, Examined, Report, Skipped, ToolResult
from ci_action.reporters import lines
from ci_action.reporters.lines import WIDTH, finding_line, headline, section_lines
from ci_action.reporters.run_sections import of_run
from ci_action.system.text import lines_of


@pytest.mark.parametrize(
    ("tool", "text"),
    [
        (tool_result(), "ruff 0.17.6: 0 findings in 3 files, 0.25 s"),
        (tool_result(finding()), "ruff 0.17.6: 1 finding in 3 files, 0.25 s"),
        (tool_result(finding(), finding(muted="x")), "ruff 0.17.6: 1 finding (+ 1 muted) in 3 files, 0.25 s"),
        (tool_result(outcome=report(files=1)), "ruff 0.17.6: 0 findings in 1 file, 0.25 s"),
        (tool_result(outcome=Skipped("no files"), version=""), "ruff: skipped: no files, 0.25 s"),
        (broken_tool("killed\nby night"), "ruff 0.17.6: broken: killed by night, 0.25 s"),
    ],
)
def test_a_headline(tool, text: str):
    assert headline(tool) == text


def test_unreadable_files_are_counted():
    tool = tool_result(outcome=Report(examined={Counted.FILES: 3, Counted.UNREADABLE: 2}))
    assert "3 files, 2 unreadable" in headline(tool)


@pytest.mark.parametrize(
    ("examined", "text"),
    [
        ({Counted.PACKAGES: 83, Counted.SKIPPED: 2}, "83 packages, 2 skipped"),
        ({Counted.PACKAGES: 1, Counted.SKIPPED: 0}, "1 package"),
        ({Counted.PACKAGES: 0, Counted.SKIPPED: 3}, "0 packages, 3 skipped"),
        ({Counted.FILES: 1000, Counted.UNREADABLE: 1, Counted.BINARY: 2, Counted.EXCLUDED: 3}, "1,000 files, 1 unreadable, 2 binary, 3 excluded"),
        ({}, "nothing"),
    ],
)  # fmt: skip
def test_the_checked_files_in_words(examined: Examined, text: str):
    assert f" in {text}, " in headline(tool_result(outcome=Report(examined=examined)))


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (finding(), "src/app.py:3: ruff F401: `os` imported but unused"),
        (finding(location=at("a.py", 1, column=8)), "a.py:1:8: ruff F401: `os` imported but unused"),
        (finding(location=None), "project: ruff F401: `os` imported but unused"),
        (finding(fix=Fix.SAFE, message="a\nb"), "src/app.py:3: ruff F401: a b [fixable]"),
        (finding(muted="x\ny", message="m"), "src/app.py:3: ruff F401: m (muted: x y)"),
        (finding(severity="high", message="m"), "src/app.py:3: ruff F401 [high]: m"),
        (finding(also=("bandit:B105",), message="m"), "src/app.py:3: ruff F401: m (also bandit:B105)"),
        (
            finding(package=Package(name="a", version="1", upgrade="uv\nlock"), message="m"),
            "src/app.py:3: ruff F401: m → uv lock",
        ),
        (finding(package=Package(name="a", version="1"), message="m"), "src/app.py:3: ruff F401: m"),
    ],
)
def test_a_finding_in_one_line(one, text: str):
    assert finding_line(FindingRow(one)) == text


@given(FOREIGN.filter(bool))
def test_a_hostile_finding_is_one_line(text: str):
    package = Package(name=text, version=text, upgrade=text)
    one = finding(message=text, rule=text, location=at(text), muted=text, package=package, also=(text,))
    line = finding_line(FindingRow(one, (one,)))
    assert len(lines_of(line)) == 1
    assert "\x1b" not in line


def table(*tools: ToolResult) -> list[str]:
    return [row.text for row in section_lines(of_run(run_result(*tools), resolved()))]


def test_the_table_is_aligned():
    head, *rows = table(tool_result(), broken_tool(tool="a-longer-name"))
    assert head.split()[:4] == ["Stage", "Tool", "Version", "From"]
    assert [row.split()[-1] for row in rows] == ["passed", "broken"]
    start = head.index("Version")
    assert [row[start : start + 6] for row in rows] == ["0.17.6", "0.17.6"]


@pytest.mark.parametrize(
    ("tool", "word"),
    [
        (tool_result(), "passed"),
        (tool_result(finding()), "found"),
        (tool_result(finding(muted="x")), "passed"),
        (tool_result(outcome=Skipped("x")), "skipped"),
        (broken_tool(), "broken"),
    ],
)
def test_the_outcome_of_a_tool_in_the_table(tool, word: str):
    assert table(tool)[1].split()[-1] == word


def excerpt(one: Finding, source: list[str], width: int = WIDTH) -> list[str]:
    return [row.text for row in lines.excerpt(one, source, width)]


def carets(one, source: list[str]) -> tuple[str, str]:
    """Return the text of an excerpt above the carets, and the carets themselves."""
    above, below = excerpt(one, source)
    start = below.index("^")
    return above[start : start + below.count("^")], below[start:]


@pytest.mark.parametrize(
    ("line", "column", "end", "text"),
    [
        pytest.param("import os", 8, 10, "os", id="two letters"),
        pytest.param("import os", 1, 10, "import os", id="the whole line"),
        pytest.param("import os", 8, None, "o", id="no end"),
        pytest.param("\tx = y", 6, 7, "y", id="a tab before"),
        pytest.param("\t\tif\tx:", 6, 7, "x", id="tabs before and between"),
        pytest.param("é = 'ü' + x", 11, 12, "x", id="letters beyond ASCII"),
        pytest.param("x = '\x1b'", 6, 7, "␛", id="a control character"),
        pytest.param("a" * 200 + "NAME" + "b" * 200, 201, 205, "NAME", id="in the middle of a long line"),
        pytest.param("NAME" + "b" * 10_000, 1, 5, "NAME", id="at the start of a long line"),
        pytest.param("a" * 10_000 + "NAME", 10_001, 10_005, "NAME", id="at the end of a long line"),
    ],
)
def test_carets_are_below_the_place_of_the_finding(line: str, column: int, end: int | None, text: str):
    place = at("a.py", 1, column=column, end_line=1, end_column=end)
    assert carets(finding(location=place), [line]) == (text, "^" * len(text))


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        pytest.param(at(line=1, column=10, end_line=1, end_column=99), 1, id="a column beyond the line"),
        pytest.param(at(line=1, column=1, end_line=1, end_column=99), 3, id="an end beyond the line"),
        pytest.param(at(line=1, column=2, end_line=3, end_column=9), 1, id="over several lines"),
        pytest.param(at(line=1, column=3, end_line=1, end_column=1), 1, id="an end before the start"),
    ],
)
def test_carets_of_invalid_places(place, expected: int):
    assert excerpt(finding(location=place), ["abc"])[1].count("^") == expected


@given(
    st.text(st.characters(exclude_characters="\n"), max_size=400),
    st.integers(1, 500),
    st.integers(0, 500),
    st.integers(20, 120),
)
def test_an_excerpt_never_grows_beyond_its_width(line: str, column: int, length: int, width: int):
    place = at("a.py", 7, column=column, end_line=7, end_column=column + length)
    rows = excerpt(finding(location=place), [line], width)
    assert all(len(row) <= len("  00007 | ") + width + 1 for row in rows)
    assert all(len(lines_of(row.replace("\u2028", "").replace("\u2029", ""))) == 1 for row in rows)


@pytest.mark.parametrize(
    ("one", "source"),
    [(finding(location=None), ["x"]), (finding(location=at(line=None)), ["x"]), (finding(), [])],
    ids=["no place", "no line", "no source"],
)
def test_no_excerpt(one, source: list[str]):
    assert excerpt(one, source) == []


def test_a_line_without_a_column_has_no_carets():
    assert excerpt(finding(), ["import os"]) == ["      3 | import os"]


def test_a_fix_is_shown_as_a_limited_diff():
    assert excerpt(finding(before="a\n", after="b\nc\n"), []) == ["    - a", "    + b", "    + c"]
    rows = excerpt(finding(before="a\n" * 20, after="b\n" * 20 + "c" * 300 + "\n"), [])
    assert len(rows) == 6 + 8 + 1
    assert rows[-1] == "      … 27 more lines"
    assert max(map(len, excerpt(finding(after="c" * 300 + "\n"), []))) == len("    + ") + WIDTH


@pytest.mark.parametrize(("length", "cut"), [(WIDTH, False), (WIDTH + 1, True)])
def test_a_line_longer_than_the_width_is_cut(length: int, cut: bool):
    row, _ = excerpt(finding(location=at("a.py", 1, column=length)), ["x" * length])
    assert row.startswith("      1 | …") is cut
