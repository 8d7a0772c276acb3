"""The minimum coverage: of the project, and of the lines that a change touched."""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

from ci_action.engine.test_run import COVERAGE
from ci_action.github.event import WITH_BASE
from ci_action.model.changes import Changes
from ci_action.model.coverage import Coverage, ranges, shown
from ci_action.model.finding import Finding, Level, Location
from ci_action.project.file_kinds import PYTHON
from ci_action.system.errors import ToolError

# Uncovered lines of a change that are this close are one finding.
GAP: Final = 3
# The minimum of the project's own configuration and its decimals, as metrics: `merge` reads them from the shards.
FAIL_UNDER: Final = "fail_under"
PRECISION: Final = "fail_under_precision"
_WHOLE: Final = 100
OF_PROJECT: Final = "fail_under of the project"
IN_SHARD: Final = "minimum coverage is not judged in a single shard: `merge` judges it once, for all shards"


def reaches(value: Fraction, minimum: Decimal, precision: int | None = None) -> bool:
    """Whether a percent is at least the minimum. Exact: 89.996 does not reach 90.

    With a precision the percent is rounded as coverage does for its own `fail_under`; only 100 reaches 100.
    """
    if precision is None or minimum == _WHOLE:
        return value >= Fraction(minimum)
    return round(float(value), precision) >= float(minimum)


@dataclass(frozen=True, kw_only=True)
class PatchCoverage:
    """The coverage of the lines that a change touched."""

    covered: int = 0
    statements: int = 0
    missing: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The touched statements that did not run, by file: their first lines."""
    unmeasured: tuple[str, ...] = ()
    """Changed Python files without coverage."""

    @property
    def percent(self) -> Fraction:
        """The exact percent; 100 if the change touched no statement."""
        return Fraction(self.covered * 100, self.statements) if self.statements else Fraction(100)


def patch(
    coverage: Coverage, touched: Mapping[str, frozenset[int]], read: Callable[[str], str]
) -> PatchCoverage:
    """Return the coverage of the touched lines; a line inside a statement of several lines counts as that statement.

    `read` returns the source of a file; it may raise `OSError`.
    """
    covered = statements = 0
    missing: dict[str, tuple[int, ...]] = {}
    unmeasured = []
    for path in sorted(touched):
        one = coverage.files.get(path)
        if one is None:
            if path.endswith(PYTHON):
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
    """Return the first line of the innermost statement of every line."""
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


@dataclass(frozen=True, kw_only=True)
class Minima:
    """The minimum coverage in percent; None without one."""

    coverage: Decimal | None = None
    origin: str = "coverage-min"
    """The source of the minimum, for people."""
    precision: int | None = None
    """The decimals that coverage rounds to before it compares; None for an exact comparison."""
    combined: str = ""
    """What applies the minimum to the data of several environments; then a single run cannot miss it, and is warned of."""
    patch: Decimal | None = None

    @property
    def recorded(self) -> dict[str, float]:
        """The minimum of the project as metrics."""
        given = {FAIL_UNDER: self.coverage, PRECISION: self.precision or None}
        return {name: float(value) for name, value in given.items() if value is not None}

    @property
    def asked(self) -> bool:
        """Whether there is any minimum."""
        return self.patch is not None or self.coverage is not None


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The result of comparing coverage with the minima."""

    findings: tuple[Finding, ...] = ()
    metrics: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def judge(
    coverage: Coverage, minima: Minima, changes: Changes | None, read: Callable[[str], str], event: str = ""
) -> Judged:
    """Compare coverage with the minima; `read` returns the source of a file, `event` is the name of GitHub's event.

    Raises `ToolError` if there is a minimum and no statement, or a minimum for the change whose base commit is unknown
    though the event has one.
    """
    if minima.coverage is not None and not any(one.statements for one in coverage.files.values()):
        raise ToolError(
            f"no statements were measured, so the minimum of {minima.coverage} % ({minima.origin}) cannot be"
            " judged: set `coverage-source` to the folders or packages of the project"
        )
    findings: list[Finding] = []
    metrics = dict(coverage.metrics)
    notes: tuple[str, ...] = ()
    if minima.coverage is not None:
        metrics["coverage_min"] = float(minima.coverage)
        if not reaches(coverage.percent, minima.coverage, minima.precision):
            least = f"the minimum is {minima.coverage} % ({minima.origin})"
            message = f"coverage is {shown(coverage.percent)} %, {least}"
            level = Level.ERROR
            if minima.combined:
                level = Level.WARNING
                message += (
                    f", which {minima.combined} applies to the combined data of several environments, not to this run"
                    " alone: set `coverage-min` to require a minimum here"
                )
            findings.append(Finding(tool=COVERAGE, rule="coverage-min", message=message, level=level))
    if changes is not None and changes.known:
        patched = patch(coverage, changes.lines, read)
        findings += _of_change(patched, minima.patch)
        if patched.statements:
            metrics["patch_coverage"] = float(patched.percent)
    elif minima.patch is not None:
        why = changes.problem if changes else "no base commit to compare with"
        if event in WITH_BASE:
            raise ToolError(f"patch-coverage-min cannot be judged: {why}")
        notes = (f"patch-coverage-min was not judged: {why}",)
    return Judged(findings=tuple(findings), metrics=metrics, notes=notes)


def minimum(text: object) -> Decimal | None:
    """Parse the minimum of the project's configuration; None if it is 0, or not a number."""
    try:
        number = Decimal(str(text))
    except InvalidOperation:
        return None
    return number if number.is_finite() and number > 0 else None


def _of_change(patched: PatchCoverage, wanted: Decimal | None) -> Iterator[Finding]:
    if wanted is not None and patched.statements and not reaches(patched.percent, wanted):
        yield Finding(
            tool=COVERAGE,
            rule="patch-coverage-min",
            message=f"coverage of the changed lines is {shown(patched.percent)} % ({patched.covered} of"
            f" {patched.statements} statements), the minimum is {wanted} %",
        )
    for path, lines in patched.missing.items():
        for first, last in ranges(lines, GAP):
            where = f"line {first}" if first == last else f"lines {first} to {last}"
            yield Finding(
                tool=COVERAGE,
                rule="uncovered",
                message=f"no test runs {where}, which the change touched",
                level=Level.NOTICE,
                location=Location(path=path, line=first, end_line=last),
            )
