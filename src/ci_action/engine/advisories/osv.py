"""Advisories in OSV format: names, severity and versions of a record. Nothing in it is trusted.

https://ossf.github.io/osv-schema/
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from packaging.utils import canonicalize_name
from packaging.version import Version

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
# The minimum scores of CVSS 3 and 4; version 2 has no critical.
_SCORES: Final = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.0, "low"))
_HIGHEST_SCORE: Final = 10.0
# The longest vectors, those of CVSS 4 with all optional metrics, have some 200 characters.
_LONGEST_VECTOR: Final = 400
_LONGEST_SUMMARY: Final = 240
_MOST: Final = 500


@dataclass(frozen=True, kw_only=True)
class Span:
    """A range of affected versions: from `introduced` to before `fixed`."""

    introduced: Version | None
    """None if the range has no beginning."""
    fixed: Version | None = None
    last: Version | None = None
    """The last affected version, if no version is fixed."""

    def __contains__(self, version: Version) -> bool:
        """Whether a version is affected."""
        if self.introduced is not None and version < self.introduced:
            return False
        if self.fixed is not None and version >= self.fixed:
            return False
        return self.last is None or version <= self.last


@dataclass(frozen=True, kw_only=True)
class Record:
    """The used part of an advisory."""

    ids: frozenset[str]
    """Its name and its aliases."""
    summary: str = ""
    severity: str = ""
    """Empty if it is not rated."""
    withdrawn: bool = False
    spans: Mapping[str, Sequence[Span]]
    """The affected versions by the name of the package."""


def is_id(text: object) -> bool:
    """Whether a value can be the name of an advisory."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def record_of(document: object) -> Record | None:
    """Parse an advisory; None if it is invalid."""
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
        summary=shortened(document.get("summary")),
        severity=_severity(document),
        withdrawn=bool(document.get("withdrawn")),
        spans=spans,
    )


def shortened(text: object) -> str:
    """Return a summary on one line, cut if it is long, as a whole description is; empty if it is not a string."""
    if not isinstance(text, str):
        return ""
    line = " ".join(one_line(text[: 4 * _LONGEST_SUMMARY]).split())
    return line if len(line) <= _LONGEST_SUMMARY else f"{line[: _LONGEST_SUMMARY - 2].rstrip()} …"


def worst(severities: Iterable[str]) -> str:
    """Return the worst severity; empty if none is known."""
    return min(filter(None, severities), key=_RATED.index, default="")


def _severity(document: Mapping[str, Any]) -> str:
    """Return the worst severity of the vectors, else of the ratings by databases."""
    entries = [*_list(document.get("severity"))]
    words = [_dict(document.get("database_specific")).get("severity")]
    for affected in _list(document.get("affected")):
        entries += _list(_dict(affected).get("severity"))
        tables = (_dict(affected).get(key) for key in ("database_specific", "ecosystem_specific"))
        words += [_dict(table).get("severity") for table in tables]
    rated = worst(severity_of_vector(_dict(entry).get("score")) for entry in entries)
    return rated or worst(_WORDS.get(word.upper(), "") for word in words if isinstance(word, str))


def _spans(events: Sequence[object]) -> Iterator[Span]:
    """Yield the spans of a range; its events count in the order of their versions."""
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
            version = version_of(text)
            if text == "0" and word == "introduced":
                yield None, word
            elif version is not None:
                yield version, word


def version_of(text: str) -> Version | None:
    """Return a version; None if it is invalid."""
    try:
        return Version(text)
    except ValueError:  # also raised for a number that is too long
        return None


def severity_of_vector(vector: object) -> str:
    """Return the severity of a CVSS vector of version 2, 3 or 4, or of a bare score; empty for anything else."""
    if not isinstance(vector, str) or not 0 < len(vector) <= _LONGEST_VECTOR:
        return ""
    import cvss  # only needed if something was found

    text = vector.strip()
    if re.fullmatch(r"\d{1,2}(\.\d+)?", text):
        return _severity_of_score(float(text))
    kind = {"CVSS:4": cvss.CVSS4, "CVSS:3": cvss.CVSS3}.get(text[:6], cvss.CVSS2)
    try:
        score = float(kind(text).base_score)
    except (cvss.CVSSError, ArithmeticError, LookupError, TypeError, ValueError):
        return ""
    severity = _severity_of_score(score)
    return "high" if kind is cvss.CVSS2 and severity == "critical" else severity


def _severity_of_score(score: float) -> str:
    return next((severity for minimum, severity in _SCORES if minimum <= score <= _HIGHEST_SCORE), "")


def _list(value: object) -> Sequence[Any]:
    return value[:_MOST] if isinstance(value, list) else ()


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
