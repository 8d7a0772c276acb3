"""The output of the type checkers in several versions, and what it means together with the exit code."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.paths import GOLDEN

from ci_action.model.finding import Level
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.stages.types import mypy, pyright, ty
from ci_action.stages.types.output import Seen, outcome_of, place
from ci_action.system.process import Completed

READ = {"mypy": mypy.read, "pyright": pyright.read, "ty": ty.read}
KEPT = sorted(file.stem for file in (GOLDEN / "types").glob("*.rc"))
# Errors, and lines of some of them with their rules.
FOUND = {
    "mypy": (8, {23: ("arg-type", 24), 26: ("call-overload", 26), 36: ("override", 36)}),
    "pyright": (
        8,
        {5: ("reportMissingImports", 5), 23: ("reportArgumentType", 24), 41: ("reportReturnType", 41)},
    ),
    "ty": (8, {23: ("invalid-argument-type", 24), 26: ("no-matching-overload", 26)}),
}


def relative(name: str) -> str:
    return name.removeprefix("/project/")


def run(name: str) -> tuple[str, Completed, Seen]:
    tool = name.partition("-")[0]
    folder = GOLDEN / "types"
    out, err = ((folder / f"{name}.{stream}").read_bytes() for stream in ("out", "err"))
    code = int((folder / f"{name}.rc").read_text())
    done = Completed(returncode=code, stdout=out, stderr=err.decode(), seconds=0)
    return tool, done, READ[tool](out.decode(), done.stderr, relative)


@pytest.mark.parametrize("name", [name for name in KEPT if name.endswith("-found")])
def test_findings_of_every_version(name: str):
    tool, done, seen = run(name)
    outcome = outcome_of(tool, done, seen)
    assert isinstance(outcome, Report)
    assert outcome.examined == {Counted.FILES: 2}
    errors = [one for one in outcome.findings if one.level is Level.ERROR]
    number, lines = FOUND[tool]
    assert len(errors) >= number
    assert {one.path for one in outcome.findings} == {"pkg/broken.py"}
    assert all(one.line for one in outcome.findings)
    one_line = "1a" in name or "-1.11" in name  # without the ends
    for line, (rule, last) in lines.items():
        one = next(one for one in errors if one.line == line)
        assert (one.rule, one.last_line) == (rule, line if one_line else last)
        assert one.url.endswith(rule)


@pytest.mark.parametrize(
    "name", [name for name in KEPT if name.startswith("mypy") and name.endswith("-found")]
)
def test_notes_of_mypy_belong_to_their_error(name: str):
    findings = run(name)[2].findings
    override = next(one for one in findings if one.rule == "override")
    assert override.message.count("\n") == 2
    assert [one.line for one in findings if one.level is Level.NOTICE] == [27]  # the revealed type
    assert mypy.missing_stubs(["--install-types"], run(name)[2]) == ("types-requests", "types-PyYAML")
    assert mypy.missing_stubs([], run(name)[2]) == ()


@pytest.mark.parametrize("name", [name for name in KEPT if name.endswith("-clean")])
def test_a_clean_run(name: str):
    outcome = outcome_of(*run(name))
    assert isinstance(outcome, Report)
    assert (outcome.findings, outcome.examined) == ((), {Counted.FILES: 1})


@pytest.mark.parametrize("name", [name for name in KEPT if name.endswith("-empty")])
def test_a_run_without_files_is_never_green(name: str):
    outcome = outcome_of(*run(name))
    assert isinstance(outcome, Broken) or (isinstance(outcome, Skipped) and outcome.empty)


@pytest.mark.parametrize("name", [name for name in KEPT if name.endswith("-syntax")])
def test_a_syntax_error_is_on_its_line(name: str):
    tool, done, seen = run(name)
    outcome = outcome_of(tool, done, seen)
    assert isinstance(outcome, Broken if tool == "mypy" else Report)
    assert all(one.path == "pkg/broken.py" and one.line for one in outcome.findings)
    assert outcome.findings


def test_the_columns_of_mypy_are_those_of_its_text():
    text, rows = (run(name)[2].findings for name in ("mypy-1.10.1-found", "mypy-1.11.2-found"))
    assert [str(one.location) for one in text] == [str(one.location) for one in rows]


def completed(code: int, stdout: str = "", stderr: str = "") -> Completed:
    return Completed(returncode=code, stdout=stdout.encode(), stderr=stderr, seconds=0)


ERROR, WARNING, NOTICE = (
    pyright.read(
        json.dumps(
            {
                "generalDiagnostics": [{"file": "/project/a.py", "severity": severity, "message": "m"}],
                "summary": {"filesAnalyzed": 1},
            }
        ),
        "",
        relative,
    )
    for severity in ("error", "warning", "information")
)


@pytest.mark.parametrize(
    ("code", "seen", "kind", "levels"),
    [
        pytest.param(0, Seen(files=1), Report, [], id="clean"),
        pytest.param(1, ERROR, Report, [Level.ERROR], id="an error"),
        pytest.param(0, WARNING, Report, [Level.WARNING], id="a warning does not fail"),
        pytest.param(1, WARNING, Report, [Level.ERROR], id="a warning that was asked to fail"),
        pytest.param(0, NOTICE, Report, [Level.NOTICE], id="a note"),
        pytest.param(1, NOTICE, Broken, [Level.NOTICE], id="failed without an error"),
        pytest.param(0, ERROR, Broken, [Level.ERROR], id="an error, and success"),
        pytest.param(0, Seen(), Broken, [], id="no number of files"),
        pytest.param(0, Seen(files=0), Skipped, None, id="no files"),
        pytest.param(2, Seen(files=3), Broken, [], id="a fatal error"),
        pytest.param(-9, Seen(files=3), Broken, [], id="killed"),
        pytest.param(0, Seen(problem="no JSON", files=3), Broken, [], id="unreadable"),
    ],
)
def test_what_a_run_means(code: int, seen: Seen, kind: type, levels: list[Level] | None):
    outcome = outcome_of("pyright", completed(code), seen)
    assert type(outcome) is kind
    if levels is not None:
        assert [one.level for one in outcome.findings] == levels


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ((0, 0), None, (None, None, None, None)),
        ((3, 0), None, (3, None, None, None)),
        ((3, 2), None, (3, 2, None, None)),
        ((3, 2), (3, 5), (3, 2, 3, 5)),
        ((3, 2), (4, 1), (3, 2, 4, 1)),
        ((3, 2), (3, 2), (3, 2, None, None)),
        ((3, 2), (2, 9), (3, 2, None, None)),
    ],
)
def test_places(start, end, expected):
    found = place("a.py", start, end)
    assert (found.line, found.column, found.end_line, found.end_column) == expected


@given(st.text(), st.text())
@pytest.mark.parametrize("tool", READ)
def test_any_output_is_read_or_refused(tool: str, out: str, err: str):
    seen = READ[tool](out, err, str)
    outcome = outcome_of(tool, completed(0, out, err), seen)
    # What says nothing of files is not green.
    assert not isinstance(outcome, Report) or seen.files


@given(st.text(alphabet=st.characters(exclude_characters="\n\r"), min_size=1), st.integers(1, 10_000))
def test_a_message_of_mypy_survives(message: str, line: int):
    row = {
        "file": "a.py",
        "line": line,
        "column": 0,
        "message": message,
        "severity": "error",
        "hint": None,
        "code": "misc",
    }
    log = "LOG:  Found source:           BuildSource(path='a.py')\n"
    seen = mypy.read(json.dumps(row), log, str)
    assert [(one.message, one.line, one.rule) for one in seen.findings] == [(message[:2000], line, "misc")]
    assert seen.files == 1


@pytest.mark.parametrize(("severity", "kind"), [("note", Report), ("error", Report)])
def test_mypy_ends_with_1_for_notes_in_json(severity: str, kind: type):
    row = {
        "file": "a.py",
        "line": 1,
        "column": 0,
        "message": "m",
        "severity": severity,
        "hint": None,
        "code": "misc",
    }
    log = "LOG:  Found source:           BuildSource(path='a.py')\n"
    outcome = outcome_of("mypy", completed(1), mypy.read(json.dumps(row), log, str))
    assert type(outcome) is kind
    assert [one.level for one in outcome.findings] == [Level.NOTICE if severity == "note" else Level.ERROR]


def test_an_error_in_the_configuration_of_mypy_is_on_the_other_stream():
    row = {
        "file": "pyproject.toml",
        "line": 1,
        "column": 0,
        "message": "m",
        "severity": "error",
        "hint": None,
        "code": "misc",
    }
    seen = mypy.read("", f"LOG:  x\n{json.dumps(row)}\n", str)
    outcome = outcome_of("mypy", completed(2, stderr=json.dumps(row)), seen)
    assert isinstance(outcome, Broken)
    assert outcome.reason.endswith(": m")
    assert [one.path for one in outcome.findings] == ["pyproject.toml"]


def test_options_for_versions_of_mypy():
    assert "--output=json" in mypy.format_options("1.11.0")
    assert "--output=json" in mypy.format_options("2.0")
    assert "--output=json" not in mypy.format_options("1.10.1")
    assert "--show-error-end" in mypy.format_options("1.4")
    assert "--show-error-end" not in mypy.format_options("0.910")
