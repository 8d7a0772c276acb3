"""Running stages: every tool gets its end, whatever goes wrong; reporters change no verdict."""

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.builders import (
    FakeRun,
    completed,
    context,
    event,
    finding,
    printed,
    publication,
    report,
    resolved,
    run_result,
    tool,
    write,
)
from support.execution import GIT, RecordedProgress, executed, stage

from ci_action.commands.configure import stage_mistakes
from ci_action.commands.fix import write_fixes
from ci_action.commands.plan import describe
from ci_action.engine.execute import check
from ci_action.engine.tool import Checked, Tool, Turn, refused_options
from ci_action.model.finding import Level
from ci_action.model.result import Broken, Conclusion, Outcome, Report, Skipped
from ci_action.project.programs import Program
from ci_action.reporters import publish
from ci_action.settings.general import COMMENT, MERGE, WORDS
from ci_action.stages import load_all, select
from ci_action.system.errors import InterruptedRunError, TimedOutError, ToolError, shortage


def test_a_run_of_two_tools(tmp_path: Path):
    result, progress = executed(tmp_path, stage(tool("black"), tool("ruff", report(finding()))))
    assert (result.verdict.conclusion, result.commit) == (Conclusion.FAILED, "c0ffee")
    assert progress.names == ["black", "ruff"]
    assert [one.tool for one in result.stages[0].tools] == ["black", "ruff"]
    assert sorted(one.tool for one in progress.results) == ["black", "ruff"]
    assert all(one.fingerprint for one in result.findings)
    assert [one.version for one in result.stages[0].tools] == ["26.10.1", "0.17.6"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ToolError("killed", detail="last words"), "killed"),
        (TimedOutError("too late", stderr="last words"), "too late"),
        (InterruptedRunError("interrupted", stderr="last words"), "interrupted"),
    ],
)
def test_a_failing_tool_is_broken_and_the_others_continue(tmp_path: Path, error: Exception, reason: str):
    result, _ = executed(tmp_path, stage(tool("black", error), tool("ruff")))
    black, ruff = result.stages[0].tools
    assert black.outcome == Broken(reason, "last words")
    assert (black.log, ruff.log) == ("last words", "ruff was here")
    assert (result.verdict.conclusion, result.verdict.exit_code) == (Conclusion.BROKEN, 3)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("can't start new thread"),
        OSError(errno.EAGAIN, "Resource temporarily unavailable"),
        OSError(errno.EMFILE, "Too many open files"),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
    ids=repr,
)
def test_exhausted_resources_are_broken_and_not_a_bug(tmp_path: Path, error: Exception):
    result, _ = executed(tmp_path, stage(tool("black", error), tool("ruff")))
    assert result.verdict.exit_code == 3
    outcome = result.stages[0].tools[0].outcome
    assert outcome == Broken(shortage(error))
    assert shortage(error)


def test_a_bug_in_one_tool_is_exit_4_and_the_others_continue(tmp_path: Path, wording: Any):
    result, _ = executed(
        tmp_path, stage(tool("black", ZeroDivisionError("oops")), tool("ruff", report(finding())))
    )
    black = result.stages[0].tools[0].outcome
    assert isinstance(black, Broken)
    assert black.reason == wording
    assert "Traceback" in black.detail
    assert (result.verdict.conclusion, result.verdict.exit_code) == (Conclusion.BROKEN, 4)
    assert [one.rule for one in result.findings] == ["F401"]


def test_a_tool_that_is_missing_is_broken(tmp_path: Path):
    result, _ = executed(tmp_path, stage(tool("pylint")))
    (one,) = result.stages[0].tools
    assert isinstance(one.outcome, Broken)
    assert one.outcome.reason.startswith("pylint is missing from")


def test_ignored_findings_are_muted_before_they_are_reported_and_judged(tmp_path: Path, wording: Any):
    result, progress = executed(
        tmp_path, stage(tool("ruff", report(finding()))), settings={"ignore": "ruff:F401"}
    )
    assert result.verdict.conclusion is Conclusion.PASSED
    assert [one.muted for one in progress.results[0].findings] == [wording]


def test_warnings_of_tools_and_event_are_reported_once(tmp_path: Path):
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "requirements.txt").write_text("ruff==0.5.0\nruff==0.6.0\n")
    run = FakeRun(git=GIT, uv=ToolError("no network"))
    result, _ = executed(
        tmp_path,
        stage(tool("ruff")),
        stage(tool("ruff"), name="again"),
        run=run,
        event=event(problem="no payload"),
    )
    assert len(result.warnings) == 3
    assert result.warnings[0].startswith("conflicting pins of ruff")
    assert "could not install" in result.warnings[1]
    assert result.warnings[2] == "no payload"


def test_another_version_than_the_pinned_one_writes_no_fixes(tmp_path: Path):
    write(tmp_path / "w", {"requirements.txt": "ruff==0.5.0\n"})
    written: list[str] = []
    fixing = replace(tool("ruff"), fix=lambda _, program: written.append(program.version))
    ctx = context(tmp_path / "w", FakeRun(git=GIT, uv=ToolError("no network")))
    result = write_fixes([stage(fixing)], ctx, RecordedProgress(), resolved=resolved())
    assert (written, result.verdict.conclusion) == ([], Conclusion.BROKEN)


def test_another_version_than_the_pinned_one_never_passes(tmp_path: Path):
    write(tmp_path / "w", {"requirements.txt": "ruff==0.5.0\n"})
    run = FakeRun(git=GIT, uv=ToolError("no network"))
    result, _ = executed(tmp_path, stage(tool("ruff")), run=run)
    assert (result.verdict.conclusion, result.verdict.exit_code) == (Conclusion.WARNED, 0)
    [reason] = result.verdict.reasons
    assert "ruff==0.5.0 (from requirements.txt)" in reason


@pytest.mark.parametrize(
    ("git", "commit"),
    [
        (GIT, "c0ffee"),
        (completed("x", returncode=128), ""),
        (ToolError("no git"), ""),
        (InterruptedRunError("interrupted"), ""),
    ],
)
def test_the_commit(tmp_path: Path, git: Any, commit: str):
    assert executed(tmp_path, stage(tool()), run=FakeRun(git=git))[0].commit == commit


@pytest.mark.parametrize(
    "tools",
    [
        pytest.param([tool("ruff", needs=("black",))], id="it does not run"),
        pytest.param(
            [tool("ruff", needs=("black",)), tool("black", turn=lambda _: Turn.RUNS)], id="it runs later"
        ),
        pytest.param([tool("ruff", needs=("black",)), tool("black", needs=("ruff",))], id="a circle"),
    ],
)
def test_a_tool_whose_need_never_runs_before_it_is_a_bug(tmp_path: Path, tools: list[Tool]):
    result, progress = executed(tmp_path, stage(*tools))
    (outcome,) = [one.outcome for one in progress.results if one.tool == "ruff"]
    assert isinstance(outcome, Broken)
    assert (outcome.bug, "black" in outcome.reason, result.verdict.exit_code) == (True, True, 4)


def test_the_commit_of_the_event_needs_no_git(tmp_path: Path):
    assert executed(tmp_path, stage(tool()), run=FakeRun(), event=event(sha="abc"))[0].commit == "abc"


def test_nothing_to_check_is_empty(tmp_path: Path):
    result, _ = executed(
        tmp_path, stage(tool("black", Skipped("no files")), tool("ruff", Skipped("no files")))
    )
    assert result.verdict.conclusion is Conclusion.EMPTY


@pytest.mark.parametrize("error", [ToolError("gone"), InterruptedRunError("gone")])
def test_an_error_in_one_stage_loses_no_results_of_the_others(tmp_path: Path, error: Exception):
    def ask(_ctx: object) -> str:
        raise error

    first = stage(tool("black", report(finding())), stops=True)
    second = stage(tool("ruff", error), by_name=False, name="test", applies=ask, because=ask)
    result, _ = executed(
        tmp_path, replace(first, stage=replace(first.stage, warns_only=lambda _: True)), second
    )
    assert [one.rule for one in result.findings] == ["F401"]
    assert (result.stages[1].because, result.stages[1].tools[0].outcome) == ("gone", Broken("gone"))


def test_check_measures_the_duration(tmp_path: Path):
    (tmp_path / "w").mkdir()
    assert check(tool(), context(tmp_path / "w")).seconds >= 0


def test_a_failing_reporter_is_a_problem_and_the_others_continue(tmp_path: Path):
    (tmp_path / "ci-action-report").write_text("a file in the way")
    where = publication(tmp_path)
    publish(run_result(), where)
    files = ("summary.md", "ci-action.sarif", "report.html", "report.json")
    assert len(where.problems) == len(files)
    assert all(file in problem for file, problem in zip(files, where.problems, strict=True))
    assert printed(where).endswith("ci-action: passed, exit 0\n")


def test_fixes_are_written_by_the_last_tool_first_then_checked(tmp_path: Path):
    order: list[str] = []
    tools = [
        tool(name, fix=lambda _ctx, program: order.append(Path(program.argv[0]).name))
        for name in ("black", "ruff")
    ]
    (tmp_path / "w").mkdir()
    ctx = context(tmp_path / "w", FakeRun(git=GIT))
    result = write_fixes([stage(*tools, tool("black"))], ctx, RecordedProgress(), resolved=resolved())
    assert order == ["ruff", "black"]
    assert result.verdict.conclusion is Conclusion.PASSED


@pytest.mark.parametrize("error", [ToolError("killed"), InterruptedRunError("killed")])
@pytest.mark.parametrize(("left", "code"), [(report(), 3), (report(finding()), 3)])
def test_a_fix_that_fails_is_broken(tmp_path: Path, left: Any, code: int, error: Exception):
    def fix(_ctx: object, _program: object) -> None:
        raise error

    (tmp_path / "w").mkdir()
    ctx = context(tmp_path / "w", FakeRun(git=GIT))
    result = write_fixes([stage(tool("ruff", left, fix=fix))], ctx, RecordedProgress(), resolved=resolved())
    assert (result.verdict.conclusion, result.verdict.exit_code) == (Conclusion.BROKEN, code)
    assert result.verdict.reasons[0] == "ruff: killed"


def test_stages_are_chosen_by_name_or_all():
    assert [(one.stage.name, one.by_name) for one in select(["quality", "quality"])] == [("quality", True)]
    assert [one.by_name for one in select(["all"])] == [False] * len(load_all())
    assert select([]) == ()
    known = [name for name in WORDS if name not in {COMMENT, MERGE}]
    assert stage_mistakes(["qualiti", *known]) == ["unknown stage 'qualiti'; did you mean 'quality'?"]


def test_comment_excludes_other_stages(wording: Any):
    assert select([COMMENT]) == ()
    assert stage_mistakes([COMMENT]) == []
    assert stage_mistakes([COMMENT, "quality"])[0] == wording


def test_merge_excludes_other_stages(wording: Any):
    assert MERGE in WORDS
    assert select([MERGE]) == ()
    assert all(one.stage.name != MERGE for one in select(["all"]))
    assert stage_mistakes([MERGE, MERGE]) == []
    (beside,) = stage_mistakes([MERGE, "test"])
    assert beside == wording
    (sharded,) = stage_mistakes([MERGE], "2/4")
    assert sharded.startswith("shard = '2/4': ")


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        (["--fix"], ["--fix"]),
        (["--fix=true", "--select=E"], ["--fix"]),
        (["-o", "x"], ["-o"]),
        (["-qo"], ["-o"]),
        (["--select", "fix"], []),
        ([], []),
    ],
)
def test_refused_options(words: list[str], refused: list[str]):
    one = tool(refused=frozenset({"--fix", "-o"}))
    assert [mistake.split("'")[1] for mistake in refused_options(one, words)] == refused


def test_a_plan_runs_nothing(tmp_path: Path):
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "requirements.txt").write_text("black==24.1.0\nblack==24.2.0\n")
    ctx = context(tmp_path / "w", cache=tmp_path / "cache", settings={"python_version": "3.12", "paths": "."})
    lines = list(describe([stage(tool("black", count=lambda _: 1234))], ctx, resolved(paths="x")))
    text = "\n".join(lines)
    assert "  black    24.1.0 from requirements.txt, 1,234 files" in lines
    assert "  note: conflicting pins of black" in text
    assert "python     3.12" in lines
    assert f"cache      {tmp_path / 'cache'}" in lines
    assert "setting    paths = ['x'] from flag" in lines


def test_a_plan_reports_broken_tools(tmp_path: Path, wording: Any):
    def count(_ctx: object) -> int:
        raise ToolError("include of Black is no regular expression")

    (tmp_path / "w").mkdir()
    lines = list(describe([stage(tool("black", count=count))], context(tmp_path / "w"), resolved()))
    assert [line for line in lines if "black " in line] == wording
    assert "cache      none" in lines


def without_program(name: str, outcome: Outcome | Exception | None = None, **overrides: Any) -> Tool:
    """Return a tool that starts no bundled program."""
    return tool(name, outcome, program=lambda _: Program(argv=(), version="", source=""), **overrides)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (report(), "report", ""),
        (report(finding(level=Level.WARNING)), "report", ""),
        (report(finding()), "skipped", "not run: heads failed"),
        (ToolError("killed"), "skipped", "not run: heads failed"),
        (Skipped("no file"), "skipped", "no file"),
    ],
)
def test_a_tool_runs_only_after_those_that_passed(
    tmp_path: Path, first: Outcome | Exception, second: str, reason: str
):
    heads, upgrade = without_program("heads", first), without_program("upgrade", after=("heads",))
    drift = without_program("drift", after=("upgrade",))
    result, _ = executed(tmp_path, stage(drift, upgrade, heads))
    outcomes = {one.tool: one.outcome for one in result.stages[0].tools}
    for name in ("upgrade", "drift"):
        found = outcomes[name]
        assert type(found).__name__.lower() == second
        assert getattr(found, "reason", "") == reason


def test_a_tool_that_did_not_apply_stops_no_other(tmp_path: Path):
    down = without_program("downgrade", Skipped("no revision", rightly=True))
    result, _ = executed(tmp_path, stage(down, without_program("drift", after=("downgrade",))))
    assert isinstance(result.stages[0].tools[1].outcome, Report)


def test_a_tool_that_is_muted_has_not_failed(tmp_path: Path):
    heads = without_program("heads", report(finding(tool="heads", rule="multiple-heads")))
    upgrade = without_program("upgrade", after=("heads",))
    settings = {"ignore": ["heads:multiple-heads"]}
    result, _ = executed(tmp_path, stage(heads, upgrade), settings=settings)
    assert isinstance(result.stages[0].tools[1].outcome, Report)


def test_a_tool_can_report_its_share_of_the_time(tmp_path: Path):
    one = without_program("drift", check=lambda *_: Checked(outcome=report(), seconds=7.5))
    result, _ = executed(tmp_path, stage(one))
    assert result.stages[0].tools[0].seconds == 7.5
