"""The configuration file that a tool uses, by the tool's own order of names, with the lines of keys and entries. Pure."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from ci_action.project.config_files import fields_of, from_yaml
from ci_action.project.file_kinds import BANDIT_FILES, HADOLINT_FILES, RUFF_FILES
from ci_action.system.errors import ToolError

PYPROJECT: Final = "pyproject.toml"
_OWN: Final = "ci-action"
_OPTIONS_OF_BANDIT: Final = ".bandit"
# Where a tool has its table: names of files, the strongest first, and sections (`[a:b]` of an INI file is b in a). None is
# an empty table: an own file of pytest or coverage counts also without a section.
_PLACES: Final[Mapping[str, Sequence[tuple[str, tuple[str, ...] | None]]]] = {
    # docs.pytest.org/en/stable/reference/customize.html#initialization-determining-rootdir-and-configfile
    "pytest": (
        *(
            (name, section)
            for name in ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini")
            for section in (("pytest",), None)
        ),
        (PYPROJECT, ("tool", "pytest", "ini_options")),
        (PYPROJECT, ("tool", "pytest")),
        ("tox.ini", ("pytest",)),
        ("setup.cfg", ("tool", "pytest")),
    ),
    "coverage": (
        *((".coveragerc", section) for section in (("coverage",), (), None)),
        ("setup.cfg", ("coverage",)),
        ("tox.ini", ("coverage",)),
        (PYPROJECT, ("tool", "coverage")),
    ),
    "Black": ((PYPROJECT, ("tool", "black")),),
    "Ruff": (*((name, ()) for name in RUFF_FILES), (PYPROJECT, ("tool", "ruff"))),
    "bandit": ((PYPROJECT, ("tool", "bandit")), *((name, ()) for name in BANDIT_FILES)),
    "hadolint": tuple((name, ()) for name in HADOLINT_FILES),
    "squawk": ((".squawk.toml", ()),),
    # A file of this name that is YAML is another configuration, and is not compared.
    "`.bandit`": ((_OPTIONS_OF_BANDIT, ("bandit",)),),
    _OWN: ((PYPROJECT, ("tool", _OWN)),),
}
NAMES: Final = frozenset(name for places in _PLACES.values() for name, _ in places)

_YAML: Final = (".yaml", ".yml")
_HEADER: Final = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(?:[#;].*)?$")
_KEY: Final = re.compile(
    r"""\s*(?:-\s+)?((?:"[^"]*"|'[^']*'|[\w.-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*[=:]"""
)
_PART: Final = re.compile(r'"([^"]*)"|\'([^\']*)\'|([^.:\s"\']+)')

Where = Callable[[str], tuple[str, int | None]]
"""The file and the line of an entry."""


@dataclass(frozen=True)
class Side:
    """The configuration files of one side of a change: their texts, by paths relative to the workspace."""

    texts: Mapping[str, str]
    folders: tuple[str, ...] = ("",)
    """The project's folder, then its parents in the workspace; the workspace itself is empty."""

    @cached_property
    def _parsed(self) -> dict[str, Mapping[str, Any]]:
        return {}

    def parsed(self, path: str) -> Mapping[str, Any]:
        """Return the content of a file of TOML, INI or YAML; raises `ToolError`."""
        if path not in self._parsed:
            self._parsed[path] = _parse(path, self.texts[path])
        return self._parsed[path]


@dataclass(frozen=True, kw_only=True)
class Config:
    """The table of a tool in one file."""

    path: str
    text: str
    section: tuple[str, ...] = ()
    """The names of the sections around the table."""
    table: Mapping[str, Any]

    def value(self, *key: str) -> Any:
        """Return the value of a key; None if it is not set."""
        return _at(self.table, key)

    def line(self, key: Sequence[str], entry: str = "") -> int | None:
        """Return the line of an entry, else of its key, else of its section."""
        path = (*self.section, *key)
        found = line_of(self.text, path, entry)
        return _line_in_yaml(self.text, path, entry) if found is None and self.path.endswith(_YAML) else found


def place_in(old: Config | None, new: Config | None, key: Sequence[str]) -> Where:
    """Return where the entries of a key are in the new file; in the old file, without a line, without a new one."""

    def place(entry: str) -> tuple[str, int | None]:
        if new:
            return new.path, new.line(key, entry)
        return (old.path, None) if old else ("", None)

    return place


def config_of(side: Side, tool: str) -> Config | None:
    """Return the configuration of a tool; None if there is none. Raises `ToolError`."""
    folders: Sequence[str] = side.folders
    if tool == "coverage":  # it searches one folder
        folders = folders[:1]
    elif tool == _OWN:
        folders = [*dict.fromkeys((folders[0], ""))]
    for folder in folders:
        for name, section in _PLACES[tool]:
            path = f"{folder}/{name}" if folder else name
            if path not in side.texts:
                continue
            table = _at(side.parsed(path), section) if section is not None else {}
            # coverage takes the next file if a section is empty.
            if isinstance(table, Mapping) and (table or section is None or tool != "coverage"):
                return Config(path=path, text=side.texts[path], section=section or (), table=table)
    return None


def own(side: Side) -> Config | None:
    """Return `[tool.ci-action]`: of the project's folder, else of the workspace. Raises `ToolError`."""
    return config_of(side, _OWN)


def _at(table: Any, names: Sequence[str]) -> Any:
    for name in names:
        table = table.get(name) if isinstance(table, Mapping) else None
    return table


def _parse(path: str, text: str) -> Mapping[str, Any]:
    try:
        if path.endswith(".toml"):
            return tomllib.loads(text)
        if path.endswith(_YAML):
            found = from_yaml(text)
            return found if isinstance(found, dict) else {}
        if path.endswith(_OPTIONS_OF_BANDIT) and "[bandit]" not in text:
            return {}
        return _ini(text)
    except (ValueError, RecursionError) as error:
        raise ToolError(f"{path} cannot be read: {' '.join(str(error).split())[:200]}") from error


def _ini(text: str) -> Mapping[str, Any]:
    import configparser  # few projects need it

    parser = configparser.ConfigParser(interpolation=None, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ValueError(str(error)) from error
    found: dict[str, Any] = {}
    # An option of [a] never hides a section [a:b].
    for name in sorted(parser.sections(), key=lambda name: ":" in name):
        outer, _, inner = name.partition(":")
        table = found.setdefault(outer, {})
        if inner:
            table[inner] = dict(parser.items(name))
        else:
            table.update(parser.items(name))
    return found


def _line_in_yaml(text: str, path: Sequence[str], entry: str) -> int | None:
    """Return the line of an entry below nested keys, which `line_of` does not know."""
    field = fields_of(text)
    for name in path:
        field = field.at(name)
    return field.line_of(entry)


def line_of(text: str, path: Sequence[str], entry: str = "") -> int | None:
    """Return the line of an entry in the value of a key, else of the key, else of its section; None if unknown.

    The parsers of TOML and INI do not report lines.
    """
    lines = text.split("\n")
    keys: list[int] = []
    heads: list[int] = []
    section: tuple[str, ...] = ()
    for number, line in enumerate(lines, 1):
        if match := _HEADER.match(line):
            section = _parts(match[1])
            heads += [number] if section == (*path[:-1],) else []
        elif (match := _KEY.match(line)) and (*section, *_parts(match[1])) == (*path,):
            keys.append(number)
    if keys:
        return _entry(lines, keys[0], entry) if entry else keys[0]
    return heads[0] if heads else None


def _entry(lines: Sequence[str], start: int, entry: str) -> int:
    """Return the first line of a value that holds an entry, else the first line of the value."""
    for number in range(start, len(lines) + 1):
        line = lines[number - 1]
        if number > start and _HEADER.match(line) and not line.strip().startswith(("'", '"')):
            break
        if entry in line:
            return number
    return start


def _parts(name: str) -> tuple[str, ...]:
    """Return the parts of a dotted name; quoted parts may hold dots."""
    return tuple("".join(groups) for groups in _PART.findall(name))
