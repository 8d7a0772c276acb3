"""Where Ruff's configuration leads: `extend` names further files, and an error of Ruff quotes the file that it cannot read."""

import os
import stat
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from ci_action.project.file_kinds import RUFF_FILES
from ci_action.project.layout import Layout
from ci_action.system.errors import AbsentFileError, ProjectFileError, ToolError
from ci_action.system.project_files import find_project_file, read_project_file

_PYPROJECT: Final = "pyproject.toml"
_IGNORES: Final = frozenset({".gitignore", ".ignore"})
_NAMES: Final = frozenset({*RUFF_FILES, _PYPROJECT})
SKIPPED_FOLDERS: Final = frozenset(
    {".git", ".hg", ".venv", "venv", "node_modules", "__pycache__", ".tox", ".nox"}
)


def refuse_outside(layout: Layout, words: Sequence[str]) -> None:
    """Raise `ToolError` for a configuration that leads out of the workspace; `words` are the options of the user."""
    seen: set[str] = set()
    for file in (*_given(words, layout.root), *_above(layout), *_below(layout)):
        _follow(file, layout, seen)


def _given(words: Sequence[str], root: Path) -> Iterator[Path]:
    for word, following in zip(words, (*words[1:], ""), strict=False):
        name, equals, value = word.partition("=")
        if name == "--config":
            file = root / (value if equals else following)
            if file.suffix == ".toml":  # else it is a setting
                yield file


def _above(layout: Layout) -> Iterator[Path]:
    return (folder / name for folder in layout.folders for name in sorted(_NAMES))


def _below(layout: Layout) -> Iterator[Path]:
    for path in layout.paths:
        start = layout.root / path
        for folder in start.parents if start.is_relative_to(layout.root) else ():
            if folder.is_relative_to(layout.root):
                yield from (folder / name for name in sorted(_NAMES))
        for found, folders, files in os.walk(start):
            for name in _IGNORES.intersection(files):
                _refuse_endless(Path(found, name), layout)
            yield from (Path(found, name) for name in sorted(_NAMES.intersection(files)))
            folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]


def _refuse_endless(file: Path, layout: Layout) -> None:
    """Raise `ToolError` for patterns that are a pipe or lead to a device: Ruff would never come to their end."""
    if not stat.S_ISREG(os.lstat(file).st_mode):
        try:
            find_project_file(file, layout.workspace)
        except ProjectFileError as error:
            raise ToolError(f"ruff is not started: {error.reason}") from error


def _follow(file: Path, layout: Layout, seen: set[str]) -> None:
    """Read a configuration and those that it extends."""
    chain: list[str] = []
    while (name := os.path.normpath(file)) not in seen:
        seen.add(name)
        try:
            raw = read_project_file(Path(name), layout.workspace)
        except AbsentFileError:
            return
        except ProjectFileError as error:
            through = "".join(f", which {one} extends" for one in reversed(chain[-1:]))
            raise ToolError(f"the configuration of ruff is refused: {error.reason}{through}") from error
        following = _extended(raw, Path(name).name == _PYPROJECT)
        shown = layout.shown(Path(name))
        if following is None:
            return
        if following.startswith("~") or "$" in following:
            raise ToolError(
                f"the configuration of ruff is refused: extend = {following!r} in {shown} depends on the machine:"
                " name a file in the workspace"
            )
        chain.append(shown)
        file = Path(name).parent / following


def _extended(raw: bytes, in_table: bool) -> str | None:  # noqa: FBT001 - a private choice of two forms
    """Return what a configuration extends; of one that is not valid TOML Ruff itself says so."""
    if b"extend" not in raw:
        return None
    try:
        table: Any = tomllib.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    for name in ("tool", "ruff") if in_table else ():
        table = table.get(name, {}) if isinstance(table, dict) else {}
    value = table.get("extend") if isinstance(table, dict) else None
    return value if isinstance(value, str) else None


def as_argument(path: str) -> str:
    """Return a path as Ruff takes it on its command line: `-x` would be an option, `@x` a file of further arguments."""
    return f"./{path}" if path.startswith(("-", "@")) else path
