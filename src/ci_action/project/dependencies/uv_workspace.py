"""The uv.lock of a project: its own, or that of the workspace of uv that it belongs to.

A lock above the project is not its lock because it is there: `uv sync` refuses one of a workspace without this project.
"""

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from ci_action.project.config_files import read_toml, tool_table
from ci_action.project.dependencies.inventory import Kind
from ci_action.project.layout import Layout

_PYPROJECT: Final = "pyproject.toml"
# A folder with one of them has dependencies of its own, although it has no pyproject.toml.
_OWN: Final = ("requirements*.txt", "requirements*.in", "setup.py", "setup.cfg", "Pipfile")


def uv_lock(layout: Layout) -> Path | None:
    """Return the uv.lock that applies, as uv finds it; raises `ToolError` for a pyproject.toml that cannot be read."""
    root = layout.root
    if (root / Kind.UV).is_file():
        return root / Kind.UV
    if not (root / _PYPROJECT).is_file() and any(found for name in _OWN for found in root.glob(name)):
        return None
    projects = [folder for folder in layout.folders if (folder / _PYPROJECT).is_file()]
    if not projects:
        return next((file for folder in layout.folders if (file := folder / Kind.UV).is_file()), None)
    project, *above = projects
    if (project / Kind.UV).is_file():
        return project / Kind.UV
    top = _workspace_of(project, above, layout)
    return top / Kind.UV if top and (top / Kind.UV).is_file() else None


def _workspace_of(project: Path, above: list[Path], layout: Layout) -> Path | None:
    """Return the root of the workspace with this project: the next folder above decides that is a project or a workspace."""
    if _members(read_toml(project / _PYPROJECT, layout.workspace)) is not None:
        return None  # it is the root of one itself
    for folder in above:
        document = read_toml(folder / _PYPROJECT, layout.workspace)
        table = _members(document)
        if table is not None:
            name = os.path.relpath(project, folder)
            return folder if _named(name, table, "members") and not _named(name, table, "exclude") else None
        if "project" in document:
            return None
    return None


def _members(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    uv = tool_table(document).get("uv")
    table = uv.get("workspace") if isinstance(uv, dict) else None
    return table if isinstance(table, dict) else None


def _named(name: str, table: Mapping[str, Any], key: str) -> bool:
    patterns = table.get(key)
    return isinstance(patterns, list) and any(
        isinstance(pattern, str) and fnmatchcase(name, os.path.normpath(pattern)) for pattern in patterns
    )
