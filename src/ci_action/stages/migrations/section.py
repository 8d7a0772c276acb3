"""The section of the migrations stage: the database, the revisions around the change, and the time of each step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.finding import Level
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
    blocks = tuple(_blocks(known, _looks(stage)))
    if not blocks:
        return ()
    new = sum(one.new for one in known.histories)
    tile = Tile.of(new, "migration", Look.PLAIN) if new else None
    return (Section(title=Ours("Migrations"), blocks=blocks, tile=tile),)


def _looks(stage: StageResult) -> Mapping[str, Look]:
    """Return the look of each file with findings that count."""
    levels: dict[str, Level] = {}
    for finding in stage.findings:
        if finding.counts and finding.location:
            path = finding.location.path
            levels[path] = max(finding.level, levels.get(path, Level.NOTICE), key=lambda level: level.rank)
    return {path: _LOOKS[level] for path, level in levels.items()}


def _blocks(known: Known, looks: Mapping[str, Look]) -> Iterator[Block]:
    if facts := tuple(_facts(known)):
        yield Facts(rows=facts)
    failed = {step.revision for step in known.steps if step.failed}
    for history in known.histories:
        if history.new or len(history.heads) > 1:
            source = history.source if len(known.histories) > 1 else ""
            yield _graph(history, source, failed, looks)
    yield from _steps(known)


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


def _graph(whole: History, source: str, failed: set[str], looks: Mapping[str, Look]) -> Graph:
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
        rows=tuple(_node(one, whole, failed, looks) for one in history.revisions),
        edges=tuple(edges),
    )


def _node(one: Migration, history: History, failed: set[str], looks: Mapping[str, Look]) -> Node:
    marks = {
        "new": one.new and history.base_known,
        "head of the base branch": one.name in history.base_heads,
        "head after the merge" if history.base_known else "head": one.name in history.heads,
        "failed": one.name in failed,
    }
    look = looks.get(one.path) if one.path else None
    if one.name in failed:
        look = Look.FAILED
    return Node(
        name=one.name,
        marks=tuple(Ours(word) for word, holds in marks.items() if holds),
        text=one.message,
        place=one.place,
        look=look or (Look.NOTICE if marks.get("new") else Look.PLAIN),
    )


def _steps(known: Known) -> Iterator[Table]:
    """Yield the table of the revisions that were also downgraded, are new or failed, those that failed first."""
    listed = [one for history in known.histories for one in history.revisions]
    places = {one.name: one.place for one in listed}
    new = {one.name for one in listed if one.new}
    steps: dict[str, dict[Direction, Step]] = {}
    for step in known.steps:
        steps.setdefault(step.revision, {})[step.direction] = step
    shown = {
        name: row
        for name, row in reversed(steps.items())
        if name in new or len(row) > 1 or any(one.failed for one in row.values())
    }
    ordered = sorted(shown.items(), key=lambda one: not any(step.failed for step in one[1].values()))
    rows = tuple(
        (
            (Link(name, place=places.get(name)),),
            *(_time(row.get(direction)) for direction in Direction),
            _outcome(row),
        )
        for name, row in ordered
    )
    if rows:
        yield Table(title=Ours("Steps"), head=_HEAD, rows=rows, on=_TABLES)


def _time(step: Step | None) -> Line:
    if step is None:
        return ()
    # Most steps take a few thousandths.
    return (Ours(f"{step.seconds * 1000:.0f} ms" if step.seconds < 1 else duration(step.seconds)),)


def _outcome(row: Mapping[Direction, Step]) -> Line:
    failed = next((step.direction for step in row.values() if step.failed), None)
    if failed:
        return Look.FAILED, Ours(f"{failed} failed")
    if Direction.AGAIN in row:
        return Look.PASSED, Ours("reversible")
    return Look.PASSED, Ours("upgraded")
