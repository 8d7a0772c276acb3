"""report.html: the run as one file that opens from disk, for people who look rather than read.

Everything is written here, as HTML: the page can be read without a script, opens quickly, and has one place where
foreign text becomes text (`markup`). The script filters what is there; it makes no element from data.
"""

import base64
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from ci_action.model.result import RunResult
from ci_action.model.section import Channel, Log, Look, Place, Section, Tile
from ci_action.model.totals import beside_tests
from ci_action.reporters.context import PAGE, REPORT, Publication
from ci_action.reporters.html import findings, sections, stages, verdict
from ci_action.reporters.html.markup import Html, Markup, sprite
from ci_action.reporters.html.palette import themes
from ci_action.system.text import counted

_HERE: Final = Path(__file__).parent


def document(result: RunResult, publication: Publication) -> str:
    """Return the page."""
    h = Markup()
    style = themes() + (_HERE / "page.css").read_text("utf-8")
    script = (_HERE / "page.js").read_text("utf-8")
    where = publication.subject
    head = h.join(
        h("meta", charset="utf-8"),
        h("meta", http_equiv="Content-Security-Policy", content=policy(style, script)),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", name="referrer", content="no-referrer"),
        h("title", f"{result.verdict.conclusion.value}: {where} · ci-action"),
        Html(f"<style>{style}</style>\n<script>{script}</script>"),
    )
    body = h.join(sprite(h), *_parts(h, result, publication, where))
    return f'<!doctype html>\n<html lang="en"><head>\n{head}\n</head>\n<body>\n{body}\n</body></html>\n'


def policy(style: str, script: str) -> str:
    """Return what the page may do: show itself, with this style and this script, and nothing else."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}';"
        " base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"


def _parts(h: Markup, result: RunResult, publication: Publication, where: str) -> list[Html]:
    event, given = publication.event, publication.sections(result)
    drawn = {
        place: [sections.section(h, one, event) for one in given if one.place is place] for place in Place
    }
    logs = next((sections.anchor(one) for one in given if _has_log(one)), "findings")
    middle = (
        verdict.verdict(h, result, publication),
        verdict.tiles(h, [*_tiles(result, given)]),
        *drawn[Place.FIRST],
        *drawn[Place.MIDDLE],
        findings.section(h, result, publication),
        stages.section(h, result, logs),
        *drawn[Place.LAST],
    )
    top = h("header", h("p", h("strong", "ci-action"), Html(" "), h("span", where)), _switch(h), class_="top")
    end = h(
        "footer",
        h(
            "p",
            f"ci-action {result.version}. All of it, for programs: ",
            h("code", REPORT),
        ),
    )
    skip = h("a", "Skip to the verdict", href="#main", class_="skip")
    return [
        skip,
        top,
        h("main", *(Html(f"\n{part}") for part in middle if part), id="main", tabindex=-1),
        end,
    ]


def _switch(h: Markup) -> Html:
    choices = (
        h(
            "label",
            h("input", type="radio", name="theme", value=name, checked=name == "system"),
            h("span", name.capitalize()),
        )
        for name in ("system", "light", "dark")
    )
    legend = h("legend", "Colours", class_="hidden")
    return h("fieldset", legend, *choices, class_="switch needs-script", id="theme")


def _has_log(given: Section) -> bool:
    return any(isinstance(block, Log) for block in given.rows(Channel.PAGE))


def _tiles(result: RunResult, given: Sequence[Section]) -> Iterator[tuple[str, Tile]]:
    counting = sum(finding.counts for finding in beside_tests(result))
    tools = sum(len(stage.tools) for stage in result.stages)
    tiles = [(sections.anchor(one), one.tile, one.place) for one in given if one.tile]
    yield from ((target, tile) for target, tile, place in tiles if place is not Place.LAST)
    yield "findings", _tile(counting, "finding", Look.FAILED if counting else Look.PASSED)
    yield "stages", _tile(tools, "tool", Look.PLAIN)
    yield from ((target, tile) for target, tile, place in tiles if place is Place.LAST)


def _tile(number: int, word: str, look: Look) -> Tile:
    figure, _, words = counted(number, word).partition(" ")
    return Tile(figure, words, look)


def report(result: RunResult, publication: Publication) -> None:
    """Write the page."""
    publication.write(PAGE, document(result, publication).encode("utf-8", "replace"))
