"""The page of a run as Markdown: for the job summary on GitHub, and as a file."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from ci_action.model.finding import Fix
from ci_action.model.ranking import Row, by_file, by_reach, fair, number_of, rows_of
from ci_action.model.result import Conclusion, RunResult
from ci_action.model.section import Channel, Log, Look, Place, Section
from ci_action.model.totals import fix_command, other_findings, why_exit_0
from ci_action.reporters.context import REPORT, SUMMARY, Publication
from ci_action.reporters.limits import WHY_HIDDEN, Room, byte_size, left_out
from ci_action.reporters.markdown import bullets, code, fenced
from ci_action.reporters.markdown_sections import SIGNS, Drawing
from ci_action.system.redaction import HIDDEN
from ci_action.system.text import counted

# Above 1 MiB the runner shows nothing of a summary (FileCommandManager.cs, _attachmentSizeLimit).
LIMIT: Final = 1_000 * 1024
# GitHub renders a longer page slowly; report.json has all findings.
MOST_FINDINGS: Final = 500
_CHANNEL: Final = Channel.SUMMARY
_CUT: Final = "**This page was cut: it is larger than GitHub shows.**\n"


def render(result: RunResult, publication: Publication, limit: int = LIMIT) -> str:
    """Return the page in at most `limit` bytes of UTF-8, with the number of rows that did not fit."""
    sections = publication.sections(result)
    rest = code(publication.shown(REPORT) or REPORT)
    drawing = Drawing(_CHANNEL, publication.event, 2, rest)
    # 400 bytes are for the headings and the notes between the parts.
    room = Room(limit - byte_size(rest) - 400, byte_size)
    head = [*filter(None, _head(result, sections, drawing, room.left))]
    parts = room.fitting(head, len(head))
    if len(parts) < len(head):
        return "\n\n".join([*parts, _CUT]) if parts else ""
    last = drawing.at(Place.LAST, sections, Room(room.left // 2, byte_size))
    tail = room.fitting([*_reproduce(result), *last], 1_000)
    parts += drawing.at(Place.MIDDLE, sections, room)
    above = {id(finding) for section in sections for finding in section.shows}
    findings = [one for one in other_findings(result) if id(one) not in above]
    if findings:
        failed = any(
            isinstance(one, Log) for section in sections for one in section.rows(_CHANNEL, Place.MIDDLE)
        )
        near = by_reach(findings)
        number = counted(len(findings), "more finding" if above or failed else "finding")
        parts.append(f"## {number}{f': {near}' if near else ''}")
    shown = 0
    chosen = by_file(fair(rows_of(findings), MOST_FINDINGS))
    for path, of_file in groupby(chosen, key=lambda row: row.first.path):
        group = list(of_file)
        heading = f"### {code(path) if path else 'The project'}\n"
        room.takes(f"{heading}\n\n")
        rows = room.fitting((_finding(one, drawing) for one in group), MOST_FINDINGS)
        parts += ["\n".join([heading, *rows])] if rows else []
        shown += number_of(group[: len(rows)])
        if len(rows) < len(group):
            break
    if note := left_out(shown, len(findings), "findings", rest):
        parts.append(f"**{note}**")
    text = "\n\n".join([*parts, *tail]) + "\n"
    return text if byte_size(text) <= limit else "\n\n".join([*head, _CUT])


def _head(result: RunResult, sections: Sequence[Section], drawing: Drawing, limit: int) -> Iterator[str]:
    conclusion = result.verdict.conclusion
    yield f"# {SIGNS[Look(conclusion)]} ci-action: {conclusion}"
    yield bullets(result.verdict.reasons, 20, 400)
    if why := why_exit_0(result):
        yield f"**{why}**"
    yield from drawing.at(Place.FIRST, sections, Room(limit, byte_size))
    yield drawing.totals(sections)


def _finding(shown: Row, drawing: Drawing) -> str:
    finding = shown.first
    row = f"- {drawing.finding(shown)}" + "".join(f" · also {code(one)}" for one in finding.also)
    if finding.before or finding.after:
        diff = "\n".join(f"{mark}{line}" for mark, line in finding.diff)
        block = fenced(diff, "diff", lines=20).split("\n")
        row += "\n\n" + "\n".join(f"  {line}" if line else "" for line in block) + "\n"
        row += f"\n  {code(HIDDEN)} {WHY_HIDDEN.removeprefix(HIDDEN).strip()}\n" if finding.redacted else ""
    elif finding.fix is Fix.SAFE and finding.fix_message:
        row += f" · fixable: {code(finding.fix_message)}"
    return row


def _reproduce(result: RunResult) -> Iterator[str]:
    if result.reproduce and (result.verdict.exit_code or result.verdict.conclusion is Conclusion.BROKEN):
        yield f"## Reproduce locally\n\n{fenced(result.reproduce, 'sh', width=2000)}"
        command, fixable = fix_command(result)
        if fixable:
            yield f"{counted(fixable, 'finding')} can be fixed by:\n\n{fenced(command, 'sh')}"


def mistakes_page(mistakes: Sequence[str], about: str = "the settings") -> str:
    """Return the page of a run that never began, with the errors in its settings or in something else."""
    head = f"# {SIGNS[Look.BROKEN]} ci-action: errors in {about}, nothing was run"
    return f"{head}\n\n{bullets(mistakes, 200, 1000)}\n"


def write(result: RunResult, publication: Publication) -> None:
    """Write the page as a file."""
    publication.write(SUMMARY, render(result, publication).encode("utf-8", "replace"))


def report(result: RunResult, publication: Publication) -> None:
    """Append the page to the job summary; there is none outside Actions."""
    workflow = publication.workflow
    if workflow is None:
        return
    text = render(result, publication, LIMIT - workflow.summary_size())
    if not text:
        publication.note("could not write the job summary: it is full")
    elif not workflow.append_summary(text):
        publication.note(
            "could not write the job summary: GITHUB_STEP_SUMMARY is not set or its folder does not exist"
        )
