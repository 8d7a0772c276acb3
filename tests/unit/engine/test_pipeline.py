"""The way of a finding through a run: ignore, fail-on, duplicates, secrets, verdict; the order is part of the contract."""

from typing import Any

import pytest
from support.builders import at, finding, report, stage_result, tool_result

from ci_action.engine.pipeline import Policy, of_run, of_tool
from ci_action.model.changes import OLDER, Changes
from ci_action.model.finding import Finding, Level, Reach
from ci_action.model.result import Conclusion, Hint, StageResult
from ci_action.settings.types import FailOn
from ci_action.system.redaction import Redactor

KNOWN = Changes(base="c" * 40, lines={"src/app.py": frozenset({3})})
IGNORED = "ignored by the setting 'bandit'"


def after(policy: Policy, *, by_lines: bool = False, apart: bool = False, **overrides: Any) -> Finding:
    one = finding(**{"tool": "bandit", "severity": "low", "level": Level.NOTICE, **overrides})
    (found,) = of_tool(tool_result(one, apart=apart), policy, by_lines=by_lines).findings
    return found


@pytest.mark.parametrize(
    ("policy", "given", "muted", "level"),
    [
        pytest.param(Policy(), {}, "", Level.WARNING, id="nothing set"),
        pytest.param(Policy(fail_on=FailOn.LOW), {}, "", Level.ERROR, id="blocks"),
        pytest.param(Policy(ignore=("bandit",)), {}, IGNORED, Level.WARNING, id="ignored"),
        pytest.param(
            Policy(ignore=("bandit",), fail_on=FailOn.LOW), {}, IGNORED, Level.ERROR, id="ignored and severe"
        ),
        pytest.param(
            Policy(ignore=("bandit",)), {"apart": True}, "", Level.WARNING, id="one that ignores by itself"
        ),
        pytest.param(
            Policy(ignore=("bandit",)),
            {"muted": "baseline"},
            "baseline",
            Level.WARNING,
            id="the first reason",
        ),
        pytest.param(
            Policy(narrowed=KNOWN, changes=KNOWN),
            {"location": at(line=9), "by_lines": True},
            OLDER,
            Level.WARNING,
            id="older",
        ),
        pytest.param(
            Policy(narrowed=KNOWN, changes=KNOWN),
            {"location": at(line=9)},
            "",
            Level.WARNING,
            id="older, of no line",
        ),
        pytest.param(
            Policy(fail_on=FailOn.NEW, changes=KNOWN), {"location": at(line=3)}, "", Level.ERROR, id="new"
        ),
        pytest.param(Policy(fail_on=FailOn.LOW), {"severity": ""}, "", Level.NOTICE, id="without severity"),
    ],
)
def test_findings_are_ignored_before_levels_are_set(policy: Policy, given: Any, muted: str, level: Level):
    found = after(policy, **given)
    assert (found.muted, found.level) == (muted, level)
    assert found.fingerprint


def of(*findings: Finding, **overrides: Any) -> StageResult:
    tools = {one.tool: [other for other in findings if other.tool == one.tool] for one in findings}
    results = (tool_result(tool=name, outcome=report(*found)) for name, found in tools.items())
    return stage_result(*results, **{"stage": "security", **overrides})


SECRET = "hunter2-Xy9"
PASSWORD = finding(
    tool="bandit",
    rule="B105",
    severity="low",
    message=f"it is '{SECRET}'",
    location=at(line=4),
    same_as=("detect-secrets",),
)
SAME = finding(
    tool="detect-secrets", rule="secret-keyword", severity="high", message="a secret", location=at(line=4)
)


@pytest.mark.parametrize(
    ("stages", "policy", "conclusion", "counting", "new"),
    [
        pytest.param([of(PASSWORD)], Policy(), Conclusion.FAILED, 1, None, id="one"),
        pytest.param([of(PASSWORD, SAME)], Policy(), Conclusion.FAILED, 1, None, id="a duplicate"),
        pytest.param(
            [of(PASSWORD, SAME)], Policy(changes=KNOWN), Conclusion.FAILED, 1, 0, id="not on changed lines"
        ),
        pytest.param(
            [of(finding(location=at(line=3)), finding(location=at(line=4)))],
            Policy(changes=KNOWN),
            Conclusion.FAILED,
            2,
            1,
            id="one of two is new",
        ),
        pytest.param(
            [of(finding(location=at(line=3), muted="why"))],
            Policy(changes=KNOWN),
            Conclusion.PASSED,
            0,
            0,
            id="what is muted is not new",
        ),
        pytest.param(
            [of(PASSWORD, warns_only=True)],
            Policy(changes=Changes(problem="no git")),
            Conclusion.WARNED,
            1,
            None,
            id="base unknown",
        ),
        pytest.param(
            [of(PASSWORD), of(stage="quality")], Policy(), Conclusion.FAILED, 1, None, id="two stages"
        ),
    ],
)
def test_duplicates_are_muted_and_secrets_redacted_before_the_verdict(
    stages: list[StageResult], policy: Policy, conclusion: Conclusion, counting: int, new: int | None
):
    redact = Redactor()
    redact.add([SECRET])
    judged, verdict, touched = of_run(stages, policy, redact)
    assert (verdict.conclusion, touched) == (conclusion, new)
    assert sum(one.counts for stage in judged for one in stage.findings) == counting
    assert SECRET not in repr((judged, verdict))
    assert [stage.verdict for stage in judged] != [stage.verdict for stage in stages]


def test_a_run_has_few_hints():
    hints = tuple(Hint(name=f"h{number}", cause="c", fix="f", url="") for number in range(9))
    judged, _, _ = of_run([stage_result(tool_result(hints=hints))], Policy(), Redactor())
    assert [hint.name for hint in judged[0].tools[0].hints] == [f"h{number}" for number in range(5)]


@pytest.mark.parametrize(
    "changes", [None, Changes(problem="no git"), KNOWN], ids=["none", "unknown", "known"]
)
def test_findings_keep_how_near_they_are_to_the_change(changes: Changes | None):
    near, far, joined = (
        finding(),
        finding(location=at("far.py")),
        finding(location=at("far.py"), reach=Reach.FILE),
    )
    found = of_tool(tool_result(near, far, joined), Policy(changes=changes), by_lines=True).findings
    assert [one.reach for one in found] == [
        Reach.LINES if changes is KNOWN else Reach.NONE,
        Reach.NONE,
        Reach.FILE,
    ]
