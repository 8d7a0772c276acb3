"""Where a pyproject.toml names what the project needs."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def requirement_lists(document: Mapping[str, Any]) -> Iterator[tuple[str, Iterable[object]]]:
    """Yield every list of requirements with its place: `dependency-groups.lint`."""
    for group, entries in document.get("dependency-groups", {}).items():
        yield f"dependency-groups.{group}", entries
    project, tools = document.get("project", {}), document.get("tool", {})
    for extra, entries in project.get("optional-dependencies", {}).items():
        yield f"project.optional-dependencies.{extra}", entries
    yield "project.dependencies", project.get("dependencies", ())
    yield "tool.uv.dev-dependencies", tools.get("uv", {}).get("dev-dependencies", ())
    for group, entries in tools.get("pdm", {}).get("dev-dependencies", {}).items():
        yield f"tool.pdm.dev-dependencies.{group}", entries
    for name, environment in tools.get("hatch", {}).get("envs", {}).items():
        for key in ("dependencies", "extra-dependencies"):
            yield f"tool.hatch.envs.{name}.{key}", environment.get(key, ())


def poetry_tables(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every table of Poetry's own dependencies with its place."""
    poetry = document.get("tool", {}).get("poetry", {})
    for group, table in poetry.get("group", {}).items():
        yield f"tool.poetry.group.{group}", table.get("dependencies", {})
    yield "tool.poetry.dev-dependencies", poetry.get("dev-dependencies", {})
    yield "tool.poetry.dependencies", poetry.get("dependencies", {})
