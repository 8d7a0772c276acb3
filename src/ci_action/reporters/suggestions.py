"""Fixes of Black and Ruff as suggested changes of a review, on lines that the pull request shows.

A suggestion replaces lines by their numbers when somebody accepts it. So it is made only if GitHub's own diff of the pull
request shows exactly the lines that the tool saw: an extra line, a redacted secret or a guessed encoding would damage
the file.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeAlias

from ci_action.github.client import GitHub
from ci_action.github.pull_request import Pull
from ci_action.model.finding import Edit, Finding, Fix, Location
from ci_action.model.ranking import ranked
from ci_action.model.result import RunResult
from ci_action.reporters.context import Publication
from ci_action.reporters.feedback import Ours, in_repository, on_pull, require_head, top_of
from ci_action.reporters.markdown import code
from ci_action.system.redaction import HIDDEN
from ci_action.system.text import visible

MARKER: Final = "<!-- ci-action:suggestion -->"
MOST: Final = 30
_MOST_LINES: Final = 60
_BACKTICKS: Final = re.compile("`{3,}")
_HUNK: Final = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")

Hunk: TypeAlias = dict[int, str]
"""Lines of a file as a diff shows them, by their numbers; each with its `+` or space."""
Change: TypeAlias = tuple[int, list[str], list[str]]
"""The number of the first line, the lines, and what they become."""


class Suggestion(NamedTuple):
    """Lines of a file in the pull request, and the comment with their replacement."""

    path: str
    first: int
    last: int
    body: str


def report(result: RunResult, publication: Publication) -> None:
    """Write a review with the fixes that are not suggested yet."""
    found = (finding for finding in result.counting if finding.fix is Fix.SAFE and finding.location)
    if fixable := ranked(found):
        on_pull(
            result,
            publication,
            "post the suggestions",
            lambda github, pull: _write(github, pull, fixable, publication),
        )


def _write(github: GitHub, pull: Pull, fixable: Sequence[Finding], publication: Publication) -> None:
    require_head(github, pull.number, pull.head_sha)
    diff = hunks_of(github.pull_files(pull.number))
    found = [*_apart(_suggestions(fixable, diff, publication))]
    present = set(_present(github, pull.number)) if found else set()
    if new := [one for one in found if one not in present]:
        comments = [_comment(one) for one in new[:MOST]]
        body = f"{MARKER}\n{_summary(len(new), len(found) - len(new))}"
        review = {"commit_id": pull.head_sha, "event": "COMMENT", "body": body, "comments": comments}
        github.create_review(pull.number, review)


def _comment(one: Suggestion) -> dict[str, Any]:
    several = {"start_line": one.first, "start_side": "RIGHT"} if one.first < one.last else {}
    return {"path": one.path, "line": one.last, "side": "RIGHT", "body": one.body, **several}


def _summary(new: int, present: int) -> str:
    more = f" {new - MOST:,} more did not fit into this review." if new > MOST else ""
    before = f" {present:,} {'was' if present == 1 else 'were'} suggested before." if present else ""
    return (
        f"ci-action: fixes for lines of this pull request.{more}{before} `ci-action fix` writes all of them."
    )


def _present(github: GitHub, number: int) -> Iterator[Suggestion]:
    """Yield what was suggested before; a comment that GitHub calls outdated has no line."""
    ours = Ours(github)
    for entry in github.review_comments(number):
        line, start = entry.get("line"), entry.get("start_line")
        if isinstance(line, int) and ours.is_comment(entry, MARKER):
            first = start if isinstance(start, int) else line
            body = str(entry["body"]).replace("\r\n", "\n")
            yield Suggestion(str(entry.get("path")), first, line, body)


def _suggestions(
    findings: Iterable[Finding], diff: Mapping[str, Sequence[Hunk]], publication: Publication
) -> Iterator[Suggestion]:
    top = top_of(publication.layout)
    for finding in findings:
        place = finding.location
        path = in_repository(place.path, top) if place else ""
        if path in diff and place and place.line is not None:
            change = _change(finding, place, diff[path], publication)
            yield from _suggestion(finding, path, change, diff[path]) if change else ()


def _change(
    finding: Finding, place: Location, hunks: Sequence[Hunk], publication: Publication
) -> Change | None:
    """Return the change of lines in our checkout that a fix makes; None if it makes none."""

    def source(first: int, last: int) -> list[str]:
        lines = Location(path=place.path, line=first, end_line=last)
        return publication.source_lines(replace(finding, location=lines), _MOST_LINES)

    before, after = ([line for mark, line in finding.diff if mark == sign] for sign in "-+")
    line = place.line or 1
    if before:
        return line, before, after
    if not after:
        return whole_lines(finding.edits, source, _MOST_LINES)
    # To be added before a line, which the suggestion then repeats; at the end of a file it may belong after it.
    here = source(line, line)
    return (line, here, [*after, *here]) if here and any(line + 1 in hunk for hunk in hunks) else None


def _suggestion(finding: Finding, path: str, change: Change, hunks: Sequence[Hunk]) -> Iterator[Suggestion]:
    """Yield the suggestion for a change of lines; nothing if it is not certain to be right."""
    line, before, after = change
    text, rows = "\n".join(after), [row.replace("\t", "") for row in [*before, *after]]
    if (
        max(len(before), len(after)) <= _MOST_LINES
        and any(_shows(hunk, line, before) for hunk in hunks)
        and text.count(HIDDEN) <= "\n".join(before).count(HIDDEN)  # else it has a redacted secret
        and "\ufffd" not in text
        and all(visible(row) == row for row in rows)
    ):
        fence = "`" * max(3, max((len(run) + 1 for run in _BACKTICKS.findall(text)), default=0))
        why = f"{code(finding.tool)} {code(finding.rule)}: {code(finding.fix_message or finding.message)}"
        inner = f"{text}\n" if after else ""
        body = f"{MARKER}\n{why}\n\n{fence}suggestion\n{inner}{fence}"
        yield Suggestion(path, line, line + len(before) - 1, body)


def _apart(suggestions: Iterable[Suggestion]) -> Iterator[Suggestion]:
    """Yield those that touch no line of an earlier one: two for one line cannot both be accepted."""
    taken: set[tuple[str, int]] = set()
    for one in suggestions:
        lines = {(one.path, number) for number in range(one.first, one.last + 1)}
        if lines.isdisjoint(taken):
            taken |= lines
            yield one


def hunks_of(files: Iterable[Mapping[str, Any]]) -> dict[str, list[Hunk]]:
    """Return the hunks of each file in GitHub's diff of a pull request; binary and very large files have no patch."""
    found = {}
    for file in files:
        path, patch = file.get("filename"), file.get("patch")
        if isinstance(path, str) and isinstance(patch, str) and file.get("status") != "removed":
            found[path] = _hunks(patch)
    return found


def _hunks(patch: str) -> list[Hunk]:
    hunks: list[Hunk] = []
    number = 0
    for row in patch.split("\n"):
        if head := _HUNK.match(row):
            hunks.append({})
            number = int(head[1])
        elif hunks and row[:1] in {"+", " "}:
            hunks[-1][number] = row
            number += 1
    return hunks


def _shows(hunk: Hunk, first: int, lines: Sequence[str]) -> bool:
    """Whether a hunk shows exactly these lines from one on, some of them changed; a comment is within one hunk."""
    rows = [hunk[number] for number in range(first, first + len(lines)) if number in hunk]
    return [row[1:] for row in rows] == list(lines) and any(row[0] == "+" for row in rows)


def whole_lines(edits: Sequence[Edit], source: Callable[[int, int], list[str]], most: int) -> Change | None:
    """Return the lines that edits change; None if they are more than `most` or the edits do not fit.

    `source` returns the lines of the file from one to another. Tools count columns beyond ASCII in several ways, so such
    lines are left alone.
    """
    if not edits:
        return None
    first = min(one.start[0] for one in edits)
    last = max(one.end[0] if one.end[1] > 1 else max(one.start[0], one.end[0] - 1) for one in edits)
    if first < 1 or not 0 <= last - first < most:
        return None
    before = source(first, last)
    if len(before) != last - first + 1 or not all(line.isascii() for line in before):
        return None
    text = _applied("".join(f"{line}\n" for line in before), first, edits)
    if text is None or (text and not text.endswith("\n")):
        return None
    return first, before, text.split("\n")[:-1]


def _applied(text: str, first: int, edits: Sequence[Edit]) -> str | None:
    starts = [0]
    for line in text.split("\n")[:-1]:
        starts.append(starts[-1] + len(line) + 1)

    def offset(point: tuple[int, int]) -> int:
        return starts[point[0] - first] + point[1] - 1

    end_of_next = len(text)
    for one in sorted(edits, key=lambda one: one.start, reverse=True):
        start, end = offset(one.start), offset(one.end)
        if not 0 <= start <= end <= end_of_next:
            return None
        text = text[:start] + one.text + text[end:]
        end_of_next = start
    return text
