"""Poetry's own tables of dependencies, read by poetry-core as Poetry reads them.

An entry may be a range, a table, or a list of both, each for another Python or system
(https://python-poetry.org/docs/dependency-specification/).
"""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from ci_action.project.dependencies.pyproject import requirement_of, table

if TYPE_CHECKING:
    from poetry.core.packages.dependency import Dependency

# poetry-core warns of folders that do not exist; such an entry is an error here, and reported as one.
logging.getLogger("poetry").addHandler(logging.NullHandler())
_ORIGINS = frozenset({"git", "url", "path", "file"})
MAIN = "tool.poetry.dependencies"


def poetry_tables(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every table of Poetry's own dependencies with its place; raises `ValueError` for what is not a table."""
    for group in table(document, "tool", "poetry", "group"):
        entries = table(document, "tool", "poetry", "group", group, "dependencies")
        yield f"tool.poetry.group.{group}", entries
    for name in ("dev-dependencies", "dependencies"):
        yield f"tool.poetry.{name}", table(document, "tool", "poetry", name)


def poetry_entries(document: Mapping[str, Any]) -> Iterator[tuple[str, str, object]]:
    """Yield (place of the table, name, value) of every entry that is a requirement of its own.

    `python` is none, nor is what only adds a source or options to a requirement that `[project]` names. Raises
    `ValueError` for what is not a table.
    """
    named = {_name(line) for line in table(document, "project").get("dependencies", ())}
    for where, entries in poetry_tables(document):
        for name, value in entries.items():
            adds = where == MAIN and canonicalize_name(name) in named and not has_origin(value)
            if name.lower() != "python" and not adds:
                yield where, name, value


def poetry_requirements(name: str, value: object, root: Path) -> tuple[str, ...]:
    """Return an entry as requirements of PEP 508, one for each of its constraints; paths are relative to `root`.

    Raises `ValueError` with the reason if poetry-core does not understand it, or if it names a path that does not
    exist.
    """
    constraints = value if isinstance(value, list) else [value]
    if not constraints:
        raise ValueError("the list of constraints is empty")
    return tuple(_requirement(name, constraint, root) for constraint in constraints)


def has_origin(value: object) -> bool:
    """Return whether an entry comes from elsewhere than a package index: a repository, an address, a path."""
    return not _ORIGINS.isdisjoint(_keys(value))


def is_optional(value: object) -> bool:
    """Return whether an entry is installed only with an extra."""
    constraints = value if isinstance(value, list) else [value]
    return any(isinstance(one, dict) and one.get("optional") is True for one in constraints)


def _requirement(name: str, constraint: object, root: Path) -> str:
    from poetry.core.factory import Factory  # noqa: PLC0415 - 60 ms that only projects of Poetry pay

    for key in _ORIGINS & _keys(constraint):
        if (
            key in {"path", "file"}
            and isinstance(constraint, dict)
            and not (root / str(constraint[key])).exists()
        ):
            raise ValueError(f"{key} = {constraint[key]!r} does not exist")
    try:
        dependency = Factory.create_dependency(name, constraint, root_dir=root)  # type: ignore[arg-type]  # whatever it is
        line = _with_one_range(dependency).to_pep_508()
        requirement_of(line)
    except InvalidRequirement as error:
        raise ValueError(f"{constraint!r} is not a valid requirement: {error}") from error
    except Exception as error:  # poetry-core raises whatever its parsers meet in a value of another shape
        raise ValueError(f"{constraint!r}: {error}") from error
    return line


def _with_one_range(dependency: "Dependency") -> "Dependency":
    """Return the dependency with the highest of its alternatives (`<1 || >=3`), which Poetry tries first."""
    from poetry.core.constraints.version import VersionUnion  # noqa: PLC0415 - see _requirement

    constraint = dependency.constraint
    if isinstance(constraint, VersionUnion) and "||" in str(constraint):
        return dependency.with_constraint(constraint.ranges[-1])
    return dependency


def _keys(value: object) -> frozenset[str]:
    constraints = value if isinstance(value, list) else [value]
    return frozenset(key for one in constraints if isinstance(one, dict) for key in one)


def _name(line: object) -> str:
    try:
        return canonicalize_name(requirement_of(line).name) if isinstance(line, str) else ""
    except InvalidRequirement:
        return ""
