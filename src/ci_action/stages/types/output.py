"""What the output of a type checker means, whichever it is: pure functions."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from ci_action.model.finding import Finding, Level, Location
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.system.process import Completed, last_lines

_LONGEST: Final = 2_000
_NUMBERS: Final = ("line", "column", "end_line", "end_column")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a type checker printed in one run."""

    findings: tuple[Finding, ...] = ()
    files: int | None = None
    """The number of files that it checked; None if it did not print it."""
    problem: str = ""
    """Why its output cannot be read; empty if it can."""
    fails_for_notes: bool = False
    """Whether it ends with exit code 1 also for notes alone, as mypy does with JSON."""
    errors: str | None = None
    """What it wrote to the stream of errors, without its log; None if that is all of it."""


def place(
    path: str,
    start: tuple[int, int],
    end: tuple[int, int] | None = None,
) -> Location:
    """Return a location for a line and column, and an exclusive end; numbers below 1 are unknown."""
    line, column = start
    if line < 1:
        return Location(path=path)
    if column < 1:
        return Location(path=path, line=line)
    if end is None or end[0] < line or end[1] < 1 or (end[0] == line and end[1] <= column):
        return Location(path=path, line=line, column=column)
    return Location(path=path, line=line, column=column, end_line=end[0], end_column=end[1])


def place_in(row: re.Match[str], relative: Callable[[str], str]) -> Location:
    """Return the location in a line of text: its file, its line and column if it has them, and the last column."""
    line, column, last, end = (int(row.groupdict().get(name) or 0) for name in _NUMBERS)
    return place(relative(row["file"]), (line, column), (last, end + 1) if last else None)


def joined(message: str, notes: Iterable[str]) -> str:
    """Return a message with the notes that belong to it, each on a line."""
    return "\n".join([message, *notes])[:_LONGEST]


def outcome_of(tool: str, done: Completed, seen: Seen) -> Report | Broken | Skipped:
    """Return what a run means: the findings, the files and the exit code decide together.

    A checker that fails although it printed no error was asked to fail for warnings, so these are errors.
    """
    findings = seen.findings
    errors = any(one.level is Level.ERROR for one in findings)
    warnings = any(one.level is Level.WARNING for one in findings)
    if done.returncode == 1 and not errors and warnings:
        findings = tuple(
            replace(one, level=Level.ERROR) if one.level is Level.WARNING else one for one in findings
        )
        errors = True
    if reason := _problem(tool, done, seen, errors=errors):
        text = last_lines(f"{done.stdout.decode('utf-8', 'replace')}\n{_written(done, seen)}", 20)
        examined = {Counted.FILES: seen.files} if seen.files else {}
        return Broken(reason, text, findings=findings, examined=examined)
    if not seen.files:
        return Skipped(f"{tool} found no files to check", empty=True)
    return Report(findings=findings, examined={Counted.FILES: seen.files})


def _written(done: Completed, seen: Seen) -> str:
    return done.stderr if seen.errors is None else seen.errors


def _problem(tool: str, done: Completed, seen: Seen, *, errors: bool) -> str:
    code = done.returncode
    last = last_lines(_written(done, seen), 1) or "no output"
    first = next((one.message for one in seen.findings if one.level is Level.ERROR), "")
    cause = (seen.problem or first or last).splitlines()[0]
    notes = seen.fails_for_notes and bool(seen.findings)
    problems = (
        (done.killed_by, f"{tool} was killed by {done.killed_by}"),
        (code not in {0, 1}, f"{tool} ended with exit code {code}: {cause}"),
        (seen.problem, seen.problem),
        (
            code == 1 and not errors and not notes,
            f"{tool} ended with exit code 1 without an error in its output: {last}",
        ),
        (code == 0 and errors, f"{tool} ended with exit code 0 although its output has errors"),
        (seen.files is None, f"{tool} printed no number of checked files"),
    )
    return next((text for there, text in problems if there), "")
