"""report.html: the run as one file that opens from disk, with filters, source lines, tests and coverage.

Everything is in the HTML: the page can be read without a script, opens quickly, and escapes foreign text in one place
(`markup`). The script filters what the page has; it makes no element from data.
"""

import base64
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from ci_action.model.result import RunResult
from ci_action.model.section import Channel, Log, Look, Place, Section, Tile
from ci_action.model.totals import beside_tests, tools_of
from ci_action.reporters.context import PAGE, REPORT, Publication
from ci_action.reporters.html import findings, stages, verdict
from ci_action.reporters.html.markup import Html, h, join, sprite
from ci_action.reporters.html.sections import Drawing, anchor

_HERE: Final = Path(__file__).parent


def document(result: RunResult, publication: Publication) -> str:
    """Return the page."""
    style, script = ((_HERE / name).read_text("utf-8") for name in ("page.css", "page.js"))
    subject = publication.subject
    head = join(
        h("meta", charset="utf-8"),
        h("meta", http_equiv="Content-Security-Policy", content=policy(style, script)),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", name="referrer", content="no-referrer"),
        h("title", f"{result.verdict.conclusion}: {subject} · ci-action"),
        Html(f"<style>{style}</style>\n<script>{script}</script>"),
    )
    parts = join(*(Html(f"\n{part}") for part in _parts(result, publication) if part))
    body = join(
        sprite(),
        h("a", "Skip to the verdict", href="#main", class_="skip"),
        h("header", h("p", h("strong", "ci-action"), Html(" "), h("span", subject)), _switch(), class_="top"),
        h("main", parts, id="main", tabindex=-1),
        h("footer", h("p", f"ci-action {result.version}. For programs: ", h("code", REPORT))),
    )
    return f'<!doctype html>\n<html lang="en"><head>\n{head}\n</head>\n<body>\n{body}\n</body></html>\n'


def policy(style: str, script: str) -> str:
    """Return the policy of the page: it shows itself, with this style and this script, and nothing else."""
    digests = (base64.b64encode(sha256(text.encode()).digest()).decode() for text in (style, script))
    return (
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}';".format(*digests)
        + " base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _parts(result: RunResult, publication: Publication) -> Iterator[Html]:
    given = publication.sections(result)
    draw = Drawing(publication.event).section
    drawn = {place: [draw(one) for one in given if one.place is place] for place in Place}
    logs = (anchor(one) for one in given if any(isinstance(row, Log) for row in one.rows(Channel.PAGE)))
    yield verdict.verdict(result, publication)
    yield verdict.tiles(_tiles(result, given))
    yield from (*drawn[Place.FIRST], *drawn[Place.MIDDLE])
    yield findings.section(result, publication)
    yield stages.section(result, next(logs, "findings"))
    yield from drawn[Place.LAST]


def _switch() -> Html:
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


def _tiles(result: RunResult, given: Sequence[Section]) -> Iterator[tuple[str, Tile]]:
    counting = sum(finding.counts for finding in beside_tests(result))
    tiles = [(anchor(one), one.tile, one.place) for one in given if one.tile]
    yield from ((target, tile) for target, tile, place in tiles if place is not Place.LAST)
    yield "findings", Tile.of(counting, "finding", Look.FAILED if counting else Look.PASSED)
    yield "stages", Tile.of(len([*tools_of(result)]), "tool", Look.PLAIN)
    yield from ((target, tile) for target, tile, place in tiles if place is Place.LAST)


def report(result: RunResult, publication: Publication) -> None:
    """Write the page."""
    publication.write(PAGE, document(result, publication).encode("utf-8", "replace"))
