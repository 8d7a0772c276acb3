"""The filters of the findings: the browser's own controls, made useful by the script of the page."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from ci_action.model.finding import SEVERITIES, Level
from ci_action.reporters.html.markup import NOTHING, Html, Markup
from ci_action.reporters.html.shown import Shown

_MOST_PATHS: Final = 500


def form(h: Markup, shown: Sequence[Shown]) -> Html:
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
    if len(known) < 2:  # noqa: PLR2004 - one file is no choice
        return NOTHING
    options = (h("option", value=path) for path in known[:_MOST_PATHS])
    return h.join(
        _search(h, "path", "File", "a part of its path", list="paths"), h("datalist", *options, id="paths")
    )


def _select(h: Markup, name: str, label: str, found: Counter[str], order: Sequence[str] = ()) -> Html:
    if len(found) < 2:  # noqa: PLR2004 - one is no choice
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
