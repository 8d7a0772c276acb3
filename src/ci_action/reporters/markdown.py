"""Foreign text in GitHub-flavoured Markdown: it stays text, and is cut at a limit.

Foreign text is put into code spans and fences, never into tables of Markdown: inside code, emphasis, links, HTML, entities
and mentions have no meaning, and outside of tables a pipe has none. A table with foreign text is one of HTML, in which
Markdown has no meaning.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final
from urllib.parse import quote

from ci_action.github.event import Event
from ci_action.model.finding import Location
from ci_action.model.section import Link
from ci_action.reporters.limits import clipped
from ci_action.system.text import as_bytes, one_line, visible

_RUNS: Final = re.compile("`+")
# The width of a bar in characters.
_BAR: Final = 10


def code(text: str, limit: int = 300) -> str:
    """Return foreign text as a code span on one line, cut at `limit` characters."""
    shown = clipped(one_line(text), limit).strip(" ") or " "
    if not shown.strip():
        return "`(empty)`"
    fence = "`" * (max((len(run) for run in _RUNS.findall(shown)), default=0) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def bar(percent: float) -> str:
    """Return a bar of a fixed width, in halves of a character; it is full at 100 percent only."""
    halves = min(max(int(percent * _BAR / 50), 0), _BAR * 2)
    filled = "█" * (halves // 2) + "▌" * (halves % 2)
    return f"`{filled}{'░' * (_BAR - len(filled))}`"


def fenced(text: str, language: str = "", *, lines: int = 40, width: int = 300) -> str:
    """Return foreign text as a fenced block, cut at a number of lines and characters a line."""
    rows = text.split("\n")
    if rows and not rows[-1]:
        rows.pop()
    shown = [clipped(visible(row.rstrip("\r")), width) for row in rows[:lines]]
    if len(rows) > lines:
        shown.append(f"… {len(rows) - lines:,} more lines")
    body = "\n".join(shown)
    fence = "`" * max(3, max((len(run) for run in _RUNS.findall(body)), default=0) + 1)
    return f"{fence}{language}\n{body}\n{fence}"


def bullets(texts: Sequence[str], most: int, limit: int = 300) -> str:
    """Return foreign texts as a list, each cut at `limit` characters, and the number of those beyond `most`."""
    rows = [f"- {code(text, limit)}" for text in texts[:most]]
    if len(texts) > most:
        rows.append(f"- and {len(texts) - most:,} more")
    return "\n".join(rows)


def cell(text: str, limit: int = 300) -> str:
    """Return foreign text as code for a cell of `html_table`, on one line, cut at `limit` characters."""
    shown = clipped(one_line(text), limit).strip(" ")
    return f"<code>{escape(shown)}</code>" if shown.strip() else "<code>(empty)</code>"


def html_row(cells: Iterable[str], tag: str = "td") -> str:
    """Return a row of a table."""
    return "<tr>" + "".join(f"<{tag}>{one}</{tag}>" for one in cells) + "</tr>"


def html_table(head: Sequence[str], rows: Sequence[str]) -> str:
    """Return a table of rows (`html_row`) that may hold foreign text, each in a `cell`: in HTML no pipe ends one."""
    return "\n".join(["<table>", *([html_row(head, "th")] if head else []), *rows, "</table>"])


def html_link(url: str, inner: str) -> str:
    """Return a link for a cell of `html_table`."""
    return f'<a href="{escape(_address(url))}">{inner}</a>' if url.startswith("https://") else inner


def link(url: str, text: str) -> str:
    """Return a link to an https address whose every doubtful character is written by its number."""
    if not url.startswith("https://"):
        return text
    # `&lt;` in an address is four characters, not an entity.
    return f"[{text}](<{_address(url).replace('&', '&amp;')}>)"


def blob(path: str, line: int, event: Event) -> str:
    """Return the address of a line on GitHub; empty if the commit is unknown."""
    if not (event.server_url.startswith("https://") and event.repository and event.sha):
        return ""
    return f"{event.server_url}/{event.repository}/blob/{event.sha}/{quote(as_bytes(path))}#L{line}"


def address(target: Link, event: Event) -> str:
    """Return the address of a link; empty if it has none."""
    place = target.place
    return target.url or (blob(place.path, place.line or 1, event) if place else "")


def where(place: Location, event: Event) -> str:
    """Return the lines of a place, as a link if the commit is known."""
    return link(blob(place.path, place.line, event), place.lines) if place.line else "—"


def _address(url: str) -> str:
    return re.sub(r"[^A-Za-z0-9:/?#@!$&'*+,;=._~%-]", lambda match: _percent(match[0]), url)


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))
