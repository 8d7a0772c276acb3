"""A fix that is told as edits of parts of lines, made into whole lines and what they become."""

from collections.abc import Callable, Sequence

from ci_action.model.finding import Edit


def whole_lines(
    edits: Sequence[Edit], source: Callable[[int, int], list[str]], most: int
) -> tuple[int, list[str], list[str]] | None:
    """Return the first line, the lines as they are and as they become; None where they are too many or do not fit.

    `source` returns the lines of the file from one to another. Beyond ASCII tools count columns in several ways, so such
    lines are left alone.
    """
    if not edits:
        return None
    first = min(one.start[0] for one in edits)
    last = max(one.end[0] if one.end[1] > 1 else max(one.start[0], one.end[0] - 1) for one in edits)
    if first < 1 or not 0 <= last - first < most:
        return None
    before = source(first, last)
    if len(before) != last - first + 1 or not all(line.isascii() for line in before):
        return None
    text = _applied("".join(f"{line}\n" for line in before), first, edits)
    if text is None or (text and not text.endswith("\n")):
        return None
    return first, before, text.split("\n")[:-1]


def _applied(text: str, first: int, edits: Sequence[Edit]) -> str | None:
    starts = [0]
    for line in text.split("\n")[:-1]:
        starts.append(starts[-1] + len(line) + 1)

    def offset(point: tuple[int, int]) -> int:
        return starts[point[0] - first] + point[1] - 1

    end_of_next = len(text)
    for one in sorted(edits, key=lambda one: one.start, reverse=True):
        start, end = offset(one.start), offset(one.end)
        if not 0 <= start <= end <= end_of_next:
            return None
        text = text[:start] + one.text + text[end:]
        end_of_next = start
    return text
