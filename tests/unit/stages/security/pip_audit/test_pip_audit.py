"""pip-audit as a tool: its command, when it is skipped, and its options. Findings are in test_result.py."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, bundled_tools, completed, context, write

from ci_action.engine.advisories.lookup import program
from ci_action.model.changes import Changes
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.stages.security.pip_audit import argument_mistakes, check, plan
from ci_action.system.child_environ import Sees
from ci_action.system.errors import InterruptedRunError, TimedOutError
from ci_action.system.process import Command, Completed

LOCK = """[[package]]
name = "a"
version = "1"
source = { registry = "x" }
[[package]]
name = "b"
version = "2"
source = { registry = "x" }
"""


def clean(command: Command) -> Completed:
    """Answer like pip-audit without vulnerabilities."""
    file = next(word for word in command.argv if word.startswith("--requirement=")).partition("=")[2]
    pairs = [line.split("==") for line in Path(file).read_text().splitlines()]
    entries = [{"name": name, "version": version, "vulns": []} for name, version in pairs]
    return completed(json.dumps({"dependencies": entries, "fixes": []}), "No known vulnerabilities found\n")


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    return write(tmp_path / "w", {"uv.lock": LOCK})


def checked(root: Path, run: FakeRun, **overrides):
    ctx = context(
        root, run, **{"bundled": bundled_tools(root.parent / "tools", pip_audit="2.10.1"), **overrides}
    )
    write(root.parent / "tools", {"bin/pip-audit": ""})
    return check(ctx, program(ctx))


def test_what_is_started(locked):
    run = FakeRun(python=clean)
    found = checked(
        locked, run, settings={"advisory_url": "http://u:pass-word@h/v1", "pip_audit_args": "--timeout=3"},
        environ={"PIP_AUDIT_FORMAT": "x", "PATH": ""},
    )  # fmt: skip
    assert found.outcome == Report(examined={Counted.PACKAGES: 2, Counted.SKIPPED: 0})
    assert found.log == "audited 2 of 2 packages from uv.lock\nadvisories from h, 1 runs of pip-audit"
    (command,) = run.asked
    assert {"--no-deps", "--disable-pip", "--format=json", "--vulnerability-service=osv"} <= set(command.argv)
    assert command.argv[-1] == "--timeout=3"
    assert not any("pass-word" in word for word in command.argv)
    assert command.environ["PIP_AUDIT_OSV_URL"] == "http://u:pass-word@h/v1/query"
    assert Path(command.environ["PIPAPI_PYTHON_LOCATION"]).is_file()
    assert command.sees is Sees.NETWORK


@pytest.mark.parametrize(
    "answer",
    [
        completed(json.dumps({"dependencies": []})),
        completed(json.dumps({"dependencies": []}), returncode=1),
        completed("", "ERROR:pip_audit._cli:invalid\n", 1),
        completed("", "", -9),
        completed(""),
        TimedOutError("late"),
    ],
)  # fmt: skip
def test_what_says_nothing_is_broken(answer, wording: Any, locked):
    found = checked(locked, FakeRun(python=answer), settings={"timeout": 1})
    assert isinstance(found.outcome, Broken)
    assert found.outcome.reason == wording


def test_an_interruption_ends_it(locked):
    with pytest.raises(InterruptedRunError):
        checked(locked, FakeRun(python=InterruptedRunError("stop")))


def test_a_project_without_dependencies(tmp_path, wording: Any):
    found = checked(write(tmp_path / "w", {"a.py": ""}), FakeRun(git=completed("a.py\0")))
    assert found.outcome == Skipped(wording)
    assert found.warnings == ()


def test_dependencies_that_are_listed_elsewhere_are_no_silence(tmp_path):
    names = [
        "svc/uv.lock",
        "pylock.dev.toml",
        "web/dev-requirements.in",
        "requirements.txt",
        "requirements/x.txt",
        "svc/my-uv.lock",
        "a.py",
    ]
    run = FakeRun(git=completed("".join(f"{name}\0" for name in names)))
    found = checked(write(tmp_path / "w", dict.fromkeys(names, "")), run)
    assert isinstance(found.outcome, Skipped)
    (warning,) = found.warnings
    assert "'pylock.dev.toml', 'svc/uv.lock', 'web/dev-requirements.in'; `working-directory`" in warning


@pytest.mark.parametrize(
    "name",
    [
        "Pipfile",
        "hatch.toml",
        "environment.yml",
        "environment-dev.yaml",
        "conda.yml",
        "pixi.toml",
        "a/pixi.lock",
    ],
)
def test_dependencies_in_a_form_that_is_not_read_are_no_silence(tmp_path, name):
    found = checked(write(tmp_path / "w", {name: ""}), FakeRun(git=completed(f"{name}\0")))
    (warning,) = found.warnings
    assert f"'{name}'; `working-directory`" in warning


def test_a_pipfile_with_its_lock_was_read(tmp_path, wording: Any):
    files = {"Pipfile": "", "Pipfile.lock": "{}"}
    found = checked(write(tmp_path / "w", files), FakeRun(git=completed("Pipfile\0Pipfile.lock\0")))
    assert found.outcome == Skipped(wording)
    assert found.warnings == ()


def test_packages_of_the_base_are_asked_for_in_the_same_go(locked):
    def git(command: Command) -> Completed:
        return completed(f"{locked}\n" if "--show-toplevel" in command.argv else LOCK.replace('"1"', '"0.9"'))

    run = FakeRun(python=clean, git=git)
    changes = Changes(base="c0ffee", lines={"uv.lock": frozenset({3})})
    found = checked(locked, run, changes=changes)
    assert isinstance(found.outcome, Report)
    assert found.outcome.examined == {"packages": 2, "skipped": 0}
    asked = sorted(
        line
        for file in (locked.parent / "w-tempdir" / "pip-audit").glob("*.txt")
        for line in file.read_text().split()
    )
    assert asked == ["a==0.9", "a==1", "b==2"]


def test_a_lock_that_the_change_leaves_is_its_own_base(locked):
    run = FakeRun(python=clean)
    checked(locked, run, changes=Changes(base="c0ffee"))
    assert len(run.asked) == 1


@pytest.mark.parametrize(
    ("words", "mistakes"),
    [
        ((), 0), (("--timeout=60", "-v"), 0), (("--timeout", "60", "--verbose"), 0),
        (("--ign=X",), 1), (("--ignore-vuln", "X"), 2), (("-o", "f"), 2), (("--form=columns",), 1), (("--fix",), 1),
        (("-s", "pypi"), 2), (("--osv-url=http://x",), 1), (("--strict",), 1), (("project",), 1), (("--timeout", "--fix"), 1),
    ],
)  # fmt: skip
def test_what_may_be_given(words, mistakes):
    found = argument_mistakes(words)
    assert len(found) == mistakes
    assert all(mistake.startswith("pip-audit-args: ") for mistake in found)


@pytest.mark.parametrize(
    ("files", "settings", "text"),
    [
        ({"uv.lock": LOCK}, {}, "2 packages from uv.lock, advisories from api.osv.dev"),
        ({"requirements.txt": "a"}, {}, "what uv resolves, advisories from api.osv.dev"),
        ({"uv.lock": LOCK}, {"install": "none"}, "the environment, advisories from api.osv.dev"),
    ],
)
def test_the_plan_asks_nobody(files, settings, text, tmp_path):
    ctx = context(
        write(tmp_path / "w", files),
        settings=settings,
        bundled=bundled_tools(tmp_path / "tools", pip_audit="2.10.1"),
    )
    assert plan(ctx) == f"2.10.1 from bundled, {text}"
