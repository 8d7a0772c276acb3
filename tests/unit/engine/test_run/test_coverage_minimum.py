"""What is asked of coverage: of the project and of the lines that a change touched."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from ci_action.engine.test_run.coverage_minimum import (
    Minima,
    PatchCoverage,
    judge,
    minimum,
    patch,
    reaches,
)
from ci_action.github.event import WITH_BASE
from ci_action.model.changes import Changes
from ci_action.model.coverage import Coverage, FileCoverage
from ci_action.system.errors import ToolError

COVERED = Coverage(
    files={"a.py": FileCoverage(path="a.py", executed=frozenset({1, 2, 3}), missing=frozenset({4}))}
)
CHANGES = Changes(base="ba5e", lines={"a.py": frozenset({3, 4})})


def judged(**minima: Any):
    return judge(COVERED, Minima(**minima), CHANGES, lambda _: "")


@pytest.mark.parametrize(
    ("minima", "rules"),
    [
        ({"coverage": "75"}, ["uncovered"]),
        ({"coverage": "75.01"}, ["coverage-min", "uncovered"]),
        ({"patch": "50"}, ["uncovered"]),
        ({"patch": "50.01"}, ["patch-coverage-min", "uncovered"]),
        ({"coverage": "100", "patch": "100"}, ["coverage-min", "patch-coverage-min", "uncovered"]),
        ({}, ["uncovered"]),
    ],
)
def test_the_minima(minima: dict[str, str], rules: list[str]):
    found = judged(**{name: Decimal(value) for name, value in minima.items()})
    assert [one.rule for one in found.findings] == rules
    assert found.metrics["patch_coverage"] == 50
    assert found.metrics["coverage"] == 75
    assert found.metrics.get("coverage_min") == (float(minima["coverage"]) if "coverage" in minima else None)


def test_a_change_of_which_nothing_ran_reaches_no_minimum():
    changes = Changes(base="ba5e", lines={"a.py": frozenset({4})})
    found = judge(COVERED, Minima(patch=Decimal(1)), changes, lambda _: "")
    assert [one.rule for one in found.findings] == ["patch-coverage-min", "uncovered"]
    assert found.metrics["patch_coverage"] == 0


def test_what_is_said_of_the_minima():
    project, change, line = judged(coverage=Decimal(80), patch=Decimal(60)).findings
    assert "75.00 %" in project.message
    assert "50.00 % (1 of 2 statements)" in change.message
    assert (line.location and line.location.line, line.level.value) == (4, "notice")


def test_no_statement_reaches_no_minimum():
    nothing = Coverage(files={"a.py": FileCoverage(path="a.py", executed=frozenset(), missing=frozenset())})
    for coverage in (nothing, Coverage()):
        with pytest.raises(ToolError, match="coverage-source"):
            judge(coverage, Minima(coverage=Decimal(1)), None, lambda _: "")
        assert judge(coverage, Minima(), None, lambda _: "").findings == ()
    untouched = Changes(base="ba5e", lines={"b.py": frozenset({1})})
    found = judge(COVERED, Minima(patch=Decimal(100)), untouched, lambda _: "")
    assert (found.findings, "patch_coverage" in found.metrics) == ((), False)


def test_a_change_without_statements_reaches_every_minimum():
    docstring = Changes(base="ba5e", lines={"a.py": frozenset({9})})
    for least in ("0", "1", "100"):
        found = judge(COVERED, Minima(patch=Decimal(least)), docstring, lambda _: "")
        assert (found.findings, "patch_coverage" in found.metrics) == ((), False)


def test_minima_of_the_project():
    assert minimum("90") == 90
    assert minimum("0.5") == Decimal("0.5")
    assert [minimum(text) for text in ("0", "-1", "NaN", "Infinity", "x", None)] == [None] * 6


UNKNOWN = Changes(problem="the clone is shallow")


@pytest.mark.parametrize(
    ("changes", "patch", "event", "notes"),
    [
        (None, None, "pull_request", 0),
        (UNKNOWN, None, "pull_request", 0),
        (None, "50", "push", 1),
        (UNKNOWN, "50", "push", 1),
        (UNKNOWN, "50", "", 1),
        *[(UNKNOWN, "50", event, None) for event in sorted(WITH_BASE)],
        (None, "50", "pull_request", None),
        (CHANGES, "50", "pull_request", 0),
    ],
)
def test_without_a_base_the_lines_of_the_change_are_not_judged(
    changes: Changes | None, patch: str | None, event: str, notes: int | None
):
    minima = Minima(patch=Decimal(patch) if patch else None)
    if notes is None:
        with pytest.raises(ToolError, match="patch-coverage-min") as caught:
            judge(COVERED, minima, changes, lambda _: "", event)
        assert changes is None or changes.problem in caught.value.reason
        return
    found = judge(COVERED, minima, changes, lambda _: "", event)
    assert len(found.notes) == notes
    assert ("patch_coverage" in found.metrics) is (changes is CHANGES)
    assert not notes or changes is None or changes.problem in found.notes[0]


@pytest.mark.parametrize(
    ("missing", "places"),
    [
        ({4}, [(4, 4)]),
        ({4, 7}, [(4, 7)]),
        ({4, 8}, [(4, 4), (8, 8)]),
    ],
)
def test_lines_that_no_test_runs_are_one_finding_where_they_are_close(missing: set[int], places: list[Any]):
    lines = frozenset(missing)
    coverage = Coverage(files={"a.py": FileCoverage(path="a.py", executed=frozenset({1}), missing=lines)})
    found = judge(coverage, Minima(), Changes(base="ba5e", lines={"a.py": lines}), lambda _: "").findings
    assert [(one.location.line, one.location.end_line) for one in found if one.location] == places
    assert {one.rule for one in found} == {"uncovered"}
    for one, (first, last) in zip(found, places, strict=True):
        assert ("lines" in one.message) is (first != last)
        assert str(first) in one.message
        assert str(last) in one.message


def test_what_is_asked():
    asked = [Minima(), Minima(coverage=Decimal(0)), Minima(patch=Decimal(0))]
    assert [one.asked for one in asked] == [False, True, True]


@pytest.mark.parametrize(
    ("value", "least", "reached"),
    [
        (Fraction(90), "90", True),
        (Fraction(89996, 1000), "90", False),
        (Fraction(89996, 1000), "89.996", True),
        (Fraction(200, 3), "66.67", False),
        (Fraction(200, 3), "66.66", True),
        (Fraction(0), "0", True),
        (Fraction(1, 100), "0.02", False),
    ],
)
def test_a_minimum_is_held_exactly(value: Fraction, least: str, reached: bool):
    assert reaches(value, Decimal(least)) is reached


def test_percents_of_a_patch():
    assert PatchCoverage(covered=1, statements=4).percent == 25
    assert PatchCoverage(covered=2, statements=3).percent == Fraction(200, 3)
    assert PatchCoverage().percent == 100


SOURCE = (
    'def f(a):\n    """Docstring."""\n    if a:\n        return [\n            a,\n        ]\n    return 0\n'
)


def test_the_changed_lines_are_statements():
    coverage = Coverage(
        files={"a.py": FileCoverage(path="a.py", executed=frozenset({1, 3, 4}), missing=frozenset({7}))}
    )
    touched = {"a.py": frozenset({2, 4, 5, 6, 7}), "b.py": frozenset({1}), "c.txt": frozenset({1})}
    found = patch(coverage, touched, lambda _: SOURCE)
    # Line 2 is a docstring, and 5 and 6 belong to the statement of line 4.
    assert (found.covered, found.statements, found.missing, found.unmeasured) == (
        1,
        2,
        {"a.py": (7,)},
        ("b.py",),
    )
    assert patch(coverage, {"a.py": frozenset({2})}, lambda _: SOURCE).statements == 0
    # A file that cannot be parsed is measured line by line.
    assert patch(coverage, touched, lambda _: "def").statements == 2
