"""Read what `ruff format` prints: its diff, its errors, its summary.

Every file is named on the command line, so what Ruff does not account for was excluded by `format.exclude`, or it is a
notebook of another language.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from ci_action.stages.quality.diff import PARSE, UNREADABLE, Change, changes_of
from ci_action.system.errors import ToolError
from ci_action.system.process import Completed, last_lines

_FORMATTED: Final = re.compile(r"\b(\d+) files? would be reformatted")
_UNCHANGED: Final = re.compile(r"\b(\d+) files? (?:already formatted|left unchanged)")
_SUMMARY: Final = re.compile(
    r"\d+ files? (?:would be reformatted|already formatted|left unchanged)(?:, \d+ files? .+)?"
)
_ERROR: Final = re.compile(r"error: Failed to (?P<what>parse|read|format) (?P<rest>.+)", re.DOTALL)
# `ROW:COLUMN: message`, in a notebook `CELL:ROW:COLUMN: message`.
_PLACE: Final = re.compile(r"(?:(\d+):)?(\d+):(\d+): (.*)", re.DOTALL)
SYNTAX: Final = "source contains syntax errors"  # without a line, before Ruff 0.1.7
_CONTENT: Final = re.compile(r"UTF-8|JSON|notebook", re.IGNORECASE)
# Only CR as line end: each line of the diff ends with it as well.
_BARE_CR: Final = re.compile(rb"\r(?!\n)")


@dataclass(kw_only=True)
class Seen:
    """What Ruff reported about files."""

    changes: dict[str, list[Change]] = field(default_factory=dict)
    """The changes of each file that it would format or cannot parse."""
    unchanged: int = 0
    """The number of files that are formatted already."""

    @property
    def number(self) -> int:
        """The number of examined files."""
        return len(self.changes) + self.unchanged


def parse(done: Completed, names: Mapping[str, str]) -> Seen:
    """Read the output of `ruff format --diff` for files; `names` maps what Ruff calls them to their own names.

    Raises `ToolError` if diff, errors, summary and exit code contradict each other.
    """
    seen = Seen()
    stdout = _BARE_CR.sub(b"\n", done.stdout)
    for shown, changes in changes_of(_without_odd_names(stdout, names), "ruff"):
        seen.changes.setdefault(_known(shown, names), []).extend(changes)
    formatted = len(seen.changes)
    failed = dict(errors(done.stderr, names))
    summary = next((line for line in reversed(done.stderr.splitlines()) if _SUMMARY.fullmatch(line)), "")
    seen.unchanged = _number(_UNCHANGED, summary)
    code = 2 if failed else int(formatted > 0)
    if (
        done.returncode != code
        or formatted != _number(_FORMATTED, summary)
        or failed.keys() & seen.changes.keys()
        or formatted + len(failed) + seen.unchanged > len(names)
    ):
        raise ToolError(
            f"ruff was given {len(names)} files and lists {formatted} with a diff and {len(failed)} with errors, with"
            f" {summary or 'no summary'!r} and exit code {done.returncode}: its output cannot be trusted",
            detail=last_lines(done.stderr),
        )
    seen.changes |= {name: [change] for name, change in failed.items()}
    return seen


def _without_odd_names(stdout: bytes, names: Mapping[str, str]) -> bytes:
    """Replace the name of a single file in the headers of its diff: it may contain anything."""
    if len(names) != 1:
        return stdout
    shown = re.escape(next(iter(names)).encode("utf-8", "replace"))
    header = re.compile(rb"^--- " + shown + rb"((?::cell \d+)?)\n\+\+\+ " + shown + rb"\1$", re.MULTILINE)
    return header.sub(rb"--- -\1\n+++ -\1", stdout)


def _known(shown: str, names: Mapping[str, str]) -> str:
    if shown == "-" and len(names) == 1:
        return next(iter(names.values()))
    if shown in names:
        return names[shown]
    raise ToolError(f"ruff reports {shown!r}, which it was not given")


def _number(pattern: re.Pattern[str], summary: str) -> int:
    match = pattern.search(summary)
    return int(match[1]) if match else 0


def errors(stderr: str, names: Mapping[str, str]) -> Iterator[tuple[str, Change]]:
    """Yield each file that Ruff cannot format, with the reason; raises `ToolError` for a reason that is not in the file."""
    for text in re.split(r"\n(?=error: |\d+ files? )", stderr):
        match = _ERROR.match(text)
        if match is None:
            continue
        rest = match["rest"]
        shown = next((name for name in _prefixes(rest) if name in names), None)
        if shown is None:
            raise ToolError(f"ruff failed: {text.splitlines()[0]}", detail=last_lines(stderr))
        reason = rest[len(shown) + 1 :].strip()
        yield names[shown], _failed(match["what"], reason, stderr)


def _prefixes(text: str) -> Iterator[str]:
    """Yield the text before each colon."""
    return (text[: match.start()] for match in re.finditer(":", text))


def _failed(what: str, reason: str, stderr: str) -> Change:
    place = _PLACE.match(reason)
    if what == "parse" and place:
        cell, line, column, message = place.groups()
        return Change(
            rule=PARSE,
            line=int(line),
            column=int(column),
            cell=int(cell) if cell else None,
            message=f"Ruff cannot parse this file: {message}",
        )
    if what == "parse" or SYNTAX in reason or (what == "read" and _CONTENT.search(reason)):
        return Change(rule=PARSE, line=None, message=f"Ruff cannot parse this file: {reason}")
    if what == "read":
        return Change(rule=UNREADABLE, line=None, message=f"the file cannot be read: {reason}")
    raise ToolError(f"ruff could not format a file: {reason}", detail=last_lines(stderr))


class _Listed(msgspec.Struct):
    filename: str | None = None


_LISTED: Final = msgspec.json.Decoder(list[_Listed])


def parse_listed(done: Completed) -> list[str]:
    """Return the files that `ruff format --check --output-format=json` would change or cannot read."""
    try:
        entries = _LISTED.decode(done.stdout)
    except (msgspec.DecodeError, ValueError) as error:
        raise ToolError(
            f"could not read the JSON of ruff: {error}", detail=last_lines(done.stderr)
        ) from error
    return [entry.filename for entry in entries if entry.filename]
