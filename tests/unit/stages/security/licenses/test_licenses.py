"""The tool that checks licences: its packages and messages, and that it is never silently green."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, completed, context, layout, program, write

from ci_action.engine.context import Context
from ci_action.model.changes import Changes
from ci_action.model.result import Report, Skipped
from ci_action.project.environment import Environment
from ci_action.stages.security.licenses import TOOL
from ci_action.system.errors import ToolError

PACKAGES = {"requests": "2.32.3", "urllib3": "2.5.0", "pytest": "9.0", "sample": "0"}
FILES = {
    "requests-2.32.3.dist-info/METADATA": "Name: requests\nVersion: 2.32.3\nLicense: Apache-2.0\n",
    "urllib3-2.5.0.dist-info/METADATA": "Name: urllib3\nVersion: 2.5.0\n",
    "pytest-9.0.dist-info/METADATA": "Name: pytest\nVersion: 9.0\nLicense-Expression: MIT\n",
    "sample-0.dist-info/METADATA": "Name: sample\nVersion: 0\nLicense: Proprietary\n",
}


def ctx_of(tmp_path: Path, files: dict[str, str] = FILES, answer: Any = None, **overrides: Any) -> Context:
    """Return a context in which the test stage has left an environment with these packages."""
    workspace, packages = tmp_path / "w", tmp_path / "packages"
    workspace.mkdir()
    packages.mkdir()
    write(packages, files)
    settings = overrides.pop("settings", {"licenses_allow": "Apache-2.0"})
    pyproject = {"project": {"name": "Sample", "dependencies": ["requests"]}}
    run = FakeRun(python=answer or completed(json.dumps([str(packages)])))
    ctx = context(workspace, run, settings=settings, **overrides)
    environment = Environment(
        python="/env/bin/python", version="3.13.0", source="uv.lock", packages=PACKAGES, added=("pytest",)
    )
    environment.save(ctx.tempdir)
    return replace(ctx, layout=layout(workspace, pyproject=pyproject))


def report_of(ctx: Context) -> Report:
    outcome = TOOL.check(ctx, program("licenses")).outcome
    assert isinstance(outcome, Report)
    return outcome


def test_the_dependencies_are_judged_and_neither_our_packages_nor_the_project(tmp_path: Path, wording: Any):
    outcome = report_of(ctx_of(tmp_path))
    assert outcome.examined == {"packages": 2, "unreadable": 0}
    (one,) = outcome.findings
    assert (one.rule, one.severity, one.location) == ("license-unknown", "unknown", None)
    assert one.message == wording
    assert one.package
    assert (one.package.name, one.package.version, one.package.licenses) == ("urllib3", "2.5.0", "")


@pytest.mark.parametrize(
    ("settings", "rules"),
    [
        ({"licenses_allow": "Apache-2.0, LicenseRef-urllib3"}, {}),
        ({"licenses_allow": "ISC, LicenseRef-urllib3"}, {"requests": "license-not-allowed"}),
        ({"licenses_deny": "Apache-*"}, {"requests": "license-denied", "urllib3": "license-unknown"}),
    ],
)
def test_the_lists_decide(tmp_path: Path, settings: dict[str, str], rules: dict[str, str]):
    found = report_of(ctx_of(tmp_path, settings=settings)).findings
    assert {one.package.name: one.rule for one in found if one.package} == rules
    assert {one.severity for one in found} <= {"high", "unknown"}


def test_metadata_that_cannot_be_read_is_told(tmp_path: Path, wording: Any):
    outcome = report_of(ctx_of(tmp_path, {"broken-1.0.dist-info/RECORD": ""}))
    assert outcome.examined == {"packages": 1, "unreadable": 1}
    assert outcome.findings[0].message == wording


def test_hostile_metadata_is_one_line_and_cut(tmp_path: Path):
    name = "x\x1b[31m" + "y" * 9000
    text = f"Name: {name}\nVersion: 1\nLicense: ::error::\x1b[0m {'x' * 9000}\n"
    (one,) = report_of(ctx_of(tmp_path, {"x-1.dist-info/METADATA": text})).findings
    assert "\x1b" not in one.message
    assert len(one.message) < 500


def test_nothing_but_the_project_is_skipped(tmp_path: Path, wording: Any):
    files = {name: text for name, text in FILES.items() if name.startswith(("sample", "pytest"))}
    outcome = TOOL.check(ctx_of(tmp_path, files), program("licenses")).outcome
    assert outcome == Skipped(wording)


@pytest.mark.parametrize(
    ("files", "answer"),
    [
        ({}, None),
        (FILES, completed("no list", stderr="boom")),
        (FILES, completed("5")),
        (FILES, ToolError("killed")),
    ],
)
def test_what_cannot_be_looked_at_is_broken(tmp_path: Path, files: dict[str, str], answer: Any, wording: Any):
    with pytest.raises(ToolError) as caught:
        TOOL.check(ctx_of(tmp_path, files, answer), program("licenses"))
    assert caught.value.reason == wording


@pytest.mark.parametrize(
    ("changes", "install", "new"),
    [
        (None, "", None),
        (Changes(problem="no git"), "", None),
        (Changes(base="c", lines={"a.py": frozenset({1})}), "", False),
        (Changes(base="c", lines={"pyproject.toml": frozenset({1})}), "", True),
        (Changes(base="c", lines={"a.py": frozenset({1})}), "pip install x", None),
    ],
)
def test_new_is_what_came_with_a_change_of_what_decides(
    tmp_path: Path, changes: Changes | None, install: str, new: bool | None
):
    ctx = ctx_of(tmp_path, changes=changes, settings={"licenses_allow": "MIT", "install": install})
    write(ctx.layout.root, {"pyproject.toml": ""})
    assert {one.new for one in report_of(ctx).findings} == {new}


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [({}, False), ({"licenses_allow": "MIT"}, True), ({"licenses_deny": "GPL-*"}, True)],
)
def test_it_is_off_unless_a_list_is_set(tmp_path: Path, settings: dict[str, str], wanted: bool):
    assert TOOL.wanted(context(tmp_path, settings=settings)) is wanted


def test_the_plan_names_the_lists(tmp_path: Path, wording: Any):
    settings = {"licenses_allow": "MIT", "licenses_deny": "GPL-*", "install": "none"}
    plan = TOOL.plan
    assert plan
    assert plan(context(tmp_path, settings=settings)) == wording
