"""The places of a run."""

from pathlib import Path
from typing import Any

import pytest
from support.builders import layout, resolved, write

from ci_action.project.layout import (
    cache_dir,
    lowest_minor,
    path_mistakes,
    python_mistakes,
    report_dir,
    reports_root,
    working_directory_mistakes,
)


@pytest.mark.parametrize(
    ("root", "path", "expected"),
    [
        ("/w", "a.py", "a.py"),
        ("/w", "./a/../b.py", "b.py"),
        ("/w", "/w/a/b.py", "a/b.py"),
        ("/w", ".", "."),
        ("/w", "/w", "."),
        ("/w/app", "a.py", "app/a.py"),
        ("/w/app", "../lib/a.py", "lib/a.py"),
        ("/w/app", "/w/lib/a.py", "lib/a.py"),
        ("/w", "/workshop/a.py", "/workshop/a.py"),
        ("/w", "../else/a.py", "/else/a.py"),
    ],
)
def test_paths_are_relative_to_the_workspace(root: str, path: str, expected: str):
    assert layout(Path("/w"), root=Path(root)).relative(path) == expected


def test_a_workspace_that_is_a_link(tmp_path: Path):
    real = tmp_path / "real"
    write(real, {"a.py": ""})
    (tmp_path / "link").symlink_to(real)
    place = layout(tmp_path / "link")
    assert place.relative(real / "a.py") == "a.py"
    assert place.relative(tmp_path / "link" / "a.py") == "a.py"
    assert place.shown(tmp_path / "out") == str(tmp_path / "out")


def test_the_folders_above_the_root_up_to_the_workspace():
    place = layout(Path("/w"), root=Path("/w/a/b"))
    assert place.folders == (Path("/w/a/b"), Path("/w/a"), Path("/w"))
    assert layout(Path("/w"), root=Path("/else")).folders == (Path("/else"),)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, ""),
        ({"project": {"requires-python": ">=3.11"}}, ">=3.11"),
        ({"project": {"requires-python": 3.11}}, ""),
        ({"project": {}}, ""),
        ({"project": []}, ""),
    ],
    ids=["none", "set", "number", "no key", "no table"],
)
def test_requires_python(document: dict[str, object], expected: str):
    assert layout(Path("/w"), pyproject=document).requires_python == expected


@pytest.mark.parametrize(
    ("given", "root", "expected"),
    [
        ({}, "/w/ci-action-report", "/w/ci-action-report/all"),
        ({"stage": "quality"}, "/w/ci-action-report", "/w/ci-action-report/quality"),
        (
            {"stage": "security, quality,quality"},
            "/w/ci-action-report",
            "/w/ci-action-report/quality-security",
        ),
        ({"stage": "test,all"}, "/w/ci-action-report", "/w/ci-action-report/all"),
        ({"stage": "merge"}, "/w/ci-action-report", "/w/ci-action-report/merge"),
        ({"stage": "comment"}, "/w/ci-action-report", "/w/ci-action-report/comment"),
        ({"stage": "test", "report_dir": "out"}, "/w/out", "/w/out"),
        ({"report_dir": "/tmp/out"}, "/tmp/out", "/tmp/out"),
        ({"report_dir": "../out"}, "/w/../out", "/w/../out"),
    ],
)
def test_the_folder_of_the_reports(given: dict[str, str], root: str, expected: str):
    settings = resolved(**given).settings
    assert report_dir(layout(Path("/w")), settings) == Path(expected)
    assert reports_root(layout(Path("/w")), settings) == Path(root)


@pytest.mark.parametrize(
    ("given", "environ", "expected"),
    [
        ("", {"HOME": "/home/me"}, "/home/me/.cache/ci-action"),
        ("", {"HOME": "/home/me", "XDG_CACHE_HOME": "/cache"}, "/cache/ci-action"),
        ("", {}, None),
        ("", {"HOME": ""}, None),
        ("", {"XDG_CACHE_HOME": "relative"}, None),
        ("none", {"HOME": "/home/me"}, None),
        ("c", {"HOME": "/home/me"}, "/w/c"),
        ("/c", {}, "/c"),
    ],
)
def test_the_folder_of_the_cache(given: str, environ: dict[str, str], expected: str | None):
    settings = resolved(**({"cache_dir": given} if given else {})).settings
    assert cache_dir(layout(Path("/w")), settings, environ) == (Path(expected) if expected else None)


@pytest.mark.parametrize(
    ("value", "right"),
    [
        (".", True),
        ("app", True),
        ("app/../app", True),
        ("absent", False),
        ("file.py", False),
        ("..", False),
        ("/", False),
        ("out", False),
        ("loop", False),
    ],
)
def test_working_directories(tmp_path: Path, value: str, right: bool, wording: Any):
    workspace = write(tmp_path / "w", {"app/a.py": "", "file.py": ""})
    (workspace / "out").symlink_to(tmp_path)
    (workspace / "loop").symlink_to(workspace / "loop")
    mistakes = working_directory_mistakes(value, workspace)
    if right:
        assert mistakes == []
    else:
        assert len(mistakes) == 1
        assert mistakes[0].startswith(f"working-directory = {value!r}: ")
        assert mistakes == wording


@pytest.mark.parametrize(
    ("paths", "wrong"),
    [
        (["."], []),
        (["src", "src/a.py"], []),
        (["absent"], ["absent"]),
        (["../x", "absent"], ["../x", "absent"]),
        (["link"], ["link"]),
        (["/etc"], ["/etc"]),
        ([""], [""]),
        (["a\0b"], ["a\0b"]),
    ],
)
def test_paths(tmp_path: Path, paths: list[str], wrong: list[str], wording: Any):
    workspace = write(tmp_path / "w", {"src/a.py": ""})
    (workspace / "link").symlink_to(tmp_path)
    mistakes = path_mistakes(resolved(paths=paths).settings, workspace)
    assert [mistake.partition(": ")[0] for mistake in mistakes] == [f"paths = {one!r}" for one in wrong]
    assert mistakes == wording


def test_paths_are_not_checked_if_the_working_directory_is_wrong(tmp_path: Path):
    mistakes = path_mistakes(resolved(working_directory="absent", paths="x").settings, tmp_path)
    assert [mistake.partition(" ")[0] for mistake in mistakes] == ["working-directory"]


@pytest.mark.parametrize(
    ("version", "requires", "reason"),
    [
        ("", ">=3.11", ""),
        ("3.12", "", ""),
        ("3.12", ">=3.11", ""),
        ("3.10", ">=3.11", "contradicts"),
        ("3.11", ">=3.11.4", ""),
        ("3.11.3", ">=3.11.4", "contradicts"),
        (">=3.12", "<3.12", "contradicts"),
        (">=3.11", "<3.12", ""),
        ("3.12", "three", "is not a valid version range"),
        ("3.12", "<" + "9" * 5000, "is not a valid version range"),
        ("3.12", "==3.12.*", ""),
        ("3.12", "===3.12.4", ""),
        ("===3.12.4", "<3.12", "contradicts"),
    ],
)
def test_python_version_against_requires_python(version: str, requires: str, reason: str):
    mistakes = python_mistakes(resolved(python_version=version).settings, requires)
    assert len(mistakes) == bool(reason)
    assert reason in "".join(mistakes)


@pytest.mark.parametrize(
    ("version", "minor"),
    [
        ("3.12", 12),
        ("3.12.1", 12),
        (">=3.11", 11),
        (">3.11,<3.13", 11),
        ("~=3.11", 11),
        ("<3", None),
        ("===3.12.4", 12),
        ("", None),
        (">=three", None),
    ],
)
def test_the_lowest_minor_version(version: str, minor: int | None):
    assert lowest_minor(version) == minor
