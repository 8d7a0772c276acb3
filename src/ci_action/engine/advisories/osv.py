"""Advisories in the format of OSV: what a record says of names, severity and versions. Nothing in it is trusted.

https://ossf.github.io/osv-schema/
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from packaging.utils import canonicalize_name
from packaging.version import Version

from ci_action.engine.advisories.severity import severity_of_vector
from ci_action.model.finding import SEVERITIES
from ci_action.system.text import one_line

UNKNOWN: Final = "unknown"
_RATED: Final = tuple(severity for severity in SEVERITIES if severity != UNKNOWN)
_WORDS: Final = {
    "LOW": "low",
    "MODERATE": "medium",
    "MEDIUM": "medium",
    "HIGH": "high",
    "CRITICAL": "critical",
}
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,79}")
_LONGEST_TITLE: Final = 240
_MOST: Final = 500


@dataclass(frozen=True, kw_only=True)
class Span:
    """Versions that are affected: from the first one up to, and without, the one that mends it."""

    introduced: Version | None
    """None for the very first version."""
    fixed: Version | None = None
    last: Version | None = None
    """The last affected version, where no mended one is named."""

    def holds(self, version: Version) -> bool:
        """Whether a version is affected."""
        if self.introduced is not None and version < self.introduced:
            return False
        if self.fixed is not None and version >= self.fixed:
            return False
        return self.last is None or version <= self.last


@dataclass(frozen=True, kw_only=True)
class Record:
    """What we take from an advisory."""

    ids: frozenset[str]
    """Its own name and its aliases."""
    summary: str = ""
    severity: str = ""
    """How bad it is; empty where it does not say."""
    withdrawn: bool = False
    spans: Mapping[str, Sequence[Span]]
    """The affected versions by the name of the package."""


def is_id(text: object) -> bool:
    """Whether something can be the name of an advisory."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def record_of(document: object) -> Record | None:
    """Read an advisory; None where it is none."""
    if not isinstance(document, dict) or not is_id(document.get("id")):
        return None
    names = [document["id"], *_list(document.get("aliases"))]
    spans: dict[str, list[Span]] = {}
    for affected in _list(document.get("affected")):
        package = _dict(_dict(affected).get("package"))
        name = package.get("name")
        if package.get("ecosystem") != "PyPI" or not isinstance(name, str):
            continue
        for one in _list(_dict(affected).get("ranges")):
            if _dict(one).get("type") in {"ECOSYSTEM", "SEMVER"}:
                spans.setdefault(canonicalize_name(name), []).extend(_spans(_list(_dict(one).get("events"))))
    return Record(
        ids=frozenset(name for name in names if is_id(name)),
        summary=_title(document.get("summary")),
        severity=_severity(document),
        withdrawn=bool(document.get("withdrawn")),
        spans=spans,
    )


def worst(severities: Iterable[str]) -> str:
    """Return the worst of some severities; empty where none is known."""
    known = set(severities)
    return next((severity for severity in _RATED if severity in known), "")


def _title(text: object) -> str:
    if not isinstance(text, str):
        return ""
    line = " ".join(one_line(text[: 4 * _LONGEST_TITLE]).split())
    return line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 2].rstrip()} …"


def _severity(document: Mapping[str, Any]) -> str:
    """Return the severity by the vectors, the worst of them; else by the word of the database."""
    entries = [*_list(document.get("severity"))]
    words = [_dict(document.get("database_specific")).get("severity")]
    for affected in _list(document.get("affected")):
        entries += _list(_dict(affected).get("severity"))
        tables = (_dict(affected).get(key) for key in ("database_specific", "ecosystem_specific"))
        words += [_dict(table).get("severity") for table in tables]
    rated = worst(severity_of_vector(_dict(entry).get("score")) for entry in entries)
    return rated or worst(_WORDS.get(word.upper(), "") for word in words if isinstance(word, str))


def _spans(events: Sequence[object]) -> Iterator[Span]:
    """Read the events of a range, in the order of their versions, as the format wants it."""
    introduced: Version | None = None
    inside = False
    for version, word in sorted(_events(events), key=lambda event: (event[0] is not None, event[0] or Version("0"), _ORDER[event[1]])):  # fmt: skip
        if word == "introduced" and not inside:
            introduced, inside = version, True
        elif word == "fixed" and inside:
            yield Span(introduced=introduced, fixed=version)
            inside = False
        elif word == "last_affected" and inside:
            yield Span(introduced=introduced, last=version)
            inside = False
    if inside:
        yield Span(introduced=introduced)


_ORDER: Final = {"fixed": 0, "introduced": 1, "last_affected": 2}


def _events(events: Sequence[object]) -> Iterator[tuple[Version | None, str]]:
    for event in events:
        for word, text in _dict(event).items():
            if word not in _ORDER or not isinstance(text, str):
                continue
            if text == "0" and word == "introduced":
                yield None, word
                continue
            try:
                yield Version(text), word
            except ValueError:  # also of a number that is too long
                continue


def _list(value: object) -> Sequence[Any]:
    return value[:_MOST] if isinstance(value, list) else ()


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
