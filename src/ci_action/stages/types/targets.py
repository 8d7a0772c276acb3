"""What a type checker checks: the arguments of the project's own command, else its configuration, else its packages."""

import configparser
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ci_action.project.config_files import tool_table
from ci_action.project.file_kinds import SOURCES
from ci_action.project.layout import Layout
from ci_action.system.project_files import find_project_text

# Folders and files that a checker of the project's own code leaves out.
_OTHER_FOLDERS: Final = frozenset({
    "tests", "test", "testing", "docs", "doc", "examples", "example", "scripts", "script", "bin", "benchmarks", "benchmark",
    "bench", "tools", "tasks", "build", "dist", "site", "ci", "requirements", "typings", "stubs", "migrations", "notebooks",
    "venv", "env", "node_modules",
})  # fmt: skip
_OTHER_FILES: Final = frozenset(
    {"setup.py", "conftest.py", "noxfile.py", "tasks.py", "fabfile.py", "manage.py"}
)
_SECTION_FILES: Final = ("mypy.ini", ".mypy.ini", "setup.cfg")
_MODULES: Final = dict.fromkeys(("-m", "-p", "-c", "--module", "--package", "--command"), True)
_KEYS: Final = ("files", "packages", "modules")


@dataclass(frozen=True)
class Arguments:
    """The arguments of a checker: options with their values, and the files and folders to check."""

    options: tuple[str, ...]
    paths: tuple[str, ...]


def divided(words: Sequence[str], valued: frozenset[str], ours: Mapping[str, bool]) -> Arguments:
    """Divide the words of a command; the options in `ours` are left out, with their value if the entry is true."""
    options: list[str] = []
    paths: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, _ = word.partition("=")
        if word == "--":
            paths += rest
            break
        if not word.startswith("-") or word == "-":
            paths.append(word)
        elif name in ours:
            if ours[name] and not equals and rest:
                rest.pop(0)
        elif name in valued and not equals and rest:
            options += [word, rest.pop(0)]
        else:
            options.append(word)
    return Arguments(tuple(options), tuple(paths))


def names_modules(options: Sequence[str]) -> bool:
    """Whether options of mypy name modules or packages to check."""
    return any(word.partition("=")[0] in _MODULES for word in options)


def without_modules(options: Sequence[str], valued: frozenset[str]) -> tuple[str, ...]:
    """Return the options of a checker without those of mypy that name what to check."""
    return divided(options, valued, _MODULES if _MODULES.keys() <= valued else {}).options


def configuration_of_mypy(layout: Layout, options: Sequence[str], folder: Path) -> Mapping[str, Any]:
    """Return the keys of mypy's configuration that name what to check; raises `ValueError`."""
    named = next(
        (value for name, value in _pairs(options) if name in {"--config-file", "--config"} and value), ""
    )
    names = [named] if named else [*_SECTION_FILES[:2], "pyproject.toml", _SECTION_FILES[2]]
    for name in names:
        text = find_project_text(folder / name, layout.workspace)
        table: Mapping[str, Any] = {}
        if name.endswith(".toml"):
            found = tool_table(tomllib.loads(text)).get("mypy") if text else None
            table = found if isinstance(found, dict) else {}
        elif text:
            parser = configparser.RawConfigParser(strict=False)
            try:
                parser.read_string(text)
            except configparser.Error as error:
                raise ValueError(str(error).splitlines()[0]) from error
            table = dict(parser.items("mypy")) if parser.has_section("mypy") else {}
        if table or (named and text):
            return {key: value for key, value in table.items() if key in _KEYS and value}
    return {}


def _pairs(options: Sequence[str]) -> Iterator[tuple[str, str]]:
    for word, following in zip(options, (*options[1:], ""), strict=False):
        name, equals, value = word.partition("=")
        yield name, value if equals else following


def packages(layout: Layout) -> tuple[str, ...]:
    """Return the folders and files of the project's own code, without tests and scripts; `.` if none is found."""
    root = layout.root
    if any(_is_source(path) for path in _below(root / "src")):
        return ("src",)
    entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    folders = tuple(
        entry.name
        for entry in entries
        if entry.is_dir() and entry.name not in _OTHER_FOLDERS and _is_package(Path(entry.path))
    )
    if folders:
        return folders
    modules = tuple(
        entry.name
        for entry in entries
        if entry.is_file()
        and entry.name.endswith(SOURCES)
        and entry.name not in _OTHER_FILES
        and not entry.name.startswith(("test_", "."))
    )
    return modules or (".",)


def _below(folder: Path) -> Iterator[Path]:
    """Yield what is in a folder and in the folders of it."""
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            yield path
            yield from sorted(path.iterdir()) if path.is_dir() else ()


def _is_package(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("__init__.py", "__init__.pyi", "py.typed"))


def _is_source(path: Path) -> bool:
    return path.suffix in SOURCES and path.is_file()
