"""Where a pyproject.toml names what the project needs."""

import configparser
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement


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


def requirement_of(text: str) -> Requirement:
    """Return the requirement that a text is; raises `InvalidRequirement`, also for one that is nested too deeply."""
    try:
        return Requirement(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequirement(str(error)) from error


def table(document: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Return a table inside a TOML document, empty if it is not there; raises `ValueError` if it is something else."""
    found: Any = document
    for index, name in enumerate(names, 1):
        found = found.get(name, {})
        if not isinstance(found, dict):
            where = ".".join(names[:index])
            raise ValueError(f"{where} is not a table")  # noqa: TRY004 - the content of a file is wrong
    return found  # type: ignore[no-any-return]  # checked above


def project_text(document: Mapping[str, Any], key: str) -> str:
    """Return a text of the table `project`, empty if it is absent or not a text."""
    project = document.get("project")
    value = project.get(key) if isinstance(project, dict) else None
    return value if isinstance(value, str) else ""


def _list(where: str, entries: object) -> tuple[str, Sequence[object]]:
    if not isinstance(entries, list):
        raise ValueError(f"{where} is not a list")  # noqa: TRY004 - the content of a file is wrong
    return where, entries


def setup_cfg_requirements(text: str) -> Iterator[str]:
    """Yield the requirements of a setup.cfg, those of its extras too; what it reads from other files is none."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    found = [parser.get("options", "install_requires", fallback="")]
    if parser.has_section("options.extras_require"):
        found += [value for _, value in parser.items("options.extras_require")]
    for value in found:
        if not value.strip().startswith("file:"):
            yield from filter(None, map(str.strip, re.split(r"[\n]", value)))
