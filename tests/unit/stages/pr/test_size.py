"""The tool size: exactly right at its limits, and never silent about what it could not count."""

from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, completed, context
from support.fake_github import FilesAndLabels, entry, pull

from ci_action.engine.tool import Checked
from ci_action.github.protocol import ApiError
from ci_action.github.pull_request import NoPull
from ci_action.model.finding import Level
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.project.programs import Program
from ci_action.stages.pr.size import TOOL
from ci_action.system.errors import ToolError

NOT_HERE = completed(stderr="fatal: not a git repository", returncode=128)


def many(number: int, folder: str = "src") -> list[dict[str, Any]]:
    return [entry(f"{folder}/f{one}.py") for one in range(number)]


def checked(tmp_path: Path, files: Any = (), *, settings: Any = None, **overrides: Any) -> Checked:
    github = files if isinstance(files, FilesAndLabels) else FilesAndLabels(files)
    values: dict[str, Any] = {"github": github, "pull": pull(), "settings": settings or {}, **overrides}
    ctx = context(tmp_path, FakeRun(git=NOT_HERE), **values)
    return TOOL.check(ctx, Program(argv=(), version="", source=""))


def report_of(found: Checked) -> Report:
    assert isinstance(found.outcome, Report)
    return found.outcome


@pytest.mark.parametrize(
    ("number", "limit", "too_many"),
    [
        (0, 50, False), (49, 50, False), (50, 50, False), (51, 50, True), (100, 100, False), (101, 100, True),
        (100, 50, True), (2999, 2999, False), (3000, 2999, True), (1, 0, False), (2999, 0, False),
    ],
)  # fmt: skip
def test_more_files_than_asked_for_are_a_finding(
    tmp_path: Path, number: int, limit: int, too_many: bool, wording: Any
):
    found = report_of(
        checked(tmp_path, many(number), settings={"max_files": limit}, pull=pull(changed_files=number))
    )
    assert [finding.rule for finding in found.findings] == (["too-many-files"] if too_many else [])
    assert found.examined == {"files": number, "left_out": 0}
    if too_many:
        assert found.findings[0].message == wording
        assert found.findings[0].level is Level.WARNING


@pytest.mark.parametrize(
    ("lines", "limit", "too_many"), [(100, 100, False), (101, 100, True), (10**6, 0, False)]
)
def test_more_lines_than_asked_for_are_a_finding(tmp_path: Path, lines: int, limit: int, too_many: bool):
    files = [entry("src/a.py", additions=lines - 1, deletions=1), entry("uv.lock", additions=5000)]
    found = report_of(checked(tmp_path, files, settings={"max_lines": limit}))
    assert [finding.rule for finding in found.findings] == (["too-many-lines"] if too_many else [])


def test_it_fails_where_that_is_asked_for(tmp_path: Path):
    found = report_of(checked(tmp_path, many(51), settings={"size_blocking": "true"}))
    assert found.findings[0].level is Level.ERROR


def test_at_fifty_what_is_left_out_does_not_count(tmp_path: Path, wording: Any):
    moved = entry("b", status="renamed", previous_filename="a", additions=0)
    files = [*many(50), entry("uv.lock"), moved, entry("vendor/x.py"), entry("docs/x.snap")]
    found = report_of(checked(tmp_path, files, settings={"size_ignore": "*.snap"}))
    assert found.findings == ()
    assert found.examined == {"files": 50, "left_out": 4}
    assert [line for line in found.details if line.startswith("left out")] == [
        wording,
        "left out: lock files (1): uv.lock",
        "left out: vendored (1): vendor/x.py",
        "left out: in size-ignore (1): docs/x.snap",
    ]
    found = report_of(checked(tmp_path, [*files, entry("one.py")], settings={"size_ignore": "*.snap"}))
    assert found.findings[0].message == wording
    assert found.findings[0].message.endswith("; 4 more files do not count")


def test_the_folders_that_make_it_large_are_named(tmp_path: Path, wording: Any):
    files = [*many(31, "src/api"), *many(20, "tests"), *many(10, "docs")]
    found = report_of(checked(tmp_path, files))
    assert [finding.message for finding in found.findings] == [wording]
    assert found.details[:3] == (
        "src/api: 31 files, 31 lines",
        "tests: 20 files, 20 lines",
        "docs: 10 files, 10 lines",
    )


@pytest.mark.parametrize(
    ("total", "limit", "says"),
    [
        (3000, 3000, ""),
        (3001, 3000, "3,001 changed files are more than 3,000"),
        (3001, 3001, ""),
        (9999, 50, "9,999 changed files are more than 50"),
    ],
)
def test_beyond_three_thousand_files_the_number_is_that_of_the_pull_request(
    tmp_path: Path, total, limit, says
):
    numbers = {"changed_files": total, "additions": total * 2, "deletions": 0}
    found = checked(tmp_path, many(3000), settings={"max_files": limit}, pull=pull(**numbers))
    report = report_of(found)
    assert report.examined[Counted.FILES] == total
    assert [finding.message.partition(", most")[0] for finding in report.findings] == ([says] if says else [])
    if total > 3000:
        known = f"GitHub lists 3,000 of {total:,} changed files"
        text = f"{known}: what is left out, areas and kinds of files are known of these only"
        assert found.warnings == (text,)
        assert report.metrics["size_lines"] == total * 2
    else:
        assert found.warnings == ()


def test_three_thousand_files_of_an_unknown_number_may_be_more(tmp_path: Path, wording: Any):
    found = checked(tmp_path, many(3000), settings={"max_files": 3000})
    assert [finding.rule for finding in report_of(found).findings] == ["too-many-files"]
    assert found.warnings[0] == wording


def test_a_payload_may_be_older_than_the_list_but_not_what_github_says_now(tmp_path: Path):
    assert report_of(checked(tmp_path, many(2), pull=pull(changed_files=5))).examined[Counted.FILES] == 2
    found = checked(tmp_path, many(2), pull=pull(changed_files=5, current=True))
    assert report_of(found).examined[Counted.FILES] == 5
    assert "GitHub lists 2 of 5 changed files" in found.warnings[0]


@pytest.mark.parametrize("label", ["big", "BIG"])
def test_a_label_keeps_it_from_being_checked(tmp_path: Path, label: str, wording: Any):
    github = FilesAndLabels(many(51))
    found = checked(tmp_path, github, settings={"ignore_labels": "wip, Big"}, pull=pull(labels=("a", label)))
    assert found.outcome == Skipped(wording, rightly=True)
    assert github.asked == []


def test_without_a_pull_request_it_is_rightly_skipped_or_broken(tmp_path: Path):
    assert checked(tmp_path, pull=NoPull("none here")).outcome == Skipped("none here", rightly=True)
    assert checked(tmp_path, pull=NoPull("no payload", broken=True)).outcome == Broken("no payload")


def test_without_a_base_and_a_token_it_says_what_to_do(tmp_path: Path):
    with pytest.raises(ToolError) as error:
        checked(tmp_path, github=None)
    assert "fetch-depth: 2" in error.value.reason
    assert "github-token" in error.value.reason


@pytest.mark.parametrize("status", [403, 404, 500, 0])
def test_a_refusal_of_github_says_what_to_do(tmp_path: Path, status: int, wording: Any):
    github = FilesAndLabels(refuses={"pull_files": ApiError("GitHub refuses", status)})
    with pytest.raises(ToolError) as caught:
        checked(tmp_path, github)
    assert str(caught.value) == wording
    with pytest.raises(ToolError) as caught:
        checked(tmp_path, [{"filename": 3}])
    assert str(caught.value) == wording


@pytest.mark.parametrize("github", [None, FilesAndLabels(refuses={"pull_files": ApiError("no", 403)})])
@pytest.mark.parametrize(("number", "rules"), [(50, []), (51, ["too-many-files"])])
def test_the_numbers_of_the_payload_do_where_nobody_tells_the_files(
    tmp_path: Path, github: Any, number: int, rules: list[str], wording: Any
):
    mine = pull(changed_files=number, additions=90, deletions=9)
    found = checked(tmp_path, pull=mine, **({"github": None} if github is None else {"files": github}))
    report = report_of(found)
    assert [finding.rule for finding in report.findings] == rules
    assert report.examined == {"files": number, "left_out": 0}
    assert report.metrics == {"size_files": number, "size_lines": 99}
    assert found.warnings[0] == wording
    assert "fetch-depth: 2" in found.warnings[0]


def test_the_numbers_of_the_payload_alone_block_nothing(tmp_path: Path, wording: Any):
    mine = pull(changed_files=51, additions=90, deletions=9)
    for settings in ({"size_blocking": "true"}, {"size_blocking": "true", "max_files": 0, "max_lines": 98}):
        outcome = checked(tmp_path, github=None, pull=mine, settings=settings).outcome
        assert isinstance(outcome, Broken)
        assert outcome.reason == wording
    settings = {"size_blocking": "true", "max_files": 51, "max_lines": 99}
    assert report_of(checked(tmp_path, github=None, pull=mine, settings=settings)).findings == ()


def test_without_a_checkout_it_says_that_nothing_is_known_of_generated_files(tmp_path: Path, wording: Any):
    found = report_of(checked(tmp_path, many(1)))
    assert found.details[-1] == wording


def test_the_attributes_that_the_pull_request_changes_are_not_asked(tmp_path: Path, wording: Any):
    found = report_of(checked(tmp_path, [*many(1), entry("src/.gitattributes")]))
    assert found.details[-1] == wording
