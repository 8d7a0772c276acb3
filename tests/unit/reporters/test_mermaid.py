"""Graphs in the language of Mermaid: whatever a label is, the statements stay the same."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.hostile_text import FOREIGN, TEXTS
from support.renderers import rendered

from ci_action.model.section import Edge, Graph, Look, Node, Ours
from ci_action.reporters import mermaid
from ci_action.system.text import one_line

# Letters, digits, spaces, numbers of characters, and what is not ASCII.
SAFE = re.compile("(?:[A-Za-z0-9 \x80-\U0010ffff]|#[0-9]+;)*")


def graph(text: str) -> Graph:
    rows = (
        Node(name=text, marks=(Ours("new"), text), text=text, look=Look.FAILED),
        Node(name=f"a {text}", text=f"b {text}"),
    )
    return Graph(title=text, rows=rows, edges=(Edge(0, 1, 3), Edge(0, 1)))


def diagram(text: str) -> str:
    given = graph(text)
    return mermaid.diagram(given.title, mermaid.rows(given))


def decoded(label: str) -> str:
    return re.sub("#([0-9]+);", lambda match: chr(int(match[1])), label).replace("\u2060", "")


@given(FOREIGN | st.sampled_from(TEXTS) | st.text(max_size=20))
@example('"]; click n0 call alert()')
@example("%%{init: {'theme': 'dark'}}%%")
@example("---\ntitle: x\n---\nend")
@example("```\n</details>")
@example("$$x$$ fa:fa-car \\n ﬂ°°60¶ß")
def test_a_label_is_only_text(text: str):
    label = mermaid.label(text, 500)
    assert SAFE.fullmatch(label)
    shown = one_line(text).replace("\u2060", "")
    assert decoded(label) == shown or len(shown) > 500


@given(FOREIGN | st.sampled_from(TEXTS))
@example("end")
@example('x" --> n1')
def test_hostile_text_changes_no_statement(text: str):
    def statements(given: str) -> str:
        return re.sub('"[^"]*"|accTitle: .*', "", diagram(given)).replace("<br>", "")

    assert statements(f"a{text}") == statements("a")
    block = rendered(diagram(text))
    assert block.skeleton == "page(pre(code))"


@pytest.mark.parametrize("text", ["$$x$$", "fa:fa-car", "\\nx", "ﬂ°°60¶ß"])
def test_what_is_read_late_is_taken_apart(text: str):
    label = mermaid.label(text, 500)
    assert "\u2060" in label
    assert decoded(label) == text


def test_an_arrow_leads_to_the_row_above():
    lines = diagram("x").split("\n")
    assert lines[:2] == ["```mermaid", "flowchart BT"]
    assert "  n1 --> n0" in lines
    assert '  n1 -. "3 more" .-> n0' in lines


def test_a_whole_diagram_is_small_enough_for_github():
    rows = tuple(Node(name='"' * 500, marks=('"' * 500,), text='"' * 500) for _ in range(mermaid.MOST))
    edges = tuple(Edge(row, row + 1, 9_999) for row in range(mermaid.MOST - 1))
    assert len(mermaid.diagram("x", mermaid.rows(Graph(rows=rows, edges=edges)))) < 50_000
