"""Annotations: the findings that matter most, on their lines, within what GitHub shows of one step."""

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from ci_action.model.finding import Finding, Fix, Level
from ci_action.model.ranking import Row, fair, number_of, rows_of
from ci_action.model.result import Broken, Conclusion, RunResult
from ci_action.model.totals import hint_line, tools_of
from ci_action.reporters.context import Publication
from ci_action.reporters.limits import WHY_HIDDEN
from ci_action.system.text import one_line, visible

# The runner keeps the first ten of a level and drops the others without a message (ExecutionContext.cs).
BUDGET: Final = 10
# Findings of one rule that are at most this many lines apart are one annotation.
GAP: Final = 3
# Our own notes among the ten warnings.
MOST_NOTES: Final = 3
# Messages of others in a row, if they differ.
_OTHER_MESSAGES: Final = 10
_AFTER_LINES: Final = 12
_AFTER_WIDTH: Final = 200


class Annotation(NamedTuple):
    """One annotation, with the properties of the runner's command."""

    level: Level
    message: str
    properties: dict[str, str | int]


def select(result: RunResult) -> list[Annotation]:
    """Choose the annotations: failed tools, then the ranked findings, and the number of the others."""
    own = [*_broken(result), *_notes(result)]
    rows = _with_neighbours(rows_of(result.counting))
    room = {level: BUDGET - sum(one.level is level for one in own) for level in Level}
    room[Level.NOTICE] -= 1  # for the number of findings without an annotation
    fitting = (
        fair([row for row in rows if row.first.level is level], max(0, room[level])) for level in Level
    )
    shown_rows = {id(row) for of_level in fitting for row in of_level}
    chosen = [row for row in rows if id(row) in shown_rows]
    annotations = [*own, *map(_annotation, chosen)]
    shown, total = number_of(chosen), number_of(rows)
    if shown < total:
        text = f"{shown:,} of {total:,} findings are annotated; see the job summary or report.json for the others"
        annotations.append(Annotation(Level.NOTICE, text, {"title": "ci-action"}))
    return annotations


def _broken(result: RunResult) -> Iterator[Annotation]:
    tools = [(stage, tool) for stage in result.stages for tool in stage.tools]
    broken = [(stage, tool, tool.outcome) for stage, tool in tools if isinstance(tool.outcome, Broken)]
    for stage, tool, outcome in broken[: BUDGET - 2]:
        level = Level.WARNING if stage.warns_only else Level.ERROR
        text = "\n".join([outcome.reason, *(f"Hint: {hint_line(hint)}" for hint in tool.hints)])
        yield Annotation(level, text, {"title": f"{tool.tool} failed to run"})
    if result.verdict.conclusion is Conclusion.EMPTY:
        text = f"nothing to check: {'; '.join(result.verdict.reasons)}"
        yield Annotation(Level.ERROR, text, {"title": "ci-action: empty"})


def _notes(result: RunResult) -> Iterator[Annotation]:
    """Yield our own notes, and the hints of tools that ran in one notice."""
    for text in result.warnings[:MOST_NOTES]:
        yield Annotation(Level.WARNING, text, {"title": "ci-action"})
    ran = (tool for tool in tools_of(result) if not isinstance(tool.outcome, Broken))
    if lines := [hint_line(hint) for tool in ran for hint in tool.hints]:
        yield Annotation(Level.NOTICE, "\n".join(lines), {"title": "ci-action: hints"})
    if result.verdict.exit_code and (idle := [stage.account for stage in result.stages if stage.reason]):
        yield Annotation(Level.NOTICE, "\n".join(idle), {"title": "ci-action: stages that were not run"})


def _with_neighbours(rows: Sequence[Row]) -> list[Row]:
    """Join rows of one tool, rule and file that are near each other; each stays at the place of the first in the order."""
    joined = [(number, row) for number, row in enumerate(rows) if row.others]
    alone = ((number, row.first) for number, row in enumerate(rows) if not row.others)
    near: list[list[tuple[int, Finding]]] = []
    kind: tuple[str, ...] = ()
    last = 0
    for number, one in sorted(alone, key=lambda pair: (*_kind(pair[1]), pair[1].line, pair[0])):
        before, kind = kind, _kind(one)
        if last and one.line and one.line - last <= GAP and kind == before:
            near[-1].append((number, one))
            last = max(last, one.last_line)
        else:
            near.append([(number, one)])
            last = one.last_line
    return [row for _, row in sorted([*joined, *map(_joined, near)], key=itemgetter(0))]


def _kind(one: Finding) -> tuple[str, ...]:
    return one.tool, one.rule, one.path, one.level, one.reach


def _joined(members: Sequence[tuple[int, Finding]]) -> tuple[int, Row]:
    """Return neighbours, which are in the order of their lines, as one row."""
    (_, first), *others = members
    return min(number for number, _ in members), Row(first, tuple(one for _, one in others))


def _annotation(row: Row) -> Annotation:
    finding = row.first
    severity = f" ({finding.severity})" if finding.severity else ""
    properties: dict[str, str | int] = {"title": f"{finding.tool}: {finding.rule}{severity}"}
    if place := finding.location:
        properties["file"] = place.path
        if place.line is not None:
            last = _last_line(row)
            properties |= {"line": place.line, "endLine": last}
            # GitHub takes columns only if the first and the last line are the same.
            if last == place.line and place.column is not None and not row.others:
                properties["col"] = place.column
                if place.end_column is not None:
                    properties["endColumn"] = place.end_column
    return Annotation(finding.level, "\n".join(_message(row)), properties)


def _last_line(row: Row) -> int:
    """Return the last line of the neighbours from the first finding on; data can have neighbours on every line."""
    last = row.first.last_line
    if row.first.bulk:
        return last
    for line, end in sorted((one.line, one.last_line) for one in row.others):
        if not row.first.line <= line <= last + GAP:
            break
        last = max(last, end)
    return last


def _message(row: Row) -> Iterator[str]:
    finding = row.first
    if row.others:
        yield f"{finding.message} ({row.more})"
        different = [one for one in row.others if one.message != finding.message]
        yield from (f"line {one.line}: {one.message}" for one in different[:_OTHER_MESSAGES])
    else:
        yield finding.message
        if after := [line for mark, line in finding.diff if mark == "+"]:
            yield "It should become:"
            yield from (visible(line)[:_AFTER_WIDTH] for line in after[:_AFTER_LINES])
            yield from ["…"] if len(after) > _AFTER_LINES else []
            yield from [WHY_HIDDEN] if finding.redacted else []
    if finding.fix is Fix.SAFE:
        yield "Run `ci-action fix` to fix it."
    if finding.package and finding.package.upgrade:
        yield f"To fix it: {finding.package.upgrade}"
    if finding.also:
        yield f"Also reported by {', '.join(finding.also)}."
    if finding.url:
        yield finding.url


def report(result: RunResult, publication: Publication) -> None:
    """Print the annotations; outside Actions nothing shows them."""
    if workflow := publication.workflow:
        for level, message, given in select(result):
            # A name or a message that quotes the source may have control characters of a terminal.
            properties = {name: visible(one) if isinstance(one, str) else one for name, one in given.items()}
            workflow.annotate(level.value, visible(message), **properties)


def report_problems(_result: RunResult, publication: Publication) -> None:
    """Print what could not be written as one warning: the log of a green run is rarely read."""
    if publication.workflow:
        text = "\n".join(one_line(problem) for problem in publication.problems)
        publication.workflow.annotate("warning", text, title="ci-action: incomplete reports")
