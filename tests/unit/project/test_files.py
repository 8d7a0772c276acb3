"""The files for scanners."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeGit, completed, layout, write

from ci_action.project.files import tracked
from ci_action.project.git.repository import Repository, find
from ci_action.system.errors import InterruptedRunError, ToolError
from ci_action.system.process import Command

REFUSED = completed(stderr="fatal: not a git repository (or any parent)\n", returncode=128)


def repository(tmp_path: Path, git: Any) -> Callable[[], Repository]:
    run = git if isinstance(git, FakeGit) else FakeGit(rev_parse=git)
    return lambda: find(Repository(run=run, top=tmp_path, tempdir=tmp_path))


def listed(tmp_path: Path, git: Any, *own: Path, **overrides: Any) -> tuple[tuple[str, ...], str]:
    found = tracked(repository(tmp_path, git), layout(tmp_path, **overrides), own)
    return found.names, found.notice


def test_what_git_tracks_sorted_and_each_once(tmp_path: Path):
    write(tmp_path, {"b.py": "", "a/c.txt": "", "untracked.py": ""})
    assert listed(tmp_path, FakeGit("b.py", "a/c.txt", "b.py", "gone.py")) == (("a/c.txt", "b.py"), "")


def test_names_stay_as_they_are(tmp_path: Path):
    names = [b"new\nline.py", b"-x.py", b"sp ace.py", b"bad\xff.py"]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_text("")
    found, notice = listed(tmp_path, FakeGit(*names))
    assert (sorted(map(os.fsencode, found)), notice) == (sorted(names), "")


def test_links_and_folders_are_not_followed(tmp_path: Path):
    write(tmp_path, {"a.py": "", "sub/module/x.py": ""})
    (tmp_path / "link.py").symlink_to(tmp_path / "a.py")
    assert listed(tmp_path, FakeGit("a.py", "link.py", "sub/module")) == (("a.py",), "")


@pytest.mark.parametrize("git", [FakeGit("data.txt", "w.py", "x.txt", "out.py", "in.py"), REFUSED])
def test_a_link_that_makes_python_of_a_file_is_looked_at(tmp_path: Path, git: Any):
    write(tmp_path / "w", {"data.txt": ""})
    write(tmp_path, {"outside.txt": ""})
    for name, target in {
        "w.py": "data.txt",
        "x.txt": "data.txt",
        "out.py": "../outside.txt",
        "in.py": "w.py",
    }.items():
        (tmp_path / "w" / name).symlink_to(target)
    assert listed(tmp_path / "w", git)[0] == ("data.txt", "in.py", "w.py")


def test_git_is_asked_for_the_paths_as_they_are(tmp_path: Path):
    git = FakeGit("a.py")
    write(tmp_path, {"a.py": ""})
    tracked(repository(tmp_path, git), layout(tmp_path, paths=(".", "-x", ":(top)a")))
    for words in [command.argv for command in git.asked if "ls-files" in command.argv]:
        assert words[words.index("--") :] == ("--", "./", "-x", ":(top)a")
        assert "--literal-pathspecs" in words[: words.index("ls-files")]


@pytest.mark.parametrize(
    "answer",
    [
        REFUSED,
        completed(returncode=1),
        FakeGit(ls_files=completed(returncode=1)),
        FakeGit(),
        ToolError("'git' cannot be started"),
    ],
    ids=["no repository", "no reason", "no list", "nothing tracked", "no git"],
)
def test_without_git_all_files_count_and_it_is_said(tmp_path: Path, answer: Any, wording: Any):
    write(tmp_path, {"a.py": "", "src/b.py": ""})
    names, notice = listed(tmp_path, answer)
    assert names == ("a.py", "src/b.py")
    assert notice == wording


def test_environments_caches_and_folders_of_ours_never_count(tmp_path: Path):
    foreign = [".git/a", ".venv/a", "node_modules/x/a", "src/__pycache__/a", "env/a", ".tox/py/a"]
    write(tmp_path, dict.fromkeys([*foreign, "mine/pyvenv.cfg", "mine/lib/a.py", "out/a.json", "a.py"], ""))
    assert listed(tmp_path, REFUSED, tmp_path / "out")[0] == ("a.py",)


def test_only_the_paths_count_and_each_file_once(tmp_path: Path):
    write(tmp_path, {"src/a.py": "", "b.py": "", "c.py": ""})
    (tmp_path / "src" / "link.py").symlink_to(tmp_path / "c.py")
    assert listed(tmp_path, REFUSED, paths=("src", "b.py", "src/a.py"))[0] == ("b.py", "src/a.py")


def test_nothing_at_all_needs_no_notice(tmp_path: Path):
    assert listed(tmp_path, REFUSED) == ((), "")


def test_an_interruption_ends_the_search(tmp_path: Path):
    with pytest.raises(InterruptedRunError):
        listed(tmp_path, InterruptedRunError("SIGTERM"))


def inside(tmp_path: Path, names: dict[str, Any], **overrides: Any) -> Any:
    """List files; git answers with what it tracks in a folder, or that it is not a repository."""
    others = names.pop("others", [])

    def answer(command: Command) -> Any:
        if "--others" in command.argv:
            return completed(b"".join(f"{name}/\0".encode() for name in others))
        known = names.get(os.path.relpath(command.cwd, tmp_path))
        return REFUSED if known is None else completed(b"".join(f"{name}\0".encode() for name in known))

    git = FakeGit(ls_files=answer)
    return tracked(repository(tmp_path, git), layout(tmp_path, **overrides))


def test_repositories_inside_that_could_not_be_listed_are_said(tmp_path: Path, wording: Any):
    def answer(command: Command) -> Any:
        if "--others" in command.argv:
            raise ToolError("git was ended after its time limit of 20 s")
        return completed("a.py\0")

    write(tmp_path, {"a.py": ""})
    found = tracked(repository(tmp_path, FakeGit(ls_files=answer)), layout(tmp_path))
    assert found.names == ("a.py",)
    (notice,) = found.notices
    assert notice == wording
    assert "20 s" in notice


def test_repositories_inside_are_named_unless_they_are_empty(tmp_path: Path):
    write(tmp_path, {"a.py": "", "sub/x.py": "", "nested/y.py": "", "gone/z.py": ""})
    (tmp_path / "hollow").mkdir()
    (tmp_path / "gone" / "z.py").unlink()
    (tmp_path / "link").symlink_to(tmp_path / "sub")
    known = ["a.py", "sub", "hollow", "gone", "link"]
    found = inside(tmp_path, {".": known, "others": ["nested"]})
    assert found.names == ("a.py",)
    assert found.apart == ("nested", "sub")
    (notice,) = found.notices
    assert "'nested', 'sub'" in notice
    assert "`paths`" in notice


@pytest.mark.parametrize("path", ["sub", "sub/", "./sub/deep/..", "sub/x.py"])
@pytest.mark.parametrize("submodule", [True, False])
def test_a_path_into_a_repository_inside_is_looked_at_there(tmp_path: Path, path: str, *, submodule: bool):
    write(tmp_path, {"a.py": "", "sub/x.py": "", "sub/built.py": "", "sub/.git": "", "sub/deep/z": ""})
    outer = ["sub"] if submodule else []
    found = inside(tmp_path, {".": outer, "sub": ["x.py"], "others": ["sub"]}, paths=(path,))
    assert (found.names, found.notices) == (("sub/x.py",), ())


def test_a_made_up_repository_inside_hides_nothing_that_is_tracked(tmp_path: Path):
    write(tmp_path, {"src/a.py": "", "src/b.py": "", "src/.git": ""})
    found = inside(tmp_path, {".": ["src/a.py", "src/b.py"], "src": ["a.py"]}, paths=("src",))
    assert (found.names, found.notices) == (("src/a.py", "src/b.py"), ())


@pytest.mark.parametrize("known", [[], None])
def test_a_repository_inside_that_tracks_nothing_is_looked_at_whole(tmp_path: Path, known: Any):
    write(tmp_path, {"a.py": "", "sub/x.py": "", "sub/.git": ""})
    names = {".": ["a.py"], **({"sub": known} if known is not None else {})}
    found = inside(tmp_path, names, paths=("a.py", "sub"))
    assert found.names == ("a.py", "sub/.git", "sub/x.py")
    assert "in 'sub' git" in found.notice


def test_without_a_repository_around_them_those_inside_are_looked_at_like_all(tmp_path: Path):
    write(tmp_path, {"a.py": "", "sub/x.py": ""})
    found = inside(tmp_path, {})
    assert (found.names, found.apart) == (("a.py", "sub/x.py"), ())
