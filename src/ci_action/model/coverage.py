"""What the tests ran through: coverage as exact numbers, and the questions that are asked of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction


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
    """Coverage's own number of branches: of a line without branch coverage by a pragma it counts those as covered that
    it does not name, and older versions name executed ones that they do not count."""

    @property
    def statements(self) -> int:
        """How many statements there are."""
        return len(self.executed) + len(self.missing)

    @property
    def branches(self) -> int:
        """How many branches there are; 0 where branches were not measured."""
        if self.branch_total is not None:
            return self.branch_total
        return len(self.executed_branches) + len(self.missing_branches)

    @property
    def covered_branches(self) -> int:
        """How many of them ran."""
        return self.branches - len(self.missing_branches)


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """The coverage of a run."""

    files: Mapping[str, FileCoverage] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()
    """Files that coverage could not parse: they are in no figure."""

    @property
    def metrics(self) -> dict[str, float]:
        """Return the figures under the names of the report."""
        return {
            "coverage": float(self.percent),
            "covered_lines": sum(len(one.executed) for one in self.files.values()),
            "statements": sum(one.statements for one in self.files.values()),
            "covered_branches": sum(one.covered_branches for one in self.files.values()),
            "branches": sum(one.branches for one in self.files.values()),
        }

    @property
    def percent(self) -> Fraction:
        """Coverage's own percent, exact: lines and branches together; 100 where there is nothing to run."""
        return percent(self.files.values())


def percent(files: Iterable[FileCoverage]) -> Fraction:
    """Return the exact percent of some files: (lines + branches that ran) of (lines + branches)."""
    hit = total = 0
    for one in files:
        hit += len(one.executed) + one.covered_branches
        total += one.statements + one.branches
    return Fraction(hit * 100, total) if total else Fraction(100)


def shown(value: Fraction) -> str:
    """Return a percent for people and outputs: cut, not rounded, to two decimals: 89.996 is 89.99."""
    text = (Decimal(value.numerator) / Decimal(value.denominator)).quantize(
        Decimal("0.01"), rounding=ROUND_DOWN
    )
    return str(text)


def joined(parts: Iterable[Coverage]) -> Coverage:
    """Join the coverage of several runs of the same sources: what ran in one of them ran."""
    files: dict[str, FileCoverage] = {}
    unreadable: set[str] = set()
    for part in parts:
        unreadable |= set(part.unreadable)
        for path, one in part.files.items():
            files[path] = _both(files[path], one) if path in files else one
    return Coverage(files=files, unreadable=tuple(sorted(unreadable)))


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
    """Join lines to ranges; those at most `gap` apart belong together."""
    found: list[tuple[int, int]] = []
    for line in sorted(lines):
        if found and line - found[-1][1] <= gap:
            found[-1] = (found[-1][0], line)
        else:
            found.append((line, line))
    return found
