"""The tool metadata: its outputs, for any text in a pull request."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from support.builders import FakeRun, completed, context, event
from support.fake_github import FilesAndLabels, entry, pull
from support.hostile_text import FOREIGN

from ci_action.engine.tool import Checked
from ci_action.github.errors import ApiError
from ci_action.github.pull_request import NoPull
from ci_action.model.changes import Changes
from ci_action.model.result import Broken, Report, Skipped
from ci_action.project.programs import Program
from ci_action.settings.types import Area
from ci_action.stages.pr import OUTPUTS
from ci_action.stages.pr.changed_files import ChangedFile
from ci_action.stages.pr.metadata import TOOL, areas_of
from ci_action.system.errors import InterruptedRunError

NOT_HERE = completed(stderr="fatal: not a git repository", returncode=128)
NOTHING = Program(argv=(), version="", source="")
# Those of the tool title.
TITLE = {"pr-title-valid", "pr-type", "pr-scope", "pr-breaking"}


def checked(tmp_path: Path, github: Any = None, **overrides: Any) -> Checked:
    values: dict[str, Any] = {"pull": pull(), "event": event(name="pull_request"), **overrides}
    return TOOL.check(
        context(tmp_path, FakeRun(git=NOT_HERE), github=github or FilesAndLabels(), **values), NOTHING
    )


def outputs(tmp_path: Path, github: Any = None, **overrides: Any) -> dict[str, str]:
    outcome = checked(tmp_path, github, **overrides).outcome
    assert isinstance(outcome, Report)
    return dict(outcome.outputs)


def test_outputs_of_the_event_are_kept_if_the_run_is_interrupted(tmp_path: Path):
    run = FakeRun(git=InterruptedRunError("git was interrupted"))
    known = Changes(base="c0ffee", source="the event")
    outcome = TOOL.check(context(tmp_path, run, pull=pull(number=12), changes=known), NOTHING).outcome
    assert isinstance(outcome, Broken)
    assert (outcome.reason, outcome.outputs["pr-number"]) == ("git was interrupted", "12")


def test_all_outputs_of_a_pull_request(tmp_path: Path):
    files = [
        entry("src/a.py", additions=40, deletions=2),
        entry("uv.lock", additions=900),
        entry("README.md"),
    ]
    mine = pull(
        number=12, author="dependabot[bot]", is_bot=True, base="main", head="topic/x", is_fork=True, is_draft=True,
        labels=("bug", "size/S"), body="Fixes #3 and resolves other/name#4",
    )  # fmt: skip
    assert outputs(tmp_path, FilesAndLabels(files), pull=mine) == {
        "pr-number": "12",
        "pr-author": "dependabot[bot]",
        "pr-base": "main",
        "pr-head": "topic/x",
        "pr-labels": '["bug", "size/S"]',
        "pr-draft": "true",
        "pr-issues": '["#3", "other/name#4"]',
        "is-fork": "true",
        "is-bot": "true",
        "changed-files": "3",
        "changed-lines": "943",
        "changed-areas": '[".", "src"]',
        "has-migrations": "false",
        "has-docs": "true",
        "has-dependencies": "true",
        "pr-size": "M",
    }


def test_every_output_that_is_declared_is_made_and_no_other(tmp_path: Path):
    assert set(outputs(tmp_path)) | TITLE == {output.name for output in OUTPUTS}


def test_areas_of_the_settings(tmp_path: Path):
    given_areas = "api: src/api/, tests/api/\ndocs: docs/"
    found = outputs(tmp_path, FilesAndLabels([entry("tests/api/x")]), settings={"areas": given_areas})
    assert found["changed-areas"] == '["api"]'


def test_nothing_is_false_of_files_that_are_not_listed(tmp_path: Path):
    files = [entry(f"docs/{number}.md") for number in range(3000)]
    mine = pull(changed_files=3001, additions=8000, deletions=1)
    found = outputs(tmp_path, FilesAndLabels(files), pull=mine)
    kinds = {name: found[name] for name in ("has-docs", "has-migrations", "has-dependencies")}
    assert kinds == {"has-docs": "true", "has-migrations": "", "has-dependencies": ""}
    assert (found["changed-files"], found["changed-lines"], found["pr-size"]) == ("3001", "8001", "XXL")


def test_only_the_numbers_are_known_of_unknown_files(tmp_path: Path):
    github = FilesAndLabels(refuses={"pull_files": ApiError("no", 403)})
    found = outputs(tmp_path, github, pull=pull(changed_files=3, additions=8, deletions=2))
    assert (found["changed-files"], found["changed-lines"], found["pr-size"]) == ("3", "10", "S")
    names = ("changed-areas", "has-docs", "has-migrations", "has-dependencies")
    assert [found[name] for name in names] == ["", "", "", ""]


def test_outputs_of_the_event_are_kept_if_the_files_are_unknown(tmp_path: Path):
    github = FilesAndLabels(refuses={"pull_files": ApiError("no", 403)})
    found = checked(tmp_path, github).outcome
    assert isinstance(found, Broken)
    assert found.outputs["pr-author"] == "someone"
    assert "changed-files" not in found.outputs


def test_without_a_pull_request(tmp_path: Path):
    assert checked(tmp_path, pull=NoPull("none")).outcome == Skipped("none", rightly=True)
    assert checked(tmp_path, pull=NoPull("no payload", broken=True)).outcome == Broken("no payload")


@pytest.mark.parametrize(("number", "held", "noted"), [(200, 200, False), (201, 200, True)])
def test_long_lists_are_cut_with_a_warning(tmp_path: Path, number: int, held: int, noted: bool):
    github = FilesAndLabels([entry(f"d{one:04}/x") for one in range(number)])
    found = checked(tmp_path, github)
    assert isinstance(found.outcome, Report)
    assert len(json.loads(found.outcome.outputs["changed-areas"])) == held
    assert found.warnings == (
        (f"the output changed-areas holds the first 200 of {number} entries",) if noted else ()
    )


def test_everything_together_leaves_room_for_other_outputs(tmp_path: Path):
    long = ["é" * 300 + str(number) for number in range(3000)]
    github = FilesAndLabels([entry(f"{name}/x") for name in long])
    body = " ".join(f"fixes #{number}" for number in range(1, 6000))
    found = outputs(tmp_path, github, pull=pull(labels=tuple(long), body=body))
    assert sum(len(value.encode()) for value in found.values()) < 300_000


@given(FOREIGN, FOREIGN)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_values_are_one_line_of_plain_text(tmp_path: Path, one: str, two: str):
    github = FilesAndLabels([entry(f"{one}/{two}"), entry(two or "x")])
    mine = pull(author=one, base=two, head=one, labels=(one, two), body=f"{two} fixes #3")
    for name, value in outputs(tmp_path, github, pull=mine).items():
        assert value.splitlines() in ([value], []), name
        assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in value), name
        value.encode("utf-8")
        if name in {"pr-labels", "pr-issues", "changed-areas"}:
            assert all(isinstance(text, str) for text in json.loads(value))


def test_the_name_before_a_move_counts_too(tmp_path: Path):
    moved = entry("x", status="renamed", previous_filename="uv.lock")
    assert outputs(tmp_path, FilesAndLabels([moved]))["has-dependencies"] == "true"


AREAS = (
    Area(name="api", patterns=("src/api/", "tests/api/")),
    Area(name="all but docs", patterns=("*", "!docs/**")),
    Area(name="ci", patterns=("/.github/", "/*.toml")),
)


def files(*names: str) -> list[ChangedFile]:
    return [ChangedFile(name=name) for name in names]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], []),
        (["src/a.py", "docs/b.md", "src/x/y"], ["docs", "src"]),
        (["README.md", "src/a"], [".", "src"]),
        (["bad\udcff\n/x"], ["bad\udcff\n"]),
    ],
)
def test_without_a_definition_they_are_the_top_folders(names: list[str], expected: list[str]):
    assert areas_of(files(*names)) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["docs/a.md"], []),
        (["src/api/a.py"], ["api", "all but docs"]),
        (["pyproject.toml"], ["all but docs", "ci"]),
        (["sub/pyproject.toml"], ["all but docs"]),
    ],
)
def test_defined_areas_stand_in_the_order_of_their_definition(names: list[str], expected: list[str]):
    assert areas_of(files(*names), AREAS) == expected


def test_a_file_that_was_moved_belongs_to_both():
    moved = [ChangedFile(name="lib/a.py", previous="src/api/a.py", moved=True)]
    assert areas_of(moved) == ["lib", "src"]
    assert areas_of(moved, AREAS[:1]) == ["api"]
