"""The part of the page about the pull request."""

import json
from collections.abc import Iterator
from typing import Final

from ci_action.github.pull_request import Pull
from ci_action.model.finding import Level
from ci_action.model.result import RunResult
from ci_action.reporters.context import Publication
from ci_action.reporters.markdown import code, table
from ci_action.stages.pr.section import details_of, findings_of, told

_MOST: Final = 20
_SWITCHES: Final = {
    "pr-draft": "draft",
    "pr-breaking": "breaking",
    "is-fork": "fork",
    "is-bot": "bot",
    "has-migrations": "migrations",
    "has-docs": "documentation",
    "has-dependencies": "dependencies",
}


def section(result: RunResult, publication: Publication) -> str:
    """Return what was found out of the pull request, under a heading; empty where the stage `pr` told nothing."""
    if not (told(result, "pr-number") or told(result, "pr-title-valid")):
        return ""
    return "\n\n".join(_parts(result, publication))


def _parts(result: RunResult, publication: Publication) -> Iterator[str]:
    yield "## The pull request"
    rows = list(_rows(result))
    if rows:
        yield table(["", ""], rows)
    yield "\n".join([*_title(result, publication), *_people(result), *_lists(result)])
    if details := details_of(result, "size"):
        yield "What makes its size:\n\n" + "\n".join(f"- {code(line)}" for line in details[:_MOST])


def _rows(result: RunResult) -> Iterator[list[str]]:
    """Yield what is made of our own words and numbers alone."""
    number = told(result, "pr-number")
    if number.isdecimal():
        yield ["Number", number]
    if valid := _VERDICTS.get(told(result, "pr-title-valid")):
        yield ["Title", valid]
    files, lines, size = (told(result, name) for name in ("changed-files", "changed-lines", "pr-size"))
    if files.isdecimal() and lines.isdecimal():
        yield ["Changed", f"{_number(files, 'file')}, {_number(lines, 'line')}"]
        worst = {finding.level for finding in findings_of(result, "size")}
        mark = " ❌ too large" if Level.ERROR in worst else " ⚠️ large" if worst else ""
        yield ["Size", f"{size if size.isalpha() else ''}{mark}"]
    said = [word for name, word in _SWITCHES.items() if told(result, name) == "true"]
    if said:
        yield ["It is, or has", ", ".join(said)]


def _number(digits: str, word: str) -> str:
    return f"{int(digits):,} {word}{'' if int(digits) == 1 else 's'}"


_VERDICTS: Final = {"true": "✅ right", "false": "❌ wrong"}


def _title(result: RunResult, publication: Publication) -> Iterator[str]:
    if isinstance(publication.pull, Pull):
        yield f"- title: {code(publication.pull.title)}"
    for finding in findings_of(result, "title")[:_MOST]:
        yield f"  - {code(finding.message)}"
    for proposal in dict.fromkeys(finding.fix_message for finding in findings_of(result, "title")):
        if proposal:
            yield f"  - a title that passes: {code(proposal)}"


def _people(result: RunResult) -> Iterator[str]:
    if author := told(result, "pr-author"):
        yield f"- author: {code(author)}"
    base, head = told(result, "pr-base"), told(result, "pr-head")
    if base and head:
        yield f"- from {code(head)} to {code(base)}"


def _lists(result: RunResult) -> Iterator[str]:
    for name, word in (("changed-areas", "areas"), ("pr-labels", "labels"), ("pr-issues", "closes")):
        entries = _entries(told(result, name))
        if entries:
            more = f" and {len(entries) - _MOST:,} more" if len(entries) > _MOST else ""
            yield f"- {word}: {', '.join(code(entry) for entry in entries[:_MOST])}{more}"


def _entries(text: str) -> list[str]:
    try:
        found = json.loads(text) if text else []
    except ValueError:  # what was redacted in it may have been its brackets
        return [text]
    return [str(entry) for entry in found] if isinstance(found, list) else []
