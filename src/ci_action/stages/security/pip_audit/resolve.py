"""What requirements files and metadata lead to: resolved by uv for the project's Python.

All extras and groups count, and where these do not go together those of the test stage. Where nothing can be resolved,
what is pinned stands for itself, and the rest is named as not auditable.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ci_action.model.finding import Location
from ci_action.project.dependencies.discover import Dependencies, find
from ci_action.project.dependencies.inventory import Inventory, Kind, Needed, Unauditable, placed, unique
from ci_action.project.dependencies.pyproject import (
    MAIN,
    poetry_entries,
    poetry_requirements,
    requirement_lists,
    requirement_of,
    setup_cfg_requirements,
)
from ci_action.project.dependencies.requirements_txt import Listed, of_resolver, of_text, placed_names, read
from ci_action.project.environment import Builder
from ci_action.project.layout import Layout
from ci_action.system.errors import TimedOutError, ToolError
from ci_action.system.project_files import find_project_text

_FURTHER: Final = ("*requirements*.txt", "requirements/*.txt")
_METADATA: Final = ("pyproject.toml", "setup.cfg", "setup.py")
_VERSION: Final = re.compile(r"3\.\d+(\.\d+)?")
_IN_TURN: Final = "what the pinned packages need"
_UNRESOLVED: Final = "the dependencies could not be resolved (see the notes)"
_MOST_AT_ONCE: Final = 4
_COMPILE: Final = ("pip", "compile", "--quiet", "--no-header", "--annotation-style=line")


def _read(layout: Layout, names: Iterable[str]) -> Listed:
    return read([layout.root / name for name in names], layout.relative, layout.workspace)


@dataclass
class _Unit:
    """Requirements that are installed together, and therefore resolved together."""

    files: tuple[str, ...] = ()
    attempts: list[tuple[str, ...]] = field(default_factory=list)
    """The words for uv, the best first."""
    lines: list[str] = field(default_factory=list)
    """Requirements that stand in no requirements file."""
    unread: list[Unauditable] = field(default_factory=list)
    """Entries of the project's tables that are not understood."""


def resolved(builder: Builder, request: str) -> Inventory:
    """Return what requirements files and metadata lead to; raises `ToolError` where that is nothing."""
    layout = builder.layout
    needs = find(layout)
    further = further_files(layout)
    units = [_first_unit(builder, needs), *(_Unit((name,), [(name,)]) for name in further)]
    unread = [one for unit in units for one in unit.unread]
    units = [unit for unit in units if unit.attempts]
    kind = Kind.REQUIREMENTS if needs.files or further else Kind.METADATA
    source = ", ".join(dict.fromkeys([*needs.files, *further, *_metadata_of(layout, needs)]))
    if not units:
        return Inventory(kind=kind, source=source or "nothing", unauditable=tuple(unread))
    builder.variables()  # lays out the credentials of indexes, before several processes read them
    with ThreadPoolExecutor(max_workers=_MOST_AT_ONCE) as pool:  # uv waits for the network most of the time
        parts = list(pool.map(lambda unit: _unit(builder, unit, request), units))
    packages = unique(needed for part in parts for needed in part.packages)
    notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
    unauditable = tuple(dict.fromkeys([*unread, *(one for part in parts for one in part.unauditable)]))
    if notes and not packages:
        raise ToolError(notes[0])
    return Inventory(
        kind=kind,
        source=source,
        packages=packages,
        unauditable=unauditable,
        notes=notes,
        compiled=compiled_files(layout),
    )


def compiled_files(layout: Layout) -> dict[str, str]:
    """Return the requirements files beside which their sources lie, as pip-tools and uv have it."""
    sources = [
        file for pattern in ("*.in", "requirements/*.in") for file in sorted(layout.root.glob(pattern))
    ]
    return {
        layout.relative(file.with_suffix(".txt")): os.path.relpath(file, layout.root)
        for file in sources
        if file.with_suffix(".txt").is_file()
    }


def further_files(layout: Layout) -> list[str]:
    """List requirements files that the tests do not need, and that no other file includes."""
    taken = {file.resolve() for file in _read(layout, find(layout).files).files}
    names = sorted({file for pattern in _FURTHER for file in layout.root.glob(pattern) if file.is_file()})
    names = [file for file in names if file.resolve() not in taken and "constraint" not in file.name]
    included = {path for file in names for path in read([file], str, layout.workspace).files[1:]}
    return [os.path.relpath(file, layout.root) for file in names if file.resolve() not in included]


def _metadata_of(layout: Layout, needs: Dependencies) -> list[str]:
    """Return the file of the project's metadata, where it names what the project needs."""
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
    layout = builder.layout
    document = layout.pyproject
    project = isinstance(document.get("project"), dict)
    sources = _metadata_of(layout, needs) if needs.project or (project and not needs.files) else []
    groups = document.get("dependency-groups", {})
    every = [f"--group={name}" for name in groups] if isinstance(groups, dict) else []
    lines, unread = _lines(layout, buildable=bool(needs.project))
    unit = _Unit(files=needs.files, lines=lines, unread=unread)
    extra: list[str] = []
    if lines:
        file = builder.tempdir / "needed.txt"
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        extra = [str(file)]
    named = re.findall(r"[\w.-]+", needs.project.partition("[")[2])
    some = [*(f"--extra={name}" for name in named if sources), *(f"--group={name}" for name in needs.groups)]
    if needs.files or sources or every or extra:
        unit.attempts.append((*needs.files, *sources, *(["--all-extras"] if sources else []), *every, *extra))
    if (needs.files or sources or some) and (some, extra) != (every, []) and (sources or every or extra):
        unit.attempts.append((*needs.files, *sources, *some))
    return unit


def _lines(layout: Layout, *, buildable: bool) -> tuple[list[str], list[Unauditable]]:
    """Return the requirements that stand in tables of tools, which uv does not read, and the entries that are not understood."""
    lines: list[str] = []
    unread: list[Unauditable] = []
    places = _mentions(layout)
    try:
        for where, name, read_entry in _entries(layout, buildable=buildable):
            try:
                lines += read_entry()
            except ValueError as error:
                reason = f"{where} is not understood: {error}"
                unread.append(Unauditable(name=name, reason=reason, location=places.get(name)))
    except ValueError as error:
        reason = f"it is not understood: {error}"
        return [], [Unauditable(name="what pyproject.toml lists", reason=reason)]
    return lines, unread


def _entries(layout: Layout, *, buildable: bool) -> Iterator[tuple[str, str, Callable[[], Iterable[str]]]]:
    """Yield (place, name, how to read it) of each entry; what the build backend tells is left to it."""
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
    """Return an entry of a list as the one requirement that it is; raises `ValueError` if it is none."""
    try:
        requirement_of(str(entry))
    except InvalidRequirement as error:
        raise ValueError(f"{entry!r} is not a requirement") from error
    return (str(entry),)


def _named_in(entry: object) -> str:
    found = re.match(r"\s*([A-Za-z0-9][\w.-]*)", entry) if isinstance(entry, str) else None
    return canonicalize_name(found[1]) if found else "an entry"


def _unit(builder: Builder, unit: _Unit, request: str) -> Inventory:
    layout = builder.layout
    listed = _read(layout, unit.files)
    if unit.files and listed.whole and unit.attempts[0] == unit.files:
        return _inventory(listed.pinned, listed.unauditable)
    problems: list[ToolError] = []
    for words in unit.attempts:
        try:
            done = builder.command(*_COMPILE, *_python_words(request), *words)
        except TimedOutError:
            raise
        except ToolError as error:
            problems.append(error)
            continue
        found = of_resolver(done.stdout.decode("utf-8", "replace"))
        inventory = _told(layout, listed, found, tuple(_stated(layout, unit)))
        left = [f"not every extra and group was audited: {problems[0].reason}"] if problems else []
        return replace(inventory, notes=tuple(left))
    return _as_pinned(layout, unit, listed, problems[0].reason)


def _python_words(request: str) -> tuple[str, ...]:
    if _VERSION.fullmatch(request):  # that interpreter need not be here
        return (f"--python-version={request}", "--no-python-downloads")
    return (f"--python={request}",) if request else ()


def _told(layout: Layout, listed: Listed, found: Listed, stated: Iterable[Needed]) -> Inventory:
    """Put together what the files and metadata say and what the resolver found: places and parents from the files come first.

    What is pinned for another system or Python, and therefore not in the resolution, counts as well.
    """
    said = {needed.key: needed for needed in listed.pinned}
    packages = [_as_said(needed, said.get(needed.key)) for needed in found.pinned]
    names = {needed.name for needed in found.pinned}
    packages += [needed for needed in (*listed.pinned, *stated) if needed.name not in names]
    places = {**_mentions(layout), **listed.places}
    elsewhere = [replace(one, location=one.location or places.get(one.name)) for one in found.unauditable]
    return _inventory(placed(packages, places), elsewhere)


def _stated(layout: Layout, unit: _Unit) -> Iterator[Needed]:
    """Yield what the project's own metadata pins under a condition, which may hold elsewhere."""
    for requirement in _requirements([*unit.lines, *_static(layout, unit)]):
        for needed in of_text(str(requirement), "").pinned if requirement.marker else ():
            yield replace(needed, location=None, direct=True)


def _as_said(needed: Needed, said: Needed | None) -> Needed:
    if said is None or said.direct is not None:
        return said or needed
    return replace(said, parents=needed.parents, direct=needed.direct)


def _mentions(layout: Layout) -> dict[str, Location]:
    found: dict[str, Location] = {}
    for name in reversed(_METADATA):
        file = layout.root / name
        found |= placed_names(find_project_text(file, layout.workspace), layout.relative(file))
    return found


def _as_pinned(layout: Layout, unit: _Unit, listed: Listed, reason: str) -> Inventory:
    """Return what names its version, the rest as not auditable."""
    mentions = _mentions(layout)
    pinned, loose = list(listed.pinned), []
    for requirement in _requirements([*unit.lines, *_static(layout, unit), *listed.loose]):
        name = canonicalize_name(requirement.name)
        place = listed.places.get(name) or mentions.get(name)
        text = of_text(str(requirement), "").pinned
        if text:
            pinned.append(replace(text[0], location=place, direct=True))
        else:
            why = f"its version is not fixed, and {_UNRESOLVED}"
            loose.append(Unauditable(name=name, reason=why, location=place))
    known = {needed.name for needed in pinned}
    left = [one for one in loose if one.name not in known]
    left += [
        Unauditable(name=f"what {folder!r} needs", reason=_UNRESOLVED, location=place)
        for folder, place in listed.folders.items()
    ]
    if pinned:  # what they need in turn is in no list
        file = Location(path=layout.relative(unit.files[0])) if unit.files else None
        left.append(Unauditable(name=_IN_TURN, reason=_UNRESOLVED, location=file))
    note = f"only what is pinned was audited: {reason}" if pinned else reason
    return replace(_inventory(pinned, [*listed.unauditable, *left]), notes=(note,))


def _static(layout: Layout, unit: _Unit) -> Iterator[str]:
    if unit.attempts[0] == unit.files:
        return
    with suppress(ValueError):  # reported by `_lines`
        for where, entries in requirement_lists(layout.pyproject):
            if not where.startswith("tool."):
                yield from (entry for entry in entries if isinstance(entry, str))


def _requirements(lines: Iterable[str]) -> Iterator[Requirement]:
    for line in lines:
        try:
            yield requirement_of(line)
        except InvalidRequirement:
            continue


def _inventory(packages: Iterable[Needed], unauditable: Iterable[Unauditable]) -> Inventory:
    return Inventory(
        kind=Kind.REQUIREMENTS, source="", packages=unique(packages), unauditable=tuple(unauditable)
    )
