"""What bandit's output means: its JSON, and what it only whispers beside it."""

import io
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from errno import ENOENT
from tokenize import detect_encoding
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, TypeAdapter, ValidationError

from ci_action.system.errors import ToolError
from ci_action.system.process import last_lines

DOCUMENTATION: Final = "https://bandit.readthedocs.io/"
_SEVERITIES: Final = frozenset({"low", "medium", "high"})
_MISSING: Final = os.strerror(ENOENT)
# These tests print what they found: a password, the name of a file, an object with its address.
_QUOTING: Final = {
    "B103": re.compile(r" on file \(.*", re.DOTALL),
    "B105": re.compile(r": .*", re.DOTALL),
    "B106": re.compile(r": .*", re.DOTALL),
    "B107": re.compile(r": .*", re.DOTALL),
    "B202": re.compile(r" ?(\{.*|Check if the members were.*|Make sure your function.*)", re.DOTALL),
}
# What stands in quotes in the text of a test that we do not know may be from the source: all up to the last quote.
_QUOTED: Final = re.compile(r"(?<!\w)(?:'.*'|\".*\"|`.*`)(?!\w)", re.DOTALL)
# The texts of these are fixed: what they quote are characters that cannot be seen, flags of Mako, names of functions.
_FIXED: Final = frozenset({"B613", "B702", "B704"})
# A test of whole blocks names every line of them: the statement that is meant is the first line.
_LONGEST: Final = 30
# The one test that counts columns from 1.
_COUNTS_FROM_ONE: Final = "B613"

_MESSAGE: Final = re.compile(r"^\[\w+\]\t(?:WARNING|ERROR|CRITICAL|INFO)\t.*$", re.MULTILINE)
_UNKNOWN_TEST: Final = re.compile(r"^\[\w+\]\t\w+\tUnknown test found in profile: (.*)$", re.MULTILINE)
_IGNORED: Final = re.compile(
    r"^\[\w+\]\tWARNING\t(Unable to parse config file .*|Failed to load baseline data.*)$", re.MULTILINE
)
_CRASHED_TEST: Final = re.compile(
    r"^\[\w+\]\tERROR\tBandit internal error running: (?P<test>\w+) on file (?P<file>.+?) at line (?P<line>-?\d+): ",
    re.MULTILINE | re.DOTALL,
)
_USAGE: Final = re.compile(r"^bandit: error: (.*)$", re.MULTILINE)
_FATAL: Final = re.compile(
    r"^\[\w+\]\tERROR\t(?!Exception occurred|Run \"bandit|Bandit internal)(.*)$", re.MULTILINE
)
# Tests that bandit once had: a project that skips one of them leaves out nothing.
_REMOVED: Final = frozenset({"B109", "B111", "B309", "B320", "B322", "B325", "B410", "B414"})


def _is_text(value: Any) -> Any:
    # File names may hold lone surrogates, which pydantic takes for no text.
    if not isinstance(value, str):
        raise ValueError("a name of a file is no text")  # noqa: TRY004 - pydantic wants this kind
    return value


_Name = Annotated[Any, AfterValidator(_is_text)]


class _Result(BaseModel):
    filename: _Name
    test_id: str
    issue_text: str
    issue_severity: str
    issue_confidence: str
    line_number: int
    line_range: list[int] = []
    col_offset: int = -1
    end_col_offset: int = 0
    more_info: str | None = None


class _Error(BaseModel):
    filename: _Name
    reason: str | None


class _Output(BaseModel):
    results: list[_Result]
    errors: list[_Error]
    metrics: dict[_Name, dict[str, float]]


_OUTPUT: Final = TypeAdapter(_Output)


@dataclass(frozen=True, kw_only=True)
class Issue:
    """One thing that bandit says of a file, without anything of the source; as it is kept between runs."""

    rule: str
    message: str
    severity: str
    line: int | None = None
    first: int | None = None
    """Where the statement begins, which may be above the line that is meant."""
    end_line: int | None = None
    column: int | None = None
    """In bytes of UTF-8, from 1, as Python counts; so is the end."""
    end_column: int | None = None
    url: str = ""


@dataclass(kw_only=True)
class Seen:
    """What bandit said of a batch of files."""

    issues: dict[str, list[Issue]] = field(default_factory=dict)
    """Every file that it looked at or could not read."""
    passing: set[str] = field(default_factory=set)
    """Files that it may well be able to read another time."""
    excluded: list[str] = field(default_factory=list)
    """Files that it was given and left out, because its configuration says so."""


def parse(stdout: bytes, stderr: str, files: Sequence[str], returncode: int) -> Seen:
    """Read bandit's JSON about these files; raises `ToolError` where it does not account for them."""
    output = _output(stdout)
    if bool(output.results) != bool(returncode):
        says = "something" if returncode else "nothing"
        raise ToolError(f"bandit says that it found {says}, and lists {len(output.results):,} results")
    names = {os.path.normpath(name): name for name in files}
    seen = Seen()
    # A file stands here from the moment in which bandit could read it.
    for read in output.metrics.keys() - {"_totals"}:
        seen.issues[_known(read, names)] = []
    for error in output.errors:
        name = _known(error.filename, names)
        if error.reason == _MISSING:
            raise ToolError(f"{name!r} was there when the files were listed, and is not any more")
        issue = _unreadable(error.reason or "the system does not say why")
        seen.issues.setdefault(name, []).append(issue)
        if issue.rule != "parse":
            seen.passing.add(name)
    for result in output.results:
        seen.issues.setdefault(_known(result.filename, names), []).append(_issue(result))
    for name, issue in _crashed_tests(stderr, names):
        seen.issues.setdefault(name, []).append(issue)
    seen.excluded = [name for name in files if name not in seen.issues]
    return seen


def _output(stdout: bytes) -> _Output:
    if not stdout.strip():
        raise ToolError("bandit printed nothing where its JSON should be")
    try:
        return _OUTPUT.validate_python(json.loads(stdout))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise ToolError(f"bandit printed something that is not its JSON: {first}") from error
    except (ValueError, RecursionError) as error:
        raise ToolError("bandit printed something that is not its JSON") from error


def _known(given: str, names: dict[str, str]) -> str:
    name = names.get(os.path.normpath(given))
    if name is None:
        raise ToolError(f"bandit speaks of {given!r}, which it was not given")
    return name


def _unreadable(reason: str) -> Issue:
    if reason.startswith("syntax error"):
        text = "bandit cannot parse this file with the Python that runs it, so nothing in it was looked at"
        return Issue(rule="parse", message=text, severity="unknown")
    return Issue(
        rule="unreadable", message=f"bandit could not look at this file: {reason}", severity="unknown"
    )


def _issue(result: _Result) -> Issue:
    line = max(1, result.line_number)
    numbers = [line, *(number for number in result.line_range if number > 0)]
    first, last = min(numbers), max(numbers)
    # The column is that of the statement, or of a part of it where it has one line.
    offset = result.col_offset + (result.test_id != _COUNTS_FROM_ONE)
    column = offset if offset > 0 and line == first else None
    end = result.end_col_offset + 1
    whole = column is not None and first == last and end > column
    if last - first >= _LONGEST:
        first = last = line
    severity, confidence = result.issue_severity.lower(), result.issue_confidence.lower()
    text = without_values(result.test_id, result.issue_text)
    url = result.more_info or ""
    return Issue(
        rule=result.test_id,
        message=f"{text} (bandit: {severity} severity, {confidence} confidence)",
        severity=severity if severity in _SEVERITIES else "unknown",
        line=line,
        first=first,
        end_line=last,
        column=column,
        end_column=end if whole else None,
        url=url if url.startswith(DOCUMENTATION) else "",
    )


def without_values(test: str, text: str) -> str:
    """Return the text of a test on one line, without whatever it quotes of the source."""
    if test in _QUOTING:
        text = _QUOTING[test].sub("", text)
    elif test not in _FIXED:
        text = _QUOTED.sub("…", text)
    return " ".join(text.split()).removesuffix(".")


def _crashed_tests(stderr: str, names: dict[str, str]) -> Iterator[tuple[str, Issue]]:
    """Yield what bandit only whispers: one of its tests failed, and it went on without; once for each test and file."""
    told: set[tuple[str, str]] = set()
    for match in _CRASHED_TEST.finditer(stderr):
        name = names.get(os.path.normpath(match["file"]))
        if name is None or (name, match["test"]) in told:
            continue
        told.add((name, match["test"]))
        text = f"bandit's own test {match['test']} failed in this file: what it looks for was not looked for everywhere"
        line = max(1, int(match["line"]))
        yield name, Issue(rule="test-failed", message=text, severity="unknown", line=line, first=line)


def complaints(stderr: str) -> list[str]:
    """Say what is wrong with the configuration that bandit only whispers about and then leaves aside."""
    unknown = sorted(set(_UNKNOWN_TEST.findall(stderr)) - _REMOVED)
    wrong = [f"there is no test {', '.join(map(repr, unknown))} in this version of bandit"] if unknown else []
    return wrong + list(dict.fromkeys(_IGNORED.findall(stderr)))


def removed_tests(stderr: str) -> list[str]:
    """Return the tests that the configuration names and that bandit has no more."""
    return sorted(set(_UNKNOWN_TEST.findall(stderr)) & _REMOVED)


def cause(stderr: str) -> str:
    """Return why bandit ended without a report: wrong usage, its last error, else its last line."""
    usage, fatal = _USAGE.findall(stderr), _FATAL.findall(stderr)
    last = last_lines(stderr, 1)
    return next((found[-1] for found in (usage, fatal) if found), last) or "it wrote nothing"


def messages(stderr: str) -> str:
    """Return bandit's own messages: without tracebacks and errors of its tests, which may quote the source."""
    return "\n".join(line for line in _MESSAGE.findall(stderr) if "Bandit internal error" not in line)


def in_characters(issues: Sequence[Issue], source: bytes) -> list[Issue]:
    """Return the issues with columns that count code points, which only the source can tell."""
    if source.isascii() or not any(issue.column for issue in issues):
        return list(issues)
    source = source.replace(b"\r\n", b"\n").replace(b"\r", b"\n")  # each ends a line for Python
    try:
        encoding = detect_encoding(io.BytesIO(source).readline)[0]
        lines = source.decode(encoding, "replace").split("\n")
    except (SyntaxError, LookupError, ValueError):
        lines = []
    return [_in_characters(issue, lines) for issue in issues]


def _in_characters(issue: Issue, lines: Sequence[str]) -> Issue:
    if issue.line is None or issue.line > len(lines) or issue.rule == _COUNTS_FROM_ONE:
        return issue
    raw = lines[issue.line - 1].encode("utf-8", "replace")
    if len(raw) < (issue.end_column or issue.column or 1) - 1:
        return issue
    column, end = (
        position and len(raw[: position - 1].decode("utf-8", "ignore")) + 1
        for position in (issue.column, issue.end_column)
    )
    return replace(issue, column=column, end_column=end)
