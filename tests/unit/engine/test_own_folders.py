"""Folders of ours: where they may be, and what is said where they may not."""

import os
from pathlib import Path

import pytest
from support.builders import FakeRun, completed, context, write

from ci_action.engine.own_folders import Facts, facts_of, objection, with_own_folders
from ci_action.system.errors import SettingsError
from ci_action.system.process import Owner

NO_GIT = completed("", "fatal: not a git repository", 128)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (Facts(), ""),
        (Facts(link="out"), "'out' is a link"),
        (Facts(around="src"), "'src'"),
        (Facts(tracked="src/a.py"), "'src/a.py'"),
        (Facts(unknown=True), "not created by ci-action"),
    ],
)
def test_what_a_folder_must_not_be(facts: Facts, said: str):
    assert (objection(facts) == "") is (said == "")
    assert said in objection(facts)


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
        ("new", Facts()),
        ("new/inner", Facts()),
        ("empty/inner", Facts()),
        ("src/new", Facts()),
        ("../other", Facts()),
        ("out", Facts()),
        ("src", Facts(around="src")),
        ("src/../src", Facts(around="src")),
        (".", Facts(around=".")),
        ("..", Facts(around=".")),
        ("link", Facts(link="link")),
        ("link/other", Facts(link="link")),
        ("empty", Facts(unknown=True)),
    ],
)
def test_what_is_known_of_a_folder_without_git(workspace: Path, folder: str, expected: Facts):
    ctx = context(workspace, FakeRun(git=NO_GIT), settings={"paths": "src"})
    assert facts_of(workspace / folder, ctx) == expected


@pytest.mark.parametrize("stage", ["merge", "comment"])
def test_what_checks_no_files_may_read_from_a_folder_of_ours(workspace: Path, stage: str):
    ctx = context(workspace, settings={"paths": "src", "stage": stage})
    assert facts_of(workspace / "src", ctx) == Facts()
    assert facts_of(workspace / "link", ctx) == Facts(link="link")


def test_a_wrong_folder_for_reports_is_a_mistake(workspace: Path):
    ctx = context(workspace, FakeRun(git=NO_GIT), settings={"report-dir": "link"})
    with pytest.raises(SettingsError, match="report-dir = 'link'"):
        with_own_folders(ctx, cache_named=False)


def test_a_wrong_folder_for_the_cache_is_not_used(workspace: Path):
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
def test_results_are_kept_where_the_code_of_the_project_is_another_user(
    workspace: Path, container: bool, owner: Owner | None, named: bool, keeps: bool, notices: int
):
    settings = {"cache-dir": "kept"}
    ctx = context(workspace, FakeRun(git=NO_GIT), settings=settings, container=container, owner=owner)
    found = with_own_folders(ctx, cache_named=named)
    assert found.kept is not None
    assert (not found.kept.why_not, len(found.notices)) == (keeps, notices)
    assert found.own_folders == (workspace / "kept", workspace / "ci-action-report")
    assert not (workspace / "kept").exists(), "nothing is made before there is something to keep"
