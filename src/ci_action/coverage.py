"""What the tests ran through: coverage as exact numbers, and the questions that are asked of it."""

from collections.abc import Iterable, Mapping
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


def from_json(document: Mapping[str, Any], prefix: str = "") -> Coverage:
    """Read what `coverage json` wrote; paths get the prefix. Raises `KeyError`, `TypeError` for another shape."""
    files = {}
    for name, entry in document["files"].items():
        path = f"{prefix}{name}".replace("\\", "/")
        files[path] = FileCoverage(
            path=path,
            executed=frozenset(entry["executed_lines"]),
            missing=frozenset(entry["missing_lines"]),
            executed_branches=frozenset((start, end) for start, end in entry.get("executed_branches", ())),
            missing_branches=frozenset((start, end) for start, end in entry.get("missing_branches", ())),
        )
    return Coverage(files=files)
