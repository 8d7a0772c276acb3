"""Foreign text in Markdown: the rendered tree holds it as code, and nothing else comes of it."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.hostile_text import FOREIGN
from support.renderers import rendered

from ci_action.reporters.limits import clipped
from ci_action.reporters.markdown import bar, cell, code, fenced, html_link, html_row, html_table, link
from ci_action.system.text import lines_of, one_line, visible

DIRECTION = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")


def meant(text: str, limit: int = 300) -> str:
    """What a code span is to show of a text."""
    line = one_line(text)
    cut = line if len(line) <= limit else line[: limit - 1] + "…"
    shown = DIRECTION.sub(lambda match: f"<U+{ord(match[0]):04X}>", cut).strip(" ")
    return shown if shown.strip() else "(empty)"


@given(FOREIGN, st.sampled_from(["{}", "- {}", "### {}", "before {} after", "- x · {} · y", "**{}**"]))
@example("` `` ```", "{}")
@example("`a", "{}")
@example("a`", "- {}")
@example(" `", "{}")
@example("|", "{}")
def test_a_code_span_holds_the_text_and_nothing_else(text: str, around: str):
    page = rendered(around.format(code(text)))
    (span,) = page.all("code")
    assert span.children == [meant(text)]
    assert (
        page.outside_code.split()
        == around.replace("-", "").replace("#", "").replace("*", "").replace("{}", "").split()
    )
    assert {
        node.tag for node in page.all("a", "img", "em", "del", "comment", "script", "table", "pre", "input")
    } == set()


@given(FOREIGN)
def test_two_code_spans_on_a_line_stay_apart(text: str):
    page = rendered(f"- {code(text)} from {code(text)}")
    assert [span.text for span in page.all("code")] == [meant(text)] * 2
    assert page.outside_code.split() == ["from"]


@given(st.integers(2, 40), st.text(st.characters(categories=["L"]), max_size=60))
def test_a_cut_code_span_ends_in_an_ellipsis(limit: int, text: str):
    (span,) = rendered(code(text, limit)).all("code")
    assert span.text == meant(text, limit)


@pytest.mark.parametrize("text", ["", " ", "\n", "\t", "\u3000"])
def test_blank_text_is_shown_as_empty(text: str):
    assert code(text) == "`(empty)`"


def test_marks_that_turn_the_direction_of_text_are_shown_by_their_numbers():
    assert code("a\u202eb\ufeff") == "`a<U+202E>b<U+FEFF>`"
    assert "\u202e" not in fenced("a\u202eb")


@given(FOREIGN, st.booleans())
@example("```\n</details>\n<h1>x</h1>", False)
@example("~~~~", False)
@example("\ta", True)
def test_a_fenced_block_holds_the_lines_and_nothing_else(text: str, in_a_list: bool):
    block = fenced(text, "diff")
    if in_a_list:
        block = "- x\n\n" + "\n".join(f"  {line}" if line else "" for line in block.split("\n"))
    page = rendered(f"{block}\n\nafter\n")
    (pre,) = page.all("pre")
    rows = text.split("\n")
    rows = rows[:-1] if not rows[-1] else rows
    shown = [
        DIRECTION.sub(lambda match: f"<U+{ord(match[0]):04X}>", visible(row.rstrip("\r"))) for row in rows
    ]
    assert pre.text.removesuffix("\n").split("\n") == (shown or [""])
    assert page.outside_code.split() == (["x", "after"] if in_a_list else ["after"])
    assert [node.tag for node in pre.children if not isinstance(node, str)] == ["code"]


def test_a_fenced_block_is_cut_by_lines_and_by_width():
    shown = fenced("\n".join(["a" * 10] * 5), lines=2, width=4)
    assert shown == "```\naaa…\naaa…\n… 3 more lines\n```"


def test_a_fence_is_longer_than_every_run_of_backticks():
    assert fenced("a ````` b").startswith("``````\n")


URLS = st.lists(
    st.sampled_from(
        [
            "a",
            "/",
            "?",
            "#",
            "&",
            "&lt;",
            ")",
            "](",
            "<",
            ">",
            "\\",
            " ",
            "\n",
            "`",
            "*",
            "|",
            "é",
            "\ud800",
            "%41",
            '"',
            "(",
        ]
    ),
    max_size=8,
).map(lambda parts: "https://a.bc/" + "".join(parts))


@given(URLS, FOREIGN)
@example("https://a.bc/?x=1&lt;y", "a")
def test_a_link_is_one_link_to_the_address(url: str, text: str):
    page = rendered(f"- {link(url, code(text))} · after")
    (anchor,) = page.all("a")
    expected = re.sub(
        r"[^A-Za-z0-9:/?#@!$&'*+,;=._~%-]",
        lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "replace")),
        url,
    )
    assert anchor.attributes == {"href": expected}
    assert anchor.skeleton == "a(code)"
    assert anchor.text == meant(text)
    assert page.outside_code.split() == ["·", "after"]


@pytest.mark.parametrize(
    "url", ["", "http://a.bc", "javascript:alert(1)", "//a.bc", "ftp://a.bc", " https://a.bc"]
)
def test_only_https_becomes_a_link(url: str):
    assert link(url, "text") == "text"


@given(st.text(max_size=20), st.integers(1, 20))
def test_clipping(text: str, limit: int):
    shown = clipped(text, limit)
    assert len(shown) <= limit
    assert shown == text or (shown.endswith("…") and text.startswith(shown[:-1]))


@given(FOREIGN)
def test_a_code_span_is_one_line(text: str):
    assert len(lines_of(code(text))) == 1


def test_the_default_limits():
    assert code("x" * 300) == f"`{'x' * 300}`"
    assert code("x" * 301) == f"`{'x' * 299}…`"
    assert fenced("x\n" * 40).count("\n") == 41
    assert fenced("x\n" * 41).endswith("… 1 more lines\n```")


@given(FOREIGN, FOREIGN)
def test_cells_of_a_table_of_html_are_only_text(text: str, other: str):
    row = html_row((cell(text), html_link(f"https://a.b/{other}", cell(other))))
    page = rendered(f"before\n\n{html_table(('One', 'Two'), [row])}\n\nafter")
    assert [node.skeleton for node in page.all("table")] == ["table(tr(th th) tr(td(code) td(a(code))))"]
    assert "".join(page.outside_code.split()) == "beforeOneTwoafter"
    shown = [node.text for node in page.all("code")]
    assert shown == [meant(text), meant(other)]


def test_a_link_in_a_cell_is_https_only():
    assert html_link("javascript:x", "y") == "y"
    assert html_link('https://a.b/"><b>&', "y") == '<a href="https://a.b/%22%3E%3Cb%3E&amp;">y</a>'


@pytest.mark.parametrize(
    ("percent", "shown"),
    [
        (0, "░░░░░░░░░░"),
        (4.9, "░░░░░░░░░░"),
        (5, "▌░░░░░░░░░"),
        (54, "█████░░░░░"),
        (55, "█████▌░░░░"),
        (99.99, "█████████▌"),
        (100, "██████████"),
        (250, "██████████"),
        (-3, "░░░░░░░░░░"),
    ],
)
def test_a_bar_is_full_at_the_whole_only(percent: float, shown: str):
    assert bar(percent) == f"`{shown}`"
