"""Ruff's configuration files, none of which may lead out of the workspace, and its list of files.

`extend` names further files, and an error of Ruff quotes the file that it cannot read.
"""

import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ci_action.project.config_files import read_toml, tool_table
from ci_action.project.file_kinds import RUFF_FILES
from ci_action.project.layout import Layout
from ci_action.project.programs import options
from ci_action.system.errors import AbsentFileError, ProjectFileError, ToolError
from ci_action.system.project_files import find_project_file, read_project_file

_PYPROJECT: Final = "pyproject.toml"
_IGNORES: Final = frozenset({".gitignore", ".ignore"})
_NAMES: Final = tuple(sorted((*RUFF_FILES, _PYPROJECT)))
_SKIPPED_FOLDERS: Final = frozenset(
    {".git", ".hg", ".venv", "venv", "node_modules", "__pycache__", ".tox", ".nox"}
)


def tables(folder: Path, layout: Layout) -> Iterator[Mapping[str, Any]]:
    """Yield the tables of a folder that configure Ruff; raises `ToolError` if one is not valid TOML."""
    for name in RUFF_FILES:
        if (folder / name).is_file():
            yield read_toml(folder / name, layout.workspace)
    tool = tool_table(read_toml(folder / _PYPROJECT, layout.workspace))
    if "ruff" in tool:
        yield tool["ruff"] if isinstance(tool["ruff"], dict) else {}


def nested(layout: Layout) -> list[str]:
    """Return the topmost folders below the root that have a configuration of their own, relative to the root."""
    found: list[Path] = []
    for folder in sorted({file.parent for file in _below(layout) if file.is_file()} - {layout.root}):
        if not any(map(folder.is_relative_to, found)) and any(True for _ in tables(folder, layout)):
            found.append(folder)
    return [os.path.relpath(folder, layout.root) for folder in found]


def configurations(layout: Layout, words: Sequence[str]) -> list[bytes]:
    """Return the configuration files; raises `ToolError` if one leads out of the workspace.

    `words` are the options of the user.
    """
    seen: dict[str, bytes] = {}
    # `--config` is followed by a file or by a setting.
    given = (
        layout.root / value
        for name, value in options(words)
        if name == "--config" and value.endswith(".toml")
    )
    above = (folder / name for folder in layout.folders for name in _NAMES)
    for file in (*given, *above, *_below(layout)):
        _follow(file, layout, seen)
    return list(filter(None, seen.values()))


def _below(layout: Layout) -> Iterator[Path]:
    """Yield the configuration files that a path leads to, inside it or between the root and it."""
    for path in layout.paths:
        start = layout.root / path
        for folder in start.parents if start.is_relative_to(layout.root) else ():
            if folder.is_relative_to(layout.root):
                yield from (folder / name for name in _NAMES)
        for found, folders, files in os.walk(start):
            for name in _IGNORES.intersection(files):
                _refuse_endless(Path(found, name), layout)
            yield from (Path(found, name) for name in _NAMES if name in files)
            folders[:] = [name for name in folders if name not in _SKIPPED_FOLDERS]


def _refuse_endless(file: Path, layout: Layout) -> None:
    """Raise `ToolError` for ignore patterns in a pipe or device, which Ruff would read for ever."""
    if not stat.S_ISREG(os.lstat(file).st_mode):
        try:
            find_project_file(file, layout.workspace)
        except ProjectFileError as error:
            raise ToolError(f"ruff is not started: {error.reason}") from error


def _follow(file: Path, layout: Layout, seen: dict[str, bytes]) -> None:
    """Read a configuration and those that it extends."""
    through = ""
    while (name := os.path.normpath(file)) not in seen:
        seen[name] = b""
        try:
            seen[name] = raw = read_project_file(Path(name), layout.workspace)
        except AbsentFileError:
            return
        except ProjectFileError as error:
            raise ToolError(f"the configuration of ruff is refused: {error.reason}{through}") from error
        following = _extended(raw, in_table=Path(name).name == _PYPROJECT)
        if following is None:
            return
        shown = layout.relative(name)
        if following.startswith("~") or "$" in following:
            raise ToolError(
                f"the configuration of ruff is refused: extend = {following!r} in {shown} depends on the machine:"
                " name a file in the workspace"
            )
        through = f", which {shown} extends"
        file = Path(name).parent / following


def _extended(raw: bytes, *, in_table: bool) -> str | None:
    """Return what a configuration extends; None if it is not valid TOML, which Ruff reports itself."""
    if b"extend" not in raw:
        return None
    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    table = tool_table(document).get("ruff") if in_table else document
    value = table.get("extend") if isinstance(table, dict) else None
    return value if isinstance(value, str) else None


def parse_files(stdout: bytes) -> list[str]:
    """Return the Python files of `ruff check --show-files`, without the configuration files that it has rules for."""
    # One absolute path per line; a name may contain newlines itself.
    names = re.split(r"\n(?=/|\Z)", stdout.decode("utf-8", "surrogateescape"))
    return [name for name in names if name and name.rpartition("/")[2] not in _NAMES]
