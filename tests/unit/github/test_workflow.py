"""Commands and command files: what the runner reads is what was meant."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.builders import actions_environ, workflow
from support.hostile_text import FOREIGN
from support.runner_model import Seen, commands, key_values, log_lines

from ci_action.github.workflow import MESSAGE_LIMIT, Workflow, is_actions, is_debug, workspace_of
from ci_action.system.text import plain

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
# The runner drops empty properties, so a value has at least one character.
VALUES = FOREIGN.filter(bool)


@shared
@given(st.sampled_from(["error", "warning", "notice"]), FOREIGN, VALUES, VALUES, st.integers(1, 9999))
@example("error", "a::b%0A##[set-output name=x]y", "a,b:c=d%.py", "t\r\nt", 1)
def test_an_annotation_is_one_command_that_says_what_was_meant(capsys, level, message, file, title, line):
    Workflow({}).annotate(level, message, file=file, title=title, line=line)
    out = capsys.readouterr().out
    assert commands(out) == [
        Seen(level, plain(message), {"file": plain(file), "title": plain(title), "line": str(line)})
    ]
    assert log_lines(out)[1:] == [""]


def test_an_annotation_without_properties_has_none(capsys):
    Workflow({}).annotate("error", "x")
    assert capsys.readouterr().out == "::error::x\n"


@pytest.mark.parametrize("length", [MESSAGE_LIMIT - 1, MESSAGE_LIMIT, MESSAGE_LIMIT + 1, 100_000])
def test_a_long_message_is_cut_at_a_clean_place(capsys, length: int):
    Workflow({}).annotate("error", "m" * length)
    (seen,) = commands(capsys.readouterr().out)
    assert len(seen.data) <= MESSAGE_LIMIT
    assert seen.data.endswith(" …") is (length > MESSAGE_LIMIT)


def test_act_gets_no_double_colons_in_a_message(capsys):
    Workflow({"ACT": "true"}).annotate("error", "std::string", file="a::b.py")
    assert capsys.readouterr().out == "::error file=a%3A %3Ab.py::std: :string\n"


@shared
@given(FOREIGN, FOREIGN)
@example("a\nb", "::error::x\n##[add-mask]y\n::endgroup::")
def test_nothing_in_a_group_is_a_command(capsys, title: str, body: str):
    Workflow({}).group(title, body)
    out = capsys.readouterr().out
    assert [one.name for one in commands(out)] == ["group", "stop-commands", "endgroup"]
    assert not any("\r" in line for line in out.split("\n"))


def test_the_lines_of_a_group_are_shown(capsys):
    Workflow({}).group("title", "one\ntwo\n\n")
    assert re.sub(r"[0-9a-f]{32}", "T", capsys.readouterr().out) == (
        "::group::title\n::stop-commands::T\none\ntwo\n::T::\n::endgroup::\n"
    )


def test_a_mask(capsys):
    Workflow({}).mask("s3cr3t%\nx")
    assert commands(capsys.readouterr().out) == [Seen("add-mask", "s3cr3t%\nx")]


@shared
@given(st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_-]{0,8}", fullmatch=True), FOREIGN, max_size=5))
@example({"a": "x\nEOF\ny", "b": "", "c": "<<", "d": "k=v", "e": "\r\n", "f": "🎉\ud800", "g": "\n\n"})
def test_outputs_are_read_as_they_were_set(tmp_path: Path, outputs: dict[str, str]):
    runner = workflow(tmp_path)
    assert all(runner.set_output(name, value) for name, value in outputs.items())
    file = tmp_path / "output"
    text = file.read_bytes().decode() if file.exists() else ""
    file.unlink(missing_ok=True)
    assert key_values(text) == {name: plain(value) for name, value in outputs.items()}
    assert "\n\n" not in re.sub(
        r"(?s)<<(ghadelimiter_\S+)\n.*?\n\1", "", text
    )  # act takes blank lines for an error


@pytest.mark.parametrize("name", ["", "1a", "a b", "a=b", "a\nb", "a<<b", "é"])
def test_a_name_with_another_meaning_is_refused(tmp_path: Path, name: str):
    with pytest.raises(ValueError, match="is not a valid name for an output"):
        workflow(tmp_path).set_output(name, "x")


@pytest.mark.parametrize("text", ["# Page\n", "\r\n", "é 🎉", "\ud800", ""])
def test_the_summary_is_appended_as_it_is(tmp_path: Path, text: str):
    runner = workflow(tmp_path)
    assert runner.append_summary("before\n")
    assert runner.append_summary(text)
    raw = (tmp_path / "summary").read_bytes()
    assert raw == b"before\n" + plain(text).encode()
    assert runner.summary_size() == len(raw)


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({}, id="not set"),
        pytest.param({"GITHUB_OUTPUT": "", "GITHUB_STEP_SUMMARY": ""}, id="empty"),
        pytest.param({"GITHUB_OUTPUT": "/no/such/o", "GITHUB_STEP_SUMMARY": "/no/such/s"}, id="no folder"),
    ],
)
def test_without_a_place_nothing_is_written_and_nothing_printed(capsys, environ: dict[str, str]):
    runner = Workflow(environ)
    assert not runner.set_output("a", "b")
    assert not runner.append_summary("x")
    assert runner.summary_size() == 0
    assert capsys.readouterr().out == ""


def test_a_summary_that_does_not_exist_yet_is_empty(tmp_path: Path):
    assert workflow(tmp_path).summary_size() == 0


def _link(file: Path, aside: Path) -> None:
    file.symlink_to(aside)


def _hard_link(file: Path, aside: Path) -> None:
    os.link(aside, file)


def _folder(file: Path, _aside: Path) -> None:
    file.mkdir()
    (file / "inside").write_text("kept")


def _pipe(file: Path, _aside: Path) -> None:
    os.mkfifo(file)


def _forged(file: Path, _aside: Path) -> None:
    file.write_text("result=passed\n")


@pytest.mark.parametrize("put", [_link, _hard_link, _folder, _pipe, _forged])
def test_whatever_was_put_in_the_place_of_a_command_file_gives_way(
    tmp_path: Path, put: Callable[[Path, Path], None]
):
    runner = workflow(tmp_path / "c")
    aside, file = tmp_path / "aside", tmp_path / "c" / "output"
    aside.write_text("another's")
    put(file, aside)
    assert runner.forget_foreign() == []
    assert file.read_bytes() == b""
    assert not file.is_symlink()
    assert file.stat().st_nlink == 1
    assert runner.set_output("a", "b")
    assert key_values(file.read_text()) == {"a": "b"}
    assert aside.read_text() == "another's"
    if put is _folder:
        assert [one.read_text() for one in (tmp_path / "c").glob("output.*/inside")] == ["kept"]


def test_a_command_file_that_was_removed_is_made_anew(tmp_path: Path):
    runner = workflow(tmp_path)
    assert runner.forget_foreign() == []
    assert runner.set_output("a", "b")
    assert key_values((tmp_path / "output").read_text()) == {"a": "b"}


@pytest.mark.parametrize("put", [_link, _folder, _pipe])
def test_nothing_is_written_through_what_is_no_file(tmp_path: Path, put: Callable[[Path, Path], None]):
    runner = workflow(tmp_path / "c")
    aside = tmp_path / "aside"
    aside.write_text("another's")
    put(tmp_path / "c" / "output", aside)
    with pytest.raises(OSError):  # noqa: PT011 - its text is the system's
        runner.set_output("a", "b")
    assert aside.read_text() == "another's"


def test_where_we_run(tmp_path: Path):
    assert is_actions(actions_environ(tmp_path))
    assert not is_actions({"GITHUB_ACTIONS": "false"})
    assert is_debug({"RUNNER_DEBUG": "1"})
    assert not is_debug({})
    assert workspace_of({"GITHUB_WORKSPACE": str(tmp_path)}) == tmp_path
    assert workspace_of({"GITHUB_WORKSPACE": str(tmp_path / "absent")}) is None
    assert workspace_of({}) is None
