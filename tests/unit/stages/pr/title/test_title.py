"""The tool title: from a pull request and settings to findings and outputs."""

import time
from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, completed, context, pull
from support.hostile_text import TEXTS

from ci_action.engine.tool import Checked
from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.changes import Changes
from ci_action.model.finding import Level
from ci_action.model.result import Broken, Report, Skipped
from ci_action.project.programs import Program
from ci_action.stages.pr import title
from ci_action.stages.pr.changed_files import ChangedFile, listing
from ci_action.system.errors import InterruptedRunError, ToolError

NOTHING = Program(argv=(), version="", source="")
ENDLESS = "(a|aa)+b"
LONG = f"feat: {'a' * 200}"


def checked(tmp_path: Path, found: Pull | NoPull, run: FakeRun | None = None, **settings: Any) -> Checked:
    (tmp_path / "w").mkdir(exist_ok=True)
    ctx = context(tmp_path / "w", run or FakeRun(git=completed(returncode=1)), pull=found, settings=settings)
    return title.TOOL.check(ctx, NOTHING)


def report(tmp_path: Path, text: str = "feat: x", run: FakeRun | None = None, **overrides: Any) -> Report:
    settings = overrides.pop("settings", {})
    outcome = checked(tmp_path, pull(title=text, **overrides), run, **settings).outcome
    assert isinstance(outcome, Report), outcome
    return outcome


def test_a_right_title(tmp_path: Path):
    found = report(tmp_path, "feat(api,ui)!: x")
    assert found.findings == ()
    assert found.examined == {"titles": 1}
    assert found.outputs == {
        "pr-title-valid": "true",
        "pr-type": "feat",
        "pr-scope": "api,ui",
        "pr-breaking": "true",
    }


def test_a_wrong_title(tmp_path: Path, wording: Any):
    found = report(tmp_path, "feature(api):add x", body="BREAKING CHANGE: y")
    assert [one.rule for one in found.findings] == ["title-form", "title-type"]
    assert {one.level for one in found.findings} == {Level.ERROR}
    assert {one.location for one in found.findings} == {None}
    assert {one.fix_message for one in found.findings} == {"feat(api): add x"}
    assert found.findings[0].message == wording
    assert found.outputs == {"pr-title-valid": "false", "pr-type": "", "pr-scope": "", "pr-breaking": "true"}


def test_the_right_parts_of_a_wrong_title_are_outputs(tmp_path: Path):
    found = report(tmp_path, "feat(no): x", settings={"title_scopes": "api"})
    assert found.outputs == {
        "pr-title-valid": "false",
        "pr-type": "feat",
        "pr-scope": "",
        "pr-breaking": "false",
    }
    found = report(tmp_path, "what(api): x", settings={"title_scopes": "api"})
    assert found.outputs["pr-scope"] == "api"
    assert found.outputs["pr-type"] == ""


def test_the_users_own_text(tmp_path: Path):
    template = "No: {title} ({type}|{scope}|{subject}). Try {proposal}. See the wiki."
    found = report(tmp_path, "Feat(a): {proposal} {title.x}", settings={"title_error": template})
    assert [(one.rule, one.message) for one in found.findings] == [
        (
            "title-error",
            (
                "No: Feat(a): {proposal} {title.x} (Feat|a|{proposal} {title.x})."
                " Try feat(a): {proposal} {title.x}. See the wiki."
            ),
        )
    ]
    assert report(tmp_path, settings={"title_error": template}).findings == ()


def test_groups_of_an_expression_are_the_outputs(tmp_path: Path):
    pattern = r"(?P<type>[A-Z]+)-\d+(?P<breaking>!)? (?P<subject>.+)"
    found = report(tmp_path, "AB-1! x", settings={"title_pattern": pattern})
    assert found.outputs == {"pr-title-valid": "true", "pr-type": "AB", "pr-scope": "", "pr-breaking": "true"}


@pytest.mark.parametrize(
    ("overrides", "settings"),
    [
        (
            {"labels": ("Any Title",)},
            {"ignore_labels": "x,any title"},
        ),
        ({"is_draft": True}, {"draft_titles": "skip"}),
        ({"title": "[WIP] x"}, {"draft_titles": "skip"}),
    ],
)
def test_titles_that_are_skipped(
    tmp_path: Path, overrides: dict[str, Any], settings: dict[str, Any], wording: Any
):
    outcome = checked(tmp_path, pull(**{"title": "wrong", **overrides}), **settings).outcome
    assert isinstance(outcome, Skipped)
    assert outcome.rightly
    assert outcome.reason == wording


def test_drafts_are_judged_by_default(tmp_path: Path):
    assert [one.rule for one in report(tmp_path, "WIP: feat: x").findings] == ["title-draft"]
    assert report(tmp_path, "wrong", is_draft=True).findings
    assert report(tmp_path, "wrong", settings={"draft_titles": "skip"}).findings


@pytest.mark.parametrize("broken", [True, False])
def test_without_a_pull_request(tmp_path: Path, broken: bool):
    outcome = checked(tmp_path, NoPull("why", broken=broken)).outcome
    assert outcome == (Broken("why") if broken else Skipped("why", rightly=True))


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_titles_leave_plain_outputs(tmp_path: Path, text: str):
    found = report(tmp_path, text.replace("\ud800\udcff", ""), settings={"title_error": "{title}"})
    for value in found.outputs.values():
        assert "\n" not in value
        assert "\r" not in value
        assert "\x1b" not in value
    assert found.outputs["pr-title-valid"] == ("false" if found.findings else "true")


def test_the_changed_files_make_the_proposal(tmp_path: Path):
    (tmp_path / "w").mkdir()

    def known(*names: str) -> str:
        files = tuple(ChangedFile(name=name) for name in names)
        fresh = context(
            tmp_path / "w",
            pull=pull(title="Login"),
            settings={"areas": "manual: docs/\ndocs: *.md\nui: src/ui/"},
        )
        fresh.pull_files.of(lambda: listing(files))
        outcome = title.TOOL.check(fresh, NOTHING).outcome
        assert isinstance(outcome, Report)
        return outcome.findings[0].fix_message

    assert known("docs/a.rst", "docs/b.rst") == "docs(manual): Login"
    assert known("a.md", "b.md") == "docs: Login"
    assert known("docs/a.md", "README.md") == "docs: Login"
    assert known("docs/a.md", "src/ui/b.py") == "feat: Login"


def test_expressions_that_could_take_long_judge_and_propose(tmp_path: Path):
    found = report(tmp_path, "feat: Add x", settings={"title_subject_pattern": "(?![A-Z]).+"})
    assert [(one.rule, one.fix_message) for one in found.findings] == [("title-subject", "feat: add x")]


# Without an end in these settings (`timeout` is at its minimum), the test would not end either.
def test_an_expression_that_never_ends_is_broken(tmp_path: Path, wording: Any):
    settings = {"title_subject_pattern": ENDLESS, "timeout": 1}
    with pytest.raises(ToolError) as caught:
        report(tmp_path, LONG, settings=settings)
    assert str(caught.value) == wording


def test_an_interruption_does_not_wait_for_a_match(tmp_path: Path):
    (tmp_path / "w").mkdir()
    settings = {"title_subject_pattern": ENDLESS, "timeout": 2}
    ctx = context(tmp_path / "w", pull=pull(title=LONG), settings=settings, stopped=lambda: True)
    started = time.monotonic()
    with pytest.raises(InterruptedRunError):
        title.TOOL.check(ctx, NOTHING)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("error", [ToolError("gone"), InterruptedRunError("gone")])
def test_errors_are_reported_also_if_the_changed_files_are_unknown(tmp_path: Path, error: Exception):
    (tmp_path / "w").mkdir()
    known = Changes(base="c0ffee", source="the event")
    ctx = context(tmp_path / "w", FakeRun(git=error), pull=pull(title="Login"), changes=known)
    outcome = title.TOOL.check(ctx, NOTHING).outcome
    assert isinstance(outcome, Report)
    assert [one.rule for one in outcome.findings] == ["title-form"]


def plan(ctx: Any) -> str:
    assert title.TOOL.plan
    return title.TOOL.plan(ctx)


def test_the_plan(tmp_path: Path):
    (tmp_path / "w").mkdir()
    assert "feat, fix" in plan(context(tmp_path / "w"))
    assert "title-pattern" in plan(context(tmp_path / "w", settings={"title_pattern": "x"}))
