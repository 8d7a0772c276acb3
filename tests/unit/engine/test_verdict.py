"""Verdicts: the complete table of outcomes over tools and stages."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from support.builders import finding, run_result, stage_result, tool_result

from ci_action.engine.verdict import crashed, interrupted, judge, judge_stage
from ci_action.model.finding import Level
from ci_action.model.result import Broken, Conclusion, Skipped, StageResult, ToolResult

# Short names of what one tool can do, with its conclusion in a stage that blocks.
TOOLS: dict[str, tuple[ToolResult, str]] = {
    "clean": (tool_result(tool="t"), "passed"),
    "muted": (tool_result(finding(muted="because"), tool="t"), "passed"),
    "found": (tool_result(finding(), tool="t"), "failed"),
    "warned": (tool_result(finding(level=Level.WARNING), tool="t"), "warned"),
    "both": (tool_result(finding(), finding(level=Level.WARNING), tool="t"), "failed"),
    "noted": (tool_result(finding(level=Level.NOTICE), tool="t"), "passed"),
    "skipped": (tool_result(tool="t", outcome=Skipped("no files")), "skipped"),
    "broken": (tool_result(tool="t", outcome=Broken("killed")), "broken"),
    "half": (tool_result(tool="t", outcome=Broken("killed late", findings=(finding(),))), "broken"),
}
ORDER = ["skipped", "passed", "warned", "empty", "failed", "broken"]
CODES = {"skipped": 0, "passed": 0, "warned": 0, "empty": 2, "failed": 1, "broken": 3}


def expected_stage(kinds: tuple[str, ...], *, warns_only: bool, by_name: bool) -> tuple[str, int]:
    """The table of design.md 9 for one stage, written another way than the code."""
    outcomes = {TOOLS[kind][1] for kind in kinds}
    if "broken" in outcomes:
        return "broken", 0 if warns_only else 3
    if "failed" in outcomes:
        return ("warned", 0) if warns_only else ("failed", 1)
    if "warned" in outcomes:
        return "warned", 0
    if "passed" in outcomes:
        return "passed", 0
    return ("empty", 2) if by_name else ("skipped", 0)


@pytest.mark.parametrize("kinds", [*product(TOOLS, repeat=1), *product(TOOLS, repeat=2)], ids="+".join)
@pytest.mark.parametrize("warns_only", [False, True], ids=["blocks", "warns"])
@pytest.mark.parametrize("by_name", [False, True], ids=["of all", "by name"])
def test_a_stage(kinds: tuple[str, ...], warns_only: bool, by_name: bool):
    stage = stage_result(*(TOOLS[kind][0] for kind in kinds), warns_only=warns_only, by_name=by_name)
    verdict = judge_stage(stage)
    assert (verdict.conclusion, verdict.exit_code) == expected_stage(
        kinds, warns_only=warns_only, by_name=by_name
    )
    # A skipped tool is only a reason if no other tool ran.
    silent = {"passed"} if verdict.conclusion in {"skipped", "empty"} else {"passed", "skipped"}
    assert len(verdict.reasons) == len({kind for kind in kinds if TOOLS[kind][1] not in silent})


def test_a_common_reason_of_several_tools_is_reported_once():
    broken = [tool_result(tool=name, outcome=Broken("no event")) for name in ("title", "size")]
    found = [tool_result(finding(), tool=name) for name in ("a", "b")]
    killed = tool_result(tool="metadata", outcome=Broken("killed"))
    verdict = judge_stage(stage_result(*broken, *found, killed))
    assert verdict.reasons == ("title, size: no event", "a: 1 finding", "b: 1 finding", "metadata: killed")


def test_three_tools_the_worst_decides():
    stage = stage_result(TOOLS["clean"][0], TOOLS["found"][0], TOOLS["skipped"][0])
    assert judge_stage(stage).conclusion is Conclusion.FAILED


def test_a_stage_without_tools_is_never_green():
    assert judge_stage(stage_result(by_name=True)).conclusion is Conclusion.EMPTY


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("found", ("t: 1 finding",)),
        ("skipped", ("t: no files",)),
        ("broken", ("t: killed",)),
        ("clean", ()),
        ("warned", ("t: 1 warning",)),
        ("both", ("t: 1 finding and 1 warning",)),
    ],
)
def test_reasons(kind: str, reason: tuple[str, ...]):
    assert judge_stage(stage_result(TOOLS[kind][0])).reasons == reason


@pytest.mark.parametrize(
    ("kind", "conclusion"),
    [
        ("clean", "warned"),
        ("warned", "warned"),
        ("found", "failed"),
        ("skipped", "empty"),
        ("broken", "broken"),
    ],
)
def test_another_version_than_the_pinned_one_at_best_warns(kind: str, conclusion: str):
    result = replace(TOOLS[kind][0], instead="other version")
    verdict = judge_stage(stage_result(result))
    assert verdict.conclusion == conclusion
    assert ("other version" in verdict.reasons[0]) == (kind in {"clean", "warned", "found"})


def test_many_findings_are_counted_without_the_muted():
    tool = tool_result(*[finding()] * 1200, finding(muted="x"), tool="t")
    assert judge_stage(stage_result(tool)).reasons == ("t: 1,200 findings",)


STAGES = {
    (kind, warns_only): stage_result(
        TOOLS[kind][0], stage=f"{kind}-{warns_only}", warns_only=warns_only, by_name=False
    )
    for kind in ("clean", "found", "skipped", "broken")
    for warns_only in (False, True)
}


def expected_run(stages: list[StageResult]) -> tuple[str, int]:
    verdicts = [
        expected_stage((stage.stage.partition("-")[0],), warns_only=stage.warns_only, by_name=stage.by_name)
        for stage in stages
    ]
    if all(conclusion == "skipped" for conclusion, _ in verdicts):
        return "empty", 2
    blocking = [verdict for verdict in verdicts if verdict[1]]
    return max(blocking or verdicts, key=lambda verdict: ORDER.index(verdict[0]))


@pytest.mark.parametrize("keys", [*product(STAGES, repeat=1), *product(STAGES, repeat=2)], ids=str)
def test_a_run(keys: tuple[tuple[str, bool], ...]):
    stages = [STAGES[key] for key in keys]
    judged, verdict = judge(stages)
    assert (verdict.conclusion, verdict.exit_code) == expected_run(stages)
    assert [stage.verdict for stage in judged] == [judge_stage(stage) for stage in stages]
    assert judge(list(reversed(stages)))[1].conclusion == verdict.conclusion


def test_a_stage_that_blocks_comes_before_one_that_only_warns():
    # `broken` has the higher rank, but does not block in a stage that warns.
    _, verdict = judge([STAGES["broken", True], STAGES["found", False]])
    assert (verdict.conclusion, verdict.exit_code) == (Conclusion.FAILED, 1)


def test_a_broken_stage_that_only_warns_stays_broken_and_exits_with_0():
    _, verdict = judge([STAGES["broken", True], STAGES["clean", False]])
    assert (verdict.conclusion, verdict.exit_code) == (Conclusion.BROKEN, 0)


def test_an_empty_stage_beside_a_passed_one_is_red():
    empty = stage_result(TOOLS["skipped"][0], by_name=True)
    _, verdict = judge([STAGES["clean", False], empty])
    assert (verdict.conclusion, verdict.exit_code) == (Conclusion.EMPTY, 2)


def test_no_stage_at_all_is_empty(wording: Any):
    _, verdict = judge([])
    assert (verdict.conclusion, verdict.exit_code, verdict.reasons) == (
        Conclusion.EMPTY,
        2,
        (wording,),
    )


def test_all_stages_skipped_is_empty_with_their_reasons():
    _, verdict = judge([STAGES["skipped", False], STAGES["skipped", True]])
    assert (verdict.conclusion, verdict.reasons) == (Conclusion.EMPTY, ("t: no files", "t: no files"))


def test_skipped_stages_give_no_reasons_beside_others():
    _, verdict = judge([STAGES["skipped", False], STAGES["found", False]])
    assert verdict.reasons == ("t: 1 finding",)


@pytest.mark.parametrize("kind", ["clean", "found", "broken"])
def test_an_interrupted_run_is_broken_with_130(kind: str, wording: Any):
    verdict = interrupted(run_result(TOOLS[kind][0]), "SIGTERM").verdict
    assert (verdict.conclusion, verdict.exit_code) == (Conclusion.BROKEN, 130)
    assert verdict.reasons[0] == wording


def test_a_bug_is_broken_with_4_and_keeps_the_reasons():
    result = crashed(run_result(TOOLS["found"][0]))
    assert (result.verdict.conclusion, result.verdict.exit_code) == (Conclusion.BROKEN, 4)
    assert result.verdict.reasons == ("t: 1 finding",)


def test_every_conclusion_has_its_code():
    assert {one.value: int(one.exit_code) for one in Conclusion} == CODES


def apart(kind: str) -> ToolResult:
    """Return a tool that judges the change to the checks, not the project."""
    return replace(TOOLS[kind][0], tool="gate", apart=True)


RIGHTLY = tool_result(tool="t", outcome=Skipped("no Python file in the change", rightly=True))


@pytest.mark.parametrize(
    ("project", "change", "warns_only", "by_name", "conclusion", "code"),
    [
        ("clean", "clean", False, True, "passed", 0),
        ("clean", "found", False, True, "failed", 1),
        ("clean", "warned", False, True, "warned", 0),
        ("clean", "broken", False, True, "broken", 3),
        ("found", "clean", False, True, "failed", 1),
        ("found", "broken", False, True, "broken", 3),
        ("broken", "found", False, True, "broken", 3),
        # A stage that only warns warns of the project alone: a change to the checks still blocks.
        ("found", "clean", True, True, "warned", 0),
        ("found", "found", True, True, "failed", 1),
        ("broken", "clean", True, True, "broken", 0),
        ("broken", "found", True, True, "failed", 1),
        # An unchanged gate is not a verdict on the project.
        ("skipped", "clean", False, True, "empty", 2),
        ("skipped", "clean", False, False, "skipped", 0),
        ("skipped", "found", False, False, "failed", 1),
        ("skipped", "broken", False, True, "broken", 3),
    ],
)
def test_a_tool_that_judges_the_change_is_judged_apart(
    project: str, change: str, warns_only: bool, by_name: bool, conclusion: str, code: int
):
    stage = stage_result(TOOLS[project][0], apart(change), warns_only=warns_only, by_name=by_name)
    verdict = judge_stage(stage)
    assert (verdict.conclusion.value, int(verdict.exit_code)) == (conclusion, code)


def test_a_gate_that_had_nothing_to_do_is_not_a_reason():
    gate = replace(apart("skipped"), outcome=Skipped("no base"))
    assert judge_stage(stage_result(TOOLS["skipped"][0], gate)).reasons == ("t: no files",)


@pytest.mark.parametrize(
    ("tools", "conclusion"),
    [
        ((RIGHTLY,), "skipped"),
        ((RIGHTLY, TOOLS["skipped"][0]), "skipped"),
        ((TOOLS["skipped"][0],), "empty"),
        ((replace(RIGHTLY, apart=True), TOOLS["skipped"][0]), "empty"),
        ((RIGHTLY, TOOLS["clean"][0]), "passed"),
    ],
)
def test_rightly_nothing_to_do_is_not_empty(tools: tuple[ToolResult, ...], conclusion: str):
    stage = stage_result(*tools, by_name=True)
    assert judge_stage(stage).conclusion.value == conclusion
    judged, verdict = judge([stage])
    assert (verdict.conclusion.value, judged[0].verdict.conclusion.value) == (conclusion, conclusion)
    assert int(verdict.exit_code) == CODES[conclusion]


def test_one_stage_that_rightly_has_nothing_to_do_keeps_the_run_from_being_empty():
    rightly, skipped = stage_result(RIGHTLY, by_name=False), STAGES["skipped", False]
    judged, verdict = judge([rightly, skipped])
    assert (len(judged), verdict.conclusion, verdict.exit_code) == (2, Conclusion.SKIPPED, 0)
    assert len(verdict.reasons) == 2


def test_a_stage_with_a_reason_is_skipped():
    verdict = judge_stage(stage_result(TOOLS["found"][0], reason="not asked for"))
    assert (verdict.conclusion, verdict.reasons) == (Conclusion.SKIPPED, ("quality: not run, not asked for",))


@pytest.mark.parametrize("level", [Level.WARNING, Level.ERROR])
def test_muted_findings_of_any_level_do_not_count(level: Level):
    one = tool_result(finding(level=level, muted="because"), finding(level=Level.NOTICE), tool="t")
    assert judge_stage(stage_result(one)).conclusion is Conclusion.PASSED
