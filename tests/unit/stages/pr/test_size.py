"""The size of a pull request: what counts, its class and folders, and exact limits."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, completed, context
from support.fake_github import FilesAndLabels, entry, pull

from ci_action.engine.tool import Checked
from ci_action.github.errors import ApiError
from ci_action.github.pull_request import NoPull
from ci_action.model.finding import Level
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.project.programs import Program
from ci_action.stages.pr.changed_files import ChangedFile, Marks, PullFiles, listing
from ci_action.stages.pr.size import TOOL, Reason, folders, measure
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
def test_more_files_than_the_limit_are_a_finding(
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
def test_more_lines_than_the_limit_are_a_finding(tmp_path: Path, lines: int, limit: int, too_many: bool):
    files = [entry("src/a.py", additions=lines - 1, deletions=1), entry("uv.lock", additions=5000)]
    found = report_of(checked(tmp_path, files, settings={"max_lines": limit}))
    assert [finding.rule for finding in found.findings] == (["too-many-lines"] if too_many else [])


def test_it_fails_with_size_blocking(tmp_path: Path):
    found = report_of(checked(tmp_path, many(51), settings={"size_blocking": "true"}))
    assert found.findings[0].level is Level.ERROR


def test_excluded_files_do_not_count(tmp_path: Path, wording: Any):
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
    ("total", "limit", "message"),
    [
        (3000, 3000, ""),
        (3001, 3000, "3,001 changed files are more than 3,000"),
        (3001, 3001, ""),
        (9999, 50, "9,999 changed files are more than 50"),
    ],
)
def test_beyond_three_thousand_files_the_number_is_that_of_the_pull_request(
    tmp_path: Path, total, limit, message
):
    numbers = {"changed_files": total, "additions": total * 2, "deletions": 0}
    found = checked(tmp_path, many(3000), settings={"max_files": limit}, pull=pull(**numbers))
    report = report_of(found)
    assert report.examined[Counted.FILES] == total
    assert [finding.message.partition(", most")[0] for finding in report.findings] == (
        [message] if message else []
    )
    if total > 3000:
        (warning,) = found.warnings
        assert warning.startswith(f"GitHub lists 3,000 of {total:,} changed files: ")
        assert report.metrics["size_lines"] == total * 2
    else:
        assert found.warnings == ()


def test_three_thousand_files_of_an_unknown_number_may_be_more(tmp_path: Path, wording: Any):
    found = checked(tmp_path, many(3000), settings={"max_files": 3000})
    assert [finding.rule for finding in report_of(found).findings] == ["too-many-files"]
    assert found.warnings[0] == wording


def test_a_payload_may_be_older_than_the_list_but_not_a_current_answer(tmp_path: Path):
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


def test_without_a_base_and_a_token_there_is_advice(tmp_path: Path):
    with pytest.raises(ToolError) as error:
        checked(tmp_path, github=None)
    assert "fetch-depth: 2" in error.value.reason
    assert "github-token" in error.value.reason


@pytest.mark.parametrize("status", [403, 404, 500, 0])
def test_a_refusal_of_github_has_advice(tmp_path: Path, status: int, wording: Any):
    github = FilesAndLabels(refuses={"pull_files": ApiError("GitHub refuses", status)})
    with pytest.raises(ToolError) as caught:
        checked(tmp_path, github)
    assert str(caught.value) == wording
    with pytest.raises(ToolError) as caught:
        checked(tmp_path, [{"filename": 3}])
    assert str(caught.value) == wording


@pytest.mark.parametrize("github", [None, FilesAndLabels(refuses={"pull_files": ApiError("no", 403)})])
@pytest.mark.parametrize(("number", "rules"), [(50, []), (51, ["too-many-files"])])
def test_the_numbers_of_the_payload_count_if_the_files_are_unknown(
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


def test_without_a_checkout_generated_files_are_unknown(tmp_path: Path, wording: Any):
    found = report_of(checked(tmp_path, many(1)))
    assert found.details[-1] == wording


def test_attributes_that_the_pull_request_changes_are_not_used(tmp_path: Path, wording: Any):
    found = report_of(checked(tmp_path, [*many(1), entry("src/.gitattributes")]))
    assert found.details[-1] == wording


def file(name: str, lines: int = 1, **overrides: Any) -> ChangedFile:
    return ChangedFile(**{"name": name, "lines": lines, **overrides})


def listed(*files: ChangedFile, **overrides: Any) -> PullFiles:
    return replace(listing(files), **overrides)


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (0, "XS"), (9, "XS"), (10, "S"), (29, "S"), (30, "M"), (99, "M"), (100, "L"), (499, "L"), (500, "XL"), (999, "XL"),
        (1000, "XXL"), (10**9, "XXL"),
    ],
)  # fmt: skip
def test_the_class_depends_on_the_lines(lines: int, name: str):
    assert measure(listed(file("a", lines))).name == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("uv.lock", Reason.LOCK), ("web/package-lock.json", Reason.LOCK), ("go.sum", Reason.LOCK),
        ("pylock.dev.toml", Reason.LOCK), ("my-uv.lock", None), ("uv.lock/a.py", None), ("lock.py", None),
        ("vendor/a.py", Reason.VENDORED), ("src/_vendor/six.py", Reason.VENDORED), ("a/node_modules/b/c.js", Reason.VENDORED),
        ("vendor", None), ("src/vendor.py", None), ("docs/api/a.md", Reason.IGNORED), ("docs/a.md", None),
        ("a.snap", Reason.IGNORED), ("src/a.py", None),
    ],
)  # fmt: skip
def test_files_excluded_by_name(name: str, reason: Reason | None):
    size = measure(listed(file(name, 7), file("x.py", 5)), ["docs/api/", "*.snap"])
    assert list(size.left_out) == ([reason] if reason else [])
    assert (size.files, size.lines) == ((1, 5) if reason else (2, 12))


@pytest.mark.parametrize(
    ("name", "marks", "reason"),
    [
        ("a.py", Marks(generated=True), Reason.GENERATED),
        ("a.py", Marks(vendored=True), Reason.VENDORED),
        ("a.py", Marks(generated=False, vendored=False), None),
        ("uv.lock", Marks(generated=False), None),
        ("uv.lock", Marks(vendored=False), Reason.LOCK),
        ("vendor/a.py", Marks(vendored=False), None),
    ],
)
def test_attributes_are_stronger_than_names(name: str, marks: Marks, reason: Reason | None):
    size = measure(listed(file(name), marks={name: marks}))
    assert list(size.left_out) == ([reason] if reason else [])


def test_a_pure_move_does_not_count_and_an_edited_one_does():
    moved = file("b.py", 0, previous="a.py", moved=True)
    edited = file("d.py", 3, previous="c.py")
    size = measure(listed(moved, edited))
    assert (size.files, size.lines, list(size.left_out)) == (1, 3, [Reason.MOVED])


def test_files_that_are_not_listed_count_with_their_lines():
    known = [file("uv.lock", 1000), *(file(f"src/{number}.py", 2) for number in range(2999))]
    size = measure(listed(*known, total=3001, lines=7000))
    assert (size.files, size.lines, len(size.known)) == (3000, 6000, 2999)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], []),
        (["a", "b"], [(".", 2)]),
        (["src/a/1", "src/a/2", "src/b/1", "src/c/1", "docs/1"], [("src/a", 2), ("docs", 1), ("src/b", 1), ("src/c", 1)]),
        (["src/1", "src/2", "src/3", "docs/1"], [("src", 3), ("docs", 1)]),
        (["src/1", "src/2", "src/x/3", "src/x/4", "a", "b"], [(".", 2), ("src", 2), ("src/x", 2)]),
        (["a/b/c/1", "a/b/c/2", "a/b/d/1", "x"], [("a/b/c", 2), (".", 1), ("a/b/d", 1)]),
    ],
)  # fmt: skip
def test_a_folder_that_holds_most_is_shown_by_its_parts(names: list[str], expected: list[tuple[str, int]]):
    found = {name: len(files) for name, files in folders([*map(file, names)]).items()}
    assert found == dict(expected)
    assert sum(found.values()) == len(names)


def test_thousands_of_files_are_divided_into_few_folders():
    found = folders([file(f"src/p{number % 90}/f{number}.py") for number in range(3000)])
    assert sum(map(len, found.values())) == 3000
    assert len(found) == 90
