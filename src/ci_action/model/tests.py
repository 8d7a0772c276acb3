"""What became of each test: the values that pytest's results are read into."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

RED: Final = frozenset({"failed", "error", "collection"})
"""The rules of the findings that stand for a red test."""


class TestOutcome(StrEnum):
    """How a test ended."""

    __test__ = False  # no class for pytest to collect

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    """Its set-up or tear-down failed, or its module could not be collected."""
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"
    FLAKY = "flaky"
    """It failed first and passed when it was run again."""

    @property
    def is_red(self) -> bool:
        """Whether a test that ended so makes the run red."""
        return self in {TestOutcome.FAILED, TestOutcome.ERROR}


@dataclass(frozen=True, kw_only=True, slots=True)
class TestCase:
    """One test, or one part of it (a subtest has `subtest`)."""

    __test__ = False

    nodeid: str
    """As pytest says it: foreign text."""
    outcome: TestOutcome
    seconds: float = 0.0
    path: str = ""
    """The file of the test, or of the line that failed, relative to the workspace."""
    line: int | None = None
    message: str = ""
    """Why it failed or was skipped, in a line."""
    detail: str = ""
    """The traceback and what the test printed."""
    runs: int = 1
    subtest: str = ""


def counts(cases: Iterable[TestCase]) -> dict[str, int]:
    """Count the tests as pytest does, subtests apart; the names are those of the report's metrics."""
    found = Counter(case.outcome for case in cases if not case.subtest)
    names = {
        TestOutcome.PASSED: "passed",
        TestOutcome.FAILED: "failed",
        TestOutcome.ERROR: "errors",
        TestOutcome.SKIPPED: "skipped",
        TestOutcome.XFAILED: "xfailed",
        TestOutcome.XPASSED: "xpassed",
        TestOutcome.FLAKY: "flaky",
    }
    return {"tests": sum(found.values()), **{name: found[outcome] for outcome, name in names.items()}}
