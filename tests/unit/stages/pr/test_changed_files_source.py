"""The source of the changed files of a pull request, and the commits that git compares."""

from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeGit, FakeRun, completed, context, event
from support.fake_github import FilesAndLabels, entry, pull

from ci_action.engine.context import Context
from ci_action.github.errors import ApiError
from ci_action.model.changes import Changes
from ci_action.stages.pr.changed_files import Marks, PullFiles
from ci_action.stages.pr.changed_files_source import files_of
from ci_action.system.errors import ToolError
from ci_action.system.process import Command, Completed

HEAD, BASE, MERGE, PARTED, OTHER = ("a" * 40, "b" * 40, "c" * 40, "d" * 40, "e" * 40)
KNOWN = Changes(base=BASE)
DIFF = b":100644 100644 a b M\0a.py\0:000000 100644 a b A\0b.py\0003\t1\ta.py\0002\t0\tb.py\0"
GENERATED = b"b.py\0linguist-generated\0set\0"


def head(sha: str, *parents: str) -> Completed:
    body = "".join(f"parent {one}\n" for one in parents) + "\nmessage"
    return completed(f"{sha} commit {len(body)}\n{body}\n")


def here(sha: str = HEAD, *parents: str, shallow: bool = True, parted: str = "", **answers: Any) -> FakeGit:
    """Return a clone in which a commit is checked out."""

    def asked(command: Command) -> Completed:
        if "--is-shallow-repository" in command.argv:
            return completed("true\n" if shallow else "false\n")
        return completed(f"{command.cwd}\n" if "--show-toplevel" in command.argv else "/r/.git\n")

    given = {
        "rev_parse": asked,
        "cat_file": head(sha, *parents),
        "merge_base": completed(f"{parted}\n", returncode=int(not parted)),
        "read_tree": completed(),
        "diff_tree": completed(DIFF),
        "check_attr": completed(GENERATED),
    }
    return FakeGit(**{**given, **answers})


def context_of(tmp_path: Path, git: Any, **overrides: Any) -> Context:
    values = {"changes": KNOWN, "pull": pull(), "event": event(name="pull_request", sha=""), **overrides}
    return context(tmp_path, FakeRun(git=git), **values)


def found(tmp_path: Path, git: Any, of_pull: dict[str, Any] | None = None, **overrides: Any) -> PullFiles:
    return files_of(context_of(tmp_path, git, **overrides), pull(**(of_pull or {})))


def source(files: PullFiles) -> str:
    """Return who listed the files: git, with the names of `DIFF`, or GitHub."""
    return "git" if [file.name for file in files.files] == ["a.py", "b.py"] else "GitHub"


def compared(git: FakeGit) -> list[tuple[str, ...]]:
    return [command.argv[-3:-1] for command in git.asked if "diff-tree" in command.argv]


def test_git_lists_them_with_their_marks(tmp_path: Path):
    files = found(tmp_path, here())
    assert [(file.name, file.lines) for file in files.files] == [("a.py", 4), ("b.py", 2)]
    assert (files.total, files.lines) == (2, 6)
    assert (files.marks, files.note, files.unmarked) == ({"b.py": Marks(generated=True)}, "", "")


def test_they_are_asked_for_once_in_a_run(tmp_path: Path):
    git = here()
    ctx = context_of(tmp_path, git)
    assert files_of(ctx, pull()) is files_of(ctx, pull())
    assert len(compared(git)) == 1


@pytest.mark.parametrize(
    ("git", "base", "tip"),
    [
        (here(), BASE, HEAD),
        (here(HEAD, OTHER), BASE, HEAD),
        (here(MERGE, BASE, HEAD), BASE, MERGE),
        (here(MERGE, BASE, HEAD, shallow=False, parted=PARTED), PARTED, HEAD),
        (here(MERGE, BASE, HEAD, shallow=False), BASE, MERGE),
        (here(MERGE, OTHER, HEAD, shallow=False, parted=PARTED), BASE, MERGE),
        (here(HEAD, BASE, OTHER, shallow=False, parted=PARTED), BASE, HEAD),
    ],
    ids=["its head", "a commit", "its merge", "all of history", "histories that never met", "a merge with another base", "a merge as its head"],
)  # fmt: skip
def test_what_is_compared(tmp_path: Path, git: FakeGit, base: str, tip: str):
    assert source(found(tmp_path, git)) == "git"
    assert compared(git) == [(base, tip)]
    assert [command.argv[-1] for command in git.asked if "read-tree" in command.argv] == [base]


PAYLOAD = {"pull_request": {"head": {"sha": OTHER}}}


@pytest.mark.parametrize(
    ("git", "overrides", "is_its"),
    [
        (here(), {}, True),
        (here(OTHER), {}, False),
        (here(OTHER), {"event": event(name="pull_request", sha=OTHER)}, False),
        (here(OTHER), {"event": event(name="pull_request", payload=PAYLOAD)}, True),
        (here(OTHER), {"event": event(name="pull_request", payload={"pull_request": "x"})}, False),
        (here(OTHER), {"event": event(name="pull_request", payload={"pull_request": {"head": "x"}})}, False),
        (here(OTHER), {"head_sha": ""}, True),
        (here(OTHER), {"head_sha": "", "event": event(payload=PAYLOAD)}, True),
        (here(HEAD), {"head_sha": "", "event": event(payload=PAYLOAD)}, False),
        (here(MERGE, BASE, OTHER), {"event": event(name="pull_request", sha="")}, True),
        (here(MERGE, BASE, OTHER), {"event": event(name="pull_request", sha=MERGE)}, True),
        (here(MERGE, BASE, OTHER), {"event": event(name="pull_request", sha=OTHER)}, False),
        (here(MERGE, BASE, OTHER), {"event": event(name="push", sha="")}, False),
        (here(MERGE, BASE, OTHER), {"event": event(name="push", sha=""), "head_sha": ""}, False),
        (here(MERGE, BASE, HEAD), {"event": event(name="push", sha="")}, True),
        (here(MERGE, HEAD, BASE), {"event": event(name="push", sha="")}, False),
        (here(MERGE, BASE, OTHER, HEAD), {"event": event(name="pull_request", sha=MERGE)}, False),
    ],
)  # fmt: skip
def test_whether_the_checkout_is_the_pull_request(
    tmp_path: Path, git: FakeGit, overrides: dict[str, Any], is_its: bool
):
    of_pull = {"head_sha": overrides.pop("head_sha")} if "head_sha" in overrides else {}
    github = FilesAndLabels([entry("of-github.py")])
    files = found(tmp_path, git, of_pull, github=github, **overrides)
    assert source(files) == ("git" if is_its else "GitHub")
    assert bool(github.asked) is not is_its


@pytest.mark.parametrize(
    ("git", "overrides"),
    [
        (completed(stderr="fatal: not a git repository", returncode=128), {}),
        (here(), {"changes": None}),
        (here(), {"changes": Changes(problem="no base")}),
        (here(cat_file=completed(b"HEAD missing\n")), {}),
        (here(diff_tree=completed(returncode=128)), {}),
        (here(diff_tree=completed(b"torn")), {}),
        (here(read_tree=completed(returncode=128)), {}),
        (here(diff_tree=ToolError("git timed out")), {}),
    ],
    ids=[
        "no repository", "not asked", "no base", "no commit", "a failure", "an answer that is torn", "no index", "no time",
    ],
)  # fmt: skip
def test_without_git_github_lists_them(tmp_path: Path, git: Any, overrides: dict[str, Any]):
    github = FilesAndLabels([entry("of-github.py")])
    files = found(tmp_path, git, github=github, **overrides)
    assert ([file.name for file in files.files], source(files)) == (["of-github.py"], "GitHub")


@pytest.mark.parametrize(
    ("count", "asked", "who"),
    [(None, False, "git"), (2, False, "git"), (3, True, "GitHub"), (1, True, "GitHub"), (0, True, "GitHub")],
)
def test_another_count_of_github_replaces_the_files_of_git(
    tmp_path: Path, count: int | None, asked: bool, who: str
):
    github = FilesAndLabels([entry("b.py"), entry("c.py"), entry("d.py")])
    files = found(tmp_path, here(), {"changed_files": count}, github=github)
    assert (source(files), bool(github.asked)) == (who, asked)
    assert files.marks == {"b.py": Marks(generated=True)}


@pytest.mark.parametrize("github", [None, FilesAndLabels(refuses={"pull_files": ApiError("refused", 403)})])
def test_without_github_those_of_git_are_used_with_a_note(tmp_path: Path, github: Any):
    files = found(tmp_path, here(), {"changed_files": 1234}, github=github)
    assert (source(files), files.total) == ("git", 2)
    assert "1,234" in files.note
    assert " 2 " in files.note
    assert ("refused" in files.note) is (github is not None)


@pytest.mark.parametrize(
    ("files", "total", "marked"),
    [
        ([entry("b.py")], None, True),
        ([entry(".gitattributes"), entry("b.py")], None, False),
        ([entry("src/.gitattributes"), entry("b.py")], None, False),
        ([entry("x", status="renamed", previous_filename=".gitattributes"), entry("b.py")], None, False),
        ([entry("x.gitattributes"), entry("b.py")], None, True),
        ([entry("b.py")], 2, False),
    ],
)
def test_attributes_that_the_pull_request_may_have_changed_are_not_used(
    tmp_path: Path, files: Any, total: int | None, marked: bool
):
    git = here(OTHER)
    of_pull = {"changed_files": total, "current": total is not None}
    files_found = found(tmp_path, git, of_pull, github=FilesAndLabels(files))
    assert source(files_found) == "GitHub"
    assert bool(files_found.marks) is marked
    assert bool(files_found.unmarked) is not marked
    heads = [command.argv[-1] for command in git.asked if "read-tree" in command.argv]
    assert heads == (["HEAD"] if marked else [])


def test_attributes_that_cannot_be_read_are_noted(tmp_path: Path):
    git = here(OTHER, check_attr=completed(stderr="fatal: index is broken", returncode=128))
    files_found = found(tmp_path, git, github=FilesAndLabels([entry("b.py")]))
    assert files_found.marks == {}
    assert "index is broken" in files_found.unmarked


@pytest.mark.parametrize("missing", ["changed_files", "additions", "deletions"])
def test_numbers_alone_need_all_of_them(tmp_path: Path, missing: str):
    numbers = {"changed_files": 9, "additions": 8, "deletions": 7}
    files = found(tmp_path, here(OTHER), numbers, github=None)
    assert (files.total, files.lines, files.files) == (9, 15, ())
    assert (files.numbers_only, bool(files.unmarked)) == (True, True)
    with pytest.raises(ToolError, match="fetch-depth: 2"):
        found(tmp_path, here(OTHER), {**numbers, missing: None}, github=None)


@pytest.mark.parametrize(
    ("github", "advice"),
    [
        (None, "github-token"),
        (FilesAndLabels(refuses={"pull_files": ApiError("refused (403)", 403)}), "refused (403)"),
    ],
)
def test_unknown_files_are_an_error_with_both_reasons(tmp_path: Path, github: Any, advice: str):
    with pytest.raises(ToolError) as caught:
        found(tmp_path, here(OTHER), github=github)
    assert OTHER[:12] in caught.value.reason
    assert advice in caught.value.reason
    assert "pull-requests: read" in caught.value.reason
