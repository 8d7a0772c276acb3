"""The comment as its sections: read from its text and written again. One for each run of stages, whoever wrote it.

Each section is between two hidden markers that say whose it is. Text in a section can hold no such marker.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ci_action.model.result import Conclusion
from ci_action.model.section import Look
from ci_action.reporters.limits import code_units
from ci_action.reporters.markdown_sections import SIGNS

MARKER: Final = "<!-- ci-action:comment -->"
_END: Final = "<!-- ci-action:end -->"
_SECTION: Final = re.compile(
    r"^<!-- ci-action:section key=(?P<key>[0-9a-f]{16}) id=(?P<id>[0-9a-f]{16}) commit=(?P<commit>[0-9a-f]*)"
    r" run=(?P<run>[0-9]*-[0-9]+) step=(?P<step>[0-9a-f]*) conclusion=(?P<conclusion>[a-z]+) red=(?P<red>[01]) -->\n(?P<text>.*?)\n"
    rf"{re.escape(_END)}$",
    re.MULTILINE | re.DOTALL,
)
_FORGED: Final = re.compile(r"<!--(?=\s*ci-action:)")
# GitHub takes 65,536 characters.
LIMIT: Final = 65_000
# What a section may take where others leave it no more.
LEAST: Final = 3_000
_FRAME: Final = 600


@dataclass(frozen=True, kw_only=True)
class Section:
    """What one run of stages says in the comment."""

    key: str
    """The same for the same stages with the same settings."""
    id: str
    """The same for the same words of the same run."""
    commit: str
    """The commit of the pull request that it is about."""
    run: str
    """The workflow run and its attempt."""
    step: str = ""
    """Which job and step of it."""
    conclusion: Conclusion
    red: bool
    text: str

    @property
    def size(self) -> int:
        """How many characters it takes, as the strictest way of counting has it."""
        return code_units(self.text) + 240

    @property
    def headline(self) -> str:
        """The first line, which says how it ended."""
        return self.text.partition("\n")[0]


def parse(body: str) -> tuple[Section, ...]:
    """Read the sections of a comment of ours; what is none is dropped."""
    found = []
    for match in _SECTION.finditer(body.replace("\r\n", "\n")):
        if match["conclusion"] in set(Conclusion):
            values = {name: match[name] for name in ("key", "id", "commit", "run", "step", "text")}
            conclusion = Conclusion(match["conclusion"])
            found.append(Section(**values, conclusion=conclusion, red=match["red"] == "1"))
    return tuple(found)


def harmless(text: str) -> str:
    """Return text in which nothing can be taken for one of our markers."""
    return _FORGED.sub("<!- -", text)


def joined(there: Iterable[Section], mine: Section, *, keep: bool, copy: bool = False) -> tuple[Section, ...]:
    """Return the sections with mine among them, or without it where it is not to be kept.

    Those of other commits go, and what an earlier run or the same step said of the same stages. What another job of the
    same run said of them stays beside it: a matrix runs the same stages with the same settings more than once. A copy of what has already
    been said (`stage: comment` after a run that could write) changes nothing.
    """
    others = {one.id: one for one in there if one.commit == mine.commit}
    twins = [one for one in others.values() if one.key == mine.key and one.run == mine.run]
    if copy and any(one.conclusion is mine.conclusion for one in twins):
        return _ordered(others.values())
    stay = [one for one in twins if one.step != mine.step]
    kept = [one for one in others.values() if one.id != mine.id and (one.key != mine.key or one in stay)]
    return _ordered([*kept, mine] if keep else kept)


def _ordered(sections: Iterable[Section]) -> tuple[Section, ...]:
    """Put failures first."""
    return tuple(sorted(sections, key=lambda one: (not one.red, -one.conclusion.rank, one.key, one.id)))


def room_beside(sections: Iterable[Section], mine: Section) -> int:
    """Return how many characters the others leave to a section."""
    taken = sum(one.size for one in sections if one.id != mine.id)
    return max(LEAST, LIMIT - _FRAME - taken - 240)


def assembled(sections: Sequence[Section], limit: int = LIMIT) -> str:
    """Return the text of the comment; where it would be too long, green sections keep only their first line, then all."""
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
        parts.append(f"**{left:,} more sections did not fit: they are in the summaries of their jobs.**")
    return "\n\n".join(parts) + "\n"


def _size(sections: Iterable[Section]) -> int:
    return _FRAME + sum(one.size for one in sections)


def _written(one: Section) -> str:
    head = (
        f"<!-- ci-action:section key={one.key} id={one.id} commit={one.commit} run={one.run}"
        f" step={one.step} conclusion={one.conclusion.value} red={int(one.red)} -->"
    )
    return f"{head}\n{one.text}\n{_END}"
