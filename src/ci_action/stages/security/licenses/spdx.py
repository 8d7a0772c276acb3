"""Licences: what the metadata of a package says, and whether the lists of the settings let it pass. No files here.

An expression of SPDX passes where one of its alternatives does: of `OR` one side, of `AND` both.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.metadata import RawMetadata
from packaging.utils import canonicalize_name

from ci_action.stages.security.licenses.names import CLASSIFIERS, KNOWN, NAMES

DENIED: Final = "license-denied"
NOT_ALLOWED: Final = "license-not-allowed"
UNKNOWN: Final = "license-unknown"
# No package needs more; what is longer could keep us busy.
_LONGEST: Final = 1_000
_DEEPEST: Final = 20
_LONGEST_SHOWN: Final = 120
_TOKEN: Final = re.compile(r"[()]|[^\s()]+")
_PREFIX: Final = re.compile(r"License :: (?:OSI Approved :: )?")
# Classifiers that name no licence.
_KINDS: Final = frozenset({"OSI Approved", "DFSG approved"})
# What many names of licences have, and what makes no difference.
_FILLING: Final = re.compile(r"\b(the|licen[cs]e|version|v(?=\d+\.\d+\b))\b|[,;()\"]", re.IGNORECASE)
# Deprecated identifiers of the GNU licences, which said "only" by saying nothing.
_GNU: Final = re.compile(r"(?P<name>[AL]?GPL|GFDL)-(?P<version>\d\.\d)(?P<later>\+?)(?![-\d])", re.IGNORECASE)
_PATTERN: Final = re.compile(r"[A-Za-z0-9.+*-]+")


@dataclass(frozen=True)
class Licence:
    """What a package may be used under."""

    shown: str
    """As an SPDX expression, or in its own words; empty where it says nothing."""
    expression: str = ""
    """The SPDX expression that is judged; empty where none is known."""


@dataclass(frozen=True)
class Objection:
    """Why a licence does not pass."""

    rule: str
    text: str


def canonical(text: str) -> str:
    """Return an SPDX expression in its one form; empty where it is none."""
    text = _GNU.sub(_spelled_out, text)
    if len(text) > _LONGEST or text.count("(") > _DEEPEST:
        return ""
    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        return ""


def _spelled_out(match: re.Match[str]) -> str:
    return f"{match['name']}-{match['version']}-{'or-later' if match['later'] else 'only'}"


def licence_of(metadata: RawMetadata) -> Licence:
    """Read the licence: its expression (PEP 639) first, then what the classifiers and the text field say together.

    A text that is an expression is more exact than classifiers, unless they name another licence: then both hold.
    """
    given = metadata.get("license_expression", "")
    if given:
        found = canonical(given)
        return Licence(found or _short(given), found)
    text = metadata.get("license", "").strip()
    words = [_PREFIX.sub("", one) for one in metadata.get("classifiers", ()) if one.startswith("License ::")]
    words = [one for one in words if one not in _KINDS]
    title = _title(text)
    exact = canonical(text) or (title[0] if len(title) == 1 else "")
    named = [CLASSIFIERS.get(one, ()) for one in words]
    if not all(named):
        return Licence(_short(", ".join(words)))
    if exact and all(set(names) & set(_leaves(exact)) for names in named):
        return Licence(exact, exact)
    parts = [f"({exact})" if " OR " in exact else exact] if exact else [] if words else list(title)
    expression = canonical(" AND ".join([*parts, *(name for names in named for name in names)]))
    in_doubt = any(len(names) > 1 for names in (*named, title))
    own_words = ", ".join(words) or text.split("\n")[0]
    return Licence(_short(own_words if in_doubt or not expression else expression), expression)


def _title(text: str) -> tuple[str, ...]:
    """Return what the first line of the text field stands for: a whole licence often has its name there."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return NAMES.get(" ".join(_FILLING.sub(" ", first[:_LONGEST]).casefold().split()), ())


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def objection(package: str, licence: Licence, allow: Sequence[str], deny: Sequence[str]) -> Objection | None:
    """Say why the licence of a package does not pass; None where it does."""
    own = f"LicenseRef-{canonicalize_name(package)}"
    if not licence.expression:
        # Nobody can put a name to it but the user: then it is one like any other.
        if _names(own, allow) and not _names(own, deny):
            return None
        said = (
            f"has a licence that is not known: {licence.shown}"
            if licence.shown
            else "does not name its licence"
        )
        accept = f"; to accept it, add {own} to licenses-allow" if allow else ""
        return Objection(UNKNOWN, said + accept)
    if not _holds(licence.expression, lambda leaf: not _is_denied(leaf, deny)):
        return Objection(DENIED, f"is licensed under {_said(licence)}, which licenses-deny names")
    if allow and not _holds(
        licence.expression, lambda leaf: _is_allowed(leaf, allow) and not _is_denied(leaf, deny)
    ):
        return Objection(
            NOT_ALLOWED, f"is licensed under {_said(licence)}, which licenses-allow does not name"
        )
    return None


def _said(licence: Licence) -> str:
    if licence.shown == licence.expression:
        return licence.shown
    # Own words that leave open which one is meant: what they are taken for stands beside them.
    return f"{licence.shown} ({_short(' or '.join(dict.fromkeys(_leaves(licence.expression))))})"


def _is_allowed(leaf: str, allow: Sequence[str]) -> bool:
    return _names(leaf, allow) or _names(leaf.partition(" WITH ")[0], allow)


def _is_denied(leaf: str, deny: Sequence[str]) -> bool:
    # An exception permits more, but whoever denies a licence has not said that this is enough.
    return _names(leaf, deny) or _names(leaf.partition(" WITH ")[0], deny)


def _names(leaf: str, entries: Iterable[str]) -> bool:
    return any(fnmatchcase(leaf.casefold(), _entry(entry).casefold()) for entry in entries)


def _entry(entry: str) -> str:
    return entry if "*" in entry else canonical(entry) or entry


def _holds(expression: str, passes: Callable[[str], bool]) -> bool:
    """Whether an alternative of a canonical expression has only licences that pass."""
    found, rest = _either(_TOKEN.findall(expression), passes)
    return found and not rest


def _either(tokens: list[str], passes: Callable[[str], bool]) -> tuple[bool, list[str]]:
    found, tokens = _both(tokens, passes)
    while tokens[:1] == ["OR"]:
        other, tokens = _both(tokens[1:], passes)
        found = found or other
    return found, tokens


def _both(tokens: list[str], passes: Callable[[str], bool]) -> tuple[bool, list[str]]:
    found, tokens = _one(tokens, passes)
    while tokens[:1] == ["AND"]:
        other, tokens = _one(tokens[1:], passes)
        found = found and other
    return found, tokens


def _one(tokens: list[str], passes: Callable[[str], bool]) -> tuple[bool, list[str]]:
    if tokens[0] == "(":
        found, rest = _either(tokens[1:], passes)
        return found, rest[1:]
    if tokens[1:2] == ["WITH"]:
        return passes(f"{tokens[0]} WITH {tokens[2]}"), tokens[3:]
    return passes(tokens[0]), tokens[1:]


def _leaves(expression: str) -> Iterator[str]:
    return (token for token in _TOKEN.findall(expression) if token not in {"(", ")", "AND", "OR", "WITH"})


def license_mistakes(allow: Sequence[str], deny: Sequence[str]) -> list[str]:
    """Say what is wrong with the two lists."""
    lists = {"licenses-allow": allow, "licenses-deny": deny}
    mistakes = [
        f"{name} = {entry!r}: {problem}"
        for name, entries in lists.items()
        for entry in entries
        if (problem := _problem(entry))
    ]
    both = {_entry(entry) for entry in allow} & {_entry(entry) for entry in deny}
    return [
        *mistakes,
        *(f"licenses-deny = {entry!r}: licenses-allow names it too" for entry in sorted(both)),
    ]


def _problem(entry: str) -> str:
    if "*" in entry:
        return "" if _PATTERN.fullmatch(entry) else "a pattern holds letters, digits, '.', '-', '+' and '*'"
    found = canonical(entry)
    if found and {"AND", "OR"} & set(_TOKEN.findall(found)):
        return "write one licence an entry; of `OR` one has to be allowed, of `AND` all"
    if found:
        return ""
    known = {name.casefold(): name for name in KNOWN}
    near = get_close_matches(entry.casefold(), known, n=1)
    nearest = f"; did you mean {known[near[0]]!r}?" if near else ""
    return f"that is no SPDX identifier (https://spdx.org/licenses/){nearest}"
