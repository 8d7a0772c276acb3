"""What a report contains about the run itself, as sections: each channel draws them like those of the stages."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from ci_action.model.changes import aside
from ci_action.model.finding import Level
from ci_action.model.result import Broken, Report, RunResult, Skipped, StageResult, ToolResult
from ci_action.model.section import (
    Channel,
    Entry,
    Facts,
    Item,
    Items,
    Line,
    Link,
    Log,
    Look,
    Ours,
    Place,
    Section,
    Table,
    Tile,
    known,
)
from ci_action.model.totals import amounts, hints_of, tools_of
from ci_action.settings.resolve import Resolved
from ci_action.system.text import counted, duration

_SUMMARY: Final = frozenset({Channel.SUMMARY})
_LISTS: Final = frozenset({Channel.SUMMARY, Channel.PAGE})
_TEXT: Final = frozenset({Channel.CONSOLE, Channel.SUMMARY})
_HEAD: Final = ("Stage", "Tool", "Version", "From", "Checked", "Findings", "Time", "Outcome")


def state_of(tool: ToolResult) -> tuple[Look, str]:
    """Return how a tool ended: its look, and the word for it."""
    match tool.outcome:
        case Report(findings=findings):
            levels = {finding.level for finding in findings if finding.counts}
            if not levels:
                return (Look.WARNED, "warned") if tool.instead else (Look.PASSED, "passed")
            return Look.FAILED if Level.ERROR in levels else Look.WARNED, "found"
        case Skipped():
            return Look.SKIPPED, "skipped"
        case _:
            return Look.BROKEN, "broken"


def counting(tool: ToolResult) -> int:
    """Return the number of findings that are not muted."""
    return sum(finding.counts for finding in tool.findings)


def of_run(result: RunResult, resolved: Resolved) -> tuple[Section, ...]:
    """Return the sections about a run but its hints: its tools first, its notes and settings last."""
    return (
        _tools(result),
        *_stages(result),
        *_broken(result),
        *_notes(result.warnings),
        *_muted(result),
        _settings(result, resolved),
    )


def hints(result: RunResult) -> Iterator[Section]:
    """Yield the section with the hints of a run, if there are any."""
    if found := hints_of(result):
        rows = tuple(Item((one.cause, Ours(" → "), Link(one.fix, url=one.url))) for one in found)
        yield Section(title=Ours("Hints"), blocks=(Items(rows=rows, on=_SUMMARY),))


def _tools(result: RunResult) -> Section:
    rows = tuple(_tool(stage.stage, tool) for stage in result.stages for tool in stage.tools)
    blocks = (
        Table(head=tuple(map(Ours, _HEAD)), rows=rows, on=_TEXT, whole=True),
        Items(rows=_accounts(result), on=_TEXT, whole=True),
    )
    return Section(title=Ours(), blocks=blocks, place=Place.FIRST)


def _stages(result: RunResult) -> Iterator[Section]:
    """Yield why each stage of `all` was run or not, for the comment, which has no table of the tools."""
    if accounts := _accounts(result):
        block = Items(rows=accounts, on=frozenset({Channel.COMMENT}), whole=True)
        yield Section(title=Ours("Stages"), blocks=(block,), place=Place.LAST)


def _accounts(result: RunResult) -> tuple[Item, ...]:
    return tuple(_account(stage) for stage in result.stages if stage.account)


def _account(stage: StageResult) -> Item:
    end, reason = ("not run", stage.reason) if stage.reason else ("run", stage.because)
    return Item((known(stage.stage), Ours(f": {end}, "), reason))


def _tool(stage: str, tool: ToolResult) -> tuple[Line, ...]:
    look, word = state_of(tool)
    return (
        (known(stage),),
        (known(tool.tool),),
        (tool.version,) if tool.version else (),
        _source(tool),
        (Ours(amounts(tool.examined)),),
        (Ours(f"{counting(tool):,}{aside(tool.findings)}"),),
        (Ours(duration(tool.seconds)),),
        (look, Ours(word)),
    )


def _source(tool: ToolResult) -> Line:
    """Return what decided about the version, and about the tool."""
    parts: list[str] = [*filter(None, (tool.version_source, tool.because))]
    return tuple(part for one in parts for part in (Ours("; "), one))[1:]


def _broken(result: RunResult) -> Iterator[Section]:
    rows = tuple(
        Entry(name=tool.tool, message=tool.outcome.reason, word=Ours("broken"), text=tool.outcome.detail)
        for tool in tools_of(result)
        if isinstance(tool.outcome, Broken) and tool.outcome.detail
    )
    if rows:
        log = Log(rows=rows, on=_TEXT)
        yield Section(title=Ours("Tools that failed to run"), blocks=(log,), place=Place.LAST)


def _notes(warnings: Sequence[str]) -> Iterator[Section]:
    if warnings:
        notes = Items(rows=tuple(Item((text,)) for text in warnings), on=_LISTS, whole=True)
        tile = Tile.of(len(warnings), "note", Look.WARNED)
        yield Section(title=Ours("Notes"), blocks=(notes,), place=Place.LAST, tile=tile)


def _muted(result: RunResult) -> Iterator[Section]:
    reasons = Counter(finding.muted for finding in result.findings if finding.muted)
    if reasons:
        rows = tuple(Item((Ours(f"{counted(number, 'finding')}: "), why)) for why, number in reasons.items())
        muted = Items(rows=rows, on=_SUMMARY, whole=True)
        yield Section(title=Ours("Muted"), blocks=(muted,), place=Place.LAST)


def _settings(result: RunResult, resolved: Resolved) -> Section:
    rows: list[tuple[str, Line]] = [
        (Ours("ci-action"), (Ours(f"{result.version}, {duration(result.seconds)}"),))
    ]
    for name, value in resolved.chosen().items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        rows.append((Ours(name), (shown, Ours(" from "), known(resolved.sources[name]))))
    facts = Facts(title=Ours("Settings"), rows=tuple(rows), on=_LISTS, folded=True, whole=True)
    return Section(title=Ours("Settings"), blocks=(facts,), place=Place.LAST)
