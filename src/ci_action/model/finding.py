"""A finding: one problem that a tool saw, where it is, and what comes first among many. No input or output here.

Places: paths are POSIX and relative to the workspace; lines and columns start at 1 (columns count code points);
end lines are inclusive, end columns exclusive. `None` means that the tool did not say.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Final


class Level(StrEnum):
    """How much a finding weighs, in GitHub's own names, the lightest first."""

    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """The position in the order, 0 for the lightest."""
        return _LEVELS[self]


_LEVELS: Final = {level: rank for rank, level in enumerate(Level)}


class Fix(StrEnum):
    """Whether the tool can mend a finding itself."""

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

    def __str__(self) -> str:
        """Render as editors understand it: `path:line:column`."""
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """A part of a fix: what takes the place of the text between two points, each a line and a column."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """A package that a finding is about."""

    name: str
    version: str
    advisories: tuple[str, ...] = ()
    """Every name of the problem, each once: the advisories and their aliases."""
    fixed_in: tuple[str, ...] = ()
    """The versions that mend it, the lowest first."""
    parents: tuple[str, ...] = ()
    """The packages through which it is needed, from a direct dependency down; empty where it is one itself."""
    direct: bool | None = None
    """Whether the project names it itself; None where that is not known."""
    upgrade: str = ""
    """The command, or the edit, that brings a version without the problem; empty where there is none."""
    licenses: str = ""
    """Its licence as an SPDX expression, or in its own words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One problem that a tool saw."""

    tool: str
    rule: str
    message: str
    level: Level = Level.ERROR
    severity: str = ""
    """How bad a security finding is: low, medium, high, critical, unknown; empty elsewhere."""
    location: Location | None = None
    url: str = ""
    """Where the rule is explained."""
    fix: Fix = Fix.NONE
    fix_message: str = ""
    """What the tool's own fix would do, in a sentence."""
    before: str = ""
    """The lines as they are, where the tool names them."""
    after: str = ""
    """What these lines should become."""
    edits: tuple[Edit, ...] = ()
    """The tool's own fix, where it tells it in parts of lines."""
    fingerprint: str = ""
    """The same while the finding only moves: made of tool, rule, path and text (`with_fingerprints`)."""
    muted: str = ""
    """Why the finding does not count; empty when it counts."""
    package: Package | None = None
    """The package that it is about, where it is about one."""
    also: tuple[str, ...] = ()
    """Who else says the same, as `tool:rule`."""
    same_as: tuple[str, ...] = ()
    """The same problem in the words of other tools, as `tool:rule`, or `tool` for whatever it names; the preferred first.
    If one of these is on the same line, that finding stands for both."""
    sensitive: bool = False
    """Whether its lines may hold a secret, so that they are not shown."""
    loosens: int = 0
    """How much of the checks the change makes less strict by it: 0 nothing, 1 what a line says, 2 a test, 3 a setting."""
    new: bool | None = None
    """Whether the change brought it, where the tool knows; None where the lines decide."""

    @property
    def diff(self) -> list[tuple[str, str]]:
        """The lines that the fix removes and adds, each with `-` or `+`."""
        removed, added = (text.split("\n")[:-1] for text in (self.before, self.after))
        return [*(("-", line) for line in removed), *(("+", line) for line in added)]

    @property
    def counts(self) -> bool:
        """Whether the finding can turn a stage red."""
        return not self.muted


def with_fingerprints(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Give each finding its fingerprint; equal ones in one file are numbered in their order."""
    seen: Counter[str] = Counter()
    marked = []
    for finding in findings:
        path = finding.location.path if finding.location else ""
        text = f"{finding.tool}\x00{finding.rule}\x00{path}\x00{finding.message}\x00{finding.before}"
        base = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]
        seen[base] += 1
        mark = base if seen[base] == 1 else f"{base}-{seen[base]}"
        marked.append(replace(finding, fingerprint=mark))
    return tuple(marked)


# The worst first. An unrated problem may be anything: it comes right after `high`, and counts like it.
SEVERITIES: Final = ("critical", "high", "unknown", "medium", "low")

_SEVERITIES: Final = {severity: rank for rank, severity in enumerate(SEVERITIES)}

# A file that could not be read or parsed hides what else is in it.
BLINDING: Final = frozenset({"parse", "unreadable", "invalid-syntax", "E902", "E999"})

# What makes the checks less strict comes before what the checks found, if it is more than a line.
_LOOSER: Final = (0, 0, -20, -40)

# Each weighs more than all that come after it.
_SEEING: Final = 100

_SEVERE: Final = {level: 1_000 * (len(Level) - level.rank) for level in Level}

_MUTED: Final = 100_000


def at_least(severity: str, limit: str) -> bool:
    """Return whether a severity is at least the limit; `unknown` counts as `high`."""
    severity = "high" if severity == "unknown" else severity
    return _SEVERITIES[severity] <= _SEVERITIES[limit]


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Order findings by what matters first: those that count, the severe, what no tool can fix; then by place."""
    return sorted(findings, key=_rank)


def _rank(finding: Finding) -> tuple[int, str, int, str]:
    # One number for all but the place: a large run is sorted several times, and a longer tuple takes longer.
    weight = (
        (_MUTED if finding.muted else 0)
        + _SEVERE[finding.level]
        + (_SEEING if finding.rule not in BLINDING else 0)
        + 2 * _SEVERITIES.get(finding.severity, len(SEVERITIES))
        + (finding.fix is Fix.SAFE)
        + _LOOSER[finding.loosens]
    )
    place = finding.location
    return (weight, place.path, place.line or 0, finding.rule) if place else (weight, "", 0, finding.rule)
