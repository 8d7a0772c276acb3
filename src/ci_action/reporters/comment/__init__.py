"""The comment on the pull request: one for all stages, whoever of several jobs writes to it.

GitHub has no way to change a comment only if nobody else did. So it is read right before it is written, and read again a
moment later: whoever does not find what they have written, writes again. Who has created one beside another job's moves
to the older one.
"""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from ci_action.github.protocol import ApiError, GitHub
from ci_action.github.pull_request import Pull
from ci_action.model.result import RunResult
from ci_action.reporters.comment.runs import MARKER, Section, assembled, joined, parse, room_beside
from ci_action.reporters.comment.text import About, text_of
from ci_action.reporters.context import Publication
from ci_action.reporters.feedback import Ours, on_pull, place_of
from ci_action.settings.types import CommentWhen

_TRIES: Final = 6
# Seconds after which what others have read before we wrote has been written, nearly always.
_PAUSE: Final = 1.0
_NOT_FOUND: Final = 404
# A longer one is read by nobody.
_LONGEST: Final = 20_000
# What says where reports go and who hears of them, not what is looked at.
_NO_DIFFERENCE: Final = frozenset(
    {"report-dir", "cache-dir", "comment", "check-run", "suggestions", "labels", "stage"}
)


def report(result: RunResult, publication: Publication) -> None:
    """Write what the run says into the comment of its pull request, where the user asked for it."""
    when = publication.resolved.settings.comment
    if when is not CommentWhen.NEVER:
        on_pull(
            result,
            publication,
            "the comment",
            lambda github, pull: _write(github, pull, result, publication, when),
        )


def _write(
    github: GitHub, pull: Pull, result: RunResult, publication: Publication, when: CommentWhen
) -> None:
    event, chosen = publication.event, publication.resolved.chosen()
    key = key_of([stage.stage for stage in result.stages], chosen)
    about = About(place=place_of(chosen), commit=pull.head_sha, url=event.run_url)
    entry = Entry(
        result=result,
        render=lambda limit: text_of(result, publication.sections(result), event, about, limit),
        key=key,
        commit=pull.head_sha,
        run=f"{event.run_id}-{event.attempt}",
        step=event.step,
        keep=when is CommentWhen.ALWAYS or bool(result.verdict.exit_code),
    )
    write(github, pull.number, entry)


def key_of(stages: Sequence[str], chosen: Mapping[str, Any]) -> str:
    """Return what is the same for the same stages with the same settings."""
    settings = {name: value for name, value in chosen.items() if name not in _NO_DIFFERENCE}
    text = json.dumps([sorted(stages), settings], sort_keys=True, default=str)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is to be written."""

    result: RunResult
    render: Callable[[int], str]
    """Makes the text, at most so many characters of it."""
    key: str
    commit: str
    run: str
    step: str = ""
    """Which job and step of the run; two of the same are one, and the later counts."""
    keep: bool
    """Whether it is to be there; else what an earlier run has said is taken away."""
    copy: bool = False
    """Whether it is a copy of what the run may have written itself."""

    def section(self, there: Sequence[Section]) -> Section:
        """Return it as a section beside those that are there."""
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
            text="",
        )
        room = room_beside(joined(there, mine, keep=False), mine)
        return replace(mine, text=whole if room >= _LONGEST else self.render(room))


def wait() -> None:
    """Wait until what others were about to write has been written."""
    spread = random.uniform(0.7, 1.5)  # noqa: S311  # nosec B311 - only so that two do not keep step
    time.sleep(_PAUSE * spread)


def write(github: GitHub, number: int, entry: Entry, pause: Callable[[], None] = wait) -> None:
    """Bring the comment to what it should be; raises `ApiError`."""
    if _head(github, number) not in {entry.commit, ""}:
        raise ApiError("the pull request has newer commits by now, and the comment is about those")
    writer = _Writer(github, number, entry)
    for _ in range(_TRIES):
        if not writer.settle():
            return
        pause()
    raise ApiError("others kept changing it at the same time")


def _head(github: GitHub, number: int) -> str:
    head = github.pull(number).get("head")
    sha = head.get("sha") if isinstance(head, Mapping) else None
    return sha if isinstance(sha, str) else ""


class _Writer:
    """Reads the comment, and writes what is missing."""

    def __init__(self, github: GitHub, number: int, entry: Entry) -> None:
        self._github = github
        self._number = number
        self._entry = entry
        self._ours = Ours(github)
        self._made = False

    def settle(self) -> bool:
        """Write what has to be written; return whether there was anything."""
        found = [one for one in self._github.comments(self._number) if self._ours.is_comment(one, MARKER)]
        found.sort(key=lambda one: int(one["id"]))
        there = [section for one in found for section in parse(str(one["body"]))]
        wanted = joined(there, self._entry.section(there), keep=self._entry.keep, copy=self._entry.copy)
        body = assembled(wanted) if wanted else ""
        if not found:
            if not body or self._made:  # what was just created may not be listed yet
                return False
            self._ours.learn(self._github.create_comment(self._number, body))
            self._made = True
            return True
        first, *others = found
        changed = bool(others) or _plain(str(first["body"])) != _plain(body)
        if body and _plain(str(first["body"])) != _plain(body):
            self._github.update_comment(int(first["id"]), body)
        for one in others if body else found:
            self._delete(int(one["id"]))
        return changed

    def _delete(self, comment: int) -> None:
        try:
            self._github.delete_comment(comment)
        except ApiError as error:
            if error.status != _NOT_FOUND:  # somebody was faster
                raise


def _plain(body: str) -> str:
    """Return a text as GitHub may keep it."""
    return body.replace("\r\n", "\n").strip()
