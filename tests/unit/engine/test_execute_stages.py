"""Which stages of `all` run after a red one, and which tools take part."""

from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, context, finding, printed, program, publication, report, resolved, tool
from support.execution import GIT, RecordedProgress, stage

from ci_action.commands.plan import describe
from ci_action.engine.execute import execute
from ci_action.engine.stage import Selected, Stage
from ci_action.model.finding import Level
from ci_action.model.result import Conclusion, RunResult
from ci_action.reporters import console, job_summary
from ci_action.reporters.comment import About, text_of
from ci_action.reporters.html import document as page
from ci_action.reporters.report_json.write import document
from ci_action.stages import load_all
from ci_action.system.errors import InterruptedRunError, ToolError

RED = report(finding())
WARNS = report(finding(level=Level.WARNING))


def run(tmp_path: Path, *selected: Selected, **settings: str) -> tuple[list[str], RunResult]:
    """Run the stages; return the tools that were started, and the result."""
    (tmp_path / "w").mkdir()
    progress = RecordedProgress()
    ctx = context(tmp_path / "w", FakeRun(git=GIT), settings=settings)
    return progress.names, execute(selected, ctx, progress, resolved=resolved(**settings))


@pytest.mark.parametrize(
    ("quality", "test", "names", "fail_fast", "started"),
    [
        pytest.param(RED, None, "all", "true", ["black"], id="red quality spares the rest"),
        pytest.param(RED, None, "all", "false", ["black", "ruff", "pytest"], id="without fail-fast all run"),
        pytest.param(WARNS, None, "all", "true", ["black", "ruff", "pytest"], id="a warning stops nothing"),
        pytest.param(
            None, RED, "all", "true", ["black", "ruff", "pytest"], id="a red test stage stops nothing"
        ),
        pytest.param(ToolError("no"), None, "all", "true", ["black"], id="broken quality spares the rest"),
        pytest.param(RED, RED, "by name", "true", ["black", "ruff", "pytest"], id="by name every one runs"),
    ],
)
def test_a_failed_quality_stage_skips_the_others_of_all(
    tmp_path: Path, quality: Any, test: Any, names: str, fail_fast: str, started: list[str]
):
    by_name = names == "by name"
    stages = (
        stage(tool("black", quality), by_name=by_name, stops=True),
        stage(tool("ruff", test), name="test", by_name=by_name),
        stage(tool("pytest", program=lambda _: program("pytest")), name="security", by_name=by_name),
    )
    got, result = run(tmp_path, *stages, fail_fast=fail_fast)
    assert sorted(got) == sorted(started)
    reasons = [one.reason for one in result.stages]
    assert reasons == (["", "quality failed", "quality failed"] if len(started) == 1 else ["", "", ""])
    assert result.verdict.exit_code == (
        1 if RED in (quality, test) else 3 if quality not in (None, WARNS) else 0
    )


def test_only_quality_stops_the_stages_after_it():
    assert [one.name for one in load_all() if one.stops] == ["quality"]


@pytest.mark.parametrize("wanted", [True, False])
def test_a_disabled_tool_is_not_reported(tmp_path: Path, wanted: bool):
    one = stage(tool("black"), tool("ruff", RED, wanted=lambda ctx: wanted))
    got, result = run(tmp_path, one)
    assert got == (["black", "ruff"] if wanted else ["black"])
    assert [tool.tool for tool in result.stages[0].tools] == got
    assert result.verdict.conclusion is (Conclusion.FAILED if wanted else Conclusion.PASSED)


def test_a_disabled_tool_is_not_planned(tmp_path: Path):
    (tmp_path / "w").mkdir()
    one = stage(tool("black"), tool("ruff", wanted=lambda _: False))
    lines = "\n".join(describe([one], context(tmp_path / "w"), resolved()))
    assert "black" in lines
    assert "ruff" not in lines


def test_settings_enable_a_tool(tmp_path: Path):
    one = stage(tool("ruff", wanted=lambda ctx: bool(ctx.settings.licenses_allow)))
    assert run(tmp_path, one, licenses_allow="MIT")[0] == ["ruff"]


@pytest.mark.parametrize(
    ("fail_on", "severity", "conclusion", "code"),
    [
        ("never", "critical", "warned", 0),
        ("critical", "high", "warned", 0),
        ("critical", "critical", "failed", 1),
        ("high", "unknown", "failed", 1),
        ("medium", "low", "warned", 0),
    ],
)
def test_the_security_stage_only_blocks_if_set(
    tmp_path: Path, fail_on: str, severity: str, conclusion: str, code: int
):
    security = next(one for one in load_all() if one.name == "security")
    fake = Stage(
        name="security",
        summary="s",
        tools=(tool("ruff", report(finding(severity=severity))),),
        warns_only=security.warns_only,
    )
    _, result = run(tmp_path, Selected(fake, by_name=True), fail_on=fail_on)
    assert (result.verdict.conclusion.value, result.verdict.exit_code) == (conclusion, code)


@pytest.mark.parametrize(("fail_on", "code"), [("never", 0), ("low", 3)])
def test_a_broken_scanner_stays_broken_whatever_its_exit_code(tmp_path: Path, fail_on: str, code: int):
    security = next(one for one in load_all() if one.name == "security")
    fake = Stage(
        name="security", summary="s", tools=(tool("ruff", ToolError("no")),), warns_only=security.warns_only
    )
    _, result = run(tmp_path, Selected(fake, by_name=True), fail_on=fail_on)
    assert (result.verdict.conclusion.value, result.verdict.exit_code) == ("broken", code)


@pytest.mark.parametrize(
    ("by_name", "why_not", "accounts"),
    [
        pytest.param(True, "", [], id="by name"),
        pytest.param(False, "", ["quality: run, 2 files"], id="applies"),
        pytest.param(False, "no files", ["quality: not run, no files"], id="does not apply"),
    ],
)
def test_all_reports_why_each_stage_ran_or_not(
    tmp_path: Path, by_name: bool, why_not: str, accounts: list[str]
):
    one = stage(tool("black"), by_name=by_name, applies=lambda _: why_not, because=lambda _: "2 files")
    _, result = run(tmp_path, one)
    assert [one.account for one in result.stages if one.account] == accounts
    shown = publication(tmp_path / "w")
    console.report(result, shown)
    lines = [line for line in printed(shown).splitlines() if line.startswith("quality: ")]
    assert lines == accounts
    (written,) = document(result, shown).stages
    assert [reason for reason in written.reasons if "run, " in reason] == accounts
    summary = job_summary.render(result, shown)
    about = About(commit="", url="")
    comment = text_of(result, shown.sections(result), shown.event, about, 9_000)
    for account in accounts:
        assert account in page(result, shown)
        assert all(part in summary for part in account.split(", ")), summary
        assert all(part in comment for part in account.split(", ")), comment


def test_a_stage_whose_condition_fails_is_run(tmp_path: Path):
    def applies(_: Any) -> str:
        raise ToolError("bandit.yaml cannot be read")

    _, result = run(
        tmp_path,
        stage(tool("black", ToolError("bandit.yaml cannot be read")), by_name=False, applies=applies),
    )
    assert [one.verdict.conclusion.value for one in result.stages] == ["broken"]
    assert result.verdict.exit_code == 3


def test_a_failing_reason_to_run_is_not_a_bug(tmp_path: Path):
    def because(_: Any) -> str:
        raise ToolError("requirements.txt cannot be read")

    _, result = run(tmp_path, stage(tool("black"), by_name=False, because=because))
    assert result.stages[0].because == "requirements.txt cannot be read"
    assert result.verdict.conclusion is Conclusion.PASSED


@pytest.mark.parametrize("by_name", [True, False])
def test_a_stage_that_cannot_run_on_this_machine(tmp_path: Path, by_name: bool):
    """In `all` it is skipped, and a warning tells that from a project without anything to check."""
    one = stage(tool("black"), by_name=by_name, unusable=lambda _: "no engine here")
    _, result = run(tmp_path, one, stage(tool("ruff"), name="test"))
    first, _ = result.stages
    assert (first.verdict.conclusion is Conclusion.PASSED) is by_name
    assert [one for one in result.warnings if "no engine here" in one] == list(first.warnings)
    assert bool(first.warnings) is not by_name
    assert result.verdict.exit_code == 0


def test_a_condition_that_is_interrupted(tmp_path: Path):
    def unusable(_: Any) -> str:
        raise InterruptedRunError("interrupted")

    _, result = run(tmp_path, stage(tool("black"), by_name=False, unusable=unusable))
    assert not result.stages[0].reason
