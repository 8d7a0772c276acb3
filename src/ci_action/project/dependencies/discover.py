"""What the project's tests need, and where the project says so.

The order, the first that is there decides:

1. uv.lock (here or above, up to the workspace)
2. pylock.toml, poetry.lock, pdm.lock, Pipfile.lock
3. requirements.txt with the files beside it that name tests or development
4. pyproject.toml: the project with its groups and extras that name tests or development
5. setup.cfg, setup.py
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ci_action.project.dependencies.inventory import Kind
from ci_action.project.dependencies.poetry_tables import (
    MAIN,
    is_optional,
    poetry_entries,
    poetry_requirements,
)
from ci_action.project.dependencies.pyproject import requirement_lists, table
from ci_action.project.dependencies.requirements_txt import read, refuse_endless
from ci_action.project.layout import Layout
from ci_action.system.project_files import find_project_text

# Names of groups, extras and files that hold what tests need.
TEST_NAMES: Final = frozenset({
    "test", "tests", "testing", "dev", "develop", "development", "ci", "pytest", "unit", "unittest", "qa", "all-tests",
})  # fmt: skip
_LOCKS: Final = (Kind.PYLOCK, Kind.POETRY, Kind.PDM, Kind.PIPENV)
_PYPROJECT: Final = "pyproject.toml"
_NAMED: Final = "|".join(sorted(TEST_NAMES))
_REQUIREMENTS: Final = re.compile(
    rf"requirements([-_.]({_NAMED}|base|common|main))?\.(txt|in)|({_NAMED})[-_]requirements\.txt|requirements[-_]({_NAMED})\.txt"
)


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """How the environment of the project is filled."""

    source: str
    """The files that decide, for people."""
    locked: bool = False
    """Whether every version is fixed."""
    sync: tuple[str, ...] = ()
    """Options of `uv sync`, where uv itself keeps the lock."""
    requirements: tuple[str, ...] = ()
    """Lines of a requirements file."""
    files: tuple[str, ...] = ()
    """Requirements files and lock files that uv reads, relative to the root."""
    groups: tuple[str, ...] = ()
    """Dependency groups of pyproject.toml."""
    project: str = ""
    """The project itself as a requirement to install in place: `.`, `.[test]`; empty where it is none."""
    inputs: tuple[Path, ...] = ()
    """The files whose content decides."""
    folders: tuple[str, ...] = ()
    """Other folders that requirements files install: no file decided about what they hold."""
    unread: tuple[str, ...] = ()
    """Entries that are not understood and therefore not installed, each with the reason."""

    @property
    def can_be_kept(self) -> bool:
        """Whether the environment may be used again while `inputs` stay the same: copies of folders may be out of date."""
        return not self.folders and not any(" @ file:" in line for line in self.requirements)


def find(layout: Layout) -> Dependencies:
    """Find out what to install; raises `ToolError` for a lock file that cannot be read."""
    lock = lock_of(layout)
    if lock is None:
        return _from_requirements(layout) or _from_metadata(layout)
    if lock.name == Kind.UV:
        places = (
            lock.parent / Kind.UV,
            layout.root / Kind.UV,
            lock.parent / _PYPROJECT,
            layout.root / _PYPROJECT,
        )
        groups = [f"--group={group}" for group in _groups(layout.pyproject)]
        extras = [f"--extra={extra}" for extra in _extras(layout.pyproject)]
        return Dependencies(
            source=lock.name,
            locked=True,
            sync=(*groups, *extras),
            inputs=tuple(filter(Path.is_file, places)),
        )
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
    places = (*(folder / Kind.UV for folder in layout.folders), *(layout.root / kind for kind in _LOCKS))
    return next(filter(Path.is_file, places), None)


def _from_requirements(layout: Layout) -> Dependencies | None:
    root = layout.root
    names = sorted(
        path.name for path in root.iterdir() if _REQUIREMENTS.fullmatch(path.name) and path.is_file()
    )
    chosen = [
        name for name in names if name.endswith(".txt") or f"{name.removesuffix('.in')}.txt" not in names
    ]
    folder = root / "requirements"
    if folder.is_dir():
        wanted = {*TEST_NAMES, "base", "common", "main", "requirements"}
        chosen += sorted(
            f"requirements/{path.name}" for path in folder.glob("*.txt") if path.stem.lower() in wanted
        )
    if not chosen:
        return None
    refuse_endless((root / name for name in chosen), layout.workspace)
    every = tuple(
        path for pattern in ("*.txt", "*.in", "requirements/*") for path in sorted(root.glob(pattern))
    )
    listed = read([root / name for name in chosen], layout.relative, layout.workspace)
    return Dependencies(
        source=", ".join(chosen),
        files=tuple(chosen),
        folders=tuple(folder for folder in listed.folders if "/" in folder),
        groups=_groups(layout.pyproject),
        project=_project(layout, *_extras(layout.pyproject)),
        inputs=(*(path for path in every if path.is_file()), *_inputs(root)),
    )


def _from_metadata(layout: Layout) -> Dependencies:
    document, root = layout.pyproject, layout.root
    groups, project = _groups(document), _project(layout, *_extras(document))
    try:
        lines, unread = _in_tables(document, root, built=bool(project))
    except ValueError as error:
        lines, unread = [], (f"what pyproject.toml lists: {error}",)
    says = {"project", "build-system", "dependency-groups"} & document.keys() or lines or unread
    names = (*(["pyproject.toml"] if says else []), "setup.cfg", "setup.py")
    sources = [name for name in names if (root / name).is_file()]
    source = (
        sources[0]
        if (project or groups or lines or unread) and sources
        else "nothing (the project names no dependencies)"
    )
    if groups or _extras(document):
        source += f": {', '.join([*groups, *_extras(document)])}"
    return Dependencies(
        source=source,
        requirements=tuple(lines),
        groups=groups,
        project=project,
        inputs=_inputs(root),
        unread=unread,
    )


def _in_tables(document: Mapping[str, Any], root: Path, *, built: bool) -> tuple[list[str], tuple[str, ...]]:
    """Return what the tables of a pyproject.toml say that the tests need, and the entries that are not understood.

    A project that is built brings its own dependencies along; one without a build system is not installed itself.
    Raises `ValueError` for a table where a list belongs, or the other way round.
    """
    lines: list[str] = []
    unread: list[str] = []
    extras = {f"project.optional-dependencies.{extra}" for extra in _extras(document)}
    for where, entries in requirement_lists(document):
        own = not built and (where == "project.dependencies" or where in extras)
        if own or (where.startswith("tool.") and _is_test_name(where)):
            lines += [entry for entry in entries if isinstance(entry, str)]
    for where, name, value in poetry_entries(document):
        own = where == MAIN and not built and not is_optional(value)
        if not own and not _is_test_name(where):
            continue
        try:
            lines += poetry_requirements(name, value, root)
        except ValueError as error:
            unread.append(f"{where}.{name}: {error}")
    return lines, tuple(unread)


def _inputs(root: Path, *names: str) -> tuple[Path, ...]:
    every = (*names, "pyproject.toml", "setup.cfg", "setup.py", "MANIFEST.in")
    return tuple(root / name for name in every if (root / name).is_file())


def _is_test_name(where: str) -> bool:
    return any(part.lower() in TEST_NAMES for part in re.split(r"[._\-\s]", where))


def _groups(document: Mapping[str, Any]) -> tuple[str, ...]:
    with suppress(ValueError):  # uv says what is wrong
        return tuple(name for name in table(document, "dependency-groups") if name.lower() in TEST_NAMES)
    return ()


def _extras(document: Mapping[str, Any]) -> tuple[str, ...]:
    with suppress(ValueError):  # uv says what is wrong
        extras = table(document, "project", "optional-dependencies")
        return tuple(name for name in extras if name.lower() in TEST_NAMES)
    return ()


def _project(layout: Layout, *extras: str) -> str:
    """Return the project as something to install, where it can be built."""
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
