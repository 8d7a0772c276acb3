"""The Flask application of a project whose env.py needs one, as the variable `FLASK_APP` names it."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ci_action.system.errors import ProjectFileError
from ci_action.system.project_files import find_project_text

_VARIABLE: Final = "FLASK_APP"
# Flask itself reads these, in this order.
_VARIABLES: Final = (".env", ".flaskenv")
_OTHERS: Final = (
    "Dockerfile", "docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml", "Procfile", "Makefile", "justfile",
)  # fmt: skip
_SET: Final = re.compile(
    rf"(?:^|[\s\"'])(?:export +)?{_VARIABLE}[ \t]*[=: ][ \t]*[\"']?([^\s\"'#]+)", re.MULTILINE
)
_APPLICATION: Final = re.compile(
    r"^(?:def (?:create|make)_app\b|(?:app|application)\b[^=\n]*= *(?:Flask|create_app|make_app)\()",
    re.MULTILINE,
)
_FIRST: Final = ("wsgi.py", "app.py")
_USES: Final = re.compile(r"\bcurrent_app\b")
_MODULES: Final = ("*.py", "*/__init__.py", "*/wsgi.py", "*/app.py", "*/main.py")
_MOST_MODULES: Final = 200


def needs_application(env: str) -> bool:
    """Return whether an env.py asks Flask for the current application."""
    return bool(_USES.search(env))


def application(
    folder: Path, workspace: Path, environ: Mapping[str, str], pyproject: Mapping[str, Any]
) -> str:
    """Return the application of a project as in `FLASK_APP`; empty if nothing names it."""
    if named := environ.get(_VARIABLE, "").strip():
        return named
    for name in _VARIABLES:
        if found := _SET.search(_text(folder / name, workspace)):
            return found[1]
    if set_by_tool := _in_table(pyproject):
        return set_by_tool
    for name in _FIRST:  # Flask finds these by itself
        if (folder / name).is_file():
            return name
    for name in _OTHERS:
        if found := _SET.search(_text(folder / name, workspace)):
            return found[1]
    return next(_with_application(folder, workspace), "")


def _text(file: Path, workspace: Path) -> str:
    try:
        return find_project_text(file, workspace)
    except ProjectFileError:  # a link out of the workspace names nothing of the project
        return ""


def _in_table(value: object) -> str:
    """Return the variable in a table for a task, an environment or the tests."""
    if not isinstance(value, dict):
        return ""
    if isinstance(found := value.get(_VARIABLE), str):
        return found
    return next(filter(None, map(_in_table, value.values())), "")


def _with_application(folder: Path, workspace: Path) -> Iterator[str]:
    """Yield the modules and packages of a folder that make an application."""
    for place in (folder, folder / "src"):
        found = [file for pattern in _MODULES for file in sorted(place.glob(pattern))]
        for file in found[:_MOST_MODULES]:
            if _APPLICATION.search(_text(file, workspace)):
                module = file.parent if file.name == "__init__.py" else file
                yield os.path.relpath(module, folder)
