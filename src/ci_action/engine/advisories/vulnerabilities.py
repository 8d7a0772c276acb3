"""Joins advisories about the same problem of a package. Pure: the order of the advisories does not matter."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from packaging.version import Version

from ci_action.engine.advisories.audit import Key
from ci_action.engine.advisories.osv import UNKNOWN, Record, version_of, worst
from ci_action.engine.advisories.output import Advisory

# The preferred name of a problem: first the database of Python's packages, then GitHub's, which rates, then CVE.
_PREFERRED: Final = ("PYSEC-", "GHSA-", "CVE-")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A known vulnerability of one version of a package."""

    ids: tuple[str, ...]
    """All its names, the preferred one first."""
    summary: str
    severity: str
    fixed_in: tuple[str, ...]
    """Fixed versions that are newer than the used one, the lowest first."""
    unrated: bool = False
    """Whether none of its records could be fetched."""

    @property
    def id(self) -> str:
        """Its preferred name."""
        return self.ids[0]


def preference(name: str) -> tuple[int, str]:
    """Return the sort key for the names of a problem."""
    kind = next((index for index, start in enumerate(_PREFERRED) if name.startswith(start)), len(_PREFERRED))
    return kind, name


def grouped(advisories: Iterable[Advisory], records: Iterable[Record] = ()) -> list[list[Advisory]]:
    """Group advisories that share a name, also through a third advisory or a record."""
    every = sorted(advisories, key=lambda advisory: preference(advisory.id))
    links = [advisory.names for advisory in every]
    groups = _joined([*links, *(set(record.ids) for record in records if not record.withdrawn)])
    found = ([advisory for advisory in every if advisory.id in group] for group in groups)
    return sorted(filter(None, found), key=lambda group: preference(group[0].id))


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
    """Return the problems of one version of a package; `records` are those that could be fetched, by name."""
    every = list(advisories)
    own = [records[one] for advisory in every for one in advisory.names if one in records]
    return [_problem(name, version, group, records) for group in grouped(every, own)]


def _problem(name: str, version: str, group: Sequence[Advisory], records: Mapping[str, Record]) -> Problem:
    names = _names(group)
    known = _valid(sorted(names), records)
    names |= {one for record in known for one in record.ids}
    severity = worst(record.severity for record in known)
    fixes = {text for advisory in group for text in advisory.fixed_in}
    fixes |= {
        str(span.fixed) for record in known for span in record.spans.get(name, ()) if span.fixed is not None
    }
    # The summary of a record is a title, that of an advisory may be a description.
    titles = [*(record.summary for record in known), *(advisory.summary for advisory in group)]
    return Problem(
        ids=tuple(sorted(names, key=preference)),
        summary=next((text for text in titles if text), ""),
        severity=severity or UNKNOWN,
        fixed_in=_newer(version, fixes),
        unrated=not known,
    )


def _newer(version: str, texts: Iterable[str]) -> tuple[str, ...]:
    found = {number for text in texts if (number := version_of(text))}
    used = version_of(version)
    return tuple(str(number) for number in sorted(found) if used is None or number > used)


def mending(name: str, problems: Sequence[Problem], records: Mapping[str, Record]) -> str:
    """Return the lowest version that fixes all problems for which there is a fix; empty if there is none.

    A version that fixes one problem may still have another one, or the same one again in a later series.
    """
    fixable = [problem for problem in problems if problem.fixed_in]
    candidates = sorted({Version(text) for problem in fixable for text in problem.fixed_in})
    fixing = (one for one in candidates if all(_fixes(one, name, problem, records) for problem in fixable))
    lowest = max((Version(problem.fixed_in[0]) for problem in fixable), default="")
    return str(next(fixing, lowest))


def _fixes(candidate: Version, name: str, problem: Problem, records: Mapping[str, Record]) -> bool:
    if candidate < Version(problem.fixed_in[0]):
        return False
    spans = (span for record in _valid(problem.ids, records) for span in record.spans.get(name, ()))
    return not any(candidate in span for span in spans)


def _valid(names: Iterable[str], records: Mapping[str, Record]) -> list[Record]:
    return [records[one] for one in names if one in records and not records[one].withdrawn]


def rated(
    advisories: Mapping[Key, tuple[Advisory, ...]],
    ask: Callable[[Iterable[str]], dict[str, Record]],
    about: Callable[[Iterable[Key]], dict[str, Record]] = lambda _: {},
) -> dict[str, Record]:
    """Return the records of all advisories by name, with few requests.

    `ask` fetches records by name: those of CVE only if nothing else rates the problem. `about` returns the records in the
    answers about packages, which is used if a problem has no record.
    """
    groups = [group for found in advisories.values() for group in grouped(found)]
    names = [sorted(_names(group)) for group in groups]
    first = dict.fromkeys(one for group in names for one in _foremost(group))
    records = ask(first)
    unrated = [group for group in names if not worst(one.severity for one in _valid(group, records))]
    rest = dict.fromkeys(one for group in unrated for one in group if one not in first)
    records |= ask(rest) if rest else {}
    without = [
        key
        for key, found in advisories.items()
        if any(not records.keys() & _names(group) for group in grouped(found))
    ]
    return {**about(without), **records} if without else records


def _names(group: Iterable[Advisory]) -> set[str]:
    return {one for advisory in group for one in advisory.names}


def _foremost(names: Sequence[str]) -> Sequence[str]:
    return [one for one in names if not one.startswith("CVE-")] or names
