"""The changes read from a diff, applied to the source, give the target: for any lines."""

import difflib

from hypothesis import given
from hypothesis import strategies as st
from support.hostile_text import PIECES

from ci_action.stages.quality.black.output import parse, parse_part
from ci_action.stages.quality.diff import Change
from ci_action.system.errors import ToolError

# A line as Black may print it: no carriage return in it, and nothing that UTF-8 does not hold.
SAFE = [piece for piece in PIECES if not set(piece) & set("\n\r") and piece.isprintable()]
LINE = st.lists(
    st.sampled_from(
        [*SAFE, "-", "+", " ", "--- a", "+++ b", "@@ -1 +1 @@", "\\ No newline at end of file", "\t", "\x0c"]
    )
    | st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=4),
    max_size=3,
).map("".join)
LINES = st.lists(LINE, max_size=25)


def black_diff(name: str, source: list[str], target: list[str], context: int) -> bytes:
    """Return the diff as Black writes it (black.output.diff, black.format_file_in_place)."""
    rows = difflib.unified_diff(
        [line + "\n" for line in source],
        [line + "\n" for line in target],
        fromfile=f"{name}\t2026-01-01 00:00:00.000000+00:00",
        tofile=f"{name}\t2026-01-01 00:00:01.000000+00:00",
        n=context,
    )
    return "".join(rows).encode()


def applied(source: list[str], changes: list[Change]) -> list[str]:
    """Apply changes from the last to the first."""
    lines = list(source)
    for change in reversed(changes):
        assert change.line is not None
        assert change.end_line is not None
        before, after = change.before.split("\n")[:-1], change.after.split("\n")[:-1]
        start = change.line - 1
        assert lines[start : start + len(before)] == before
        lines[start : start + len(before)] = after
    return lines


@given(LINES, LINES, st.integers(0, 5))
def test_changes_applied_give_the_target(source: list[str], target: list[str], context: int):
    if source == target:
        return
    diff = black_diff("a.py", source, target, context)
    (changes,) = parse(diff, "1 file would be reformatted.", ["a.py"]).changes.values()
    removed = [line for change in changes for line in change.before.split("\n")[:-1]]
    added = [line for change in changes for line in change.after.split("\n")[:-1]]
    rows = list(difflib.unified_diff(source, target, n=context, lineterm=""))[2:]
    assert removed == [row[1:] for row in rows if row.startswith("-")]
    assert added == [row[1:] for row in rows if row.startswith("+")]
    for change in changes:
        assert change.rule == "format"
        assert 1 <= (change.line or 0) <= (change.end_line or 0) <= max(1, len(source))


@given(LINES, LINES)
def test_changes_applied_to_the_source_give_the_target(source: list[str], target: list[str]):
    if source == target or not source:
        return
    sentinel = ["# the end"]  # so that nothing is added behind the last line
    diff = black_diff("a.py", source + sentinel, target + sentinel, 3)
    (changes,) = parse(diff, "1 file would be reformatted.", ["a.py"]).changes.values()
    assert applied(source + sentinel, changes) == target + sentinel


@given(LINES, LINES, st.data())
def test_a_diff_cut_anywhere_is_an_error_or_the_whole(
    source: list[str], target: list[str], data: st.DataObject
):
    if source == target:
        return
    diff = black_diff("a.py", source, target, 3)
    whole = parse(diff, "1 file would be reformatted.", ["a.py"])
    cut = diff[: data.draw(st.integers(0, len(diff) - 1))]
    try:
        seen = parse(cut, "1 file would be reformatted.", ["a.py"])
    except ToolError:
        return
    assert seen.changes["a.py"], "never a pass"
    assert len(seen.changes["a.py"]) <= len(whole.changes["a.py"])


MARK = b"\xef\xbb\xbf"


@given(st.lists(st.tuples(LINES, LINES, st.booleans()), max_size=5))
def test_a_byte_order_mark_changes_nothing_in_a_batch(files: list[tuple[list[str], list[str], bool]]):
    changed = {f"f{n}.py": one for n, one in enumerate(files) if one[0] != one[1]}
    names = [f"f{n}.py" for n in range(len(files))]
    summary = f"{len(changed)} files would be reformatted, {len(files) - len(changed)} files would be left unchanged."
    plain = {name: black_diff(name, source, target, 3) for name, (source, target, _) in changed.items()}
    marked = {name: (MARK if changed[name][2] else b"") + diff for name, diff in plain.items()}
    if not files:
        return
    expected = parse(b"".join(plain.values()), summary, names)
    found = parse(b"".join(marked.values()), summary, names)
    assert found.changes == expected.changes
    assert found.changes.keys() == set(names)
    for diffs in (plain, marked):  # cut within the last file
        part = parse_part(b"".join(diffs.values())[:-1], names)
        assert part == {name: expected.changes[name] for name in list(changed)[:-1]}


def test_a_removed_line_that_looks_like_a_header_costs_no_file():
    first = black_diff("a.py", ["x"], ["y"], 3)
    second = black_diff("b.py", ["x", "-- x", "z"], ["y", "z"], 3)
    part = parse_part(first + second[:-1], ["a.py", "b.py"])
    assert list(part) == ["a.py"]
