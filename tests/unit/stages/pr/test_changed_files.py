"""The changed files of a pull request: read from git's output and from GitHub's list, whatever their names are."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.stages.pr.changed_files import ChangedFile, Status, from_git, from_github, listing
from ci_action.system.errors import InterruptedRunError, ToolError
from ci_action.system.lazy import Lazy

LETTERS = {
    Status.ADDED: "A",
    Status.REMOVED: "D",
    Status.MODIFIED: "M",
    Status.RENAMED: "R090",
    Status.COPIED: "C075",
    Status.CHANGED: "T",
}


def raw(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def as_git(files: list[ChangedFile], mode: str = "100644") -> bytes:
    """Print files as git does: first what became of all, then the numbers of all."""
    heads, numbers = b"", b""
    for file in files:
        letter = "R100" if file.moved else LETTERS[file.status]
        names = [name for name in (file.previous, file.name) if name]
        heads += (
            f":100644 {mode} aaaa bbbb {letter}".encode() + b"\0" + b"".join(raw(n) + b"\0" for n in names)
        )
        counts = b"-\t-\t" if file.binary else f"{file.additions}\t{file.deletions}\t".encode()
        numbers += counts + (b"\0" if file.previous else b"") + b"".join(raw(n) + b"\0" for n in names)
    return heads + numbers


BYTES = st.binary(min_size=1, max_size=12).map(lambda name: name.replace(b"\0", b"/"))
TRICKS = st.sampled_from(
    [
        b":100644 100644 a b M",
        b"1\t2\tx",
        b"-\t-\t",
        b"a => b",
        b"{a => b}/c",
        b"\t",
        b"\n",
        b"\xff\xfe",
        b" ",
        b'"a"',
    ]
)
NAMES = st.one_of(BYTES, TRICKS).map(lambda name: name.decode("utf-8", "surrogateescape"))


@st.composite
def changed_files(draw: st.DrawFn) -> ChangedFile:
    status = draw(st.sampled_from(list(LETTERS)))
    renamed = status in {Status.RENAMED, Status.COPIED}
    binary = draw(st.booleans())
    moved = status is Status.RENAMED and draw(st.booleans())
    numbers = st.integers(0, 10**7)
    return ChangedFile(
        name=draw(NAMES),
        previous=draw(NAMES) if renamed else "",
        status=status,
        additions=0 if binary else draw(numbers),
        deletions=0 if binary else draw(numbers),
        binary=binary,
        moved=moved,
    )


@given(st.lists(changed_files(), max_size=6))
def test_what_git_prints_is_read_back_whatever_the_names_are(files: list[ChangedFile]):
    assert from_git(as_git(files)) == tuple(files)


@given(st.lists(changed_files(), min_size=1, max_size=3), st.data())
def test_a_list_that_ends_in_the_middle_is_never_taken_for_a_shorter_one(files, data):
    whole = as_git(files)
    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]
    with pytest.raises(ToolError, match="git printed a list of changed files that"):
        from_git(cut)


@given(st.binary(max_size=60))
def test_anything_else_is_refused_in_a_sentence(stdout: bytes):
    with suppress(ToolError):
        assert from_git(stdout) == () or stdout.startswith(b":")


def test_a_file_that_was_moved_and_made_executable_is_no_pure_move():
    moved = ChangedFile(name="b", previous="a", status=Status.RENAMED, moved=True)
    assert from_git(as_git([moved])) == (moved,)
    assert from_git(as_git([moved], mode="100755")) == (replace(moved, moved=False),)


ENTRY = {
    "filename": "a.py",
    "status": "modified",
    "additions": 2,
    "deletions": 1,
    "changes": 3,
    "patch": "@@",
}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({}, ChangedFile(name="a.py", additions=2, deletions=1)),
        ({"status": "removed"}, ChangedFile(name="a.py", additions=2, deletions=1, status=Status.REMOVED)),
        (
            {"status": "renamed", "previous_filename": "b", "additions": 0, "deletions": 0},
            ChangedFile(name="a.py", previous="b", status=Status.RENAMED, moved=True),
        ),
        (
            {"status": "renamed", "previous_filename": "b"},
            ChangedFile(name="a.py", previous="b", status=Status.RENAMED, additions=2, deletions=1),
        ),
    ],
)
def test_an_entry_of_github(entry, expected):
    assert from_github([{**ENTRY, **entry}]) == (expected,)


@pytest.mark.parametrize(
    "entry",
    [
        {"filename": None},
        {"filename": ["a"]},
        {"status": "eaten"},
        {"additions": "many"},
        {"deletions": None},
    ],
)
def test_an_entry_that_is_none_is_refused(entry, wording: Any):
    with pytest.raises(ToolError) as caught:
        from_github([{**ENTRY, **entry}])
    assert str(caught.value) == wording
    with pytest.raises(ToolError):
        from_github([{}])


def test_the_sum_of_the_files():
    found = listing([ChangedFile(name="a", additions=2), ChangedFile(name="b", deletions=3)], "git")
    assert (found.total, found.lines, found.truncated) == (2, 5, False)
    assert replace(found, total=3).truncated


def test_a_value_is_made_once_and_so_is_the_reason_why_there_is_none():
    made: list[int] = []
    once: Lazy[int] = Lazy()

    def make() -> int:
        made.append(1)
        return len(made)

    assert (once.of(make), once.of(make), made) == (1, 1, [1])

    def fail() -> int:
        made.append(1)
        raise ToolError("no")

    failing: Lazy[int] = Lazy()
    for _ in range(2):
        with pytest.raises(ToolError, match="no"):
            failing.of(fail)
    assert len(made) == 2

    def end() -> int:
        raise InterruptedRunError("stop")

    with pytest.raises(InterruptedRunError):
        Lazy[int]().of(end)
