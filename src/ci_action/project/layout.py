"""Where things are: workspace, project root, the paths to look at, the project's pyproject.toml."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from packaging.specifiers import SpecifierSet

from ci_action.project.dependencies.lockfiles import Lock, Locks
from ci_action.settings import Settings

NO_CACHE: Final = "none"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The places of a run. All paths are absolute."""

    workspace: Path
    root: Path
    """The project's folder: `working-directory`."""
    paths: tuple[str, ...] = (".",)
    """What to look at, relative to the root, as the user wrote it."""
    pyproject: Mapping[str, Any] = field(default_factory=dict)
    """The parsed pyproject.toml of the root; empty where there is none."""
    locks: Locks = field(default_factory=Locks, compare=False, repr=False)

    @property
    def requires_python(self) -> str:
        """The project's `requires-python`, or an empty text."""
        project = self.pyproject.get("project")
        value = project.get("requires-python", "") if isinstance(project, dict) else ""
        return value if isinstance(value, str) else ""

    @property
    def folders(self) -> tuple[Path, ...]:
        """The root and the folders above it, up to the workspace."""
        above = [self.root, *self.root.parents]
        inside = [folder for folder in above if folder.is_relative_to(self.workspace)]
        return tuple(inside) or (self.root,)

    def relative(self, path: str | Path) -> str:
        """Return a path that a tool named (absolute, or relative to the root) as relative to the workspace."""
        absolute = os.path.normpath(os.path.join(self.root, path))
        for base in (str(self.workspace), os.path.realpath(self.workspace)):
            if absolute == base or absolute.startswith(base + os.sep):
                return Path(os.path.relpath(absolute, base)).as_posix()
        return Path(absolute).as_posix()

    def lock(self, file: Path) -> Lock:
        """Return a lock file, read once in a run; raises `ProjectFileError`."""
        return self.locks.of(file, self.relative(file), self.workspace)

    def shown(self, path: Path) -> str:
        """Return a path of ours for people and outputs: relative inside the workspace, absolute outside."""
        return self.relative(path)


def report_dir(layout: Layout, settings: Settings) -> Path:
    """Return the folder of the report files."""
    return layout.workspace / Path(settings.report_dir).expanduser()


def cache_dir(layout: Layout, settings: Settings, environ: Mapping[str, str]) -> Path | None:
    """Return the folder of the results of unchanged files; None where nothing is to be kept."""
    if settings.cache_dir == NO_CACHE:
        return None
    if settings.cache_dir:
        return layout.workspace / Path(settings.cache_dir).expanduser()
    home = environ.get("XDG_CACHE_HOME") or (f"{environ['HOME']}/.cache" if environ.get("HOME") else "")
    return Path(home, "ci-action") if home and Path(home).is_absolute() else None


def working_directory_mistakes(value: str, workspace: Path) -> list[str]:
    """Say what is wrong with a working directory."""
    folder = workspace / value
    if not _inside(folder, workspace):
        return [f"working-directory = {value!r}: it lies outside the workspace {str(workspace)!r}"]
    if not folder.is_dir():
        return [f"working-directory = {value!r}: there is no such folder in {str(workspace)!r}"]
    return []


def path_mistakes(settings: Settings, workspace: Path) -> list[str]:
    """Say what is wrong with the places that the settings name."""
    mistakes = working_directory_mistakes(settings.working_directory, workspace)
    if mistakes:
        return mistakes
    root = workspace / settings.working_directory
    for path in settings.paths:
        if not path.strip():
            mistakes.append("paths = '': a path is empty; write '.' for the whole project")
        elif "\0" in path:
            mistakes.append(f"paths = {path!r}: a path cannot hold a NUL character")
        elif not _inside(root / path, workspace):
            mistakes.append(f"paths = {path!r}: it lies outside the workspace {str(workspace)!r}")
        elif not (root / path).exists():
            mistakes.append(f"paths = {path!r}: there is no such file or folder in {str(root)!r}")
    return mistakes


def python_mistakes(settings: Settings, requires_python: str) -> list[str]:
    """Say whether the chosen Python contradicts the project's `requires-python`."""
    if not settings.python_version or not requires_python:
        return []
    try:
        required = SpecifierSet(requires_python)
        required.contains("3")
    except ValueError:
        return [
            f"requires-python = {requires_python!r} in pyproject.toml is no version range such as '>=3.11'"
        ]
    if any(required.contains(version) for version in _candidates(settings.python_version)):
        return []
    return [
        (
            f"python-version = {settings.python_version!r} contradicts requires-python = {requires_python!r}"
            " in pyproject.toml: choose a version that both allow"
        )
    ]


def lowest_minor(python_version: str) -> int | None:
    """Return the minor version that `python-version` asks for at least: 12 for '3.12.1', 11 for '>=3.11'."""
    try:
        first = next(iter(_candidates(python_version)), None)
    except ValueError:
        return None
    return int(first.split(".")[1]) if first else None


def _candidates(python_version: str) -> Iterable[str]:
    # A minor version stands for all its patches, a range for every version that it holds.
    if python_version[:1].isdigit():
        if python_version.count(".") > 1:
            return [python_version]
        return [f"{python_version}.{patch}" for patch in range(40)]
    specifiers = SpecifierSet(python_version)
    every = (f"3.{minor}.{patch}" for minor in range(40) for patch in range(40))
    return (version for version in every if specifiers.contains(version))


def _inside(path: Path, workspace: Path) -> bool:
    try:
        return path.resolve().is_relative_to(workspace.resolve())
    except (OSError, RuntimeError, ValueError):
        return False
