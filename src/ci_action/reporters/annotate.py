"""Annotations: the findings that matter most, on their lines, within what GitHub shows of one step."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from ci_action.model.finding import Finding, Fix, Level, ranked
from ci_action.model.result import Broken, Conclusion, RunResult
from ci_action.model.totals import hint_line, tools_of
from ci_action.reporters.context import Publication
from ci_action.system.text import one_line, visible

# The runner keeps the first ten of a level and drops the others without a message (ExecutionContext.cs).
BUDGET: Final = 10
# Findings of one rule that are at most this many lines apart are one annotation.
GAP: Final = 3
# Our own notes among the ten warnings.
MOST_NOTES: Final = 3
_AFTER_LINES: Final = 12
_AFTER_WIDTH: Final = 200

Fold: TypeAlias = list[Finding]
"""Findings of one tool and rule on neighbouring lines, in the order of the lines."""


class Annotation(NamedTuple):
    """One annotation, with the properties of the runner's command."""

    level: Level
    message: str
    properties: dict[str, str | int]


def select(result: RunResult) -> list[Annotation]:
    """Choose the annotations: failed tools, then the ranked findings, and the number of the others."""
    own = [*_broken(result), *_notes(result)]
    folds = _folded(ranked(result.counting))
    room = {level: BUDGET - sum(one.level is level for one in own) for level in Level}
    room[Level.NOTICE] -= 1  # for the number of findings without an annotation
    chosen: list[Fold] = []
    for fold in folds:
        level = fold[0].level
        if room[level] > 0:
            room[level] -= 1
            chosen.append(fold)
    annotations = [*own, *map(_annotation, chosen)]
    shown, total = sum(map(len, chosen)), sum(map(len, folds))
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


def _folded(findings: Sequence[Finding]) -> list[Fold]:
    """Join neighbours of one tool, rule and file; the folds are in the order of their first findings."""
    folds: list[Fold] = []
    kind: tuple[str, ...] = ()
    last = 0
    for one in sorted(findings, key=lambda one: (one.tool, one.rule, one.path, one.level, one.line)):
        before, kind = kind, (one.tool, one.rule, one.path, one.level)
        if last and one.line and one.line - last <= GAP and kind == before:
            folds[-1].append(one)
            last = max(last, one.last_line)
        else:
            folds.append([one])
            last = one.last_line
    position = {id(finding): number for number, finding in enumerate(findings)}
    return sorted(folds, key=lambda fold: position[id(fold[0])])


def _annotation(fold: Fold) -> Annotation:
    finding = fold[0]
    severity = f" ({finding.severity})" if finding.severity else ""
    properties: dict[str, str | int] = {"title": f"{finding.tool}: {finding.rule}{severity}"}
    if place := finding.location:
        properties["file"] = place.path
        if place.line is not None:
            last = max(one.last_line for one in fold)
            properties |= {"line": place.line, "endLine": last}
            # GitHub takes columns only if the first and the last line are the same.
            if last == place.line and place.column is not None and len(fold) == 1:
                properties["col"] = place.column
                if place.end_column is not None:
                    properties["endColumn"] = place.end_column
    return Annotation(finding.level, "\n".join(_message(fold)), properties)


def _message(fold: Fold) -> Iterator[str]:
    finding = fold[0]
    if len(fold) > 1:
        yield f"{finding.message} (and {len(fold) - 1} similar, up to line {max(one.last_line for one in fold)})"
    else:
        yield finding.message
        if after := [line for mark, line in finding.diff if mark == "+"]:
            yield "It should become:"
            yield from (visible(line)[:_AFTER_WIDTH] for line in after[:_AFTER_LINES])
            yield from ["…"] if len(after) > _AFTER_LINES else []
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
