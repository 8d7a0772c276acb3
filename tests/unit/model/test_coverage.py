"""The figures of coverage are exact."""

from fractions import Fraction
from typing import Any

import pytest
from support.builders import file_coverage

from ci_action.model.coverage import (
    FileCoverage,
    percent,
    ranges,
    shown,
)


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


def test_ranges_of_lines():
    assert ranges([5, 1, 2, 9]) == [(1, 2), (5, 5), (9, 9)]
    assert ranges([1, 4, 8], 3) == [(1, 4), (8, 8)]
    assert ranges([]) == []
