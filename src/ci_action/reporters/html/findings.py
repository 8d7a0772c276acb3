"""The findings, by file, and the filters: the browser's own controls, made useful by the script of the page."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from ci_action.github.event import Event
from ci_action.model.finding import SEVERITIES, Finding, Fix, Level, ranked
from ci_action.model.result import RunResult
from ci_action.model.totals import beside_tests
from ci_action.reporters.context import REPORT, Publication
from ci_action.reporters.html.markup import NOTHING, Html, Markup
from ci_action.reporters.html.source import difference, excerpt
from ci_action.reporters.markdown import blob

# A browser opens this many at once, and nobody reads more.
MOST: Final = 5_000
# Of those that do not count, which come last.
MOST_MUTED: Final = 1_000
# In characters: findings with long excerpts may come to this before their number does.
LARGEST: Final = 12_000_000
_MARKS: Final = {"error": "failed", "warning": "warned", "notice": "notice"}
_MOST_PATHS: Final = 500


@dataclass(frozen=True)
class Shown:
    """A finding and the stage that it is of."""

    finding: Finding
    stage: str

    @property
    def path(self) -> str:
        """The file; empty for the project as a whole."""
        return self.finding.location.path if self.finding.location else ""

    @property
    def line(self) -> int:
        """The line, 0 where there is none."""
        return (self.finding.location.line or 0) if self.finding.location else 0


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
        _form(h, ordered[:kept]) if findings else NOTHING,
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


def _form(h: Markup, shown: Sequence[Shown]) -> Html:
    """Return the filters for these findings; a choice of one is left out."""
    findings = [one.finding for one in shown]
    muted = any(finding.muted for finding in findings)
    levels = [level.value for level in reversed(Level)]
    fields = (
        _search(h, "text", "Text", "words in a finding"),
        _select(h, "stage", "Stage", Counter(one.stage for one in shown)),
        _select(h, "tool", "Tool", Counter(finding.tool for finding in findings)),
        _select(h, "level", "Level", Counter(finding.level.value for finding in findings), levels),
        _select(
            h,
            "severity",
            "Severity",
            Counter(finding.severity for finding in findings if finding.severity),
            SEVERITIES,
        ),
        _paths(h, dict.fromkeys(one.path for one in shown if one.path)),
        _muted(h) if muted else NOTHING,
    )
    counted = h("output", f"{len(findings):,} shown", id="shown", aria_live="polite")
    reset = h("button", "Clear", type="reset")
    return h(
        "form",
        *fields,
        h("div", counted, reset, class_="counted"),
        id="filters",
        class_="card needs-script",
        role="search",
        aria_label="Filter the findings",
    )


def _search(h: Markup, name: str, label: str, hint: str, **more: str) -> Html:
    field = h(
        "input", type="search", name=name, placeholder=hint, autocomplete="off", spellcheck="false", **more
    )
    return h("label", h("span", label), field, class_="wide")


def _paths(h: Markup, paths: Iterable[str]) -> Html:
    known = sorted(paths)
    if len(known) < 2:  # noqa: PLR2004 - with one file there is nothing to choose
        return NOTHING
    options = (h("option", value=path) for path in known[:_MOST_PATHS])
    return h.join(
        _search(h, "path", "File", "a part of its path", list="paths"), h("datalist", *options, id="paths")
    )


def _select(h: Markup, name: str, label: str, found: Counter[str], order: Sequence[str] = ()) -> Html:
    if len(found) < 2:  # noqa: PLR2004 - with one there is nothing to choose
        return NOTHING
    names = [one for one in order if one in found] + sorted(set(found) - set(order))
    options = (h("option", f"{one} ({found[one]:,})", value=one) for one in names)
    return h("label", h("span", label), h("select", h("option", "all", value=""), *options, name=name))


def _muted(h: Markup) -> Html:
    options = (
        h("option", "left out", value="no"),
        h("option", "included", value=""),
        h("option", "nothing else", value="yes"),
    )
    return h("label", h("span", "Muted"), h("select", *options, name="muted"))
