"""The figures of coverage: exact, of statements alone, and those that coverage itself says."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from support.builders import file_coverage

from ci_action.model.coverage import (
    Coverage,
    FileCoverage,
    PatchCoverage,
    from_json,
    patch,
    percent,
    ranges,
    reaches,
    shown,
)

ENTRY: dict[str, Any] = {
    "executed_lines": [1, 2, 3],
    "missing_lines": [5],
    "executed_branches": [[2, 3]],
    "missing_branches": [[2, 5]],
    "summary": {
        "covered_lines": 3, "missing_lines": 1, "num_statements": 4,
        "num_branches": 4, "covered_branches": 3, "missing_branches": 1,
    },
}  # fmt: skip
DOCUMENT: dict[str, Any] = {"files": {"a.py": ENTRY}, "totals": ENTRY["summary"]}


def changed(**entry: Any) -> dict[str, Any]:
    return {**DOCUMENT, "files": {"a.py": {**ENTRY, **entry}}}


def with_summary(**figures: Any) -> dict[str, Any]:
    return changed(summary={**ENTRY["summary"], **figures})


def test_branches_are_as_many_as_coverage_counts():
    coverage = from_json(DOCUMENT)
    assert coverage.metrics == {
        "coverage": 75.0, "covered_lines": 3, "statements": 4, "covered_branches": 3, "branches": 4,
    }  # fmt: skip


def test_only_statements_count():
    raw = {**changed(executed_lines=[1, 2, 3, 9]), "totals": ENTRY["summary"]}
    with pytest.raises(ValueError, match="is 3, and its lines make 4"):
        from_json(raw)
    coverage = from_json(raw, statements={"a.py": frozenset({1, 2, 3, 5})})
    assert coverage.files["a.py"].executed == {1, 2, 3}
    assert coverage.metrics["coverage"] == 75.0


@pytest.mark.parametrize("figure", ENTRY["summary"])
def test_figures_that_contradict_each_other_are_refused(figure: str):
    for more in (-1, 1):
        wrong = {figure: ENTRY["summary"][figure] + more}
        with pytest.raises(ValueError, match=r"of 'a\.py' is|out of range"):
            from_json({**with_summary(**wrong), "totals": {**ENTRY["summary"], **wrong}})
        with pytest.raises(ValueError, match="of all files is"):
            from_json({**DOCUMENT, "totals": {**ENTRY["summary"], **wrong}})
    assert from_json({"files": {}, "totals": dict.fromkeys(ENTRY["summary"], 0)}).files == {}


def test_a_file_under_two_names_is_one():
    document = {
        "files": {"a.py": ENTRY, "./a.py": {**ENTRY, "executed_lines": [1, 2, 5], "missing_lines": [3]}},
        "totals": {name: 2 * number for name, number in ENTRY["summary"].items()},
    }
    [one] = from_json(document, lambda name: name.removeprefix("./")).files.values()
    assert (set(one.executed), set(one.missing)) == ({1, 2, 3, 5}, set())


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


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(89996, 1000), "89.99"),
        (Fraction(100), "100.00"),
        (Fraction(200, 3), "66.66"),
        (Fraction(0), "0.00"),
    ],
)
def test_a_percent_is_cut(value: Fraction, text: str):
    assert shown(value) == text


def test_percents_are_of_a_hundred():
    ran, missed = frozenset({(1, 2)}), frozenset({(1, 3), (1, 4)})
    arcs: dict[str, Any] = {"executed_branches": ran, "missing_branches": missed}
    one = FileCoverage(path="a.py", executed=frozenset({1, 2}), missing=frozenset({3}), **arcs)
    assert (one.statements, one.branches, one.covered_branches) == (3, 3, 1)
    assert percent([one]) == 50
    assert percent([one, file_coverage()]) == Fraction(600, 11)
    assert percent([]) == 100
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


def test_lines_are_joined_to_ranges():
    assert ranges([5, 1, 2, 9]) == [(1, 2), (5, 5), (9, 9)]
    assert ranges([1, 4, 8], 3) == [(1, 4), (8, 8)]
    assert ranges([]) == []
