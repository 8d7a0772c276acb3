"""Annotations: the findings that matter most, on their lines, within what GitHub shows of one step."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ci_action.model.finding import Finding, Fix, Level, ranked
from ci_action.model.result import Broken, Conclusion, RunResult
from ci_action.model.totals import hint_line
from ci_action.reporters.context import Publication
from ci_action.system.text import one_line, visible

# The runner keeps the first ten of a level and drops the others without a word (ExecutionContext.cs).
BUDGET: Final = 10
# Findings of one rule that are at most this many lines apart are one annotation.
GAP: Final = 3
# Our own notices may take this many of the ten warnings.
MOST_NOTES: Final = 3
_AFTER_LINES: Final = 12
_AFTER_WIDTH: Final = 200


@dataclass(frozen=True)
class Annotation:
    """One annotation, with the properties of the runner's command."""

    level: Level
    message: str
    properties: dict[str, str | int]


@dataclass(frozen=True)
class _Fold:
    finding: Finding
    count: int
    last_line: int | None


def select(result: RunResult) -> list[Annotation]:
    """Choose what is annotated: broken tools, then the ranked findings; the last one says how many there are."""
    own = [*_broken(result), *_notes(result), *_help(result)]
    folds = list(_folded(ranked(result.counting)))
    room = {level: BUDGET - sum(one.level is level for one in own) for level in Level}
    room[Level.NOTICE] -= 1  # kept for the count of what is not shown
    chosen, shown = [], 0
    for fold in folds:
        level = fold.finding.level
        if room[level] > 0:
            room[level] -= 1
            shown += fold.count
            chosen.append(_annotation(fold))
    total = sum(fold.count for fold in folds)
    if shown < total:
        text = f"{shown:,} of {total:,} findings are annotated, the rest is in the job summary and in report.json"
        chosen.append(Annotation(Level.NOTICE, text, {"title": "ci-action"}))
    return [*own, *chosen]


def _broken(result: RunResult) -> Iterator[Annotation]:
    tools = [
        (stage, tool) for stage in result.stages for tool in stage.tools if isinstance(tool.outcome, Broken)
    ]
    for stage, tool in tools[: BUDGET - 2]:
        reason = tool.outcome.reason if isinstance(tool.outcome, Broken) else ""
        level = Level.WARNING if stage.warns_only else Level.ERROR
        reason = "\n".join([reason, *(f"Hint: {hint_line(hint)}" for hint in tool.hints)])
        yield Annotation(level, reason, {"title": f"{tool.tool} could not do its work"})
    if result.verdict.conclusion is Conclusion.EMPTY:
        text = "; ".join(result.verdict.reasons)
        yield Annotation(Level.ERROR, f"nothing was looked at: {text}", {"title": "ci-action: empty"})


def _notes(result: RunResult) -> Iterator[Annotation]:
    for text in result.warnings[:MOST_NOTES]:
        yield Annotation(Level.WARNING, text, {"title": "ci-action"})


def _help(result: RunResult) -> Iterator[Annotation]:
    """Say what may help in one notice; the hints of a broken tool stand in its own annotation."""
    tools = [tool for stage in result.stages for tool in stage.tools if not isinstance(tool.outcome, Broken)]
    if lines := [hint_line(hint) for tool in tools for hint in tool.hints]:
        yield Annotation(Level.NOTICE, "\n".join(lines), {"title": "ci-action: what may help"})


def _folded(findings: Sequence[Finding]) -> Iterator[_Fold]:
    """Join neighbours of one tool, rule and file; the order of the ranking stays that of the first of each."""
    groups: dict[tuple[str, str, str, Level], list[Finding]] = {}
    for finding in findings:
        path = finding.location.path if finding.location else ""
        groups.setdefault((finding.tool, finding.rule, path, finding.level), []).append(finding)
    folds = [fold for group in groups.values() for fold in _neighbours(group)]
    position = {id(finding): number for number, finding in enumerate(findings)}
    return iter(sorted(folds, key=lambda fold: position[id(fold.finding)]))


def _neighbours(group: Iterable[Finding]) -> Iterator[_Fold]:
    current: _Fold | None = None
    for finding in sorted(group, key=_line):
        last = (finding.location.end_line or finding.location.line) if finding.location else None
        if current and current.last_line and _line(finding) and _line(finding) - current.last_line <= GAP:
            current = replace(current, count=current.count + 1, last_line=max(current.last_line, last or 0))
            continue
        if current:
            yield current
        current = _Fold(finding, 1, last)
    if current:
        yield current


def _line(finding: Finding) -> int:
    return (finding.location.line or 0) if finding.location else 0


def _annotation(fold: _Fold) -> Annotation:
    finding = fold.finding
    properties: dict[str, str | int] = {"title": _title(finding)}
    place = finding.location
    if place is not None:
        properties["file"] = place.path
        if place.line is not None:
            properties["line"] = place.line
            last = fold.last_line or place.end_line or place.line
            properties["endLine"] = last
            # Columns are taken only where the first and the last line are the same.
            if last == place.line and place.column is not None and fold.count == 1:
                properties["col"] = place.column
                if place.end_column is not None:
                    properties["endColumn"] = place.end_column
    return Annotation(finding.level, _message(fold), properties)


def _title(finding: Finding) -> str:
    severity = f" ({finding.severity})" if finding.severity else ""
    return f"{finding.tool}: {finding.rule}{severity}"


def _message(fold: _Fold) -> str:
    finding = fold.finding
    lines = [finding.message]
    if fold.count > 1:
        lines[0] += f" (and {fold.count - 1} more like it, down to line {fold.last_line})"
    elif finding.after:
        after = finding.after.split("\n")[:-1]
        lines.append("It should become:")
        lines += [visible(line)[:_AFTER_WIDTH] for line in after[:_AFTER_LINES]]
        if len(after) > _AFTER_LINES:
            lines.append("…")
    if finding.fix is Fix.SAFE:
        lines.append("`ci-action fix` does this.")
    if finding.package and finding.package.upgrade:
        lines.append(f"To do: {finding.package.upgrade}")
    if finding.also:
        lines.append(f"The same is said by {', '.join(finding.also)}.")
    if finding.url:
        lines.append(finding.url)
    return "\n".join(lines)


def report(result: RunResult, publication: Publication) -> None:
    """Print the annotations; outside Actions there is nobody to show them."""
    if publication.workflow is None:
        return
    for annotation in select(result):
        properties = {
            name: visible(value) if isinstance(value, str) else value
            for name, value in annotation.properties.items()
        }
        # A name or a message that quotes the source may hold what moves the cursor of a terminal.
        publication.workflow.annotate(annotation.level.value, visible(annotation.message), **properties)


def report_problems(_result: RunResult, publication: Publication) -> None:
    """Print one warning of what could not be written: in the log of a green run nobody would find it."""
    if publication.workflow is None or not publication.problems:
        return
    text = "\n".join(one_line(visible(problem)) for problem in publication.problems)
    publication.workflow.annotate("warning", text, title="ci-action: not everything could be written")
