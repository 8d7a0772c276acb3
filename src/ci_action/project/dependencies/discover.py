"""The packages that the project's tests need.

The first of these that exists decides:

1. uv.lock (here, or of the workspace of uv that the project belongs to)
2. pylock.toml, poetry.lock, pdm.lock, Pipfile.lock
3. requirements.txt and the files beside it that name tests or development
4. pyproject.toml: the project with its groups and extras that name tests or development
5. setup.cfg, setup.py
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

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
from ci_action.project.dependencies.uv_workspace import uv_lock
from ci_action.project.layout import Layout
from ci_action.system.project_files import find_project_text

# Names of groups, extras and files for tests.
TEST_NAMES: Final = frozenset({
    "test", "tests", "testing", "dev", "develop", "development", "ci", "pytest", "unit", "unittest", "qa", "all-tests",
})  # fmt: skip
_LOCKS: Final = (Kind.PYLOCK, Kind.POETRY, Kind.PDM, Kind.PIPENV)
_METADATA: Final = ("pyproject.toml", "setup.cfg", "setup.py")
_NAMED: Final = "|".join(sorted(TEST_NAMES))
_REQUIREMENTS: Final = re.compile(
    rf"requirements([-_.]({_NAMED}|base|common|main))?\.(txt|in)|({_NAMED})[-_]requirements\.txt|requirements[-_]({_NAMED})\.txt"
)


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """What is installed into the environment of the project."""

    source: str
    """The files that decide, for people."""
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

    @property
    def can_be_kept(self) -> bool:
        """Whether the environment may be used again while `inputs` stay the same: copies of folders may be out of date."""
        return not self.folders and not any(" @ file:" in line for line in self.requirements)


def find(layout: Layout) -> Dependencies:
    """Return what to install; raises `ToolError` for a lock file that cannot be read."""
    lock = lock_of(layout)
    if lock is None:
        return _from_requirements(layout) or _from_metadata(layout)
    if lock.name == Kind.UV:
        groups = [f"--group={group}" for group in _groups(layout)]
        extras = [f"--extra={extra}" for extra in _extras(layout)]
        places = (folder / name for name in (Kind.UV, _METADATA[0]) for folder in (lock.parent, layout.root))
        inputs = tuple(filter(Path.is_file, places))
        return Dependencies(source=lock.name, locked=True, sync=(*groups, *extras), inputs=inputs)
    read_by_uv = lock.name == Kind.PYLOCK
    return Dependencies(
        source=lock.name,
        locked=True,
        files=(lock.name,) if read_by_uv else (),
        requirements=() if read_by_uv else layout.lock(lock).requirements,
        project=_project(layout),
        inputs=_inputs(layout.root, lock.name),
    )


def lock_of(layout: Layout) -> Path | None:
    """Return the lock file that decides: uv.lock of the project or of its workspace, else one of another tool."""
    return uv_lock(layout) or next(filter(Path.is_file, (layout.root / kind for kind in _LOCKS)), None)


def _from_requirements(layout: Layout) -> Dependencies | None:
    root = layout.root
    names = sorted(
        path.name for path in root.iterdir() if _REQUIREMENTS.fullmatch(path.name) and path.is_file()
    )
    chosen = [
        name for name in names if name.endswith(".txt") or f"{name.removesuffix('.in')}.txt" not in names
    ]
    wanted = {*TEST_NAMES, "base", "common", "main", "requirements"}
    chosen += sorted(
        f"requirements/{path.name}" for path in root.glob("requirements/*.txt") if path.stem.lower() in wanted
    )
    if not chosen:
        return None
    refuse_endless((root / name for name in chosen), layout.workspace)
    every = [path for pattern in ("*.txt", "*.in", "requirements/*") for path in sorted(root.glob(pattern))]
    listed = read([root / name for name in chosen], layout.relative, layout.workspace)
    return Dependencies(
        source=", ".join(chosen),
        files=tuple(chosen),
        folders=tuple(folder for folder in listed.folders if "/" in folder),
        groups=_groups(layout),
        project=_project(layout, *_extras(layout)),
        inputs=(*filter(Path.is_file, every), *_inputs(root)),
        pins={one.name: one.location.path for one in listed.pinned if one.location},
    )


def _from_metadata(layout: Layout) -> Dependencies:
    document, root = layout.pyproject, layout.root
    groups, extras = _groups(layout), _extras(layout)
    project = _project(layout, *extras)
    try:
        lines, unread = _in_tables(layout, built=bool(project))
    except ValueError as error:
        lines, unread = [], (f"what pyproject.toml lists: {error}",)
    tables = {"project", "build-system", "dependency-groups"} & document.keys()
    names = _METADATA if tables or lines or unread else _METADATA[1:]
    sources = [name for name in names if (root / name).is_file()]
    found = sources and (project or groups or lines or unread)
    source = sources[0] if found else "nothing (the project names no dependencies)"
    if groups or extras:
        source += f": {', '.join([*groups, *extras])}"
    return Dependencies(
        source=source,
        requirements=tuple(lines),
        groups=groups,
        project=project,
        inputs=_inputs(root),
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


def _in_tables(layout: Layout, *, built: bool) -> tuple[list[str], tuple[str, ...]]:
    """Return what the tables of pyproject.toml list for the tests, and the entries that are not understood.

    A project that is built has its own dependencies installed with it; one without a build system is not installed.
    Raises `ValueError` for a table where a list belongs, or the other way round.
    """
    lines: list[str] = []
    unread: list[str] = []
    own_lists = {"project.dependencies", *(f"project.optional-dependencies.{one}" for one in _extras(layout))}
    for where, entries in requirement_lists(layout.pyproject):
        if (not built and where in own_lists) or (where.startswith("tool.") and _is_test_name(where)):
            lines += [entry for entry in entries if isinstance(entry, str)]
    for where, name, value in poetry_entries(layout.pyproject):
        own = where == MAIN and not built and not is_optional(value)
        if not own and not _is_test_name(where):
            continue
        try:
            lines += poetry_requirements(name, value, layout.root)
        except ValueError as error:
            unread.append(f"{where}.{name}: {error}")
    return lines, tuple(unread)


def _inputs(root: Path, *names: str) -> tuple[Path, ...]:
    every = (root / name for name in (*names, *_METADATA, "MANIFEST.in"))
    return tuple(filter(Path.is_file, every))


def _is_test_name(where: str) -> bool:
    return any(part.lower() in TEST_NAMES for part in re.split(r"[._\-\s]", where))


def _groups(layout: Layout) -> tuple[str, ...]:
    return _named_for_tests(layout, "dependency-groups")


def _extras(layout: Layout) -> tuple[str, ...]:
    return _named_for_tests(layout, "project", "optional-dependencies")


def _named_for_tests(layout: Layout, *names: str) -> tuple[str, ...]:
    with suppress(ValueError):  # uv reports what is wrong
        return tuple(name for name in table(layout.pyproject, *names) if name.lower() in TEST_NAMES)
    return ()


def _project(layout: Layout, *extras: str) -> str:
    """Return the project as a requirement to install; empty if it cannot be built."""
    root = layout.root
    if "build-system" not in layout.pyproject and not (root / "setup.py").is_file():
        return ""
    if not extras and (root / "setup.cfg").is_file():
        text = find_project_text(root / "setup.cfg", layout.workspace)
        section = text.partition("[options.extras_require]")[2].partition("\n[")[0]
        extras = tuple(
            name for name in re.findall(r"^(\w+)\s*=", section, re.MULTILINE) if name in TEST_NAMES
        )
    return f".[{','.join(extras)}]" if extras else "."
