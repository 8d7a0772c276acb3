"""One problem of one package, whatever the number of advisories that name it. Pure: the order of what comes in is no matter."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from packaging.version import Version

from ci_action.engine.advisories.osv import UNKNOWN, Record, worst
from ci_action.engine.advisories.output import Advisory

# By which name a problem is called: first the database of Python's packages, then GitHub's, which rates, then CVE.
_PREFERRED: Final = ("PYSEC-", "GHSA-", "CVE-")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A known vulnerability of one version of a package."""

    ids: tuple[str, ...]
    """Every name that it has, the one that it is called by first."""
    summary: str
    severity: str
    fixed_in: tuple[str, ...]
    """Versions that mend it and are newer than the one that is in use, the lowest first."""
    unrated: bool = False
    """Whether no record of it could be had."""

    @property
    def id(self) -> str:
        """The name that it is called by."""
        return self.ids[0]


def preference(name: str) -> tuple[int, str]:
    """Order the names of a problem: the one to call it by comes first."""
    kind = next((index for index, start in enumerate(_PREFERRED) if name.startswith(start)), len(_PREFERRED))
    return kind, name


def grouped(advisories: Iterable[Advisory], records: Iterable[Record] = ()) -> list[list[Advisory]]:
    """Put together advisories that share a name, be it by way of a third one, or of a record that joins them."""
    every = sorted(advisories, key=lambda advisory: preference(advisory.id))
    links = [{advisory.id, *advisory.aliases} for advisory in every]
    groups = _joined([*links, *(set(record.ids) for record in records if not record.withdrawn)])
    found: dict[int, list[Advisory]] = {}
    for advisory in every:
        index = next(index for index, group in enumerate(groups) if advisory.id in group)
        found.setdefault(index, []).append(advisory)
    return list(found.values())


def _joined(sets: Sequence[set[str]]) -> list[set[str]]:
    groups: list[set[str]] = []
    for names in sets:
        joined = set(names)
        apart = []
        for group in groups:
            if group & joined:
                joined |= group
            else:
                apart.append(group)
        groups = [*apart, joined]
    return groups


def problems_of(
    name: str, version: str, advisories: Iterable[Advisory], records: Mapping[str, Record]
) -> list[Problem]:
    """Return the problems of one version of a package; `records` are those that could be had, by their names."""
    every = list(advisories)
    own = [records[one] for advisory in every for one in (advisory.id, *advisory.aliases) if one in records]
    return [_problem(name, version, group, records) for group in grouped(every, own)]


def _problem(name: str, version: str, group: Sequence[Advisory], records: Mapping[str, Record]) -> Problem:
    names = {one for advisory in group for one in (advisory.id, *advisory.aliases)}
    known = [records[one] for one in sorted(names) if one in records and not records[one].withdrawn]
    names |= {one for record in known for one in record.ids}
    severity = worst(record.severity for record in known)
    fixes = {text for advisory in group for text in advisory.fixed_in}
    fixes |= {
        str(span.fixed) for record in known for span in record.spans.get(name, ()) if span.fixed is not None
    }
    # What is written as a title is shorter than a description.
    titles = [*(record.summary for record in known), *(advisory.summary for advisory in group)]
    return Problem(
        ids=tuple(sorted(names, key=preference)),
        summary=next((text for text in titles if text), ""),
        severity=severity or UNKNOWN,
        fixed_in=_newer(version, fixes),
        unrated=not known,
    )


def _newer(version: str, texts: Iterable[str]) -> tuple[str, ...]:
    found = {number for text in texts if (number := _version(text))}
    used = _version(version)
    return tuple(str(number) for number in sorted(found) if used is None or number > used)


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except ValueError:  # also of a number that is too long
        return None


def mending(name: str, problems: Sequence[Problem], records: Mapping[str, Record]) -> str:
    """Return the lowest version that has none of the problems that can be mended; empty where none can.

    Each problem names the versions that mend it; one of them may still have another problem, or the same one again in
    a later series, which the records tell.
    """
    mendable = [problem for problem in problems if problem.fixed_in]
    candidates = sorted({Version(text) for problem in mendable for text in problem.fixed_in})
    for candidate in candidates:
        if all(_mends(candidate, name, problem, records) for problem in mendable):
            return str(candidate)
    return str(max(Version(problem.fixed_in[0]) for problem in mendable)) if mendable else ""


def _mends(candidate: Version, name: str, problem: Problem, records: Mapping[str, Record]) -> bool:
    if candidate < Version(problem.fixed_in[0]):
        return False
    known = [records[one] for one in problem.ids if one in records and not records[one].withdrawn]
    return not any(span.holds(candidate) for record in known for span in record.spans.get(name, ()))
