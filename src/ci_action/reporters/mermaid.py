"""Graphs in the language of Mermaid, which GitHub draws: foreign text stays text there, and in the Markdown around it."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from ci_action.model.section import Graph, Look, Node
from ci_action.reporters.limits import clipped
from ci_action.system.text import one_line

# All of ASCII but letters, digits and blanks is written by its number, even what has no meaning today: Mermaid reads a
# label as a directive, as entities, Markdown and HTML, one after the other.
_DOUBTFUL: Final = re.compile(r"[\x00-\x1f!-/:-@\[-`{-\x7f]")
# What Mermaid replaces afterwards: formulas, line breaks, icons, and its own marks. A joiner without width keeps it text.
_LATE: Final = re.compile(r"(?<=\$)(?=\$)|(?<=\\)(?=n)|(?<=:)(?=fa)|(?<=ﬂ)(?=°)|(?<=¶)(?=ß)")
_JOINER: Final = "\u2060"
# GitHub draws nothing of a diagram with more than 50,000 characters.
MOST: Final = 40
_NAME: Final = 60
_TEXT: Final = 80
# Looks that have a colour of their own; each is beside a word with the same meaning.
_COLORED: Final = {
    Look.FAILED: "stroke:#b0202c,stroke-width:3px",
    Look.WARNED: "stroke:#855600,stroke-width:3px",
    Look.NOTICE: "stroke:#0b57c9,stroke-width:3px",
}


def label(text: str, limit: int) -> str:
    """Return foreign text for a label in quotes, on one line, cut at `limit` characters."""
    shown = _LATE.sub(_JOINER, clipped(one_line(text), limit))
    return _DOUBTFUL.sub(lambda match: f"#{ord(match[0])};", shown)


def rows(graph: Graph) -> Iterator[str]:
    """Yield the statements for each row of a graph: itself, and its arrows from and to the rows before it."""
    for number, node in enumerate(graph.rows):
        lines = [f'n{number}["{_words(node)}"]{_class(node)}']
        for edge in graph.edges_to(number):
            arrow = f'-. "{edge.between:,} more" .->' if edge.between else "-->"
            lines.append(f"n{edge.below} {arrow} n{edge.above}")
        yield "\n".join(f"  {line}" for line in lines)


def _words(node: Node) -> str:
    marks = f" · {label(', '.join(node.marks), _TEXT)}" if node.marks else ""
    text = f"<br>{label(node.text, _TEXT)}" if node.text.strip() else ""
    return f"{label(node.name, _NAME)}{marks}{text}"


def _class(node: Node) -> str:
    return f":::{node.look.value}" if node.look in _COLORED else ""


def diagram(title: str, statements: Iterable[str]) -> str:
    """Return a block of Markdown with the diagram of some rows, the first of them at the top."""
    classes = (f"  classDef {look.value} {style}" for look, style in _COLORED.items())
    lines = ["```mermaid", "flowchart BT", f"  accTitle: {label(title, _NAME)}", *statements, *classes, "```"]
    return "\n".join(lines)


FRAME: Final = len(diagram("x" * _NAME, ()))
"""The number of characters of a diagram without rows."""
