"""What git is asked about a pull request, with which settings, and how its answers are read."""

import os
from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeGit, FakeRun, completed

from ci_action.project.git.repository import Repository
from ci_action.stages.pr.changed_files import Marks
from ci_action.stages.pr.git_diff import changed_files, marks, with_attributes_of
from ci_action.system.errors import ToolError
from ci_action.system.process import Command

FOUND = {"rev_parse": completed(b"/r/.git\n"), "read_tree": completed()}


def seen(folder: Path, **answers: Any) -> tuple[Repository, FakeGit]:
    git = FakeGit(**{**FOUND, **answers})
    run = FakeRun(git=git)
    return with_attributes_of(Repository(run=run, top=folder, tempdir=folder), "ba5e"), git


def settings_of(command: Command) -> dict[str, str]:
    environ = command.environ
    count = int(environ["GIT_CONFIG_COUNT"])
    return {
        environ[f"GIT_CONFIG_KEY_{number}"]: environ[f"GIT_CONFIG_VALUE_{number}"] for number in range(count)
    }


def test_the_attributes_are_those_of_one_commit(tmp_path: Path):
    repository, git = seen(tmp_path, check_attr=completed(), diff_tree=completed())
    marks(repository, ["a.py"])
    changed_files(repository, "ba5e", "feed")
    read, asked, listed = git.asked[1:]
    assert read.argv[1:] == ("read-tree", "ba5e")
    for command in (read, asked, listed):
        assert command.environ["GIT_DIR"] == "/r/.git"
        assert command.environ["GIT_WORK_TREE"] == str(command.cwd) == str(tmp_path / "empty")
        assert command.environ["GIT_INDEX_FILE"] == str(tmp_path / "pull" / "index")
        assert command.environ["GIT_ATTR_NOSYSTEM"] == "1"
        assert settings_of(command)["core.attributesFile"] == os.devnull
    assert list((tmp_path / "empty").iterdir()) == []
    assert {"--no-ext-diff", "--no-textconv"} <= set(listed.argv)
    assert listed.argv[-3:] == ("ba5e", "feed", "--")
    assert "--cached" in asked.argv
    assert asked.stdin == b"a.py\0"


def answer(*triples: tuple[bytes, bytes, bytes]) -> bytes:
    return b"".join(part + b"\0" for triple in triples for part in triple)


GENERATED, VENDORED = b"linguist-generated", b"linguist-vendored"


@pytest.mark.parametrize(
    ("stdout", "expected"),
    [
        (b"", {}),
        (answer((b"a", GENERATED, b"set")), {"a": Marks(generated=True)}),
        (answer((b"a", GENERATED, b"true")), {"a": Marks(generated=True)}),
        (answer((b"a", GENERATED, b"unset")), {"a": Marks(generated=False)}),
        (answer((b"a", GENERATED, b"false")), {"a": Marks(generated=False)}),
        (answer((b"a", GENERATED, b"unspecified")), {}),
        (answer((b"a", GENERATED, b"perhaps")), {}),
        (
            answer((b"a", GENERATED, b"set"), (b"a", VENDORED, b"unset")),
            {"a": Marks(generated=True, vendored=False)},
        ),
        (
            answer((b"a", VENDORED, b"set"), (b"b", VENDORED, b"set")),
            dict.fromkeys("ab", Marks(vendored=True)),
        ),
        (answer((b"\xff\n", VENDORED, b"set")), {"\udcff\n": Marks(vendored=True)}),
    ],
)
def test_marks(tmp_path: Path, stdout: bytes, expected: dict[str, Marks]):
    repository, _ = seen(tmp_path, check_attr=completed(stdout))
    assert marks(repository, expected) == expected


def test_names_are_sent_unchanged(tmp_path: Path):
    repository, git = seen(tmp_path, check_attr=completed())
    marks(repository, ["\udcff\n", "a b"])
    assert git.asked[-1].stdin == b"\xff\n\0a b\0"


@pytest.mark.parametrize("word", ["rev_parse", "read_tree", "check_attr", "diff_tree"])
@pytest.mark.parametrize(
    ("stderr", "reason"), [("fatal: bad object\nmore\n", "bad object"), ("", "exit code 128")]
)
def test_a_failing_git_is_an_error(tmp_path: Path, word: str, stderr: str, reason: str):
    def ask() -> None:
        repository, _ = seen(tmp_path, **{**answers, word: completed(stderr=stderr, returncode=128)})
        assert (marks(repository, ["a"]), changed_files(repository, "a", "b")) == ({}, ())

    answers = {"check_attr": completed(), "diff_tree": completed()}
    with pytest.raises(ToolError, match=reason) as caught:
        ask()
    assert "more" not in caught.value.reason
