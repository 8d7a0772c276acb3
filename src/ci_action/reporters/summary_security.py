"""The part of the page about the security stage: vulnerabilities, secrets, weak spots, licences, what was looked at."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ci_action.model.finding import Finding, Location, Package
from ci_action.model.result import RunResult
from ci_action.reporters.lines import looked_at
from ci_action.reporters.markdown import cell, code, html_link, html_table, link
from ci_action.stages.security.section import Exposed, exposed, is_skipped, reason_of, security_tools

# Rows of one list; the report file has them all.
MOST_ROWS: Final = 200
_MOST_NAMES: Final = 8


@dataclass(frozen=True)
class _Part:
    title: str
    rows: Sequence[str]
    head: Sequence[str] = ()
    """The columns, where the rows are those of a table."""

    def block(self, rows: Sequence[str]) -> str:
        body = html_table(self.head, rows) if self.head else "\n".join(rows)
        return f"### {self.title}\n\n{body}"


def section(result: RunResult, room: int, address: Callable[[Location], str]) -> tuple[list[str], int, int]:
    """Return the blocks of the section that there is room for, in bytes, how many findings they show, and of how many."""
    tools = security_tools(result)
    if not tools:
        return [], 0, 0
    found = exposed(result)
    looked = [
        (
            f"- {tool.tool} {'was skipped' if is_skipped(tool) else 'could not look'}: {code(reason_of(tool))}"
            if reason_of(tool)
            else f"- {tool.tool} looked at {looked_at(tool)}"
        )
        for tool in tools
    ]
    blocks = ["## Security\n\n" + "\n".join(looked)]
    room -= _size(blocks[0])
    shown = 0
    for part in _parts(found, address):
        room -= _size(part.block(()))
        kept: list[str] = []
        for row in part.rows:
            room -= _size(row) + 1
            if room < 0:
                break
            kept.append(row)
        if kept:
            blocks.append(part.block(kept))
            shown += len(kept)
        if room < 0:
            break
    return blocks, shown, found.total


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _parts(found: Exposed, address: Callable[[Location], str]) -> Iterator[_Part]:
    if found.vulnerabilities:
        head = ("Package", "Version", "Advisory", "Severity", "Fixed in", "Needed through", "What to do")
        rows = [_vulnerability(one, one.package) for one in found.vulnerabilities[:MOST_ROWS] if one.package]
        yield _Part(f"Vulnerabilities: {len(found.vulnerabilities):,}", rows, head)
    if found.secrets:
        rows = [_secret(one, address) for one in found.secrets[:MOST_ROWS]]
        yield _Part(f"Secrets: {len(found.secrets):,}", rows, ("Type", "File", "Line", "What", "Severity"))
    if found.code:
        severities = [one.severity or one.level.value for one in found.code]
        counts = ", ".join(
            f"{severities.count(severity):,} {severity}" for severity in dict.fromkeys(severities)
        )
        yield _Part(f"Code: {counts}", [_row(one, address) for one in found.code[:MOST_ROWS]])
    if found.licenses:
        rows = [_license(one, one.package) for one in found.licenses[:MOST_ROWS] if one.package]
        yield _Part(f"Licences: {len(found.licenses):,}", rows, ("Package", "Version", "Licence", "Why"))
    if found.others:
        title = f"Not looked at, or to be seen to: {len(found.others):,}"
        yield _Part(title, [_row(one, address) for one in found.others[:MOST_ROWS]])


def _vulnerability(finding: Finding, package: Package) -> str:
    names = [finding.rule, *(name for name in package.advisories if name != finding.rule)]
    first, *others = names[: _MOST_NAMES + 1]
    advisory = html_link(finding.url, cell(first)) + "".join(f"<br>{cell(name)}" for name in others)
    through = (
        cell(" → ".join(package.parents[:_MOST_NAMES]))
        if package.parents
        else "direct" if package.direct else ""
    )
    fixed = ", ".join(cell(version) for version in package.fixed_in[:_MOST_NAMES]) or "no version yet"
    columns = (
        cell(package.name),
        cell(package.version),
        advisory,
        finding.severity,
        fixed,
        through,
        cell(package.upgrade) if package.upgrade else "",
    )
    return _columns(*columns)


def _secret(finding: Finding, address: Callable[[Location], str]) -> str:
    place = finding.location
    line = html_link(address(place), f"{place.line}") if place and place.line else ""
    what = cell(finding.message) + "".join(f"<br>also {cell(one)}" for one in finding.also)
    return _columns(cell(finding.rule), cell(place.path) if place else "", line, what, finding.severity)


def _license(finding: Finding, package: Package) -> str:
    return _columns(
        cell(package.name), cell(package.version), cell(package.licenses or "unknown"), cell(finding.message)
    )


def _columns(*columns: str) -> str:
    return "<tr>" + "".join(f"<td>{column}</td>" for column in columns) + "</tr>"


def _row(finding: Finding, address: Callable[[Location], str]) -> str:
    place = finding.location
    where = link(address(place), code(str(place))) if place else "the project"
    rule = link(finding.url, code(finding.rule))
    also = "".join(f" · also {code(one)}" for one in finding.also)
    return f"- {finding.severity or finding.level.value} · {where} · {finding.tool} {rule} · {code(finding.message)}{also}"
