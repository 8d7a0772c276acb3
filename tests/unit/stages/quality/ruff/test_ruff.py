"""Ruff as a tool: which commands are asked, and what is made of the answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, completed, context, program, write

from ci_action.engine.tool import Checked
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.stages.quality.ruff import DEFAULT_RULES, TOOL, check, count, fix
from ci_action.system.errors import ENDED, InterruptedRunError, TimedOutError, ToolError
from ci_action.system.process import Command, Completed

USAGE = "error: invalid value 'none' for '--target-version'\n  [possible values: py37, py38, py312, py313]\n"


class Ruff:
    """Answers as Ruff does: files that it lists, findings in them, targets that it knows."""

    def __init__(
        self, root: Path, *names: str, rules: tuple[str, ...] = (), **answers: Completed | Exception
    ) -> None:
        self.files = [str(root / name) for name in names]
        self.rules = rules
        self.answers = answers

    def __call__(self, command: Command) -> Completed:
        if "--show-files" in command.argv:
            return self._said("files", completed("".join(f"{name}\n" for name in self.files)))
        if "--target-version=none" in command.argv:
            return self._said("probe", completed("", USAGE, 2))
        if "--fix" in command.argv:
            return self._said("fix", completed())
        place = {"row": 1, "column": 1}
        found = [
            {
                "code": rule,
                "message": "m",
                "filename": self.files[0],
                "location": place,
                "end_location": place,
            }
            for rule in self.rules
        ]
        return self._said("json", completed(json.dumps(found), returncode=int(bool(found))))

    def _said(self, what: str, usual: Completed) -> Completed:
        answer = self.answers.get(what, usual)
        if isinstance(answer, Exception):
            raise answer
        return answer


def checked(workspace: Path, ruff: Ruff, **overrides: Any) -> tuple[Checked, list[tuple[str, ...]]]:
    run = FakeRun(ruff=ruff)
    return check(context(workspace, run, **overrides), program("ruff")), run.words


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return write(tmp_path / "w", {"a.py": "import os\n", "ruff.toml": ""})


def test_findings_and_what_was_looked_at(one: Path):
    found, words = checked(one, Ruff(one, "a.py", rules=("F401", "E902", "E902")))
    assert isinstance(found.outcome, Report)
    assert found.outcome.examined == {"files": 1, "unreadable": 1}
    assert [finding.rule for finding in found.outcome.findings] == ["F401", "E902", "E902"]
    assert {"--no-fix", "--no-fix-only", "--no-cache", "--output-format=json"} <= set(words[-1])
    assert words[-1][-2:] == ("--", ".")


def test_nothing_found_is_a_report_with_the_files(one: Path):
    found, _ = checked(one, Ruff(one, "a.py"))
    assert found.outcome == Report(examined={Counted.FILES: 1, Counted.UNREADABLE: 0})


def test_no_files_are_skipped(one: Path, wording: Any):
    found, words = checked(one, Ruff(one))
    assert found.outcome == Skipped(wording)
    assert len(words) == 1


BAD_CONFIG = "ruff failed\n  Cause: Failed to parse pyproject.toml\n  Cause: unknown field `x`\n"


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param({"json": completed("", BAD_CONFIG, 2)}, id="configuration"),
        pytest.param({"files": completed("", BAD_CONFIG, 2)}, id="at the listing"),
        pytest.param({"json": completed("", "", 2)}, id="no words"),
        pytest.param({"json": completed("[]", "", 101)}, id="a panic with output"),
        pytest.param({"json": completed("", "", -9)}, id="killed"),
        pytest.param({"json": completed("")}, id="silence"),
        pytest.param({"json": completed("All checks passed!")}, id="rubbish"),
        pytest.param({"json": completed('[{"code": "F40')}, id="cut short"),
        pytest.param(
            {"json": completed("[]", "", 1)},
            id="found, but nothing listed",
        ),
        pytest.param({"json": ToolError("'ruff' cannot be started")}, id="absent"),
    ],
)
def test_what_is_no_answer_is_an_error_never_a_pass(one: Path, answers: dict[str, Any], wording: Any):
    with pytest.raises(ToolError) as caught:
        checked(one, Ruff(one, "a.py", **answers))
    assert str(caught.value) == wording


@pytest.mark.parametrize("ended", ENDED)
def test_whatever_ends_it_is_broken(one: Path, ended: type[TimedOutError | InterruptedRunError]):
    found, _ = checked(one, Ruff(one, "a.py", json=ended("too late", stderr="words")))
    assert isinstance(found.outcome, Broken)
    assert (found.outcome.reason, found.outcome.detail) == ("too late", "words")


@pytest.mark.parametrize(
    ("files", "args", "isolated"),
    [
        pytest.param({}, "", True, id="no configuration"),
        pytest.param({"pyproject.toml": "[tool.black]\n"}, "", True, id="a pyproject of others"),
        pytest.param({"ruff.toml": ""}, "", False, id="ruff.toml"),
        pytest.param({".ruff.toml": ""}, "", False, id=".ruff.toml"),
        pytest.param({"pyproject.toml": "[tool.ruff]\n"}, "", False, id="pyproject"),
        pytest.param({}, "--isolated", False, id="the user's own --isolated"),
        pytest.param({}, "--config=x.toml", False, id="the user's own --config"),
    ],
)
def test_without_a_configuration_ruff_runs_without_any(
    tmp_path: Path, files: dict[str, str], args: str, isolated: bool
):
    workspace = write(tmp_path / "w", {"a.py": "", **files})
    _, words = checked(workspace, Ruff(workspace, "a.py"), settings={"ruff_args": args})
    assert (f"--select={DEFAULT_RULES}" in words[-1]) is isolated
    assert words[-1].count("--isolated") == int(isolated or args == "--isolated")


def test_the_users_own_rules_replace_ours(tmp_path: Path):
    workspace = write(tmp_path / "w", {"a.py": ""})
    _, words = checked(workspace, Ruff(workspace, "a.py"), settings={"ruff_args": "--select=ALL"})
    assert "--isolated" in words[-1]
    assert [word for word in words[-1] if word.startswith("--select")] == ["--select=ALL"]


def test_a_folder_with_its_own_configuration_is_a_part_of_its_own(tmp_path: Path):
    workspace = write(
        tmp_path / "w",
        {
            "a.py": "",
            "sub [x]/ruff.toml": "",
            "sub [x]/in/pyproject.toml": "[tool.ruff]\n",
            "node_modules/ruff.toml": "",
        },
    )
    _, words = checked(workspace, Ruff(workspace, "a.py"))
    isolated, own = (words_ for words_ in words if "--output-format=json" in words_)
    assert "--extend-exclude=sub [[]x]" in isolated
    assert "--isolated" not in own
    assert own[-1] == "./sub [x]"


def test_a_path_inside_a_configured_folder_goes_with_it(tmp_path: Path):
    workspace = write(tmp_path / "w", {"a.py": "", "sub/ruff.toml": "", "sub/b.py": ""})
    _, words = checked(workspace, Ruff(workspace, "a.py"), settings={"paths": "sub/b.py"})
    (argv,) = (argv for argv in words if "--output-format=json" in argv)
    assert "--isolated" not in argv
    assert argv[-1] == "sub/b.py"


def test_a_path_that_looks_like_an_option_is_none(one: Path):
    write(one, {"-x.py": ""})
    _, words = checked(one, Ruff(one, "-x.py"), settings={"paths": "-x.py"})
    assert words[-1][-2:] == ("--", "./-x.py")


def test_a_configuration_that_is_no_toml_is_an_error(tmp_path: Path, wording: Any):
    workspace = write(tmp_path / "w", {"pyproject.toml": "["})
    with pytest.raises(ToolError) as caught:
        checked(workspace, Ruff(workspace, "a.py"))
    assert str(caught.value) == wording


def test_a_ruff_toml_that_is_no_toml_is_an_error_of_ruff(one: Path):
    (one / "ruff.toml").write_text("a = ")
    with pytest.raises(ToolError, match=r"ruff\.toml"):
        checked(one, Ruff(one, "a.py"))


def test_our_own_folders_are_excluded(one: Path):
    _, words = checked(one, Ruff(one, "a.py"), own_folders=(one / "out[1]",))
    assert all(f"--extend-exclude={one}/out[[]1]" in argv for argv in words)


@pytest.mark.parametrize(
    ("version", "files", "target", "warns"),
    [
        ("3.12", {}, "py312", False),
        ("3.19", {}, "py313", True),
        ("3.12", {"ruff.toml": "target-version = 'py39'"}, None, False),
        ("3.12", {"pyproject.toml": "[tool.ruff]\ntarget-version = 'py39'"}, None, False),
        ("", {}, None, False),
    ],
)
def test_the_target_version(one: Path, version: str, files: dict[str, str], target: str | None, warns: bool):
    write(one, files)
    found, words = checked(one, Ruff(one, "a.py"), settings={"python_version": version})
    given = [word for word in words[-1] if word.startswith("--target-version")]
    assert given == ([f"--target-version={target}"] if target else [])
    assert bool(found.warnings) is warns


def test_the_users_own_target_stays(one: Path):
    _, words = checked(
        one, Ruff(one, "a.py"), settings={"python_version": "3.12", "ruff_args": "--target-version=py38"}
    )
    assert [word for word in words[-1] if word.startswith("--target-version")] == ["--target-version=py38"]


def test_a_ruff_that_names_no_targets_is_an_error(one: Path, wording: Any):
    with pytest.raises(ToolError) as caught:
        checked(one, Ruff(one, "a.py", probe=completed("", "?", 2)), settings={"python_version": "3.7"})
    assert str(caught.value) == wording


def test_its_own_cache_is_never_used(one: Path, tmp_path: Path):
    _, words = checked(one, Ruff(one, "a.py"), cache=tmp_path / "cache")
    assert "--no-cache" in words[-1]
    assert not (tmp_path / "cache").exists()


def test_fixes_are_the_safe_ones(one: Path):
    run = FakeRun(ruff=Ruff(one, "a.py"))
    fix(context(one, run), program("ruff"))
    assert {"--fix", "--no-unsafe-fixes", "--exit-zero"} <= set(run.words[-1])


def test_a_fix_that_fails_is_an_error(one: Path):
    with pytest.raises(ToolError, match="exit code 2"):
        fix(
            context(one, FakeRun(ruff=Ruff(one, "a.py", fix=completed("", "error: no\n", 2)))),
            program("ruff"),
        )


def test_files_are_counted(one: Path):
    assert count(context(one, FakeRun(ruff=Ruff(one, "a.py", "b.py")))) == 2


def test_options_that_would_write_or_hide_are_refused():
    assert {"--fix", "--output-format", "--exit-zero", "--add-noqa", "--unsafe-fixes"} <= set(TOOL.refused)


def test_links_that_lead_out_are_not_checked_and_named(one: Path):
    (one / "out.py").symlink_to("/proc/self/environ")
    write(one, {"b.py": ""})
    (one / "in.py").symlink_to("b.py")
    found, words = checked(one, Ruff(one, "a.py", "in.py", "out.py"))
    assert isinstance(found.outcome, Report)
    assert found.outcome.examined[Counted.FILES] == 2
    assert "'out.py'" in found.warnings[0]
    assert "in.py" not in found.warnings[0]
    assert f"--extend-exclude={one / 'out.py'}" in words[-1]


def test_a_folder_named_like_a_file_of_arguments_is_no_such_file(tmp_path: Path):
    workspace = write(tmp_path / "w", {"@x/a.py": ""})
    _, words = checked(workspace, Ruff(workspace, "@x/a.py"), settings={"paths": "@x"})
    assert all(one[-1] == "./@x" for one in words)


def test_a_configuration_that_leads_out_is_broken_before_ruff_runs(one: Path):
    write(one, {"ruff.toml": "extend = '/proc/self/environ'"})
    run = FakeRun(ruff=Ruff(one, "a.py"))
    for ask in (
        lambda ctx: check(ctx, program("ruff")),
        lambda ctx: fix(ctx, program("ruff")),
        count,
    ):
        with pytest.raises(ToolError, match="refused"):
            ask(context(one, run))
    assert run.asked == []
