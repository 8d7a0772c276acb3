"""The section of the migrations stage: the database, the revisions around the change, and the time of each step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.finding import Finding, Level
from ci_action.model.migrations import Direction, History, Migration, Migrations, Step
from ci_action.model.result import StageResult
from ci_action.model.section import (
    Block,
    Channel,
    Edge,
    Facts,
    Graph,
    Line,
    Link,
    Look,
    Node,
    Ours,
    Section,
    Table,
    Tile,
    joined,
)
from ci_action.system.text import counted, duration

MOST_NODES: Final = 25
_HEAD: Final = tuple(map(Ours, ("Revision", "Upgrade", "Downgrade", "Upgrade again", "Outcome")))
_LOOKS: Final = {Level.ERROR: Look.FAILED, Level.WARNING: Look.WARNED, Level.NOTICE: Look.NOTICE}
_TABLES: Final = frozenset({Channel.CONSOLE, Channel.SUMMARY, Channel.PAGE})


@dataclass(frozen=True)
class Known:
    """What the tools of a stage know about its migrations."""

    histories: tuple[History, ...]
    database: str
    weaker: str
    steps: tuple[Step, ...]


def known_of(stage: StageResult) -> Known:
    """Return what the tools of a stage know together."""
    found = [tool.outcome.migrations or Migrations() for tool in stage.tools]
    return Known(
        histories=tuple(chain.from_iterable(one.histories for one in found)),
        database=next((one.database for one in found if one.database), ""),
        weaker=next((one.weaker for one in found if one.weaker), ""),
        steps=tuple(chain.from_iterable(one.steps for one in found)),
    )


def of(stage: StageResult, _: Pull | NoPull) -> tuple[Section, ...]:
    """Return the section; none if no tool knows anything about migrations."""
    known = known_of(stage)
    blocks = tuple(_blocks(known, _by_file(stage)))
    if not blocks:
        return ()
    new = sum(one.new for one in known.histories)
    tile = Tile.of(new, "migration", Look.PLAIN) if new else None
    return (Section(title=Ours("Migrations"), blocks=blocks, tile=tile),)


def _by_file(stage: StageResult) -> Mapping[str, Sequence[Finding]]:
    """Return the findings in each file."""
    found: dict[str, list[Finding]] = {}
    for finding in stage.findings:
        if finding.location:
            found.setdefault(finding.location.path, []).append(finding)
    return found


def _look(found: Sequence[Finding]) -> Look | None:
    """Return the look of the worst finding that counts; None without one."""
    levels = [finding.level for finding in found if finding.counts]
    return _LOOKS[max(levels, key=lambda level: level.rank)] if levels else None


def _blocks(known: Known, found: Mapping[str, Sequence[Finding]]) -> Iterator[Block]:
    if facts := tuple(_facts(known)):
        yield Facts(rows=facts)
    for history in known.histories:
        if history.new or len(history.heads) > 1:
            source = history.source if len(known.histories) > 1 else ""
            yield _graph(history, source, found)
    yield from _steps(known, found)


def _facts(known: Known) -> Iterator[tuple[str, Line]]:
    if known.database:
        yield Ours("Database"), (known.database, *((Ours(": "), known.weaker) if known.weaker else ()))
    for history in known.histories:
        if history.source:
            yield Ours("Configuration"), (history.source,)
        new = f"{history.new:,} new" if history.base_known else "all count as new, the base is unknown"
        yield Ours("Revisions"), (Ours(f"{history.total:,}, {new}"),)
        if history.base_heads:
            yield Ours(f"{_heads(history.base_heads)} of the base branch"), joined(history.base_heads)
        if history.heads:
            after = " after the merge" if history.base_known else ""
            yield Ours(f"{_heads(history.heads)}{after}"), joined(history.heads)
    if steps := [one for one in known.steps if one.direction is Direction.UPGRADE]:
        total = duration(sum(one.seconds for one in steps))
        yield Ours("Upgraded from nothing"), (Ours(f"{counted(len(steps), 'revision')} in {total}"),)


def _heads(names: Sequence[str]) -> str:
    return "Head" if len(names) == 1 else "Heads"


def _graph(whole: History, source: str, found: Mapping[str, Sequence[Finding]]) -> Graph:
    history = whole.first(MOST_NODES)
    rows = {one.name: row for row, one in enumerate(history.revisions)}
    edges = (
        Edge(row, rows[parent.name], parent.between)
        for row, one in enumerate(history.revisions)
        for parent in one.parents
        if rows.get(parent.name, row) != row
    )
    cut = len(whole.revisions) - len(history.revisions)
    title = f"Revision graph{f', {cut:,} not shown' if cut else ''}"
    return Graph(
        title=f"{title}: {source}" if source else Ours(title),
        rows=tuple(_node(one, whole, _look(found.get(one.path, ()))) for one in history.revisions),
        edges=tuple(edges),
    )


def _node(one: Migration, history: History, look: Look | None) -> Node:
    marks = {
        "new": one.new and history.base_known,
        "head of the base branch": one.name in history.base_heads,
        "head after the merge" if history.base_known else "head": one.name in history.heads,
        "failed": look is Look.FAILED,
        "warned": look is Look.WARNED,
    }
    return Node(
        name=one.name,
        marks=tuple(Ours(word) for word, holds in marks.items() if holds),
        text=one.message,
        place=one.place,
        look=look or (Look.NOTICE if marks.get("new") else Look.PLAIN),
    )


def _steps(known: Known, found: Mapping[str, Sequence[Finding]]) -> Iterator[Table]:
    """Yield the table of the revisions that are new, were downgraded or have findings, those with findings first."""
    listed = {one.name: one for history in known.histories for one in history.revisions}
    steps: dict[str, dict[Direction, Step]] = {}
    for step in known.steps:
        steps.setdefault(step.revision, {})[step.direction] = step
    rows = []
    for name, row in reversed(steps.items()):
        one = listed.get(name, Migration(name=name))
        outcome = _outcome(row, found.get(one.path, ()) if one.path else ())
        if one.new or len(row) > 1 or outcome[0] is not Look.PASSED:
            times = (_time(row.get(direction)) for direction in Direction)
            rows.append(((Link(name, place=one.place),), *times, outcome))
    if rows:
        rows.sort(key=lambda row: row[-1][0] is Look.PASSED)  # stable
        yield Table(title=Ours("Steps"), head=_HEAD, rows=tuple(rows), on=_TABLES)


def _time(step: Step | None) -> Line:
    if step is None:
        return ()
    # Most steps take a few thousandths.
    return (Ours(f"{step.seconds * 1000:.0f} ms" if step.seconds < 1 else duration(step.seconds)),)


def _outcome(row: Mapping[Direction, Step], found: Sequence[Finding]) -> Line:
    """Return the rules of the findings in a migration with their places, else how far it came."""
    if found:
        rules = {finding.rule: finding for finding in sorted(found, key=lambda one: one.counts)}
        links = [
            part
            for rule, finding in rules.items()
            for part in (
                Ours(", "),
                Link(rule, place=finding.location),
                Ours("" if finding.counts else " (muted)"),
            )
        ]
        return _look(found) or Look.NOTICE, *links[1:]
    if failed := next((step.direction for step in row.values() if step.failed), None):
        return Look.FAILED, Ours(f"{failed} failed")
    return Look.PASSED, Ours("reversible" if Direction.AGAIN in row else "upgraded")
