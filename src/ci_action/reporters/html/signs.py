"""The signs of the page: each stands beside a word that says the same, and differs by its shape, not its colour alone."""

from typing import Final

from ci_action.reporters.html.markup import Html, Markup

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


def sprite(h: Markup) -> Html:
    """Return the signs, each drawn once; `Markup.icon` shows them."""
    signs = (
        h("symbol", h("path", d=path), id=f"sign-{name}", viewBox="0 0 16 16")
        for name, path in _SIGNS.items()
    )
    return h("svg", *signs, class_="hidden", aria_hidden="true")
