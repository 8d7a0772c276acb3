"""The tool hadolint: which files it gets, and what its output means, by kept runs."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import FakeGit, FakeRun, completed, context, write
from support.hadolint_runs import BAD, CASES, CLEAN, kept_run

from ci_action.model.changes import Changes
from ci_action.model.finding import Level
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.project.programs import Program
from ci_action.stages.docker.hadolint import check, count
from ci_action.stages.docker.hadolint.config import hadolint_config
from ci_action.stages.docker.hadolint.output import Row, finding_of, rows_of
from ci_action.system.errors import InterruptedRunError, TimedOutError, ToolError
from ci_action.system.process import Command, Completed

HADOLINT = Program(argv=("hadolint",), version="2.15.1")
ROW = {"code": "DL3003", "column": 1, "file": "-", "level": "warning", "line": 3, "message": "Use WORKDIR"}


class Runs:
    """Answers git with tracked files, and hadolint by the content of the file."""

    def __init__(self, *tracked: str | bytes, **answers: Any) -> None:
        self._git = FakeGit(*tracked)
        self._hadolint = FakeRun(hadolint=answers.get("hadolint", self._answer))
        self.commands = self._hadolint.asked

    def __call__(self, command: Command) -> Completed:
        return (self._git if command.argv[0] == "git" else self._hadolint)(command)

    @staticmethod
    def _answer(command: Command) -> Completed:
        known = {case.source: name for name, case in CASES.items() if case.config == "{}\n"}
        return kept_run(known[command.stdin.decode()])


def outcome_of(folder: Path, files: dict[str, str], run: Any = None, **settings: Any) -> Any:
    ctx = context(write(folder / "w", files), run or Runs(*files), settings=settings)
    return check(ctx, HADOLINT).outcome


def test_findings_are_on_the_lines_of_the_file(tmp_path: Path):
    report = outcome_of(tmp_path, {"Dockerfile": BAD, "api/web.Dockerfile": CLEAN})
    assert isinstance(report, Report)
    assert [(one.path, one.line, one.rule, one.level) for one in report.findings] == [
        ("Dockerfile", 1, "DL3006", Level.WARNING),
        ("Dockerfile", 2, "DL3015", Level.NOTICE),
        ("Dockerfile", 2, "DL3008", Level.WARNING),
        ("Dockerfile", 2, "DL3014", Level.WARNING),
        ("Dockerfile", 3, "DL3003", Level.WARNING),
        ("Dockerfile", 3, "SC2086", Level.NOTICE),
    ]
    assert report.examined == {Counted.FILES: 2, Counted.UNREADABLE: 0}
    assert {one.url.rpartition("/")[0] for one in report.findings} == {
        "https://github.com/hadolint/hadolint/wiki",
        "https://github.com/koalaman/shellcheck/wiki",
    }


def test_a_file_that_cannot_be_parsed_is_counted(tmp_path: Path):
    report = outcome_of(tmp_path, {"Dockerfile": CASES["unparsable"].source})
    (one,) = report.findings
    assert (one.line, one.rule, one.level) == (3, "DL1000", Level.WARNING)
    assert report.examined == {Counted.FILES: 1, Counted.UNREADABLE: 1}


def test_no_name_of_a_file_is_on_the_command_line(tmp_path: Path):
    hostile = ["-c.Dockerfile", "a\nb.Dockerfile", os.fsdecode(b"\xff.Dockerfile"), "--format=tty/Dockerfile"]
    files = dict.fromkeys([*hostile, "Dockerfile"], BAD)
    run = Runs(*map(os.fsencode, files))
    report = outcome_of(tmp_path, files, run)
    assert {one.path for one in report.findings} == {*files}
    config = tmp_path / "w-tempdir" / "hadolint.yaml"
    assert {one.argv for one in run.commands} == {("hadolint", "--format=json", f"--config={config}", "-")}
    assert {one.cwd for one in run.commands} == {config.parent}


@pytest.mark.parametrize(
    ("files", "settings", "names"),
    [
        (["Dockerfile"], {}, ["Dockerfile"]),
        (["Dockerfile.dev", "a/Dockerfile", "Containerfile"], {}, ["Containerfile", "Dockerfile.dev", "a/Dockerfile"]),
        (["x.Dockerfile", "Dockerfile"], {}, ["Dockerfile", "x.Dockerfile"]),
        (["Dockerfile.dockerignore", "mydockerfile", "Dockerfiles", "x.dockerfile.md"], {}, []),
        (["Dockerfile.j2", "Dockerfile.in", "a.Dockerfile"], {}, ["a.Dockerfile"]),
        (["build/image", "Dockerfile"], {"dockerfile": "build/image"}, ["build/image", "Dockerfile"]),
        (["app/Dockerfile", "Dockerfile"], {"context": "./app/../app/"}, ["app/Dockerfile", "Dockerfile"]),
        (["app/Dockerfile", "Dockerfile"], {"context": "app", "dockerfile": "Dockerfile"}, ["Dockerfile", "app/Dockerfile"]),
        (["app/Dockerfile", "b/Dockerfile", "Dockerfile"], {"paths": "app"}, ["Dockerfile", "app/Dockerfile"]),
        (["app/Dockerfile", "Dockerfile.tmpl"], {"dockerfile": "Dockerfile.tmpl"}, ["Dockerfile.tmpl", "app/Dockerfile"]),
        ([], {}, []),
    ],
)  # fmt: skip
def test_which_files_are_checked(tmp_path: Path, files: Sequence[str], settings: Any, names: Sequence[str]):
    def answer(_command: Command) -> Completed:
        return completed(json.dumps([ROW]), "", 1)

    under = settings.get("paths", "")
    run = Runs(*(name for name in files if name.startswith(under)), hadolint=answer)
    ctx = context(write(tmp_path / "w", dict.fromkeys(files, BAD)), run, settings=settings)
    outcome = check(ctx, HADOLINT).outcome
    assert [one.path for one in outcome.findings] == names
    assert count(ctx) == len(names)
    assert isinstance(outcome, Report if names else Skipped)
    if isinstance(outcome, Report):
        assert len(outcome.details) == ("Dockerfile.j2" in files)


def test_a_file_outside_of_the_workspace_is_not_read(tmp_path: Path):
    (tmp_path / "secret").write_text(BAD)
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "Dockerfile").symlink_to(tmp_path / "secret")
    report = check(context(tmp_path / "w", Runs()), HADOLINT).outcome
    assert [(one.rule, one.level) for one in report.findings] == [("unreadable", Level.WARNING)]
    assert report.examined == {Counted.FILES: 1, Counted.UNREADABLE: 1}


@pytest.mark.parametrize(("changed", "checked"), [({}, 0), ({"a.Dockerfile": frozenset({1})}, 1)])
def test_only_changed_files_are_checked_if_the_run_is_limited_to_the_change(
    tmp_path: Path, changed: Any, checked: int
):
    files = {"Dockerfile": BAD, "a.Dockerfile": BAD}
    changes = Changes(base="c0ffee", lines=changed)
    ctx = context(write(tmp_path / "w", files), Runs(*files), settings={"scope": "changed"}, changes=changes)
    outcome = check(ctx, HADOLINT).outcome
    assert count(ctx) == checked
    assert outcome.rightly if isinstance(outcome, Skipped) else outcome.examined[Counted.FILES] == checked


@pytest.mark.parametrize(
    ("changed", "new"),
    [({3}, [None, True]), ({4}, [None, False]), ({2}, [None, True]), ({1}, [None, False])],
)
def test_a_change_in_an_instruction_of_several_lines_counts(tmp_path: Path, changed: set[int], new: Any):
    rows = [{**ROW, "line": 1}, {**ROW, "line": 2}]
    source = "FROM debian:13\nRUN cd /x && \\\n  b\nRUN c\n"
    run = Runs("Dockerfile", hadolint=completed(json.dumps(rows), "", 1))
    changes = Changes(base="c0ffee", lines={"Dockerfile": frozenset(changed)})
    ctx = context(write(tmp_path / "w", {"Dockerfile": source}), run, changes=changes)
    assert [one.new for one in check(ctx, HADOLINT).outcome.findings] == new


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (completed(returncode=-9), "SIGKILL"),
        (completed("[]", returncode=-9), "SIGKILL"),
        (completed("[", returncode=1), "JSON"),
        (completed("", "hadolint: x: does not exist\n", 1), "does not exist"),
        (completed("", returncode=0), "0"),
        (completed("rubbish", returncode=0), "JSON"),
        (completed('{"code": "DL3003"}', returncode=1), "JSON"),
        (completed('[{"code": "DL3003"}]', returncode=1), "JSON"),
        (completed("[" * 100_000, returncode=1), "JSON"),
        (completed("[]", "crashed\n", 1), "crashed"),
        (completed(json.dumps([ROW]), "crashed\n", 2), "crashed"),
        (TimedOutError("hadolint timed out"), "timed out"),
        (InterruptedRunError("stop"), "stop"),
        (ToolError("could not start"), "start"),
    ],
)
def test_a_run_without_a_whole_answer_is_broken(tmp_path: Path, done: Any, said: str):
    outcome = outcome_of(tmp_path, {"Dockerfile": BAD}, Runs("Dockerfile", hadolint=done))
    assert isinstance(outcome, Broken)
    assert said in outcome.reason


def test_findings_before_a_problem_are_kept(tmp_path: Path):
    def answer(command: Command) -> Completed:
        return completed(json.dumps([ROW]), "", 1) if b"1" in command.stdin else completed("", "", -9)

    files = {"Dockerfile": "FROM 1\n", "a.Dockerfile": "FROM 2\n"}
    outcome = outcome_of(tmp_path, files, Runs(*files, hadolint=answer))
    assert isinstance(outcome, Broken)
    assert outcome.examined[Counted.FILES] in {0, 1}  # side by side
    assert len(outcome.findings) == outcome.examined[Counted.FILES]


@pytest.mark.parametrize("case", ["wrong-value", "wrong-quotes", "wrong-syntax", "wrong-empty"])
def test_a_wrong_configuration_is_broken(case: str, wording: Any):
    with pytest.raises(ToolError) as caught:
        rows_of(kept_run(case), ".hadolint.yaml")
    assert caught.value.reason == wording


def test_the_configuration_decides_about_levels_and_rules():
    found = [finding_of(row, "Dockerfile") for row in rows_of(kept_run("levels"))]
    assert [(one.rule, one.level) for one in found] == [
        ("DL3006", Level.NOTICE),
        ("DL3015", Level.WARNING),
        ("DL3014", Level.WARNING),
        ("DL3003", Level.WARNING),
    ]
    assert len(rows_of(kept_run("threshold"))) == len(rows_of(kept_run("format"))) == 6


@pytest.mark.parametrize(
    ("files", "root", "source"),
    [
        ({}, ".", ""),
        ({".hadolint.yaml": "{}"}, ".", ".hadolint.yaml"),
        ({".hadolint.yml": "{}"}, ".", ".hadolint.yml"),
        ({".hadolint.yml": "{}", ".hadolint.yaml": "{}"}, ".", ".hadolint.yaml"),
        ({".hadolint.yaml": "{}"}, "a", ".hadolint.yaml"),
        ({".hadolint.yaml": "{}", "a/.hadolint.yml": "{}"}, "a", "a/.hadolint.yml"),
        ({"a/.hadolint.yml": "{}"}, ".", ""),
    ],
)
def test_the_nearest_configuration_counts(tmp_path: Path, files: dict[str, str], root: str, source: str):
    workspace = write(tmp_path / "w", {**files, "a/Dockerfile": BAD})
    ctx = context(workspace)
    given = context(workspace, layout=ctx.layout.__class__(workspace=workspace, root=workspace / root))
    found = hadolint_config(given.layout, ctx.tempdir)
    assert found.source == source
    assert found.path == (workspace / source if source else ctx.tempdir / "hadolint.yaml")


def test_the_format_of_the_configuration_is_left_out(tmp_path: Path):
    ctx = context(write(tmp_path / "w", {".hadolint.yaml": "format: tty\nignored: [DL3008]\n"}))
    found = hadolint_config(ctx.layout, ctx.tempdir)
    assert (found.source, found.warnings) == (".hadolint.yaml", ())
    assert json.loads(found.path.read_text()) == {"ignored": ["DL3008"]}


def test_a_configuration_outside_of_the_workspace_is_refused(tmp_path: Path):
    (tmp_path / "c.yaml").write_text("{}")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / ".hadolint.yaml").symlink_to(tmp_path / "c.yaml")
    ctx = context(tmp_path / "w")
    with pytest.raises(ToolError):
        hadolint_config(ctx.layout, ctx.tempdir)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("ignored: [DL3008]\nfailure-threshold: error", 0),
        ("ignore: [DL3008]", 1),
        ("overide: {}\nfail: x", 2),
        ("override: {fatal: [DL3008], error: []}", 1),
        ("override: [x]", 0),
        ("[]", 0),
        ("ignored: [", 0),
        ("a: &x [*x]", 0),
        ("1: 2", 1),
    ],
)
def test_keys_that_hadolint_ignores_are_warnings(tmp_path: Path, text: str, number: int):
    ctx = context(write(tmp_path / "w", {".hadolint.yaml": text}))
    assert len(hadolint_config(ctx.layout, ctx.tempdir).warnings) == number


@given(
    st.builds(
        Row, code=st.text(), level=st.text(), message=st.text(), line=st.integers(), column=st.integers()
    )
)
def test_any_row_is_a_finding(row: Row):
    found = finding_of(row, "Dockerfile")
    assert found.location is not None
    assert found.location.line is not None
    assert found.location.line > 0
    assert found.url in {"", f"https://github.com/hadolint/hadolint/wiki/{row.code}"} | {
        f"https://github.com/koalaman/shellcheck/wiki/{row.code}"
    }
