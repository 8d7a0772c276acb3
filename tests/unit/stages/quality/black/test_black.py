"""Black as a tool: which commands are asked, and what is made of the answers."""

from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from support.builders import FakeRun, bundled_tools, completed, context, program, write

from ci_action.engine.tool import Checked
from ci_action.model.finding import Fix
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.stages.quality.black import TOOL, check, count, fix
from ci_action.system.cache import Digests
from ci_action.system.errors import ENDED, InterruptedRunError, ProjectFileError, TimedOutError, ToolError
from ci_action.system.parallel import processors
from ci_action.system.process import Command, Completed

HEAD = "--- {0}\t2026\n+++ {0}\t2026\n@@ -1 +1 @@\n-x  = 1\n+x = 1\n"


def printed(*formatted: str, unchanged: int = 0, failed: int = 0, more: str = "") -> Completed:
    """Return the output of Black for files that it would change, keep, or cannot parse."""
    counts = [
        f"{number} {'file' if number == 1 else 'files'} would {what}"
        for number, what in (
            (len(formatted), "be reformatted"),
            (unchanged, "be left unchanged"),
            (failed, "fail to reformat"),
        )
        if number
    ]
    out = "".join(HEAD.format(name) for name in formatted)
    code = 123 if failed else 1 if formatted else 0
    return completed(out, f"{more}\n{', '.join(counts)}.\n", code)


def checked(workspace: Path, *answers: Completed | Exception, **overrides: Any) -> tuple[Checked, FakeRun]:
    run = FakeRun(black=list(answers)) if answers else FakeRun()
    return check(context(workspace, run, **overrides), program()), run


@pytest.fixture
def two(tmp_path: Path) -> Path:
    return write(tmp_path / "w", {"a.py": "x  = 1\n", "b.py": "y = 2\n"})


def test_findings_and_what_was_looked_at(two: Path):
    found, run = checked(two, printed("a.py", unchanged=1))
    assert isinstance(found.outcome, Report)
    assert found.outcome.examined == {"files": 2, "unreadable": 0}
    (one,) = found.outcome.findings
    assert (one.rule, str(one.location), one.fix) == ("format", "a.py:1", Fix.SAFE)
    assert one.message == "Black would reformat this line"
    (argv,) = run.words
    assert argv[:3] == ("/tools/black", "--check", "--diff")
    assert argv[-3:] == ("--", "a.py", "b.py")
    assert any(word.startswith("--config=") for word in argv)


def test_no_files_are_skipped_and_nothing_is_run(tmp_path: Path, wording: Any):
    found, _ = checked(write(tmp_path / "w", {"a.txt": ""}))
    assert found.outcome == Skipped(wording)


def test_a_file_that_cannot_be_parsed_is_a_finding(two: Path):
    found, _ = checked(two, printed(unchanged=1, failed=1, more="error: cannot parse: a.py:1:4"))
    assert isinstance(found.outcome, Report)
    assert found.outcome.examined == {"files": 2, "unreadable": 1}
    (one,) = found.outcome.findings
    assert (one.rule, str(one.location), one.fix, one.url) == ("parse", "a.py:1:5", Fix.NONE, "")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(completed("", "Error: no such option\n", 2), id="usage"),
        pytest.param(completed("", "", 2), id="usage without words"),
        pytest.param(completed("", "", -9), id="killed"),
        pytest.param(completed("", "", -99), id="an unknown signal"),
        pytest.param(
            completed("", "Invalid config keys detected: 'x'\n2 files would be left unchanged.\n"),
            id="a configuration that is only whispered",
        ),
        pytest.param(completed(), id="silence"),
        pytest.param(completed("rubbish", "rubbish", 1), id="rubbish"),
        pytest.param(printed("a.py"), id="a file is missing"),
        pytest.param(ToolError("'black' cannot be started"), id="absent"),
    ],
)
def test_what_is_no_answer_is_an_error_never_a_pass(two: Path, answer: Any, wording: Any):
    with pytest.raises(ToolError) as caught:
        checked(two, answer)
    assert str(caught.value) == wording


@pytest.mark.parametrize("ended", ENDED)
def test_whole_files_are_kept_when_it_is_ended(two: Path, ended: type[TimedOutError | InterruptedRunError]):
    part = (HEAD.format("a.py") + HEAD.format("b.py")).encode()
    found, _ = checked(two, ended("too late", stdout=part))
    assert isinstance(found.outcome, Broken)
    assert (found.outcome.reason, found.outcome.examined) == ("too late", {"files": 1})
    assert [str(one.location) for one in found.outcome.findings] == ["a.py:1"]


def test_doubtful_names_go_alone_by_standard_input(tmp_path: Path):
    names = ["n\nl.py", " blank.py", "é.pyi", 'q"q.py', "-x.py"]
    workspace = write(tmp_path / "w", dict.fromkeys(names, "x  = 1\n"))

    def answer(command: Command) -> Completed:
        assert (command.argv[-1] == "-") == bool(command.stdin)
        return printed("STDIN" if command.stdin else command.argv[-1])

    run = FakeRun(black=answer)
    found = check(context(workspace, run), program())
    assert isinstance(found.outcome, Report)
    assert sorted(one.location.path for one in found.outcome.findings if one.location) == sorted(names)
    given = [word for command in run.asked for word in command.argv[command.argv.index("--") + 1 :]]
    assert given.count("-") == 4
    assert "--stdin-filename=file.pyi" in [word for words in run.words for word in words]


def test_a_link_goes_alone(tmp_path: Path):
    workspace = write(tmp_path / "w", {"a.py": "x = 1\n"})
    (workspace / "l.py").symlink_to("a.py")
    _, run = checked(workspace, printed(unchanged=1))
    assert [command.stdin for command in run.asked] == [b"", b"x = 1\n"]


def test_what_was_lost_in_a_batch_is_asked_again_alone(two: Path):
    lost = "error: cannot format a.py: I/O operation on closed file"
    found, run = checked(two, printed(unchanged=1, failed=1, more=lost), printed("STDIN"))
    assert isinstance(found.outcome, Report)
    assert [str(one.location) for one in found.outcome.findings] == ["a.py:1"]
    assert run.asked[1].stdin == b"x  = 1\n"


def test_what_is_lost_again_is_an_error(two: Path, wording: Any):
    lost = "error: cannot format {}: INTERNAL ERROR: unstable"
    answers = printed(unchanged=1, failed=1, more=lost.format("a.py")), printed(
        failed=1, more=lost.format("file.py")
    )
    with pytest.raises(ToolError) as caught:
        checked(two, *answers)
    assert str(caught.value) == wording


def test_results_are_kept_and_unchanged_files_not_asked_again(two: Path, tmp_path: Path):
    cache = tmp_path / "cache"
    first, _ = checked(two, printed("a.py", unchanged=1), cache=cache)
    again, run = checked(two, cache=cache)
    assert again.outcome == first.outcome
    assert run.asked == []
    write(two, {"b.py": "z  = 3\n"})
    _, third = checked(two, printed("b.py"), cache=cache)
    assert [words[-1] for words in third.words] == ["b.py"]
    assert third.words[0][-2] == "--"


@pytest.mark.parametrize(
    "changed",
    [
        {"program": {"version": "24.1.0"}},
        {"program": {"extras": frozenset({"jupyter"})}},
        {"settings": {"black_args": "--preview"}},
        {"files": {"pyproject.toml": "[tool.black]\nline-length = 60\n"}},
        {"files": {"pyproject.toml": "[project]\nrequires-python = '>=3.12'\n"}},
    ],
    ids=["version", "extras", "options", "configuration", "requires-python"],
)
def test_what_decides_about_a_result_is_part_of_its_key(two: Path, tmp_path: Path, changed: dict[str, Any]):
    cache = tmp_path / "cache"
    checked(two, printed("a.py", unchanged=1), cache=cache)
    write(two, changed.get("files", {}))
    run = FakeRun(black=printed("a.py", unchanged=1))
    ctx = context(two, run, cache=cache, settings=changed.get("settings", {}))
    check(ctx, program(**changed.get("program", {})))
    assert run.words[0][-2:] == ("a.py", "b.py")


def test_a_cache_that_cannot_be_written_is_a_warning(two: Path, tmp_path: Path):
    write(tmp_path, {"cache": "a file in the way"})
    found, _ = checked(two, printed(unchanged=2), cache=tmp_path / "cache")
    assert isinstance(found.outcome, Report)
    assert len(found.warnings) == 1
    assert str(tmp_path / "cache") in found.warnings[0]


USAGE = (
    "Error: Invalid value for '-t' / '--target-version': 'none' is not one of 'py310', 'py311', 'py312'.\n"
)


@pytest.mark.parametrize(
    ("version", "files", "target", "warns"),
    [
        ("3.11", {}, "py311", False),
        ("3.14", {}, "py312", True),
        ("3.9", {}, "py310", True),
        ("3.11", {"pyproject.toml": "[project]\nrequires-python = '>=3.8'\n"}, None, False),
        ("3.11", {"pyproject.toml": "[tool.black]\ntarget-version = ['py39']\n"}, None, False),
        ("", {}, None, False),
    ],
)
def test_the_target_version(two: Path, version: str, files: dict[str, str], target: str | None, warns: bool):
    write(two, files)
    run = FakeRun(
        black=lambda command: completed("", USAGE, 2) if "--code=" in command.argv else printed(unchanged=2)
    )
    pinned = replace(program(), source="uv.lock")  # another version may support other targets
    found = check(context(two, run, settings={"python_version": version}), pinned)
    given = [word for word in run.words[-1] if word.startswith("--target-version")]
    assert given == ([f"--target-version={target}"] if target else [])
    assert bool(found.warnings) is warns


@pytest.mark.parametrize("minor", [8, 14])
def test_the_targets_of_the_bundled_black_are_known(two: Path, minor: int):
    _, run = checked(two, printed(unchanged=2), settings={"python_version": f"3.{minor}"})
    (words,) = run.words
    assert f"--target-version=py3{minor}" in words


def test_a_black_that_names_no_targets_is_an_error(two: Path, wording: Any):
    with pytest.raises(ToolError) as caught:
        checked(two, completed("", "", 2), settings={"python_version": "3.7"})
    assert str(caught.value) == wording


def test_skipped_notebooks_are_reported(tmp_path: Path, wording: Any):
    workspace = write(tmp_path / "w", {"a.py": "", "n.ipynb": "{}"})
    found, run = checked(workspace, printed(unchanged=1))
    assert found.warnings == (wording,)
    assert run.words[0][-1] == "a.py"
    run = FakeRun(black=printed(unchanged=2))
    assert check(context(workspace, run), program(extras=frozenset({"jupyter"}))).warnings == ()
    assert run.words[0][-2:] == ("a.py", "n.ipynb")


class Unreadable(Digests):
    """Digests of unreadable files."""

    def of(self, file: Path, workspace: Path) -> str:
        raise ProjectFileError(file.relative_to(workspace).as_posix(), "Permission denied")


def test_a_file_that_cannot_be_read_is_a_finding(two: Path):
    found, run = checked(two, digests=Unreadable())
    assert run.asked == []
    assert isinstance(found.outcome, Report)
    assert found.outcome.examined == {"files": 2, "unreadable": 2}
    assert {one.rule for one in found.outcome.findings} == {"unreadable"}


def test_fixes_are_written_without_check_and_diff(two: Path):
    write(two, {"-x.py": ""})
    run = FakeRun(black=completed())
    fix(context(two, run), program())
    (argv,) = run.words
    assert not {"--check", "--diff", "--fast"} & set(argv)
    assert argv[-3:] == ("./-x.py", "a.py", "b.py")


def test_a_fix_that_fails_is_an_error(two: Path):
    with pytest.raises(ToolError, match="exit code 2"):
        fix(context(two, FakeRun(black=completed("", "no", 2))), program())


def test_files_are_counted_without_running(two: Path):
    assert count(context(two)) == 2
    assert count(context(two, settings={"black_args": "--extend-exclude=a"})) == 1


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("", "a\n", "Black would add 1 line here"),
        ("", "a\nb\n", "Black would add 2 lines here"),
        ("a\n", "", "Black would remove this line"),
        ("a\n", "a\n", "Black would change the end of this line"),
    ],
)
def test_messages(two: Path, before: str, after: str, message: str):
    removed = "".join(f"-{line}\n" for line in before.split("\n")[:-1])
    added = "".join(f"+{line}\n" for line in after.split("\n")[:-1])
    body = f"@@ -1,{before.count(chr(10)) + 1} +1,{after.count(chr(10)) + 1} @@\n{removed}{added} c\n"
    answer = completed(f"--- a.py\t1\n+++ a.py\t2\n{body}", printed("a.py", unchanged=1).stderr, 1)
    found, _ = checked(two, answer)
    assert [one.message for one in found.outcome.findings] == [message]


def test_options_that_would_write_or_hide_are_refused():
    assert {"--quiet", "--config", "--code", "--line-ranges"} <= set(TOOL.refused)


def test_many_files_go_in_batches(tmp_path: Path):
    names = [f"{'d' * 250}/{'e' * 250}/{number:04}.py" for number in range(1_300)]
    workspace = write(tmp_path / "w", dict.fromkeys(names, ""))
    run = FakeRun(black=lambda command: printed(unchanged=len(command.argv) - command.argv.index("--") - 1))
    found = check(context(workspace, run, bundled=bundled_tools(tmp_path)), program())
    assert isinstance(found.outcome, Report)
    assert found.outcome.examined[Counted.FILES] == 1_300
    assert len(run.asked) == 2


LARGE = "x = 1\n" * 60_000


@pytest.mark.parametrize(
    ("version", "files", "most"),
    [
        ("26.10.1", {"a.py": LARGE, "b.py": LARGE, "c.py": ""}, 2),
        ("26.10.1", {"a.py": LARGE, "b.py": ""}, 1),
        ("21.12b0", {"a.py": LARGE, "b.py": LARGE, "c.py": ""}, 1),
    ],
)
def test_many_files_are_divided_over_processes(
    tmp_path: Path, version: str, files: dict[str, str], most: int
):
    workspace = write(tmp_path / "w", files)
    run = FakeRun(black=lambda command: printed(unchanged=len(command.argv) - command.argv.index("--") - 1))
    found = check(context(workspace, run), program(version=version)).outcome
    assert found.examined[Counted.FILES] == len(files)
    assert len(run.words) == min(most, processors())
    assert sorted(name for words in run.words for name in words[words.index("--") + 1 :]) == sorted(files)
    assert all(("--workers=1" in words) is (len(run.words) > 1) for words in run.words)


def test_what_a_process_found_before_another_was_ended_is_kept(tmp_path: Path):
    started = Event()

    def black(command: Command) -> Completed:
        if "a.py" in command.argv:
            assert "b.py" in command.argv or started.wait(
                60
            )  # one that has not started is not started any more
            raise TimedOutError("too late")
        started.set()
        return printed("b.py", unchanged=0)

    workspace = write(tmp_path / "w", {"a.py": LARGE, "b.py": LARGE})
    found = check(context(workspace, FakeRun(black=black)), program()).outcome
    assert isinstance(found, Broken)
    assert [one.location and one.location.path for one in found.findings] == ["b.py"] * (processors() > 1)
