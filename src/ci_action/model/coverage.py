"""Coverage in exact numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple


@dataclass(frozen=True, kw_only=True, slots=True)
class FileCoverage:
    """The coverage of one file; the path is relative to the workspace."""

    path: str
    executed: frozenset[int]
    """The first lines of the statements that ran."""
    missing: frozenset[int]
    executed_branches: frozenset[tuple[int, int]] = frozenset()
    missing_branches: frozenset[tuple[int, int]] = frozenset()
    branch_total: int | None = None
    """The number of branches as coverage counts them: it counts branches of `no branch` lines as covered without listing
    them, and older versions list executed branches that they do not count."""

    @property
    def statements(self) -> int:
        """Number of statements."""
        return len(self.executed) + len(self.missing)

    @property
    def branches(self) -> int:
        """Number of branches; 0 if branches were not measured."""
        if self.branch_total is not None:
            return self.branch_total
        return len(self.executed_branches) + len(self.missing_branches)

    @property
    def covered_branches(self) -> int:
        """Number of branches that ran."""
        return self.branches - len(self.missing_branches)


class Sums(NamedTuple):
    """The totals of some files, by the names that report.json uses."""

    covered_lines: int
    statements: int
    covered_branches: int
    branches: int

    @property
    def percent(self) -> Fraction:
        """The exact percent, as coverage computes it: lines and branches together; 100 without any."""
        total = self.statements + self.branches
        return Fraction((self.covered_lines + self.covered_branches) * 100, total) if total else Fraction(100)


def sums(files: Iterable[FileCoverage]) -> Sums:
    """Return the totals of some files."""
    rows = ((len(one.executed), one.statements, one.covered_branches, one.branches) for one in files)
    return Sums(*map(sum, zip((0, 0, 0, 0), *rows, strict=True)))


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """The coverage of a run."""

    files: Mapping[str, FileCoverage] = field(default_factory=dict)

    @property
    def metrics(self) -> dict[str, float]:
        """The totals as metrics of report.json."""
        return {"coverage": float(self.percent), **sums(self.files.values())._asdict()}

    @property
    def percent(self) -> Fraction:
        """The exact percent of all files."""
        return percent(self.files.values())


def percent(files: Iterable[FileCoverage]) -> Fraction:
    """Return the exact percent of some files."""
    return sums(files).percent


def shown(value: Fraction) -> str:
    """Return a percent as text, cut and not rounded to two decimals: 89.996 is 89.99."""
    whole, hundredths = divmod(int(value * 100), 100)
    return f"{whole}.{hundredths:02}"


def joined(parts: Iterable[Coverage]) -> Coverage:
    """Join the coverage of several runs of the same sources: a line is covered if one of them ran it."""
    files: dict[str, FileCoverage] = {}
    for part in parts:
        for path, one in part.files.items():
            files[path] = _both(files[path], one) if path in files else one
    return Coverage(files=files)


def _both(one: FileCoverage, other: FileCoverage) -> FileCoverage:
    executed = one.executed | other.executed
    branches = one.executed_branches | other.executed_branches
    missing_branches = (one.missing_branches | other.missing_branches) - branches
    totals = {part.branch_total for part in (one, other)} - {None}
    return FileCoverage(
        path=one.path,
        executed=executed,
        missing=(one.missing | other.missing) - executed,
        executed_branches=branches,
        missing_branches=missing_branches,
        branch_total=max(one.branches, other.branches, len(missing_branches)) if totals else None,
    )


def ranges(lines: Iterable[int], gap: int = 1) -> list[tuple[int, int]]:
    """Return lines as ranges; lines at most `gap` apart are in the same range."""
    found: list[tuple[int, int]] = []
    for line in sorted(lines):
        if found and line - found[-1][1] <= gap:
            found[-1] = (found[-1][0], line)
        else:
            found.append((line, line))
    return found
