"""The comment on the pull request: one for all stages, to which several jobs may write.

GitHub cannot change a comment on condition that it is unchanged. So a job reads it right before it writes, and again a
moment later: if its own section is missing, it writes again. A job that created a second comment moves to the older one.
"""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any, Final

from ci_action.github.protocol import ApiError, GitHub
from ci_action.github.pull_request import Pull
from ci_action.model.result import RunResult
from ci_action.reporters.comment.runs import MARKER, Section, assembled, joined, parse, room_beside
from ci_action.reporters.comment.text import About, text_of
from ci_action.reporters.context import Publication
from ci_action.reporters.feedback import Ours, if_found, on_pull, place_of, require_head
from ci_action.settings.types import CommentWhen

_TRIES: Final = 6
# Seconds after which other jobs have nearly always written what they had prepared.
_PAUSE: Final = 1.0
_LONGEST: Final = 20_000
# Settings about where reports go, not about what is checked.
_NO_DIFFERENCE: Final = frozenset(
    {"report-dir", "cache-dir", "comment", "check-run", "suggestions", "labels", "stage"}
)


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
    """Whether the comment should have the section; else the one of an earlier run is removed."""
    copy: bool = False
    """Whether it is a copy of what the run may have written itself."""

    def section(self, present: Sequence[Section]) -> Section:
        """Return it as a section beside those that the comment has."""
        whole = self.render(_LONGEST)
        words = f"{self.key}\0{self.run}\0{whole}"
        mine = Section(
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
        return mine if room >= _LONGEST else replace(mine, text=self.render(room))


def wait() -> None:
    """Wait until other jobs have written what they were about to write."""
    time.sleep(_PAUSE * random.uniform(0.7, 1.5))  # noqa: S311  # nosec B311 - only so that two jobs differ


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
