"""What a project asks of its titles, and what is wrong with one: every mistake at once."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from ci_action.stages.pr.title.grammar import (
    DRAFT,
    FORM,
    LONGEST,
    SCOPE,
    SUBJECT,
    TYPE,
    Mistake,
    Parts,
    quoted,
    read,
    without_marks,
)
from ci_action.stages.pr.title.words import near_types
from ci_action.system.patterns import Expressions

TYPES: Final = ("feat", "fix", "docs", "style", "refactor", "perf", "test", "build", "ci", "chore", "revert")
GROUPS: Final = ("type", "scope", "breaking", "subject")
_LITERAL: Final = re.compile(r"[\w /@#-]+")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The settings of titles: regular expressions, each for the whole of what it is about."""

    types: tuple[str, ...] = ()
    """Those of Conventional Commits where empty, and none where `pattern` is set."""
    scopes: tuple[str, ...] = ()
    disallowed: tuple[str, ...] = ()
    require_scope: bool = False
    subject: str = ""
    pattern: str = ""
    """For the whole title instead of Conventional Commits."""
    expressions: Expressions = field(default_factory=Expressions, compare=False, repr=False)
    """Matches the expressions, all of which share its time."""

    @property
    def allowed_types(self) -> tuple[str, ...]:
        """The types that a title may have; empty for any."""
        return self.types or (() if self.pattern else TYPES)

    def matches(self, text: str, expressions: Iterable[str]) -> bool:
        """Whether one of the expressions matches the whole text; raises `TimedOutError` when the time is used up."""
        return any(self.expressions.fullmatch(one, text) for one in expressions)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a title says, and what is wrong with it."""

    parts: Parts
    mistakes: tuple[Mistake, ...] = ()


def literals(expressions: Iterable[str]) -> tuple[str, ...]:
    """Return the expressions that stand for one text only, and the sides of a plain `a|b`."""
    sides = (side for one in expressions for side in one.removeprefix("(").removesuffix(")").split("|"))
    return tuple(side for side in sides if _LITERAL.fullmatch(side))


def judge(title: str, rules: Rules) -> Judged:
    """Say what is wrong with a title, all at once; no expression meets more than GitHub's longest title.

    Raises `TimedOutError` when the time of the expressions is used up.
    """
    if len(title) > LONGEST:
        long = Mistake(
            FORM, f"the title has {len(title):,} characters, and GitHub takes no more than {LONGEST}"
        )
        return Judged(parts=Parts(), mistakes=(long,))
    judged = _judge(title, rules)
    rest, mark = without_marks(title)
    if not mark or not judged.mistakes:
        return judged
    text = f"{quoted(mark)} says that it is work in progress: make the pull request a draft, or set `draft-titles: skip`"
    judged = _judge(rest, rules)
    return replace(judged, mistakes=(Mistake(DRAFT, text), *judged.mistakes))


def _judge(title: str, rules: Rules) -> Judged:
    parts, mistakes = _by_pattern(title, rules) if rules.pattern else read(title)
    if mistakes and mistakes[0].rule == FORM and parts == Parts(subject=title):
        return Judged(parts=parts, mistakes=tuple(mistakes))  # nothing of it could be read
    mistakes += [*_of_type(parts, rules), *_of_scopes(parts, rules), *_of_subject(parts, rules)]
    return Judged(parts=parts, mistakes=tuple(dict.fromkeys(mistakes)))


def _by_pattern(title: str, rules: Rules) -> tuple[Parts, list[Mistake]]:
    match = rules.expressions.fullmatch(rules.pattern, title)
    if match is None:
        text = f"the title does not match the expression of `title-pattern`: {rules.pattern}"
        return Parts(subject=title), [Mistake(FORM, text)]
    found = {name: text or "" for name, text in match.groupdict().items()}
    scopes = tuple(one.strip() for one in found.get("scope", "").split(","))
    parts = Parts(
        type=found.get("type", ""),
        scopes=tuple(filter(None, scopes)),
        breaking=bool(found.get("breaking")),
        subject=found.get("subject", ""),
    )
    return parts, []


def _of_type(parts: Parts, rules: Rules) -> Iterator[Mistake]:
    allowed = rules.allowed_types
    if not allowed or not parts.type or rules.matches(parts.type, allowed):
        if rules.types and not parts.type and rules.pattern:
            yield Mistake(TYPE, "there is no type in the title")
        return
    near = next((one for one in near_types(parts.type, literals(allowed)) if rules.matches(one, allowed)), "")
    told = f"; did you mean {near!r}?" if near else ""
    yield Mistake(TYPE, f"the type {quoted(parts.type)} is none of: {', '.join(allowed)}{told}")


def _of_scopes(parts: Parts, rules: Rules) -> Iterator[Mistake]:
    given = tuple(filter(None, parts.scopes))
    if rules.require_scope and not parts.scopes:
        choice = f", one of: {', '.join(rules.scopes)}" if rules.scopes else ""
        yield Mistake(SCOPE, f"the title has no scope, as in 'fix(scope): …'{choice}")
    for scope in given:
        if rules.scopes and not rules.matches(scope, rules.scopes):
            yield Mistake(SCOPE, f"the scope {quoted(scope)} is none of: {', '.join(rules.scopes)}")
        if rules.disallowed and rules.matches(scope, rules.disallowed):
            yield Mistake(SCOPE, f"the scope {quoted(scope)} is not allowed here")


def _of_subject(parts: Parts, rules: Rules) -> Iterator[Mistake]:
    if rules.subject and parts.subject and not rules.matches(parts.subject, [rules.subject]):
        yield Mistake(SUBJECT, f"the subject {quoted(parts.subject)} does not match: {rules.subject}")
