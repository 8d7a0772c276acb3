"""Which folders can be our own."""

import os
from pathlib import Path

import pytest
from support.builders import FakeGit, FakeRun, completed, context, write

from ci_action.engine.own_folders import objection, with_own_folders
from ci_action.system.errors import SettingsError
from ci_action.system.folder import Owner

NO_GIT = completed("", "fatal: not a git repository", 128)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    write(
        tmp_path / "w", {"src/a.py": "", "out/.gitignore": "*\n", "out/report.json": "", "empty/inner/x": ""}
    )
    (tmp_path / "w" / "empty" / "inner" / "x").unlink()
    (tmp_path / "w" / "link").symlink_to(tmp_path)
    write(tmp_path, {"other/a": ""})
    return tmp_path / "w"


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("new", ""),
        ("new/inner", ""),
        ("empty/inner", ""),
        ("src/new", ""),
        ("../other", ""),
        ("out", ""),
        ("src", "it contains 'src'"),
        ("src/../src", "it contains 'src'"),
        (".", "it contains '.'"),
        ("..", "it contains '.'"),
        ("link", "'link' is a link"),
        ("link/other", "'link' is a link"),
        ("empty", "not created by ci-action"),
    ],
)
def test_folders_without_git(workspace: Path, folder: str, expected: str):
    ctx = context(workspace, FakeRun(git=NO_GIT), settings={"paths": "src"})
    found = objection(workspace / folder, ctx)
    assert (found == "") is (expected == "")
    assert expected in found


def test_a_folder_with_tracked_files_is_refused(workspace: Path):
    ctx = context(workspace, FakeRun(git=FakeGit("report.json")), settings={"paths": "src"})
    assert "'out/report.json'" in objection(workspace / "out", ctx)
    assert objection(workspace / "new", ctx) == ""


@pytest.mark.parametrize("stage", ["merge", "comment"])
def test_merge_and_comment_read_from_our_folders(workspace: Path, stage: str):
    ctx = context(workspace, settings={"paths": "src", "stage": stage})
    assert objection(workspace / "src", ctx) == ""
    assert objection(workspace / "link", ctx) == "'link' is a link"


def test_a_wrong_report_folder_is_an_error(workspace: Path):
    ctx = context(workspace, FakeRun(git=NO_GIT), settings={"report-dir": "link"})
    with pytest.raises(SettingsError, match="report-dir = 'link'"):
        with_own_folders(ctx, cache_named=False)


def test_a_link_as_the_folder_of_some_stages_is_an_error(workspace: Path):
    write(workspace, {"ci-action-report/.gitignore": "*\n"})
    (workspace / "ci-action-report" / "quality").symlink_to(workspace / "out")
    with_own_folders(context(workspace, FakeRun(git=NO_GIT), settings={"stage": "test"}), cache_named=False)
    ctx = context(workspace, FakeRun(git=NO_GIT), settings={"stage": "quality"})
    with pytest.raises(SettingsError, match="'ci-action-report/quality' is a link"):
        with_own_folders(ctx, cache_named=False)


def test_a_wrong_cache_folder_is_not_used(workspace: Path):
    ctx = context(workspace, FakeRun(git=NO_GIT), settings={"cache-dir": "src", "paths": "src"})
    found = with_own_folders(ctx, cache_named=True)
    assert (found.cache, found.kept, len(found.notices)) == (None, None, 1)
    assert found.own_folders == (workspace / "ci-action-report",)


OWNER = Owner(uid=os.getuid(), gid=os.getgid())


@pytest.mark.parametrize(
    ("container", "owner", "named", "keeps", "notices"),
    [
        (False, None, True, True, 0),
        (True, OWNER, True, True, 0),
        (True, None, False, False, 0),
        (True, None, True, False, 1),
    ],
)
def test_results_are_cached_if_the_project_runs_as_another_user(
    workspace: Path, container: bool, owner: Owner | None, named: bool, keeps: bool, notices: int
):
    settings = {"cache-dir": "kept"}
    ctx = context(workspace, FakeRun(git=NO_GIT), settings=settings, container=container, owner=owner)
    found = with_own_folders(ctx, cache_named=named)
    assert found.kept is not None
    assert (not found.kept.why_not, len(found.notices)) == (keeps, notices)
    assert found.own_folders == (workspace / "kept", workspace / "ci-action-report")
    assert not (workspace / "kept").exists(), "created too early"
