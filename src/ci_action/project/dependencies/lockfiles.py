"""Lock files: text in, the packages that they fix out. Nothing is read or started here.

All that a lock holds counts, also what is for other systems and Pythons: the lock is what others install from.
Left out are folders of the project itself; what comes from git, a URL or an archive file is named as not auditable.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from ci_action.model.finding import Location
from ci_action.project.dependencies.inventory import Inventory, Kind, Needed, Unauditable, unique
from ci_action.project.dependencies.poetry import poetry_tables
from ci_action.project.dependencies.pyproject import requirement_lists, requirement_of
from ci_action.system.errors import ToolError

_NAME: Final = re.compile(r"""name\s*=\s*["']([^"']*)["']""")
_PIPFILE_ENTRY: Final = re.compile(r'\s*"([^"]+)"\s*:\s*\{')
# The sources of uv that are folders of the project.
_LOCAL: Final = frozenset({"virtual", "editable", "directory"})
# An entry of a lock, its line, whether the project names it; None for what is the project's own.
_Entry = Needed | Unauditable | None


def read_lock(kind: Kind, text: str, path: str, direct: frozenset[str] = frozenset()) -> Inventory:
    """Read a lock file; `path` is what findings call it, `direct` what the project's own files name.

    Raises `ToolError` where it is none.
    """
    try:
        entries = list(_READERS[kind](text, path, direct))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ToolError(f"{path} cannot be read: {error!r}; make it anew with its own tool") from error
    return Inventory(
        kind=kind,
        source=path,
        packages=unique(entry for entry in entries if isinstance(entry, Needed)),
        unauditable=tuple(dict.fromkeys(entry for entry in entries if isinstance(entry, Unauditable))),
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


def _name_of(requirement: object) -> str:
    try:
        return canonicalize_name(requirement_of(requirement).name) if isinstance(requirement, str) else ""
    except InvalidRequirement:
        return ""


def _uv(text: str, path: str, _direct: frozenset[str]) -> Iterator[_Entry]:
    entries = _tables(text, "package")
    own = [entry for _, entry in entries if not _LOCAL.isdisjoint(entry["source"])]
    local = {_name(entry) for entry in own}
    named = {name for entry in own for name in _uv_needs(entry)}
    parents = _parents((_name(entry), _uv_needs(entry)) for _, entry in entries if _name(entry) not in local)
    for number, entry in entries:
        source, name = entry["source"], _name(entry)
        if not _LOCAL.isdisjoint(
            source
        ):  # by its source: the same name may come from an index for another system
            continue
        origin = next((word for word in ("git", "url", "path") if word in source), "")
        yield _entry(
            name, entry.get("version"), _at(path, number), origin, parents=parents, direct=name in named
        )


def _uv_needs(entry: Mapping[str, Any]) -> list[str]:
    lists = [entry.get("dependencies", ())]
    for key in ("optional-dependencies", "dev-dependencies"):
        lists += entry.get(key, {}).values()
    return [_name(one) for entries in lists for one in entries]


def _pylock(text: str, path: str, direct: frozenset[str]) -> Iterator[_Entry]:
    entries = _tables(text, "packages")
    needs = ((_name(entry), map(_name, entry.get("dependencies", ()))) for _, entry in entries)
    parents = _parents(needs)
    for number, entry in entries:
        if "directory" in entry:
            continue
        origin = "git" if "vcs" in entry else "url" if "archive" in entry else ""
        yield _entry(
            _name(entry), entry.get("version"), _at(path, number), origin, parents=parents, direct=_is_direct(_name(entry), direct)
        )  # fmt: skip


def _poetry(text: str, path: str, direct: frozenset[str]) -> Iterator[_Entry]:
    entries = _tables(text, "package")
    parents = _parents((_name(entry), entry.get("dependencies", {})) for _, entry in entries)
    for number, entry in entries:
        kind = entry.get("source", {}).get("type", "")
        if kind == "directory":
            continue
        origin = kind if kind in {"git", "url", "file"} else ""
        yield _entry(
            _name(entry), entry.get("version"), _at(path, number), origin, parents=parents, direct=_is_direct(_name(entry), direct)
        )  # fmt: skip


def _pdm(text: str, path: str, direct: frozenset[str]) -> Iterator[_Entry]:
    entries = _tables(text, "package")
    needs = ((_name(entry), map(_name_of, entry.get("dependencies", ()))) for _, entry in entries)
    parents = _parents(needs)
    for number, entry in entries:
        local = entry.get("path")
        if local and not str(local).endswith((".whl", ".zip", ".gz")):
            continue
        origin = "path" if local else next((word for word in ("git", "url") if entry.get(word)), "")
        yield _entry(
            _name(entry), entry.get("version"), _at(path, number), origin, parents=parents, direct=_is_direct(_name(entry), direct)
        )  # fmt: skip


def _pipfile(text: str, path: str, direct: frozenset[str]) -> Iterator[_Entry]:
    document = json.loads(text)
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if match := _PIPFILE_ENTRY.match(line):
            lines.setdefault(match[1], number)
    for section, entries in document.items():
        if section == "_meta":
            continue
        for name, entry in entries.items():
            local = entry.get("path", "")
            if local and not str(local).endswith((".whl", ".zip", ".gz")):
                continue
            origin = "path" if local else next((word for word in ("git", "file") if word in entry), "")
            yield _entry(
                canonicalize_name(name),
                str(entry.get("version", "")).strip().removeprefix("==").strip("= "),
                _at(path, lines.get(name)),
                origin,
                parents={},
                direct=_is_direct(canonicalize_name(name), direct),
            )


_ORIGINS: Final = {
    "git": "it comes from a repository",
    "url": "it comes from a URL",
    "path": "it comes from a file",
    "file": "it comes from a file",
}


def _entry(
    name: str,
    version: object,
    location: Location,
    origin: str,
    *,
    parents: Mapping[str, Sequence[str]],
    direct: bool | None,
) -> _Entry:
    if origin:
        return Unauditable(
            name=name, reason=f"{_ORIGINS[origin]}, not from a package index", location=location
        )
    if not isinstance(version, str) or not version:
        return Unauditable(name=name, reason="the lock names no version", location=location)
    return Needed(
        name=name, version=version, location=location, parents=tuple(parents.get(name, ())), direct=direct
    )


def _is_direct(name: str, direct: frozenset[str]) -> bool | None:
    return name in direct if direct else None


def _parents(needs: Iterable[tuple[str, Iterable[str]]]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for name, children in needs:
        for child in children:
            if child and canonicalize_name(child) != name:
                found.setdefault(canonicalize_name(child), {})[name] = None
    return {child: list(names) for child, names in found.items()}


def _tables(text: str, key: str) -> list[tuple[int | None, dict[str, Any]]]:
    """Return the tables of a list with the lines of their names; without these where lines do not tell."""
    entries = tomllib.loads(text).get(key, [])
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


def _name(entry: Mapping[str, Any]) -> str:
    return canonicalize_name(entry["name"])


def _at(path: str, number: int | None) -> Location:
    return Location(path=path, line=number)


_READERS: Final[Mapping[Kind, Callable[[str, str, frozenset[str]], Iterator[_Entry]]]] = {
    Kind.UV: _uv,
    Kind.PYLOCK: _pylock,
    Kind.POETRY: _poetry,
    Kind.PDM: _pdm,
    Kind.PIPENV: _pipfile,
}
