"""Parses bandit's output: its JSON, and the problems that it only writes to stderr."""

import io
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from errno import ENOENT
from tokenize import detect_encoding
from typing import Final

import msgspec

from ci_action.system.errors import ToolError
from ci_action.system.process import last_lines

DOCUMENTATION: Final = "https://bandit.readthedocs.io/"
PARSE: Final = "parse"
_SEVERITIES: Final = frozenset({"low", "medium", "high"})
_MISSING: Final = os.strerror(ENOENT)
# These tests quote what they found: a password, a file name, an object with its address.
_QUOTING: Final = {
    "B103": re.compile(r" on file \(.*", re.DOTALL),
    "B105": re.compile(r": .*", re.DOTALL),
    "B106": re.compile(r": .*", re.DOTALL),
    "B107": re.compile(r": .*", re.DOTALL),
    "B202": re.compile(r" ?(\{.*|Check if the members were.*|Make sure your function.*)", re.DOTALL),
}
# Quoted text in the message of an unknown test may be from the source: everything up to the last quote.
_QUOTED: Final = re.compile(r"(?<!\w)(?:'.*'|\".*\"|`.*`)(?!\w)", re.DOTALL)
# The messages of these are fixed: they quote invisible characters, flags of Mako, names of functions.
_FIXED: Final = frozenset({"B613", "B702", "B704"})
# A test of whole blocks lists every line of a block: the reported statement is the first line.
_LONGEST: Final = 30
# The only test that counts columns from 1.
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
# Tests that bandit no longer has: a project may still skip them.
_REMOVED: Final = frozenset({"B109", "B111", "B309", "B320", "B322", "B325", "B410", "B414"})


class _Result(msgspec.Struct):
    filename: str
    test_id: str
    issue_text: str
    issue_severity: str
    issue_confidence: str
    line_number: int
    line_range: list[int] = []
    col_offset: int = -1
    end_col_offset: int = 0
    more_info: str | None = None


class _Error(msgspec.Struct):
    filename: str
    reason: str | None


class _Output(msgspec.Struct):
    results: list[_Result]
    errors: list[_Error]
    metrics: dict[str, dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class Issue:
    """A problem in a file, without any text of the source; it is cached between runs."""

    rule: str
    message: str
    severity: str
    """Empty if it is not a problem of the code: then it only warns."""
    line: int | None = None
    first: int | None = None
    """Where the statement begins, which may be above the reported line."""
    end_line: int | None = None
    column: int | None = None
    """In bytes of UTF-8, from 1, as Python counts; so is the end."""
    end_column: int | None = None
    url: str = ""


@dataclass(kw_only=True)
class Seen:
    """The results of one run of bandit."""

    issues: dict[str, list[Issue]] = field(default_factory=dict)
    """By file: every file that it scanned or could not read."""
    passing: set[str] = field(default_factory=set)
    """Files that it may be able to read in another run."""
    excluded: list[str] = field(default_factory=list)
    """Files that it excluded because of its configuration."""


def parse(
    stdout: bytes, stderr: str, files: Sequence[str], returncode: int, python: str = "its Python"
) -> Seen:
    """Parse bandit's JSON about these files. Raises `ToolError` if it is invalid or contradicts the exit code.

    `python` is the interpreter that ran it, for people.
    """
    try:
        # In two steps: names of files may hold lone surrogates, which msgspec does not decode.
        output = msgspec.convert(json.loads(stdout), _Output)
    except (ValueError, RecursionError) as error:
        raise ToolError(f"bandit printed invalid JSON: {error}") from error
    if bool(output.results) != bool(returncode):
        raise ToolError(
            f"bandit ended with exit code {returncode}, but lists {len(output.results):,} results"
        )
    names = {os.path.normpath(name): name for name in files}
    seen = Seen()
    # A file is in the metrics as soon as bandit could read it.
    for read in output.metrics.keys() - {"_totals"}:
        seen.issues[_known(read, names)] = []
    for failed in output.errors:
        name = _known(failed.filename, names)
        if failed.reason == _MISSING:
            raise ToolError(f"{name!r} was removed while the checks ran")
        reason = failed.reason or "no reason given"
        if reason.startswith("syntax error"):
            text = f"bandit cannot parse this file with {python}, so nothing in it was checked"
            issue = Issue(rule=PARSE, message=text, severity="")  # the code may be sound
        else:
            issue = unreadable(f"bandit could not scan this file: {reason}")
            seen.passing.add(name)
        seen.issues.setdefault(name, []).append(issue)
    for result in output.results:
        seen.issues.setdefault(_known(result.filename, names), []).append(_issue(result))
    for name, issue in _crashed_tests(stderr, names):
        seen.issues.setdefault(name, []).append(issue)
    seen.excluded = [name for name in files if name not in seen.issues]
    return seen


def _known(given: str, names: dict[str, str]) -> str:
    name = names.get(os.path.normpath(given))
    if name is None:
        raise ToolError(f"bandit reported on {given!r}, which it was not asked to scan")
    return name


def unreadable(message: str) -> Issue:
    """Return the issue of a file that was not scanned."""
    return Issue(rule="unreadable", message=message, severity="unknown")


def _issue(result: _Result) -> Issue:
    line = max(1, result.line_number)
    numbers = [line, *(number for number in result.line_range if number > 0)]
    first, last = min(numbers), max(numbers)
    # The column is that of the statement, or of a part of it if it has one line.
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
    """Return the message of a test on one line, without quotations from the source."""
    if test in _QUOTING:
        text = _QUOTING[test].sub("", text)
    elif test not in _FIXED:
        text = _QUOTED.sub("…", text)
    return " ".join(text.split()).removesuffix(".")


def _crashed_tests(stderr: str, names: dict[str, str]) -> Iterator[tuple[str, Issue]]:
    """Yield an issue for each test that failed in a file: bandit reports that on stderr only and goes on."""
    first: dict[tuple[str, str], str] = {}
    for match in _CRASHED_TEST.finditer(stderr):
        first.setdefault((match["file"], match["test"]), match["line"])
    for (file, test), number in first.items():
        name = names.get(os.path.normpath(file))
        if name is not None:
            text = f"bandit's own test {test} failed in this file, so it did not check the whole file"
            line = max(1, int(number))
            yield name, Issue(rule="test-failed", message=text, severity="unknown", line=line, first=line)


def complaints(stderr: str) -> list[str]:
    """Return the mistakes in the configuration that bandit reports on stderr only and then ignores."""
    unknown = sorted(set(_UNKNOWN_TEST.findall(stderr)) - _REMOVED)
    wrong = [f"unknown test {', '.join(map(repr, unknown))}"] if unknown else []
    return wrong + list(dict.fromkeys(_IGNORED.findall(stderr)))


def removed_tests(stderr: str) -> set[str]:
    """Return the configured tests that bandit no longer has."""
    return set(_UNKNOWN_TEST.findall(stderr)) & _REMOVED


def cause(stderr: str) -> str:
    """Return why bandit ended without a report: wrong usage, its last error, else its last line."""
    errors = _USAGE.findall(stderr) or _FATAL.findall(stderr) or [last_lines(stderr, 1)]
    return errors[-1] or "no error message"


def messages(stderr: str) -> str:
    """Return bandit's messages without tracebacks and errors of its tests, which may quote the source."""
    return "\n".join(line for line in _MESSAGE.findall(stderr) if "Bandit internal error" not in line)


def in_characters(issues: Sequence[Issue], source: bytes) -> list[Issue]:
    """Return the issues with columns in code points of the source instead of bytes."""
    if source.isascii():
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
