"""The rules of a project for its titles, from the settings, and all errors of a title at once."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from ci_action.settings import Settings
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
from ci_action.system.patterns import SECONDS, Expressions
from ci_action.system.text import did_you_mean

TYPES: Final = ("feat", "fix", "docs", "style", "refactor", "perf", "test", "build", "ci", "chore", "revert")
GROUPS: Final = ("type", "scope", "breaking", "subject")
PLACEHOLDERS: Final = ("title", "type", "scope", "subject", "proposal")
_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_]\w*)\}")
# Other syntax of Python in braces: an attribute, an entry, a conversion, a format.
_TOO_MUCH: Final = re.compile(r"\{([A-Za-z_]\w*)[.\[!:][^{}\s]*\}")
_LITERAL: Final = re.compile(r"[\w /@#-]+")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The settings of titles: regular expressions, each for the whole text of its part."""

    types: tuple[str, ...] = ()
    """If empty, those of Conventional Commits, or any if `pattern` is set."""
    scopes: tuple[str, ...] = ()
    disallowed: tuple[str, ...] = ()
    require_scope: bool = False
    subject: str = ""
    pattern: str = ""
    """For the whole title instead of Conventional Commits."""
    expressions: Expressions = field(default_factory=Expressions, compare=False, repr=False)
    """Matches the expressions, which share its time."""

    @property
    def allowed_types(self) -> tuple[str, ...]:
        """The types that a title may have; empty for any."""
        return self.types or (() if self.pattern else TYPES)

    def matches(self, text: str, expressions: Iterable[str]) -> bool:
        """Whether one of the expressions matches the whole text; raises `TimedOutError` when the time is used up."""
        return any(self.expressions.fullmatch(one, text) for one in expressions)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The parts of a title, and its errors."""

    parts: Parts
    mistakes: tuple[Mistake, ...] = ()
    proposal: str = ""
    """A valid title; empty if there are no errors, or no proposal."""


def literals(expressions: Iterable[str]) -> tuple[str, ...]:
    """Return the expressions that match one text only, and the sides of a plain `a|b`."""
    sides = (side for one in expressions for side in one.removeprefix("(").removesuffix(")").split("|"))
    return tuple(side for side in sides if _LITERAL.fullmatch(side))


def judge(title: str, rules: Rules) -> Judged:
    """Return the parts of a title and all its errors; no expression is matched with more than GitHub's longest title.

    Raises `TimedOutError` when the time of the expressions is used up.
    """
    if len(title) > LONGEST:
        long = Mistake(FORM, f"the title has {len(title):,} characters; GitHub accepts at most {LONGEST}")
        return Judged(parts=Parts(), mistakes=(long,))
    judged = _judge(title, rules)
    rest, mark = without_marks(title)
    if not mark or not judged.mistakes:
        return judged
    text = (
        f"{quoted(mark)} marks work in progress: make the pull request a draft, or set `draft-titles: skip`"
    )
    judged = _judge(rest, rules)
    return replace(judged, mistakes=(Mistake(DRAFT, text), *judged.mistakes))


def _judge(title: str, rules: Rules) -> Judged:
    parts, mistakes = _by_pattern(title, rules) if rules.pattern else read(title)
    if mistakes and mistakes[0].rule == FORM and parts == Parts(subject=title):
        return Judged(parts=parts, mistakes=tuple(mistakes))  # no part is readable
    mistakes += [*_of_type(parts, rules), *_of_scopes(parts, rules), *_of_subject(parts, rules)]
    return Judged(parts=parts, mistakes=tuple(dict.fromkeys(mistakes)))


def _by_pattern(title: str, rules: Rules) -> tuple[Parts, list[Mistake]]:
    match = rules.expressions.fullmatch(rules.pattern, title)
    if match is None:
        text = f"the title does not match `title-pattern`: {rules.pattern}"
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
            yield Mistake(TYPE, "the title has no type")
        return
    near = next((one for one in near_types(parts.type, literals(allowed)) if rules.matches(one, allowed)), "")
    hint = f"; did you mean {near!r}?" if near else ""
    yield Mistake(TYPE, f"unknown type {quoted(parts.type)}; allowed: {', '.join(allowed)}{hint}")


def _of_scopes(parts: Parts, rules: Rules) -> Iterator[Mistake]:
    allowed = f"; allowed: {', '.join(rules.scopes)}" if rules.scopes else ""
    if rules.require_scope and not parts.scopes:
        yield Mistake(SCOPE, f"the title has no scope, as in 'fix(scope): …'{allowed}")
    for scope in filter(None, parts.scopes):
        if rules.scopes and not rules.matches(scope, rules.scopes):
            yield Mistake(SCOPE, f"unknown scope {quoted(scope)}{allowed}")
        if rules.disallowed and rules.matches(scope, rules.disallowed):
            yield Mistake(SCOPE, f"the scope {quoted(scope)} is not allowed")


def _of_subject(parts: Parts, rules: Rules) -> Iterator[Mistake]:
    if rules.subject and parts.subject and not rules.matches(parts.subject, [rules.subject]):
        yield Mistake(SUBJECT, f"the subject {quoted(parts.subject)} does not match: {rules.subject}")


def seconds_of(settings: Settings) -> float:
    """Return the time of all expressions together: one that needs more for a title never ends."""
    return min(SECONDS, float(settings.timeout))


def rules_of(settings: Settings) -> Rules:
    """Return the rules in the settings."""
    return Rules(
        types=settings.title_types,
        scopes=settings.title_scopes,
        disallowed=settings.title_disallow_scopes,
        require_scope=settings.title_require_scope,
        subject=settings.title_subject_pattern,
        pattern=settings.title_pattern,
        expressions=Expressions(seconds_of(settings)),
    )


def filled(template: str, values: dict[str, str]) -> str:
    """Replace the placeholders of a text, once: a value is only text."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), template)


def title_mistakes(settings: Settings) -> Iterator[str]:
    """Yield the errors in the settings of titles: unknown names, and contradictions."""
    if settings.title_pattern:
        yield from _of_groups(settings)
    for scope in settings.title_disallow_scopes:
        if scope in settings.title_scopes:
            yield f"title-disallow-scopes: {scope!r} is in title-scopes too; remove it from one of them"
    for match in _PLACEHOLDER.finditer(settings.title_error):
        if match[1] not in PLACEHOLDERS:
            yield f"title-error: unknown placeholder {match[0]!r}{did_you_mean(match[1], PLACEHOLDERS)}"
    for match in _TOO_MUCH.finditer(settings.title_error):
        if match[1] in PLACEHOLDERS:
            yield f"title-error: {match[0]!r} is more than a name in braces; write '{{{match[1]}}}'"


def _of_groups(settings: Settings) -> Iterator[str]:
    groups = re.compile(settings.title_pattern).groupindex
    for name in groups:
        if name not in GROUPS:
            yield f"title-pattern: unknown group {name!r}{did_you_mean(name, GROUPS)}"
    needed = {
        "title-types": ("type", settings.title_types),
        "title-scopes": ("scope", settings.title_scopes),
        "title-disallow-scopes": ("scope", settings.title_disallow_scopes),
        "title-require-scope": ("scope", settings.title_require_scope),
        "title-subject-pattern": ("subject", settings.title_subject_pattern),
    }
    for setting, (group, given) in needed.items():
        if given and group not in groups:
            yield f"{setting}: title-pattern has no group {group!r} for it; write '(?P<{group}>…)' in it"
