"""The elements of the page: foreign text is escaped here, and nowhere else.

Text that is not `Html` is foreign: control characters and direction marks become visible, and characters with a meaning in
HTML are escaped. Secrets were redacted before: escaped or cut, they would not be recognised.
"""

import re
from html import escape
from typing import Final

from ci_action.reporters.limits import clipped
from ci_action.system.redaction import HIDDEN
from ci_action.system.text import visible

_VOID: Final = frozenset({"meta", "input"})
_ADDRESS: Final = re.compile(r"https?://[!-~]+")
LONGEST_TEXT: Final = 2_000
# Each sign is beside a word with the same meaning, and differs in shape, not only in colour.
# Lines on a square of 16.
_SIGNS: Final = {
    "passed": "M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8zM5.2 8.2l2 2 3.7-4.1",
    "failed": "M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8zM5.9 5.9l4.2 4.2M10.1 5.9l-4.2 4.2",
    "warned": "M8 2.2l6.4 11.3H1.6zM8 6.4v3.2M8 11.5v.1",
    "broken": "M9.3 1.6L3.4 9h4l-.8 5.4L12.6 7h-4z",
    "empty": "M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8zM3.7 12.3l8.6-8.6",
    "skipped": "M3.5 3.5L9 8l-5.5 4.5zM12 3.5v9",
    "notice": "M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8zM8 7.4v3.6M8 4.9v.1",
}


class Html(str):
    """Text that is our own markup."""

    __slots__ = ()


NOTHING: Final = Html()


def text(given: str, limit: int = LONGEST_TEXT) -> Html:
    """Return foreign text, cut at `limit` characters."""
    shown = clipped(given, limit)
    if not (shown.isascii() and shown.isprintable()):
        shown = visible(shown)
    return Html(escape(shown))


def h(tag: str, *children: str, **attributes: str | int | bool | None) -> Html:
    """Return an element: `h("a", "text", href=url, class_="x", data_tool="ruff")`; None and False leave an attribute out."""
    given = "".join(
        _attribute(name, value)
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    return Html(f"<{tag}{given}>" if tag in _VOID else f"<{tag}{given}>{join(*children)}</{tag}>")


def join(*children: str) -> Html:
    """Return several children one after the other."""
    return Html("".join(child if isinstance(child, Html) else text(child) for child in children))


def _attribute(name: str, value: str | int) -> str:
    shown = name.rstrip("_").replace("_", "-")
    return f" {shown}" if value is True else f' {shown}="{text(str(value))}"'


def link(url: str, *children: str) -> Html:
    """Return a link to a web address; only the children if the address is invalid or redacted."""
    if not _ADDRESS.fullmatch(url) or HIDDEN in url:
        return join(*children)
    return h("a", *children, href=url, rel="noopener noreferrer")


def pre(given: str, *, lines: int, width: int = 400) -> Html:
    """Return foreign text as preformatted text, cut at a number of lines and of characters a line."""
    rows = given.strip("\n").split("\n")
    shown = [text(row.rstrip("\r"), width) for row in rows[:lines]]
    if len(rows) > lines:
        shown.append(text(f"… {len(rows) - lines:,} more lines"))
    return h("pre", h("code", Html("\n".join(shown))), class_="block", tabindex=0)


def details(summary: str, *children: str, opened: bool = False, class_: str | None = "card") -> Html:
    """Return an element that can be opened and closed."""
    return h("details", h("summary", summary), *children, open=opened, class_=class_)


def bullets(*children: str, most: int = 100, class_: str = "reasons") -> Html:
    """Return a list of at most `most` entries and the number of the others; nothing without entries."""
    more = [f"and {len(children) - most:,} more"] if len(children) > most else []
    rows = [h("li", child) for child in [*children[:most], *more]]
    return h("ul", *rows, class_=class_) if rows else NOTHING


def icon(name: str) -> Html:
    """Return a sign, for a place beside a word with the same meaning."""
    return h("svg", h("use", href=f"#sign-{name}"), class_=f"sign is-{name}", aria_hidden="true")


def bar(label: str, *parts: tuple[float, str], mark: float | None = None) -> Html:
    """Return a bar of parts, each with its percentage and the name of its colour, and a mark across it."""
    drawn, x = [], 0.0
    for percent, name in parts:
        size = {"x": f"{x:.2f}%", "width": f"{percent:.2f}%", "height": "100%"}
        drawn.append(h("rect", **size, class_=f"fill-{name}"))
        x += percent
    if mark is not None:
        size = {"x": f"{min(mark, 99.6):.2f}%", "width": "2", "height": "100%"}
        drawn.append(h("rect", **size, class_="fill-mark"))
    return h("svg", *drawn, class_="bar", role="img", aria_label=label)


def sprite() -> Html:
    """Return the signs, each drawn once; `icon` shows them."""
    signs = (
        h("symbol", h("path", d=path), id=f"sign-{name}", viewBox="0 0 16 16")
        for name, path in _SIGNS.items()
    )
    return h("svg", *signs, class_="hidden", aria_hidden="true")
