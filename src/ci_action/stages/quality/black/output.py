"""Read what Black prints: its diff, its messages, its summary."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from ci_action.stages.quality.diff import PARSE, UNREADABLE, Change, changes_of
from ci_action.system.errors import ToolError
from ci_action.system.process import last_lines

_COUNT: Final = re.compile(
    r"(\d+) files? (would be reformatted|would be left unchanged|would fail to reformat)"
)
_SUMMARY: Final = re.compile(rf"{_COUNT.pattern}(?:, {_COUNT.pattern})*\.")
_ERROR: Final = re.compile(
    r"^error: (?:"
    r"cannot format (?P<path1>.+?): Cannot parse(?P<for1> for target version [^:]+)?: (?P<line1>\d+):(?P<column1>\d+)"
    r"|cannot parse(?P<for2> for target version [^:]+)?: (?P<path2>.+):(?P<line2>\d+):(?P<column2>\d+)"
    r"|cannot format (?P<path3>.+?): (?P<text>.*)"
    r")",
)
_AST_LINE: Final = re.compile(r"line (\d+)\)")
_UNPARSABLE: Final = re.compile(r"pars|codec|encoding|decode|invalid notebook|JSON", re.IGNORECASE)
# Black writes the diff of a file in that file's encoding, and thus a byte order mark before its first line.
_MARK: Final = re.compile(rb"^\xef\xbb\xbf(?=--- )", re.MULTILINE)
_UNREADABLE: Final = re.compile(r"\[Errno \d+\]")


@dataclass(kw_only=True)
class Seen:
    """What Black reported about a batch of files."""

    changes: dict[str, list[Change]] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    """Files that Black failed on for a reason that is not in the file."""


def parse(stdout: bytes, stderr: str, files: Sequence[str]) -> Seen:
    """Read Black's diff and messages about these files; a single file needs no name in them.

    Raises `ToolError` if the counts in Black's own summary do not add up to the files.
    """
    seen = Seen()
    only = files[0] if len(files) == 1 else None
    for path, changes in _diffs(stdout):
        seen.changes.setdefault(only or path, []).extend(changes)
    formatted = len(seen.changes)
    for path, change, problem in _errors(stderr):
        if change is not None:
            seen.changes.setdefault(only or path, []).append(change)
        else:
            seen.lost[only or path] = problem
    counts = _counts(stderr)
    reported = seen.changes.keys() | seen.lost.keys()
    if (
        sum(counts.values()) != len(files)
        or counts.get("would be reformatted", 0) != formatted
        or counts.get("would be left unchanged", 0) != len(files) - len(reported)
        or reported - set(files)
    ):
        raise ToolError(
            f"black was given {len(files)} files and accounts for {sum(counts.values())}, {formatted} with a diff:"
            " its output cannot be trusted",
            detail=last_lines(stderr),
        )
    seen.changes |= {name: [] for name in files if name not in reported}
    return seen


def parse_part(stdout: bytes, files: Sequence[str]) -> dict[str, list[Change]]:
    """Return the changes of complete files from a diff that is cut off because Black was ended."""
    stdout = _MARK.sub(b"", stdout)
    cut = stdout.rfind(b"\n--- ")
    while cut >= 0:
        try:
            found = dict(_diffs(stdout[: cut + 1]))
        except ToolError:  # a removed line that begins with "-- " looks like the header of a file
            cut = stdout.rfind(b"\n--- ", 0, cut)
            continue
        return {path: changes for path, changes in found.items() if path in files}
    return {}


def _counts(stderr: str) -> dict[str, int]:
    # The last such line is Black's own: what comes before it may quote the project.
    lines = [line for line in stderr.splitlines() if _SUMMARY.fullmatch(line)]
    return {what: int(number) for number, what in _COUNT.findall(lines[-1])} if lines else {}


def _diffs(stdout: bytes) -> Iterator[tuple[str, list[Change]]]:
    return changes_of(_MARK.sub(b"", stdout), "black")


def _errors(stderr: str) -> Iterator[tuple[str, Change | None, str]]:
    for line in stderr.splitlines():
        match = _ERROR.match(line)
        if match is None:
            continue
        path = match["path1"] or match["path2"] or match["path3"]
        number = match["line1"] or match["line2"]
        if number:
            column = int(match["column1"] or match["column2"]) + 1  # Black counts columns from 0
            target = match["for1"] or match["for2"] or ""
            message = f"Black cannot parse this file{target}"
            yield path, Change(rule=PARSE, line=int(number), column=column, message=message), ""
            continue
        text = match["text"]
        at = _AST_LINE.search(text)
        if _UNREADABLE.search(text):
            yield path, Change(rule=UNREADABLE, line=None, message=f"the file cannot be read: {text}"), ""
        elif at or _UNPARSABLE.search(text):
            place = int(at[1]) if at else None
            yield path, Change(rule=PARSE, line=place, message=f"Black cannot parse this file: {text}"), ""
        else:
            yield path, None, text
