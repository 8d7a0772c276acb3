"""Read the findings that Ruff prints as JSON.

The format `json-lines` prints nothing without findings: a Ruff that fails silently would look like a clean project.
"""

from sys import intern
from typing import Final

import msgspec

from ci_action.model.finding import Edit, Finding, Fix, Location
from ci_action.project.layout import Layout
from ci_action.system.errors import ToolError

# The code of a syntax error is null until Ruff 0.10, and this name since.
SYNTAX: Final = "invalid-syntax"
UNREADABLE: Final = "E902"
# Hardcoded passwords: as a string, as an argument, as a default.
_PASSWORDS: Final = frozenset({"S105", "S106", "S107"})
_DOCUMENTATION: Final = "https://docs.astral.sh/ruff/"
_FIXES: Final = {
    "safe": Fix.SAFE,
    "unsafe": Fix.UNSAFE,
    "Automatic": Fix.SAFE,  # the names before Ruff 0.1.1
    "Suggested": Fix.UNSAFE,
}


class _Point(msgspec.Struct):
    row: int
    column: int


class _Edit(msgspec.Struct):
    location: _Point
    end_location: _Point
    content: str | None = ""


class _Fix(msgspec.Struct):
    applicability: str = ""
    message: str | None = None
    edits: tuple[_Edit, ...] = ()


class _Diagnostic(msgspec.Struct):
    code: str | None
    message: str
    filename: str
    location: _Point
    end_location: _Point | None = None
    fix: _Fix | None = None
    url: str | None = None
    cell: int | None = None


_DIAGNOSTICS: Final = msgspec.json.Decoder(list[_Diagnostic])
# Between two diagnostics, in every version of Ruff: no text in JSON can contain a newline.
SEPARATOR: Final = b"\n  },\n"


class Diagnostics:
    """The findings of `ruff check --output-format=json`, received in blocks that are divided at `SEPARATOR`."""

    def __init__(self, layout: Layout) -> None:
        """Start without findings; their paths are made relative by `layout`."""
        self._layout = layout
        self._paths: dict[str, str] = {}
        self._findings: list[Finding] = []
        self._unread: bytes | None = None
        self._problem = ""

    def receive(self, block: bytes) -> None:
        """Add the next block; if it is not Ruff's JSON, `findings` raises."""
        if self._unread is None:
            self._unread = block
        else:
            self._read(self._unread + b"}]")
            self._unread = b"[" + block

    def findings(self) -> list[Finding]:
        """Return the findings of all blocks; raises `ToolError` if they are not Ruff's complete JSON."""
        self._read(self._unread or b"")
        if self._problem:
            raise ToolError(f"could not read the JSON of ruff: {self._problem}")
        return self._findings

    def _read(self, text: bytes) -> None:
        try:
            diagnostics = _DIAGNOSTICS.decode(text)
        except (msgspec.DecodeError, ValueError) as error:  # ValueError: not UTF-8
            self._problem = self._problem or str(error)
            return
        self._findings += [_finding(one, self._path(one.filename)) for one in diagnostics]

    def _path(self, name: str) -> str:
        if name not in self._paths:
            self._paths[name] = self._layout.relative(name)
        return self._paths[name]


def _finding(diagnostic: _Diagnostic, path: str) -> Finding:
    start, end = diagnostic.location, diagnostic.end_location
    # Equal texts are kept once: the copies of 100,000 findings take 30 MB.
    rule = SYNTAX if diagnostic.code is None else intern(diagnostic.code)
    message = diagnostic.message.removeprefix("SyntaxError: ")
    if diagnostic.cell is None:
        place = Location(
            path=path,
            line=max(1, start.row),
            column=max(1, start.column),
            end_line=max(start.row, end.row) if end else None,
            end_column=end.column if end else None,
        )
    else:  # rows of a notebook count inside the cell, so they are not lines of the file
        place = Location(path=path)
        message = f"cell {diagnostic.cell}, line {start.row}: {message}"
    fix = diagnostic.fix or _Fix()
    url = intern(diagnostic.url or "")
    return Finding(
        tool="ruff",
        rule=rule,
        message=intern(message),
        location=place,
        sensitive=rule in _PASSWORDS,
        url=url if url.startswith(_DOCUMENTATION) else "",
        fix=_FIXES.get(fix.applicability, Fix.NONE),
        fix_message=intern(fix.message or ""),
        edits=tuple(map(_edit, fix.edits)) if diagnostic.cell is None else (),
    )


def _edit(edit: _Edit) -> Edit:
    start, end = edit.location, edit.end_location
    return Edit(start=(start.row, start.column), end=(end.row, end.column), text=edit.content or "")
