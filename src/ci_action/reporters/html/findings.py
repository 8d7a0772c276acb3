"""The findings on the page, by file, and the filters: the browser's own controls, which the script of the page connects."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from ci_action.github.event import Event
from ci_action.model.finding import SEVERITIES, Finding, Fix, Level, Location, Reach
from ci_action.model.ranking import Row, by_file, fair, number_of, rows_of
from ci_action.model.result import RunResult
from ci_action.model.totals import beside_tests
from ci_action.reporters.context import REPORT, Publication
from ci_action.reporters.html.markup import NOTHING, Html, details, h, icon, join, link, text
from ci_action.reporters.html.sections import note
from ci_action.reporters.limits import WHY_HIDDEN, Room, left_out
from ci_action.reporters.markdown import blob

# As many as a browser opens at once.
MOST: Final = 5_000
# Of those that are muted, which come last.
MOST_MUTED: Final = 1_000
# In characters: findings with long excerpts come to this before their number does.
LARGEST: Final = 12_000_000
_LOOKS: Final = {Level.ERROR: "failed", Level.WARNING: "warned", Level.NOTICE: "notice"}
_MOST_PATHS: Final = 500
_WIDEST: Final = 300
# The part of a long line before the place of the finding.
_BEFORE: Final = 100
_MOST_LINES: Final = 30
# Of the others that share a row.
_MOST_OTHERS: Final = 200


def section(result: RunResult, publication: Publication) -> Html:
    """Return the part about the findings that do not belong to a failed test."""
    rows = rows_of(beside_tests(result))
    stages = {id(finding): stage.stage for stage in result.stages for finding in stage.findings}
    most = min(MOST, sum(row.first.counts for row in rows) + MOST_MUTED)
    ordered = by_file(fair(rows, most))
    items = Room(LARGEST).fitting((_item(row, stages[id(row.first)], publication) for row in ordered), most)
    shown = ordered[: len(items)]
    pairs = groupby(zip(shown, items, strict=True), key=lambda pair: pair[0].first.path)
    groups = [_group(path, *zip(*members, strict=True)) for path, members in pairs]
    return h(
        "section",
        h("h2", "Findings"),
        note(number_of(shown), number_of(rows), "findings"),
        _form(shown, stages) if rows else NOTHING,
        h("div", *(groups or [h("p", "No findings.", class_="nothing")]), id="list"),
        id="findings",
    )


def _group(path: str, members: Sequence[Row], items: Sequence[Html]) -> Html:
    name = h("span", path, class_="path") if path else h("span", "The project")
    number = h("span", f"{number_of(members):,}", class_="number", data_number=True)
    muted = "yes" if all(row.first.muted for row in members) else None
    return h(
        "section", h("h3", name, Html(" "), number), h("ol", *items), class_="file card", data_muted=muted
    )


def _item(row: Row, stage: str, publication: Publication) -> Html:
    finding = row.first
    look = _LOOKS[finding.level]
    return h(
        "li",
        h("p", icon(look), h("span", finding.message, class_="message")),
        h("p", *_facts(finding, look, publication.event), class_="about"),
        NOTHING if finding.muted else _source(finding, publication),  # there may be thousands
        _others(row, publication.event),
        class_="finding",
        data_stage=stage,
        data_tool=finding.tool,
        data_level=finding.level.value,
        data_severity=finding.severity or None,
        data_path=finding.path,
        data_muted="yes" if finding.muted else None,
        data_count=row.count if row.others else None,
    )


def _others(row: Row, event: Event) -> Html:
    """Return the other findings of a row, which can be opened."""
    if not row.others:
        return NOTHING
    shown = row.others[:_MOST_OTHERS]
    note = (
        [h("li", left_out(len(shown), len(row.others), where=REPORT))] if len(shown) < len(row.others) else []
    )
    items = (h("li", *_other(one, row.first, event)) for one in shown)
    return details(row.more, h("ol", *items, *note), class_="others")


def _other(one: Finding, first: Finding, event: Event) -> Iterator[Html]:
    place = one.location
    if place and place.line:
        yield link(blob(place.path, place.line, event), place.lines)
    if one.message != first.message:
        yield h("span", f" {one.message}", class_="message")


def _facts(finding: Finding, look: str, event: Event) -> Iterator[Html]:
    place = finding.location
    yield h("span", finding.level.value, class_=f"word is-{look}")
    if finding.severity in SEVERITIES:
        yield h("span", finding.severity, class_=f"severity is-{finding.severity}")
    yield h("span", f"{finding.tool} ", link(finding.url, h("code", finding.rule)))
    if place and place.line:
        column = f":{place.column}" if place.column and "–" not in place.lines else ""
        yield h("span", link(blob(place.path, place.line, event), f"{place.lines}{column}"))
    if finding.fix is Fix.SAFE or finding.fix_message:
        fixable = "fixable" if finding.fix is Fix.SAFE else ""
        yield h("span", ": ".join(filter(None, (fixable, finding.fix_message))))
    if finding.also:
        yield h("span", f"also {', '.join(finding.also[:10])}")
    if finding.new or finding.reach is Reach.LINES:
        yield h("span", "new" if finding.new else "in the change")
    if finding.muted:
        yield h("span", f"muted: {finding.muted}", class_="muted")


def _source(finding: Finding, publication: Publication) -> Html:
    """Return the diff of the fix, or the source lines with the place of the finding marked in the first."""
    place = finding.location
    rows: list[Html] = []
    for sign, look in (("-", "removed"), ("+", "added")):
        lines = [line.rstrip("\r") for mark, line in finding.diff if mark == sign]
        rows += [_row(sign, text(line, _WIDEST), look) for line in lines[:_MOST_LINES]]
        if len(lines) > _MOST_LINES:
            rows.append(h("span", f"… {len(lines) - _MOST_LINES:,} more lines", class_="row quiet"))
    if rows and finding.redacted:
        rows.append(h("span", WHY_HIDDEN, class_="row quiet"))
    if not rows and place and (lines := publication.source_lines(finding)):
        marked = [_marked(lines[0], place), *(text(line, _WIDEST) for line in lines[1:])]
        rows = [_row(str(number), line) for number, line in enumerate(marked, place.line or 1)]
    # Each row is a block; the newlines are for those who copy it or read without the style.
    return h("pre", Html("\n".join(rows)), class_="source") if rows else NOTHING


def _row(margin: str, line: Html, look: str = "") -> Html:
    return h("span", h("i", margin), h("span", line, class_="code"), class_=f"row {look}".rstrip())


def _marked(line: str, place: Location) -> Html:
    if place.column is None or place.column > len(line):  # the file may have changed since
        return text(line, _WIDEST)
    start = place.column - 1
    one_row = place.end_line in {None, place.line}
    end = max((place.end_column or place.column + 1) - 1, start + 1) if one_row else len(line)
    first = max(0, start - _BEFORE) if len(line) > _WIDEST else 0
    ahead = f"…{line[first:start]}" if first else line[:start]
    marked = h("mark", text(line[start:end], _WIDEST))
    return join(text(ahead), marked, text(line[end:], _WIDEST - _BEFORE))


def _form(rows: Sequence[Row], stage_of: Mapping[int, str]) -> Html:
    """Return the filters for the findings of rows, without those that have only one choice."""
    findings = [one for row in rows for one in row.findings]
    stages = [stage_of[id(one)] for one in findings]
    paths = sorted({finding.path for finding in findings} - {""})
    fields = (
        _search("text", "Text", "words in a finding"),
        _select("stage", "Stage", stages),
        _select("tool", "Tool", [finding.tool for finding in findings]),
        _select("level", "Level", [finding.level.value for finding in findings], [*reversed(Level)]),
        _select("severity", "Severity", [one.severity for one in findings if one.severity], SEVERITIES),
        _search("path", "File", "a part of its path", paths) if len(paths) > 1 else NOTHING,
        _muted() if any(finding.muted for finding in findings) else NOTHING,
    )
    number = h("output", f"{len(findings):,} shown", id="shown", aria_live="polite")
    reset = h("button", "Clear", type="reset")
    counter = h("div", number, reset, class_="counted")
    look = {"id": "filters", "class_": "card needs-script", "role": "search"}
    return h("form", *fields, counter, **look, aria_label="Filter the findings")


def _search(name: str, label: str, hint: str, choices: Sequence[str] = ()) -> Html:
    known = {"autocomplete": "off", "spellcheck": "false", "list": "paths" if choices else None}
    field = h(
        "label",
        h("span", label),
        h("input", type="search", name=name, placeholder=hint, **known),
        class_="wide",
    )
    options = (h("option", value=choice) for choice in choices[:_MOST_PATHS])
    return join(field, h("datalist", *options, id="paths") if choices else NOTHING)


def _select(name: str, label: str, values: Sequence[str], order: Sequence[str] = ()) -> Html:
    found = Counter(values)
    if not found or len(found) == 1:  # one value needs no filter
        return NOTHING
    names = [one for one in order if one in found] + sorted(set(found) - set(order))
    options = (h("option", f"{one} ({found[one]:,})", value=one) for one in names)
    return h("label", h("span", label), h("select", h("option", "all", value=""), *options, name=name))


def _muted() -> Html:
    choices = {"no": "left out", "": "included", "yes": "nothing else"}
    options = (h("option", words, value=value) for value, words in choices.items())
    return h("label", h("span", "Muted"), h("select", *options, name="muted"))
