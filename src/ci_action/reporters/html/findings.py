"""The findings, by file, with what the filters of the page look at."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Final

from ci_action.github.event import Event
from ci_action.model.finding import SEVERITIES, Finding, Fix, ranked
from ci_action.model.result import RunResult
from ci_action.model.totals import beside_tests
from ci_action.reporters.context import REPORT, Publication
from ci_action.reporters.html.filters import form
from ci_action.reporters.html.markup import NOTHING, Html, Markup
from ci_action.reporters.html.shown import Shown
from ci_action.reporters.html.source import difference, excerpt
from ci_action.reporters.job_summary import blob

# A browser opens this many at once, and nobody reads more.
MOST: Final = 5_000
# Of those that do not count, which come last.
MOST_MUTED: Final = 1_000
# In characters: findings with long excerpts may come to this before their number does.
LARGEST: Final = 12_000_000
_MARKS: Final = {"error": "failed", "warning": "warned", "notice": "notice"}


def section(h: Markup, result: RunResult, publication: Publication) -> Html:
    """Return the part about the findings that stand for themselves, not for a test."""
    findings = ranked(beside_tests(result))
    stages = {id(finding): stage.stage for stage in result.stages for finding in stage.findings}
    most = min(MOST, sum(finding.counts for finding in findings) + MOST_MUTED)
    ordered = _by_file([Shown(finding, stages[id(finding)]) for finding in findings[:most]])
    item = _item(h, publication)
    groups, kept, room = [], 0, LARGEST
    for path, group in groupby(ordered, key=lambda one: one.path):
        items: list[Html] = []
        members: list[Shown] = []
        for one in group:
            room -= len(made := item(one))
            if room < 0:
                break
            items.append(made)
            members.append(one)
        if items:
            groups.append(_group(h, path, members, items))
            kept += len(items)
        if room < 0:
            break
    rest = _rest(h, kept, len(findings)) if kept < len(findings) else NOTHING
    if not findings:
        groups = [h("p", "No findings.", class_="nothing")]
    return h(
        "section",
        h("h2", "Findings"),
        rest,
        form(h, ordered[:kept]) if findings else NOTHING,
        h("div", *groups, id="list"),
        id="findings",
    )


def _rest(h: Markup, shown: int, total: int) -> Html:
    return h(
        "p",
        h("strong", f"{shown:,} of {total:,} findings are on this page"),
        ", the weightiest first; the rest is in ",
        h("code", REPORT),
        ".",
        class_="cut",
    )


def _by_file(findings: Sequence[Shown]) -> list[Shown]:
    """Order by file, the file with the weightiest finding first; the muted come last, and in a file lines count."""
    order: dict[tuple[bool, str], int] = {}
    for one in findings:
        order.setdefault((one.finding.counts, one.path), len(order))
    return sorted(findings, key=lambda one: (order[one.finding.counts, one.path], one.line))


def _group(h: Markup, path: str, members: Sequence[Shown], items: Sequence[Html]) -> Html:
    muted = all(one.finding.muted for one in members)
    name = h("span", path, class_="path") if path else h("span", "The project")
    number = h("span", f"{len(items):,}", class_="number", data_number=True)
    return h(
        "section",
        h("h3", name, Html(" "), number),
        h("ol", *items),
        class_="file card",
        data_muted="yes" if muted else None,
    )


def _item(h: Markup, publication: Publication) -> Callable[[Shown], Html]:
    def made(one: Shown) -> Html:
        finding = one.finding
        return h(
            "li",
            h("p", h.icon(_MARKS[finding.level.value]), h("span", finding.message, class_="message")),
            h("p", *_facts(h, one, publication.event), class_="about"),
            _shown_lines(h, finding, publication),
            class_="finding",
            data_stage=one.stage,
            data_tool=finding.tool,
            data_level=finding.level.value,
            data_severity=finding.severity or None,
            data_path=one.path,
            data_muted="yes" if finding.muted else None,
        )

    return made


def _shown_lines(h: Markup, finding: Finding, publication: Publication) -> Html:
    if finding.muted:  # thousands of them are no rarity, and nobody has to do anything about one
        return NOTHING
    if finding.before or finding.after:
        return difference(h, finding)
    return excerpt(h, finding, publication.source_lines(finding))


def _facts(h: Markup, one: Shown, event: Event) -> Iterator[Html]:
    finding, place = one.finding, one.finding.location
    yield h("span", finding.level.value, class_=f"word is-{_MARKS[finding.level.value]}")
    if finding.severity in SEVERITIES:
        yield h("span", finding.severity, class_=f"severity is-{finding.severity}")
    yield h("span", f"{finding.tool} ", h.link(finding.url, h("code", finding.rule)))
    if place and place.line:
        last = place.end_line if place.end_line and place.end_line > place.line else None
        words = f"line {place.line}" + (f"–{last}" if last else f":{place.column}" if place.column else "")
        yield h("span", h.link(blob(place.path, place.line, event), words))
    if finding.fix is Fix.SAFE:
        yield h("span", f"fixable: {finding.fix_message}" if finding.fix_message else "fixable")
    elif finding.fix_message:
        yield h("span", finding.fix_message)
    if finding.also:
        yield h("span", f"also {', '.join(finding.also[:10])}")
    if finding.new:
        yield h("span", "new")
    if finding.muted:
        yield h("span", f"muted: {finding.muted}", class_="muted")
