"""Which records to ask for, so that every problem is rated with few questions."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from ci_action.engine.advisories.audit import Key
from ci_action.engine.advisories.osv import Record, worst
from ci_action.engine.advisories.output import Advisory
from ci_action.engine.advisories.vulnerabilities import grouped


class Records(Protocol):
    """Returns the records that can be had: `Service.records`, or a fake in tests."""

    def __call__(self, names: Iterable[str], /) -> dict[str, Record]:
        """Return them by the names that were asked for."""
        ...


def rated(
    advisories: Mapping[Key, tuple[Advisory, ...]],
    ask: Records,
    about: Callable[[Iterable[Key]], dict[str, Record]] = lambda _: {},
) -> dict[str, Record]:
    """Return the records of all advisories, and those of CVE where nothing else rates the problem.

    `about` returns those in what the service says of packages: asked where there is no record of a problem.
    """
    records = _rated(advisories, ask)
    without = [
        key
        for key, found in advisories.items()
        if any(not records.keys() & _names(group) for group in grouped(found))
    ]
    return {**about(without), **records} if without else records


def _names(group: Iterable[Advisory]) -> set[str]:
    return {one for advisory in group for one in (advisory.id, *advisory.aliases)}


def _rated(advisories: Mapping[Key, tuple[Advisory, ...]], ask: Records) -> dict[str, Record]:
    groups = [group for found in advisories.values() for group in grouped(found)]
    names = [sorted(_names(group)) for group in groups]
    first = dict.fromkeys(one for group in names for one in _foremost(group))
    records = ask(first)
    unrated = [
        group
        for group in names
        if not worst(records[one].severity for one in group if one in records and not records[one].withdrawn)
    ]
    rest = dict.fromkeys(one for group in unrated for one in group if one not in first)
    return {**records, **ask(rest)} if rest else records


def _foremost(names: Iterable[str]) -> list[str]:
    every = list(names)
    return [one for one in every if not one.startswith("CVE-")] or every
