"""The files that scanners look at: those that git tracks, so that neither builds nor environments are searched."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from ci_action.errors import InterruptedRunError, ToolError
from ci_action.project.layout import Layout
from ci_action.project.repository import Repository

# Outside a repository nothing says what belongs to the project: these never do.
_FOREIGN: Final = frozenset({
    ".git", ".hg", ".svn", ".bzr", "CVS", ".venv", "venv", "env", "node_modules", "__pycache__", ".tox", ".nox", ".eggs",
    ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "site-packages", ".ci-action",
})  # fmt: skip

_TEST_FOLDERS: Final = frozenset({"tests", "test", "testing"})
_TEST_FILE: Final = re.compile(r"test_.*\.pyw?|.*_test\.pyw?|tests\.py|conftest\.py", re.DOTALL)


@dataclass(frozen=True)
class Files:
    """Names relative to the root, sorted; what is not UTF-8 in them is kept as Python keeps it (surrogates)."""

    names: tuple[str, ...]
    notice: str = ""
    """Why these are not the tracked files; empty where they are."""


def tracked(
    repository: Callable[[], Repository], layout: Layout, own_folders: tuple[Path, ...] = ()
) -> Files:
    """List the files below the paths of the run that git tracks and that are there; links are not followed.

    Where git tracks nothing (no repository, or nothing was added yet) all files count, but for environments, caches
    and folders of ours; that is said.
    """
    known, problem = _known(repository, layout)
    if known:
        return Files(tuple(sorted(name for name in known if _is_file(layout.root / name))))
    found = sorted(set(_walked(layout, own_folders)))
    return Files(tuple(found), f"all files were looked at, not the tracked ones: {problem}" if found else "")


def _known(repository: Callable[[], Repository], layout: Layout) -> tuple[list[str], str]:
    try:
        names = repository().tracked(layout.root, layout.paths)
    except InterruptedRunError:
        raise
    except ToolError as error:
        return [], error.reason
    return names, "" if names else "git tracks none yet (git add)"


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _walked(layout: Layout, own_folders: tuple[Path, ...]) -> Iterator[str]:
    own = {os.path.realpath(folder) for folder in own_folders}
    for path in layout.paths:
        start = os.path.join(layout.root, path)
        if _is_file(Path(start)):
            yield os.path.relpath(start, layout.root)
        for folder, folders, names in os.walk(start):
            folders[:] = [
                name
                for name in folders
                if name not in _FOREIGN and os.path.realpath(os.path.join(folder, name)) not in own
            ]
            if "pyvenv.cfg" in names:
                folders.clear()
                continue
            for name in names:
                file = os.path.join(folder, name)
                if _is_file(Path(file)):
                    yield os.path.relpath(file, layout.root)


def is_test(name: str) -> bool:
    """Whether a file belongs to the tests by its name."""
    path = PurePath(name)
    return not _TEST_FOLDERS.isdisjoint(path.parts[:-1]) or _TEST_FILE.fullmatch(path.name) is not None
