"""What Ruff's output means: its JSON, its list of files."""

import re
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, TypeAdapter, ValidationError

from ci_action.model.finding import Edit, Finding, Fix, Location
from ci_action.project.file_kinds import RUFF_FILES
from ci_action.project.layout import Layout
from ci_action.system.errors import ToolError

# A syntax error has had both codes: null until Ruff 0.10, the name since.
SYNTAX: Final = "invalid-syntax"
UNREADABLE: Final = "E902"
_SYNTAX_URL: Final = "https://docs.astral.sh/ruff/faq/"
# Hardcoded passwords: as a string, as an argument, as a default.
_PASSWORDS: Final = frozenset({"S105", "S106", "S107"})
_DOCUMENTATION: Final = "https://docs.astral.sh/ruff/"


class _Point(BaseModel):
    row: int
    column: int


class _Edit(BaseModel):
    content: str | None = ""
    location: _Point
    end_location: _Point


class _Fix(BaseModel):
    applicability: str = ""
    message: str | None = None
    edits: tuple[_Edit, ...] = ()


class _Diagnostic(BaseModel):
    code: Annotated[str, BeforeValidator(lambda value: SYNTAX if value is None else value)]
    message: str
    filename: str
    location: _Point
    end_location: _Point | None = None
    fix: _Fix | None = None
    url: str | None = None
    cell: int | None = None


_DIAGNOSTICS: Final = TypeAdapter(list[_Diagnostic])
# Ruff looks at these for its rules about configuration: no Python is in them.
_CONFIGURATION: Final = frozenset({"pyproject.toml", *RUFF_FILES})
_FIXES: Final = {
    "safe": Fix.SAFE,
    "unsafe": Fix.UNSAFE,
    "Automatic": Fix.SAFE,  # the words of Ruff before 0.1
    "Suggested": Fix.UNSAFE,
}


# What parts two diagnostics, in JSON as every version of Ruff lays it out: no text in it can hold a newline.
SEPARATOR: Final = b"\n  },\n"


class Diagnostics:
    """The JSON of `ruff check`, received in blocks that are divided at `SEPARATOR`."""

    def __init__(self, layout: Layout) -> None:
        """Start with none; `layout` tells what the paths are relative to."""
        self._layout = layout
        self._paths: dict[str, str] = {}
        self._findings: list[Finding] = []
        self._waiting: bytes | None = None
        self._opening = b""
        self._problem = ""

    def receive(self, block: bytes) -> None:
        """Take the next block; that it is not Ruff's JSON is raised by `findings`."""
        if self._waiting is not None:
            self._read(self._opening + self._waiting + b"}]")
            self._opening = b"["
        self._waiting = block

    def findings(self) -> list[Finding]:
        """Return the findings of all blocks; raises `ToolError` if they are not the whole of Ruff's JSON."""
        last = self._opening + (self._waiting or b"")
        self._waiting, self._opening = b"", b""
        if not last.strip():
            raise ToolError("ruff printed nothing where its JSON should be")
        self._read(last)
        if self._problem:
            raise ToolError(f"ruff printed something that is not its JSON: {self._problem}")
        return self._findings

    def _read(self, text: bytes) -> None:
        try:
            diagnostics = _DIAGNOSTICS.validate_json(text)
        except ValidationError as error:
            self._problem = self._problem or error.errors(include_url=False, include_input=False)[0]["msg"]
            return
        self._findings += [_finding(one, self._path(one.filename)) for one in diagnostics]

    def _path(self, name: str) -> str:
        if name not in self._paths:
            self._paths[name] = self._layout.relative(name)
        return self._paths[name]


def _finding(diagnostic: _Diagnostic, path: str) -> Finding:
    start, end = diagnostic.location, diagnostic.end_location
    message = diagnostic.message.removeprefix("SyntaxError: ")
    if diagnostic.cell is None:
        place = Location(
            path=path,
            line=max(1, start.row),
            column=max(1, start.column),
            end_line=max(start.row, end.row) if end else None,
            end_column=end.column if end else None,
        )
    else:  # rows of a notebook count inside the cell, which is no line of the file
        place = Location(path=path)
        message = f"cell {diagnostic.cell}, line {start.row}: {message}"
    fix = diagnostic.fix
    return Finding(
        tool="ruff",
        rule=diagnostic.code,
        message=message,
        location=place,
        sensitive=diagnostic.code in _PASSWORDS,
        url=(diagnostic.url if (diagnostic.url or "").startswith(_DOCUMENTATION) and diagnostic.url else ""),
        fix=_FIXES.get(fix.applicability, Fix.NONE) if fix else Fix.NONE,
        fix_message=(fix.message or "") if fix else "",
        edits=_edits(fix) if fix and diagnostic.cell is None else (),
    )


def _edits(fix: _Fix) -> tuple[Edit, ...]:
    return tuple(
        Edit(
            start=(one.location.row, one.location.column),
            end=(one.end_location.row, one.end_location.column),
            text=one.content or "",
        )
        for one in fix.edits
    )


def parse_files(stdout: bytes) -> list[str]:
    """Read the list of `ruff check --show-files`: the files of Python, without the configuration among them."""
    # One absolute path a line; a name may hold newlines itself.
    names = re.split(r"\n(?=/|\Z)", stdout.decode("utf-8", "surrogateescape"))
    return [name for name in names if name and name.rpartition("/")[2] not in _CONFIGURATION]
