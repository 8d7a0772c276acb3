"""What the tests ran through: coverage as exact numbers, and the questions that are asked of it."""

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from typing import Final

from ci_action.system.json_fields import MOST, Facts, as_object, as_whole

_LINE_FIGURES: Final = ("covered_lines", "missing_lines", "num_statements")
_FIGURES: Final = (*_LINE_FIGURES, "num_branches", "covered_branches", "missing_branches")


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


def reaches(value: Fraction, minimum: Decimal) -> bool:
    """Whether a percent is at least the minimum: decided on integers, so 89.996 does not reach 90."""
    return value >= Fraction(minimum)


def shown(value: Fraction) -> str:
    """Return a percent for people and outputs: cut, not rounded, to two decimals: 89.996 is 89.99."""
    text = (Decimal(value.numerator) / Decimal(value.denominator)).quantize(
        Decimal("0.01"), rounding=ROUND_DOWN
    )
    return str(text)


def from_json(
    document: object,
    path_of: Callable[[str], str] = str,
    statements: Mapping[str, frozenset[int]] | None = None,
) -> Coverage:
    """Read what `coverage json` wrote; `path_of` makes its names relative to the workspace.

    `statements` holds the lines of the statements of files whose executed lines name others as well, which coverage
    does up to 7.13.0. Raises `ValueError` for a document of another shape, or whose figures contradict each other.
    """
    whole = Facts(as_object(document, "the report"))
    files: dict[str, FileCoverage] = {}
    sums: Counter[str] = Counter()
    for name, entry in as_object(whole.value("files"), "files").items():
        one = _file(name, Facts(as_object(entry, name)), path_of(name), (statements or {}).get(name))
        files[one.path] = _both(files[one.path], one) if one.path in files else one
        sums.update(_figures(one))
    totals = Facts(as_object(whole.value("totals"), "totals"))
    for figure in _LINE_FIGURES if "num_branches" not in totals else _FIGURES:
        if totals.whole(figure) != sums[figure]:
            raise ValueError(
                f"{figure!r} of all files is {totals.whole(figure)}, their sum is {sums[figure]}"
            )
    return Coverage(files=files)


def _file(name: str, entry: Facts, path: str, statements: frozenset[int] | None) -> FileCoverage:
    executed = _numbers(entry, "executed_lines")
    summary = Facts(as_object(entry.value("summary"), "summary"))
    with_branches = "num_branches" in summary
    one = FileCoverage(
        path=path,
        executed=executed if statements is None else executed & statements,
        missing=_numbers(entry, "missing_lines"),
        executed_branches=_arcs(entry, "executed_branches"),
        missing_branches=_arcs(entry, "missing_branches"),
        branch_total=summary.whole("num_branches") if with_branches else None,
    )
    figures = _figures(one)
    for figure in _FIGURES if with_branches else _LINE_FIGURES:
        if summary.whole(figure) != figures[figure]:
            raise ValueError(
                f"{figure!r} of {name!r} is {summary.whole(figure)}, and its lines make {figures[figure]}"
            )
    return one


def _figures(one: FileCoverage) -> dict[str, int]:
    return {
        "covered_lines": len(one.executed),
        "missing_lines": len(one.missing),
        "num_statements": one.statements,
        "num_branches": one.branches,
        "covered_branches": one.covered_branches,
        "missing_branches": len(one.missing_branches),
    }


def _numbers(entry: Facts, name: str) -> frozenset[int]:
    return frozenset(as_whole(line, name) for line in entry.items(name))


def _arcs(entry: Facts, name: str) -> frozenset[tuple[int, int]]:
    return frozenset(
        (as_whole(start, name, -MOST), as_whole(end, name, -MOST)) for start, end in entry.items(name, 2, [])
    )


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
