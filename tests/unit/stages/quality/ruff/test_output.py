"""Ruff's JSON, from recorded outputs of several versions, and broken output."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import at, layout
from support.paths import GOLDEN

from ci_action.model.finding import Finding, Fix
from ci_action.project.layout import Layout
from ci_action.stages.quality.ruff.output import SEPARATOR, Diagnostics
from ci_action.stages.quality.ruff_config import parse_files
from ci_action.system.errors import ToolError
from ci_action.system.process import blocks

RECORDED = GOLDEN / "ruff"
VERSIONS = sorted({file.name.split("-")[0] for file in RECORDED.glob("*.out")})
PLACE = layout(Path("/project"))


def parse(stdout: bytes, place: Layout = PLACE, size: int = 1_000_000) -> list[Finding]:
    diagnostics = Diagnostics(place)
    for block in blocks(io.BytesIO(stdout), SEPARATOR, size):
        diagnostics.receive(block)
    return diagnostics.findings()


def recorded(version: str, case: str) -> bytes:
    return (RECORDED / f"{version}-{case}.out").read_bytes()


def diagnostic(**overrides: Any) -> dict[str, Any]:
    return {
        "code": "F401",
        "message": "`os` imported but unused",
        "filename": "/project/a.py",
        "location": {"row": 1, "column": 8},
        "end_location": {"row": 1, "column": 10},
        "fix": None,
        "url": "https://docs.astral.sh/ruff/rules/unused-import",
        "cell": None,
        **overrides,
    }


def parsed(**overrides: Any) -> Finding:
    (one,) = parse(json.dumps([diagnostic(**overrides)]).encode(), PLACE)
    return one


def test_there_are_recordings_of_old_and_new_versions():
    assert VERSIONS == ["0.0.292", "0.12.0", "0.17.6", "0.4.10", "0.9.10"]


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_found_is_an_empty_list(version: str):
    assert parse(recorded(version, "clean"), PLACE) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_findings_have_rule_place_and_address(version: str):
    findings = [one for one in parse(recorded(version, "findings"), PLACE) if one.location != at("syntax.py")]
    first = findings[0]
    assert (first.rule, first.location) == ("F401", at("messy.py", 1, column=8, end_line=1, end_column=10))
    assert first.url == "https://docs.astral.sh/ruff/rules/unused-import"
    assert {"F401", "E711", "F541", "F821"} <= {one.rule for one in findings}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_syntax_error_is_a_finding_on_its_line(version: str):
    found = [
        one
        for one in parse(recorded(version, "findings"), PLACE)
        if one.location and one.location.path == "syntax.py"
    ]
    assert found
    assert found[0].location == at("syntax.py", 1, column=12, end_line=1, end_column=13)
    assert {one.rule for one in found} == {"E999" if version in {"0.0.292", "0.4.10"} else "invalid-syntax"}
    assert not any(one.message.startswith("SyntaxError") for one in found)


@pytest.mark.parametrize("version", VERSIONS)
def test_files_that_ruff_cannot_read_are_findings(version: str):
    found = parse(recorded(version, "encodings"), PLACE)
    assert {(one.rule, one.location.path if one.location else "") for one in found} == {
        ("E902", "latin1.py"),
        ("E902", "not_utf8.py"),
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_hostile_names_are_only_text(version: str):
    paths = [one.location.path for one in parse(recorded(version, "hostile"), PLACE) if one.location]
    assert paths == ["hostile.py", "sub folder/ünïcödé ##[x].py"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_list_of_files(version: str):
    assert parse_files(recorded(version, "findings-files")) == [
        "/project/clean.py",
        "/project/messy.py",
        "/project/syntax.py",
    ]


def test_fixes_of_a_recording():
    fixes = {one.rule: one.fix for one in parse(recorded("0.17.6", "findings"), PLACE)}
    assert fixes == {
        "F401": Fix.SAFE,
        "E711": Fix.UNSAFE,
        "F541": Fix.SAFE,
        "F821": Fix.NONE,
        "invalid-syntax": Fix.NONE,
    }


@pytest.mark.parametrize(
    ("fix", "expected"),
    [
        (None, (Fix.NONE, "")),
        ({"applicability": "safe", "message": "Remove it"}, (Fix.SAFE, "Remove it")),
        ({"applicability": "unsafe", "message": None}, (Fix.UNSAFE, "")),
        ({"applicability": "display", "message": "x"}, (Fix.NONE, "x")),
        ({"applicability": "unheard of"}, (Fix.NONE, "")),
        ({}, (Fix.NONE, "")),
    ],
    ids=["none", "safe", "unsafe", "display only", "unknown", "empty"],
)
def test_a_fix(fix: Any, expected: tuple[Fix, str]):
    one = parsed(fix=fix)
    assert (one.fix, one.fix_message) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://docs.astral.sh/ruff/rules/x", "https://docs.astral.sh/ruff/rules/x"),
        ("https://evil.example/ruff/", ""),
        ("javascript:alert(1)", ""),
        (None, ""),
    ],
)
def test_only_addresses_of_its_documentation_are_kept(url: str | None, expected: str):
    assert parsed(url=url).url == expected


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"end_location": None}, at("a.py", 1, column=8)),
        ({"location": {"row": 0, "column": 0}}, at("a.py", 1, column=1, end_line=1, end_column=10)),
        ({"end_location": {"row": 0, "column": 1}}, at("a.py", 1, column=8, end_line=1, end_column=1)),
        ({"filename": "/project/b/../a.py"}, at("a.py", 1, column=8, end_line=1, end_column=10)),
        ({"filename": "/elsewhere/a.py"}, at("/elsewhere/a.py", 1, column=8, end_line=1, end_column=10)),
        ({"cell": 2}, at("a.py", None)),
    ],
    ids=["no end", "row 0", "end before start", "dots in the path", "outside", "notebook"],
)
def test_a_place(overrides: dict[str, Any], expected: object):
    assert parsed(**overrides).location == expected


def test_the_message_names_the_row_in_a_cell():
    assert parsed(cell=2).message == "cell 2, line 1: `os` imported but unused"


@pytest.mark.parametrize(
    ("code", "sensitive"), [("S105", True), ("S106", True), ("S107", True), ("S108", False), ("F401", False)]
)
def test_a_line_with_a_password_is_sensitive(code: str, sensitive: bool):
    assert parsed(code=code).sensitive is sensitive


def test_a_syntax_error_without_a_code():
    assert parsed(code=None, message="SyntaxError: oh").rule == "invalid-syntax"


WHOLE = json.dumps([diagnostic(), diagnostic()])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(" \n", id="blanks"),
        pytest.param("All checks passed!", id="words"),
        pytest.param("{}", id="an object"),
        pytest.param("null", id="null"),
        pytest.param("[[]]", id="a list in a list"),
        pytest.param("[{}]", id="an empty diagnostic"),
        pytest.param('["x"]', id="a text for a diagnostic"),
        pytest.param(json.dumps([diagnostic(location=None)]), id="no place"),
        pytest.param(json.dumps([diagnostic(location={"row": "x", "column": 1})]), id="a row of words"),
        pytest.param(json.dumps([diagnostic(filename=None)]), id="no file"),
        pytest.param(json.dumps([diagnostic(code=5)]), id="a code of numbers"),
        pytest.param("[]\n[]", id="two documents"),
        pytest.param("warning: x\n[]", id="a line before"),
    ],
)
def test_what_is_not_its_json_is_an_error_never_a_pass(text: str):
    with pytest.raises(ToolError):
        parse(text.encode(), PLACE)


@given(st.integers(0, len(WHOLE) - 1))
def test_json_cut_anywhere_is_an_error(length: int):
    with pytest.raises(ToolError):
        parse(WHOLE[:length].encode(), PLACE)


LAID_OUT = json.dumps([diagnostic(), diagnostic(message="  },\n"), diagnostic()], indent=2).encode() + b"\n"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", [1, 7, 100, 1_000])
def test_blocks_of_any_size_give_the_same_findings(version: str, size: int):
    text = recorded(version, "findings")
    assert parse(text, size=size) == parse(text)


@given(st.integers(0, len(LAID_OUT) - 3), st.sampled_from([1, 50, 400, 10_000]))
def test_what_is_received_in_blocks_and_cut_anywhere_is_an_error(length: int, size: int):
    assert len(parse(LAID_OUT, size=size)) == 3
    with pytest.raises(ToolError):
        parse(LAID_OUT[:length], size=size)


@given(st.binary(max_size=40).filter(lambda raw: raw.strip() != b"[]"))
def test_junk_is_an_error(raw: bytes):
    with pytest.raises(ToolError):
        parse(raw, PLACE)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(TEXT.filter(bool), TEXT, st.integers(1, 10**6), st.integers(1, 10**4)), max_size=5))
def test_findings_are_read_as_ruff_prints_them(rows: list[tuple[str, str, int, int]]):
    printed = [
        diagnostic(code=code, message=text, location={"row": row, "column": column})
        for code, text, row, column in rows
    ]
    found = parse(json.dumps(printed).encode(), PLACE)
    assert [(one.rule, one.location.line, one.location.column) for one in found if one.location] == [
        (code, row, column) for code, _, row, column in rows
    ]
    assert [one.message for one in found] == [text.removeprefix("SyntaxError: ") for _, text, _, _ in rows]


def test_a_list_of_files_without_pyproject_and_with_odd_names():
    listed = b"/p/a.py\n/p/pyproject.toml\n/p/new\nline.py\n/p/caf\xe9.py\n"
    assert parse_files(listed) == ["/p/a.py", "/p/new\nline.py", "/p/caf\udce9.py"]
    assert parse_files(b"") == []
