"""What a formatter would change, from its diff: one finding for each run of changed lines."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ci_action.model.finding import Finding, Fix, Location
from ci_action.project.layout import Layout
from ci_action.system.errors import ToolError

FORMAT: Final = "format"
PARSE: Final = "parse"
UNREADABLE: Final = "unreadable"
# Names that are unambiguous in the header of a diff: printable ASCII, no quotes, no blanks at the ends.
_PLAIN_NAME: Final = re.compile(r"[!#-&(-\[\]-~](?:[ !#-&(-\[\]-~]*[!#-&(-\[\]-~])?")
# Black counts the cells from 0 and writes `cell_0` behind the time, Ruff counts from 1.
_CELLS: Final = ((re.compile(r":cell_(\d+)\Z"), 1), (re.compile(r":cell (\d+)\Z"), 0))


@dataclass(frozen=True, kw_only=True)
class Change:
    """One run of changed lines, or the place that a formatter cannot parse, as kept between runs."""

    rule: str
    line: int | None
    end_line: int | None = None
    column: int | None = None
    cell: int | None = None
    """The cell of a notebook in which the lines are counted."""
    message: str = ""
    before: str = ""
    after: str = ""


def is_plain(name: str) -> bool:
    """Whether a name is unambiguous in the output of a formatter for several files."""
    return _PLAIN_NAME.fullmatch(name) is not None


def changes_of(stdout: bytes, tool: str) -> Iterator[tuple[str, list[Change]]]:
    """Yield the changes of each file of a unified diff, those of a notebook cell by cell; raises `ToolError`."""
    if not stdout:
        return
    from unidiff.errors import UnidiffParseError  # not for a clean project
    from unidiff.patch import PatchSet

    # Each file is in its own encoding: Latin-1 keeps every byte apart, and unidiff then splits at newlines alone.
    try:
        patch = PatchSet.from_string(stdout.decode("latin-1"))
    except UnidiffParseError as error:
        raise ToolError(f"could not read the diff of {tool}: {error}") from error
    for file in patch:
        name, cell = _place(file.source_file, file.source_timestamp or "")
        changes = [change for hunk in file for change in _runs(hunk, cell)]
        if not changes:  # cut off behind its header: without changes it would be green
            raise ToolError(f"the diff of {file.source_file!r} by {tool} has no changes")
        yield name, changes


def _place(name: str, time: str) -> tuple[str, int | None]:
    """Return the name of a file and the number of its cell, from 1; None for a file without cells."""
    for pattern, shift in _CELLS:
        for text in (time, name):
            if match := pattern.search(text):
                return name.removesuffix(match[0]), int(match[1]) + shift
    return name, None


def _runs(hunk: Iterable[Any], cell: int | None) -> Iterator[Change]:
    removed: list[Any] = []
    added: list[Any] = []
    following = 1
    for line in hunk:
        if line.is_context:
            if removed or added:
                yield _change(removed, added, line.source_line_no, cell)
                removed, added = [], []
            following = line.source_line_no + 1
        elif line.is_removed:
            removed.append(line)
            following = line.source_line_no + 1
        elif line.is_added:
            added.append(line)
    if removed or added:
        yield _change(removed, added, max(1, following - 1), cell)


def _change(removed: Sequence[Any], added: Sequence[Any], neighbour: int, cell: int | None) -> Change:
    start = removed[0].source_line_no if removed else neighbour
    end = removed[-1].source_line_no if removed else neighbour
    return Change(rule=FORMAT, line=start, end_line=end, cell=cell, before=_text(removed), after=_text(added))


def _text(lines: Sequence[Any]) -> str:
    raw = "".join(line.value.rstrip("\r\n") + "\n" for line in lines)
    return raw.encode("latin-1").decode("utf-8", "replace")


@dataclass(frozen=True, kw_only=True)
class Formatter:
    """A formatter in findings."""

    tool: str
    name: str
    """Its name in sentences."""
    url: str
    """The documentation of its style."""

    def findings(self, changes: Mapping[str, Sequence[Change]], layout: Layout) -> Iterator[Finding]:
        """Yield the findings of all files, in the order of their names."""
        for name in sorted(name for name, found in changes.items() if found):
            path = layout.relative(name)
            for change in changes[name]:
                yield self._finding(change, path)

    def _finding(self, change: Change, path: str) -> Finding:
        formats = change.rule == FORMAT
        place = Location(path=path, line=change.line, column=change.column, end_line=change.end_line)
        message = change.message or self._message(change)
        if (
            change.cell is not None
        ):  # rows of a notebook count inside the cell, so they are not lines of the file
            place = Location(path=path)
            message = f"cell {change.cell}, line {change.line}: {message}"
        return Finding(
            tool=self.tool,
            rule=change.rule,
            message=message,
            location=place,
            url=self.url if formats else "",
            fix=Fix.SAFE if formats else Fix.NONE,
            fix_message=f"Reformat with {self.name}" if formats else "",
            before=change.before,
            after=change.after,
        )

    def _message(self, change: Change) -> str:
        if not change.before:
            lines = change.after.count("\n")
            return f"{self.name} would add {lines} {'line' if lines == 1 else 'lines'} here"
        if change.before == change.after:
            return f"{self.name} would change the end of this line"
        first, last = change.line, change.end_line
        where = "this line" if first == last else f"lines {first} to {last}"
        return f"{self.name} would {'reformat' if change.after else 'remove'} {where}"
