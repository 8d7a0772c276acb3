"""The comment on the pull request: one for all stages, to which several jobs may write.

GitHub cannot change a comment on condition that it is unchanged. So a job reads it right before it writes, and again a
moment later: if its own section is missing, it writes again. A job that created a second comment moves to the older one.
Each section is between two hidden markers; text in a section can contain no such marker.
"""

import json
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any, Final

from ci_action.github.client import GitHub
from ci_action.github.errors import ApiError
from ci_action.github.event import Event
from ci_action.github.pull_request import Pull
from ci_action.model.finding import Finding
from ci_action.model.ranking import Row, by_reach, fair, number_of, rows_of
from ci_action.model.result import Conclusion, RunResult
from ci_action.model.section import Channel, Look, Place, Section
from ci_action.model.totals import other_findings, why_exit_0
from ci_action.reporters.context import Publication
from ci_action.reporters.feedback import Ours, if_found, on_pull, place_of, require_head
from ci_action.reporters.limits import Room, code_units, left_out
from ci_action.reporters.markdown import bullets, code, link
from ci_action.reporters.markdown_sections import SIGNS, Drawing
from ci_action.settings.types import CommentWhen
from ci_action.system.text import counted

MARKER: Final = "<!-- ci-action:comment -->"
_END: Final = "<!-- ci-action:end -->"
_SECTION: Final = re.compile(
    r"^<!-- ci-action:section key=(?P<key>[0-9a-f]{16}) id=(?P<id>[0-9a-f]{16}) commit=(?P<commit>[0-9a-f]*)"
    r" run=(?P<run>[0-9]*-[0-9]+) step=(?P<step>[0-9a-f]*) conclusion=(?P<conclusion>[a-z]+) red=(?P<red>[01]) -->\n(?P<text>.*?)\n"
    rf"{re.escape(_END)}$",
    re.MULTILINE | re.DOTALL,
)
_FORGED: Final = re.compile(r"<!--(?=\s*ci-action)")  # also if the rest was cut
# GitHub takes 65,536 characters.
LIMIT: Final = 65_000
# The room of a section if the others leave less.
LEAST: Final = 3_000
_FRAME: Final = 600
MOST_FINDINGS: Final = 30
_MOST_REASONS: Final = 10
_STAGE: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_TRIES: Final = 6
# Seconds after which other jobs have nearly always written what they had prepared.
_PAUSE: Final = 1.0
_LONGEST: Final = 20_000
# Settings about where reports go, not about what is checked.
_NO_DIFFERENCE: Final = frozenset(
    {"report-dir", "cache-dir", "comment", "check-run", "suggestions", "labels", "stage"}
)


@dataclass(frozen=True, kw_only=True)
class RunSection:
    """The part of one run of stages in the comment."""

    key: str
    """The same for the same stages with the same settings."""
    id: str
    """The same for the same text of the same run."""
    commit: str
    """The commit of the pull request."""
    run: str
    """The workflow run and its attempt."""
    step: str = ""
    """The job and step of the run."""
    conclusion: Conclusion
    red: bool
    text: str

    @property
    def size(self) -> int:
        """The number of characters with its markers, in the strictest way of counting."""
        return code_units(self.text) + 240

    @property
    def headline(self) -> str:
        """The first line, which has the conclusion."""
        return self.text.partition("\n")[0]


@dataclass(frozen=True, kw_only=True)
class About:
    """The run that a text is about."""

    place: str = ""
    """What distinguishes it from other runs of the same stages."""
    commit: str
    url: str
    """The address of its summary."""


def report(result: RunResult, publication: Publication) -> None:
    """Write the section of the run into the comment of its pull request."""
    when = publication.resolved.settings.comment

    def post(github: GitHub, pull: Pull) -> None:
        event, chosen = publication.event, publication.resolved.chosen()
        about = About(place=place_of(chosen), commit=pull.head_sha, url=event.run_url)
        entry = Entry(
            result=result,
            render=lambda limit: text_of(result, publication.sections(result), event, about, limit),
            key=key_of([stage.stage for stage in result.stages], chosen),
            commit=pull.head_sha,
            run=f"{event.run_id}-{event.attempt}",
            step=event.step,
            keep=when is CommentWhen.ALWAYS or bool(result.verdict.exit_code),
        )
        write(github, pull.number, entry)

    on_pull(result, publication, "post the comment", post)


def key_of(stages: Sequence[str], chosen: Mapping[str, Any]) -> str:
    """Return a key that is the same for the same stages with the same settings."""
    settings = {name: value for name, value in chosen.items() if name not in _NO_DIFFERENCE}
    text = json.dumps([sorted(stages), settings], sort_keys=True, default=str)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A section to write."""

    result: RunResult
    render: Callable[[int], str]
    """Returns the text in at most so many characters."""
    key: str
    commit: str
    run: str
    step: str = ""
    """The job and step of the run; of two entries with the same, the later counts."""
    keep: bool
    """Whether the comment should have the section; else that of an earlier run is removed."""
    copy: bool = False
    """Whether it is a copy of what the run may have written itself."""

    def section(self, present: Sequence[RunSection]) -> RunSection:
        """Return it as a section beside those that the comment has."""
        whole = harmless(self.render(_LONGEST))
        words = f"{self.key}\0{self.run}\0{whole}"
        mine = RunSection(
            key=self.key,
            id=sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16],
            commit=self.commit,
            run=self.run,
            step=self.step,
            conclusion=self.result.verdict.conclusion,
            red=bool(self.result.verdict.exit_code),
            text=whole,
        )
        room = room_beside(joined(present, mine, keep=False), mine)
        return mine if room >= _LONGEST else replace(mine, text=harmless(self.render(room)))


def wait() -> None:
    """Wait until other jobs have written what they were about to write."""
    time.sleep(_PAUSE * secrets.SystemRandom().uniform(0.7, 1.5))  # so that two jobs differ


def write(github: GitHub, number: int, entry: Entry, pause: Callable[[], None] = wait) -> None:
    """Update the comment until it is as it should be; raises `ApiError`."""
    require_head(github, number, entry.commit)
    ours, created = Ours(github), False
    for _ in range(_TRIES):
        found = [one for one in github.comments(number) if ours.is_comment(one, MARKER)]
        found.sort(key=lambda one: int(one["id"]))
        present = [section for one in found for section in parse(str(one["body"]))]
        wanted = joined(present, entry.section(present), keep=entry.keep, copy=entry.copy)
        body = assembled(wanted) if wanted else ""
        changed = bool(found) and _plain(str(found[0]["body"])) != _plain(body)
        if not found:
            if not body or created:  # GitHub may not list a new comment at once
                return
            ours.learn(github.create_comment(number, body))
            created = True
        elif changed and body:
            github.update_comment(int(found[0]["id"]), body)
        removed = found[1:] if body else found
        for one in removed:
            if_found(partial(github.delete_comment, int(one["id"])))
        if found and not (changed or removed):
            return
        pause()
    raise ApiError("other jobs kept changing it at the same time")


def _plain(body: str) -> str:
    """Return a text as GitHub may keep it."""
    return body.replace("\r\n", "\n").strip()


def parse(body: str) -> tuple[RunSection, ...]:
    """Read the sections of one of our comments; other text is dropped."""
    found = []
    for match in _SECTION.finditer(body.replace("\r\n", "\n")):
        if match["conclusion"] in set(Conclusion):
            values = {name: match[name] for name in ("key", "id", "commit", "run", "step", "text")}
            conclusion = Conclusion(match["conclusion"])
            found.append(RunSection(**values, conclusion=conclusion, red=match["red"] == "1"))
    return tuple(found)


def harmless(text: str) -> str:
    """Return text that contains none of our markers."""
    return _FORGED.sub("<!- -", text)


def joined(
    present: Iterable[RunSection], mine: RunSection, *, keep: bool, copy: bool = False
) -> tuple[RunSection, ...]:
    """Return the sections with mine among them, or without it if it is not to be kept.

    Sections of other commits are dropped, and those of the same stages from an earlier run or the same step. Those from
    another job of the same run stay: a matrix runs the same stages with the same settings more than once. A copy of what
    the run itself has posted (`stage: comment` after a run that could write) changes nothing.
    """
    others = {one.id: one for one in present if one.commit == mine.commit}
    twins = [one for one in others.values() if one.key == mine.key and one.run == mine.run]
    if copy and any(one.conclusion is mine.conclusion for one in twins):
        return _ordered(others.values())
    stay = [one for one in twins if one.step != mine.step]
    kept = [one for one in others.values() if one.id != mine.id and (one.key != mine.key or one in stay)]
    return _ordered([*kept, mine] if keep else kept)


def _ordered(sections: Iterable[RunSection]) -> tuple[RunSection, ...]:
    """Put failures first."""
    return tuple(sorted(sections, key=lambda one: (not one.red, -one.conclusion.rank, one.key, one.id)))


def room_beside(sections: Iterable[RunSection], mine: RunSection) -> int:
    """Return the number of characters that the others leave to a section."""
    taken = sum(one.size for one in sections if one.id != mine.id)
    return max(LEAST, LIMIT - _FRAME - taken - 240)


def assembled(sections: Sequence[RunSection], limit: int = LIMIT) -> str:
    """Return the text of the comment. If it is too long, green sections are cut to their first line, then all sections."""
    kept = list(sections)
    while _size(kept) > limit:
        long = [number for number, one in enumerate(kept) if one.text != one.headline]
        if not long:
            break
        shortest = max(long, key=lambda number: (not kept[number].red, kept[number].size))
        kept[shortest] = replace(kept[shortest], text=kept[shortest].headline)
    left = 0
    while len(kept) > 1 and _size(kept) > limit:
        kept.pop()
        left += 1
    worst = max(sections, key=lambda one: (one.red, one.conclusion.rank)).conclusion
    parts = [f"{MARKER}\n## {SIGNS[Look(worst)]} ci-action: {worst}", *map(_written, kept)]
    if left:
        parts.append(f"**{left:,} more sections did not fit; see the job summaries.**")
    return "\n\n".join(parts) + "\n"


def _size(sections: Iterable[RunSection]) -> int:
    return _FRAME + sum(one.size for one in sections)


def _written(one: RunSection) -> str:
    head = (
        f"<!-- ci-action:section key={one.key} id={one.id} commit={one.commit} run={one.run}"
        f" step={one.step} conclusion={one.conclusion.value} red={int(one.red)} -->"
    )
    return f"{head}\n{one.text}\n{_END}"


def text_of(result: RunResult, sections: Sequence[Section], event: Event, about: About, limit: int) -> str:
    """Return the text of a run in about `limit` characters at most; the sections of its stages come before the findings."""
    head, tail = _headline(result, about.place), _tail(result, about)
    room = Room(limit - code_units(head + tail) - 200, code_units)
    drawing = Drawing(Channel.COMMENT, event, 4)
    parts = [
        head,
        *room.fitting([bullets(result.verdict.reasons, _MOST_REASONS)], 1),
        *room.fitting([f"**{why}**"] if (why := why_exit_0(result)) else [], 1),
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
        chosen = fair(rows_of(findings), MOST_FINDINGS)
        rows = room.fitting((_row(row, drawing) for row in chosen), MOST_FINDINGS)
        near = by_reach(findings)
        yield f"#### {counted(len(findings), 'finding')}{f': {near}' if near else ''}"
        yield "\n".join(rows)
        if note := left_out(number_of(chosen[: len(rows)]), len(findings), "findings"):
            yield f"**{note}**"


def _row(row: Row, drawing: Drawing) -> str:
    path = f"{code(row.first.path)} " if row.first.location else ""
    return f"- {path}{drawing.finding(row)}"


def _tail(result: RunResult, about: About) -> str:
    parts = [f"commit {code(about.commit[:12])}"] if about.commit else []
    parts.append(link(about.url, "full report in the job summary"))
    if result.verdict.exit_code and result.reproduce:
        parts.append(f"reproduce locally: {code(result.reproduce, 500)}")
    return f"<sub>{' · '.join(parts)}</sub>"
