"""The lines that a finding is about: as they are in the file, or as they are and as they should become."""

from collections.abc import Sequence
from typing import Final

from ci_action.model.finding import Finding, Location
from ci_action.reporters.html.markup import NOTHING, Html, Markup

_WIDEST: Final = 300
# How much of a long line stands before the place of the finding.
_BEFORE: Final = 100
_MOST_LINES: Final = 30


def excerpt(h: Markup, finding: Finding, lines: Sequence[str]) -> Html:
    """Return lines of the source with their numbers, what the finding is about marked in the first."""
    place = finding.location
    if not lines or place is None or place.line is None:
        return NOTHING
    rows = [_row(h, place.line, _marked(h, lines[0], place))]
    rows += [_row(h, number, h.text(line, _WIDEST)) for number, line in enumerate(lines[1:], place.line + 1)]
    return _block(h, rows)


def _marked(h: Markup, line: str, place: Location) -> Html:
    if place.column is None or place.column > len(line):  # the file may have changed since
        return h.text(line, _WIDEST)
    start = place.column - 1
    one_row = place.end_line in {None, place.line}
    end = max((place.end_column or place.column + 1) - 1, start + 1) if one_row else len(line)
    first = max(0, start - _BEFORE) if len(line) > _WIDEST else 0
    ahead = f"…{line[first:start]}" if first else line[:start]
    return h.join(
        h.text(ahead), h("mark", h.text(line[start:end], _WIDEST)), h.text(line[end:], _WIDEST - _BEFORE)
    )


def difference(h: Markup, finding: Finding) -> Html:
    """Return the lines as they are and as they should become."""
    rows = [
        *_signed(h, "−", "removed", finding.before),
        *_signed(h, "+", "added", finding.after),
    ]
    if not rows:
        return NOTHING
    return _block(h, rows)


def _signed(h: Markup, sign: str, kind: str, text: str) -> list[Html]:
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    rows = [
        h(
            "span",
            h("i", sign),
            h("span", h.text(line.rstrip("\r"), _WIDEST), class_="code"),
            class_=f"row {kind}",
        )
        for line in lines[:_MOST_LINES]
    ]
    if len(lines) > _MOST_LINES:
        rows.append(h("span", f"… {len(lines) - _MOST_LINES:,} more lines", class_="row quiet"))
    return rows


def _row(h: Markup, number: int, text: Html) -> Html:
    return h("span", h("i", str(number)), h("span", text, class_="code"), class_="row")


def _block(h: Markup, rows: Sequence[Html]) -> Html:
    # A row is a block of its own; the newlines are for whoever copies or reads without the style.
    return h("pre", Html("\n".join(rows)), class_="source")
