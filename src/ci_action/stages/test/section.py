"""The sections of the test stage: the tests and the coverage."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.coverage import Coverage, FileCoverage, percent, ranges, shown
from ci_action.model.finding import Location
from ci_action.model.ranking import MANY
from ci_action.model.result import StageResult, ToolResult
from ci_action.model.section import (
    EVERYWHERE,
    Bar,
    Block,
    Channel,
    Entry,
    Item,
    Items,
    Line,
    Link,
    Log,
    Look,
    Ours,
    Part,
    Place,
    Section,
    Tile,
)
from ci_action.model.tests import TestCase, TestOutcome, TestWarning
from ci_action.model.totals import Totals, coverage_of, name_of, red_tests, totals_of
from ci_action.system.text import counted, duration, listed, one_line

_MOST_SLOW: Final = 25
_MOST_RANGES: Final = 20
# The failed tests with the same message that a row names beside the first one.
_MOST_SAME: Final = 3
# The metric, its name, its look; the first is always shown.
_COUNTS: Final = (
    ("passed", "passed", Look.PASSED),
    ("failed", "failed", Look.FAILED),
    ("errors", "errors", Look.BROKEN),
    ("flaky", "flaky", Look.WARNED),
    ("skipped", "skipped", Look.SKIPPED),
    ("xfailed", "failed as expected (xfailed)", Look.NOTICE),
    ("xpassed", "passed unexpectedly (xpassed)", Look.EMPTY),
)
_HEADS: Final = {
    "flaky": "Flaky: failed first, passed when run again",
    "xpassed": "Passed though expected to fail",
    "skipped": "Skipped",
}
_PAGE: Final = frozenset({Channel.PAGE})
_LISTS: Final = frozenset({Channel.SUMMARY, Channel.PAGE})
_TEXT: Final = frozenset({Channel.CONSOLE, Channel.SUMMARY})


def of(stage: StageResult, _: Pull | NoPull) -> tuple[Section, ...]:
    """Return the tests and the coverage, if they were measured."""
    found = totals_of(stage.tools)
    sections: list[Section] = []
    if "tests" in found.metrics:
        tests: tuple[Block, ...] = (
            _bar(found),
            *_failed(stage),
            *_warned(stage.tools),
            *_slowest(found.tests),
        )
        sections.append(Section(title=Ours("Tests"), blocks=tests, tile=_tile(found)))
    if found.coverage is not None:
        blocks = (*_figures(found, found.coverage), *_uncovered(stage.tools, found.coverage))
        tile = Tile(f"{found.percent} %", Ours("covered"))
        sections.append(Section(title=Ours("Coverage"), blocks=blocks, place=Place.LAST, tile=tile))
    return tuple(sections)


def _tile(found: Totals) -> Tile:
    total, red = found.count("tests") or 0, found.count("failed", "errors") or 0
    if red:
        return Tile(f"{red:,}", Ours(f"of {total:,} tests failed"), Look.FAILED)
    return Tile(f"{total:,}", Ours("tests, none failed"), Look.PASSED)


def _bar(found: Totals) -> Bar:
    parts = tuple(
        Part(
            amount=int(found.metrics[name]),
            words=Ours("error" if name == "errors" and found.metrics[name] == 1 else words),
            look=look,
            head=Ours(_HEADS.get(name, "")),
            rows=tuple(_named(found.tests, name)) if name in _HEADS else (),
        )
        for name, words, look in _COUNTS
        if found.metrics.get(name) or name == "passed"
    )
    return Bar(title=Ours(counted(int(found.metrics["tests"]), "test")), parts=parts)


def _named(cases: Sequence[TestCase], name: str) -> Iterator[Line]:
    """Yield the tests of a part that no other section shows."""
    for case in cases:
        if case.outcome is TestOutcome.FLAKY and name == "flaky":
            yield Ours("flaky: "), name_of(case), Ours(f" in run {case.runs}")
        elif case.outcome is TestOutcome.XPASSED and name == "xpassed":
            yield Ours("passed unexpectedly: "), name_of(case)
    if name == "skipped":
        reasons = Counter(case.message for case in cases if case.outcome is TestOutcome.SKIPPED)
        for reason, number in reasons.most_common():
            yield Ours(f"{number:,} skipped: "), reason or "no reason given"


def _failed(stage: StageResult) -> Iterator[Log]:
    if cases := red_tests(stage.tools):
        title, what = Ours(f"{counted(len(cases), 'test')} failed"), Ours("Traceback")
        groups = list(_by_cause(cases))
        rows = tuple(_failure(first, others) for first, *others in groups)
        yield Log(title=title, what=what, rows=rows, counts=tuple(map(len, groups)), on=EVERYWHERE - _PAGE)
        yield Log(title=title, what=what, rows=tuple(map(_failure, cases)), on=_PAGE)


def _by_cause(cases: Sequence[TestCase]) -> Iterator[list[TestCase]]:
    """Yield many failed tests with the same outcome and message together, the others alone."""
    groups: dict[tuple[TestOutcome, str], list[TestCase]] = {}
    for case in cases:
        groups.setdefault((case.outcome, case.message), []).append(case)
    for (_, message), group in groups.items():
        if message and len(group) > MANY:
            yield group
        else:
            yield from ([case] for case in group)


def _failure(case: TestCase, others: Sequence[TestCase] = ()) -> Entry:
    error = case.outcome is TestOutcome.ERROR
    about = [Ours("in set-up, tear-down or collection")] if error else []
    about.append(Ours(duration(case.seconds)))
    if case.runs > 1:
        about.append(Ours(counted(case.runs, "run")))
    same = f" (the same in {listed([name_of(one) for one in others], _MOST_SAME)})" if others else ""
    return Entry(
        name=name_of(case),
        message=f"{case.message}{same}",
        word=Ours(case.outcome.value),
        text=case.detail,
        place=Location(path=case.path, line=case.line) if case.path else None,
        about=tuple(about),
        look=Look.BROKEN if error else Look.FAILED,
    )


def _warned(tools: Sequence[ToolResult]) -> Iterator[Items]:
    """Yield what pytest warned about, equal texts once, the most frequent first."""
    places: dict[tuple[str, str], list[TestWarning]] = {}
    for one in (one for tool in tools for one in tool.outcome.test_warnings):
        places.setdefault((one.category, one.message), []).append(one)
    groups = sorted(places.values(), key=lambda group: -sum(one.number for one in group))
    number = sum(one.number for group in groups for one in group)
    if groups:
        yield Items(
            title=Ours(f"{counted(number, 'warning')} of pytest"),
            rows=tuple(map(_warning, groups)),
            number=number,
            folded=True,
        )


def _warning(group: Sequence[TestWarning]) -> Item:
    first, times = group[0], sum(one.number for one in group)
    more = f" and {counted(len(group) - 1, 'other place')}" if len(group) > 1 else ""
    return Item(
        (first.category, Ours(": "), one_line(first.message)),
        figure=Ours(f"{times:,} ×"),
        note=f"{first.path}:{first.line}{more}",
        look=Look.WARNED,
    )


def _slowest(cases: Sequence[TestCase]) -> Iterator[Items]:
    timed = [case for case in cases if not case.subtest and case.seconds > 0]
    slow = sorted(timed, key=lambda case: -case.seconds)[:_MOST_SLOW]
    rows = tuple(
        Item(
            (case.nodeid,),
            figure=Ours(duration(case.seconds)),
            share=case.seconds * 100 / slow[0].seconds,
            look=Look.NOTICE,
        )
        for case in slow
    )
    if rows:
        yield Items(title=Ours("The slowest tests"), rows=rows, folded=True, on=_LISTS)


def _figures(found: Totals, coverage: Coverage) -> Iterator[Block]:
    named = [("all lines", found.percent, "coverage_min")]
    if found.patch_percent:
        named.append(("changed lines", found.patch_percent, "patch_coverage_min"))
    rows = tuple(
        Item(
            (Ours(name),),
            figure=Ours(f"{value} %"),
            share=float(value),
            note=_asked(mark) if (mark := found.metrics.get(minimum)) is not None else "",
            mark=mark,
        )
        for name, value, minimum in named
    )
    yield Items(rows=rows, on=_PAGE)
    files = coverage.files.values()
    covered, statements = sum(len(one.executed) for one in files), sum(one.statements for one in files)
    text = f"{covered:,} of {statements:,} statements"
    if branches := sum(one.branches for one in files):
        text += f", {sum(one.covered_branches for one in files):,} of {branches:,} branches"
    if (minimum := found.metrics.get("coverage_min")) is not None:
        text += f"; {_asked(minimum)}"
    if found.patch_percent:
        text += f"; {found.patch_percent} % of the changed lines"
    yield Bar(title=Ours(f"coverage {found.percent} %"), text=(Ours(text),))


def _asked(minimum: float) -> str:
    return Ours(f"the minimum is {minimum:g} %")


def _uncovered(tools: Sequence[ToolResult], coverage: Coverage) -> Iterator[Items]:
    places = [
        one.location
        for tool in tools
        if coverage_of(tool) is not None
        for one in tool.findings
        if one.rule == "uncovered" and one.location
    ]
    files = sorted(
        coverage.files.values(), key=lambda one: (-len(one.missing) - len(one.missing_branches), one.path)
    )
    if places:
        rows = tuple(Item((place.path, Ours(" "), _lines(place))) for place in places)
        yield Items(title=Ours("Changed lines that no test runs"), rows=rows, on=_PAGE)
    changed = {place.path: coverage.files[place.path] for place in places if place.path in coverage.files}
    others = [one for one in files if one.path not in changed and (one.missing or one.missing_branches)]
    for title, some, on in (
        ("Changed files that the tests do not cover", changed.values(), _TEXT),
        ("Files with most uncovered lines", others, _TEXT),
        ("By file, most uncovered lines first", files, _PAGE),
    ):
        if some:
            yield Items(title=Ours(title), rows=tuple(map(_file, some)), on=on)


def _lines(place: Location) -> Link | Ours:
    if not place.line:
        return Ours("")
    last = place.end_line or place.line
    return Link(Ours(f"line {place.line}–{last}" if last > place.line else f"line {place.line}"), place=place)


def _file(one: FileCoverage) -> Item:
    lines = [f"{first}–{last}" if last > first else f"{first}" for first, last in ranges(one.missing)]
    parts = [f"not run: {listed(lines, _MOST_RANGES)}"] if lines else []
    if number := len(one.missing_branches):
        parts.append(f"{counted(number, 'branch', 'branches')} not taken")
    value = percent([one])
    return Item(
        (one.path,), figure=Ours(f"{shown(value)} %"), share=float(value), note=Ours("; ".join(parts))
    )
