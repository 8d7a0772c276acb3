"""The packages that the project's tests need: the groups and extras of `selection`, from the first of these that exists.

1. uv.lock (here, or of the workspace of uv that the project belongs to)
2. pylock.toml, poetry.lock, pdm.lock, Pipfile.lock
3. requirements.txt and the files beside it that name tests or development
4. pyproject.toml: the project with its groups and extras that name tests or development
5. setup.cfg, setup.py
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from ci_action.project.dependencies.asked import Asked
from ci_action.project.dependencies.hatch import of_environment
from ci_action.project.dependencies.inventory import Kind, canonical
from ci_action.project.dependencies.pyproject import (
    MAIN,
    find_requirement,
    is_optional,
    poetry_entries,
    poetry_requirements,
    requirement_lists,
    table,
)
from ci_action.project.dependencies.requirements_txt import pin_of, read, refuse_endless
from ci_action.project.dependencies.selection import TEST_NAMES, Selection, known_names, select
from ci_action.project.dependencies.uv_workspace import uv_lock
from ci_action.project.layout import Layout

_LOCKS: Final = (Kind.PYLOCK, Kind.POETRY, Kind.PDM, Kind.PIPENV)
_METADATA: Final = ("pyproject.toml", "setup.cfg", "setup.py")
_NAMED: Final = "|".join(sorted(TEST_NAMES))
_FOLDERS: Final = ("requirements", "tests", "test")
_STEMS: Final = TEST_NAMES | {"base", "common", "main", "requirements"}
_REQUIREMENTS: Final = re.compile(
    rf"requirements([-_.]({_NAMED}|base|common|main))?\.(txt|in)|({_NAMED})[-_]requirements\.txt|requirements[-_]({_NAMED})\.txt"
)


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """What is installed into the environment of the project."""

    source: str
    """The files that decide, for people."""
    selection: Selection = field(default_factory=Selection)
    """The groups and extras among what they list."""
    locked: bool = False
    """Whether every version is exact."""
    sync: tuple[str, ...] = ()
    """Options of `uv sync` for a lock of uv."""
    requirements: tuple[str, ...] = ()
    """Lines of a requirements file."""
    files: tuple[str, ...] = ()
    """Requirements files and lock files that uv reads, relative to the root."""
    groups: tuple[str, ...] = ()
    """Dependency groups of pyproject.toml."""
    project: str = ""
    """The project itself as a requirement to install in place: `.`, `.[test]`; empty if it cannot be built."""
    inputs: tuple[Path, ...] = ()
    """The files whose content decides."""
    folders: tuple[str, ...] = ()
    """Other folders that requirements files install: no file decides about their content."""
    unread: tuple[str, ...] = ()
    """Entries that are not understood and therefore not installed, each with the reason."""
    pins: Mapping[str, str] = field(default_factory=dict)
    """The files that name an exact version, by package, where not all of them are locked."""
    hidden_extras: bool = False
    """Whether only a build of the project shows its extras, and none is selected."""
    unverified: tuple[str, ...] = ()
    """The selected extras that only a build can show to exist."""
    runner: Asked = field(default_factory=Asked)
    """What the project's own runner installs, for an environment that has no pytest otherwise."""

    @property
    def shown(self) -> str:
        """What decides, for people: `uv.lock with groups dev, tests`."""
        return f"{self.source} with {self.selection.shown}" if self.selection.shown else self.source

    @property
    def can_be_kept(self) -> bool:
        """Whether the environment may be used again while `inputs` stay the same: copies of folders may be out of date."""
        return not self.folders and not any(" @ file:" in line for line in self.requirements)


def find(layout: Layout, selection: Selection | None = None) -> Dependencies:
    """Return what to install, by default with the groups and extras that are named for tests.

    Raises `ToolError` for a lock file that cannot be read.
    """
    chosen = selection or select(layout)
    lock = lock_of(layout)
    if lock is None:
        return _from_requirements(layout, chosen) or _from_metadata(layout, chosen)
    if lock.name == Kind.UV:
        return _from_uv(layout, lock, chosen)
    if lock.name == Kind.PYLOCK:
        return Dependencies(
            source=lock.name,
            locked=True,
            files=(lock.name,),
            project=_project(layout, ()),
            inputs=_inputs(layout.root, lock.name),
        )
    held = layout.lock(lock)
    return Dependencies(
        source=lock.name,
        selection=chosen if chosen.chosen else Selection(),
        locked=True,
        requirements=held.requirements_of(_roots(layout, held.kind, chosen)),
        project=_project(layout, ()),
        inputs=_inputs(layout.root, lock.name),
    )


def _from_uv(layout: Layout, lock: Path, chosen: Selection) -> Dependencies:
    known = known_names(layout)
    words = ["--no-default-groups"] if chosen.chosen else []
    words += [f"--group={name}" for name in chosen.groups if name in known.pep735 + known.uv]
    words += [f"--extra={name}" for name in chosen.extras]
    places = (folder / name for name in (Kind.UV, _METADATA[0]) for folder in (lock.parent, layout.root))
    return Dependencies(
        source=lock.name,
        selection=chosen,
        locked=True,
        sync=tuple(words),
        requirements=tuple(_of_hatch(layout, chosen)),
        inputs=tuple(dict.fromkeys(filter(Path.is_file, places))),
    )


def _roots(layout: Layout, kind: Kind, chosen: Selection) -> frozenset[str]:
    """Return the packages that a project of Poetry or PDM names for a selection; none if everything is installed.

    What these tools leave out on their own is left out too: the extras and the optional groups that are not selected.
    """
    if kind is Kind.PIPENV:
        return frozenset()
    known = known_names(layout)
    own = (*known.poetry, *known.pdm, *known.pep735)
    usual = {name for name in own if name not in known.optional}
    groups = {*chosen.groups} if chosen.chosen else {*chosen.groups, *usual}
    try:
        return frozenset(_named_roots(layout, groups, {*chosen.extras}))
    except (ValueError, TypeError, AttributeError):  # of another shape: everything
        return frozenset()


def _named_roots(layout: Layout, groups: Collection[str], extras: Collection[str]) -> Iterator[str]:
    for where, entries in requirement_lists(layout.pyproject):
        table_, _, name = where.rpartition(".")
        wanted = {
            "project": True,
            "project.optional-dependencies": name in extras,
            "dependency-groups": name in _with_included(layout, groups),
            "tool.pdm.dev-dependencies": name in groups,
        }
        if wanted.get(table_):
            yield from (
                canonical(found.name) for entry in entries if (found := find_requirement(_bare(entry)))
            )
    for where, name, value in poetry_entries(layout.pyproject):
        group = _group_of(where)
        if group in groups or (not group and not is_optional(value)):
            yield canonical(name)
    listed = table(layout.pyproject, "tool", "poetry", "extras")
    yield from (canonical(str(name)) for extra in extras for name in listed.get(extra, ()))


def _bare(entry: object) -> object:
    """Return an entry of a list of PDM without its mark for an editable folder."""
    return entry.removeprefix("-e ").strip() if isinstance(entry, str) else entry


def _with_included(layout: Layout, groups: Collection[str]) -> frozenset[str]:
    """Return groups with those that they include."""
    tables = table(layout.pyproject, "dependency-groups")
    found, waiting = set[str](), list(groups)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            entries = (entry for entry in tables.get(name, ()) if isinstance(entry, dict))
            waiting += [str(entry["include-group"]) for entry in entries if "include-group" in entry]
    return frozenset(found)


def lock_of(layout: Layout) -> Path | None:
    """Return the lock file that decides: uv.lock of the project or of its workspace, else one of another tool."""
    return uv_lock(layout) or next(filter(Path.is_file, (layout.root / kind for kind in _LOCKS)), None)


def _from_requirements(layout: Layout, selection: Selection) -> Dependencies | None:
    root = layout.root
    chosen = list(_requirements_files(root))
    if not chosen:
        return None
    refuse_endless((root / name for name in chosen), layout.workspace)
    patterns = ("*.txt", "*.in", *(f"{folder}/*" for folder in _FOLDERS))
    every = [path for pattern in patterns for path in sorted(root.glob(pattern))]
    listed = read([root / name for name in chosen], layout.relative, layout.workspace)
    built = replace(_built(layout, selection), inputs=(*filter(Path.is_file, every), *_inputs(root)))
    return replace(
        built,
        source=", ".join(chosen),
        files=tuple(chosen),
        folders=tuple(folder for folder in listed.folders if "/" in folder),
        pins={one.name: one.location.path for one in listed.pinned if one.location},
    )


def _requirements_files(root: Path) -> Iterator[str]:
    names = [path.name for path in root.iterdir() if _REQUIREMENTS.fullmatch(path.name) and path.is_file()]
    yield from _uncompiled(names)
    for folder in _FOLDERS:
        inside = [path.name for path in (root / folder).glob("*") if path.is_file()]
        wanted = [
            name
            for name in inside
            if (name.endswith((".txt", ".in")) and name.partition(".")[0].lower() in _STEMS)
            or _REQUIREMENTS.fullmatch(name)
        ]
        own = (
            wanted
            if folder == "requirements"
            else [name for name in wanted if name.startswith("requirements.")]
        )
        yield from (f"{folder}/{name}" for name in _uncompiled(own))


def _uncompiled(names: Collection[str]) -> list[str]:
    """Return requirements files in order, without the sources of compiled ones."""
    return sorted(
        name for name in names if name.endswith(".txt") or f"{name.removesuffix('.in')}.txt" not in names
    )


def _built(layout: Layout, selection: Selection) -> Dependencies:
    """Return the project with the groups and extras of a selection."""
    known = known_names(layout)
    extras = selection.extras if _is_built(layout) else ()
    return Dependencies(
        source="",
        selection=selection,
        groups=tuple(name for name in selection.groups if name in known.pep735),
        project=_project(layout, extras),
        hidden_extras=not known.complete and not extras and _is_built(layout),
        unverified=tuple(name for name in extras if name not in known.extras),
        inputs=_inputs(layout.root),
    )


def _from_metadata(layout: Layout, selection: Selection) -> Dependencies:
    document, root = layout.pyproject, layout.root
    built = _built(layout, selection)
    try:
        lines, unread = _in_tables(layout, selection, built=bool(built.project))
    except ValueError as error:
        lines, unread = [], (f"what pyproject.toml lists: {error}",)
    tables = {"project", "build-system", "dependency-groups"} & document.keys()
    names = _METADATA if tables or lines or unread else _METADATA[1:]
    sources = [name for name in names if (root / name).is_file()]
    found = sources and (built.project or built.groups or lines or unread)
    source = sources[0] if found else "nothing (the project names no dependencies)"
    return replace(
        built,
        source=source,
        requirements=tuple(lines),
        unread=unread,
        pins=dict.fromkeys(_pinned(layout), source),
    )


def _pinned(layout: Layout) -> Iterator[str]:
    """Yield the packages of which a list in pyproject.toml names the exact version."""
    with suppress(ValueError):  # `_in_tables` reports it
        for _, entries in requirement_lists(layout.pyproject):
            for requirement in filter(None, map(find_requirement, entries)):
                if pin_of(requirement):
                    yield canonical(requirement.name)


def _in_tables(layout: Layout, selection: Selection, *, built: bool) -> tuple[list[str], tuple[str, ...]]:
    """Return what the tables of pyproject.toml list for the tests, and the entries that are not understood.

    A project that is built has its own dependencies installed with it; one without a build system is not installed.
    Raises `ValueError` for a table where a list belongs, or the other way round.
    """
    lines = list(_of_hatch(layout, selection))
    unread: list[str] = []
    own_lists = {
        "project.dependencies",
        *(f"project.optional-dependencies.{one}" for one in selection.extras),
    }
    for where, entries in requirement_lists(layout.pyproject):
        tool, _, name = where.rpartition(".")
        uv = where == "tool.uv.dev-dependencies" and "dev" in selection.groups
        # PDM installs all of its groups.
        pdm = tool == "tool.pdm.dev-dependencies" and (name in selection.groups or not selection.chosen)
        if (not built and where in own_lists) or uv or pdm:
            lines += [entry for entry in entries if isinstance(entry, str)]
    for where, name, value in poetry_entries(layout.pyproject):
        own = where == MAIN and not built and not is_optional(value)
        if not own and _group_of(where) not in selection.groups:
            continue
        try:
            lines += poetry_requirements(name, value, layout.root)
        except ValueError as error:
            unread.append(f"{where}.{name}: {error}")
    return lines, tuple(unread)


def _group_of(where: str) -> str:
    """Return the group of a table of Poetry; empty for that of the project itself."""
    if where == "tool.poetry.dev-dependencies":
        return "dev"
    return where.removeprefix("tool.poetry.group.") if where != MAIN else ""


def _of_hatch(layout: Layout, selection: Selection) -> Iterator[str]:
    """Yield what the environments of Hatch list that a setting names."""
    known = known_names(layout)
    if selection.chosen:
        for name in selection.groups:
            if name in known.hatch and name not in known.of_tables:
                yield from of_environment(name, layout).requirements


def _inputs(root: Path, *names: str) -> tuple[Path, ...]:
    every = (root / name for name in (*names, *_METADATA, "MANIFEST.in"))
    return tuple(filter(Path.is_file, every))


def _is_built(layout: Layout) -> bool:
    return "build-system" in layout.pyproject or (layout.root / "setup.py").is_file()


def _project(layout: Layout, extras: Sequence[str]) -> str:
    """Return the project as a requirement to install; empty if it cannot be built."""
    if not _is_built(layout):
        return ""
    return f".[{','.join(extras)}]" if extras else "."
