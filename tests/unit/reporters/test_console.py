"""The console: plain lines, colours, progress while tools run, and report files on disk."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text
from support.builders import (
    at,
    broken_tool,
    finding,
    printed,
    publication,
    run_result,
    stage_result,
    tool,
    tool_result,
    without,
    workflow,
    write,
)
from support.runner_model import commands, could_be_command

from ci_action.model.finding import Fix
from ci_action.model.result import RunResult, StageResult
from ci_action.reporters import REPORTERS, publish
from ci_action.reporters.console import MOST_FINDINGS, report, screen_of, wants_color
from ci_action.reporters.context import Publication, Screen
from ci_action.reporters.job_summary import render
from ci_action.reporters.progress import MOST_LINES, GroupProgress, LineProgress, LiveProgress
from ci_action.system.redaction import Redactor

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def shown(result, where: Publication) -> str:
    report(result, where)
    return printed(where)


def test_a_run_in_plain_lines(tmp_path: Path):
    write(tmp_path, {"src/app.py": "a\nb\nimport os\n"})
    one = finding(location=at(line=3, column=8, end_line=3, end_column=10), fix=Fix.SAFE)
    where = publication(tmp_path, written={"report.json"}, problems=["x could not be written"])
    text = shown(run_result(one, warnings=("two pins disagree",)), where)
    rows = [row for row in text.split("\n") if row]
    assert rows[:3] == [
        "src/app.py:3:8: ruff F401: `os` imported but unused [fixable]",
        "      3 | import os",
        "        |        ^^",
    ]
    assert rows[-6:] == [
        "note: two pins disagree",
        "note: x could not be written",
        "reports: ci-action-report/report.json",
        "reproduce: ci-action run quality",
        "fix: ci-action fix (1 finding)",
        "ci-action: failed (ruff: 1 finding), exit 1",
    ]
    assert "\x1b" not in text


def test_a_passed_run_has_no_advice(tmp_path: Path):
    text = shown(run_result(), publication(tmp_path))
    assert "reproduce" not in text
    assert text.endswith("\nci-action: passed, exit 0\n")


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (run_result(), "ci-action: passed, exit 0"),
        (run_result(finding()), "ci-action: failed (ruff: 1 finding), exit 1"),
        (run_result(broken_tool("a\nb")), "ci-action: broken (ruff: a b), exit 3"),
    ],
)
def test_the_last_line_is_the_verdict(tmp_path: Path, result: RunResult, line: str):
    assert shown(result, publication(tmp_path)).split("\n")[-2] == line


def test_the_number_of_findings_is_limited(tmp_path: Path):
    findings = [finding(location=at(f"m{number}.py")) for number in range(MOST_FINDINGS + 9)]
    text = shown(run_result(*findings), publication(tmp_path))
    assert text.count("ruff F401") == MOST_FINDINGS
    assert f"{MOST_FINDINGS} of {MOST_FINDINGS + 9} findings are shown; all are in the report" in text


def test_under_actions_the_groups_have_shown_the_findings(tmp_path: Path):
    text = shown(run_result(finding()), publication(tmp_path, workflow=workflow(tmp_path)))
    assert "ruff F401" not in text
    assert text.endswith("exit 1\n")


HOSTILE = "::error::x\r##[add-mask]y\x1b[31m [red]z[/red]"


@pytest.mark.parametrize("color", [False, True], ids=["plain", "colours"])
def test_hostile_text_is_only_text(tmp_path: Path, color: bool):
    write(tmp_path, {"a.py": f"{HOSTILE}\n"})
    findings = [
        finding(message=HOSTILE, rule=HOSTILE, location=at("a.py", 1)),
        finding(before=f"{HOSTILE}\n", location=at("::b", 1)),
    ]
    screen = Screen(stream=io.StringIO(), color=color)
    result = run_result(
        tool_result(*findings, version=HOSTILE),
        broken_tool(HOSTILE, tool="t"),
        warnings=(HOSTILE,),
        reproduce=HOSTILE,
    )
    text = ANSI.sub("", shown(result, publication(tmp_path, screen=screen, problems=[HOSTILE])))
    assert commands(text) == []
    assert not any(could_be_command(row) for row in text.split("\n"))
    assert "[red]z[/red]" in text
    assert "\x1b" not in text


def test_secrets_are_redacted(tmp_path: Path):
    write(tmp_path, {"a.py": "token = 's3cr3t'\n"})
    result = run_result(
        finding(message="s3cr3t", location=at("a.py", 1)), reproduce="--x=s3cr3t", warnings=("s3cr3t",)
    )
    for color in (False, True):
        where = publication(
            tmp_path,
            screen=Screen(io.StringIO(), color=color),
            redact=lambda text: text.replace("s3cr3t", "***"),
        )
        assert "s3cr3t" not in shown(without(result, "s3cr3t"), where)


def test_colours_do_not_change_the_words(tmp_path: Path):
    write(tmp_path, {"src/app.py": "a\nb\nimport os\n"})
    result = run_result(
        finding(location=at(line=3, column=8)),
        finding(tool="ruff", before="a\n", after="b\n"),
        warnings=("w",),
    )
    plain = shown(result, publication(tmp_path))
    coloured = shown(result, publication(tmp_path, screen=Screen(stream=io.StringIO(), color=True)))
    assert "\x1b[" in coloured
    assert set(Text.from_ansi(coloured).plain.split()) == set(plain.split())


@pytest.mark.parametrize(
    ("choice", "terminal", "no_color", "expected"),
    [
        ("auto", True, "", True),
        ("auto", False, "", False),
        ("auto", True, "1", False),
        ("always", False, "1", True),
        ("never", True, "", False),
    ],
)
def test_when_colours_are_used(choice: str, terminal: bool, no_color: str, expected: bool):
    assert wants_color(choice, terminal=terminal, no_color=no_color) is expected


def test_the_log_of_a_job_is_not_a_terminal():
    screen = screen_of("auto", {"GITHUB_ACTIONS": "true"}, verbose=True)
    assert (screen.terminal, screen.color, screen.verbose) == (False, False, True)


def test_progress_without_a_terminal_is_a_line_when_a_tool_ends():
    stream = io.StringIO()
    progress = LineProgress(stream)
    progress.started(tool())
    progress.ended(broken_tool("::error::x"))
    assert stream.getvalue() == "ruff 0.17.6: broken: ::error::x, 0.25 s\n"


def test_progress_under_actions_is_a_group_when_a_tool_ends(tmp_path: Path, capsys):
    progress = GroupProgress(workflow(tmp_path))
    progress.started(tool())
    findings = [finding(location=at(f"m{number}.py")) for number in range(MOST_LINES + 2)]
    progress.ended(tool_result(*findings, log="::error::forged\nlast words\n"))
    out = capsys.readouterr().out
    assert [one.name for one in commands(out)] == ["group", "stop-commands", "endgroup"]
    assert out.count("ruff F401") == MOST_LINES
    assert "… 1,000 of 1,002 findings are shown; all are in report.json" in out
    assert "last words" in out


def test_a_part_of_ci_action_has_no_version(tmp_path: Path, capsys):
    progress = GroupProgress(workflow(tmp_path))
    progress.ended(tool_result(version="", version_source=""))
    assert "version" not in capsys.readouterr().out
    progress.ended(tool_result(version="1.0", version_source=""))
    assert "version 1.0 from an unknown source" in capsys.readouterr().out


def test_the_live_view_ends_with_the_last_tool():
    stream = io.StringIO()
    progress = LiveProgress(Screen(stream=stream, terminal=True))
    progress.started(tool("black"))
    progress.started(tool("ruff"))
    progress.ended(tool_result(tool="black"))
    progress.ended(tool_result(tool="ruff"))
    text = Text.from_ansi(stream.getvalue()).plain
    assert "ruff 0.17.6: 0 findings in 3 files, 0.25 s" in text


SOURCE = b"one\r\ntwo\nthr\xe9e\nfour\nfive\nsix\nseven"


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (at("a.py", 1), ["one"]),
        (at("a.py", 3), ["thr\xe9e"]),
        (at("a.py", 2, end_line=3), ["two", "thr\xe9e"]),
        (at("a.py", 2, end_line=99), ["two", "thr\xe9e", "four", "five", "six"]),
        (at("a.py", 99), []),
        (at("a.py", None), []),
        (None, []),
        (at("absent.py", 1), []),
        (at("a\0.py", 1), []),
        (at(".", 1), []),
    ],
)
def test_source_lines(tmp_path: Path, place, expected: list[str]):
    write(tmp_path, {"a.py": SOURCE})
    assert publication(tmp_path).source_lines(finding(location=place)) == expected


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1", "utf-8"])
def test_a_secret_is_hidden_in_every_encoding(tmp_path: Path, encoding: str):
    write(tmp_path, {"a.txt": "key = hunté2-Xy9".encode(encoding)})
    redact = Redactor()
    redact.add(["hunté2-Xy9"])
    shown = publication(tmp_path, redact=redact).source_lines(finding(location=at("a.txt", 1)))
    assert shown == ([] if "16" in encoding else ["key = ***"])


@pytest.mark.parametrize(("sensitive", "shown"), [(True, []), (False, ["one"])])
def test_the_line_of_a_sensitive_finding_is_not_shown(tmp_path: Path, sensitive: bool, shown: list[str]):
    write(tmp_path, {"a.py": SOURCE})
    one = finding(sensitive=sensitive, location=at("a.py", 1))
    assert publication(tmp_path).source_lines(one) == shown


def test_a_large_file_is_not_read_for_a_line(tmp_path: Path):
    write(tmp_path, {"a.py": b"x\n" * 2_500_001})
    assert publication(tmp_path).source_lines(finding(location=at("a.py", 1))) == []


def test_report_files_make_a_folder_that_git_ignores(tmp_path: Path):
    where = publication(tmp_path)
    where.write("a.json", b"{}")
    assert (where.folder / ".gitignore").read_text() == "*\n"
    assert where.shown("a.json") == "ci-action-report/a.json"
    assert where.shown("b.json") == ""
    assert sorted(file.name for file in where.folder.iterdir()) == [".gitignore", "a.json"]


def test_an_existing_gitignore_is_not_changed(tmp_path: Path):
    write(tmp_path, {"ci-action-report/.gitignore": "mine\n"})
    publication(tmp_path).write("a.json", b"{}")
    assert (tmp_path / "ci-action-report" / ".gitignore").read_text() == "mine\n"


WARNS: dict[str, Any] = {"warns_only": True, "warns_because": "x is never"}
BLOCKS = stage_result(tool_result(finding()), stage="quality")


@pytest.mark.parametrize(
    ("stages", "why"),
    [
        ([stage_result(broken_tool(), **WARNS)], "exit 0 because x is never"),
        (
            [stage_result(tool_result(), stage="quality"), stage_result(broken_tool(), **WARNS)],
            "exit 0 because x is never",
        ),
        ([stage_result(broken_tool(), warns_only=True)], "exit 0 because"),
        ([stage_result(broken_tool())], ""),
        ([BLOCKS, stage_result(broken_tool(), **WARNS)], ""),
        ([stage_result(tool_result(finding()), **WARNS)], ""),
    ],
    ids=["broken", "beside a green stage", "without a reason", "blocks", "another blocks", "warned"],
)
def test_why_a_broken_run_has_exit_code_0(tmp_path: Path, stages: list[StageResult], why: str):
    result = run_result(*stages)
    before = shown(result, publication(tmp_path)).splitlines()[-2]
    page = render(result, publication(tmp_path))
    assert before.startswith("exit 0 because") is bool(why)
    assert ("**exit 0 because" in page) is bool(why)
    assert why in before
    assert why in page


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({".gitignore": "*\n"}, set()),
        ({"report.json": ""}, set()),
        ({}, {"junit.xml", "lcov.info"}),
        ({".gitignore": "mine"}, {"junit.xml", "lcov.info"}),
    ],
)
def test_reports_of_an_earlier_run_are_removed(tmp_path: Path, files: dict[str, str], left: set[str]):
    folder = write(tmp_path / "ci-action-report", {"junit.xml": "", "lcov.info": "", "mine.xml": "", **files})
    (folder / "report.html").symlink_to(folder / "mine.xml")
    shown = publication(tmp_path)
    publish(run_result(), shown)
    found = {file.name for file in folder.iterdir()}
    assert found == {"mine.xml", "summary.md", "ci-action.sarif", "report.html", "report.json", *files, *left}
    assert not (folder / "report.html").is_symlink()
    assert (folder / "mine.xml").read_text() == ""
    assert shown.problems == []


def test_a_folder_in_the_way_of_a_report_is_a_problem(tmp_path: Path):
    write(tmp_path / "ci-action-report", {".gitignore": "*\n", "junit.xml/a": ""})
    shown = publication(tmp_path)
    publish(run_result(), shown)
    assert len(shown.problems) == 1
    assert "junit.xml" in shown.problems[0]


def test_files_come_before_the_outputs_that_name_them_and_the_verdict_comes_last():
    names = [reporter.name for reporter in REPORTERS]
    assert names.index("report.json") < names.index("outputs")
    assert names[-1] == "console"


@pytest.mark.parametrize(("count", "more"), [(1_000, False), (1_001, True)])
def test_a_group_has_the_number_of_its_findings(tmp_path: Path, count: int, more: bool, capsys):
    GroupProgress(workflow(tmp_path)).ended(tool_result(*[finding(location=None)] * count))
    assert ("all are in report.json" in capsys.readouterr().out) is more
