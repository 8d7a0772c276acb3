"""Lock files: the packages that they contain, and how pip installs these. Each file is read and parsed once in a run.

All packages count, also those for other systems and Pythons: the lock is what others install from.
"""

import json
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ci_action.model.finding import Location
from ci_action.project.dependencies.inventory import Inventory, Kind, Needed, Unauditable, unique
from ci_action.project.dependencies.pyproject import (
    find_requirement,
    poetry_tables,
    project_text,
    requirement_lists,
)
from ci_action.project.dependencies.requirements_txt import placed_names
from ci_action.system.errors import ProjectFileError
from ci_action.system.lazy import Lazy

_NAME: Final = re.compile(r"""name\s*=\s*["']([^"']*)["']""")
_TABLE: Final = re.compile(r"^\[\[packages?\]\]\s*$", re.MULTILINE)
_PIPFILE_ENTRY: Final = re.compile(r'\s*"([^"]+)"\s*:\s*\{')
_ARCHIVES: Final = (".whl", ".zip", ".gz")
_OWN: Final = "project.dependencies"
# The lists of which a lock contains everything, by the beginning of their places.
_HELD: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.UV: ("project.", "dependency-groups.", "tool.uv."),
    Kind.PYLOCK: (_OWN,),
    Kind.POETRY: ("project.", "tool.poetry."),
    Kind.PDM: (_OWN,),
    Kind.PIPENV: ("Pipfile.packages", "Pipfile.dev-packages"),
}


class Origin(StrEnum):
    """Where a locked package comes from."""

    INDEX = "a package index"
    REPOSITORY = "a repository"
    URL = "a URL"
    FILE = "a file"
    PROJECT = "a folder of the project"


@dataclass(frozen=True, kw_only=True)
class Locked:
    """One entry of a lock."""

    name: str
    version: str = ""
    """Empty if the lock names none."""
    line: int | None = None
    origin: Origin = Origin.INDEX
    needs: tuple[str, ...] = ()
    requirement: str = ""
    """How pip installs it: empty if it is not installed, and in a lock that uv reads itself."""
    section: str = ""
    """The section of a Pipfile.lock."""


@dataclass(frozen=True)
class Lock:
    """A lock file, of now or of an older commit."""

    kind: Kind
    shown: str
    """Its name in findings and messages."""
    raw: bytes
    folder: Path = Path()
    """What paths in it are relative to."""
    _parsed: "Lazy[tuple[tuple[Locked, ...], frozenset[str]]]" = field(
        default_factory=Lazy, compare=False, repr=False
    )

    @property
    def entries(self) -> tuple[Locked, ...]:
        """Its packages; raises `ProjectFileError` if it is not a lock."""
        return self._parsed.of(self._parse)[0]

    @property
    def mentioned(self) -> frozenset[str]:
        """Every name in it, also of a package that a marker keeps out of it; raises `ProjectFileError`."""
        return self._parsed.of(self._parse)[1]

    def requirements_of(self, roots: Collection[str]) -> tuple[str, ...]:
        """Return the part of them that these packages need in turn; all if there are none. Raises `ProjectFileError`."""
        needs: dict[str, set[str]] = {}
        for one in self.entries:
            needs.setdefault(one.name, set()).update(one.needs)
        waiting, wanted = list(roots), set[str]()
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted.add(name)
                waiting += needs.get(name, ())
        return tuple(
            one.requirement for one in self.entries if one.requirement and (not roots or one.name in wanted)
        )

    def _parse(self) -> tuple[tuple[Locked, ...], frozenset[str]]:
        try:
            text = self.raw.decode("utf-8")
            if self.kind is Kind.PIPENV:
                entries = tuple(_pipenv(json.loads(text), text))
                return entries, frozenset(one.name for one in entries)
            document = tomllib.loads(text)
            read = _READERS[self.kind]
            tables = _tables(document, text, "packages" if self.kind is Kind.PYLOCK else "package")
            entries = tuple(replace(read(entry, self.folder), line=line) for line, entry in tables)
            return entries, frozenset(map(canonicalize_name, _mentioned(document)))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
            why = str(error) if isinstance(error, ValueError) else repr(error)
            reason = f"{self.shown} cannot be read: {why}; recreate it with its own tool"
            raise ProjectFileError(self.shown, why, reason) from error

    def newest(self, name: str) -> str:
        """Return the version of one package, the newest if there are several; empty if it is not locked.

        Only the entries that contain its name are parsed: a lock can be megabytes, and most runs need nothing else. Raises
        `ValueError` if it is not valid TOML.
        """
        blocks = (part for part in _TABLE.split(self.raw.decode("utf-8"))[1:] if f'"{name}"' in part.lower())
        packages = [tomllib.loads(block.partition("\n[")[0]) for block in blocks]
        versions = {
            str(package.get("version", ""))
            for package in packages
            if canonicalize_name(str(package.get("name", ""))) == name
        }
        # A lock may have several versions for several Pythons: the newest is for the newest Python.
        return max(versions, key=_sortable, default="")


def kind_of(name: str) -> Kind:
    """Return the kind of a lock file: `pylock.dev.toml` is a pylock.toml."""
    return Kind.PYLOCK if name.startswith("pylock.") else Kind(name)


def inventory_of(lock: Lock, direct: frozenset[str] = frozenset()) -> Inventory:
    """Return the packages of a lock; `direct` are those that the project's own files name. Raises `ProjectFileError`.

    Folders of the project are left out; what comes from git, a URL or an archive file is reported as not auditable.
    """
    entries = lock.entries
    named: Collection[str] | None = direct or None
    own: set[str] = set()
    if lock.kind is Kind.UV:  # it contains the project's folders, and what they name
        own = {one.name for one in entries if one.origin is Origin.PROJECT}
        named = {name for one in entries if one.origin is Origin.PROJECT for name in one.needs}
    parents: dict[str, dict[str, None]] = {}
    for one in entries:
        for child in one.needs if one.name not in own else ():
            if child and child != one.name:
                parents.setdefault(child, {})[one.name] = None
    packages: list[Needed] = []
    unauditable: dict[Unauditable, None] = {}
    for one in entries:
        place = Location(path=lock.shown, line=one.line)
        if one.origin is Origin.PROJECT:  # not by its name: it may come from an index for another system
            continue
        if one.origin is Origin.INDEX and one.version:
            is_direct = None if named is None else one.name in named
            above = tuple(parents.get(one.name, ()))
            packages.append(
                Needed(name=one.name, version=one.version, location=place, parents=above, direct=is_direct)
            )
            continue
        reason = "the lock has no version for it"
        if one.origin is not Origin.INDEX:
            reason = f"it comes from {one.origin}, not from a package index"
        unauditable[Unauditable(name=one.name, reason=reason, location=place)] = None
    return Inventory(
        kind=lock.kind, source=lock.shown, packages=unique(packages), unauditable=tuple(unauditable)
    )


def direct_names(pyproject: Mapping[str, Any], pipfile: str = "") -> frozenset[str]:
    """Return the packages that pyproject.toml and Pipfile name; none if one of them has another shape."""
    try:
        return frozenset(name for _, name, _ in _named(pyproject, pipfile))
    except (ValueError, TypeError, AttributeError):
        return frozenset()


def unlocked(lock: Lock, pyproject: Mapping[str, Any], text: str, shown: str) -> Iterator[Unauditable]:
    """Yield what the project names and its lock does not contain: the lock is outdated or cut off.

    `text` is that of the file which names it: the Pipfile of Pipenv, else pyproject.toml. Only unconditional entries
    count, and only those that every lock of that kind contains: a lock may lack what a marker excludes, and some kinds
    contain a choice of groups.
    """
    own = canonicalize_name(project_text(pyproject, "name"))
    places = placed_names(text, shown)
    names: dict[str, None] = {}
    with suppress(ValueError, TypeError, AttributeError):  # a file of another shape
        for where, name, always in _named(pyproject, text if lock.kind is Kind.PIPENV else ""):
            if always and where.startswith(_HELD[lock.kind]):
                names[name] = None
    for name in names:
        if name != own and name not in lock.mentioned:
            file = shown.rpartition("/")[2]
            reason = f"{lock.shown} does not contain it, so it is older than {file}: update the lock"
            yield Unauditable(name=name, reason=reason, location=places.get(name))


def _named(pyproject: Mapping[str, Any], pipfile: str) -> Iterator[tuple[str, str, bool]]:
    """Yield (place, name, whether it is unconditional) of every package that the files name."""
    for section, table in tomllib.loads(pipfile).items() if pipfile else ():
        yield from _of_table(f"Pipfile.{section}", table if isinstance(table, dict) else {})
    for where, entries in requirement_lists(pyproject):
        for entry in entries:
            if found := find_requirement(entry):
                yield where, canonicalize_name(found.name), found.marker is None
    for where, table in poetry_tables(pyproject):
        yield from _of_table(where, table)


def _of_table(where: str, table: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    for name, value in table.items():
        if name.lower() != "python":
            yield where, canonicalize_name(name), isinstance(value, str)


def _locked(
    entry: Mapping[str, Any],
    source: Mapping[str, Any],
    origins: Mapping[str, Origin],
    needs: Iterable[str],
    requirement: str = "",
) -> Locked:
    """Return an entry; the first of `origins` that its source names is its origin, and a path to an archive is a file."""
    version = entry.get("version")
    word = next((word for word in origins if source.get(word)), "")
    origin = origins.get(word, Origin.INDEX)
    if word == "path" and str(source[word]).endswith(_ARCHIVES):
        origin = Origin.FILE
    return Locked(
        name=canonicalize_name(entry["name"]),
        version=version if isinstance(version, str) else "",
        origin=origin,
        needs=tuple(map(canonicalize_name, needs)),
        requirement=requirement,
    )


def _uv(entry: Mapping[str, Any], _folder: Path) -> Locked:
    folders = dict.fromkeys(("virtual", "editable", "directory"), Origin.PROJECT)
    origins = {**folders, "git": Origin.REPOSITORY, "url": Origin.URL, "path": Origin.FILE}
    lists = [entry.get("dependencies", ())]
    for key in ("optional-dependencies", "dev-dependencies"):
        lists += entry.get(key, {}).values()
    return _locked(entry, entry["source"], origins, (one["name"] for entries in lists for one in entries))


def _pylock(entry: Mapping[str, Any], _folder: Path) -> Locked:
    origins = {"directory": Origin.PROJECT, "vcs": Origin.REPOSITORY, "archive": Origin.URL}
    return _locked(entry, entry, origins, (one["name"] for one in entry.get("dependencies", ())))


def _poetry(entry: Mapping[str, Any], folder: Path) -> Locked:
    origins = {"directory": Origin.PROJECT, "git": Origin.REPOSITORY, "url": Origin.URL, "file": Origin.FILE}
    source = entry.get("source", {})
    match kind := source.get("type", ""):
        case "git":
            commit = source.get("resolved_reference", source.get("reference", "HEAD"))
            wanted = f" @ git+{source['url']}@{commit}"
        case "url":
            wanted = f" @ {source['url']}"
        case "directory" | "file":
            wanted = f" @ {(folder / source['url']).resolve().as_uri()}"
        case _:
            wanted = f"=={entry.get('version', '')}{_marker(entry.get('markers', ''))}"
    needs = entry.get("dependencies", {})
    return _locked(entry, {kind: source.get("url")}, origins, needs, f"{entry['name']}{wanted}")


def _pdm(entry: Mapping[str, Any], _folder: Path) -> Locked:
    origins = {"path": Origin.PROJECT, "git": Origin.REPOSITORY, "url": Origin.URL}
    wanted = f"=={entry.get('version', '')}{_marker(entry.get('marker', ''))}"
    if entry.get("git"):
        wanted = f" @ git+{entry['git']}@{entry.get('revision', 'HEAD')}"
    # One with extras is the same package again, one with a path the project itself.
    again = "extras" in entry or entry.get("path")
    needs = (found.name for one in entry.get("dependencies", ()) if (found := find_requirement(one)))
    return _locked(entry, entry, origins, needs, "" if again else f"{entry['name']}{wanted}")


def _pipenv(document: Mapping[str, Any], text: str) -> Iterator[Locked]:
    origins = {"path": Origin.PROJECT, "git": Origin.REPOSITORY, "file": Origin.FILE}
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if match := _PIPFILE_ENTRY.match(line):
            lines.setdefault(match[1], number)
    installed = {**document.get("default", {}), **document.get("develop", {})}
    for section, entries in document.items():
        for name, entry in entries.items() if section != "_meta" else ():
            version = str(entry.get("version", ""))
            wanted = ""
            if "git" in entry:
                wanted = f"{name} @ git+{entry['git']}@{entry.get('ref', 'HEAD')}"
            elif "version" in entry:
                extras = f"[{','.join(entry['extras'])}]" if entry.get("extras") else ""
                wanted = f"{canonicalize_name(name)}{extras}{version}{_marker(entry.get('markers', ''))}"
            found = {"name": name, "version": version.strip().removeprefix("==").strip("= ")}
            one = _locked(found, entry, origins, (), wanted if installed.get(name) is entry else "")
            yield replace(one, line=lines.get(name), section=section)


def _marker(markers: object) -> str:
    if isinstance(markers, dict):  # Poetry 2: one marker for each group
        parts = [f"({marker})" for marker in markers.values() if marker]
        return f" ; {' or '.join(parts)}" if parts and len(parts) == len(markers) else ""
    return f" ; {markers}" if markers else ""


def _tables(document: Mapping[str, Any], text: str, key: str) -> list[tuple[int | None, dict[str, Any]]]:
    """Return the tables of a list with the lines of their names, or without lines if these are ambiguous."""
    entries = document.get(key, [])
    wanted = re.compile(rf"\[\[\s*{key}\s*\]\]\s*(#.*)?")
    numbers: list[int] = []
    waiting = False
    for number, line in enumerate(text.split("\n"), 1):
        if wanted.fullmatch(line.strip()):
            waiting = True
        elif waiting and _NAME.match(line.strip()):
            numbers.append(number)
            waiting = False
    lines: Sequence[int | None] = numbers if len(numbers) == len(entries) else [None] * len(entries)
    return list(zip(lines, entries, strict=True))


def _mentioned(value: object) -> Iterator[str]:
    """Yield every value of a key `name` in a document."""
    if isinstance(value, dict):
        if isinstance(name := value.get("name"), str):
            yield name
        value = value.values()
    elif not isinstance(value, list):
        return
    for inner in value:
        yield from _mentioned(inner)


def _sortable(version: str) -> Version:
    try:
        return Version(version)
    except InvalidVersion:
        return Version("0")


_READERS: Final[Mapping[Kind, Callable[[Mapping[str, Any], Path], Locked]]] = {
    Kind.UV: _uv,
    Kind.PYLOCK: _pylock,
    Kind.POETRY: _poetry,
    Kind.PDM: _pdm,
}
