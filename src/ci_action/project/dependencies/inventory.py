"""The packages that a project needs: names, versions, their parents, and where they are named."""

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

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
    IMAGE = "image"


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
    """Whether the project names it itself; None if unknown."""
    named: bool = False
    """Whether the line of its place names this package, not the one that leads to it."""
    pinned: bool = False
    """Whether that line fixes the version."""
    folder: str = ""
    """The folder in an image that it is installed in."""

    @property
    def key(self) -> tuple[str, str]:
        """The name and version in their normal forms."""
        return key_of(self.name, self.version)


def canonical(name: str) -> str:
    """Return the normal form of a package's name."""
    from packaging.utils import canonicalize_name  # not needed in most runs

    return canonicalize_name(name)


def key_of(name: str, version: str) -> tuple[str, str]:
    """Return a package's name and version in their normal forms."""
    from packaging.version import Version  # as above

    try:
        return canonical(name), str(Version(version))
    except ValueError:  # also for a number that is too long
        return canonical(name), version


@dataclass(frozen=True, kw_only=True)
class Unauditable:
    """A package that cannot be audited, mostly because it does not come from a package index."""

    name: str
    reason: str
    location: Location | None = None


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """The packages that a project needs."""

    kind: Kind
    source: str
    """The files that it was read from, for people."""
    packages: tuple[Needed, ...] = ()
    unauditable: tuple[Unauditable, ...] = ()
    notes: tuple[str, ...] = ()
    """Remarks for people on how it was read."""
    files: tuple[Path, ...] = ()
    """The files that contain all of it; none if it is from a resolver or an environment."""
    compiled: Mapping[str, str] = field(default_factory=dict)
    """Requirements files that a tool generated, with their sources (relative to the project's root)."""


def unique(packages: Iterable[Needed]) -> tuple[Needed, ...]:
    """Return every package and version once, in their order: with the first place, and the parents of all."""
    found: dict[tuple[str, str], Needed] = {}
    for needed in packages:
        known = found.get(needed.key, needed)
        directs = {known.direct, needed.direct}
        found[needed.key] = replace(
            known,
            location=known.location or needed.location,
            parents=tuple(dict.fromkeys((*known.parents, *needed.parents))),
            direct=True if True in directs else None if None in directs else False,
        )
    return tuple(found.values())


def chain(needed: Needed, packages: Mapping[str, Needed]) -> tuple[str, ...]:
    """Return the shortest way from a direct dependency down to a package, without itself.

    Empty if it is direct itself, or if no way is known.
    """
    if needed.direct:
        return ()
    waiting: deque[tuple[Needed, tuple[str, ...]]] = deque([(needed, ())])
    seen = {needed.name}
    while waiting:
        one, below = waiting.popleft()
        for parent in sorted({*one.parents} - seen):
            seen.add(parent)
            known = packages.get(parent)
            if known and known.direct:
                return (parent, *below)
            if known:
                waiting.append((known, (parent, *below)))
    return ()


def by_name(packages: Iterable[Needed]) -> dict[str, Needed]:
    """Return packages by name; of several versions a direct dependency, else the first."""
    found: dict[str, Needed] = {}
    for needed in packages:
        if needed.name not in found or (needed.direct and not found[needed.name].direct):
            found[needed.name] = needed
    return found


def placed(packages: Iterable[Needed], places: Mapping[str, Location]) -> tuple[Needed, ...]:
    """Add to every package its place: where it is named, else where the direct dependency is that leads to it."""
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
    """Return the inventory with packages of invalid names or versions as not auditable."""
    from packaging.version import Version  # as above

    good, odd = [], []
    for needed in inventory.packages:
        reason = "" if _PROPER_NAME.fullmatch(needed.name) else "it is not a valid package name"
        try:
            Version(needed.version)
        except ValueError:  # also for a number that is too long
            reason = reason or f"{needed.version!r} is not a valid version"
        if reason:
            odd.append(Unauditable(name=needed.name, reason=reason, location=needed.location))
        else:
            good.append(needed)
    return replace(inventory, packages=tuple(good), unauditable=(*inventory.unauditable, *odd))
