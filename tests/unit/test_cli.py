"""The command line where no tool is started: help, schemas, wrong usage and wrong settings, bugs of ours."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema.validators import validator_for
from support.builders import actions_environ
from support.runner_model import commands, key_values

from ci_action import __version__
from ci_action.cli import main, spelled_out
from ci_action.reporters.outputs import NOTHING_RUN
from ci_action.settings import SETTINGS
from ci_action.system.signals import Interruption


def environ(tmp_path: Path, **more: str) -> dict[str, str]:
    (tmp_path / "w").mkdir(exist_ok=True)
    return {"GITHUB_WORKSPACE": str(tmp_path / "w"), "HOME": str(tmp_path), **more}


def actions(tmp_path: Path, **more: str) -> dict[str, str]:
    return actions_environ(tmp_path / "commands", **environ(tmp_path, **more))


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"]])
def test_bare_in_a_terminal_is_the_help(argv: list[str], capsys):
    assert main(argv, {}) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in ("run", "plan", "fix", "schema"))


def test_the_version(capsys):
    assert main(["--version"], {}) == 0
    assert capsys.readouterr().out == f"ci-action {__version__}\n"


@pytest.mark.parametrize("command", ["run", "plan", "fix"])
def test_the_help_of_a_command_is_grouped_and_has_the_choices(command: str, capsys):
    assert main([command, "--help"], {}) == 0
    out = capsys.readouterr().out
    titles = [line for line in out.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert len(titles) == len(STAGES_WITH_SETTINGS) + 2
    assert titles[-1] == "General options:"
    assert "--scope [all|changed]" in out
    assert "--fail-on [never|low|medium|high|critical|new]" in out
    assert "--check-run / --no-check-run" in out
    assert "--timeout NUMBER" in out
    missing = [name for name in SETTINGS if name != "stage" and f"--{name} " not in out]
    assert [name for name in missing if f"--{name}\n" not in out] == []


STAGES_WITH_SETTINGS = {setting.stage for setting in SETTINGS.values()} - {"all"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], []),
        (["--labels"], ["--labels=true"]),
        (["--no-labels"], ["--labels=false"]),
        (["--labels=true"], ["--labels=true"]),
        (["--labels=false"], ["--labels=false"]),
        (["--labels", "false"], ["--labels=false"]),
        (["--labels", "YES", "test"], ["--labels=YES", "test"]),
        (["--labels", "quality"], ["--labels=true", "quality"]),
        (["--labels", "--no-labels"], ["--labels=true", "--labels=false"]),
        (["--labels", "--check-run", "test"], ["--labels=true", "--check-run=true", "test"]),
        (["test", "--labels", "--timeout=5"], ["test", "--labels=true", "--timeout=5"]),
        (["--timeout", "5", "--no-timeout"], ["--timeout", "5", "--no-timeout"]),
        (["--", "--labels", "x"], ["--", "--labels", "x"]),
    ],
)
def test_switches_need_no_value(words: list[str], expected: list[str]):
    assert [*spelled_out(words)] == expected


@pytest.mark.parametrize(
    "words", [["--labels=maybe"], ["--no-labels=true"], ["--no-timeout"], ["--", "--labels"]]
)
def test_wrong_switches(tmp_path: Path, words: list[str], capsys):
    assert main(["plan", *words], environ(tmp_path)) == 2
    assert capsys.readouterr().out.rstrip().endswith("exit 2")


@pytest.mark.parametrize("what", ["report", "settings"])
def test_schemas_are_schemas(what: str, capsys):
    assert main(["schema", what], {}) == 0
    schema = json.loads(capsys.readouterr().out)
    validator_for(schema).check_schema(schema)


@pytest.mark.parametrize(
    "argv",
    [
        ["run", "qualty"],
        ["run", "quality", "--timeout=soon"],
        ["run", "quality", "--paths=absent"],
        ["plan", "--tool-versions=mine"],
        ["fix", "--black-args='"],
        ["run", "docker", "--build-args=A=1", "--build-args=B"],
        ["run", "--no-such-flag"],
        ["nonsense"],
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_exit_2_and_runs_nothing(tmp_path: Path, argv: list[str], wording: Any, capsys):
    assert main(argv, environ(tmp_path)) == 2
    out = capsys.readouterr().out
    assert out == wording
    assert out.rstrip().endswith("exit 2")
    assert not (tmp_path / "w" / "ci-action-report").exists()


def test_under_actions_mistakes_are_annotated_and_the_outputs_set(tmp_path: Path, capsys):
    given = actions(tmp_path, INPUT_STAGE="qualty", INPUT_PTHS="x", **{"INPUT_GITHUB-TOKEN": "s3cr3t-token"})
    assert main([], given) == 2
    out = capsys.readouterr().out
    assert [one.name for one in commands(out) if one.name == "error"] == ["error", "error"]
    assert key_values((tmp_path / "commands" / "output").read_text()) == NOTHING_RUN
    assert "s3cr3t-token" not in out


def test_twenty_mistakes_are_all_in_the_log_and_ten_annotations_at_most(tmp_path: Path, capsys):
    given = actions(tmp_path, INPUT_STAGE="quality", **{f"INPUT_WRONG{number}": "x" for number in range(20)})
    assert main([], given) == 2
    out = capsys.readouterr().out
    assert out.count("error: unknown input 'wrong") == 20
    assert sum(one.name == "error" for one in commands(out)) <= 10


def test_hostile_values_in_mistakes_are_only_text(tmp_path: Path, capsys):
    hostile = "x\n::set-output name=a::b\r##[error]y"
    assert main(["run", "--paths", hostile, "--cache-dir", "\0"], environ(tmp_path)) == 2
    assert commands(capsys.readouterr().out) == []


class Wrong(dict[str, str]):
    """An environment that breaks where it is asked for the workspace."""

    def get(self, key: str, default: Any = None) -> Any:
        if key == "GITHUB_WORKSPACE":
            raise ZeroDivisionError("oops s3cr3t-token")
        return super().get(key, default)


def test_a_bug_of_ours_is_exit_4_with_a_report_to_paste(tmp_path: Path, capsys):
    given = Wrong(actions(tmp_path, GITHUB_TOKEN="s3cr3t-token"))
    assert main(["run", "quality", "--github-token=s3cr3t-token"], given) == 4
    out = capsys.readouterr().out
    assert "This is a bug in ci-action" in out
    assert "ZeroDivisionError: oops ***" in out
    assert "s3cr3t-token" not in out
    assert key_values((tmp_path / "commands" / "output").read_text())["result"] == "broken"


def test_a_signal_while_results_are_written_changes_nothing():
    interruption = Interruption()
    interruption.finishing = True
    interruption.handle(15, None)
    assert interruption.name == ""
    assert interruption.urgent


@pytest.mark.parametrize("argv", [["run", "quality"], ["plan"], ["--help"], ["nonsense"]])
def test_a_signal_during_the_imports_ends_the_program(tmp_path: Path, argv: list[str], capsys):
    interruption = Interruption()
    interruption.handle(15, None)
    assert main(argv, actions(tmp_path), interruption=interruption) == 130
    assert capsys.readouterr().out.rstrip().endswith("exit 130")
    assert key_values((tmp_path / "commands" / "output").read_text()) == NOTHING_RUN
