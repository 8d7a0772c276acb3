"""A valid title made from an invalid one: the type by its synonyms, the changed files or the first verb."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice, product
from typing import Final

from ci_action.stages.pr.title.grammar import FIXUP, LONGEST, LOOSE, REVERT, Parts, parts_of, without_marks
from ci_action.stages.pr.title.rules import TYPES, Judged, Rules, judge, literals
from ci_action.stages.pr.title.words import NO_VERBS, imperative, near_types, type_of_paths, type_of_verb

_SPACES: Final = re.compile(r"\s++")
# `[feat] add`, `feat(api) - add`, `feat/add`, `feat add`: a type at the head without a colon behind it.
_HEAD: Final = re.compile(
    r"(?P<open>[\[<]?)(?P<type>[A-Za-z][\w-]*+)(?:\((?P<scope>[^()]*+)\))?(?P<close>[\]>]?)(?P<bang>!*+)"
    r"(?P<between>\s*+[-–—/;|>=:]*+\s*+)(?P<subject>\S.*)"
)
_SENTENCE: Final = re.compile(r"[A-Z][a-z]++(?![\w.])")
_MOST: Final = 200
# Without a type by files or words, a guess helps more than nothing: most changes are one of these.
_LAST_RESORT: Final = ("feat", "fix", "chore")


@dataclass(frozen=True, kw_only=True)
class Around:
    """The pull request beside its title."""

    paths: tuple[str, ...] = ()
    """The changed files."""
    area: str = ""
    """The only area of the settings that all of them are in."""


def propose(title: str, rules: Rules, around: Around) -> str:
    """Return a title that keeps all rules; empty if there is none."""
    if len(title) > LONGEST:
        return ""
    text = _tidy(title)
    candidates = dict.fromkeys(_candidates(text, rules, around))
    for one in islice(candidates, _MOST):
        if one and one != title and not judge(one, rules).mistakes:
            return one
    return ""


def _tidy(title: str) -> str:
    """Return a title on one line without marks of work in progress and without invisible characters."""
    spaced = _SPACES.sub(" ", title)
    text, _ = without_marks("".join(one for one in spaced if one.isprintable()).strip())
    while match := FIXUP.match(text):
        text = text[match.end() :]
    return text.strip()


def _candidates(text: str, rules: Rules, around: Around) -> Iterator[str]:
    yield text
    if parts := _parts(text):
        yield from _written(parts, rules, around)
    if rules.pattern:
        yield from _subjects(text)


def _parts(text: str) -> Parts | None:
    if match := REVERT.fullmatch(text):
        title = match["title"].strip()
        return Parts(type="revert", subject=title) if match["word"] == "Revert" else _parts(title)
    if match := LOOSE.fullmatch(text):
        return parts_of(match)
    match = _HEAD.fullmatch(text)
    if match and (_is_type(match) or (match["open"] and match["close"])):
        return parts_of(match)
    return Parts(subject=text) if text else None


def _is_type(match: re.Match[str]) -> bool:
    """Whether the first word is a type, and not the verb of a sentence."""
    word = match["type"].lower()
    if match["between"].strip() or match["scope"] is not None or match["bang"]:
        return any(one in TYPES for one in near_types(word, TYPES))
    return word in NO_VERBS and match["between"] != ""


def _written(parts: Parts, rules: Rules, around: Around) -> Iterator[str]:
    types, scopes = list(_types(parts, rules, around)), tuple(filter(None, parts.scopes))
    if not types and parts.type:  # `parser: fix a crash`: the type is a scope
        types, scopes = list(_types(replace(parts, type=""), rules, around)), scopes or (parts.type,)
    for kind, chosen in product(types, list(_scopes(scopes, rules, around))):
        if chosen == kind and not scopes:  # not `docs(docs)`
            continue
        for subject in _subjects(_without_twin(kind, parts.subject)):
            yield f"{kind}{f'({chosen})' if chosen else ''}{'!' if parts.breaking else ''}: {subject}"


def _without_twin(kind: str, subject: str) -> str:
    """Remove a verb that repeats the type: `fix: fix a crash` is `fix: a crash`."""
    verb, _, rest = subject.partition(" ")
    return rest.strip() if kind == "fix" and imperative(verb) == "fix" and rest.strip() else subject


def _types(parts: Parts, rules: Rules, around: Around) -> Iterator[str]:
    allowed = rules.allowed_types or TYPES
    known = literals(allowed)
    if parts.type:
        words = [parts.type]
    else:
        words = [type_of_paths(around.paths), *_of_verb(parts.subject, around.paths)]
        if parts.subject.lower() not in TYPES:  # a type alone is not a subject
            words += _LAST_RESORT
    for word in filter(None, words):
        yield from (one for one in near_types(word, known) if rules.matches(one, allowed))


def _of_verb(subject: str, paths: Collection[str]) -> Iterator[str]:
    if re.match(r"(?:bump|upgrade|update)s?\b.*\bfrom\b.*\bto\b", subject, re.IGNORECASE) and not paths:
        yield "build"  # the titles of dependency bots
    yield type_of_verb(subject)


def _scopes(given: Iterable[str], rules: Rules, around: Around) -> Iterator[str]:
    """Yield the scopes to try: those of the title, corrected; then those of the changed files; then none."""
    known = literals(rules.scopes)
    mended = [_mended(one, known) for one in given]
    if mended:
        yield ",".join(mended)
        allowed = [one for one in mended if not rules.scopes or rules.matches(one, rules.scopes)]
        yield ",".join(one for one in allowed if not rules.matches(one, rules.disallowed))
    if not mended and around.area:
        yield around.area
    if rules.scopes or rules.require_scope:
        yield from _common(around.paths)
        yield from known if len(known) == 1 and rules.require_scope else ()
    yield ""


def _mended(scope: str, known: tuple[str, ...]) -> str:
    near = [one for one in known if one.lower() == scope.lower()]
    near += get_close_matches(scope.lower(), known, n=1)
    return scope if scope in known or not near else near[0]


def _common(paths: Iterable[str]) -> Iterator[str]:
    """Yield the folders that all changed files have in common, the innermost first."""
    folders = [path.split("/")[:-1] for path in paths]
    shared: list[str] = []
    for names in zip(*folders, strict=False):
        if len(set(names)) > 1:
            break
        shared.append(names[0])
    yield from (one for one in reversed(shared) if re.fullmatch(r"[\w.-]+", one))


def _subjects(subject: str) -> Iterator[str]:
    """Yield the ways to write a subject: without the full stop, and with a small letter if it begins as a sentence."""
    bare = subject.removesuffix(".") if not subject.endswith("..") else subject
    small, large = bare[:1].lower() + bare[1:], bare[:1].upper() + bare[1:]
    begins = _SENTENCE.match(bare)
    if begins and type_of_verb(bare):  # a name keeps its capital letter
        yield small
    yield bare
    if begins:
        yield small
    yield from (large, subject)


def look(title: str, rules: Rules, around: Around) -> Judged:
    """Judge a title, and propose a valid one if it has errors."""
    judged = judge(title, rules)
    return replace(judged, proposal=propose(title, rules, around)) if judged.mistakes else judged
