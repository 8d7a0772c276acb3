"""bandit as a tool: which files it is given, how they are divided, and what is made of the answers."""

import json
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from support.builders import (
    FakeRun,
    bundled_tools,
    completed,
    context,
    layout,
    program,
    stage_result,
    tool_result,
    write,
)
from support.fake_bandit import Bandit, checked, findings, in_project, large, places, result

from ci_action.engine.context import Context
from ci_action.engine.pipeline import Policy, of_tool
from ci_action.engine.tool import NOTHING_CHANGED
from ci_action.engine.verdict import judge_stage
from ci_action.model.changes import Changes
from ci_action.model.finding import Level
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.settings.types import FailOn
from ci_action.stages.security.bandit import IN_A_TEST, OURS, check, count, newer_python
from ci_action.stages.security.bandit import program as own_program
from ci_action.system.errors import InterruptedRunError, ProjectFileError, TimedOutError, ToolError
from ci_action.system.process import Command, Completed

UNPRINTABLE = (
    "Traceback\nRuntimeError: Unable to output report using 'json' formatter: surrogates not allowed\n"
)


def test_findings_and_what_was_looked_at(tmp_path: Path):
    found, (command,) = checked(tmp_path, {"a.py": "B602", "bad.py": "x", "c.txt": "B602"})
    assert places(found) == [("a.py", "B602"), ("bad.py", "parse")]
    assert isinstance(found.outcome, Report)
    assert found.outcome.examined == {"files": 2, "unreadable": 1}
    assert command.argv[1:] == ("--quiet", "--format=json", "--number=0", "--", "./a.py", "./bad.py")
    first = found.outcome.findings[0]
    assert (first.severity, first.message) == (
        "medium",
        "It is weak (bandit: medium severity, low confidence)",
    )


@pytest.mark.parametrize("fail_on", ["never", "low", "high"])
def test_a_file_that_cannot_be_parsed_warns_whatever_blocks(tmp_path: Path, fail_on: str):
    found, _ = checked(tmp_path, {"bad.py": "x"}, settings={"fail-on": fail_on})
    result = of_tool(tool_result(outcome=found.outcome), Policy(fail_on=FailOn(fail_on)))
    assert [(one.rule, one.level, one.severity) for one in result.findings] == [("parse", Level.WARNING, "")]
    assert judge_stage(stage_result(result)).conclusion == "warned"


@pytest.mark.parametrize(
    ("request_", "newer"),
    [
        ("", ""),
        ("3.12", ""),
        ("3.13", ""),
        (">=3.9", ""),
        ("<3.12", ""),
        ("3.14", "3.14"),
        ("3.14.1", "3.14"),
        ("3.14t", "3.14"),
        ("cpython-3.15", "3.15"),
        ("cpython@3.14", "3.14"),
        (">=3.14,<4", "3.14"),
        (">3.14", "3.14"),
        ("pypy3.10", ""),
        ("nonsense", ""),
    ],
)
def test_only_a_newer_python_than_ours_is_requested(request_: str, newer: str):
    assert newer_python(request_, 13) == newer


NEWER = f"3.{sys.version_info.minor + 1}"
BUNDLED = "1.9.4"


@pytest.mark.parametrize(
    ("files", "settings", "words"),
    [
        ({"pyproject.toml": f"[project]\nname = 'a'\nrequires-python = '>={NEWER}'\n"}, {}, BUNDLED),
        ({".python-version": NEWER, "requirements.txt": "bandit==1.8.0\n"}, {}, "1.8.0"),
        ({"requirements.txt": "bandit==1.8.0\n"}, {"python-version": NEWER}, "1.8.0"),
        ({"requirements.txt": "bandit==1.8.0\n"}, {"python-version": NEWER, "tool-versions": "bundled"}, BUNDLED),
    ],
    ids=["requires-python", "pinned", "python-version", "bundled"],
)  # fmt: skip
def test_bandit_runs_on_a_newer_python_of_the_project(
    tmp_path: Path, files: dict[str, str], settings: dict[str, str], words: str
):
    run = FakeRun(uv=completed(), bandit=completed("bandit 1.2.3\n"))
    root = write(tmp_path / "w", files)
    text = files.get("pyproject.toml", "")
    ctx = context(
        root,
        run,
        settings=settings,
        layout=layout(root, pyproject=tomllib.loads(text)),
        bundled=bundled_tools(tmp_path / "tools", bandit=BUNDLED),
    )
    found = own_program(ctx)
    assert run.words[0][-2:] == (f"--python={NEWER}", f"bandit=={words}")
    assert (found.version, found.python, found.warnings) == ("1.2.3", NEWER, ())


def test_without_that_python_bandit_runs_on_ours_and_this_is_a_warning(tmp_path: Path):
    run = FakeRun(uv=completed(stderr="error: No interpreter found\n", returncode=2))
    tools = bundled_tools(tmp_path / "tools", bandit=BUNDLED)
    ctx = context(write(tmp_path / "w", {".python-version": NEWER}), run, bundled=tools)
    found = own_program(ctx)
    assert (found.version, found.python, found.instead) == (BUNDLED, "", "")
    [note] = found.warnings
    assert {NEWER, OURS} <= set(re.findall(r"3\.\d+", note))


def test_nothing_found_is_a_report_with_the_files(tmp_path: Path):
    found, _ = checked(tmp_path, {"a.py": ""})
    assert found.outcome == Report(examined={Counted.FILES: 1, Counted.UNREADABLE: 0})


def test_no_python_is_skipped(tmp_path: Path, wording: Any):
    found, commands = checked(tmp_path, {"a.txt": "B602"})
    assert (found.outcome, commands) == (Skipped(wording), [])


def test_without_git_that_is_said(tmp_path: Path, wording: Any):
    run = FakeRun(git=completed("", "fatal: not a git repository\n", 128), bandit=Bandit())
    found = check(context(write(tmp_path / "w", {"a.py": ""}), run), program("bandit"))
    assert found.warnings == (wording,)


def test_only_changed_files_are_given(tmp_path: Path):
    changes = Changes(base="b", lines={"b.py": frozenset({1})})
    files = {"a.py": "B602", "b.py": "B602"}
    found, (command,) = checked(tmp_path, files, changes=changes, settings={"scope": "changed"})
    assert command.argv[-1] == "./b.py"
    assert places(found) == [("b.py", "B602")]


def test_nothing_changed_is_rightly_skipped(tmp_path: Path):
    changes = Changes(base="b", lines={"x.txt": frozenset({1})})
    found, commands = checked(tmp_path, {"a.py": ""}, changes=changes, settings={"scope": "changed"})
    assert (found.outcome, commands) == (NOTHING_CHANGED, [])


@pytest.mark.parametrize(("touched", "new"), [(1, True), (2, True), (3, None), (9, False)])
def test_a_statement_is_new_where_any_of_its_lines_is(tmp_path: Path, touched: int, new: bool | None):
    out = {
        "results": [result("a.py", line_number=2, line_range=[1, 2, 3])],
        "errors": [],
        "metrics": {"./a.py": {"loc": 1}},
    }
    bandit = Bandit(a=completed(json.dumps(out), "", 1))
    changes = Changes(base="b", lines={"a.py": frozenset({touched})})
    found, _ = checked(tmp_path, {"a.py": ""}, bandit, changes=changes)
    (one,) = findings(found)
    assert changes.touches(one) is (new is not False)


def test_assert_in_a_test_is_muted_and_still_told(tmp_path: Path):
    found, _ = checked(tmp_path, {"tests/a.py": "B101 B602", "b.py": "B101"})
    assert [(one.rule, one.muted) for one in findings(found)] == [
        ("B101", ""),
        ("B101", IN_A_TEST),
        ("B602", ""),
    ]


@pytest.mark.parametrize(
    ("rule", "same", "sensitive"),
    [
        ("B105", ("detect-secrets", "ruff:S105"), True),
        ("B106", ("detect-secrets", "ruff:S106"), True),
        ("B107", ("detect-secrets", "ruff:S107"), True),
        ("B602", ("ruff:S602",), False),
        ("B703", ("ruff:S308",), False),
    ],
)
def test_what_others_say_the_same_and_whether_the_line_is_shown(
    tmp_path: Path, rule: str, same: tuple[str, ...], sensitive: bool
):
    found, _ = checked(tmp_path, {"a.py": rule})
    assert [(one.same_as, one.sensitive) for one in findings(found)] == [(same, sensitive)]


BAD = "[main]\tERROR\tbandit.yaml : Error parsing file.\n"


@pytest.mark.parametrize(
    "answer",
    [
        completed("", BAD, 2),
        completed("", "usage\nbandit: error: no such option\n", 2),
        completed("", "", 2),
        completed("", "Traceback\nTypeError: x\n", 1),
        completed("", "", -9),
        completed("", "", 0),
        completed("rubbish", "", 0),
        completed('{"results": [', "", 1),
        completed("{}", "", 0),
        completed("{}", "[x]\tWARNING\tUnknown test found in profile: B99\n", 0),
        ToolError("'bandit' cannot be started"),
    ],
)
def test_what_is_no_answer_is_broken_never_a_pass(
    tmp_path: Path, answer: Completed | Exception, wording: Any
):
    found, _ = checked(tmp_path, {"a.py": ""}, Bandit(a=answer))
    assert isinstance(found.outcome, Broken)
    assert found.outcome.reason == wording


def test_a_wrong_configuration_is_an_error(tmp_path: Path, wording: Any):
    with pytest.raises(ToolError) as caught:
        checked(tmp_path, {"a.py": "", "bandit.yaml": "skips: B101\n"})
    assert str(caught.value) == wording


def test_work_is_divided_and_the_results_are_those_of_one_process(tmp_path: Path):
    files = {f"{letter}.py": large(f"B10{number}") for number, letter in enumerate("dbca")}
    found, commands = checked(tmp_path, files)
    expected = min(len(os.sched_getaffinity(0)), 4)
    assert len(commands) == expected
    given = [word for command in commands for word in command.argv if word.startswith("./")]
    assert sorted(given) == ["./a.py", "./b.py", "./c.py", "./d.py"]
    assert places(found) == [("a.py", "B103"), ("b.py", "B101"), ("c.py", "B102"), ("d.py", "B100")]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) == 1, reason="one processor is one share")
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimedOutError("too late", stderr="[x]\tWARNING\tslow\nKeyError: 'hunter2'\n"), "too late"),
        (InterruptedRunError("interrupted"), "interrupted"),
        (ToolError("gone"), "gone"),
    ],
)
def test_what_other_shares_found_is_kept(tmp_path: Path, error: ToolError, reason: str):
    found, _ = checked(tmp_path, {"a.py": large(), "b.py": large("B602")}, Bandit(a=error))
    assert isinstance(found.outcome, Broken)
    assert found.outcome.reason == reason
    assert "hunter2" not in found.outcome.detail
    assert places(found) == [("b.py", "B602")]
    assert found.outcome.examined == {"files": 1, "unreadable": 0}


@pytest.mark.skipif(len(os.sched_getaffinity(0)) == 1, reason="one processor is one share")
def test_an_interruption_is_the_cause_of_what_fails_beside_it(tmp_path: Path):
    bandit = Bandit(a=ToolError("gone"), b=InterruptedRunError("interrupted"))
    found, _ = checked(tmp_path, {"a.py": large(), "b.py": large()}, bandit)
    assert isinstance(found.outcome, Broken)
    assert found.outcome.reason == "interrupted"


def test_columns_count_characters(tmp_path: Path):
    at_byte_four = result("a.py", col_offset=3, end_col_offset=4)
    out = {"results": [at_byte_four], "errors": [], "metrics": {"./a.py": {"loc": 1}}}
    found, _ = checked(tmp_path, {"a.py": "é;x"}, Bandit(a=completed(json.dumps(out), "", 1)))
    (one,) = findings(found)
    assert one.location is not None
    assert (one.location.column, one.location.end_column) == (3, 4)


def test_a_file_of_which_nothing_is_said_is_not_left_out_unless_something_says_so(
    tmp_path: Path, wording: Any
):
    silent = completed(json.dumps({"results": [], "errors": [], "metrics": {"_totals": {}}}), "", 0)
    found, _ = checked(tmp_path, {"a.py": "", "bandit.yaml": "exclude_dirs: [tests]\n"}, Bandit(a=silent))
    assert isinstance(found.outcome, Broken)
    assert found.outcome.reason == wording


def test_what_is_left_out_is_counted_and_told(tmp_path: Path):
    files = {"a.py": "", "src/left/b.py": "B602", "bandit.yaml": "exclude_dirs: [eft]\n"}
    found, _ = checked(tmp_path, files)
    assert isinstance(found.outcome, Report)
    assert found.outcome.examined == {"files": 1, "unreadable": 0, "excluded": 1}
    (warning,) = found.warnings
    assert warning.startswith("bandit left out 1 of 2 files, excluded by bandit.yaml; ")
    assert warning.endswith("hence also 'src/left/b.py'")


@pytest.mark.parametrize("narrowed", [True, False])
def test_where_nothing_remains_the_reason_is_the_configuration(tmp_path: Path, narrowed: bool):
    files = {"left/a.py": "", "left/b.py": "", "bandit.yaml": "exclude_dirs: [left]\n"}
    changes = Changes(base="b", lines=dict.fromkeys(files, frozenset({1})))
    settings = {"scope": "changed"} if narrowed else {}
    found, _ = checked(tmp_path, files, changes=changes, settings=settings)
    assert found.outcome == Skipped("bandit.yaml excludes all 2 files", rightly=narrowed)


def test_a_file_that_bandit_cannot_report_on_does_not_hide_the_others(tmp_path: Path):
    class Choking(Bandit):
        def __call__(self, command: Command) -> Completed:
            if "./half.py" in command.argv:
                return completed("", UNPRINTABLE, 1)
            return super().__call__(command)

    files = {"a.py": "B602", "b.py": "", "half.py": "B602", "z.py": "B602"}
    found, _ = checked(tmp_path, files, Choking())
    assert places(found) == [("a.py", "B602"), ("half.py", "unreadable"), ("z.py", "B602")]
    assert isinstance(found.outcome, Report)
    assert found.outcome.examined == {"files": 4, "unreadable": 1}


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path):
    ctx, run = in_project(tmp_path, {"a.py": ""})

    class Gone:
        def of(self, file: Path, workspace: Path) -> str:
            raise ProjectFileError(file.relative_to(workspace).as_posix(), "Permission denied")

    found = check(Context(**{**vars(ctx), "digests": Gone()}), program("bandit"))
    assert [(one.rule, one.severity) for one in findings(found)] == [("unreadable", "unknown")]
    assert {command.argv[0] for command in run.asked} == {"git"}


@pytest.mark.parametrize("name", ["-x.py", "a b.py", "n\nl.py", "b\udcff.py", "$(x).py", "ü.py"])
def test_names_are_only_names(tmp_path: Path, name: str):
    found, (command,) = checked(tmp_path, {name: "B602"})
    assert command.argv[-2:] == ("--", f"./{name}")
    assert places(found) == [(name, "B602")]


def test_the_users_options_come_before_ours(tmp_path: Path):
    files = {"a.py": "", "bandit.yaml": "skips: [B101]\n"}
    _, (command,) = checked(tmp_path, files, settings={"bandit_args": "-s B102 -ll"})
    config = f"--configfile={tmp_path}/w/bandit.yaml"
    assert command.argv[1:6] == ("-s", "B102", "-ll", config, "--quiet")


def test_no_list_of_plugins_at_home_is_believed(tmp_path: Path):
    _, (command,) = checked(tmp_path, {"a.py": ""})
    assert Path(command.environ["XDG_CACHE_HOME"]).is_relative_to(tmp_path / "w-tempdir")


def test_a_test_that_bandit_has_no_more_is_told(tmp_path: Path, wording: Any):
    bandit = Bandit()
    bandit.stderr = "[extension_loader]\tWARNING\tUnknown test found in profile: B322\n"
    found, _ = checked(tmp_path, {"a.py": ""}, bandit)
    assert isinstance(found.outcome, Report)
    assert found.warnings == (wording,)


def test_files_are_counted(tmp_path: Path):
    ctx, _ = in_project(tmp_path, {"a.py": "", "b.pyw": "", "c.txt": ""})
    assert count(ctx) == 2
