"""Findings: the problems that tools report, and their order. Does no input or output.

Places: paths are POSIX and relative to the workspace; lines and columns start at 1 (columns count code points);
end lines are inclusive, end columns exclusive. `None` means that the tool did not report it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Final, Literal, TypeAlias, get_args


class Level(StrEnum):
    """The level of a finding, by GitHub's names, the lowest first."""

    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """The position in the order, 0 for the lowest."""
        return _LEVELS[self]


_LEVELS: Final = {level: rank for rank, level in enumerate(Level)}


class Reach(StrEnum):
    """How near a finding is to the change, the nearest first."""

    LINES = "lines"
    """On changed lines, or about the change itself."""
    FILE = "file"
    """Elsewhere in a changed file."""
    NONE = ""
    """In an unchanged file, or the change is unknown."""


class Fix(StrEnum):
    """Whether the tool can fix a finding itself."""

    NONE = ""
    SAFE = "safe"
    UNSAFE = "unsafe"


@dataclass(frozen=True, kw_only=True, slots=True)
class Location:
    """Where a finding is."""

    path: str
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None

    @property
    def lines(self) -> str:
        """The lines in words: `line 3`, or a range."""
        several = self.line and self.end_line and self.end_line > self.line
        return f"line {self.line}–{self.end_line}" if several else f"line {self.line}"

    def __str__(self) -> str:
        """Render as editors do: `path:line:column`."""
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """A part of a fix: replaces the text between two points, each a line and a column."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """The package of a finding."""

    name: str
    version: str
    advisories: tuple[str, ...] = ()
    """All names of the problem, each once: the advisories and their aliases."""
    fixed_in: tuple[str, ...] = ()
    """The fixed versions, the lowest first."""
    parents: tuple[str, ...] = ()
    """The packages that need it, from a direct dependency down; empty for a direct dependency."""
    direct: bool | None = None
    """Whether it is a direct dependency; None if that is unknown."""
    upgrade: str = ""
    """The command or edit that upgrades to a fixed version; empty if there is none."""
    licenses: str = ""
    """Its licence as an SPDX expression, or as the package declares it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One problem that a tool reports."""

    tool: str
    rule: str
    message: str
    level: Level = Level.ERROR
    severity: str = ""
    """The severity of a security finding: low, medium, high, critical, unknown; empty for others."""
    location: Location | None = None
    url: str = ""
    """The documentation of the rule."""
    fix: Fix = Fix.NONE
    fix_message: str = ""
    """What the tool's own fix does."""
    before: str = ""
    """The current lines, if the tool reports them."""
    after: str = ""
    """The lines that should replace them."""
    edits: tuple[Edit, ...] = ()
    """The tool's own fix, if it changes parts of lines."""
    fingerprint: str = ""
    """Stays the same while the finding only moves: made of tool, rule, path and text (`with_fingerprints`)."""
    muted: str = ""
    """Why the finding does not count; empty if it does."""
    package: Package | None = None
    """The package that it is about, if any."""
    also: tuple[str, ...] = ()
    """The same problem in other tools, as `tool:rule`."""
    same_as: tuple[str, ...] = ()
    """What other tools report for this problem, as `tool:rule`, or `tool` for any rule; the preferred first.
    If one of these is on the same line, only that finding is reported."""
    sensitive: bool = False
    """Whether its lines may contain a secret: then they are not shown."""
    loosens: int = 0
    """How far the change makes the checks less strict here: 0 not at all, 1 one line, 2 a test, 3 a setting."""
    new: bool | None = None
    """Whether the change introduced it, if the tool knows; None if the changed lines decide."""
    reach: Reach = Reach.NONE
    """How near it is to the change: the nearest are shown first."""
    cause: str = ""
    """What failed in a test, without its name: many tests with the same cause share a row."""
    bulk: bool = False
    """Whether it is one of many that are mostly harmless: those of its rule in its file share a row, however few."""
    redacted: bool = False
    """Whether `***` in its lines replaces a possible secret."""

    @property
    def path(self) -> str:
        """The file; empty for the project as a whole."""
        return self.location.path if self.location else ""

    @property
    def line(self) -> int:
        """The first line; 0 if there is none."""
        return (self.location.line or 0) if self.location else 0

    @property
    def last_line(self) -> int:
        """The last line; 0 if there is none."""
        return (self.location.end_line or self.location.line or 0) if self.location else 0

    @property
    def diff(self) -> list[tuple[str, str]]:
        """The lines that the fix removes and adds, each with `-` or `+`."""
        texts = (("-", self.before), ("+", self.after))
        return [(mark, line) for mark, text in texts if text for line in text.removesuffix("\n").split("\n")]

    @property
    def counts(self) -> bool:
        """Whether the finding can turn a stage red."""
        return not self.muted


def with_fingerprints(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings with fingerprints; equal findings of a file are numbered in their order."""
    seen: Counter[str] = Counter()
    marked = []
    for finding in findings:
        text = f"{finding.tool}\x00{finding.rule}\x00{finding.path}\x00{finding.message}\x00{finding.before}"
        base = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]
        seen[base] += 1
        mark = base if seen[base] == 1 else f"{base}-{seen[base]}"
        marked.append(replace(finding, fingerprint=mark))
    return tuple(marked)


# The worst first. An unrated problem can be anything: it comes right after `high`, and counts like it.
Severity: TypeAlias = Literal["critical", "high", "unknown", "medium", "low"]
SEVERITIES: Final[tuple[str, ...]] = get_args(Severity)

_SEVERITIES: Final = {severity: rank for rank, severity in enumerate(SEVERITIES)}

# A file that could not be read or parsed hides other findings in it.
BLINDING: Final = frozenset({"parse", "unreadable", "invalid-syntax", "DL1000", "E902", "E999"})


def at_least(severity: str, limit: str) -> bool:
    """Return whether a severity is at least the limit; `unknown` counts as `high`."""
    severity = "high" if severity == "unknown" else severity
    return _SEVERITIES[severity] <= _SEVERITIES[limit]
