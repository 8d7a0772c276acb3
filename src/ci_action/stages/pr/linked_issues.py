"""The issues that a pull request closes, by GitHub's keywords in its body."""

import re
from collections.abc import Iterator
from typing import Final

from ci_action.stages.pr.title.grammar import COMMENT

_GITHUB: Final = "https://github.com"
_KEYWORD: Final = r"(?<![\w-])(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?[ \t]+"
_REPOSITORY: Final = r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}"
# What contains text that does not link. Without emphasis and links the time is in proportion to the body.
_RULES: Final = ("code", "fence", "html_block", "heading", "hr", "list", "blockquote", "backticks", "escape")
# Replaces code and comments: the words beside them must not become neighbours.
_GAP: Final = "\ufffc"


def linked_issues(body: str, repository: str, server: str = "") -> list[str]:
    """Return the issues that a body closes, without those in code and comments.

    They are `#12` in this repository, `owner/name#12` in another one.
    """
    own = repository.casefold()
    references = _references(server or _GITHUB)
    found: dict[str, None] = {}
    # Most bodies have no keyword: the parser is not imported for them.
    for match in references.finditer(_prose(body)) if references.search(body) else ():
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
    """Return the text of Markdown without code and comments."""
    return "\n\n".join(COMMENT.sub(_GAP, text) for text in _texts(body))


def _texts(body: str) -> Iterator[str]:
    from markdown_it import MarkdownIt  # see linked_issues

    parser = MarkdownIt("zero", {"html": True}).enable(_RULES)
    parser.core.ruler.disable("text_join")  # escaped characters stay apart
    for token in parser.parse(body):
        if token.type == "html_block":
            yield token.content
        elif token.children:
            yield "".join(one.content if one.type == "text" else _GAP for one in token.children)
