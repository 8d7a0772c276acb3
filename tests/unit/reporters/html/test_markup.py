"""Foreign text is only text on the page, secrets are not on it, and its colours can be read."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import (
    case,
    publication,
    run_result,
    with_tests,
    without,
)
from support.hostile_text import FOREIGN
from support.page_sample import everywhere, palettes
from support.renderers import parsed

from ci_action.engine.redact import redacted
from ci_action.github.pull_request import Pull
from ci_action.reporters import html
from ci_action.reporters.html.markup import Html, h, link
from ci_action.system.redaction import Redactor

LIGHT, DARK = palettes()
NOWHERE = Path("/nowhere")
_TAGS = (
    "html head meta title style script body svg symbol path use rect g circle text tspan desc a header p strong span fieldset "
    "legend label input main section div h1 h2 h3 h4 ul ol li code pre mark b i button dl dt dd nav "
    "article details summary table thead tbody tr th td form select option datalist output footer"
)
_ATTRIBUTES = (
    "lang charset http-equiv content name href rel id class type value checked open placeholder "
    "autocomplete spellcheck list role tabindex aria-label aria-labelledby aria-hidden aria-live viewbox "
    "d x y cx cy r dx width height data-stage data-tool data-level data-severity data-path data-muted data-number "
    "data-copy"
)
TAGS, ATTRIBUTES = set(_TAGS.split()), set(_ATTRIBUTES.split())


def shown(text: str, *secrets: str) -> str:
    redact = Redactor(secrets)
    pull = Pull(
        number=1,
        title=text,
        author=text,
        base=text,
        head=text,
        head_repository=text,
        is_fork=True,
        labels=(text,),
    )
    result = redacted(everywhere(text, "name" if secrets else None), redact)
    return html.document(result, publication(NOWHERE, pull=pull.shown(redact), redact=redact))


@given(FOREIGN | st.text())
def test_nothing_becomes_an_element_an_attribute_or_an_address(text: str):
    page = parsed(shown(text))
    elements = page.all(*TAGS)
    assert {one.tag for one in elements} <= TAGS
    assert {name for one in elements for name in one.attributes} <= ATTRIBUTES
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert page.all("comment") == []
    for one in elements:
        assert re.match(r"#|https?://", one.attributes.get("href", "#"))
    ours = parsed(shown("word"))
    assert page.all("script")[0].text == ours.all("script")[0].text
    assert page.all("meta")[1].attributes == ours.all("meta")[1].attributes


@given(FOREIGN | st.text())
def test_every_element_is_ours(text: str):
    """Every tag that a parser sees is one that `TAGS` names: `all` would not find the others."""
    assert set(re.findall(r"[a-z0-9]+", parsed(shown(text)).skeleton)) <= {*TAGS, "page"}


@given(st.text(min_size=1, max_size=300))
def test_text_is_not_changed(text: str):
    made = parsed(h("p", text))
    seen = made.text
    assert "\x1b" not in seen
    if text.isascii() and text.isprintable():
        assert seen == text


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:x",
        "data:text/html,x",
        " https://a.b",
        "//a.b",
        "file:///etc",
        "https://a\nb",
        "",
    ],
)
def test_only_web_addresses_are_links(url: str):
    assert link(url, "words") == "words"


def test_a_web_address_is_a_link():
    made = link('https://a.b/?x="&y', "<words>")
    assert made == '<a href="https://a.b/?x=&quot;&amp;y" rel="noopener noreferrer">&lt;words&gt;</a>'


@pytest.mark.parametrize(
    "secret", ["hunter-seventeen", '<hunter&"seventeen>', "hunter'seventeen\\x", "hunter\nseventeen"]
)
def test_no_secret_is_on_the_page(secret: str):
    # At every border where text is cut as well: half a secret is one too many.
    for before in ("", "x" * 295, "x" * 395, "x" * 1_990, "x" * 4_990):
        page = shown(f"{before}{secret} after", secret)
        assert "hunter" not in page
        assert "***" in page or before
    whole = shown(secret, secret)
    assert "seventeen" not in whole


def test_no_secret_is_cut_in_half_in_the_output_of_a_test():
    lines = "y" * 99 + "\n"
    detail = f"{lines * 49}{'y' * 88}hunter-seventeen{lines * 60}"
    result = run_result(with_tests(case(outcome="failed", detail=detail)))
    page = html.document(without(result, "hunter-seventeen"), publication(NOWHERE))
    assert "characters are left out here" in page
    assert "hunter" not in page


def test_a_secret_that_is_a_word_of_the_page_breaks_nothing():
    page = shown("text", "section", "sha256-", "script")
    assert parsed(page).all("script")[0].text == parsed(shown("text")).all("script")[0].text


def test_our_markup_is_not_escaped():
    assert (
        h("p", Html("<b>x</b>"), "<i>", hidden=None, data_path='"')
        == '<p data-path="&quot;"><b>x</b>&lt;i&gt;</p>'
    )


def luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


STATES = ("passed", "warned", "failed", "broken", "empty", "skipped")
READ = [
    *((ink, ground) for ink in ("text", "quiet", "link") for ground in ("ground", "surface", "sunken")),
    *((state, ground) for state in STATES for ground in ("surface", f"{state}-soft")),
    *(("text", f"{state}-soft") for state in STATES),
    *(("quiet", f"{state}-soft") for state in STATES),
    *(("text", ground) for ground in ("added", "removed", "marked")),
    ("ground", "text"),
]
# Shapes, not text: borders of controls, bars on their track, the mark across a bar.
SEEN = [
    *(("edge", ground) for ground in ("surface", "ground")),
    *((state, "track") for state in STATES),
    ("link", "track"),
    # The mark has a rim, so that it is seen on the bar as well.
    ("surface", "passed"),
    ("text", "track"),
    ("text", "surface"),
    *(("link", ground) for ground in ("surface", "ground", *(f"{state}-soft" for state in STATES))),
]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(READ, 4.5), (SEEN, 3.0)], ids=["text", "shapes"])
def test_the_colours_have_the_contrast_of_wcag_aa(
    palette: dict[str, str], pairs: list[tuple[str, str]], least: float
):
    poor = {pair: contrast(palette[pair[0]], palette[pair[1]]) for pair in pairs}
    assert {pair: round(value, 2) for pair, value in poor.items() if value < least} == {}


def test_both_palettes_have_the_same_names():
    assert LIGHT.keys() == DARK.keys()
    style = (Path(html.__file__).parent / "page.css").read_text("utf-8")
    assert set(re.findall(r"var\(--([\w-]+)\)", style)) == set(LIGHT)
