"""Everything about one title: what it says, what is wrong with it, what it could be."""

from dataclasses import dataclass

from ci_action.stages.pr.title.parts import Mistake, Parts
from ci_action.stages.pr.title.proposal import Around, propose
from ci_action.stages.pr.title.rules import Rules, judge


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was seen in a title."""

    parts: Parts
    mistakes: tuple[Mistake, ...] = ()
    proposal: str = ""
    """A title that passes; empty where nothing is wrong, or none could be made."""


def look(title: str, rules: Rules, around: Around) -> Looked:
    """Judge a title, and propose another one where it is wrong."""
    judged = judge(title, rules)
    proposal = propose(title, rules, around) if judged.mistakes else ""
    return Looked(parts=judged.parts, mistakes=judged.mistakes, proposal=proposal)
