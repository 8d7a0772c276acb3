"""The changes read from a diff, applied to the source, give the target: for any lines, with any line ends."""

import difflib

from hypothesis import given
from hypothesis import strategies as st
from support.builders import completed
from support.hostile_text import PIECES

from ci_action.stages.quality.diff import Change
from ci_action.stages.quality.ruff_format.output import parse
from ci_action.system.errors import ToolError

SAFE = [piece for piece in PIECES if not set(piece) & set("\n\r") and piece.isprintable()]
LINE = st.lists(
    st.sampled_from([*SAFE, "-", "+", " ", "--- a.py", "+++ a.py", "@@ -1 +1 @@", "\\ No newline at end of file"])
    | st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=4),
    max_size=3,
).map("".join)  # fmt: skip
LINES = st.lists(LINE, max_size=25)


def ruff_diff(name: str, source: list[str], target: list[str], end: str) -> bytes:
    """Return the diff as Ruff writes it: lines keep their ends, names have no date, a blank line follows."""
    rows = difflib.unified_diff(
        [line + end for line in source],
        [line + end for line in target],
        fromfile=name,
        tofile=name,
        lineterm="\n",
    )
    return "".join([*rows, "\n"]).encode()


def applied(source: list[str], changes: list[Change]) -> list[str]:
    lines = list(source)
    for change in reversed(changes):
        assert change.line is not None
        before, after = change.before.split("\n")[:-1], change.after.split("\n")[:-1]
        # What is only added stands behind its line if that is the last one, or before it.
        start = change.line - 1
        assert lines[start : start + len(before)] == before
        lines[start : start + len(before)] = after
    return lines


@given(LINES, LINES, st.sampled_from(["\n", "\r\n", "\r"]))
def test_changes_applied_give_the_target(source: list[str], target: list[str], end: str):
    if source == target:
        return
    done = completed(ruff_diff("a.py", source, target, end), "1 file would be reformatted\n", 1)
    (changes,) = parse(done, {"a.py": "a.py"}).changes.values()
    removed = [line for change in changes for line in change.before.split("\n")[:-1]]
    added = [line for change in changes for line in change.after.split("\n")[:-1]]
    rows = list(difflib.unified_diff(source, target, lineterm=""))[2:]
    rows = [row for row in rows if not row.startswith("@@ ") or row.startswith(("-", "+"))]
    assert removed == [row[1:] for row in rows if row.startswith("-")]
    assert added == [row[1:] for row in rows if row.startswith("+")]
    if all(change.before for change in changes):
        assert applied(source, changes) == target


@given(st.binary(max_size=200), st.text(max_size=200), st.integers(0, 2))
def test_rubbish_is_an_error_or_nothing(stdout: bytes, stderr: str, code: int):
    try:
        seen = parse(completed(stdout, stderr, code), {"a.py": "a.py", "b.py": "b.py"})
    except ToolError:
        return
    assert seen.number <= 2
