"""Which records to ask for, so that every problem is rated with few questions."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from ci_action.advisories.problems import grouped
from ci_action.advisories.records import Record, worst
from ci_action.parsers.pip_audit import Advisory


class Records(Protocol):
    """Returns the records that can be had: `Service.records`, or a fake in tests."""

    def __call__(self, names: Iterable[str], /) -> dict[str, Record]:
        """Return them by the names that were asked for."""
        ...


def rated(advisories: Mapping[tuple[str, str], tuple[Advisory, ...]], ask: Records) -> dict[str, Record]:
    """Return the records of all advisories, and those of CVE where nothing else rates the problem."""
    groups = [group for found in advisories.values() for group in grouped(found)]
    names = [
        sorted({one for advisory in group for one in (advisory.id, *advisory.aliases)}) for group in groups
    ]
    first = dict.fromkeys(one for group in names for one in _foremost(group))
    records = ask(first)
    unrated = [
        group
        for group in names
        if not worst(records[one].level for one in group if one in records and not records[one].withdrawn)
    ]
    rest = dict.fromkeys(one for group in unrated for one in group if one not in first)
    return {**records, **ask(rest)} if rest else records


def _foremost(names: Iterable[str]) -> list[str]:
    every = list(names)
    return [one for one in every if not one.startswith("CVE-")] or every
