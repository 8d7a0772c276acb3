"""The page of a run as Markdown: for the job summary on GitHub, and as a file."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, assert_never

from ci_action.github.event import Event
from ci_action.model.changes import aside
from ci_action.model.finding import Finding, Fix, Level
from ci_action.model.result import Broken, Conclusion, Report, RunResult, Skipped, ToolResult
from ci_action.model.section import Channel, Log, Section
from ci_action.model.totals import hints_of, other_findings
from ci_action.reporters.context import REPORT, SUMMARY, Publication
from ci_action.reporters.lines import accounts, looked_at
from ci_action.reporters.links import where
from ci_action.reporters.markdown import code, fenced, link, table
from ci_action.reporters.markdown_sections import Drawing
from ci_action.system.text import duration

# Above 1 MiB the runner shows nothing of a summary at all (FileCommandManager.cs, _attachmentSizeLimit).
LIMIT: Final = 1_000 * 1024
# A page with more is read by nobody and rendered slowly; the report file has them all.
MOST_FINDINGS: Final = 500
# The table has no place for foreign text; a version of PEP 440 has no character that means something there.
_VERSION: Final = re.compile(r"[0-9A-Za-z.+!]*")
MARKS: Final = {
    Conclusion.PASSED: "✅",
    Conclusion.WARNED: "⚠️",
    Conclusion.SKIPPED: "⏭️",
    Conclusion.FAILED: "❌",
    Conclusion.EMPTY: "🈳",
    Conclusion.BROKEN: "💥",
}


def render(result: RunResult, publication: Publication, limit: int = LIMIT) -> str:
    """Return the page, cut so that it takes at most `limit` bytes of UTF-8 and says what was left out."""
    sections = publication.sections(result)
    rest = code(publication.shown(REPORT) or REPORT)
    drawing = Drawing(Channel.SUMMARY, publication.event, _size, rest)
    head = "\n\n".join(_head(result, sections, drawing))
    tail = "\n\n".join(_tail(result, publication, sections, drawing))
    told = {id(finding) for section in sections for finding in section.shows}
    findings = [one for one in other_findings(result) if id(one) not in told]
    room = limit - _size(head) - _size(tail) - 400  # 400 bytes for the headings and the note between them
    parts = [head]
    # Each section may take half of what is left, the findings have the rest.
    for section in sections:
        drawn = drawing.middle(section, 2, room // 2)
        room -= _size("\n\n".join(drawn))
        parts += drawn
    kept, shown = _fitting(_files(findings[:MOST_FINDINGS], publication.event), room)
    if findings:
        failed = any(isinstance(one, Log) for section in sections for one in section.rows(Channel.SUMMARY))
        more = "more " if told or failed else ""
        parts.append(f"## {len(findings):,} {more}{'finding' if len(findings) == 1 else 'findings'}")
    parts += kept
    if shown < len(findings):
        parts.append(f"**{shown:,} of {len(findings):,} findings are shown here**, the rest is in {rest}.")
    text = "\n\n".join([*parts, tail]) + "\n"
    return text if _size(text) <= limit else _cut(head, limit)


def _fitting(files: Iterable[tuple[str, Sequence[str]]], room: int) -> tuple[list[str], int]:
    """Return the blocks of the files, as many rows as there is room for, and their number."""
    kept, shown = [], 0
    for heading, rows in files:
        room -= _size(heading) + 4
        fitting = []
        for row in rows:
            room -= _size(row) + 1
            if room < 0:
                break
            fitting.append(row)
        if fitting:
            kept.append(f"{heading}\n\n" + "\n".join(fitting))
            shown += len(fitting)
        if room < 0:
            break
    return kept, shown


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _cut(head: str, limit: int) -> str:
    """Return what fits of the head, in which every line stands for itself; nothing where there is no room at all."""
    note = "\n\n**The page was cut here: it would be larger than GitHub shows.**\n"
    room = limit - _size(note)
    if room <= 0:
        return ""
    if _size(head) <= room:
        return head + note
    kept = head.encode("utf-8", "replace")[:room].decode("utf-8", "ignore")
    return kept.rpartition("\n")[0] + note


def _head(result: RunResult, sections: Sequence[Section], drawing: Drawing) -> Iterator[str]:
    conclusion = result.verdict.conclusion
    yield f"# {MARKS[conclusion]} ci-action: {conclusion.value}"
    if result.verdict.reasons:
        yield "\n".join(f"- {code(reason, 400)}" for reason in result.verdict.reasons[:20])
    for section in sections:
        yield from drawing.first(section, 2)
    rows = [
        [
            stage.stage,
            tool.tool,
            tool.version if _VERSION.fullmatch(tool.version) else "",
            _outcome(tool),
            looked_at(tool),
            _counted(tool),
            duration(tool.seconds),
        ]
        for stage in result.stages
        for tool in stage.tools
    ]
    if rows:
        yield table(["Stage", "Tool", "Version", "", "Looked at", "Findings", "Time"], rows)
    if told := accounts(result):
        yield "\n".join(f"- {code(line, 400)}" for line in told)
    if totals := drawing.totals(sections):
        yield totals
    if hints := [*_hints(result)]:
        yield "## What may help\n\n" + "\n".join(hints)


def _hints(result: RunResult) -> Iterator[str]:
    for hint in hints_of(result):
        more = f" · {link(hint.url, 'read more')}" if hint.url.startswith("https://") else ""
        yield f"- {code(hint.cause, 600)}\n  - {code(hint.fix, 600)}{more}"


def _outcome(tool: ToolResult) -> str:
    match tool.outcome:
        case Report(findings=findings):
            counting = [finding for finding in findings if finding.counts]
            red = any(finding.level is Level.ERROR for finding in counting)
            return "❌ found" if red else "⚠️ found" if counting else "✅ passed"
        case Skipped():
            return "⏭️ skipped"
        case Broken():
            return "💥 broken"
        case unknown:
            assert_never(unknown)


def _counted(tool: ToolResult) -> str:
    counting = sum(finding.counts for finding in tool.findings)
    return f"{counting:,}{aside(tool.findings)}"


def _files(findings: Sequence[Finding], event: Event) -> Iterator[tuple[str, list[str]]]:
    """Yield a heading for each file, in the order of its first finding, and a row for each finding.

    In a file the findings are in the order of their lines: that is how a file is read.
    """
    order = {
        path: number for number, path in enumerate(dict.fromkeys(_path(finding) for finding in findings))
    }
    by_file = sorted(findings, key=lambda finding: (order[_path(finding)], _line(finding)))
    for path, group in groupby(by_file, key=_path):
        rows = [_row(finding, event) for finding in group]
        yield f"### {code(path) if path else 'The project'}", rows


def _line(finding: Finding) -> int:
    return (finding.location.line or 0) if finding.location else 0


def _path(finding: Finding) -> str:
    return finding.location.path if finding.location else ""


def _row(finding: Finding, event: Event) -> str:
    place = finding.location
    at = where(place.path, place.line, event, place.end_line) if place else "—"
    rule = link(finding.url, code(finding.rule)) if finding.url else code(finding.rule)
    row = f"- {at} · {finding.tool} {rule} · {code(finding.message)}"
    if finding.severity:
        row += f" · {finding.severity}"
    row += "".join(f" · also {code(one)}" for one in finding.also)
    if finding.before or finding.after:
        block = fenced(_diff(finding), "diff", lines=20)
        row += "\n\n" + "\n".join(f"  {line}" if line else "" for line in block.split("\n")) + "\n"
    elif finding.fix is Fix.SAFE and finding.fix_message:
        row += f" · fixable: {code(finding.fix_message)}"
    return row


def _diff(finding: Finding) -> str:
    removed = [f"-{line}" for line in finding.before.split("\n")[:-1]]
    added = [f"+{line}" for line in finding.after.split("\n")[:-1]]
    return "\n".join([*removed, *added])


def _tail(
    result: RunResult, publication: Publication, sections: Sequence[Section], drawing: Drawing
) -> Iterator[str]:
    broken = [tool for stage in result.stages for tool in stage.tools if isinstance(tool.outcome, Broken)]
    for tool in broken:
        if isinstance(tool.outcome, Broken) and tool.outcome.detail:
            yield f"<details><summary>What {tool.tool} wrote</summary>\n\n{fenced(tool.outcome.detail)}\n\n</details>"
    for section in sections:
        yield from drawing.last(section, 2)
    if result.warnings:
        yield "## Notes\n\n" + "\n".join(f"- {code(text, 600)}" for text in result.warnings[:50])
    if muted := [finding for finding in result.findings if finding.muted]:
        yield "## Muted\n\n" + "\n".join(_muted(muted))
    if result.reproduce and (result.verdict.exit_code or result.verdict.conclusion is Conclusion.BROKEN):
        fixable = sum(finding.fix is Fix.SAFE for finding in result.counting)
        hint = (
            f"\n\n{fixable:,} of the findings are fixed by:\n\n{fenced('ci-action fix', 'sh')}"
            if fixable
            else ""
        )
        yield f"## The same on your machine\n\n{fenced(result.reproduce, 'sh', width=2000)}{hint}"
    yield "\n".join(_facts(result, publication))


def _muted(findings: Sequence[Finding]) -> Iterator[str]:
    reasons: dict[str, int] = {}
    for finding in findings:
        reasons[finding.muted] = reasons.get(finding.muted, 0) + 1
    for reason, number in list(reasons.items())[:50]:
        yield f"- {number:,} {'finding' if number == 1 else 'findings'}: {code(reason)}"


def _facts(result: RunResult, publication: Publication) -> Iterator[str]:
    yield "<details><summary>Versions and settings</summary>\n"
    for stage in result.stages:
        for tool in stage.tools:
            if tool.version:
                yield f"- {tool.tool} {code(tool.version)} from {code(tool.version_source)}"
    yield f"- ci-action {result.version}, {result.seconds:.1f} s"
    for name, value in publication.resolved.chosen().items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        yield f"- {name} = {code(shown)} from {code(publication.resolved.sources[name])}"
    yield "\n</details>"


def mistakes_page(mistakes: Sequence[str], about: str = "the settings") -> str:
    """Return the page of a run that never began: what is wrong with the settings, or with something else."""
    head = f"# {MARKS[Conclusion.BROKEN]} ci-action: mistakes in {about}, nothing was run"
    return head + "\n\n" + "\n".join(f"- {code(mistake, 1000)}" for mistake in mistakes[:200]) + "\n"


def write(result: RunResult, publication: Publication) -> None:
    """Write the page as a file."""
    publication.write(SUMMARY, render(result, publication).encode("utf-8", "replace"))


def report(result: RunResult, publication: Publication) -> None:
    """Append the page to the job summary; outside Actions there is none."""
    workflow = publication.workflow
    if workflow is None:
        return
    text = render(result, publication, LIMIT - workflow.summary_size())
    if not text:
        publication.note("the job summary could not be written: it is full already")
    elif not workflow.append_summary(text):
        publication.note(
            "the job summary could not be written: GITHUB_STEP_SUMMARY is not set or its folder does not exist"
        )
