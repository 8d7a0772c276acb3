"""The output of `ruff format --diff`, from recorded outputs of several versions, and broken output."""

from typing import Any

import pytest
from support.builders import completed
from support.paths import GOLDEN

from ci_action.stages.quality.ruff_format.output import SYNTAX, Seen, errors, parse, parse_listed
from ci_action.system.errors import ToolError
from ci_action.system.process import Completed

RECORDED = GOLDEN / "ruff-format"
UNICODE = "sub folder/ünïcödé ##[x].py"
VERSIONS = sorted({file.name.rpartition("-")[0] for file in RECORDED.glob("*.out")} - {"0.1.0"})


def recorded(version: str, case: str) -> Completed:
    out, err, code = ((RECORDED / f"{version}-{case}.{kind}").read_bytes() for kind in ("out", "err", "code"))
    return completed(out, err.decode(), int(code))


def seen_in(done: Completed, *names: str) -> Seen:
    return parse(done, {name: f"/w/{name}" for name in names})


def test_there_are_recordings_of_old_and_new_versions():
    assert VERSIONS[0] == "0.1.15"
    assert len(VERSIONS) >= 7


@pytest.mark.parametrize("version", VERSIONS)
def test_a_clean_file_has_no_changes(version: str):
    assert seen_in(recorded(version, "clean"), "clean.py") == Seen(unchanged=1)


@pytest.mark.parametrize("version", VERSIONS)
def test_changes_have_their_lines_and_a_syntax_error_its_place(version: str):
    seen = seen_in(recorded(version, "findings"), "clean.py", "messy.py", "syntax.py")
    assert (seen.unchanged, seen.number, set(seen.changes)) == (1, 3, {"/w/messy.py", "/w/syntax.py"})
    (broken,) = seen.changes["/w/syntax.py"]
    old = version == "0.1.2"  # it names the byte alone
    assert (broken.rule, broken.line, broken.column) == ("parse", *((None, None) if old else (1, 12)))
    spans = [(one.line, one.end_line) for one in seen.changes["/w/messy.py"]]
    assert spans[:3] == [(5, 5), (7, 7), (11, 12)]
    assert all(one.rule == "format" and one.before != one.after for one in seen.changes["/w/messy.py"])


@pytest.mark.parametrize("version", VERSIONS)
def test_encodings_and_line_ends(version: str):
    done = recorded(version, "encodings")
    seen = seen_in(done, "latin1.py", "not_utf8.py", "crlf.py", "no_newline.py")
    rules = {name: [one.rule for one in found] for name, found in seen.changes.items()}
    assert rules == {
        "/w/latin1.py": ["parse"],
        "/w/not_utf8.py": ["parse"],
        "/w/crlf.py": ["format"],
        "/w/no_newline.py": ["format"],
    }
    (crlf,) = seen.changes["/w/crlf.py"]
    assert (crlf.line, crlf.before, crlf.after) == (1, 'x = {  "a":1 }\n', 'x = {"a": 1}\n')


def test_a_version_without_diffs_is_an_error():
    with pytest.raises(ToolError):
        seen_in(recorded("0.1.0", "clean"), "clean.py")


DIFF = "--- {0}\n+++ {0}\n@@ -1 +1 @@\n-a='x'\n+a = \"x\"\n\n"
ONE = "1 file would be reformatted\n"


@pytest.mark.parametrize(
    "name",
    [
        UNICODE,
        "a\nb.py",
        "--- x.py",
        "b\ufffd.py",
        "\n@@ -1 +1 @@\n.py",
        "a.py\n+++ a.py\n@@ -1 +1 @@\n-x\n+y\n.py",
        "\\1(.*.py",
    ],
)
def test_a_single_file_can_have_any_name(name: str):
    seen = seen_in(completed(DIFF.format(name), ONE, 1), name)
    assert {path: [one.before for one in found] for path, found in seen.changes.items()} == {
        f"/w/{name}": ["a='x'\n"]
    }


def test_the_lines_of_a_notebook_are_those_of_its_cells():
    diff = "".join(
        f"--- n.ipynb:cell {cell}\n+++ n.ipynb:cell {cell}\n@@ -2 +2 @@\n-a='x'\n+a = \"x\"\n"
        for cell in (1, 3)
    )
    for names in (["n.ipynb"], ["n.ipynb", "a.py"]):
        summary = f"1 file would be reformatted, {len(names) - 1} files already formatted\n"
        seen = seen_in(completed(diff + "\n", summary, 1), *names)
        assert [(one.cell, one.line) for one in seen.changes["/w/n.ipynb"]] == [(1, 2), (3, 2)]


def test_lines_that_end_with_a_carriage_return_are_lines():
    diff = "--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n-x = 'a'\r-y = 'b'\r+x = \"a\"\r+y = \"b\"\r--- b.py\n+++ b.py\n@@ -1 +1 @@\n-x\n+y\n"
    seen = seen_in(completed(diff, ONE.replace("1 file", "2 files"), 1), "a.py", "b.py")
    (change,) = seen.changes["/w/a.py"]
    assert (change.line, change.end_line, change.before) == (1, 2, "x = 'a'\ny = 'b'\n")


PARSE = "error: Failed to parse a.py:1:7: Expected\n"


@pytest.mark.parametrize(
    "done",
    [
        pytest.param(completed("", "", 1), id="nothing, but exit code 1"),
        pytest.param(completed("", "", 2), id="nothing, but exit code 2"),
        pytest.param(completed(DIFF.format("a.py"), ONE, 0), id="a diff and exit code 0"),
        pytest.param(completed(DIFF.format("a.py"), "", 1), id="a diff without a summary"),
        pytest.param(completed("", ONE, 1), id="a summary without a diff"),
        pytest.param(completed("", PARSE, 0), id="an error and exit code 0"),
        pytest.param(completed(DIFF.format("a.py"), PARSE + ONE, 2), id="an error of a formatted file"),
        pytest.param(completed(DIFF.format("c.py"), ONE, 1), id="a file that was not given"),
        pytest.param(completed("", "error: Failed to parse c.py:1:7: x\n", 2), id="an error of another file"),
        pytest.param(completed("", "error: Failed to format a.py: internal error\n", 2), id="a bug of Ruff"),
        pytest.param(completed("", "3 files already formatted\n"), id="more files than given"),
        pytest.param(completed("--- a.py\n+++ a.py\n", ONE, 1), id="a diff without changes"),
        pytest.param(completed("--- a.py\n+++ a.py\n@@ -1,5 +1 @@\n-x\n", ONE, 1), id="cut off"),
    ],
)
def test_what_contradicts_itself_is_an_error(done: Completed):
    with pytest.raises(ToolError):
        seen_in(done, "a.py", "b.py")


def test_an_excluded_file_is_not_counted():
    assert seen_in(completed("", "1 file already formatted\n"), "a.py", "b.py").number == 1
    assert seen_in(completed(""), "a.py").number == 0


def test_the_summary_is_the_last_line_that_looks_like_one():
    stderr = f"warning: x\n{ONE}warning: y\n1 file already formatted\n"
    assert seen_in(completed("", stderr), "a.py").unchanged == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Failed to parse a.py:3:7: Expected", ("parse", 3, 7, None)),
        ("Failed to parse n.ipynb:2:3:7: Expected", ("parse", 3, 7, 2)),
        ("Failed to parse a: 1.py:3:7: Expected: b", ("parse", 3, 7, None)),
        (f"Failed to format a.py: {SYNTAX}: Lexical", ("parse", None, None, None)),
        ("Failed to read a.py: stream did not contain valid UTF-8", ("parse", None, None, None)),
        ("Failed to read n.ipynb: not valid JSON: EOF", ("parse", None, None, None)),
        ("Failed to read a.py: Permission denied (os error 13)", ("unreadable", None, None, None)),
    ],
)
def test_errors_of_files(text: str, expected: tuple[Any, ...]):
    names = {name: name for name in ("a.py", "n.ipynb", "a: 1.py")}
    ((_, change),) = errors(f"warning: w\nerror: {text}\n1 file already formatted\n", names)
    assert (change.rule, change.line, change.column, change.cell) == expected


def test_further_files_are_listed():
    text = '[{"filename": "/w/a.md", "code": "unformatted"}, {"filename": null}, {"filename": "/w/b\\n.md"}]'
    assert parse_listed(completed(text, "", 1)) == ["/w/a.md", "/w/b\n.md"]
    with pytest.raises(ToolError):
        parse_listed(completed("Would reformat: a.md\n", "", 1))
