"""Where a pyproject.toml names what the project needs."""

import configparser
import re
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


def poetry_range(version: str) -> str:
    """Translate Poetry's `^` and `~` into a range of PEP 440; a bare version is an exact one, `*` is any."""
    text = version.strip()
    if text == "*":
        return ""
    if match := re.fullmatch(r"(?P<mark>[\^~])\s*(?P<release>\d+(?:\.\d+)*)", text):
        numbers = [int(number) for number in match["release"].split(".")]
        position = 0 if match["mark"] == "^" else min(1, len(numbers) - 1)
        if match["mark"] == "^":  # the first number that is not zero may not change
            position = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
        upper = [*numbers[:position], numbers[position] + 1]
        return f">={match['release']},<{'.'.join(map(str, upper))}"
    return f"=={text}" if re.match(r"\d", text) else text


def poetry_requirement(name: str, value: object) -> str:
    """Return an entry of Poetry's tables as a requirement; empty for what has no version there, such as a path."""
    if name.lower() == "python":
        return ""
    if isinstance(value, str):
        return f"{name}{poetry_range(value)}"
    if not isinstance(value, dict) or "version" not in value:
        return f"{name} @ git+{value['git']}" if isinstance(value, dict) and "git" in value else ""
    extras = f"[{','.join(value['extras'])}]" if value.get("extras") else ""
    marker = f" ; {value['markers']}" if value.get("markers") else ""
    return f"{name}{extras}{poetry_range(str(value['version']))}{marker}"
