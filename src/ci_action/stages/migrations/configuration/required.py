"""Whether the project requires Alembic, and where."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ci_action.model.finding import Location
from ci_action.project.dependencies.pyproject import poetry_entries, requirement_lists
from ci_action.project.layout import Layout
from ci_action.system.errors import ProjectFileError
from ci_action.system.project_files import find_project_text

_NAMES: Final = r"(?:alembic|flask[-_.]migrate)"
_ENTRY: Final = re.compile(rf"\s*{_NAMES}\s*(?:[\[<>=!~;@ (]|$)", re.IGNORECASE)
_LINE: Final = re.compile(rf"^\s*[\"']?{_NAMES}[\"']?\s*(?:[\[<>=!~;@,#]|$)", re.IGNORECASE)
_IN_TOML: Final = re.compile(rf"(?:^|[\"'])\s*{_NAMES}\b", re.IGNORECASE)
_PYPROJECT: Final = "pyproject.toml"
_FILES: Final = (
    "requirements*.txt",
    "requirements*.in",
    "requirements/*.txt",
    "requirements/*.in",
    "setup.cfg",
    "Pipfile",
)


def place_of(layout: Layout) -> Location | None:
    """Return where the project itself requires Alembic or Flask-Migrate; None if it does not."""
    if any(_ENTRY.match(name) for name in _in_pyproject(layout.pyproject)):
        return _located(layout, layout.root / _PYPROJECT, _IN_TOML)
    for pattern in _FILES:
        for file in sorted(layout.root.glob(pattern)):
            if found := _located(layout, file, _LINE):
                return found
    return None


def _in_pyproject(document: Mapping[str, Any]) -> Iterator[str]:
    try:
        for _, entries in requirement_lists(document):
            yield from (entry for entry in entries if isinstance(entry, str))
        for _, name, _ in poetry_entries(document):
            yield name
    except ValueError:  # of another shape: reported where it is installed
        return


def _located(layout: Layout, file: Path, line: re.Pattern[str]) -> Location | None:
    try:
        text = find_project_text(file, layout.workspace)
    except ProjectFileError:
        return None
    numbers = (number for number, one in enumerate(text.split("\n"), 1) if line.search(one))
    number = next(numbers, None)
    return Location(path=layout.relative(file), line=number) if number else None
