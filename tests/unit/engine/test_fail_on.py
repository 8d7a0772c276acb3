"""The setting `fail-on`: which findings of the security stage block."""

from itertools import product
from typing import Any

import pytest
from support.builders import at, broken_tool, finding, tool_result

from ci_action.engine.fail_on import set_levels
from ci_action.model.changes import Changes
from ci_action.model.finding import Level
from ci_action.model.result import Broken, Skipped
from ci_action.settings.types import FailOn

SEVERITIES = ("low", "medium", "high", "critical", "unknown")
# From which level on a setting blocks; an unrated severity counts as `high`.
BLOCKED = {
    FailOn.NEVER: set(),
    FailOn.LOW: {*SEVERITIES},
    FailOn.MEDIUM: {"medium", "high", "critical", "unknown"},
    FailOn.HIGH: {"high", "critical", "unknown"},
    FailOn.CRITICAL: {"critical"},
}
KNOWN = Changes(base="c" * 40, lines={"src/app.py": frozenset({3})})


def level(fail_on: FailOn, changes: Changes | None = None, **overrides: Any) -> Level:
    (one,) = set_levels(tool_result(finding(**overrides)), fail_on, changes).findings
    return one.level


@pytest.mark.parametrize(("fail_on", "severity"), [*product(BLOCKED, SEVERITIES)], ids=str)
@pytest.mark.parametrize("given", list(Level))
def test_severities_from_the_setting_on_block(fail_on: FailOn, severity: str, given: Level):
    expected = Level.ERROR if severity in BLOCKED[fail_on] else Level.WARNING
    assert level(fail_on, severity=severity, level=given) is expected


@pytest.mark.parametrize("fail_on", list(FailOn))
@pytest.mark.parametrize("given", list(Level))
def test_without_a_severity_the_tool_decides(fail_on: FailOn, given: Level):
    assert level(fail_on, level=given) is given


@pytest.mark.parametrize(
    ("changes", "overrides", "expected"),
    [
        pytest.param(KNOWN, {"location": at(line=3)}, Level.ERROR, id="on a line of the change"),
        pytest.param(KNOWN, {"location": at(line=4)}, Level.WARNING, id="on another line"),
        pytest.param(KNOWN, {"location": at("b.py")}, Level.WARNING, id="in another file"),
        pytest.param(KNOWN, {"location": None}, Level.ERROR, id="of the project"),
        pytest.param(KNOWN, {"location": None, "new": False}, Level.WARNING, id="older by the tool"),
        pytest.param(KNOWN, {"location": at("b.py"), "new": True}, Level.ERROR, id="new by the tool"),
        pytest.param(None, {"location": at("b.py")}, Level.ERROR, id="no base commit"),
        pytest.param(None, {"new": False}, Level.ERROR, id="the tool cannot know without a base"),
        pytest.param(Changes(problem="no git"), {"location": at("b.py")}, Level.ERROR, id="no base"),
    ],
)
def test_new_findings_block(changes: Changes | None, overrides: Any, expected: Level):
    assert level(FailOn.NEW, changes, severity="low", **overrides) is expected


def test_skipped_and_broken_tools_keep_their_reasons(wording: Any):
    skipped = tool_result(outcome=Skipped("no files"))
    assert set_levels(skipped, FailOn.LOW, None) == skipped
    broken = set_levels(broken_tool(findings=(finding(severity="low"),)), FailOn.NEVER, None)
    assert [one.level for one in broken.findings] == [Level.WARNING]
    assert isinstance(broken.outcome, Broken)
    assert broken.outcome.reason == wording
