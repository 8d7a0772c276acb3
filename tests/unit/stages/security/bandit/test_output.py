"""What bandit's output means, from recorded outputs of several versions, and from output that is none."""

import json
import keyword
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.paths import GOLDEN

from ci_action.stages.security.bandit.output import (
    Issue,
    Seen,
    cause,
    complaints,
    messages,
    parse,
    removed_tests,
)
from ci_action.system.errors import ToolError

RECORDED = GOLDEN / "bandit"
VERSIONS = sorted({file.name.split("-")[0] for file in RECORDED.glob("*.out")})
FILES = {
    "clean": ["clean.py", "empty.py"],
    "findings": ["weak.py", "deep/bidi.py", "tests/test_it.py"],
    "unreadable": ["syntax.py", "bytes.py", "nul.py", "deep.py", "fine.py"],
    "test-failed": ["tar.py"],
    "missing": ["there.py", "gone.py"],
    "excluded": ["src/contest/a.py", "src/b.py"],
}
VALUES = (
    "correct horse",
    "battery staple",
    "quote",
    "keys of the harbour",
    "value of the source",
    "object at",
)


def recorded(version: str, case: str) -> tuple[bytes, str, int]:
    out, err, code = (RECORDED / f"{version}-{case}.{kind}" for kind in ("out", "err", "code"))
    return out.read_bytes(), err.read_text(), int(code.read_text())


def seen(version: str, case: str) -> Seen:
    out, err, code = recorded(version, case)
    return parse(out, err, FILES[case], code)


def result(**overrides: Any) -> dict[str, Any]:
    return {
        "filename": "././a.py",
        "test_id": "B602",
        "issue_text": "subprocess call with shell=True identified, security issue.",
        "issue_severity": "HIGH",
        "issue_confidence": "HIGH",
        "line_number": 3,
        "line_range": [3],
        "col_offset": 4,
        "end_col_offset": 9,
        "more_info": "https://bandit.readthedocs.io/en/1.9.4/plugins/b602.html",
        "code": "3 password",
        **overrides,
    }


def report(*results: dict[str, Any], errors: Any = (), metrics: Any = ("././a.py", "_totals")) -> bytes:
    text = {"results": results, "errors": [*errors], "metrics": {name: {"loc": 1} for name in metrics}}
    return json.dumps(text).encode()


def parsed(**overrides: Any) -> Issue:
    (one,) = parse(report(result(**overrides)), "", ["a.py"], 1).issues["a.py"]
    return one


def test_there_are_recordings_of_old_and_new_versions():
    assert VERSIONS == ["1.7.10", "1.8.6", "1.9.4"]


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_found_names_the_files_that_were_looked_at(version: str):
    assert seen(version, "clean") == Seen(issues={"clean.py": [], "empty.py": []})


@pytest.mark.parametrize("version", VERSIONS)
def test_findings_have_rule_level_place_and_both_ratings(version: str):
    found = seen(version, "findings").issues
    assert [(one.rule, one.severity, one.line) for one in found["weak.py"]] == [
        ("B404", "low", 2),
        ("B602", "high", 7),
        ("B105", "low", 9),
        ("B103", "high", 10),
        ("B106", "low", 11),
        ("B107", "low", 14),
        ("B101", "low", 15),
        ("B202", "medium", 16),
        ("B307", "medium", 19),
    ]
    shell = found["weak.py"][1]
    assert shell.message == (
        "subprocess call with shell=True identified, security issue (bandit: high severity, high confidence)"
    )
    assert (shell.first, shell.end_line, shell.column, shell.end_column) == (5, 8, None, None)
    assert shell.url.startswith("https://bandit.readthedocs.io/en/")
    (bidi,) = found["deep/bidi.py"]
    assert (bidi.rule, bidi.line, bidi.column) == ("B613", 1, 4)
    (test,) = found["tests/test_it.py"]
    assert (test.rule, test.column, test.end_column) == ("B101", 1, 9)


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_that_is_kept_quotes_the_source(version: str):
    out, err, _ = recorded(version, "findings")
    assert all(value in out.decode() for value in ("correct horse", "battery staple", "keys of the harbour"))
    kept = json.dumps([vars(one) for issues in seen(version, "findings").issues.values() for one in issues])
    shown = kept + messages(err) + messages(recorded(version, "test-failed")[1])
    assert not [value for value in VALUES if value in shown]


@pytest.mark.parametrize("version", VERSIONS)
def test_files_that_bandit_cannot_read_are_of_unknown_severity_and_those_it_cannot_parse_of_none(
    version: str,
):
    found = seen(version, "unreadable")
    rules = {name: [one.rule for one in issues] for name, issues in found.issues.items()}
    unparsed = {name: ["parse"] for name in ("syntax.py", "bytes.py", "nul.py")}
    assert rules == {**unparsed, "deep.py": ["unreadable"], "fine.py": ["B101"]}
    assert [found.issues[name][0].severity for name in ("syntax.py", "deep.py")] == ["", "unknown"]
    assert found.passing == {"deep.py"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_test_of_bandit_that_fails_is_a_finding_though_bandit_says_nothing_was_found(version: str):
    (one,) = seen(version, "test-failed").issues["tar.py"]
    assert (one.rule, one.severity, one.line) == ("test-failed", "unknown", 2)
    assert "tarfile_unsafe_members" in one.message


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_that_vanished_is_an_error(version: str, wording: Any):
    with pytest.raises(ToolError) as caught:
        seen(version, "missing")
    assert str(caught.value) == wording


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_of_which_nothing_is_said_was_left_out(version: str):
    found = seen(version, "excluded")
    assert (found.excluded, list(found.issues)) == (["src/contest/a.py"], ["src/b.py"])


@pytest.mark.parametrize(
    ("version", "case"),
    [
        ("1.7.10", "skips-as-text"),
        ("1.9.4", "skips-as-text"),
        ("1.8.6", "unknown-test"),
        ("1.9.4", "unknown-test"),
    ],
)
def test_what_bandit_whispers_about_its_configuration(version: str, case: str, wording: Any):
    (text,) = complaints(recorded(version, case)[1])
    assert text == wording


def test_other_whispers_and_none(wording: Any):
    text = "[utils]\tWARNING\tUnable to parse config file b.ini or missing [bandit] section\n"
    assert complaints(text) == [wording]
    text = "[manager]\tWARNING\tFailed to load baseline data: Expecting value\n[x]\tWARNING\tother\n"
    assert complaints(text) == [wording]
    assert complaints(recorded("1.9.4", "findings")[1]) == []


def test_a_test_that_bandit_has_no_more_is_no_mistake():
    err = recorded("1.9.4", "unknown-test")[1]
    assert removed_tests(err) == {"B322"}


@pytest.mark.parametrize(
    ("version", "case"),
    [
        ("1.7.10", "unknown-test"),
        ("1.9.4", "contradiction"),
        ("1.9.4", "empty-configuration"),
        ("1.9.4", "unprintable"),
    ],
)
def test_why_bandit_ended_without_a_report(version: str, case: str, wording: Any):
    assert cause(recorded(version, case)[1]) == wording


def test_wrong_usage_and_silence():
    assert (
        cause("usage: bandit [-h]\nbandit: error: unrecognized arguments: --x\n")
        == "unrecognized arguments: --x"
    )
    assert cause("") == "no error message"


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({}, (3, 3, 5, 10)),
        ({"line_range": [2, 3, 4]}, (3, 4, None, None)),
        ({"line_range": [3, 4]}, (3, 4, 5, None)),
        ({"end_col_offset": 2}, (3, 3, 5, None)),
        ({"col_offset": -1}, (3, 3, None, None)),
        ({"line_number": 0, "line_range": [0, 1]}, (1, 1, 5, 10)),
        ({"line_range": [*range(3, 200)]}, (3, 3, 5, None)),
        ({"line_range": []}, (3, 3, 5, 10)),
        ({"test_id": "B613", "end_col_offset": 0}, (3, 3, 4, None)),
    ],
)
def test_places(overrides: dict[str, Any], expected: tuple[int | None, ...]):
    one = parsed(**overrides)
    assert (one.line, one.end_line, one.column, one.end_column) == expected


@pytest.mark.parametrize(
    ("given", "severity"),
    [("LOW", "low"), ("MEDIUM", "medium"), ("HIGH", "high"), ("UNDEFINED", "unknown"), ("NEW", "unknown")],
)
def test_severities(given: str, severity: str):
    assert parsed(issue_severity=given).severity == severity


@pytest.mark.parametrize(
    "url", [None, "", "javascript:alert(1)", "https://bandit.readthedocs.io.evil.example/"]
)
def test_only_the_documentation_of_bandit_is_linked(url: str | None):
    assert parsed(more_info=url).url == ""


@pytest.mark.parametrize(
    ("out", "code"),
    [
        (b"", 0),
        (b"  \n", 1),
        (b"{oops", 1),
        (report()[:-20], 0),
        (b"\xff\xfe\xfa", 0),
        (b"[" * 100_000, 0),
        (b"[]", 0),
        (b'{"results": []}', 0),
        (b'{"results": [], "errors": [], "metrics": {"a.py": 3}}', 0),
        (b'{"results": [], "errors": [{"filename": 3, "reason": ""}], "metrics": {}}', 0),
        (report(), 1),
        (report(result()), 0),
        (report(metrics=["./b.py"]), 0),
        (report(result(filename="/etc/passwd")), 1),
        (report(errors=[{"filename": "b.py", "reason": "x"}]), 0),
    ],
)
def test_what_is_no_report_is_an_error_never_a_pass(out: bytes, code: int, wording: Any):
    with pytest.raises(ToolError) as caught:
        parse(out, "", ["a.py"], code)
    assert str(caught.value) == wording


def test_a_file_without_permission_is_unreadable_and_may_be_readable_another_time(wording: Any):
    out = report(errors=[{"filename": "././a.py", "reason": "Permission denied"}], metrics=["_totals"])
    found = parse(out, "", ["a.py"], 0)
    assert [(one.rule, one.message) for one in found.issues["a.py"]] == [("unreadable", wording)]
    assert found.passing == {"a.py"}


@pytest.mark.parametrize("name", ["-x.py", "a b.py", "n\nl.py", "b\udcff.py", "dir/../odd.py", "ü.py"])
def test_hostile_names(name: str):
    out = report(result(filename=f"././{name}"), metrics=[f"././{name}"])
    assert [one.rule for one in parse(out, "", [name], 1).issues[name]] == ["B602"]


@given(
    st.binary()
    | st.recursive(
        st.none() | st.text() | st.integers(),
        lambda one: st.lists(one)
        | st.dictionaries(st.sampled_from(["results", "errors", "metrics", *keyword.kwlist[:2]]), one),
    ).map(lambda one: json.dumps(one).encode())
)
def test_anything_else_is_an_error_and_no_crash(out: bytes):
    try:
        found = parse(out, "", ["a.py"], 0)
    except ToolError:
        return
    assert found.excluded == ["a.py"]
