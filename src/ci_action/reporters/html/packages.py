"""The vulnerabilities: which package, how bad, and which version mends it."""

from collections.abc import Iterator, Sequence
from typing import Final

from ci_action.model.finding import SEVERITIES, Finding, Package
from ci_action.model.result import RunResult
from ci_action.reporters.context import REPORT
from ci_action.reporters.html.markup import NOTHING, Html, Markup

MOST: Final = 500
_MOST_NAMES: Final = 20
_CHAIN: Final = " → "


def vulnerabilities(result: RunResult) -> list[Finding]:
    """Return the known vulnerabilities: what else is said of packages has no severity."""
    return [finding for finding in about_packages(result) if finding.severity]


def about_packages(result: RunResult) -> list[Finding]:
    """Return the findings about packages, the worst first, the muted last."""
    found = [finding for finding in result.findings if finding.package is not None]
    return sorted(
        found, key=lambda one: (not one.counts, _rank(one), one.package.name if one.package else "")
    )


def _rank(finding: Finding) -> int:
    return SEVERITIES.index(finding.severity) if finding.severity in SEVERITIES else len(SEVERITIES)


def section(h: Markup, result: RunResult) -> Html:
    """Return the part about vulnerable packages; nothing where there is none."""
    found = about_packages(result)
    if not found:
        return NOTHING
    rest = NOTHING
    if len(found) > MOST:
        said = h("strong", f"{MOST:,} of {len(found):,} are on this page")
        rest = h("p", said, "; the rest is in ", h("code", REPORT), ".", class_="cut")
    return h(
        "section",
        h("h2", "Packages"),
        _severities(h, found),
        rest,
        h("div", *(_row(h, one) for one in found[:MOST]), class_="card packages"),
        id="packages",
    )


def _severities(h: Markup, found: Sequence[Finding]) -> Html:
    counts = {
        severity: sum(one.severity == severity and one.counts for one in found) for severity in SEVERITIES
    }
    items = [
        h("li", h("span", severity, class_=f"severity is-{severity}"), Html(" "), h("b", f"{number:,}"))
        for severity, number in counts.items()
        if number
    ]
    if muted := sum(not one.counts for one in found):
        items.append(h("li", f"{muted:,} muted"))
    return h("ul", *items, class_="legend")


def _row(h: Markup, finding: Finding) -> Html:
    package = finding.package
    if package is None:
        return NOTHING
    pairs = (h("div", h("dt", name), h("dd", value)) for name, value in _facts(h, finding, package))
    severity = (
        h("span", finding.severity, class_=f"severity is-{finding.severity}")
        if finding.severity in SEVERITIES
        else NOTHING
    )
    return h(
        "article",
        h(
            "header",
            severity,
            h("h3", f"{package.name} {package.version}"),
            h.link(finding.url, h("code", finding.rule)),
        ),
        h("p", finding.message),
        h("dl", *pairs, class_="facts"),
        class_="package",
    )


def _facts(h: Markup, finding: Finding, package: Package) -> Iterator[tuple[str, str]]:
    yield "fixed in", ", ".join(package.fixed_in[:_MOST_NAMES]) or "no version yet"
    if package.upgrade:
        yield "upgrade", h("code", package.upgrade)
    if package.parents:
        yield "needed by", _CHAIN.join(package.parents[:_MOST_NAMES])
    elif package.direct:
        yield "needed by", "the project itself"
    if others := [name for name in package.advisories if name != finding.rule]:
        yield "also known as", ", ".join(others[:_MOST_NAMES])
    if package.licenses:
        yield "licence", package.licenses
    if finding.muted:
        yield "muted", finding.muted
