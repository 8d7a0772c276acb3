"""What the security stage found, sorted for the reporters: vulnerabilities, secrets, weak spots, licences, the rest."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, assert_never

from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.finding import BLINDING, Finding, Package, ranked
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
LICENSES: Final = "licenses"
# What pip-audit's findings are called that are about no advisory.
_NO_ADVISORY: Final = frozenset({"not-audited", "expired-ignore"})


@dataclass(frozen=True)
class Exposed:
    """The findings of the security stage that count, each in one list, the weightiest first."""

    vulnerabilities: list[Finding] = field(default_factory=list)
    secrets: list[Finding] = field(default_factory=list)
    code: list[Finding] = field(default_factory=list)
    licenses: list[Finding] = field(default_factory=list)
    others: list[Finding] = field(default_factory=list)
    """What could not be looked at, and what is wrong with the settings of the stage."""

    @property
    def all(self) -> tuple[Finding, ...]:
        """All of them."""
        return (*self.vulnerabilities, *self.secrets, *self.code, *self.licenses, *self.others)


def exposed(stage: StageResult) -> Exposed:
    """Sort the findings of the stage."""
    found = Exposed()
    for finding in ranked(one for one in stage.findings if one.counts):
        if is_vulnerability(finding):
            found.vulnerabilities.append(finding)
        elif is_secret(finding):
            found.secrets.append(finding)
        elif finding.tool == LICENSES:
            found.licenses.append(finding)
        elif finding.tool in {AUDIT, SECRETS} or finding.rule in BLINDING:
            found.others.append(finding)
        else:
            found.code.append(finding)
    return found


def is_vulnerability(finding: Finding) -> bool:
    """Whether a finding is an advisory about a package."""
    return finding.tool == AUDIT and finding.package is not None and finding.rule not in _NO_ADVISORY


def is_secret(finding: Finding) -> bool:
    """Whether a finding is a secret in a file."""
    return finding.tool == SECRETS and finding.rule not in BLINDING


def number_of(stage: StageResult, name: str, is_one: Callable[[Finding], bool]) -> str:
    """Return how many there are; empty where the tool did not look, for that is not the same as none."""
    number = sum(finding.counts and is_one(finding) for finding in stage.findings)
    looked = any(tool.tool == name and _looked(tool) for tool in stage.tools)
    return str(number) if looked or number else ""


def _looked(tool: ToolResult) -> bool:
    return isinstance(tool.outcome, Report)


_MOST_NAMES: Final = 20
_SUMMARY: Final = frozenset({Channel.SUMMARY})
_BOTH: Final = frozenset({Channel.SUMMARY, Channel.PAGE})
_PAGE: Final = frozenset({Channel.PAGE})
_ADVISORY: Final = tuple(
    map(Ours, ("Package", "Version", "Advisory", "Severity", "Fixed in", "Needed through", "What to do"))
)
_SECRET: Final = tuple(map(Ours, ("Type", "File", "Line", "What", "Severity")))
_LICENSE: Final = tuple(map(Ours, ("Package", "Version", "Licence", "Why")))


def of(stage: StageResult, _: Pull | NoPull) -> tuple[Section, ...]:
    """Return what was looked at and what was found. The page and the other channels list each finding as well."""
    if not stage.tools:
        return ()
    found = exposed(stage)
    blocks = (Items(rows=tuple(Item(_looked_at(tool)) for tool in stage.tools), on=_SUMMARY), *_parts(found))
    muted = [one for one in stage.findings if one.package and not one.counts]
    if muted:
        rows = tuple((*_package_row(one), (one.muted,)) for one in muted)
        title, head = Ours(f"Muted: {len(muted):,}"), (*_ADVISORY, Ours("Why"))
        blocks = (*blocks, Table(title=title, head=head, rows=rows, on=_PAGE))
    return (Section(title=Ours("Security"), blocks=blocks, tile=_tile(found, muted), shows=found.all),)


def _looked_at(tool: ToolResult) -> Line:
    name = known(tool.tool)
    match tool.outcome:
        case Report():
            return (name, Ours(" looked at "), Ours(amounts(tool.examined)))
        case Skipped(reason):
            return (name, Ours(" was skipped: "), reason)
        case Broken(reason):
            return (name, Ours(" could not look: "), reason)
        case unknown:
            assert_never(unknown)


def _tile(found: Exposed, muted: list[Finding]) -> Tile | None:
    number = len(found.vulnerabilities)
    if not number and not muted:
        return None
    words = "vulnerability" if number == 1 else "vulnerabilities"
    return Tile(f"{number:,}", Ours(words), Look.FAILED if number else Look.PLAIN)


def _parts(found: Exposed) -> Iterator[Block]:
    if found.vulnerabilities:
        rows = tuple(map(_package_row, found.vulnerabilities))
        title = Ours(f"Vulnerabilities: {len(rows):,}")
        yield Table(title=title, head=_ADVISORY, rows=rows, on=_BOTH)
    if found.secrets:
        rows = tuple(map(_secret, found.secrets))
        yield Table(title=Ours(f"Secrets: {len(rows):,}"), head=_SECRET, rows=rows, on=_SUMMARY)
    if found.code:
        counts = Counter(one.severity or one.level.value for one in found.code)
        words = ", ".join(f"{number:,} {severity}" for severity, number in counts.items())
        items = tuple(Item(_weak(one)) for one in found.code)
        yield Items(title=Ours(f"Code: {words}"), rows=items, on=_SUMMARY)
    if found.licenses:
        rows = tuple(map(_license, found.licenses))
        yield Table(title=Ours(f"Licences: {len(rows):,}"), head=_LICENSE, rows=rows, on=_BOTH)
    if found.others:
        items = tuple(Item(_weak(one)) for one in found.others)
        yield Items(title=Ours(f"Not looked at, or to be seen to: {len(items):,}"), rows=items, on=_BOTH)


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
        _through(package),
        (package.upgrade,) if package.upgrade else (),
    )


def _through(package: Package) -> Line:
    if package.parents:
        return (" → ".join(package.parents[:_MOST_NAMES]),)
    return (Ours("direct"),) if package.direct else ()


def _secret(finding: Finding) -> tuple[Line, ...]:
    place = finding.location
    return (
        (finding.rule,),
        (place.path,) if place else (),
        (Link(Ours(str(place.line)), place=place),) if place and place.line else (),
        (finding.message, *(part for one in finding.also for part in (Ours(", also "), one))),
        (known(finding.severity),) if finding.severity else (),
    )


def _license(finding: Finding) -> tuple[Line, ...]:
    package = finding.package or Package(name="", version="")
    return (package.name,), (package.version,), (package.licenses or "unknown",), (finding.message,)


def _weak(finding: Finding) -> Line:
    parents = finding.package.parents if finding.package else ()
    through = (Ours(" · needed through "), " → ".join(parents[:_MOST_NAMES])) if parents else ()
    return (
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
    )
