"""Conventional Commits: how a title is written (https://www.conventionalcommits.org/en/v1.0.0/), and what comes near.

All expressions here take time in proportion to the text: what is before them is never given back (`*+`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# GitHub accepts no longer title.
LONGEST: Final = 256


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The readable parts of a title."""

    type: str = ""
    scopes: tuple[str, ...] = ()
    breaking: bool = False
    subject: str = ""


@dataclass(frozen=True)
class Mistake:
    """One error of a title: the rule that it breaks, and a sentence."""

    rule: str
    text: str


def quoted(text: str) -> str:
    """Return foreign text in quotes, with the numbers of characters that are not printable."""
    shown = "".join(one if one.isprintable() else repr(one)[1:-1] for one in text[: LONGEST + 1])
    return f"'{shown}{'…' if len(text) > LONGEST + 1 else ''}'"


FORM: Final = "title-form"
TYPE: Final = "title-type"
SCOPE: Final = "title-scope"
SUBJECT: Final = "title-subject"
DRAFT: Final = "title-draft"

_STRICT: Final = re.compile(
    r"(?P<type>[A-Za-z][\w-]*+)(?:\((?P<scope>[^()\r\n]++)\))?(?P<bang>!)?: ++(?P<subject>\S.*)"
)
# The same parts with too many or too few spaces.
LOOSE: Final = re.compile(
    r"(?P<lead>\s*+)(?P<type>(?:[A-Za-z][\w-]*+)?)(?P<gap>\s*+)(?P<brackets>(?:\((?P<scope>[^()]*+)\))?)(?P<before>\s*+)"
    r"(?P<bang>!*+)(?P<after>\s*+)(?P<colon>[:\uff1a])(?P<space>\s*+)(?P<subject>.*)",
    re.DOTALL,
)
_MARK: Final = re.compile(
    r"\s*+(?:\[\s*+(?:wip|draft)\s*+\]|\(\s*+(?:wip|draft)\s*+\)|(?:wip|draft)(?=\s*+:)|wip(?=\s|$)"
    r"|\U0001f6a7)\s*+:?\s*+",
    re.IGNORECASE,
)
REVERT: Final = re.compile(r'\s*+(?P<word>Revert|Reapply)\s++"(?P<title>.*)"\s*+', re.DOTALL)
FIXUP: Final = re.compile(r"\s*+(?P<word>fixup|squash|amend)!\s*+")
_MERGE: Final = re.compile(r"Merge (?:branch|branches|tag|pull request|remote-tracking branch)\b")
COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FOOTER: Final = re.compile(r"^BREAKING[ -]CHANGE(?:: | #)\S", re.MULTILINE)


def without_marks(title: str) -> tuple[str, str]:
    """Return a title without its marks of work in progress (`WIP`, `[WIP]`, `Draft:`, 🚧), and the first of them."""
    first = ""
    while match := _MARK.match(title):
        first = first or match[0].strip()
        title = title[match.end() :]
    return title, first


def read(title: str) -> tuple[Parts, list[Mistake]]:
    """Read a title by Conventional Commits; return its parts, and the errors of its form."""
    match = _STRICT.fullmatch(title)
    loose = match or LOOSE.fullmatch(title)
    if loose is None:
        return Parts(subject=title), [Mistake(FORM, _why_no_form(title))]
    parts = parts_of(loose)
    mistakes = [] if match else list(_misspelt(loose))
    if not parts.type:
        mistakes.append(Mistake(TYPE, "the type before the colon is missing, such as 'fix'"))
    if "" in parts.scopes:
        mistakes.append(Mistake(SCOPE, f"empty scope in {quoted('(' + loose['scope'] + ')')}"))
    if not parts.subject:
        mistakes.append(Mistake(SUBJECT, "the subject after the colon is missing"))
    return parts, mistakes


def parts_of(match: re.Match[str]) -> Parts:
    """Return the parts in a match of a title."""
    scopes = () if match["scope"] is None else tuple(one.strip() for one in match["scope"].split(","))
    subject = match["subject"].strip()
    return Parts(type=match["type"], scopes=scopes, breaking=bool(match["bang"]), subject=subject)


def _misspelt(loose: re.Match[str]) -> Iterator[Mistake]:
    checks = (
        (loose["lead"], "the title begins with a space"),
        (loose["gap"] or loose["before"] or loose["after"], "space before the colon"),
        (len(loose["bang"]) > 1, "use one '!' for a breaking change"),
        (loose["colon"] != ":", "the colon is not the character ':'"),
        (loose["subject"] and set(loose["space"]) != {" "}, "missing space after the colon"),
        (
            "\n" in loose["subject"] or re.search(r"[\r\n]", loose["scope"] or ""),
            "the title has more than one line",
        ),
    )
    return (Mistake(FORM, text) for wrong, text in checks if wrong)


def _why_no_form(title: str) -> str:
    if match := REVERT.fullmatch(title):
        advice = "'revert: …'" if match["word"] == "Revert" else "the title that is applied again"
        return f"{quoted(match['word'])} by GitHub is not a Conventional Commit: write {advice}"
    if match := FIXUP.match(title):
        return f"{quoted(match['word'] + '!')} is for commits that are squashed before the merge"
    if _MERGE.match(title):
        return "a merge title of git is not a Conventional Commit: write 'type: subject'"
    return "not in the form 'type: subject' or 'type(scope): subject'"


def is_breaking(parts: Parts, body: str) -> bool:
    """Whether a `!`, or a footer of the body outside of HTML comments, marks a breaking change."""
    return parts.breaking or _FOOTER.search(COMMENT.sub("\n", body)) is not None
