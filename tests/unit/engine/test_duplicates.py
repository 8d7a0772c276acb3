"""One problem that two tools find is one finding, in whatever order."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import at, broken_tool, finding, program, report, stage_result, tool, tool_result
from support.execution import executed, stage

from ci_action.engine.duplicates import mute_duplicates
from ci_action.model.finding import SEVERITIES, Finding, Level, with_fingerprints
from ci_action.model.result import Skipped, StageResult
from ci_action.stages.security.bandit import same_as


def secret(**overrides: Any) -> Finding:
    values = {
        "tool": "detect-secrets",
        "rule": "secret-keyword",
        "severity": "high",
        "level": Level.WARNING,
    }
    return finding(**{**values, **overrides})


def bandit(rule: str = "B105", **overrides: Any) -> Finding:
    values = {"tool": "bandit", "rule": rule, "severity": "low", "level": Level.WARNING}
    return finding(**{**values, "same_as": same_as(rule), **overrides})


def ruff(rule: str = "S105", **overrides: Any) -> Finding:
    return finding(**{"rule": rule, **overrides})


def stages_of(*findings: Finding, fail_on_never: bool = True) -> tuple[StageResult, ...]:
    """Return the two stages as a run has them: Ruff's findings, then those of the scanners."""
    tools = {
        name: tool_result(
            *(one for one in findings if one.tool == name),
            tool=name,
            outcome=report(*(one for one in findings if one.tool == name)),
        )
        for name in ("ruff", "bandit", "detect-secrets")
    }
    quality = stage_result(tools.pop("ruff"))
    return quality, stage_result(*tools.values(), stage="security", warns_only=fail_on_never)


def muted(*findings: Finding, fail_on_never: bool = True) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return for each finding why it is muted, and the same problem in other tools."""
    stages = mute_duplicates(stages_of(*findings, fail_on_never=fail_on_never))
    return {f"{one.tool}:{one.rule}": (one.muted, one.also) for part in stages for one in part.findings}


@pytest.mark.parametrize("test", ["B105", "B106", "B107"])
def test_a_password_that_both_find_is_the_secret(test: str):
    assert muted(bandit(test), secret()) == {
        f"bandit:{test}": ("the same as detect-secrets secret-keyword, which counts", ()),
        "detect-secrets:secret-keyword": ("", (f"bandit:{test}",)),
    }


def test_a_secret_that_the_baseline_accepts_is_accepted_for_bandit_too():
    found = muted(bandit(), bandit("B608"), secret(muted="accepted in .secrets.baseline"))
    assert found["bandit:B105"][0] == (
        "the same as detect-secrets secret-keyword, which is accepted in .secrets.baseline"
    )
    assert found["bandit:B608"] == ("", ())


@pytest.mark.parametrize(
    ("test", "rule"), [("B105", "S105"), ("B602", "S602"), ("B703", "S308"), ("B308", "S308")]
)
def test_the_same_rule_of_ruff_counts(test: str, rule: str):
    assert muted(bandit(test), ruff(rule)) == {
        f"bandit:{test}": (f"the same as ruff {rule}, which counts", ()),
        f"ruff:{rule}": ("", (f"bandit:{test}",)),
    }


def test_a_secret_comes_before_a_rule_of_ruff():
    found = muted(bandit(), ruff(), secret())
    assert found["bandit:B105"][0].startswith("the same as detect-secrets")
    assert found["ruff:S105"] == ("", ())


@pytest.mark.parametrize(
    "findings",
    [
        pytest.param([bandit(), secret(muted="in the baseline")], id="a muted secret"),
        pytest.param([bandit(), ruff(muted="ignored")], id="a muted rule"),
        pytest.param([bandit("B602"), secret()], id="another problem"),
        pytest.param([bandit("B602"), ruff("S603")], id="another rule"),
        pytest.param([bandit(), ruff("E501")], id="a rule of another kind"),
        pytest.param([bandit(), secret(rule="unreadable")], id="a file that cannot be read"),
        pytest.param([bandit(), secret(location=at(line=4))], id="another line"),
        pytest.param([bandit(), secret(location=at("b.py"))], id="another file"),
        pytest.param([bandit(location=at(line=None)), secret(location=at(line=None))], id="no line"),
        pytest.param([bandit(location=None), secret(location=None)], id="no place"),
        pytest.param([ruff(), secret()], id="without bandit"),
    ],
)
def test_other_problems_are_kept(findings: list[Finding]):
    stages = stages_of(*findings)
    assert mute_duplicates(stages) is stages


def test_a_muted_finding_keeps_its_reason():
    assert muted(bandit(muted="in a test"), secret())["bandit:B105"] == ("in a test", ())


def test_a_blocking_finding_is_never_replaced_by_a_warning_stage():
    quality = stage_result(tool_result(ruff(), tool="ruff"), warns_only=True)
    security = stage_result(tool_result(bandit(), tool="bandit"), stage="security")
    assert mute_duplicates((quality, security)) == (quality, security)


@pytest.mark.parametrize(
    ("one", "other", "level", "severity"),
    [
        (bandit(severity="critical"), secret(severity="low"), Level.WARNING, "critical"),
        (bandit(severity="low", level=Level.ERROR), secret(severity="high"), Level.ERROR, "high"),
        (bandit(severity="medium"), secret(severity="unknown"), Level.WARNING, "unknown"),
        (bandit(severity="medium"), ruff(), Level.ERROR, "medium"),
        (bandit(severity="low"), ruff(level=Level.NOTICE), Level.WARNING, "low"),
    ],
)
def test_the_kept_finding_has_the_worst_level(one: Finding, other: Finding, level: Level, severity: str):
    stages = mute_duplicates(stages_of(one, other))
    (kept,) = (found for part in stages for found in part.findings if found.counts)
    assert (kept.level, kept.severity) == (level, severity)


def test_broken_and_skipped_tools_are_unchanged():
    security = stage_result(
        broken_tool("killed", tool="bandit", findings=(bandit(),)),
        tool_result(secret(), tool="detect-secrets"),
        tool_result(tool="pip-audit", outcome=Skipped("no dependencies")),
    )
    (after,) = mute_duplicates((security,))
    assert [type(tool.outcome) for tool in after.tools] == [type(tool.outcome) for tool in security.tools]
    assert [one.muted for one in after.tools[0].findings] != [""]


PLACES = st.builds(at, st.sampled_from(["a.py", "b.py"]), st.sampled_from([1, 2, None]))
MORE = {
    "location": st.none() | PLACES,
    "severity": st.sampled_from(["", *SEVERITIES]),
    "level": st.sampled_from(list(Level)),
    "muted": st.sampled_from(["", "", "ignored"]),
}
FINDINGS = st.one_of(
    st.builds(bandit, st.sampled_from(["B105", "B106", "B308", "B602", "B703"]), **MORE),
    st.builds(ruff, st.sampled_from(["S105", "S308", "S602", "F401"]), **MORE),
    st.builds(secret, rule=st.sampled_from(["secret-keyword", "aws-key", "unreadable"]), **MORE),
)


def content(stages: tuple[StageResult, ...]) -> Counter[str]:
    return Counter(repr(replace(one, fingerprint="")) for part in stages for one in part.findings)


@given(st.lists(FINDINGS, max_size=10), st.randoms(use_true_random=False))
def test_the_order_of_findings_does_not_matter(findings: list[Finding], random: Any):
    before = stages_of(*with_fingerprints(findings))
    after = mute_duplicates(before)
    shuffled = random.sample(findings, len(findings))
    assert content(mute_duplicates(stages_of(*with_fingerprints(shuffled)))) == content(after)
    assert content(mute_duplicates(after)) == content(after)
    flat = [one for part in before for one in part.findings]
    pairs = list(zip(flat, [one for part in after for one in part.findings], strict=True))
    for old, new in pairs:
        assert (old.tool, old.rule, old.location, old.message) == (
            new.tool,
            new.rule,
            new.location,
            new.message,
        )
        assert new.level.rank >= old.level.rank
        if new.muted == old.muted:
            continue
        assert old.tool == "bandit"
        heirs = [
            one
            for _, one in pairs
            if one.counts and one.location == new.location and f"bandit:{new.rule}" in one.also
        ]
        assert heirs
        assert max(one.level.rank for one in heirs) >= old.level.rank


def test_duplicates_are_muted_before_the_verdict(tmp_path: Path):
    scanners = [
        tool("bandit", report(bandit()), program=lambda _: program("bandit")),
        tool("detect-secrets", report(secret()), program=lambda _: program("detect-secrets")),
    ]
    result, _ = executed(tmp_path, stage(*scanners, name="security"))
    assert result.verdict.reasons == ("detect-secrets: 1 warning",)
    assert [one.tool for one in result.counting] == ["detect-secrets"]
