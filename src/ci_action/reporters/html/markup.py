"""The elements of the page: every text that goes into one is made harmless here, and nowhere else.

What is no `Html` is foreign text: control characters and direction marks become visible, and what means something in
HTML is escaped. Secrets are gone before: escaped, or cut in the middle, they would not be found.
"""

import re
from html import escape
from typing import Final

from ci_action.reporters.limits import clipped
from ci_action.system.redaction import HIDDEN
from ci_action.system.text import visible

_VOID: Final = frozenset({"meta", "input"})
_ADDRESS: Final = re.compile(r"https?://[!-~]+")
# Nobody reads more of one text on a page.
LONGEST_TEXT: Final = 2_000
# Each stands beside a word that says the same, and differs by its shape, not its colour alone.
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
    """Text that is markup of ours."""

    __slots__ = ()


NOTHING: Final = Html()


class Markup:
    """Makes elements: `h("a", "text", href=url)`; names of attributes as `class_` and `data_tool`."""

    def text(self, text: str, limit: int = LONGEST_TEXT) -> Html:
        """Return foreign text, cut at `limit` characters."""
        shown = clipped(text, limit)
        if not (shown.isascii() and shown.isprintable()):
            shown = visible(shown)
        return Html(escape(shown))

    def __call__(self, tag: str, *children: str, **attributes: str | int | bool | None) -> Html:
        """Return an element; an attribute that is None or False is left out."""
        given = "".join(
            self._attribute(name, value)
            for name, value in attributes.items()
            if value is not None and value is not False
        )
        if tag in _VOID:
            return Html(f"<{tag}{given}>")
        return Html(f"<{tag}{given}>{self.join(*children)}</{tag}>")

    def join(self, *children: str) -> Html:
        """Return several children after one another."""
        return Html("".join(child if isinstance(child, Html) else self.text(child) for child in children))

    def _attribute(self, name: str, value: str | int) -> str:
        shown = name.rstrip("_").replace("_", "-")
        if value is True:
            return f" {shown}"
        return f' {shown}="{self.text(str(value))}"'

    def link(self, url: str, *children: str) -> Html:
        """Return a link to a web address; only the text of it where the address is none."""
        if not _ADDRESS.fullmatch(url) or HIDDEN in url:
            return self.join(*children)
        return self("a", *children, href=url, rel="noopener noreferrer")

    def block(self, text: str, *, lines: int, width: int = 400, class_: str = "block") -> Html:
        """Return foreign text as it stands, cut at a number of lines and of characters a line."""
        rows = text.strip("\n").split("\n")
        shown = [self.text(row.rstrip("\r"), width) for row in rows[:lines]]
        if len(rows) > lines:
            shown.append(self.text(f"… {len(rows) - lines:,} more lines"))
        return self("pre", self("code", Html("\n".join(shown))), class_=class_, tabindex=0)

    def details(self, summary: str, *children: str, opened: bool = False, class_: str | None = None) -> Html:
        """Return something that is opened on demand."""
        return self("details", self("summary", summary), *children, open=opened, class_=class_)

    def icon(self, name: str) -> Html:
        """Return a sign that stands beside a word which says the same."""
        return self("svg", self("use", href=f"#sign-{name}"), class_=f"sign is-{name}", aria_hidden="true")

    def bar(self, label: str, *parts: tuple[float, str], mark: float | None = None) -> Html:
        """Return a bar of parts, each a percent and the name of its colour, and a mark across it."""
        drawn, x = [], 0.0
        for percent, name in parts:
            drawn.append(
                self("rect", x=f"{x:.2f}%", width=f"{percent:.2f}%", height="100%", class_=f"fill-{name}")
            )
            x += percent
        if mark is not None:
            drawn.append(
                self("rect", x=f"{min(mark, 99.6):.2f}%", width="2", height="100%", class_="fill-mark")
            )
        return self("svg", *drawn, class_="bar", role="img", aria_label=label)


def sprite(h: Markup) -> Html:
    """Return the signs, each drawn once; `Markup.icon` shows them."""
    signs = (
        h("symbol", h("path", d=path), id=f"sign-{name}", viewBox="0 0 16 16")
        for name, path in _SIGNS.items()
    )
    return h("svg", *signs, class_="hidden", aria_hidden="true")
