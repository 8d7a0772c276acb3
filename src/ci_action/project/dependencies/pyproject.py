"""Where a pyproject.toml or setup.cfg names the packages that the project needs.

The tables of Poetry are read by poetry-core, as Poetry does. One of their entries may be a range, a table, or a list of
both, each for another Python or system (https://python-poetry.org/docs/dependency-specification/).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from poetry.core.packages.dependency import Dependency

_ORIGINS: Final = frozenset({"git", "url", "path", "file"})
MAIN: Final = "tool.poetry.dependencies"
_PYTHON_REQUIRES: Final = re.compile(r"""^\s*python_requires\s*=\s*["']([^"'\n]{1,100})["']""", re.MULTILINE)
_EXTRAS: Final = "options.extras_require"


def requirement_lists(document: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[object]]]:
    """Yield every list of requirements with its place: `dependency-groups.lint`.

    Raises `ValueError` for a table where a list belongs, or the other way round.
    """
    for group, entries in table(document, "dependency-groups").items():
        yield _list(f"dependency-groups.{group}", entries)
    for extra, entries in table(document, "project", "optional-dependencies").items():
        yield _list(f"project.optional-dependencies.{extra}", entries)
    yield _list("project.dependencies", table(document, "project").get("dependencies", []))
    yield _list("tool.uv.dev-dependencies", table(document, "tool", "uv").get("dev-dependencies", []))
    for group, entries in table(document, "tool", "pdm", "dev-dependencies").items():
        yield _list(f"tool.pdm.dev-dependencies.{group}", entries)
    for name in table(document, "tool", "hatch", "envs"):
        environment = table(document, "tool", "hatch", "envs", name)
        for key in ("dependencies", "extra-dependencies"):
            yield _list(f"tool.hatch.envs.{name}.{key}", environment.get(key, []))


def requirement_of(text: str) -> "Requirement":
    """Return the requirement that a text is; raises `InvalidRequirement`, also for one that is nested too deeply."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequirement(str(error)) from error


def find_requirement(entry: object) -> "Requirement | None":
    """Return the requirement that an entry of a list is; None for anything else."""
    with suppress(ValueError):
        return requirement_of(entry) if isinstance(entry, str) else None
    return None


def table(document: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Return a table inside a TOML document, empty if absent; raises `ValueError` if it is something else."""
    found = document
    for index, name in enumerate(names, 1):
        inner = found.get(name, {})
        if not isinstance(inner, dict):
            where = ".".join(names[:index])
            raise ValueError(f"{where} is not a table")
        found = inner
    return found


def project_text(document: Mapping[str, Any], key: str) -> str:
    """Return a text of the table `project`, empty if it is absent or not a text."""
    project = document.get("project")
    value = project.get(key) if isinstance(project, dict) else None
    return value if isinstance(value, str) else ""


def own_names(document: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the project's own package in their normal form: of `project` and of Poetry's table."""
    from packaging.utils import canonicalize_name

    names = (project_text(document, "name"), *_poetry_name(document))
    return frozenset(canonicalize_name(name) for name in names if name)


def _poetry_name(document: Mapping[str, Any]) -> Iterator[str]:
    with suppress(ValueError):
        name = table(document, "tool", "poetry").get("name")
        if isinstance(name, str):
            yield name


def _list(where: str, entries: object) -> tuple[str, Sequence[object]]:
    if not isinstance(entries, list):
        raise ValueError(f"{where} is not a list")
    return where, entries


def setup_cfg_requirements(text: str) -> Iterator[str]:
    """Yield the requirements of a setup.cfg and its extras, except those that it reads from other files."""
    for (section, key), value in _setup_cfg(text).items():
        listed = section == _EXTRAS or (section, key) == ("options", "install_requires")
        if listed and not value.strip().startswith("file:"):
            yield from filter(None, map(str.strip, value.split("\n")))


def setup_cfg_extras(text: str) -> tuple[str, ...]:
    """Return the names of the extras of a setup.cfg."""
    return tuple(key for section, key in _setup_cfg(text) if section == _EXTRAS)


def setup_cfg_python(text: str) -> str:
    """Return the `python_requires` of a setup.cfg; empty if it has none."""
    return _setup_cfg(text).get(("options", "python_requires"), "").strip()


def setup_py_python(text: str) -> str:
    """Return the `python_requires` of a setup.py, if it is written as a text; empty otherwise."""
    found = _PYTHON_REQUIRES.search(text)
    return found[1].strip() if found else ""


def _setup_cfg(text: str) -> dict[tuple[str, str], str]:
    """Return the values of the sections about dependencies, by section and key."""
    if "[options" not in text:
        return {}
    import configparser  # few projects need it

    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names of extras keep their case
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    sections = [name for name in ("options", _EXTRAS) if parser.has_section(name)]
    return {(section, key): value for section in sections for key, value in parser.items(section)}


def poetry_tables(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every table of Poetry's own dependencies with its place; raises `ValueError` if it is not a table."""
    for group in table(document, "tool", "poetry", "group"):
        entries = table(document, "tool", "poetry", "group", group, "dependencies")
        yield f"tool.poetry.group.{group}", entries
    for name in ("dev-dependencies", "dependencies"):
        yield f"tool.poetry.{name}", table(document, "tool", "poetry", name)


def poetry_entries(document: Mapping[str, Any]) -> Iterator[tuple[str, str, object]]:
    """Yield (place of the table, name, value) of every entry that is a separate requirement.

    Skips `python`, and what only adds a source or options to a requirement that `[project]` names. Raises `ValueError`
    if something is not a table.
    """
    for where, entries in poetry_tables(document):
        named = _named(document) if where == MAIN and entries else frozenset()
        for name, value in entries.items():
            adds = _key(name) in named and not has_origin(value)
            if name.lower() != "python" and not adds:
                yield where, name, value


def _named(document: Mapping[str, Any]) -> frozenset[str]:
    listed = map(find_requirement, table(document, "project").get("dependencies", ()))
    return frozenset(_key(one.name) for one in listed if one)


def _key(name: str) -> str:
    from packaging.utils import canonicalize_name  # only projects of Poetry need it

    return canonicalize_name(name)


def poetry_requirements(name: str, value: object, root: Path) -> tuple[str, ...]:
    """Return an entry as requirements of PEP 508, one for each of its constraints; paths are relative to `root`.

    Raises `ValueError` with the reason if poetry-core does not understand it, or if it names a path that does not
    exist.
    """
    constraints = _constraints(value)
    if not constraints:
        raise ValueError("the list of constraints is empty")
    return tuple(_requirement(name, constraint, root) for constraint in constraints)


def has_origin(value: object) -> bool:
    """Return whether an entry comes from a repository, a URL or a path instead of a package index."""
    return any(isinstance(one, dict) and not _ORIGINS.isdisjoint(one) for one in _constraints(value))


def is_optional(value: object) -> bool:
    """Return whether an entry is installed only with an extra."""
    return any(isinstance(one, dict) and one.get("optional") is True for one in _constraints(value))


def _constraints(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _requirement(name: str, constraint: object, root: Path) -> str:
    import logging  # as below

    from poetry.core.factory import Factory  # 60 ms that only projects of Poetry pay

    # It warns of folders that do not exist; such an entry is an error here.
    logging.getLogger("poetry").addHandler(logging.NullHandler())
    if isinstance(constraint, dict):
        for key in {"path", "file"} & constraint.keys():
            if not (root / str(constraint[key])).exists():
                raise ValueError(f"{key} = {constraint[key]!r} does not exist")
    try:
        dependency = Factory.create_dependency(name, constraint, root_dir=root)  # type: ignore[arg-type]  # whatever it is
        line = _with_one_range(dependency).to_pep_508()
        requirement_of(line)
    except Exception as error:  # poetry-core raises whatever its parsers meet in a value of another shape
        raise ValueError(f"{constraint!r}: {error}") from error
    return line


def _with_one_range(dependency: "Dependency") -> "Dependency":
    """Return the dependency with the highest of its alternatives (`<1 || >=3`), which Poetry tries first."""
    from poetry.core.constraints.version import VersionUnion  # see _requirement

    constraint = dependency.constraint
    if isinstance(constraint, VersionUnion) and "||" in str(constraint):
        return dependency.with_constraint(constraint.ranges[-1])
    return dependency
