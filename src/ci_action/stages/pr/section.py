"""The section of the pull request in a report: what its tools found."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.finding import Finding, Level
from ci_action.model.result import Report, StageResult
from ci_action.model.section import Channel, Facts, Item, Items, Line, Ours, Section, joined, known
from ci_action.system.text import counted

_MOST: Final = 20
_ON: Final = frozenset({Channel.SUMMARY, Channel.PAGE})
_VERDICTS: Final = {"true": "✅ valid", "false": "❌ invalid"}
_SWITCHES: Final = {
    "pr-draft": "draft",
    "pr-breaking": "breaking",
    "is-fork": "fork",
    "is-bot": "bot",
    "has-migrations": "migrations",
    "has-docs": "documentation",
    "has-dependencies": "dependencies",
}
_LISTS: Final = {"changed-areas": "Areas", "pr-labels": "Labels", "pr-issues": "Closes"}


def of(stage: StageResult, pull: Pull | NoPull) -> tuple[Section, ...]:
    """Return the section; none if the tools of the stage have no outputs."""
    outputs = {name: text for tool in reversed(stage.tools) for name, text in tool.outputs.items() if text}
    if not outputs:
        return ()
    counting = {tool.tool: [one for one in tool.findings if one.counts] for tool in stage.tools}
    facts = (
        *_title(outputs, counting.get("title", []), pull),
        *_size(outputs, counting.get("size", [])),
        *_people(outputs, pull),
        *_lists(outputs),
    )
    blocks: list[Facts | Items] = [Facts(rows=facts, on=_ON)]
    outcomes = (tool.outcome for tool in stage.tools if tool.tool == "size")
    if details := [line for one in outcomes if isinstance(one, Report) for line in one.details]:
        rows = tuple(Item((line,)) for line in details)
        # The page has them beside the tool.
        on = frozenset({Channel.SUMMARY})
        blocks.append(Items(title=Ours("Changed files by folder"), rows=rows, on=on))
    return (Section(title=Ours("The pull request"), blocks=tuple(blocks)),)


def _title(
    outputs: Mapping[str, str], findings: list[Finding], pull: Pull | NoPull
) -> Iterator[tuple[str, Line]]:
    number = outputs.get("pr-number", "")
    if number.isdecimal():
        yield Ours("Number"), (Ours(number),)
    verdict = _VERDICTS.get(outputs.get("pr-title-valid", ""), "")
    if isinstance(pull, Pull):
        yield Ours("Title"), (Ours(f"{verdict} ".lstrip()), pull.title)
    elif verdict:
        yield Ours("Title"), (Ours(verdict),)
    for finding in findings[:_MOST]:
        yield Ours("Error"), (finding.message,)
    for proposal in dict.fromkeys(finding.fix_message for finding in findings):
        if proposal:
            yield Ours("Proposed title"), (proposal,)


def _size(outputs: Mapping[str, str], findings: list[Finding]) -> Iterator[tuple[str, Line]]:
    files, lines, size = (outputs.get(name, "") for name in ("changed-files", "changed-lines", "pr-size"))
    numbers = ((files, "file"), (lines, "line"))
    if parts := [counted(int(digits), word) for digits, word in numbers if digits.isdecimal()]:
        yield Ours("Changed"), (Ours(", ".join(parts)),)
    if size:
        worst = {finding.level for finding in findings}
        mark = " ❌ too large" if Level.ERROR in worst else " ⚠️ large" if worst else ""
        yield Ours("Size"), (known(size), Ours(mark))
    if words := [word for name, word in _SWITCHES.items() if outputs.get(name) == "true"]:
        yield Ours("Kind"), (Ours(", ".join(words)),)


def _people(outputs: Mapping[str, str], pull: Pull | NoPull) -> Iterator[tuple[str, Line]]:
    if author := outputs.get("pr-author"):
        yield Ours("Author"), (author,)
    base, head = outputs.get("pr-base"), outputs.get("pr-head")
    if base and head:
        yield Ours("Branches"), (head, Ours(" → "), base)
    if isinstance(pull, Pull) and pull.is_fork:
        yield Ours("From a fork"), (pull.head_repository or Ours("a deleted one"),)


def _lists(outputs: Mapping[str, str]) -> Iterator[tuple[str, Line]]:
    for name, word in _LISTS.items():
        entries = _entries(outputs.get(name, ""))
        if entries:
            more = (Ours(f" and {len(entries) - _MOST:,} more"),) if len(entries) > _MOST else ()
            yield Ours(word), (*joined(entries[:_MOST]), *more)


def _entries(text: str) -> list[str]:
    try:
        found = json.loads(text) if text else []
    except ValueError:  # what was redacted in it may have been its brackets
        return [text]
    return [str(entry) for entry in found] if isinstance(found, list) else []
