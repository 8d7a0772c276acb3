"""Lock files: what they fix, and how pip installs it. All who need one get it from here, read and parsed once in a run.

All that a lock holds counts, also what is for other systems and Pythons: the lock is what others install from.
Nothing is started here.
"""

import json
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ci_action.model.finding import Location
from ci_action.project.dependencies.inventory import Inventory, Kind, Needed, Unauditable, unique
from ci_action.project.dependencies.poetry_tables import poetry_tables
from ci_action.project.dependencies.pyproject import requirement_lists, requirement_of
from ci_action.project.dependencies.requirements_txt import placed_names
from ci_action.system.errors import ProjectFileError
from ci_action.system.lazy import Lazy
from ci_action.system.project_files import read_project_file

_NAME: Final = re.compile(r"""name\s*=\s*["']([^"']*)["']""")
_TABLE: Final = re.compile(r"^\[\[packages?\]\]\s*$", re.MULTILINE)
_PIPFILE_ENTRY: Final = re.compile(r'\s*"([^"]+)"\s*:\s*\{')
# The sources of uv that are folders of the project.
_LOCAL: Final = frozenset({"virtual", "editable", "directory"})
_ARCHIVES: Final = (".whl", ".zip", ".gz")
_OWN: Final = "project.dependencies"
# The lists of which a lock holds everything, by the beginning of their places.
_HELD: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.UV: ("project.", "dependency-groups.", "tool.uv."),
    Kind.PYLOCK: (_OWN,),
    Kind.POETRY: ("project.",),
    Kind.PDM: (_OWN,),
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
    """How pip installs it: empty for what is not installed, and in a lock that uv reads itself."""
    section: str = ""
    """The section of a Pipfile.lock."""


@dataclass(frozen=True)
class _Parsed:
    entries: tuple[Locked, ...]
    mentioned: frozenset[str]
    """Every name in the lock, also that of a package which a marker keeps out of it."""


@dataclass(frozen=True)
class Lock:
    """The text of a lock file, be it today's or that of an older commit."""

    kind: Kind
    shown: str
    """What findings and messages call it."""
    raw: bytes
    folder: Path = Path()
    """What paths in it are relative to."""
    _parsed: Lazy[_Parsed] = field(default_factory=Lazy, compare=False, repr=False)

    @property
    def entries(self) -> tuple[Locked, ...]:
        """What it holds; raises `ProjectFileError` if it is not a lock."""
        return self._parsed.of(self._parse).entries

    @property
    def mentioned(self) -> frozenset[str]:
        """Every name in it, also that of a package that is not locked; raises `ProjectFileError`."""
        return self._parsed.of(self._parse).mentioned

    @property
    def requirements(self) -> tuple[str, ...]:
        """What pip installs, as lines of a requirements file; raises `ProjectFileError`."""
        return tuple(one.requirement for one in self.entries if one.requirement)

    def _parse(self) -> _Parsed:
        try:
            text = self.raw.decode("utf-8")
            document = (json if self.kind is Kind.PIPENV else tomllib).loads(text)
            entries = tuple(_READERS[self.kind](document, text, self.folder))
            mentioned = {one.name for one in entries}
            if self.kind is not Kind.PIPENV:
                mentioned.update(map(canonicalize_name, _mentioned(document)))
            return _Parsed(entries, frozenset(mentioned))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
            why = str(error) if isinstance(error, ValueError) else repr(error)
            reason = f"{self.shown} cannot be read: {why}; make it anew with its own tool"
            raise ProjectFileError(self.shown, why, reason) from error

    def newest(self, name: str) -> str:
        """Return the version of one package, the newest if there are several; empty if it is not locked.

        Only the entries that hold its name are parsed: a lock can be megabytes, and most runs ask for nothing else. Raises
        `ValueError` for what is not TOML.
        """
        blocks = (part for part in _TABLE.split(self.raw.decode("utf-8"))[1:] if f'"{name}"' in part.lower())
        packages = [tomllib.loads(block.partition("\n[")[0]) for block in blocks]
        versions = {
            str(package.get("version", ""))
            for package in packages
            if canonicalize_name(str(package.get("name", ""))) == name
        }
        # A lock may hold several versions for several Pythons: the newest is the one for the newest Python.
        return max(versions, key=_sortable, default="")


class Locks:
    """The lock files of a run, each read at most once."""

    def __init__(self) -> None:
        self._known: dict[Path, Lazy[Lock]] = {}

    def of(self, file: Path, shown: str, workspace: Path) -> Lock:
        """Return a lock file of the project; raises `ProjectFileError`."""
        return self._known.setdefault(file, Lazy()).of(
            lambda: Lock(kind_of(file.name), shown, read_project_file(file, workspace), file.parent)
        )


def kind_of(name: str) -> Kind:
    """Return the kind of a lock file: `pylock.dev.toml` is a pylock.toml."""
    return Kind.PYLOCK if name.startswith("pylock.") else Kind(name)


def inventory_of(lock: Lock, direct: frozenset[str] = frozenset()) -> Inventory:
    """Return what a lock fixes; `direct` is what the project's own files name. Raises `ProjectFileError`.

    Left out are folders of the project itself; what comes from git, a URL or an archive file is named as not auditable.
    """
    entries = lock.entries
    if lock.kind is Kind.UV:  # it holds the project's folders, and what they name
        own = {one.name for one in entries if one.origin is Origin.PROJECT}
        named: Collection[str] | None = {
            name for one in entries if one.origin is Origin.PROJECT for name in one.needs
        }
    else:
        own, named = set(), direct or None
    parents = _parents((one.name, one.needs) for one in entries if one.name not in own)
    packages: list[Needed] = []
    unauditable: dict[Unauditable, None] = {}
    for one in entries:
        place = Location(path=lock.shown, line=one.line)
        if one.origin is Origin.PROJECT:  # not by its name: it may come from an index for another system
            continue
        if one.origin is Origin.INDEX and one.version:
            needed = Needed(
                name=one.name, version=one.version, location=place, parents=tuple(parents.get(one.name, ()))
            )
            packages.append(replace(needed, direct=None if named is None else one.name in named))
            continue
        reason = "the lock names no version"
        if one.origin is not Origin.INDEX:
            reason = f"it comes from {one.origin}, not from a package index"
        unauditable[Unauditable(name=one.name, reason=reason, location=place)] = None
    return Inventory(
        kind=lock.kind, source=lock.shown, packages=unique(packages), unauditable=tuple(unauditable)
    )


def direct_names(pyproject: Mapping[str, Any], pipfile: str = "") -> frozenset[str]:
    """Return the packages that the project's own files name, the Pipfile among them."""
    found = set()
    try:
        for _, entries in requirement_lists(pyproject):
            found |= {name for entry in entries if (name := _name_of(entry))}
        for _, table in poetry_tables(pyproject):
            found |= {canonicalize_name(name) for name in table}
        for section in tomllib.loads(pipfile).values() if pipfile else ():
            found |= {canonicalize_name(name) for name in section} if isinstance(section, dict) else set()
    except (ValueError, TypeError, AttributeError):
        return frozenset()
    return frozenset(found)


def unlocked(lock: Lock, pyproject: Mapping[str, Any], text: str, shown: str) -> Iterator[Unauditable]:
    """Yield what the project names and its lock does not hold: the lock is older than the project's files, or cut off.

    `text` is that of the file which names it: the Pipfile of Pipenv, else pyproject.toml. Only what stands there without a
    condition is asked for, and only where every lock of that kind holds it: a lock may leave out what a marker excludes,
    and some kinds hold a choice of groups.
    """
    project = pyproject.get("project")
    own = canonicalize_name(str(project.get("name", "")) if isinstance(project, dict) else "")
    places = placed_names(text, shown)
    for name in dict.fromkeys(_named(lock.kind, pyproject, text)):
        if name != own and name not in lock.mentioned:
            file = shown.rpartition("/")[2]
            reason = f"{lock.shown} does not hold it, so it is older than {file}: make it anew"
            yield Unauditable(name=name, reason=reason, location=places.get(name))


def _named(kind: Kind, document: Mapping[str, Any], text: str) -> Iterator[str]:
    try:
        if kind is Kind.PIPENV:
            pipfile = tomllib.loads(text)
            tables: Iterable[Any] = (pipfile.get(name, {}) for name in ("packages", "dev-packages"))
        else:
            tables = (table for _, table in poetry_tables(document)) if kind is Kind.POETRY else ()
            for where, entries in requirement_lists(document):
                if where.startswith(_HELD.get(kind, ())):
                    yield from filter(None, (_name_of(entry, conditional=False) for entry in entries))
        for table in tables:
            yield from (
                canonicalize_name(name)
                for name, value in table.items()
                if isinstance(value, str) and name.lower() != "python"
            )
    except (ValueError, TypeError, AttributeError):  # a file of another shape says nothing here
        return


def _name_of(requirement: object, *, conditional: bool = True) -> str:
    try:
        found = requirement_of(requirement) if isinstance(requirement, str) else None
    except InvalidRequirement:
        return ""
    return canonicalize_name(found.name) if found and (conditional or found.marker is None) else ""


def _uv(document: Mapping[str, Any], text: str, _folder: Path) -> Iterator[Locked]:
    origins = {"git": Origin.REPOSITORY, "url": Origin.URL, "path": Origin.FILE}
    for line, entry in _tables(document, text, "package"):
        lists = [entry.get("dependencies", ())]
        for key in ("optional-dependencies", "dev-dependencies"):
            lists += entry.get(key, {}).values()
        origin = next((origins[word] for word in origins if word in entry["source"]), Origin.INDEX)
        yield Locked(
            name=_name(entry),
            version=_version(entry),
            line=line,
            origin=origin if _LOCAL.isdisjoint(entry["source"]) else Origin.PROJECT,
            needs=tuple(_name(one) for entries in lists for one in entries),
        )


def _pylock(document: Mapping[str, Any], text: str, _folder: Path) -> Iterator[Locked]:
    origins = {"directory": Origin.PROJECT, "vcs": Origin.REPOSITORY, "archive": Origin.URL}
    for line, entry in _tables(document, text, "packages"):
        yield Locked(
            name=_name(entry),
            version=_version(entry),
            line=line,
            origin=next((origins[word] for word in origins if word in entry), Origin.INDEX),
            needs=tuple(map(_name, entry.get("dependencies", ()))),
        )


def _poetry(document: Mapping[str, Any], text: str, folder: Path) -> Iterator[Locked]:
    origins = {
        "directory": Origin.PROJECT,
        "git": Origin.REPOSITORY,
        "url": Origin.URL,
        "file": Origin.FILE,
    }
    for line, entry in _tables(document, text, "package"):
        source = entry.get("source", {})
        origin = origins.get(source.get("type", ""), Origin.INDEX)
        match origin:
            case Origin.INDEX:
                wanted = f"=={entry.get('version', '')}{_marker(entry.get('markers', ''))}"
            case Origin.REPOSITORY:
                commit = source.get("resolved_reference", source.get("reference", "HEAD"))
                wanted = f" @ git+{source['url']}@{commit}"
            case Origin.URL:
                wanted = f" @ {source['url']}"
            case _:
                wanted = f" @ {(folder / source['url']).resolve().as_uri()}"
        yield Locked(
            name=_name(entry),
            version=_version(entry),
            line=line,
            origin=origin,
            needs=tuple(map(canonicalize_name, entry.get("dependencies", {}))),
            requirement=f"{entry['name']}{wanted}",
        )


def _pdm(document: Mapping[str, Any], text: str, _folder: Path) -> Iterator[Locked]:
    for line, entry in _tables(document, text, "package"):
        if entry.get("git"):
            wanted = f"{entry['name']} @ git+{entry['git']}@{entry.get('revision', 'HEAD')}"
        else:
            wanted = f"{entry['name']}=={entry.get('version', '')}{_marker(entry.get('marker', ''))}"
        # One with extras is the same package again, one with a path the project itself.
        again = "extras" in entry or entry.get("path")
        yield Locked(
            name=_name(entry),
            version=_version(entry),
            line=line,
            origin=_origin(entry, {"git": Origin.REPOSITORY, "url": Origin.URL}),
            needs=tuple(map(_name_of, entry.get("dependencies", ()))),
            requirement="" if again else wanted,
        )


def _pipfile(document: Mapping[str, Any], text: str, _folder: Path) -> Iterator[Locked]:
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if match := _PIPFILE_ENTRY.match(line):
            lines.setdefault(match[1], number)
    installed = {**document.get("default", {}), **document.get("develop", {})}
    for section, entries in document.items():
        if section == "_meta":
            continue
        for name, entry in entries.items():
            wanted = ""
            if "git" in entry:
                wanted = f"{name} @ git+{entry['git']}@{entry.get('ref', 'HEAD')}"
            elif "version" in entry:
                extras = f"[{','.join(entry['extras'])}]" if entry.get("extras") else ""
                wanted = (
                    f"{canonicalize_name(name)}{extras}{entry['version']}{_marker(entry.get('markers', ''))}"
                )
            yield Locked(
                name=canonicalize_name(name),
                version=str(entry.get("version", "")).strip().removeprefix("==").strip("= "),
                line=lines.get(name),
                origin=_origin(entry, {"git": Origin.REPOSITORY, "file": Origin.FILE}),
                requirement=wanted if installed.get(name) is entry else "",
                section=section,
            )


def _origin(entry: Mapping[str, Any], origins: Mapping[str, Origin]) -> Origin:
    """Return the origin in a lock of PDM or Pipenv: a path is the project's folder, unless it is an archive."""
    if local := entry.get("path"):
        return Origin.FILE if str(local).endswith(_ARCHIVES) else Origin.PROJECT
    return next((origins[word] for word in origins if entry.get(word)), Origin.INDEX)


def _marker(markers: object) -> str:
    if isinstance(markers, dict):  # Poetry 2: one marker for each group
        parts = [f"({marker})" for marker in markers.values() if marker]
        return f" ; {' or '.join(parts)}" if parts and len(parts) == len(markers) else ""
    return f" ; {markers}" if markers else ""


def _parents(needs: Iterable[tuple[str, Iterable[str]]]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for name, children in needs:
        for child in children:
            if child and child != name:
                found.setdefault(child, {})[name] = None
    return {child: list(names) for child, names in found.items()}


def _tables(document: Mapping[str, Any], text: str, key: str) -> list[tuple[int | None, dict[str, Any]]]:
    """Return the tables of a list with the lines of their names; without these where lines do not tell."""
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
    """Yield all that `name` says anywhere in a document."""
    if isinstance(value, dict):
        if isinstance(name := value.get("name"), str):
            yield name
        value = value.values()
    elif not isinstance(value, list):
        return
    for inner in value:
        yield from _mentioned(inner)


def _name(entry: Mapping[str, Any]) -> str:
    return canonicalize_name(entry["name"])


def _version(entry: Mapping[str, Any]) -> str:
    version = entry.get("version")
    return version if isinstance(version, str) else ""


def _sortable(version: str) -> Version:
    try:
        return Version(version)
    except InvalidVersion:
        return Version("0")


_READERS: Final[Mapping[Kind, Callable[[Mapping[str, Any], str, Path], Iterator[Locked]]]] = {
    Kind.UV: _uv,
    Kind.PYLOCK: _pylock,
    Kind.POETRY: _poetry,
    Kind.PDM: _pdm,
    Kind.PIPENV: _pipfile,
}
