"""The size of a pull request: what counts, what does not and why, its class, and its folders."""

from typing import Any

import pytest

from ci_action.stages.pr.changed_files import ChangedFile, Marks, PullFiles, Status, listing
from ci_action.stages.pr.measure import Reason, folders, measure, told


def file(name: str, lines: int = 1, **overrides: Any) -> ChangedFile:
    return ChangedFile(**{"name": name, "additions": lines, **overrides})


def pull(*files: ChangedFile, **overrides: Any) -> PullFiles:
    from dataclasses import replace

    return replace(listing(files, "git"), **overrides)


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (0, "XS"), (9, "XS"), (10, "S"), (29, "S"), (30, "M"), (99, "M"), (100, "L"), (499, "L"), (500, "XL"), (999, "XL"),
        (1000, "XXL"), (10**9, "XXL"),
    ],
)  # fmt: skip
def test_the_class_goes_by_the_lines(lines: int, name: str):
    assert measure(pull(file("a", lines))).name == name


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
def test_what_is_left_out_by_its_name(name: str, reason: Reason | None):
    size = measure(pull(file(name, 7), file("x.py", 5)), ["docs/api/", "*.snap"])
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
def test_what_the_attributes_say_goes_before_names(name: str, marks: Marks, reason: Reason | None):
    size = measure(pull(file(name), marks={name: marks}))
    assert list(size.left_out) == ([reason] if reason else [])


def test_a_pure_move_does_not_count_and_an_edited_one_does():
    moved = file("b.py", 0, previous="a.py", status=Status.RENAMED, moved=True)
    edited = file("d.py", 3, previous="c.py", status=Status.RENAMED)
    size = measure(pull(moved, edited))
    assert (size.files, size.lines, list(size.left_out)) == (1, 3, [Reason.MOVED])


def test_files_that_nobody_listed_count_with_their_lines():
    listed = [file("uv.lock", 1000), *(file(f"src/{number}.py", 2) for number in range(2999))]
    size = measure(pull(*listed, total=3001, additions=7000))
    assert (size.files, size.lines, len(size.counted)) == (3000, 6000, 2999)


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
    found = [(folder.name, folder.files) for folder in folders(map(file, names))]
    assert found == expected
    assert sum(number for _, number in found) == len(names)


def test_thousands_of_files_are_divided_into_few_folders():
    found = folders(file(f"src/p{number % 90}/f{number}.py") for number in range(3000))
    assert sum(folder.files for folder in found) == 3000
    assert len(found) == 90


def test_what_is_left_out_is_named():
    locks = [file(f"{number}/uv.lock") for number in range(5)]
    assert told(measure(pull(*locks, file("vendor/a")))) == [
        "lock files (5): 0/uv.lock, 1/uv.lock, 2/uv.lock and 2 more",
        "vendored (1): vendor/a",
    ]
