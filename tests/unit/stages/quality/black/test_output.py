"""Black's output, from recorded outputs of several versions, and broken output."""

from typing import Any

import pytest
from support.paths import GOLDEN

from ci_action.stages.quality.black.output import parse, parse_part
from ci_action.stages.quality.diff import Change
from ci_action.system.errors import ToolError

RECORDED = GOLDEN / "black"
VERSIONS = sorted({file.name.rpartition("-")[0] for file in RECORDED.glob("*.out")})
UNICODE = "sub folder/ünïcödé ##[x].py".encode().decode("latin-1")


def recorded(version: str, case: str) -> tuple[bytes, str]:
    stem = RECORDED / f"{version}-{case}"
    return stem.with_name(f"{stem.name}.out").read_bytes(), stem.with_name(f"{stem.name}.err").read_text(
        "utf-8"
    )


def test_there_are_recordings_of_old_and_new_versions():
    assert {version.partition(".")[0] for version in VERSIONS} == {"22", "23", "24", "25", "26"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_clean_file_has_no_changes(version: str):
    assert parse(*recorded(version, "clean"), ["clean.py"]).changes == {"clean.py": []}


@pytest.mark.parametrize("version", VERSIONS)
def test_changes_have_their_lines_and_a_syntax_error_its_place(version: str):
    seen = parse(*recorded(version, "findings"), ["clean.py", "messy.py", "syntax.py"])
    (broken,) = seen.changes["syntax.py"]
    assert (broken.rule, broken.line, broken.column) == ("parse", 1, 12)
    assert seen.changes["clean.py"] == []
    spans = [(one.line, one.end_line) for one in seen.changes["messy.py"]]
    assert spans[:2] == [(5, 5), (7, 7)]
    assert all(one.rule == "format" and one.before != one.after for one in seen.changes["messy.py"])
    assert seen.lost == {}


@pytest.mark.parametrize("version", VERSIONS)
def test_hostile_content_and_names_are_only_text(version: str):
    seen = parse(*recorded(version, "hostile"), ["hostile.py", UNICODE])
    assert set(seen.changes) == {"hostile.py", UNICODE}
    assert all(one.rule == "format" for one in seen.changes["hostile.py"])
    assert '"emoji 🎉 é"' in seen.changes["hostile.py"][-1].after


@pytest.mark.parametrize("version", VERSIONS)
def test_encodings_and_line_ends(version: str):
    names = ["latin1.py", "not_utf8.py", "crlf.py", "no_newline.py"]
    seen = parse(*recorded(version, "encodings"), names)
    assert seen.changes["crlf.py"] == [
        Change(rule="format", line=1, end_line=1, before='x = {  "a":1 }\n', after='x = {"a": 1}\n')
    ]
    assert seen.changes["no_newline.py"] == [
        Change(rule="format", line=1, end_line=1, before='x = {  "a":1 }\n', after='x = {"a": 1}\n')
    ]
    assert [(one.line, one.before) for one in seen.changes["latin1.py"]] == [
        (2, 'name = {  "caf\ufffd":1 }\n')
    ]
    assert [one.rule for one in seen.changes["not_utf8.py"]] == ["parse"]


ONE = "\nAll done!\n1 file would be left unchanged.\n"
CHANGED = "would reformat a.py\n\nOh no!\n1 file would be reformatted.\n"
DIFF = b"--- a.py\t2026-01-01 00:00:00+00:00\n+++ a.py\t2026-01-01 00:00:01+00:00\n@@ -1 +1 @@\n-x  = 1\n+x = 1\n"


@pytest.mark.parametrize(
    ("stdout", "stderr", "files"),
    [
        pytest.param(b"", "", ["a.py"], id="nothing at all"),
        pytest.param(b"", "All done!", ["a.py"], id="no counts"),
        pytest.param(b"", ONE, ["a.py", "b.py"], id="a file less"),
        pytest.param(b"", "3 files would be left unchanged.", ["a.py", "b.py"], id="a file more"),
        pytest.param(b"", CHANGED, ["a.py"], id="a change without its diff"),
        pytest.param(DIFF, ONE, ["a.py"], id="a diff that is not counted"),
        pytest.param(DIFF[:-8], CHANGED, ["a.py"], id="a diff cut short"),
        pytest.param(DIFF[:60], CHANGED, ["a.py"], id="a diff cut in its header"),
        pytest.param(b"junk\n\x00\xff" * 9, CHANGED, ["a.py"], id="junk"),
        pytest.param(DIFF, CHANGED.replace("1 file", "one file"), ["a.py"], id="words for numbers"),
        pytest.param(DIFF, "x " + CHANGED.splitlines()[-1], ["a.py"], id="counts in other words"),
        pytest.param(
            DIFF.replace(b"a.py", b"c.py"),
            "1 file would be reformatted, 1 file would be left unchanged.",
            ["a.py", "b.py"],
            id="a file that was not given",
        ),
        pytest.param(b"@@ -1 +1 @@\n-x\n+y\n", CHANGED, ["a.py"], id="a hunk without a file"),
        pytest.param(
            DIFF.replace(b"@@ -1 +1 @@", b"@@ -1,9 +1,9 @@"), CHANGED, ["a.py"], id="wrong counts in a hunk"
        ),
        pytest.param(
            b"",
            "1 file would be left unchanged, 1 file would fail to reformat.",
            ["a.py", "b.py"],
            id="a failure not reported",
        ),
    ],
)
def test_what_does_not_add_up_is_an_error_never_a_pass(stdout: bytes, stderr: str, files: list[str]):
    with pytest.raises(ToolError):
        parse(stdout, stderr, files)


def failed(message: str) -> str:
    return f"{message}\n\nOh no!\n1 file would fail to reformat.\n"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(
            "error: cannot format a.py: Cannot parse: 3:4: x = (", ("parse", 3, 5), id="until Black 26.1"
        ),
        pytest.param(
            "error: cannot format a.py: Cannot parse for target version Python 3.8: 3:4: x",
            ("parse", 3, 5),
            id="for a target",
        ),
        pytest.param("error: cannot parse: a.py:3:4", ("parse", 3, 5), id="since Black 26.10"),
        pytest.param(
            "error: cannot parse for target version Python 3.8: a.py:3:4",
            ("parse", 3, 5),
            id="since, for a target",
        ),
        pytest.param("error: cannot parse: a:1:2.py:3:4", ("parse", 3, 5), id="colons in the name"),
        pytest.param(
            "error: cannot format a.py: cannot use --safe with this file; failed to parse source file AST: bad (<unknown>, line 7)",
            ("parse", 7, None),
            id="only the line",
        ),
        pytest.param(
            "error: cannot format a.py: 'utf-8' codec can't decode byte 0xe9",
            ("parse", None, None),
            id="encoding",
        ),
        pytest.param(
            "error: cannot format a.ipynb: invalid notebook JSON", ("parse", None, None), id="notebook"
        ),
        pytest.param(
            "error: cannot format a.py: [Errno 13] Permission denied: 'a.py'",
            ("unreadable", None, None),
            id="unreadable",
        ),
    ],
)
def test_files_that_black_cannot_take_are_findings(
    message: str, expected: tuple[str, int | None, int | None]
):
    (change,) = parse(b"", failed(message), ["a.py"]).changes["a.py"]
    assert (change.rule, change.line, change.column) == expected
    assert change.message


@pytest.mark.parametrize(
    "message",
    [
        "error: cannot format a.py: I/O operation on closed file",
        "error: cannot format a.py: INTERNAL ERROR: Black produced different code on second pass",
    ],
)
def test_what_is_not_about_the_file_is_lost_and_no_finding(message: str):
    seen = parse(b"", failed(message), ["a.py"])
    assert seen.changes == {}
    assert seen.lost == {"a.py": message.partition("a.py: ")[2]}


def test_the_counts_of_the_project_are_not_those_of_black():
    stderr = (
        "error: cannot format a.py: Cannot parse: 1:0: 5 files would be reformatted.\n" + failed("").lstrip()
    )
    assert [one.rule for one in parse(b"", stderr, ["a.py"]).changes["a.py"]] == ["parse"]


def test_a_single_file_needs_no_name():
    name = "we\nird.py"
    seen = parse(DIFF.replace(b"a.py", b"STDIN"), CHANGED, [name])
    assert list(seen.changes) == [name]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("@@ -1,2 +1,3 @@\n a\n+b\n c\n", (2, 2, "", "b\n"), id="added before a line"),
        pytest.param("@@ -1 +1,2 @@\n a\n+b\n", (1, 1, "", "b\n"), id="added at the end"),
        pytest.param("@@ -0,0 +1 @@\n+b\n", (1, 1, "", "b\n"), id="added to nothing"),
        pytest.param("@@ -1,2 +1 @@\n a\n-b\n", (2, 2, "b\n", ""), id="removed at the end"),
        pytest.param("@@ -1,3 +1,2 @@\n-a\n-b\n+x\n c\n", (1, 2, "a\nb\n", "x\n"), id="two lines become one"),
    ],
)
def test_the_lines_of_a_change(body: str, expected: tuple[int, int, str, str]):
    stdout = b"--- a.py\t2026\n+++ a.py\t2026\n" + body.encode()
    (change,) = parse(stdout, CHANGED, ["a.py"]).changes["a.py"]
    assert (change.line, change.end_line, change.before, change.after) == expected


def test_of_output_that_ends_somewhere_only_whole_files_count():
    two = DIFF + DIFF.replace(b"a.py", b"b.py")
    assert set(parse_part(two[:-3], ["a.py", "b.py"])) == {"a.py"}
    assert parse_part(DIFF, ["a.py"]) == {}
    assert parse_part(b"", ["a.py"]) == {}
    assert parse_part(two, ["b.py"]) == {}


@pytest.mark.parametrize(
    "message",
    [
        "error: cannot format a.py: Cannot parse for target version Python 3.8: 3:4: x",
        "error: cannot parse for target version Python 3.8: a.py:3:4",
    ],
)
def test_the_target_for_which_a_file_cannot_be_parsed_is_named(message: str, wording: Any):
    (change,) = parse(b"", failed(message), ["a.py"]).changes["a.py"]
    assert change.message == wording


def test_the_lines_of_a_notebook_are_those_of_its_cells():
    time = "2026-01-01 00:00:00.000000+00:00"
    diff = "".join(
        f"--- n.ipynb\t{time}:cell_{cell}\n+++ n.ipynb\t{time}:cell_{cell}\n@@ -2 +2 @@\n-x=1\n+x = 1\n"
        for cell in (0, 3)
    )
    seen = parse(diff.encode(), "1 file would be reformatted.", ["n.ipynb"])
    assert [(one.cell, one.line) for one in seen.changes["n.ipynb"]] == [(1, 2), (4, 2)]
