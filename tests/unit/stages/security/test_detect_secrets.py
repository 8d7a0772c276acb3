"""detect-secrets as a tool: the job of the script, and the results of its events. No script is started here."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, write
from support.secret_scans import KEYWORD, LINE, VALUE, Script, accepted, cut, project, ready

from ci_action.engine.context import Context
from ci_action.engine.secret_scan.baseline import hash_of
from ci_action.engine.secret_scan.scan import SCRIPT
from ci_action.engine.secret_scan.scan import program as program_of
from ci_action.model.changes import Changes
from ci_action.model.result import Broken, Report, Skipped
from ci_action.project.file_kinds import SECRETS_BASELINE
from ci_action.stages.security.detect_secrets import TOOL, check, count
from ci_action.system.child_environ import Sees
from ci_action.system.errors import InterruptedRunError, TimedOutError, ToolError
from ci_action.system.folder import Owner


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return project(tmp_path)


def outcome(ctx: Context) -> Any:
    return check(ctx, program_of(ctx)).outcome


def test_findings_and_what_was_looked_at(one: Path):
    ctx = ready(one, script := Script(one))
    found = outcome(ctx)
    assert isinstance(found, Report)
    assert found.examined == {"files": 2, "unreadable": 0, "binary": 1, "excluded": 1}
    assert [(finding.rule, finding.location.path) for finding in found.findings if finding.location] == [
        ("secret-keyword", "a.py")
    ]
    assert script.files == [["a.py", "b.py", "c.png", "d.bin"]]
    assert VALUE not in repr(found)


def test_values_are_hidden_before_anything_is_reported(one: Path):
    ctx = ready(one, Script(one))
    outcome(ctx)
    assert ctx.redact(f"it is {VALUE}") == "it is ***"


def test_the_script_is_started_isolated_by_the_python_of_the_tools_as_the_owner(one: Path):
    ctx = ready(one, Script(one), owner=Owner(1, 2), environ={"UV_INDEX_X_PASSWORD": "p"})
    write(one.parent, {"w-tempdir/readers/x": ""})
    asked = ctx.run
    assert isinstance(asked, FakeRun)
    try:
        outcome(ctx)
    except PermissionError:
        pytest.skip("only root can change owners")
    command = asked.asked[-1]
    assert command.argv == (str(ctx.bundled.scripts / "python"), "-I", "-B", "-X", "utf8", str(SCRIPT))
    assert SCRIPT.is_file()
    assert (command.cwd, command.owner, command.environ["HOME"]) == (
        one,
        Owner(1, 2),
        str(ctx.tempdir / "readers"),
    )
    assert command.sees is Sees.LITTLE


@pytest.mark.parametrize("absent", ["bin/python", "lib/detect_secrets-1.5.0.dist-info/METADATA"])
def test_what_is_absent_is_named(absent: str, one: Path):
    ctx = ready(one, Script(one))
    (one.parent / "tools" / absent).unlink()
    if absent.endswith("METADATA"):
        (one.parent / "tools" / absent).parent.rmdir()
    with pytest.raises(ToolError, match="reinstall ci-action"):
        program_of(ctx)


@pytest.mark.parametrize(
    ("change", "answer", "kept"),
    [
        (cut, {}, 1),
        (cut, {"returncode": -9}, 1),
        (cut, {"returncode": 1}, 1),
        (lambda lines: lines, {"returncode": 1}, 1),
        (lambda lines: [*cut(lines), '{"event": "fi'], {}, 1),
        (lambda _: ["rubbish"], {}, 0),
        (lambda _: [], {}, 0),
        (lambda _: ['{"event": "failed", "problem": "no plugins"}'], {"returncode": 3}, 0),
        (lambda _: ToolError("'python' cannot be started"), {}, 0),
        (
            lambda lines: TimedOutError("python was ended after its time limit", stdout="\n".join(cut(lines)).encode()),
            {},
            1,
        ),
        (
            lambda lines: InterruptedRunError("python was interrupted", stdout="\n".join(cut(lines)).encode()),
            {},
            1,
        ),
    ],
)  # fmt: skip
def test_what_is_no_whole_answer_is_broken_and_keeps_what_was_found(
    change: Any, answer: dict[str, Any], wording: Any, kept: int, one: Path
):
    found = outcome(ready(one, Script(one, change, **answer)))
    assert isinstance(found, Broken)
    assert found.reason == wording
    assert len(found.findings) == kept


def test_a_second_run_starts_nothing_and_says_the_same(one: Path, tmp_path: Path):
    cache = tmp_path / "cache"
    first = outcome(ready(one, Script(one), cache=cache))
    ctx = ready(one, script := Script(one), cache=cache)
    assert outcome(ctx) == first
    assert script.jobs == []
    assert ctx.redact(VALUE) == "***"
    kept = (cache / "results" / "detect-secrets.kept").read_text()
    assert VALUE not in kept
    assert hash_of(VALUE) not in kept


@pytest.mark.parametrize(
    ("files", "settings", "asked"),
    [
        ({"a.py": LINE + LINE}, {}, ["a.py"]),
        ({SECRETS_BASELINE: json.dumps({"version": "1.5.0", "results": {}, "plugins_used": []})}, {}, "all"),
        ({SECRETS_BASELINE: json.dumps({"version": "1.5.0", "results": {}, "plugins_used": [{"name": "X", "path": "file://x.py"}]})}, {}, "always"),
        ({SECRETS_BASELINE: json.dumps({"version": "1.5.0", "results": {}, "filters_used": [{"path": "file://x.py::f"}]})}, {}, "always"),
        ({SECRETS_BASELINE: json.dumps({"version": "1.5.0", "results": {}, "filters_used": 7})}, {}, "always"),
        ({SECRETS_BASELINE: json.dumps({"version": "0.14.3", "results": {}})}, {}, "always"),
        ({}, {"secrets_verify": "true"}, "always"),  # pragma: allowlist secret
    ],
)  # fmt: skip
def test_what_may_say_something_else_is_scanned_again(
    files: dict[str, str], settings: dict[str, str], asked: Any, one: Path, tmp_path: Path
):
    cache = tmp_path / "cache"
    outcome(ready(one, Script(one), cache=cache))
    write(one, files)
    every = ["a.py", "b.py", "c.png", "d.bin"]
    ctx = ready(one, script := Script(one), cache=cache, settings=settings)
    outcome(ctx)
    assert script.files == [asked if isinstance(asked, list) else every]
    assert script.jobs[0]["verify"] is bool(settings)
    outcome(ready(one, script := Script(one), cache=cache, settings=settings))
    assert script.files == ([every] if asked == "always" else [])


def test_what_is_done_before_it_breaks_is_kept(one: Path, tmp_path: Path):
    outcome(ready(one, Script(one, cut), cache=tmp_path / "cache"))
    outcome(ready(one, script := Script(one), cache=tmp_path / "cache"))
    assert script.files == [["b.py", "c.png", "d.bin"]]


def test_what_is_accepted_is_muted_and_the_baseline_itself_is_not_scanned(one: Path):
    accepted(one)
    found = outcome(ready(one, script := Script(one)))
    assert [finding.muted for finding in found.findings] == ["accepted in .secrets.baseline"]
    assert SECRETS_BASELINE not in script.files[0]
    assert script.jobs[0]["baseline"] == {"version": "1.5.0"}
    assert script.jobs[0]["name"] == SECRETS_BASELINE


def test_what_the_baseline_marks_as_real_counts(one: Path, wording: Any):
    accepted(one, is_secret=True)
    (found,) = outcome(ready(one, Script(one))).findings
    assert found.counts
    assert found.message == wording


def test_entries_that_are_found_no_more_are_one_warning(one: Path, wording: Any):
    gone = {"type": KEYWORD, "hashed_secret": "0" * 40}
    accepted(one, gone, {**gone, "type": "AWS Access Key"})
    ctx = ready(one, Script(one))
    assert check(ctx, program_of(ctx)).warnings == (wording,)


def test_of_files_that_were_not_looked_at_nothing_is_gone(one: Path):
    accepted(one, {"type": KEYWORD, "hashed_secret": "0" * 40})
    changes = Changes(lines={"b.py": frozenset({1})})
    ctx = ready(one, script := Script(one), changes=changes, settings={"scope": "changed"})
    checked = check(ctx, program_of(ctx))
    assert checked.warnings == ()
    assert isinstance(checked.outcome, Report)
    assert {found.location.path for found in checked.outcome.findings if found.location} <= {"b.py"}
    assert script.files == [["a.py", "b.py", "c.png", "d.bin"]], "tests may quote any file"


def test_without_files_it_is_skipped(one: Path, tmp_path: Path, wording: Any):
    empty = write(tmp_path / "empty", {"only.png": ""})
    assert outcome(ready(empty, Script(empty))) == Skipped(wording)
    (empty / "only.png").unlink()
    assert outcome(ready(empty, Script(empty))) == Skipped("no files in '.'")
    ctx = ready(one, Script(one), changes=Changes(), settings={"scope": "changed"})
    assert outcome(ctx) == Skipped("no changed file", rightly=True)


def test_a_large_project_is_divided_and_the_results_are_the_same(tmp_path: Path):
    files = {f"{letter}.py": LINE + "#" * 700_000 for letter in "abcdefgh"}
    root = write(tmp_path / "w", files)
    script = Script(root)
    found = outcome(ready(root, script))
    assert sorted(name for names in script.files for name in names) == sorted(files)
    assert [finding.location.path for finding in found.findings] == sorted(files)


def test_count_and_plan(one: Path):
    accepted(one)
    ctx = ready(one, Script(one))
    assert count(ctx) == 4
    assert TOOL.plan
    assert TOOL.plan(ctx) == "1.5.0 from bundled, 4 files, 1 accepted in .secrets.baseline"
