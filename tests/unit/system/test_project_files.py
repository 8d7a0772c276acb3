"""Reading files of the project: what a pull request can lead it to, and the error."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ci_action.commands.configure import configure
from ci_action.system.errors import AbsentFileError, ProjectFileError, SettingsError
from ci_action.system.project_files import (
    LARGEST,
    digest_of_project_file,
    find_project_file,
    find_project_text,
    leading_outside,
    leading_words,
    left_out,
    outside,
    read_project_file,
)

SECRET = "secret of the machine"


def link(target: str) -> Callable[[Path], None]:
    return lambda file: file.symlink_to(target)


def too_large(file: Path) -> None:
    with file.open("wb") as stream:
        stream.truncate(LARGEST + 1)


def itself(file: Path) -> None:
    file.symlink_to(file.name)


def linked_pipe(file: Path) -> None:
    os.mkfifo(f"{file}.pipe")
    file.symlink_to(f"{file}.pipe")


# What a name in the workspace leads to, and the error.
HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "endless": (link("/dev/zero"), "a device, not a regular file"),
    "terminal": (link("/dev/stdin"), ""),
    "pipe": (os.mkfifo, "a FIFO, not a regular file"),
    "link to a pipe": (linked_pipe, "a FIFO"),
    "folder": (Path.mkdir, "a folder, not a regular file"),
    "itself": (itself, "leads to itself"),
    "process": (link("/proc/self/environ"), "outside the workspace"),
    "outside": (link("../outside.txt"), "outside the workspace"),
    "beside": (link("../work-secrets/x"), "outside the workspace"),
    "folder outside": (link("../work-secrets"), ""),
    "git": (link(".git/config"), "a file of git itself"),
    "large": (too_large, "exceed the limit of 20 MB"),
}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    (work / ".git").mkdir(parents=True)
    (work / ".git" / "config").write_text(SECRET)
    (tmp_path / "outside.txt").write_text(SECRET)
    (tmp_path / "work-secrets").mkdir()
    (tmp_path / "work-secrets" / "x").write_text(SECRET)
    return work


@pytest.mark.parametrize(("make", "problem"), HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_files(work: Path, make: Callable[[Path], object], problem: str):
    file = work / "ruff.toml"
    make(file)
    for read in (read_project_file, find_project_file, find_project_text, digest_of_project_file):
        if make is too_large and read is digest_of_project_file:
            continue
        with pytest.raises(ProjectFileError, match=r"ruff\.toml") as error:
            read(file, work)
        assert problem in error.value.problem
        assert not isinstance(error.value, AbsentFileError)
        assert SECRET not in error.value.reason


@pytest.mark.parametrize("target", ["", "gone", "/nonexistent/x", "file/x"])
def test_missing_files(work: Path, target: str, wording: Any):
    (work / "file").write_text("")
    file = work / "a.toml"
    if target:
        file.symlink_to(target)
    assert find_project_file(file, work) is None
    assert find_project_text(file, work) == ""
    with pytest.raises(AbsentFileError) as caught:
        read_project_file(file, work)
    assert str(caught.value) == wording


def test_links_inside_the_workspace_are_read(work: Path, tmp_path: Path):
    (work / "sub").mkdir()
    (work / "sub" / "b.toml").write_bytes(b"b\xff")
    (work / "a.toml").symlink_to("sub/b.toml")
    (work / "folder").symlink_to("sub")
    (tmp_path / "other").symlink_to("work")
    for file in (work / "a.toml", work / "folder" / "b.toml", tmp_path / "other" / "a.toml"):
        for workspace in (work, tmp_path / "other"):
            assert read_project_file(file, workspace) == b"b\xff"
            assert find_project_text(file, workspace) == "b\ufffd"
            assert len(digest_of_project_file(file, workspace)) == 64


def test_names_that_no_system_has(work: Path):
    for name in ("a\0b", "x" * 5000):
        with pytest.raises(ProjectFileError):
            read_project_file(work / name, work)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.py", ""),
        (".", ""),
        ("sub/../a.py", ""),
        ("..", "outside"),
        ("/proc/1/environ", "outside"),
        ("out/x", "outside"),
        (".git/config", "git itself"),
        ("sub/.GIT/config", "git itself"),
        (".github/x", ""),
        (".gitignore", ""),
    ],
)
def test_paths_outside(work: Path, path: str, expected: str):
    (work / "out").symlink_to("..")
    found = outside(work / path, work)
    assert (expected in found) if expected else not found


@pytest.mark.parametrize("name", ["endless", "pipe", "itself", "folder", "process", "large"])
def test_a_hostile_pyproject_is_wrong_usage(work: Path, name: str):
    HOSTILE[name][0](work / "pyproject.toml")
    with pytest.raises(SettingsError) as error:
        configure({"stage": "quality"}, {"GITHUB_WORKSPACE": str(work)})
    assert "pyproject.toml" in str(error.value)
    assert HOSTILE[name][1] in str(error.value)


@pytest.mark.parametrize(
    ("word", "following", "refused"),
    [
        ("--config=/proc/self/environ", "", True),
        ("--config", "/proc/self/environ", True),
        ("/etc", "", True),
        ("../outside.txt", "", True),
        (".git/config", "", True),
        ("out/outside.txt", "", True),
        ("@file", "", True),
        ("--config=@file", "", True),
        ("--config", "line-length = 3", False),
        ("--config=ruff.toml", "", False),
        ("--select", "E", False),
        ("--exclude=/etc", "", False),
        ("--extend-exclude", "/etc", False),
        ("--exclude", "/(build|dist)/", False),
        ("--config=/nonexistent/x", "", False),
        ("-x", "", False),
    ],
)
def test_words_that_lead_a_tool_out(work: Path, word: str, following: str, refused: bool):
    (work / "out").symlink_to("..")
    (work / "ruff.toml").write_text("")
    words = [word, *filter(None, [following])]
    assert bool(leading_words(words, work, work)) is refused
    if refused and "@" not in word:
        for name in ("black-args", "ruff-args"):
            with pytest.raises(SettingsError, match=f"{name}: .* is refused"):
                configure({"stage": "quality", name: shlex.join(words[-1:])}, {"GITHUB_WORKSPACE": str(work)})


def test_files_that_are_left_out(work: Path):
    os.mkfifo(work / "pipe.py")
    (work / "a.py").write_text("")
    (work / "sub").mkdir()
    targets = {
        "in.py": "a.py",
        "out.py": "../outside.txt",
        "to-pipe.py": "pipe.py",
        "zero.py": "/dev/zero",
        "git.py": ".git/config",
    }
    for name, target in {**targets, "itself.py": "itself.py", "dangling.py": "gone"}.items():
        (work / name).symlink_to(target)
    names = ["a.py", "gone.py", "sub", "pipe.py", "itself.py", "dangling.py", *targets]
    expected = ["pipe.py", "out.py", "to-pipe.py", "zero.py", "git.py"]
    assert leading_outside(names, work, work) == expected
    assert all(repr(name) in left_out(expected) for name in expected)
    assert "and 2 more" in left_out([*expected, "x", "y"])
    assert left_out([]) == ""
