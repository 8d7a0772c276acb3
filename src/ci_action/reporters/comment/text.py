"""The text of a run in the comment of the pull request: its verdict, what failed first, and where to read more."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ci_action.github.event import Event
from ci_action.model.finding import Finding
from ci_action.model.result import RunResult
from ci_action.model.section import Channel, Look, Place, Section
from ci_action.model.totals import other_findings
from ci_action.reporters.limits import Room, code_units, left_out
from ci_action.reporters.markdown import bullets, code, link
from ci_action.reporters.markdown_sections import SIGNS, Drawing
from ci_action.system.text import counted

MOST_FINDINGS: Final = 30
_MOST_REASONS: Final = 10
_STAGE: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, kw_only=True)
class About:
    """The run that a text is about."""

    place: str = ""
    """What distinguishes it from other runs of the same stages."""
    commit: str
    url: str
    """The address of its summary."""


def text_of(result: RunResult, sections: Sequence[Section], event: Event, about: About, limit: int) -> str:
    """Return the text of a run in about `limit` characters at most; the sections of its stages come before the findings."""
    head, tail = _headline(result, about.place), _tail(result, about)
    room = Room(limit - code_units(head + tail) - 200, code_units)
    drawing = Drawing(Channel.COMMENT, event, 4)
    parts = [
        head,
        *room.fitting([bullets(result.verdict.reasons, _MOST_REASONS)], 1),
        *drawing.at(Place.FIRST, sections, room),
        *room.fitting([drawing.totals(sections)], 1),
        *drawing.at(Place.MIDDLE, sections, room),
        *drawing.at(Place.LAST, sections, room),
        *_findings(other_findings(result), drawing, room),
        tail,
    ]
    return "\n\n".join(filter(None, parts))


def _headline(result: RunResult, place: str) -> str:
    stages = [one for one in result.stages if not one.reason] or result.stages
    names = ", ".join(one.stage for one in stages if _STAGE.fullmatch(one.stage))
    conclusion = result.verdict.conclusion
    run = f" · {code(place, 120)}" if place else ""
    return f"### {SIGNS[Look(conclusion)]} {names or 'run'}: {conclusion}{run}"


def _findings(findings: Sequence[Finding], drawing: Drawing, room: Room) -> Iterator[str]:
    if findings:
        rows = room.fitting((_row(finding, drawing) for finding in findings), MOST_FINDINGS)
        yield f"#### {counted(len(findings), 'finding')}"
        yield "\n".join(rows)
        if note := left_out(len(rows), len(findings), "findings"):
            yield f"**{note}**"


def _row(finding: Finding, drawing: Drawing) -> str:
    path = f"{code(finding.location.path)} " if finding.location else ""
    return f"- {path}{drawing.finding(finding)}"


def _tail(result: RunResult, about: About) -> str:
    parts = [f"commit {code(about.commit[:12])}"] if about.commit else []
    parts.append(link(about.url, "full report in the job summary"))
    if result.verdict.exit_code and result.reproduce:
        parts.append(f"reproduce locally: {code(result.reproduce, 500)}")
    return f"<sub>{' · '.join(parts)}</sub>"
