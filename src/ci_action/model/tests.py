"""Tests and their outcomes."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

RED: Final = frozenset({"failed", "error", "collection"})
"""The rules of the findings that report a red test."""


class TestOutcome(StrEnum):
    """How a test ended."""

    __test__ = False  # pytest must not collect it

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    """Its setup or teardown failed, or its module could not be collected."""
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"
    FLAKY = "flaky"
    """It failed first and passed on a rerun."""

    @property
    def is_red(self) -> bool:
        """Whether a test with this outcome makes the run red."""
        return self in {TestOutcome.FAILED, TestOutcome.ERROR}


@dataclass(frozen=True, kw_only=True, slots=True)
class TestCase:
    """One test, or one of its subtests (`subtest`)."""

    __test__ = False

    nodeid: str
    """The ID that pytest reports: foreign text."""
    outcome: TestOutcome
    seconds: float = 0.0
    path: str = ""
    """The file of the test, or of the line that failed, relative to the workspace."""
    line: int | None = None
    message: str = ""
    """Why it failed or was skipped, in one line."""
    detail: str = ""
    """The traceback and the captured output."""
    runs: int = 1
    subtest: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TestWarning:
    """A warning that pytest recorded."""

    __test__ = False

    category: str
    message: str
    path: str
    """The file that caused it, relative to the workspace; of an installed package relative to its folder."""
    line: int
    number: int = 1
    """The number of times that it was recorded."""


def counts(cases: Iterable[TestCase]) -> dict[str, int]:
    """Count the tests as pytest does, without subtests; the names are those of the report's metrics."""
    found = Counter(case.outcome for case in cases if not case.subtest)
    names = {one: "errors" if one is TestOutcome.ERROR else one.value for one in TestOutcome}
    return {"tests": found.total(), **{name: found[one] for one, name in names.items()}}
