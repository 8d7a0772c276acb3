"""The files for scanners: those that git tracks, so that neither builds nor environments are searched."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ci_action.project.file_kinds import PYTHON
from ci_action.project.git.repository import Repository
from ci_action.project.layout import Layout
from ci_action.system.errors import ToolError
from ci_action.system.project_files import leading_outside, left_out, outside
from ci_action.system.text import quoted

# Folders that never belong to a project, for those outside of a repository.
FOREIGN: Final = frozenset({
    ".git", ".hg", ".svn", ".bzr", "CVS", ".venv", "venv", "env", "node_modules", "__pycache__", ".tox", ".nox", ".eggs",
    ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "site-packages", ".ci-action",
})  # fmt: skip


@dataclass(frozen=True)
class Files:
    """Names relative to the root, sorted; bytes that are not UTF-8 are surrogates."""

    names: tuple[str, ...]
    notice: str = ""
    """Why these are not the tracked files; empty if they are."""
    apart: tuple[str, ...] = ()
    """Folders that are separate repositories, without their files; relative to the workspace."""

    strange: tuple[str, ...] = ()
    """Links that lead out of the workspace, pipes and devices, which are left out; relative to the root."""
    unlisted: str = ""
    """Why repositories inside the project could not be listed; empty if they were."""

    @property
    def notices(self) -> tuple[str, ...]:
        """Notices about these files, and about those that are left out."""
        return tuple(
            filter(None, (self.notice, _not_looked_at(self.apart), self.unlisted, left_out(self.strange)))
        )


def tracked(
    repository: Callable[[], Repository], layout: Layout, own_folders: tuple[Path, ...] = ()
) -> Files:
    """List the existing files below the paths of the run that git tracks.

    Links are not followed, except those that give a Python name to another file. If git tracks nothing (no repository,
    or nothing was added yet), all files count except environments, caches and our folders, with a notice. The files of
    submodules and other repositories inside this one are listed if a path leads there; else a notice names the folder.
    """
    inner = _inner(layout)
    known, problem = _known(repository, layout.root, layout.paths)
    names = set(known)
    if sum(map(len, inner.values())) == len(layout.paths):
        problem = ""  # all paths lead into other repositories
    elif problem:
        names |= set(_walked(layout.root, layout.paths, own_folders))
    problems = [problem] if problem else []
    for folder, paths in inner.items():
        below = os.path.relpath(folder, layout.root)
        found, why = _known(repository, folder, paths)
        if why:
            found = list(_walked(folder, paths, own_folders))
            problems += [] if problem else [f"in {layout.relative(below)!r} {why}"]
        names |= {os.path.join(below, name) for name in found}
    files = {
        name
        for name in names
        if _is_file(layout.root / name) or _is_made_python(layout.root / name, layout.workspace)
    }
    nested, unlisted = list[str](), ""
    if not problem:
        try:
            nested = repository().nested(layout.root, layout.paths)
        except ToolError as error:
            unlisted = f"could not list the git repositories inside the project: {error.reason}"
    apart = [] if problem else sorted(set(_apart(layout, [*(names - files), *nested])))
    return Files(
        names=tuple(sorted(files)),
        notice=(
            f"checking all files, not only tracked ones: {'; '.join(problems)}" if problems and files else ""
        ),
        apart=tuple(layout.relative(name) for name in apart),
        unlisted=unlisted,
        strange=tuple(leading_outside(sorted(names - files), layout.root, layout.workspace)),
    )


def _known(repository: Callable[[], Repository], folder: Path, paths: Iterable[str]) -> tuple[list[str], str]:
    try:
        names = repository().tracked(folder, paths)
    except ToolError as error:
        return [], error.reason
    return names, "" if names else "git tracks none yet (git add)"


def _inner(layout: Layout) -> dict[Path, list[str]]:
    """Return the repositories inside the project's that paths lead into, each with those paths relative to it."""
    found: dict[Path, list[str]] = {}
    for path in layout.paths:
        start = Path(os.path.normpath(layout.root / path))
        for folder in (start, *start.parents):
            if layout.root.is_relative_to(folder):
                break
            if os.path.lexists(folder / ".git"):
                found.setdefault(folder, []).append(os.path.relpath(start, folder))
                break
    return found


def _apart(layout: Layout, names: Iterable[str]) -> Iterator[str]:
    """Yield the folders with a separate repository that no path leads into: git lists them without their files."""
    asked = [Path(os.path.normpath(layout.root / path)) for path in layout.paths]
    for name in names:
        folder = layout.root / name
        if any(path.is_relative_to(folder) for path in asked):
            continue
        if folder.is_dir() and not folder.is_symlink() and any(folder.iterdir()):
            yield name


def _not_looked_at(apart: Sequence[str]) -> str:
    if not apart:
        return ""
    kind = "a separate git repository" if len(apart) == 1 else "separate git repositories"
    return (
        f"not scanned, because of {kind} (submodule or nested clone):"
        f" {quoted(apart)}; add the folder to `paths`, or set `working-directory`"
    )


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _is_made_python(path: Path, workspace: Path) -> bool:
    """Whether a link gives a Python name to a file of the workspace that has another kind of name."""
    return (
        path.suffix in PYTHON
        and path.is_symlink()
        and path.is_file()
        and Path(os.path.realpath(path)).suffix not in PYTHON
        and not outside(path, workspace)
    )


def _walked(root: Path, paths: Iterable[str], own_folders: tuple[Path, ...]) -> Iterator[str]:
    own = {os.path.realpath(folder) for folder in own_folders}
    for path in paths:
        start = os.path.join(root, path)
        if _is_file(Path(start)):
            yield os.path.relpath(start, root)
        for folder, folders, names in os.walk(start):
            folders[:] = [
                name
                for name in folders
                if name not in FOREIGN and os.path.realpath(os.path.join(folder, name)) not in own
            ]
            if "pyvenv.cfg" in names:
                folders.clear()
                continue
            for name in names:
                file = os.path.join(folder, name)
                if _is_file(Path(file)) or os.path.islink(file):
                    yield os.path.relpath(file, root)
