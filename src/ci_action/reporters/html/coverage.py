"""The coverage: of the whole, of the changed lines, and file by file."""

from collections.abc import Sequence
from typing import Final

from ci_action.model.coverage import Coverage, FileCoverage, percent, ranges, shown
from ci_action.model.finding import Location
from ci_action.model.result import RunResult
from ci_action.model.totals import Totals, coverage_of, tools_of, totals
from ci_action.reporters.context import Publication
from ci_action.reporters.html.markup import NOTHING, Html, Markup
from ci_action.reporters.job_summary import blob
from ci_action.reporters.summary_tests import coverage_line

MOST_FILES: Final = 1_000
_MOST_RANGES: Final = 20
_MOST_LINES: Final = 500
_OPEN_UP_TO: Final = 40


def section(h: Markup, result: RunResult, publication: Publication) -> Html:
    """Return the part about coverage; nothing where none was measured."""
    found = totals(result)
    if found.coverage is None:
        return NOTHING
    uncovered = [
        one.location
        for tool in tools_of(result)
        if coverage_of(tool) is not None
        for one in tool.findings
        if one.rule == "uncovered" and one.location
    ]
    return h(
        "section",
        h("h2", "Coverage"),
        _whole(h, found),
        _changed(h, uncovered, publication),
        _files(h, found.coverage),
        _unreadable(h, found.coverage),
        id="coverage",
    )


def _whole(h: Markup, found: Totals) -> Html:
    rows = [_figure(h, "all lines", found.percent, found.metrics.get("coverage_min"))]
    if found.patch_percent:
        rows.append(_figure(h, "changed lines", found.patch_percent, found.metrics.get("patch_coverage_min")))
    return h(
        "div",
        h("ul", *rows, class_="bars large"),
        h("p", coverage_line(found), class_="quiet"),
        class_="card",
    )


def _figure(h: Markup, name: str, value: str, minimum: float | None) -> Html:
    words = f"{value} %" + (f", at least {minimum:g} % is asked for" if minimum is not None else "")
    return h(
        "li",
        h("span", name),
        h.bar(f"{name}: {words}", (float(value), "passed"), mark=minimum),
        h("span", f"{value} %", class_="figure"),
    )


def _changed(h: Markup, places: Sequence[Location], publication: Publication) -> Html:
    if not places:
        return NOTHING
    rows = []
    for place in places[:_MOST_LINES]:
        last = place.end_line or place.line or 0
        words = f"{place.line}–{last}" if place.line and last > place.line else str(place.line or "")
        url = blob(place.path, place.line, publication.event) if place.line else ""
        rows.append(h("li", h("span", place.path, class_="path"), Html(" "), h.link(url, f"line {words}")))
    if len(places) > _MOST_LINES:
        rows.append(h("li", f"and {len(places) - _MOST_LINES:,} more"))
    return h("div", h("h3", "Changed lines that no test runs"), h("ul", *rows), class_="card")


def _files(h: Markup, coverage: Coverage) -> Html:
    files = sorted(
        coverage.files.values(), key=lambda one: (-len(one.missing) - len(one.missing_branches), one.path)
    )
    rows = [_file(h, one) for one in files[:MOST_FILES]]
    if not rows:
        return NOTHING
    if len(files) > MOST_FILES:
        rows.append(h("li", f"and {len(files) - MOST_FILES:,} more files", class_="quiet"))
    head = f"By file, the most uncovered first ({len(files):,})"
    return h.details(
        head, h("ul", *rows, class_="bars files"), opened=len(files) <= _OPEN_UP_TO, class_="card"
    )


def _file(h: Markup, one: FileCoverage) -> Html:
    value = percent([one])
    lost = ranges(one.missing)
    places = ", ".join(
        f"{first}–{last}" if last > first else f"{first}" for first, last in lost[:_MOST_RANGES]
    )
    parts = [f"not run: {places}"] if places else []
    if len(lost) > _MOST_RANGES:
        parts.append(f"and {len(lost) - _MOST_RANGES:,} more places")
    if number := len(one.missing_branches):
        parts.append(f"{number:,} {'branch' if number == 1 else 'branches'} not taken")
    return h(
        "li",
        h("span", one.path, class_="path"),
        h.bar(f"{shown(value)} %", (float(value), "passed")),
        h("span", f"{shown(value)} %", class_="figure"),
        h("span", "; ".join(parts), class_="lost quiet") if parts else NOTHING,
    )


def _unreadable(h: Markup, coverage: Coverage) -> Html:
    if not coverage.unreadable:
        return NOTHING
    rows = (h("li", h("span", path, class_="path")) for path in coverage.unreadable[:_MOST_LINES])
    head = f"Files that coverage could not read, in no figure ({len(coverage.unreadable):,})"
    return h.details(head, h("ul", *rows), class_="card", opened=True)
