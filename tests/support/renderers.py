"""What a GitHub-flavoured renderer makes of Markdown, and a browser of HTML, as a tree that tests can look into."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options

_VOID = {"br", "hr", "img", "input", "meta"}


@dataclass
class Node:
    """An element with its content: elements and texts."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: "list[Node | str]" = field(default_factory=list)

    def all(self, *tags: str) -> "list[Node]":
        """Return the elements below with these tags, in their order."""
        below = [child for child in self.children if isinstance(child, Node)]
        return [
            found for child in below for found in ([child] if child.tag in tags else []) + child.all(*tags)
        ]

    @property
    def text(self) -> str:
        """All text below."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    @property
    def outside_code(self) -> str:
        """All text below that is not in a code element."""
        parts = (
            child if isinstance(child, str) else "" if child.tag == "code" else child.outside_code
            for child in self.children
        )
        return "".join(parts)

    @property
    def skeleton(self) -> str:
        """The elements without their texts: `p(code)`."""
        inner = " ".join(child.skeleton for child in self.children if isinstance(child, Node))
        return f"{self.tag}({inner})" if inner else self.tag


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Node("page")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in _VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)

    def handle_comment(self, data: str) -> None:
        self.open[-1].children.append(Node("comment", {"text": data}))


def rendered(markdown: str) -> Node:
    """Return the page with unescaped HTML and the extensions that GitHub uses; all elements must be closed."""
    return parsed(cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE))


def parsed(html: str) -> Node:
    """Return the elements of HTML; all must be closed."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    assert [node.tag for node in builder.open] == ["page"], "an element is left open"
    return builder.open[0]
