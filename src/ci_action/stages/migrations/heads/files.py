"""The revision files: those of the checkout, and what the base branch has beside them."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ci_action.project.layout import Layout
from ci_action.stages.migrations.heads.header import LARGEST, is_revision
from ci_action.stages.migrations.model import Alembic
from ci_action.system.project_files import read_project_file


@dataclass(frozen=True, kw_only=True)
class RevisionFile:
    """A file with a revision."""

    place: str
    """Relative to the workspace."""
    read: Callable[[], bytes]
    """Raises `ProjectFileError`."""
    path: Path | None = None
    """The file on the disk; None if only the base branch has it."""
    new: bool = False
    """Whether the change adds or modifies it."""
    of_base: bool = False
    """Whether its content is that of the base branch."""


def of_checkout(layout: Layout, alembic: Alembic, is_new: Callable[[str], bool]) -> tuple[RevisionFile, ...]:
    """Return the revision files of a history, in Alembic's order; a file behind several names counts once."""
    found: dict[str, RevisionFile] = {}
    for folder in alembic.versions:
        for path in _listed(folder, recursive=alembic.recursive):
            place = layout.relative(path)
            file = RevisionFile(place=place, read=_reader(layout, path), path=path, new=is_new(place))
            found.setdefault(os.path.realpath(path), file)
    return tuple(found.values())


def _reader(layout: Layout, path: Path) -> Callable[[], bytes]:
    return lambda: read_project_file(path, layout.workspace, largest=LARGEST)


def _listed(folder: Path, *, recursive: bool) -> Iterator[Path]:
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if recursive and name != "__pycache__")
        yield from (Path(top, name) for name in sorted(names) if is_revision(name))


def belongs(place: str, layout: Layout, alembic: Alembic) -> bool:
    """Return whether a path, relative to the workspace, is the name of a revision file of a history."""
    folder, name = os.path.split(place)
    if not is_revision(name):
        return False
    tops = [layout.relative(top) for top in alembic.versions]
    return any(folder == top or (alembic.recursive and folder.startswith(f"{top}/")) for top in tops)


def merged(
    files: Iterable[RevisionFile], base: Mapping[str, bytes | None], is_changed: Callable[[str], bool]
) -> tuple[RevisionFile, ...]:
    """Return the files as they are after the merge.

    `base` has the files in which the base branch differs from the commit where the change began, by their places: its
    content, or None if it removed the file. What the change touched stays as in the checkout.
    """
    others = {place: content for place, content in base.items() if not is_changed(place)}
    kept = [file for file in files if file.place not in others]
    known = {file.place: file.path for file in files}
    theirs = [
        RevisionFile(place=place, read=partial(bytes, content), path=known.get(place), of_base=True)
        for place, content in sorted(others.items())
        if content is not None
    ]
    return (*kept, *theirs)
