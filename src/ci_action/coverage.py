"""What the tests ran through: coverage as exact numbers, and the questions that are asked of it."""

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class FileCoverage:
    """The coverage of one file; the path is relative to the workspace."""

    path: str
    executed: frozenset[int]
    """The first lines of the statements that ran."""
    missing: frozenset[int]
    executed_branches: frozenset[tuple[int, int]] = frozenset()
    missing_branches: frozenset[tuple[int, int]] = frozenset()

    @property
    def statements(self) -> int:
        """How many statements there are."""
        return len(self.executed) + len(self.missing)

    @property
    def branches(self) -> int:
        """How many branches there are; 0 where branches were not measured."""
        return len(self.executed_branches) + len(self.missing_branches)


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
            "covered_branches": sum(len(one.executed_branches) for one in self.files.values()),
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
        hit += len(one.executed) + len(one.executed_branches)
        total += one.statements + one.branches
    return Fraction(hit * 100, total) if total else Fraction(100)


def reaches(value: Fraction, minimum: Decimal) -> bool:
    """Whether a percent is at least the minimum: decided on integers, so 89.996 does not reach 90."""
    return value >= Fraction(minimum)


def shown(value: Fraction) -> str:
    """Return a percent for people and outputs: cut, not rounded, to two decimals: 89.996 is 89.99."""
    text = (Decimal(value.numerator) / Decimal(value.denominator)).quantize(
        Decimal("0.01"), rounding=ROUND_DOWN
    )
    return str(text)


def from_json(document: Mapping[str, Any], path_of: Callable[[str], str] = str) -> Coverage:
    """Read what `coverage json` wrote; `path_of` makes its names relative to the workspace.

    Raises `KeyError` and `TypeError` for a document of another shape.
    """
    files = {}
    for name, entry in document["files"].items():
        path = path_of(name)
        files[path] = FileCoverage(
            path=path,
            executed=frozenset(entry["executed_lines"]),
            missing=frozenset(entry["missing_lines"]),
            executed_branches=frozenset((start, end) for start, end in entry.get("executed_branches", ())),
            missing_branches=frozenset((start, end) for start, end in entry.get("missing_branches", ())),
        )
    return Coverage(files=files)


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
    return FileCoverage(
        path=one.path,
        executed=executed,
        missing=(one.missing | other.missing) - executed,
        executed_branches=branches,
        missing_branches=(one.missing_branches | other.missing_branches) - branches,
    )


@dataclass(frozen=True, kw_only=True)
class PatchCoverage:
    """The coverage of the lines that a change touched."""

    covered: int = 0
    statements: int = 0
    missing: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The touched statements that did not run, by file: their first lines."""
    unmeasured: tuple[str, ...] = ()
    """Touched files of Python of which there is no coverage."""

    @property
    def percent(self) -> Fraction:
        """The exact percent; 100 where the change touched no statement."""
        return Fraction(self.covered * 100, self.statements) if self.statements else Fraction(100)


def patch(
    coverage: Coverage, touched: Mapping[str, frozenset[int]], read: Callable[[str], str]
) -> PatchCoverage:
    """Measure the touched lines; a line inside a statement of several lines counts as that statement.

    `read` returns the source of a file; it may raise `OSError`.
    """
    covered = statements = 0
    missing: dict[str, tuple[int, ...]] = {}
    unmeasured = []
    for path in sorted(touched):
        one = coverage.files.get(path)
        if one is None:
            if path.endswith(".py"):
                unmeasured.append(path)
            continue
        first = _first_lines(read, path)
        hit = {first.get(line, line) for line in touched[path]} & (one.executed | one.missing)
        statements += len(hit)
        covered += len(hit & one.executed)
        if lost := tuple(sorted(hit & one.missing)):
            missing[path] = lost
    return PatchCoverage(
        covered=covered, statements=statements, missing=missing, unmeasured=tuple(unmeasured)
    )


def _first_lines(read: Callable[[str], str], path: str) -> dict[int, int]:
    """Return for every line the first line of the innermost statement that it belongs to."""
    try:
        tree = ast.parse(read(path))
    except (OSError, ValueError, SyntaxError):
        return {}
    found: dict[int, int] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt):
            continue
        inner = [
            child.lineno
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.stmt | ast.excepthandler)
        ]
        last = min([*(line - 1 for line in inner), node.end_lineno or node.lineno])
        for line in range(node.lineno, max(last, node.lineno) + 1):
            found[line] = max(found.get(line, 0), node.lineno)
    return found


def ranges(lines: Iterable[int], gap: int = 1) -> list[tuple[int, int]]:
    """Join lines to ranges; those at most `gap` apart belong together."""
    found: list[tuple[int, int]] = []
    for line in sorted(lines):
        if found and line - found[-1][1] <= gap:
            found[-1] = (found[-1][0], line)
        else:
            found.append((line, line))
    return found
