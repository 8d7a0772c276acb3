"""The setting `fail-on`: which findings of the security stage block."""

from itertools import product
from typing import Any

import pytest
from support.builders import at, broken_tool, finding, tool_result

from ci_action.engine.fail_on import weighed
from ci_action.model.changes import Changes
from ci_action.model.result import Broken, Severity, Skipped
from ci_action.settings.types import FailOn

LEVELS = ("low", "medium", "high", "critical", "unknown")
# From which level on a setting blocks; a severity that nobody has rated counts as `high`.
BLOCKED = {
    FailOn.NEVER: set(),
    FailOn.LOW: {*LEVELS},
    FailOn.MEDIUM: {"medium", "high", "critical", "unknown"},
    FailOn.HIGH: {"high", "critical", "unknown"},
    FailOn.CRITICAL: {"critical"},
}
KNOWN = Changes(base="c" * 40, lines={"src/app.py": frozenset({3})})


def severity(fail_on: FailOn, changes: Changes | None = None, **overrides: Any) -> Severity:
    (one,) = weighed(tool_result(finding(**overrides)), fail_on, changes).findings
    return one.severity


@pytest.mark.parametrize(("fail_on", "level"), [*product(BLOCKED, LEVELS)], ids=str)
@pytest.mark.parametrize("given", list(Severity))
def test_a_level_blocks_from_the_setting_on(fail_on: FailOn, level: str, given: Severity):
    expected = Severity.ERROR if level in BLOCKED[fail_on] else Severity.WARNING
    assert severity(fail_on, level=level, severity=given) is expected


@pytest.mark.parametrize("fail_on", list(FailOn))
@pytest.mark.parametrize("given", list(Severity))
def test_without_a_level_the_tool_decides(fail_on: FailOn, given: Severity):
    assert severity(fail_on, severity=given) is given


@pytest.mark.parametrize(
    ("changes", "overrides", "expected"),
    [
        pytest.param(KNOWN, {"location": at(line=3)}, Severity.ERROR, id="on a line of the change"),
        pytest.param(KNOWN, {"location": at(line=4)}, Severity.WARNING, id="on another line"),
        pytest.param(KNOWN, {"location": at("b.py")}, Severity.WARNING, id="in another file"),
        pytest.param(KNOWN, {"location": None}, Severity.ERROR, id="of the project"),
        pytest.param(KNOWN, {"location": None, "new": False}, Severity.WARNING, id="the tool says older"),
        pytest.param(KNOWN, {"location": at("b.py"), "new": True}, Severity.ERROR, id="the tool says new"),
        pytest.param(None, {"location": at("b.py")}, Severity.ERROR, id="nobody looked"),
        pytest.param(None, {"new": False}, Severity.ERROR, id="the tool cannot know without a base"),
        pytest.param(Changes(problem="no git"), {"location": at("b.py")}, Severity.ERROR, id="no base"),
    ],
)
def test_new_blocks_what_the_change_brought(changes: Changes | None, overrides: Any, expected: Severity):
    assert severity(FailOn.NEW, changes, level="low", **overrides) is expected


def test_a_skipped_tool_stays_and_a_broken_one_keeps_its_reason():
    skipped = tool_result(outcome=Skipped("no files"))
    assert weighed(skipped, FailOn.LOW, None) == skipped
    broken = weighed(broken_tool(findings=(finding(level="low"),)), FailOn.NEVER, None)
    assert [one.severity for one in broken.findings] == [Severity.WARNING]
    assert isinstance(broken.outcome, Broken)
    assert broken.outcome.reason == "ruff was ended by SIGKILL"
