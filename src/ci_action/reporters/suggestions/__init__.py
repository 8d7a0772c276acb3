"""Fixes of Black and Ruff as suggested changes of a review, on lines that the pull request shows.

A suggestion replaces lines by their numbers when somebody accepts it. So it is made only where GitHub's own diff of the
pull request shows exactly the lines that the tool saw: a line too many, a hidden secret or an encoding that was guessed
would change the file for the worse.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from ci_action.github.protocol import ApiError, GitHub
from ci_action.github.pull_request import Pull
from ci_action.model.finding import Finding, Fix, Location, ranked
from ci_action.model.result import RunResult
from ci_action.reporters.context import Publication
from ci_action.reporters.feedback import Ours, in_repository, on_pull, top_of
from ci_action.reporters.markdown import code
from ci_action.reporters.suggestions.diff import Shown, shown_lines
from ci_action.reporters.suggestions.edits import whole_lines
from ci_action.system.redaction import HIDDEN
from ci_action.system.text import visible

MARKER: Final = "<!-- ci-action:suggestion -->"
MOST: Final = 30
# Beyond this it is no suggestion but a new file.
_MOST_LINES: Final = 60
_BACKTICKS: Final = re.compile("`{3,}")


# The first line of some, the lines as they are, and as they become.
Change: TypeAlias = tuple[int, list[str], list[str]]


@dataclass(frozen=True)
class Suggestion:
    """Lines of a file, as the pull request has it, and what they should become."""

    path: str
    first: int
    last: int
    body: str

    @property
    def place(self) -> tuple[str, int, int]:
        """Where it is: two of them at one place cannot both be accepted."""
        return self.path, self.first, self.last

    def comment(self) -> dict[str, Any]:
        """Return it as GitHub takes it."""
        several = {"start_line": self.first, "start_side": "RIGHT"} if self.first < self.last else {}
        return {"path": self.path, "line": self.last, "side": "RIGHT", "body": self.body, **several}


def report(result: RunResult, publication: Publication) -> None:
    """Write a review with the fixes that are not suggested yet, where the user asked for it."""
    if publication.resolved.settings.suggestions:
        on_pull(
            result,
            publication,
            "the suggestions",
            lambda github, pull: _write(github, pull, result, publication),
        )


def _write(github: GitHub, pull: Pull, result: RunResult, publication: Publication) -> None:
    fixable = [finding for finding in ranked(result.counting) if finding.fix is Fix.SAFE and finding.location]
    if not fixable:
        return
    head = github.pull(pull.number).get("head")
    if not isinstance(head, Mapping) or head.get("sha") != pull.head_sha:
        raise ApiError("the pull request has newer commits by now, whose lines may be others")
    found = list(_apart(_suggestions(fixable, shown_lines(github.pull_files(pull.number)), publication)))
    if not found:
        return
    there = set(_existing(github, pull.number))
    new = [one for one in found if (*one.place, one.body) not in there]
    if not new:
        return
    body: dict[str, Any] = {
        "commit_id": pull.head_sha,
        "event": "COMMENT",
        "body": f"{MARKER}\n{_told(len(new), len(found) - len(new))}",
        "comments": [one.comment() for one in new[:MOST]],
    }
    github.create_review(pull.number, body)


def _told(new: int, there: int) -> str:
    more = f" {new - MOST:,} more did not fit into this review." if new > MOST else ""
    before = f" {there:,} {'was' if there == 1 else 'were'} suggested before." if there else ""
    return (
        f"ci-action: fixes for lines of this pull request.{more}{before} `ci-action fix` writes all of them."
    )


def _existing(github: GitHub, number: int) -> Iterator[tuple[str, int, int, str]]:
    """Yield where and what we have suggested already; what GitHub calls outdated has no line."""
    ours = Ours(github)
    for entry in github.review_comments(number):
        line, start = entry.get("line"), entry.get("start_line")
        if isinstance(line, int) and ours.is_comment(entry, MARKER):
            first = start if isinstance(start, int) else line
            yield str(entry.get("path")), first, line, str(entry["body"]).replace("\r\n", "\n")


def _suggestions(
    findings: list[Finding], diff: Mapping[str, Shown], publication: Publication
) -> Iterator[Suggestion]:
    top = top_of(publication.layout)
    for finding in findings:
        place = finding.location
        path = in_repository(place.path, top) if place else ""
        if path not in diff or place is None or place.line is None:
            continue
        change = _change(finding, place, diff[path], publication)
        made = _suggestion(finding, path, change, diff[path]) if change else None
        if made is not None:
            yield made


def _change(finding: Finding, place: Location, shown: Shown, publication: Publication) -> Change | None:
    """Return the first line, the lines in our checkout and what they become; None where there is nothing to suggest."""

    def source(first: int, last: int) -> list[str]:
        there = Location(path=place.path, line=first, end_line=last)
        return publication.source_lines(replace(finding, location=there), _MOST_LINES)

    before, after = finding.before.split("\n")[:-1], finding.after.split("\n")[:-1]
    line = place.line or 1
    if before:
        return line, before, after
    if not after:
        return whole_lines(finding.edits, source, _MOST_LINES)
    # To be added before a line, which a suggestion then repeats; at the end of a file it may be meant behind it.
    here = source(line, line)
    return (line, here, [*after, *here]) if here and line + 1 in shown.lines else None


def _suggestion(finding: Finding, path: str, change: Change, shown: Shown) -> Suggestion | None:
    """Return the suggestion for a change of lines; None where it cannot be made without a doubt."""
    line, before, after = change
    last = line + len(before) - 1
    if last - line >= _MOST_LINES or len(after) > _MOST_LINES or not shown.has(line, before):
        return None
    text = "\n".join(after)
    if text.count(HIDDEN) > "\n".join(before).count(HIDDEN):  # a secret was there
        return None
    if "\ufffd" in text or any(
        visible(row.replace("\t", "")) != row.replace("\t", "") for row in [*before, *after]
    ):
        return None
    fence = "`" * max(3, max((len(run) + 1 for run in _BACKTICKS.findall(text)), default=0))
    inner = f"{text}\n" if after else ""
    why = finding.fix_message or finding.message
    body = f"{MARKER}\n{code(finding.tool)} {code(finding.rule)}: {code(why)}\n\n{fence}suggestion\n{inner}{fence}"
    return Suggestion(path, line, last, body)


def _apart(suggestions: Iterator[Suggestion]) -> Iterator[Suggestion]:
    """Yield those that touch no line of one before."""
    taken: dict[str, set[int]] = {}
    for one in suggestions:
        lines = set(range(one.first, one.last + 1))
        if not lines & taken.setdefault(one.path, set()):
            taken[one.path] |= lines
            yield one
