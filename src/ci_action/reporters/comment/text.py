"""What a run says in the comment of the pull request: how it ended, what failed first, and where the rest is."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ci_action.github.event import Event
from ci_action.model.finding import Finding
from ci_action.model.result import RunResult
from ci_action.model.section import Channel, Section
from ci_action.model.totals import other_findings
from ci_action.reporters.comment.runs import harmless, size_of
from ci_action.reporters.job_summary import MARKS
from ci_action.reporters.links import where
from ci_action.reporters.markdown import code, link
from ci_action.reporters.markdown_sections import Drawing

MOST_FINDINGS: Final = 30
_MOST_REASONS: Final = 10
_STAGE: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, kw_only=True)
class About:
    """What a text is about."""

    place: str = ""
    """Tells the run from others with the same stages."""
    commit: str
    url: str
    """Where the summary of the run is."""


def text_of(
    result: RunResult,
    sections: Sequence[Section],
    event: Event,
    about: About,
    limit: int,
) -> str:
    """Return the text of a run, at most about `limit` characters; what its stages report comes first, then findings."""
    tail = "\n\n".join(_tail(result, about))
    parts = [_headline(result, about.place)]
    room = limit - size_of(parts[0]) - size_of(tail) - 200
    drawing = Drawing(Channel.COMMENT, event, size_of)
    for block in _opening(result, sections, drawing):
        if size_of(block) + 2 <= room:
            room -= size_of(block) + 2
            parts.append(block)
    for section in sections:
        drawn = [*drawing.middle(section, 4, room // 2), *drawing.last(section, 4)]
        if (taken := size_of("\n\n".join(drawn))) <= room:
            parts += drawn
            room -= taken
    parts += _findings(result, event, room)
    return harmless("\n\n".join([*parts, tail]))


def _headline(result: RunResult, place: str) -> str:
    names = [stage.stage for stage in result.stages if not stage.reason] or [
        one.stage for one in result.stages
    ]
    shown = ", ".join(name for name in names if _STAGE.fullmatch(name))
    conclusion = result.verdict.conclusion
    return f"### {MARKS[conclusion]} {shown or 'run'}: {conclusion.value}" + (
        f" · {code(place, 120)}" if place else ""
    )


def _opening(result: RunResult, sections: Sequence[Section], drawing: Drawing) -> Iterator[str]:
    reasons = result.verdict.reasons
    if reasons:
        rows = [f"- {code(reason)}" for reason in reasons[:_MOST_REASONS]]
        more = len(reasons) - _MOST_REASONS
        yield "\n".join([*rows, *([f"- and {more:,} more reasons"] if more > 0 else [])])
    for section in sections:
        yield from drawing.first(section, 4)
    if totals := drawing.totals(sections):
        yield totals


def _findings(result: RunResult, event: Event, room: int) -> Iterator[str]:
    findings = other_findings(result)
    rows: list[str] = []
    for finding in findings[:MOST_FINDINGS]:
        row = _row(finding, event)
        room -= size_of(row) + 1
        if room < 0:
            break
        rows.append(row)
    if not findings:
        return
    shown = "" if len(rows) == len(findings) else f", {len(rows):,} of them are shown here"
    yield f"#### {len(findings):,} {'finding' if len(findings) == 1 else 'findings'}{shown}"
    if rows:
        yield "\n".join(rows)


def _row(finding: Finding, event: Event) -> str:
    place = finding.location
    at = (
        f"{code(place.path)} {where(place.path, place.line, event, place.end_line)}"
        if place
        else "the project"
    )
    severity = f" · {finding.severity}" if finding.severity.isalpha() else ""
    return f"- {at} · {code(finding.tool, 40)} {code(finding.rule, 80)} · {code(finding.message)}{severity}"


def _tail(result: RunResult, about: About) -> Sequence[str]:
    said = [f"commit {code(about.commit[:12])}"] if about.commit else []
    rest = "the rest is in the summary of the run"
    said.append(link(about.url, rest) if about.url.startswith("https://") else rest)
    if result.verdict.exit_code and result.reproduce:
        said.append(f"the same on your machine: {code(result.reproduce, 500)}")
    return [f"<sub>{' · '.join(said)}</sub>"]
