"""Everything about one title: what it says, what is wrong with it, what it could be; also as JSON, for a process of its own."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ci_action.titles import Mistake, Parts
from ci_action.titles.proposal import Around, propose
from ci_action.titles.rules import Rules, judge


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


def question(title: str, rules: Rules, around: Around) -> str:
    """Write down what is to be looked at."""
    return json.dumps({"title": title, "rules": asdict(rules), "around": asdict(around)})


def answer(text: str) -> str:
    """Look at what was written down; return what was seen, written down."""
    asked = json.loads(text)
    rules = Rules(**_tuples(asked["rules"]))
    return json.dumps(asdict(look(asked["title"], rules, Around(**_tuples(asked["around"])))))


def understood(text: str) -> Looked:
    """Read what was seen; raises `ValueError`, `TypeError` or `KeyError` where it is nothing of the kind."""
    seen = json.loads(text)
    mistakes = tuple(Mistake(**one) for one in seen["mistakes"])
    return Looked(parts=Parts(**_tuples(seen["parts"])), mistakes=mistakes, proposal=str(seen["proposal"]))


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(one) if isinstance(one, list) else one for name, one in values.items()}
