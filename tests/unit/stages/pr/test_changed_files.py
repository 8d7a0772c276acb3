"""The changed files of a pull request: read from git's output and from GitHub's list, whatever their names are."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.stages.pr.changed_files import ChangedFile, from_github, listing
from ci_action.stages.pr.git_diff import parse
from ci_action.system.errors import InterruptedRunError, ToolError
from ci_action.system.lazy import Lazy


def raw(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


Printed = tuple[ChangedFile, str, int]
"""A file, its status and its added lines; -1 for a binary file."""


def as_git(files: list[Printed], mode: str = "100644") -> bytes:
    """Print files as git does: first the changes of all, then the numbers of all."""
    heads, numbers = b"", b""
    for file, status, added in files:
        names = [name for name in (file.previous, file.name) if name]
        heads += (
            f":100644 {mode} aaaa bbbb {status}".encode() + b"\0" + b"".join(raw(n) + b"\0" for n in names)
        )
        counts = b"-\t-\t" if added < 0 else f"{added}\t{file.lines - added}\t".encode()
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
def printed(draw: st.DrawFn) -> Printed:
    status = draw(st.sampled_from(["A", "D", "M", "T", "R090", "R100", "C075"]))
    name = draw(NAMES)
    previous = draw(NAMES.filter(lambda other: other != name)) if status[0] in "RC" else ""
    numbers = st.integers(0, 10**7)
    added, deleted = draw(st.tuples(numbers, numbers) | st.just((-1, 1)))
    file = ChangedFile(name=name, previous=previous, lines=added + deleted, moved=status == "R100")
    return file, status, added


@given(st.lists(printed(), max_size=6))
def test_what_git_prints_is_read_back_whatever_the_names_are(files: list[Printed]):
    assert parse(as_git(files)) == tuple(file for file, _, _ in files)


@given(st.lists(printed(), min_size=1, max_size=3), st.data())
def test_an_incomplete_list_is_never_taken_for_a_shorter_one(files: list[Printed], data: st.DataObject):
    whole = as_git(files)
    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]
    with pytest.raises(ToolError, match="git printed an invalid list of changed files"):
        parse(cut)


@given(st.binary(max_size=60))
def test_anything_else_is_refused(stdout: bytes):
    with suppress(ToolError):
        assert parse(stdout) == () or stdout.startswith(b":")


def test_a_file_that_was_moved_and_made_executable_is_no_pure_move():
    moved = ChangedFile(name="b", previous="a", moved=True)
    assert parse(as_git([(moved, "R100", 0)])) == (moved,)
    assert parse(as_git([(moved, "R100", 0)], mode="100755")) == (replace(moved, moved=False),)


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
        ({}, ChangedFile(name="a.py", lines=3)),
        ({"status": "removed"}, ChangedFile(name="a.py", lines=3)),
        (
            {"status": "renamed", "previous_filename": "b", "additions": 0, "deletions": 0},
            ChangedFile(name="a.py", previous="b", moved=True),
        ),
        (
            {"status": "renamed", "previous_filename": "b"},
            ChangedFile(name="a.py", previous="b", lines=3),
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
def test_an_invalid_entry_is_refused(entry, wording: Any):
    with pytest.raises(ToolError) as caught:
        from_github([{**ENTRY, **entry}])
    assert str(caught.value) == wording
    with pytest.raises(ToolError):
        from_github([{}])


def test_the_sum_of_the_files():
    found = listing([ChangedFile(name="a", lines=2), ChangedFile(name="b", lines=3)])
    assert (found.total, found.lines, found.truncated) == (2, 5, False)
    assert replace(found, total=3).truncated


def test_a_value_or_its_error_is_made_once():
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
