"""What the project names and its lock does not hold: the lock is older than the project's files, or cut off.

Only what stands there without a condition is asked for, and only where every lock of that kind holds it: a lock may leave
out what a marker excludes, and some kinds hold a choice of groups.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from ci_action.project.dependencies.inventory import Inventory, Kind, Unauditable
from ci_action.project.dependencies.poetry import poetry_tables
from ci_action.project.dependencies.pyproject import requirement_lists, requirement_of
from ci_action.project.dependencies.requirements_txt import placed_names
from ci_action.project.layout import Layout
from ci_action.system.project_files import find_project_text

_OWN: Final = "project.dependencies"
# The lists of which a lock holds everything, by the beginning of their places.
_HELD: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.UV: ("project.", "dependency-groups.", "tool.uv."),
    Kind.PYLOCK: (_OWN,),
    Kind.POETRY: ("project.",),
    Kind.PDM: (_OWN,),
}
_NAMES: Final = re.compile(r"""\bname\s*=\s*["']([^"']*)["']|^\s*"([^"]+)"\s*:""", re.MULTILINE)


def unlocked(inventory: Inventory, text: str, layout: Layout) -> Iterator[Unauditable]:
    """Yield what the lock with this text lacks; anything in it that looks like its name is enough."""
    held = {canonicalize_name(one or other) for one, other in _NAMES.findall(text)}
    project = layout.pyproject.get("project")
    held.add(canonicalize_name(str(project.get("name", "")) if isinstance(project, dict) else ""))
    file = layout.root / ("Pipfile" if inventory.kind is Kind.PIPENV else "pyproject.toml")
    said = find_project_text(file, layout.workspace)
    places = placed_names(said, layout.relative(file))
    for name in dict.fromkeys(_named(inventory.kind, layout.pyproject, said)):
        if name not in held:
            reason = f"{inventory.source} does not hold it, so it is older than {file.name}: make it anew"
            yield Unauditable(name=name, reason=reason, location=places.get(name))


def _named(kind: Kind, document: Mapping[str, Any], said: str) -> Iterator[str]:
    try:
        if kind is Kind.PIPENV:
            tables: Iterable[Any] = tomllib.loads(said).get("packages", {}), tomllib.loads(said).get(
                "dev-packages", {}
            )
        else:
            tables = (table for _, table in poetry_tables(document)) if kind is Kind.POETRY else ()
            for where, entries in requirement_lists(document):
                if where.startswith(_HELD.get(kind, ())):
                    yield from filter(None, map(_unconditional, entries))
        for table in tables:
            yield from (
                canonicalize_name(name)
                for name, value in table.items()
                if isinstance(value, str) and name.lower() != "python"
            )
    except (ValueError, TypeError, AttributeError):  # a file of another shape says nothing here
        return


def _unconditional(entry: object) -> str:
    try:
        requirement = requirement_of(entry) if isinstance(entry, str) else None
    except InvalidRequirement:
        return ""
    return canonicalize_name(requirement.name) if requirement and requirement.marker is None else ""
