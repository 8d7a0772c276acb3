"""report.html: the run as one file that opens from disk, for people who look rather than read.

Everything is written here, as HTML: the page can be read without a script, opens quickly, and has one place where
foreign text becomes text (`markup`). The script filters what is there; it makes no element from data.
"""

import base64
from hashlib import sha256
from pathlib import Path
from typing import Final

from ci_action.model.result import RunResult
from ci_action.model.totals import beside_tests, totals
from ci_action.reporters.context import PAGE, REPORT, Publication
from ci_action.reporters.html import closing, coverage, findings, packages, stages, tests, verdict
from ci_action.reporters.html.markup import Html, Markup
from ci_action.reporters.html.palette import themes
from ci_action.reporters.html.signs import sprite
from ci_action.reporters.html.verdict import Tile

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
    middle = (
        verdict.verdict(h, result, publication.event),
        verdict.tiles(h, _tiles(result)),
        tests.section(h, result, publication),
        packages.section(h, result),
        findings.section(h, result, publication),
        coverage.section(h, result, publication),
        stages.section(h, result),
        closing.pull_request(h, result, publication),
        closing.notes(h, result),
        closing.settings(h, publication),
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


def _tiles(result: RunResult) -> list[Tile]:
    found = totals(result)
    counting = sum(finding.counts for finding in beside_tests(result))
    tools = sum(len(stage.tools) for stage in result.stages)
    tiles = []
    if (total := found.count("tests")) is not None:
        red = found.count("failed", "errors") or 0
        tiles.append(
            Tile("tests", f"{red:,}", f"of {total:,} tests failed", "failed")
            if red
            else Tile("tests", f"{total:,}", "tests, none failed", "passed")
        )
    if vulnerable := packages.vulnerabilities(result):
        number = sum(one.counts for one in vulnerable)
        word = "vulnerability" if number == 1 else "vulnerabilities"
        tiles.append(Tile("packages", f"{number:,}", word, "failed" if number else "plain"))
    word = "finding" if counting == 1 else "findings"
    tiles.append(Tile("findings", f"{counting:,}", word, "failed" if counting else "passed"))
    if found.coverage is not None:
        tiles.append(Tile("coverage", f"{found.percent} %", "covered"))
    tiles.append(Tile("stages", f"{tools:,}", "tool" if tools == 1 else "tools"))
    if result.warnings:
        tiles.append(
            Tile(
                "notes",
                f"{len(result.warnings):,}",
                "note" if len(result.warnings) == 1 else "notes",
                "warned",
            )
        )
    return tiles


def report(result: RunResult, publication: Publication) -> None:
    """Write the page."""
    publication.write(PAGE, document(result, publication).encode("utf-8", "replace"))
