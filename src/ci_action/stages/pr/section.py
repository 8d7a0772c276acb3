"""What a run says of its pull request: an output of the stage `pr`, and its section."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.finding import Finding, Level
from ci_action.model.result import Report, RunResult, StageResult
from ci_action.model.section import Channel, Facts, Item, Items, Line, Ours, Section, joined, known
from ci_action.model.totals import told_by, tools_of


def told(result: RunResult, name: str) -> str:
    """Return an output that a tool filled in; empty where none did."""
    return told_by(tools_of(result), name)


_MOST: Final = 20
_ON: Final = frozenset({Channel.SUMMARY, Channel.PAGE})
_VERDICTS: Final = {"true": "✅ right", "false": "❌ wrong"}
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
    """Return what was found out of the pull request; nothing where the tools of the stage told nothing."""
    outputs = {name: text for tool in reversed(stage.tools) for name, text in tool.outputs.items() if text}
    if not outputs:
        return ()
    titles = [finding for finding in _of_tool(stage, "title") if finding.counts]
    facts = (
        *_title(outputs, titles, pull),
        *_size(outputs, [finding for finding in _of_tool(stage, "size") if finding.counts]),
        *_people(outputs, pull),
        *_lists(outputs),
    )
    blocks: list[Facts | Items] = [Facts(rows=facts, on=_ON)]
    if details := _details(stage, "size"):
        rows = tuple(Item((line,)) for line in details)
        # The page has them beside the tool.
        on = frozenset({Channel.SUMMARY})
        blocks.append(Items(title=Ours("What makes its size"), rows=rows, on=on))
    return (Section(title=Ours("The pull request"), blocks=tuple(blocks)),)


def _of_tool(stage: StageResult, name: str) -> list[Finding]:
    return [finding for tool in stage.tools if tool.tool == name for finding in tool.findings]


def _details(stage: StageResult, name: str) -> tuple[str, ...]:
    outcomes = (tool.outcome for tool in stage.tools if tool.tool == name)
    return next((one.details for one in outcomes if isinstance(one, Report)), ())


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
        yield Ours("What is wrong"), (finding.message,)
    for proposal in dict.fromkeys(finding.fix_message for finding in findings):
        if proposal:
            yield Ours("A title that passes"), (proposal,)


def _size(outputs: Mapping[str, str], findings: list[Finding]) -> Iterator[tuple[str, Line]]:
    files, lines, size = (outputs.get(name, "") for name in ("changed-files", "changed-lines", "pr-size"))
    parts = [
        _number(digits, word) for digits, word in ((files, "file"), (lines, "line")) if digits.isdecimal()
    ]
    if parts:
        yield Ours("Changed"), (Ours(", ".join(parts)),)
    if size:
        worst = {finding.level for finding in findings}
        mark = " ❌ too large" if Level.ERROR in worst else " ⚠️ large" if worst else ""
        yield Ours("Size"), (known(size), Ours(mark))
    said = [word for name, word in _SWITCHES.items() if outputs.get(name) == "true"]
    if said:
        yield Ours("It is, or has"), (Ours(", ".join(said)),)


def _number(digits: str, word: str) -> str:
    return f"{int(digits):,} {word}{'' if int(digits) == 1 else 's'}"


def _people(outputs: Mapping[str, str], pull: Pull | NoPull) -> Iterator[tuple[str, Line]]:
    if author := outputs.get("pr-author"):
        yield Ours("Author"), (author,)
    base, head = outputs.get("pr-base"), outputs.get("pr-head")
    if base and head:
        yield Ours("Branches"), (head, Ours(" → "), base)
    if isinstance(pull, Pull) and pull.is_fork:
        gone = Ours("one that is gone")
        yield Ours("From a fork"), (pull.head_repository or gone,)


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
