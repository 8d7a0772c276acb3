"""Which packages a project needs: names with versions, who needs them, and where that is written. Values only."""

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name
from packaging.version import Version

from ci_action.model.finding import Location

_PROPER_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,200}[a-z0-9])?")


class Kind(StrEnum):
    """What an inventory was read from."""

    UV = "uv.lock"
    PYLOCK = "pylock.toml"
    POETRY = "poetry.lock"
    PDM = "pdm.lock"
    PIPENV = "Pipfile.lock"
    REQUIREMENTS = "requirements"
    METADATA = "metadata"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, kw_only=True)
class Needed:
    """One version of a package that the project needs."""

    name: str
    version: str
    location: Location | None = None
    """The line that names it."""
    parents: tuple[str, ...] = ()
    """The packages that need it."""
    direct: bool | None = None
    """Whether the project names it itself; None where that is not known."""
    named: bool = False
    """Whether the line of its place is its own, not that of the package through which it comes."""
    pinned: bool = False
    """Whether that line fixes the version."""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others: the name in its normal form, and the version in its own."""
        return key_of(self.name, self.version)


def key_of(name: str, version: str) -> tuple[str, str]:
    """Return a package's name and version in their normal forms."""
    try:
        return canonicalize_name(name), str(Version(version))
    except ValueError:  # also of a number that is too long
        return canonicalize_name(name), version


@dataclass(frozen=True, kw_only=True)
class Unauditable:
    """A package that no advisory can be found for, because it comes from elsewhere than an index."""

    name: str
    reason: str
    location: Location | None = None


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """What a project needs."""

    kind: Kind
    source: str
    """The files that it was read from, for people."""
    packages: tuple[Needed, ...] = ()
    unauditable: tuple[Unauditable, ...] = ()
    notes: tuple[str, ...] = ()
    """What people should know about how it was read."""
    files: tuple[Path, ...] = ()
    """The files whose text alone says all of it; none where a resolver or an environment had to be asked."""
    compiled: Mapping[str, str] = field(default_factory=dict)
    """Requirements files that a tool has made, by their paths, and what from (relative to the project's root)."""

    @property
    def names(self) -> frozenset[str]:
        """The names of all packages with a version."""
        return frozenset(needed.name for needed in self.packages)


def unique(packages: Iterable[Needed]) -> tuple[Needed, ...]:
    """Return every package and version once, in their order: the first place counts, the parents of all."""
    found: dict[tuple[str, str], Needed] = {}
    for needed in packages:
        known = found.get(needed.key)
        found[needed.key] = _joined(known, needed) if known else needed
    return tuple(found.values())


def _joined(one: Needed, other: Needed) -> Needed:
    known = {one.direct, other.direct}
    return replace(
        one,
        location=one.location or other.location,
        parents=tuple(dict.fromkeys((*one.parents, *other.parents))),
        direct=True if True in known else None if None in known else False,
    )


def chain(needed: Needed, packages: Mapping[str, Needed]) -> tuple[str, ...]:
    """Return the shortest way from a direct dependency down to a package, without itself.

    Empty where it is a direct one, and where nobody knows.
    """
    if needed.direct:
        return ()
    waiting: deque[tuple[Needed, tuple[str, ...]]] = deque([(needed, ())])
    seen = {needed.name}
    while waiting:
        one, below = waiting.popleft()
        for parent in sorted(one.parents):
            if parent in seen:
                continue
            seen.add(parent)
            way = (parent, *below)
            known = packages.get(parent)
            if known is None:
                continue
            if known.direct:
                return way
            waiting.append((known, way))
    return ()


def by_name(packages: Iterable[Needed]) -> dict[str, Needed]:
    """Return packages by name; of several versions the one that the project names itself, else the first."""
    found: dict[str, Needed] = {}
    for needed in packages:
        if needed.name not in found or (needed.direct and not found[needed.name].direct):
            found[needed.name] = needed
    return found


def placed(packages: Iterable[Needed], places: Mapping[str, Location]) -> tuple[Needed, ...]:
    """Give every package its place: where it is named, else where the direct dependency is through which it comes."""
    every = tuple(packages)
    known = by_name(every)

    def place(needed: Needed) -> Needed:
        if needed.location:
            return needed
        names = (needed.name, *chain(needed, known))
        found = next((places[name] for name in names if name in places), None)
        return replace(needed, location=found, named=needed.name in places)

    return tuple(map(place, every))


def sound(inventory: Inventory) -> Inventory:
    """Return the inventory with what no index can hold named as not auditable: strange names, and versions that are none."""
    good, odd = [], []
    for needed in inventory.packages:
        if not _PROPER_NAME.fullmatch(needed.name):
            odd.append(
                Unauditable(
                    name=needed.name, reason="no package can have this name", location=needed.location
                )
            )
        elif not is_version(needed.version):
            reason = f"{needed.version!r} is no version"
            odd.append(Unauditable(name=needed.name, reason=reason, location=needed.location))
        else:
            good.append(needed)
    return replace(inventory, packages=tuple(good), unauditable=(*inventory.unauditable, *odd))


def is_version(text: str) -> bool:
    """Whether a text is a version of PEP 440."""
    try:
        Version(text)
    except ValueError:  # also of a number that is too long
        return False
    return True
