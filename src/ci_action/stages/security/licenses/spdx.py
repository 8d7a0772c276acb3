"""Reads the licence of a package from its metadata and checks it against `licenses-allow` and `licenses-deny`.

An SPDX expression passes if one of its alternatives does: one side of `OR`, both sides of `AND`.
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
# No package needs more; longer ones could take long to parse.
_LONGEST: Final = 1_000
_DEEPEST: Final = 20
_LONGEST_SHOWN: Final = 120
_TOKEN: Final = re.compile(r"[()]|[^\s()]+")
_OPERAND: Final = re.compile(r"[^\s()]+(?: WITH [^\s()]+)?")
_INNERMOST: Final = re.compile(r"\(([^()]*)\)")
_PREFIX: Final = re.compile(r"License :: (?:OSI Approved :: )?")
# Classifiers that do not name a licence.
_KINDS: Final = frozenset({"OSI Approved", "DFSG approved"})
# Words and characters that make no difference in the name of a licence.
_FILLING: Final = re.compile(r"\b(the|licen[cs]e|version|v(?=\d+\.\d+\b))\b|[,;()\"]", re.IGNORECASE)
# Deprecated identifiers of the GNU licences: without a suffix they mean "only".
_GNU: Final = re.compile(r"(?P<name>[AL]?GPL|GFDL)-(?P<version>\d\.\d)(?P<later>\+?)(?![-\d])", re.IGNORECASE)
_PATTERN: Final = re.compile(r"[A-Za-z0-9.+*-]+")


@dataclass(frozen=True)
class Licence:
    """The licence of a package."""

    shown: str
    """As an SPDX expression, or in the package's own words; empty if none is declared."""
    expression: str = ""
    """The SPDX expression that is checked; empty if it is unknown."""


@dataclass(frozen=True)
class Objection:
    """The rule that a licence breaks, and the end of the message about it."""

    rule: str
    text: str


def canonical(text: str) -> str:
    """Return the canonical form of an SPDX expression; empty if it is invalid."""
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
    """Return the licence by its expression (PEP 639), else by the classifiers and the field `License` together.

    A field that is an expression is more exact than classifiers, unless they name another licence: then both apply.
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
    """Return the identifiers for the first line of the field `License`, which may hold a whole licence text."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return NAMES.get(" ".join(_FILLING.sub(" ", first[:_LONGEST]).casefold().split()), ())


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def objection(package: str, licence: Licence, allow: Sequence[str], deny: Sequence[str]) -> Objection | None:
    """Return why the licence of a package does not pass; None if it does."""
    if not licence.expression:
        # The user can name it by `LicenseRef-…`, which then counts like any other licence.
        own = f"LicenseRef-{canonicalize_name(package)}"
        if _in(own, allow) and not _in(own, deny):
            return None
        text = f"has an unknown licence: {licence.shown}" if licence.shown else "does not declare a licence"
        accept = f"; to accept it, add {own} to licenses-allow" if allow else ""
        return Objection(UNKNOWN, text + accept)
    if not _holds(licence.expression, lambda leaf: not _in(leaf, deny)):
        return Objection(DENIED, f"is licensed under {_described(licence)}, which is in licenses-deny")
    if allow and not _holds(licence.expression, lambda leaf: _in(leaf, allow) and not _in(leaf, deny)):
        return Objection(
            NOT_ALLOWED, f"is licensed under {_described(licence)}, which is not in licenses-allow"
        )
    return None


def _described(licence: Licence) -> str:
    if licence.shown == licence.expression:
        return licence.shown
    # Its own words are ambiguous: add what they may mean.
    return f"{licence.shown} ({_short(' or '.join(dict.fromkeys(_leaves(licence.expression))))})"


def _in(leaf: str, entries: Iterable[str]) -> bool:
    """Whether entries match a licence, with or without its exception."""
    names = {leaf.casefold(), leaf.partition(" WITH ")[0].casefold()}
    return any(fnmatchcase(name, _entry(entry).casefold()) for entry in entries for name in names)


def _entry(entry: str) -> str:
    return entry if "*" in entry else canonical(entry) or entry


def _holds(expression: str, passes: Callable[[str], bool]) -> bool:
    """Whether an alternative of a canonical expression has only licences that pass."""

    def reduced(found: re.Match[str]) -> str:
        return found[0] if found[0] in {"AND", "OR"} else "+" if passes(found[0]) else "-"

    text = _OPERAND.sub(reduced, expression)
    while "(" in text:
        text = _INNERMOST.sub(lambda found: "+" if _any(found[1]) else "-", text)
    return _any(text)


def _any(alternatives: str) -> bool:
    return any("-" not in one for one in alternatives.split(" OR "))


def _leaves(expression: str) -> Iterator[str]:
    return (token for token in _TOKEN.findall(expression) if token not in {"(", ")", "AND", "OR", "WITH"})


def license_mistakes(allow: Sequence[str], deny: Sequence[str]) -> list[str]:
    """Return the mistakes in the two lists."""
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
        *(f"licenses-deny = {entry!r}: also in licenses-allow" for entry in sorted(both)),
    ]


def _problem(entry: str) -> str:
    if "*" in entry:
        return (
            ""
            if _PATTERN.fullmatch(entry)
            else "a pattern may only contain letters, digits, '.', '-', '+' and '*'"
        )
    found = canonical(entry)
    if found and {"AND", "OR"} & set(_TOKEN.findall(found)):
        return "write one licence per entry: one side of `OR` must be allowed, both sides of `AND`"
    if found:
        return ""
    known = {name.casefold(): name for name in KNOWN}
    near = get_close_matches(entry.casefold(), known, n=1)
    nearest = f"; did you mean {known[near[0]]!r}?" if near else ""
    return f"not an SPDX identifier (https://spdx.org/licenses/){nearest}"
