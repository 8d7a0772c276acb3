"""Collects the packages that the project needs: lock files are read, everything else is resolved by uv.

In the order of `dependencies.find`, the first one found counts:

1. with `install`, the environment of the test stage; with `install: none` the current one
2. a lock file
3. requirements files and metadata, resolved for the project's Python with all extras and groups, or only those of the
   test stage if they conflict. A file with a version and a hash in every line is read like a lock file. Further
   requirements files (`requirements-prod.txt`) are resolved one by one.

If nothing can be resolved, pinned packages are audited, and the others are reported as not auditable.
"""

import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ci_action.engine.environment import current_python
from ci_action.model.finding import Location
from ci_action.project.dependencies.discover import Dependencies, find, lock_of
from ci_action.project.dependencies.inventory import Inventory, Kind, Needed, Unauditable, placed, unique
from ci_action.project.dependencies.lockfiles import Lock, direct_names, inventory_of, unlocked
from ci_action.project.dependencies.pyproject import (
    MAIN,
    own_names,
    poetry_entries,
    poetry_requirements,
    requirement_lists,
    requirement_of,
    setup_cfg_requirements,
)
from ci_action.project.dependencies.requirements_txt import Listed, of_resolver, of_text, placed_names, read
from ci_action.project.environment import Builder, Environment, python_request
from ci_action.project.layout import Layout
from ci_action.stages.security.pip_audit.resolution import Resolver
from ci_action.system.errors import TimedOutError, ToolError
from ci_action.system.project_files import find_project_text

_FURTHER: Final = ("*requirements*.txt", "requirements/*.txt")
_METADATA: Final = ("pyproject.toml", "setup.cfg", "setup.py")
_VERSION: Final = re.compile(r"3\.\d+(\.\d+)?")
_IN_TURN: Final = "dependencies of pinned packages"
_UNRESOLVED: Final = "the dependencies could not be resolved (see the notes)"
_MOST_AT_ONCE: Final = 4


def take(
    resolver: Resolver, *, install: Sequence[str], made: Environment | None, python_version: str
) -> Inventory:
    """Return the packages of the project; `made` is the environment of this run, if there is one.

    Raises `ToolError` if the packages cannot be determined.
    """
    builder = resolver.builder
    if install and made:
        return _installed(builder, made.python, made.added)
    if tuple(install) == ("none",):
        return _installed(builder, current_python(builder.environ), ())
    known = from_files(builder.layout)
    return known or resolved(resolver, python_request(builder.layout, python_version)[0])


def from_files(layout: Layout) -> Inventory | None:
    """Return the packages by files alone; None if a resolver is needed."""
    file = lock_of(layout)
    if file is not None:
        lock = layout.lock(file)
        found = _of_lock(lock, layout)
        names = layout.root / ("Pipfile" if lock.kind is Kind.PIPENV else "pyproject.toml")
        text = find_project_text(names, layout.workspace)
        missing = unlocked(lock, layout.pyproject, text, layout.relative(names))
        return replace(found, files=(file,), unauditable=(*found.unauditable, *missing))
    needs, further = find(layout), further_files(layout)
    if needs.project or needs.groups or not (needs.files or further):
        return None
    listed = _read(layout, (*needs.files, *further))
    if not listed.whole:
        return None
    return Inventory(
        kind=Kind.REQUIREMENTS,
        source=", ".join(map(layout.relative, listed.files)),
        packages=tuple(listed.pinned),
        unauditable=tuple(listed.unauditable),
        files=tuple(listed.files),
        compiled=compiled_files(layout),
    )


def _of_lock(lock: Lock, layout: Layout) -> Inventory:
    pipfile = layout.root / "Pipfile"
    text = find_project_text(pipfile, layout.workspace) if lock.kind is Kind.PIPENV else ""
    found = inventory_of(lock, direct_names(layout.pyproject, text))
    own = own_names(layout.pyproject)
    return replace(found, packages=tuple(needed for needed in found.packages if needed.name not in own))


def at_base(inventory: Inventory, layout: Layout, text_of: Callable[[Path], str | None]) -> Inventory | None:
    """Return the packages by the same files at another commit; None if they did not exist, or are invalid."""
    packages: list[Needed] = []
    for file in inventory.files:
        text = text_of(file)
        if text is None:
            return None
        try:
            if inventory.kind is Kind.REQUIREMENTS:
                packages += of_text(text, layout.relative(file)).pinned
            else:
                lock = Lock(inventory.kind, layout.relative(file), text.encode(), file.parent)
                packages += _of_lock(lock, layout).packages
        except ToolError:
            return None
    return replace(inventory, packages=unique(packages))


def _installed(builder: Builder, python: str, added: Collection[str]) -> Inventory:
    """Return the packages of an environment, without the project's own packages and those that ci-action added."""
    done = builder.command("pip", "list", "--format=json", "--exclude-editable", f"--python={python}")
    own = {*own_names(builder.layout.pyproject), *map(canonicalize_name, added)}
    try:
        entries = [(str(one["name"]), str(one["version"])) for one in json.loads(done.stdout)]
    except (ValueError, TypeError, KeyError) as error:
        raise ToolError(f"could not list the packages of {python!r}: {error!r}") from error
    packages = [Needed(name=canonicalize_name(name), version=version) for name, version in entries]
    return Inventory(
        kind=Kind.ENVIRONMENT,
        source=f"the environment of {python}",
        packages=unique(needed for needed in packages if needed.name not in own),
    )


def _read(layout: Layout, names: Iterable[str]) -> Listed:
    return read([layout.root / name for name in names], layout.relative, layout.workspace)


@dataclass
class _Unit:
    """Requirements that are resolved together."""

    files: tuple[str, ...] = ()
    attempts: list[tuple[str, ...]] = field(default_factory=list)
    """Arguments for uv: complete, then reduced."""
    lines: list[str] = field(default_factory=list)
    """Requirements of tables that uv does not read."""
    unread: list[Unauditable] = field(default_factory=list)
    """Invalid entries of such tables."""


def resolved(resolver: Resolver, request: str) -> Inventory:
    """Return the packages of requirements files and metadata. Raises `ToolError` if there are none because of an error."""
    builder, layout = resolver.builder, resolver.builder.layout
    needs = find(layout)
    further = further_files(layout)
    units = [_first_unit(builder, needs), *(_Unit((name,), [(name,)]) for name in further)]
    unread = [one for unit in units for one in unit.unread]
    units = [unit for unit in units if unit.attempts]
    kind = Kind.REQUIREMENTS if needs.files or further else Kind.METADATA
    source = ", ".join(dict.fromkeys([*needs.files, *further, *_metadata_of(layout, needs)]))
    if units:
        builder.variables()  # writes the credentials of indexes before several processes read them
    with ThreadPoolExecutor(max_workers=_MOST_AT_ONCE) as pool:  # uv waits for the network most of the time
        parts = list(pool.map(lambda unit: _unit(resolver, unit, request), units))
    packages = unique(needed for part in parts for needed in part.packages)
    notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
    unauditable = tuple(dict.fromkeys([*unread, *(one for part in parts for one in part.unauditable)]))
    if notes and not packages:
        raise ToolError(notes[0])
    return Inventory(
        kind=kind,
        source=source or "nothing",
        packages=packages,
        unauditable=unauditable,
        notes=notes,
        compiled=compiled_files(layout),
    )


def compiled_files(layout: Layout) -> dict[str, str]:
    """Return the requirements files that pip-tools or uv compiled from a file next to them."""
    sources = [
        file for pattern in ("*.in", "requirements/*.in") for file in sorted(layout.root.glob(pattern))
    ]
    return {
        layout.relative(file.with_suffix(".txt")): os.path.relpath(file, layout.root)
        for file in sources
        if file.with_suffix(".txt").is_file()
    }


def further_files(layout: Layout) -> list[str]:
    """Return the requirements files that the tests do not need, and that no other file includes."""
    taken = {file.resolve() for file in _read(layout, find(layout).files).files}
    names = sorted({file for pattern in _FURTHER for file in layout.root.glob(pattern) if file.is_file()})
    names = [file for file in names if file.resolve() not in taken and "constraint" not in file.name]
    included = {path for file in names for path in read([file], str, layout.workspace).files[1:]}
    return [os.path.relpath(file, layout.root) for file in names if file.resolve() not in included]


def _metadata_of(layout: Layout, needs: Dependencies) -> list[str]:
    """Return the file of the project's metadata, if it lists dependencies."""
    document = layout.pyproject
    if document and (
        needs.project or needs.groups or needs.requirements or "project" in document or "tool" in document
    ):
        return [_METADATA[0]]
    if not needs.project:
        return ["setup.cfg"] if _of_setup_cfg(layout) else []
    return [name for name in _METADATA[1:] if (layout.root / name).is_file()][:1]


def _of_setup_cfg(layout: Layout) -> list[str]:
    file = layout.root / "setup.cfg"
    return list(setup_cfg_requirements(find_project_text(file, layout.workspace)))


def _first_unit(builder: Builder, needs: Dependencies) -> _Unit:
    document = builder.layout.pyproject
    project = isinstance(document.get("project"), dict)
    sources = _metadata_of(builder.layout, needs) if needs.project or (project and not needs.files) else []
    groups = document.get("dependency-groups", {})
    every = [f"--group={name}" for name in groups] if isinstance(groups, dict) else []
    lines, unread = _lines(builder.layout, buildable=bool(needs.project))
    extra: list[str] = []
    if lines:
        file = builder.tempdir / "needed.txt"
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        extra = [str(file)]
    extras = re.findall(r"[\w.-]+", needs.project.partition("[")[2])
    some = [*(f"--extra={name}" for name in extras if sources), *(f"--group={name}" for name in needs.groups)]
    whole = (*needs.files, *sources, *(["--all-extras"] if sources else []), *every, *extra)
    part = (*needs.files, *sources, *some)
    if (some, extra) == (every, []) or not (sources or every or extra):
        part = ()  # the same
    return _Unit(files=needs.files, attempts=[*filter(None, (whole, part))], lines=lines, unread=unread)


def _lines(layout: Layout, *, buildable: bool) -> tuple[list[str], list[Unauditable]]:
    """Return the requirements in tables that uv does not read, and their invalid entries."""
    lines: list[str] = []
    unread: list[Unauditable] = []
    places = _mentions(layout)
    try:
        for where, name, read_entry in _entries(layout, buildable=buildable):
            try:
                lines += read_entry()
            except ValueError as error:
                reason = f"invalid entry in {where}: {error}"
                unread.append(Unauditable(name=name, reason=reason, location=places.get(name)))
    except ValueError as error:
        reason = f"invalid table: {error}"
        return [], [Unauditable(name="pyproject.toml", reason=reason)]
    return lines, unread


def _entries(layout: Layout, *, buildable: bool) -> Iterator[tuple[str, str, Callable[[], Iterable[str]]]]:
    """Yield (place, name, parser) of each entry, except those that the build backend reports itself."""
    for where, name, value in poetry_entries(layout.pyproject):
        if not (buildable and where == MAIN):
            yield where, canonicalize_name(name), partial(poetry_requirements, name, value, layout.root)
    for where, entries in requirement_lists(layout.pyproject):
        if where.startswith("tool."):
            for entry in entries:
                yield where, _named_in(entry), partial(_valid, entry)
    if not buildable:
        for line in _of_setup_cfg(layout):
            yield "setup.cfg", _named_in(line), partial(_valid, line)


def _valid(entry: object) -> tuple[str]:
    """Return an entry of a list. Raises `ValueError` if it is not a requirement."""
    try:
        requirement_of(str(entry))
    except InvalidRequirement as error:
        raise ValueError(f"{entry!r} is not a requirement") from error
    return (str(entry),)


def _named_in(entry: object) -> str:
    found = re.match(r"\s*([A-Za-z0-9][\w.-]*)", entry) if isinstance(entry, str) else None
    return canonicalize_name(found[1]) if found else "an entry"


def _unit(resolver: Resolver, unit: _Unit, request: str) -> Inventory:
    layout = resolver.builder.layout
    listed = _read(layout, unit.files)
    if unit.files and listed.whole and unit.attempts[0] == unit.files:
        return _inventory(listed.pinned, listed.unauditable)
    problems: list[ToolError] = []
    for words in unit.attempts:
        try:
            # What is left of a resolution that failed is not kept: the next run tries again.
            text = resolver.compile(_python_words(request), words, unit.lines, keep=not problems)
        except TimedOutError:
            raise
        except ToolError as error:
            problems.append(error)
            continue
        inventory = _joined(layout, unit, listed, of_resolver(text))
        notes = [f"not every extra and group was audited: {problems[0].reason}"] if problems else []
        return replace(inventory, notes=tuple(notes))
    return _as_pinned(layout, unit, listed, problems[0].reason)


def _python_words(request: str) -> tuple[str, ...]:
    if _VERSION.fullmatch(request):  # that interpreter need not be installed
        return (f"--python-version={request}", "--no-python-downloads")
    return (f"--python={request}",) if request else ()


def _joined(layout: Layout, unit: _Unit, listed: Listed, found: Listed) -> Inventory:
    """Join files and metadata with the result of the resolver: the places and parents of the files come first.

    What is pinned for another system or Python, and therefore not in the result, is included.
    """
    pinned = {needed.key: needed for needed in listed.pinned}
    packages = [_as_listed(needed, pinned.get(needed.key)) for needed in found.pinned]
    names = {needed.name for needed in found.pinned}
    elsewhere = [needed for one, needed in _declared(layout, unit) if one.marker and needed]
    packages += [needed for needed in (*listed.pinned, *elsewhere) if needed.name not in names]
    places = {**_mentions(layout), **listed.places}
    unauditable = [replace(one, location=one.location or places.get(one.name)) for one in found.unauditable]
    return _inventory(placed(packages, places), unauditable)


def _as_listed(needed: Needed, listed: Needed | None) -> Needed:
    if listed is None or listed.direct is not None:
        return listed or needed
    return replace(listed, parents=needed.parents, direct=needed.direct)


def _mentions(layout: Layout) -> dict[str, Location]:
    found: dict[str, Location] = {}
    for name in reversed(_METADATA):
        file = layout.root / name
        found |= placed_names(find_project_text(file, layout.workspace), layout.relative(file))
    return found


def _as_pinned(layout: Layout, unit: _Unit, listed: Listed, reason: str) -> Inventory:
    """Return the pinned packages, and the others as not auditable."""
    places = {**_mentions(layout), **listed.places}
    pinned, loose = list(listed.pinned), []
    for requirement, needed in _declared(layout, unit, listed.loose):
        name = canonicalize_name(requirement.name)
        if needed:
            pinned.append(replace(needed, location=places.get(name)))
        else:
            why = f"it is not pinned, and {_UNRESOLVED}"
            loose.append(Unauditable(name=name, reason=why, location=places.get(name)))
    known = {needed.name for needed in pinned}
    left = [one for one in loose if one.name not in known]
    left += [
        Unauditable(name=f"what {folder!r} needs", reason=_UNRESOLVED, location=place)
        for folder, place in listed.folders.items()
    ]
    if pinned:  # their own dependencies are not listed
        file = Location(path=layout.relative(unit.files[0])) if unit.files else None
        left.append(Unauditable(name=_IN_TURN, reason=_UNRESOLVED, location=file))
    note = f"only pinned packages were audited: {reason}" if pinned else reason
    return replace(_inventory(pinned, [*listed.unauditable, *left]), notes=(note,))


def _declared(
    layout: Layout, unit: _Unit, more: Iterable[str] = ()
) -> Iterator[tuple[Requirement, Needed | None]]:
    """Yield the requirements in metadata and `more`, each with its package if it is pinned."""
    for line in (*unit.lines, *_static(layout, unit), *more):
        with suppress(InvalidRequirement):
            requirement = requirement_of(line)
            pinned = of_text(str(requirement), "").pinned
            yield requirement, replace(pinned[0], location=None, direct=True) if pinned else None


def _static(layout: Layout, unit: _Unit) -> Iterator[str]:
    if unit.attempts[0] == unit.files:
        return
    with suppress(ValueError):  # reported by `_lines`
        for where, entries in requirement_lists(layout.pyproject):
            if not where.startswith("tool."):
                yield from (entry for entry in entries if isinstance(entry, str))


def _inventory(packages: Iterable[Needed], unauditable: Iterable[Unauditable]) -> Inventory:
    return Inventory(
        kind=Kind.REQUIREMENTS, source="", packages=unique(packages), unauditable=tuple(unauditable)
    )
