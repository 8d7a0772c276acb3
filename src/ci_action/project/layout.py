"""The places of a run: workspace, project root, paths to check, the project's pyproject.toml."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ci_action.project.dependencies.pyproject import project_text
from ci_action.settings import Settings
from ci_action.settings.general import name_of_run
from ci_action.system.folder import REPORTS
from ci_action.system.lazy import Lazy
from ci_action.system.project_files import read_project_file

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

    from ci_action.project.dependencies.lockfiles import Lock

NO_CACHE: Final = "none"
_MINORS: Final = 40


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The places of a run. All paths are absolute."""

    workspace: Path
    root: Path
    """The project's folder: `working-directory`."""
    here: Path | None = None
    """The folder that our own folders are relative to if it is not the workspace: in a shell the current one."""
    paths: tuple[str, ...] = (".",)
    """What to check, relative to the root, as the user wrote it."""
    pyproject: Mapping[str, Any] = field(default_factory=dict)
    """The parsed pyproject.toml of the root; empty if it does not exist."""
    locks: "dict[Path, Lazy[Lock]]" = field(default_factory=dict, compare=False, repr=False)

    @property
    def requires_python(self) -> str:
        """The project's `requires-python`, or an empty text."""
        return project_text(self.pyproject, "requires-python")

    @property
    def folders(self) -> tuple[Path, ...]:
        """The root and the folders above it, up to the workspace."""
        above = [self.root, *self.root.parents]
        inside = [folder for folder in above if folder.is_relative_to(self.workspace)]
        return tuple(inside) or (self.root,)

    def relative(self, path: str | Path) -> str:
        """Return a path that a tool named (absolute, or relative to the root) as relative to the workspace."""
        absolute = os.path.normpath(os.path.join(self.root, path))
        for real in (False, True):
            base = os.path.realpath(self.workspace) if real else str(self.workspace)
            if absolute == base or absolute.startswith(base + os.sep):
                return Path(os.path.relpath(absolute, base)).as_posix()
        return Path(absolute).as_posix()

    def lock(self, file: Path) -> "Lock":
        """Return a lock file, read once in a run; raises `ProjectFileError`."""
        from ci_action.project.dependencies.lockfiles import Lock, kind_of

        return self.locks.setdefault(file, Lazy()).of(
            lambda: Lock(
                kind_of(file.name), self.relative(file), read_project_file(file, self.workspace), file.parent
            )
        )

    def shown(self, path: Path) -> str:
        """Return a path for people and outputs: relative inside the workspace, absolute outside."""
        return self.relative(path)


def report_dir(layout: Layout, settings: Settings) -> Path:
    """Return the folder of the report files: each set of stages has its own, unless a setting names one."""
    folder = reports_root(layout, settings)
    return folder if settings.report_dir else folder / name_of_run(settings.stage)


def reports_root(layout: Layout, settings: Settings) -> Path:
    """Return the folder that contains reports only: that of this run if a setting names it, else that of every run."""
    return _own(layout, settings.report_dir or REPORTS)


def cache_dir(layout: Layout, settings: Settings, environ: Mapping[str, str]) -> Path | None:
    """Return the folder of the results of unchanged files; None if none are kept."""
    if settings.cache_dir == NO_CACHE:
        return None
    if settings.cache_dir:
        return _own(layout, settings.cache_dir)
    home = cache_home(environ)
    return home / "ci-action" if home else None


def _own(layout: Layout, path: str) -> Path:
    return (layout.here or layout.workspace) / Path(path).expanduser()


def cache_home(environ: Mapping[str, str]) -> Path | None:
    """Return the user's folder for caches; None if there is none."""
    home = environ.get("XDG_CACHE_HOME") or (f"{environ['HOME']}/.cache" if environ.get("HOME") else "")
    return Path(home) if os.path.isabs(home) else None


def repository_above(folder: Path) -> Path | None:
    """Return the root of the git repository that contains a folder; None if it is in none. Starts no program."""
    return next((one for one in (folder, *folder.parents) if _is_repository(one / ".git")), None)


def _is_repository(entry: Path) -> bool:
    try:
        return entry.is_file() or (entry / "HEAD").exists()  # worktrees and submodules have a file
    except OSError:
        return False


def place_in(folder: Path, workspace: Path) -> str:
    """Return the path of a folder relative to the workspace; empty if it is outside."""
    real, top = os.path.realpath(folder), os.path.realpath(workspace)
    return os.path.relpath(real, top) if Path(real).is_relative_to(top) else ""


def working_directory_mistakes(value: str, workspace: Path) -> list[str]:
    """Return the errors of a working directory."""
    folder = workspace / value
    if not _inside(folder, workspace):
        return [f"working-directory = {value!r}: outside the workspace {str(workspace)!r}"]
    if not folder.is_dir():
        return [f"working-directory = {value!r}: no such folder in {str(workspace)!r}"]
    return []


def path_mistakes(settings: Settings, workspace: Path) -> list[str]:
    """Return the errors of the places that the settings name."""
    mistakes = working_directory_mistakes(settings.working_directory, workspace)
    if mistakes:
        return mistakes
    root = workspace / settings.working_directory
    for path in settings.paths:
        if not path.strip():
            mistakes.append("paths = '': empty path; use '.' for the whole project")
        elif "\0" in path:
            mistakes.append(f"paths = {path!r}: a path cannot contain a NUL character")
        elif not _inside(root / path, workspace):
            mistakes.append(f"paths = {path!r}: outside the workspace {str(workspace)!r}")
        elif not (root / path).exists():
            mistakes.append(f"paths = {path!r}: no such file or folder in {str(root)!r}")
    return mistakes


def python_mistakes(settings: Settings, requires_python: str) -> list[str]:
    """Return an error if the chosen Python contradicts the project's `requires-python`."""
    if not settings.python_version or not requires_python:
        return []
    try:
        if not _specifiers(requires_python).is_disjoint(_range(settings.python_version)):
            return []
    except ValueError:
        return [
            f"requires-python = {requires_python!r} in pyproject.toml is not a valid version range such as '>=3.11'"
        ]
    contradiction = (
        f"python-version = {settings.python_version!r} contradicts requires-python = {requires_python!r}"
    )
    return [f"{contradiction} in pyproject.toml: choose a version that both allow"]


def lowest_minor(python_version: str) -> int | None:
    """Return the lowest minor version that a version or range allows: 12 for '3.12.1', 11 for '>=3.11'; None without one."""
    if not python_version:
        return None
    if usual := re.fullmatch(r">=\s*3\.([12]?\d)(?:\.\d+)?", python_version):
        return int(usual[1])  # without the import of `packaging`
    with suppress(ValueError):
        allowed = _range(python_version)
        minors = (minor for minor in range(_MINORS) if not allowed.is_disjoint(_range(f"3.{minor}")))
        return next(minors, None)
    return None


def _range(python_version: str) -> "SpecifierSet":
    """Return a version as a range, in which `3.12` is every 3.12; raises `ValueError`."""
    if python_version[:1].isdigit():
        every_patch = "" if python_version.count(".") > 1 else ".*"
        return _specifiers(f"=={python_version}{every_patch}")
    return _specifiers(python_version)


def _specifiers(text: str) -> "SpecifierSet":
    from packaging.specifiers import SpecifierSet  # 15 ms that not all runs need

    return SpecifierSet(text.replace("===", "=="))  # the former compares texts and is not a range


def _inside(path: Path, workspace: Path) -> bool:
    try:
        return path.resolve().is_relative_to(workspace.resolve())
    except (OSError, RuntimeError, ValueError):
        return False
