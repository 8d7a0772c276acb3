"""The tests: how they ended, the failed ones first, then what took long and what did not run."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from ci_action.github.event import Event
from ci_action.model.result import RunResult
from ci_action.model.tests import TestCase, TestOutcome
from ci_action.model.totals import (
    LONGEST_DETAIL,
    Totals,
    name_of,
    red_tests,
    shortened,
    tests_of,
    tools_of,
    totals,
)
from ci_action.reporters.context import REPORT, Publication
from ci_action.reporters.html.markup import NOTHING, Html, Markup, counted
from ci_action.reporters.job_summary import blob
from ci_action.system.text import duration

MOST_FAILURES: Final = 500
# In characters: so much of tracebacks and output is on the page.
LARGEST: Final = 4_000_000
_MOST_OPEN: Final = 5
_MOST_SLOW: Final = 25
_MOST: Final = 100
# The count of the report, its words, its colour; in the order of the bar.
_COUNTS: Final = (
    ("failed", "failed", "failed"),
    ("errors", "errors", "broken"),
    ("flaky", "flaky", "warned"),
    ("xpassed", "passed unexpectedly", "empty"),
    ("passed", "passed", "passed"),
    ("xfailed", "failed as expected", "notice"),
    ("skipped", "skipped", "skipped"),
)


def section(h: Markup, result: RunResult, publication: Publication) -> Html:
    """Return the part about the tests; nothing where none were run."""
    found = totals(result)
    if "tests" not in found.metrics:
        return NOTHING
    return h(
        "section",
        h("h2", "Tests"),
        _totals(h, found),
        _failed(h, red_tests(result), publication),
        _named(h, result, TestOutcome.FLAKY, "Flaky: failed first, passed when run again"),
        _named(h, result, TestOutcome.XPASSED, "Passed though expected to fail"),
        _skipped(h, found.tests),
        _slowest(h, found.tests),
        id="tests",
    )


def _totals(h: Markup, found: Totals) -> Html:
    total = found.metrics["tests"]
    there = [(name, words, look) for name, words, look in _COUNTS if found.metrics.get(name)]
    parts = [(found.metrics[name] * 100 / total, look) for name, _, look in there] if total else []
    words = ", ".join(
        f"{int(found.metrics[name]):,} {_word(words, found.metrics[name])}" for name, words, _ in there
    )
    legend = (
        h(
            "li",
            h.icon(look),
            h("b", f"{int(found.metrics[name]):,}"),
            f" {_word(words, found.metrics[name])}",
        )
        for name, words, look in there
    )
    head = h("p", h("b", f"{int(total):,}", class_="large"), f" {'test' if total == 1 else 'tests'}")
    return h(
        "div", head, h.bar(words or "no tests", *parts), h("ul", *legend, class_="legend"), class_="card"
    )


def _word(words: str, number: float) -> str:
    return "error" if words == "errors" and number == 1 else words


def _failed(h: Markup, cases: Sequence[TestCase], publication: Publication) -> Html:
    if not cases:
        return NOTHING
    kept, room = [], LARGEST
    for number, case in enumerate(cases[:MOST_FAILURES]):
        kept.append(_failure(h, case, publication.event, opened=number < _MOST_OPEN))
        room -= len(kept[-1])
        if room < 0:
            break
    rest = NOTHING
    if len(kept) < len(cases):
        said = h("strong", f"{len(kept):,} of {len(cases):,} failed tests are on this page")
        rest = h("p", said, "; the rest is in ", h("code", REPORT), ".", class_="cut")
    return h.join(h("h3", f"{len(cases):,} failed"), rest, h("div", *kept, class_="card failures"))


def _failure(h: Markup, case: TestCase, event: Event, *, opened: bool) -> Html:
    error = case.outcome is TestOutcome.ERROR
    summary = h.join(
        h.icon("broken" if error else "failed"),
        h("span", name_of(case), class_="path"),
        h("span", case.message or case.outcome.value, class_="message"),
    )
    place = f"{case.path}:{case.line}" if case.path and case.line else case.path
    url = blob(case.path, case.line, event) if case.path and case.line else ""
    about = h(
        "p",
        h("span", "error in set-up, tear-down or collection" if error else "failed"),
        h("span", h.link(url, place)) if place else NOTHING,
        h("span", duration(case.seconds)),
        h("span", counted(case.runs, "run")) if case.runs > 1 else NOTHING,
        class_="about",
    )
    # Secrets are taken out before anything is cut.
    detail = shortened(case.detail)
    body = h.block(detail, lines=LONGEST_DETAIL, width=2_000) if detail.strip() else NOTHING
    return h.details(summary, about, body, opened=opened, class_="failure")


def _named(h: Markup, result: RunResult, outcome: TestOutcome, head: str) -> Html:
    cases = [case for tool in tools_of(result) for case in tests_of(tool) if case.outcome is outcome]
    rows = [
        h("li", h("span", name_of(case), class_="path"), f" in run {case.runs}" if case.runs > 1 else NOTHING)
        for case in cases[:_MOST]
    ]
    return _list(h, f"{head} ({len(cases):,})", rows, len(cases))


def _skipped(h: Markup, cases: Sequence[TestCase]) -> Html:
    reasons = Counter(case.message for case in cases if case.outcome is TestOutcome.SKIPPED)
    rows = [
        h("li", h("b", f"{number:,}"), Html(" × "), reason or "no reason given")
        for reason, number in reasons.most_common(_MOST)
    ]
    return _list(h, f"Not run: {reasons.total():,} skipped", rows, len(reasons))


def _list(h: Markup, head: str, rows: list[Html], total: int) -> Html:
    if not rows:
        return NOTHING
    if total > len(rows):
        rows.append(h("li", f"and {total - len(rows):,} more"))
    return h.details(head, h("ul", *rows), class_="card")


def _slowest(h: Markup, cases: Sequence[TestCase]) -> Html:
    timed = [case for case in cases if not case.subtest and case.seconds > 0]
    slow = sorted(timed, key=lambda case: -case.seconds)[:_MOST_SLOW]
    if not slow:
        return NOTHING
    return h.details("The slowest tests", h("ul", *_times(h, slow), class_="bars"), class_="card")


def _times(h: Markup, slow: Sequence[TestCase]) -> Iterator[Html]:
    longest = slow[0].seconds
    for case in slow:
        time = duration(case.seconds)
        yield h(
            "li",
            h("span", case.nodeid, class_="path"),
            h.bar(time, (case.seconds * 100 / longest, "notice")),
            h("span", time, class_="figure"),
        )
