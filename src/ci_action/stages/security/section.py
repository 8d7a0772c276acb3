"""The section of the security stage: vulnerabilities, secrets, security issues in the code, licences, and other findings."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final, assert_never

from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.finding import BLINDING, Finding, Package
from ci_action.model.ranking import Row, ranked, rows_of
from ci_action.model.result import Broken, Report, Skipped, StageResult, ToolResult
from ci_action.model.section import (
    Block,
    Channel,
    Item,
    Items,
    Line,
    Link,
    Look,
    Ours,
    Section,
    Table,
    Tile,
    joined,
    known,
    place_link,
)
from ci_action.model.totals import amounts

AUDIT: Final = "pip-audit"
SECRETS: Final = "detect-secrets"
_LICENSES: Final = "licenses"
# Rules of pip-audit that are not advisories.
_NO_ADVISORY: Final = frozenset({"not-audited", "expired-ignore"})
VULNERABILITY, SECRET, ISSUE, LICENCE, OTHER = range(5)
"""The kinds of findings, in the order of their parts; `OTHER` is what was not checked, and mistakes in settings."""

_MOST_NAMES: Final = 20
_SUMMARY: Final = frozenset({Channel.SUMMARY})
_BOTH: Final = frozenset({Channel.SUMMARY, Channel.PAGE})
_PAGE: Final = frozenset({Channel.PAGE})
_ADVISORY: Final = tuple(
    map(Ours, ("Package", "Version", "Advisory", "Severity", "Fixed in", "Needed through", "What to do"))
)
_SECRET: Final = tuple(map(Ours, ("Type", "File", "Line", "What", "Severity")))
_LICENSE: Final = tuple(map(Ours, ("Package", "Version", "Licence", "Why")))


def kind_of(finding: Finding) -> int:
    """Return the kind of a finding of the stage."""
    if finding.tool == AUDIT and finding.package and finding.rule not in _NO_ADVISORY:
        return VULNERABILITY
    if finding.tool == SECRETS and finding.rule not in BLINDING:
        return SECRET
    if finding.tool == _LICENSES:
        return LICENCE
    return OTHER if finding.tool in {AUDIT, SECRETS} or finding.rule in BLINDING else ISSUE


def exposed(stage: StageResult) -> tuple[list[Finding], ...]:
    """Return the findings that count by their kinds, by severity."""
    found: tuple[list[Finding], ...] = ([], [], [], [], [])
    for finding in ranked(one for one in stage.findings if one.counts):
        found[kind_of(finding)].append(finding)
    return found


def number_of(stage: StageResult, name: str, kind: int) -> str:
    """Return the number of findings that count; empty if the tool did not report, which is not the same as none."""
    number = sum(finding.counts and kind_of(finding) == kind for finding in stage.findings)
    reported = any(tool.tool == name and isinstance(tool.outcome, Report) for tool in stage.tools)
    return str(number) if reported or number else ""


def of(stage: StageResult, _: Pull | NoPull) -> tuple[Section, ...]:
    """Return the section. The page and the other channels list each finding as well."""
    if not stage.tools:
        return ()
    found = exposed(stage)
    blocks = (Items(rows=tuple(Item(_checked(tool)) for tool in stage.tools), on=_SUMMARY), *_parts(found))
    muted = [one for one in stage.findings if one.package and not one.counts]
    if muted:
        rows = tuple((*_package_row(one), (one.muted,)) for one in muted)
        title, head = Ours(f"Muted: {len(muted):,}"), (*_ADVISORY, Ours("Why"))
        blocks = (*blocks, Table(title=title, head=head, rows=rows, on=_PAGE))
    shows = tuple(finding for findings in found for finding in findings)
    number = len(found[VULNERABILITY])
    words = Ours("vulnerability" if number == 1 else "vulnerabilities")
    tile = Tile(f"{number:,}", words, Look.FAILED if number else Look.PLAIN) if number or muted else None
    return (Section(title=Ours("Security"), blocks=blocks, tile=tile, shows=shows),)


def _checked(tool: ToolResult) -> Line:
    name = known(tool.tool)
    match tool.outcome:
        case Report():
            return (name, Ours(" checked "), Ours(amounts(tool.examined)))
        case Skipped(reason):
            return (name, Ours(" was skipped: "), reason)
        case Broken(reason):
            return (name, Ours(" failed: "), reason)
        case unknown:
            assert_never(unknown)


def _parts(found: tuple[list[Finding], ...]) -> Iterator[Block]:
    vulnerabilities, secrets, issues, licenses, others = found
    yield from _table(
        "Vulnerabilities", _ADVISORY, vulnerabilities, lambda row: _package_row(row.first), _BOTH
    )
    yield from _table("Secrets", _SECRET, secrets, _secret_row, _SUMMARY)
    if issues:
        counts = Counter(one.severity or one.level.value for one in issues)
        words = ", ".join(f"{number:,} {severity}" for severity, number in counts.items())
        yield _items(f"Code: {words}", issues, _SUMMARY)
    yield from _table("Licences", _LICENSE, licenses, _license_row, _BOTH)
    if others:
        yield _items(f"Not checked, or to be fixed: {len(others):,}", others, _BOTH)


def _table(
    title: str,
    head: tuple[str, ...],
    findings: list[Finding],
    cells: Callable[[Row], tuple[Line, ...]],
    on: frozenset[Channel],
) -> Iterator[Table]:
    if findings:
        rows = rows_of(findings)
        yield Table(
            title=Ours(f"{title}: {len(findings):,}"),
            head=head,
            rows=tuple(map(cells, rows)),
            on=on,
            counts=tuple(row.count for row in rows),
        )


def _items(title: str, findings: list[Finding], on: frozenset[Channel]) -> Items:
    rows = rows_of(findings)
    counts = tuple(row.count for row in rows)
    return Items(title=Ours(title), rows=tuple(map(_item, rows)), on=on, counts=counts, number=sum(counts))


def _package_row(finding: Finding) -> tuple[Line, ...]:
    package = finding.package or Package(name="", version="")
    others = (name for name in package.advisories if name != finding.rule)
    return (
        (package.name,),
        (package.version,),
        (
            Link(finding.rule, url=finding.url),
            *(part for name in islice(others, _MOST_NAMES) for part in (Ours(", "), name)),
        ),
        (known(finding.severity),) if finding.severity else (),
        joined(package.fixed_in[:_MOST_NAMES]) or (Ours("no version yet"),),
        (_chain(package),) if package.parents else (Ours("direct"),) if package.direct else (),
        (package.upgrade,) if package.upgrade else (),
    )


def _chain(package: Package) -> str:
    return " → ".join(package.parents[:_MOST_NAMES])


def _secret_row(row: Row) -> tuple[Line, ...]:
    finding = row.first
    place = finding.location
    more = (Ours(f" {row.more}"),) if row.more else ()
    return (
        (finding.rule,),
        (place.path,) if place else (),
        (Link(Ours(str(place.line)), place=place), *more) if place and place.line else more,
        (finding.message, *(part for one in finding.also for part in (Ours(", also "), one))),
        (known(finding.severity),) if finding.severity else (),
    )


def _license_row(row: Row) -> tuple[Line, ...]:
    finding = row.first
    package = finding.package or Package(name="", version="")
    return (package.name,), (package.version,), (package.licenses or "unknown",), (finding.message,)


def _item(row: Row) -> Item:
    finding = row.first
    package = finding.package
    through = (Ours(" · needed through "), _chain(package)) if package and package.parents else ()
    return Item((
        known(finding.severity or finding.level.value),
        Ours(" · "),
        place_link(finding.location) if finding.location else Ours("the project"),
        Ours(" · "),
        known(finding.tool),
        Ours(" "),
        Link(finding.rule, url=finding.url),
        Ours(" · "),
        finding.message,
        *through,
        *(part for one in finding.also for part in (Ours(" · also "), one)),
        *((Ours(f" · {row.more}"),) if row.more else ()),
    ))  # fmt: skip
