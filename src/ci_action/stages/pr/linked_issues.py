"""The issues that a pull request closes, by the keywords in its text that GitHub goes by."""

import re
from collections.abc import Iterator
from typing import Final

_GITHUB: Final = "https://github.com"
_KEYWORD: Final = r"(?<![\w-])(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?[ \t]+"
_REPOSITORY: Final = r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}"
_FENCE: Final = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_LIST_ITEM: Final = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s")
_BACKTICKS: Final = re.compile(r"`+")
_OPEN: Final = "<!--"
_CLOSE: Final = "-->"
# Stands for what is taken out: the words beside it must not become neighbours.
_GAP: Final = "\ufffc"


def linked_issues(body: str, repository: str, server: str = "") -> list[str]:
    """Return the issues that a text closes: `#12` in this repository, `owner/name#12` in another one.

    What stands in code or in a comment is not meant.
    """
    own = repository.casefold()
    found: dict[str, None] = {}
    for match in _references(server or _GITHUB).finditer(_prose(body)):
        name = match["path"] or match["other"] or ""
        number = int(match["number"] or match["number_of_other"] or match["number_at"])
        shown = "" if name.casefold() == own else name
        if number:
            found.setdefault(f"{shown}#{number}")
    return list(found)


def _references(server: str) -> re.Pattern[str]:
    address = rf"{re.escape(server)}/(?P<path>{_REPOSITORY})/(?:issues|pull)/(?P<number_at>\d{{1,10}})"
    other = rf"(?P<other>{_REPOSITORY})#(?P<number_of_other>\d{{1,10}})"
    own = r"(?:#|GH-)(?P<number>\d{1,10})"
    return re.compile(rf"{_KEYWORD}(?:{own}|{other}|{address})(?!\w)", re.IGNORECASE | re.ASCII)


def _prose(body: str) -> str:
    """Return a text of Markdown without its code and its comments."""
    return "\n\n".join(
        _without_spans(paragraph) for paragraph in re.split(r"\n[ \t]*\n", "\n".join(_lines(body)))
    )


def _lines(body: str) -> Iterator[str]:
    """Yield the lines that stand neither in a block of code nor in a comment; empty ones in their place."""
    fence, comment, blank, listed = "", False, True, False
    for given in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        line = given.expandtabs(4)
        if comment:
            _, separator, line = line.partition(_CLOSE)
            comment = not separator
        if not line.strip():
            blank = True
            yield ""
            continue
        if fence:
            closed = line.strip()
            fence = "" if closed.startswith(fence) and not closed.strip(fence[0]) else fence
            yield ""
            continue
        if match := _FENCE.match(line):
            fence = match[1]
            yield ""
            continue
        if line.startswith("    ") and blank and not listed:
            yield ""  # the next line is of the same block
            continue
        listed = bool(_LIST_ITEM.match(line)) or (listed and line.startswith("  "))
        blank = False
        line, comment = _without_comments(_without_spans(line))
        yield line


def _without_comments(line: str) -> tuple[str, bool]:
    """Return a line without comments, and whether one is still open at its end."""
    kept = []
    while _OPEN in line:
        before, _, line = line.partition(_OPEN)
        kept.append(before)
        _, closed, line = line.partition(_CLOSE)
        if not closed:
            return _GAP.join(kept), True
    return _GAP.join([*kept, line]), False


def _without_spans(text: str) -> str:
    """Return text without the spans of code in it; backticks that nothing closes stay."""
    runs = list(_BACKTICKS.finditer(text))
    last = {len(run[0]): number for number, run in enumerate(runs)}
    kept, start, index = [], 0, 0
    while index < len(runs):
        run, length = runs[index], len(runs[index][0])
        if last[length] > index:
            end = next(number for number in range(index + 1, len(runs)) if len(runs[number][0]) == length)
            kept.append(text[start : run.start()])
            start, index = runs[end].end(), end
        index += 1
    return _GAP.join([*kept, text[start:]])
