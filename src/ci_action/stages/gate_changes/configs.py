"""Which configuration file a tool goes by, out of the texts of the files: by the tool's own order. Nothing is read here."""

import configparser
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from ci_action.project.config_files import from_yaml
from ci_action.project.file_kinds import BANDIT_FILES, RUFF_FILES
from ci_action.stages.gate_changes.places import line_of

PYPROJECT: Final = "pyproject.toml"
# In each folder, the strongest first (docs.pytest.org/en/stable/reference/customize.html#initialization-determining-rootdir-and-configfile).
_PYTEST: Final = (
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    PYPROJECT,
    "tox.ini",
    "setup.cfg",
)
_COVERAGE: Final = (".coveragerc", "setup.cfg", "tox.ini", PYPROJECT)
_RUFF: Final = (*RUFF_FILES, PYPROJECT)
_BANDIT: Final = (PYPROJECT, *BANDIT_FILES, ".bandit")
NAMES: Final = frozenset({*_PYTEST, *_COVERAGE, *_RUFF, *_BANDIT})
_INI_OF_COVERAGE: Final = ("run", "report")


class UnreadableError(Exception):
    """A file cannot be read as what it is; the text says which and why."""


@dataclass(frozen=True)
class Side:
    """The configuration files of one side of a change: their texts, by paths relative to the workspace."""

    texts: Mapping[str, str]
    folders: tuple[str, ...] = ("",)
    """The project's folder, then those above it in the workspace; the workspace itself is empty."""

    def paths(self, names: Iterable[str], *, near: bool = False) -> Iterator[str]:
        """Yield the files of these names that exist, the strongest first; `near`: in the project's folder alone."""
        wanted = tuple(names)
        for folder in self.folders[:1] if near else self.folders:
            for name in wanted:
                path = f"{folder}/{name}" if folder else name
                if path in self.texts:
                    yield path

    @cached_property
    def _parsed(self) -> dict[str, Mapping[str, Any]]:
        return {}

    def parsed(self, path: str) -> Mapping[str, Any]:
        """Return the content of a file of TOML, INI or YAML; raises `UnreadableError`."""
        if path not in self._parsed:
            self._parsed[path] = _parse(path, self.texts[path])
        return self._parsed[path]


@dataclass(frozen=True, kw_only=True)
class Config:
    """The table of a tool in one file."""

    path: str
    text: str
    section: tuple[str, ...]
    """The names of the sections around the table."""
    table: Mapping[str, Any]
    joined: str = ""
    """What stands between the name of a table and its sections in an INI file: `coverage:` of `[coverage:run]`."""

    def value(self, *key: str) -> Any:
        """Return the value of a key; None if it is not set."""
        found: Any = self.table
        for name in key:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def line(self, key: Sequence[str], entry: str = "") -> int | None:
        """Return the line of an entry, else of its key, else of its section."""
        names = (f"{self.joined}{key[0]}", *key[1:]) if self.joined and len(key) > 1 else key
        return line_of(self.text, (*self.section, *names), entry)


def _parse(path: str, text: str) -> Mapping[str, Any]:
    try:
        if path.endswith(".toml"):
            return tomllib.loads(text)
        if path.endswith((".yaml", ".yml")):
            found = from_yaml(text)
            return found if isinstance(found, dict) else {}
        parser = configparser.ConfigParser(interpolation=None, allow_no_value=True)
        parser.read_string(text)
        return {name: dict(parser.items(name)) for name in parser.sections()}
    except (ValueError, RecursionError, configparser.Error) as error:
        raise UnreadableError(f"{path} cannot be read: {' '.join(str(error).split())[:200]}") from error


def _config(side: Side, path: str, section: tuple[str, ...]) -> Config | None:
    """Return the table at these sections of a file; None if the file has none."""
    table: Any = side.parsed(path)
    for name in section:
        table = table.get(name) if isinstance(table, Mapping) else None
    if not isinstance(table, Mapping):
        return None
    return Config(path=path, text=side.texts[path], section=section, table=table)


def _empty(side: Side, path: str) -> Config:
    return Config(path=path, text=side.texts[path], section=(), table={})


def pytest(side: Side) -> Config | None:
    """Return the configuration of pytest."""
    for path in side.paths(_PYTEST):
        name = path.rpartition("/")[2]
        if name == PYPROJECT:
            found = _config(side, path, ("tool", "pytest", "ini_options")) or _config(
                side, path, ("tool", "pytest")
            )
        elif name.endswith(".toml"):
            found = _config(side, path, ("pytest",)) or _empty(side, path)
        else:
            found = _config(side, path, ("tool:pytest" if name == "setup.cfg" else "pytest",))
            # A file of pytest's own counts even if it is empty.
            found = found or (_empty(side, path) if name.endswith("pytest.ini") else None)
        if found:
            return found
    return None


def coverage(side: Side) -> Config | None:
    """Return the configuration of coverage, which looks in the project's folder alone."""
    for path in side.paths(_COVERAGE, near=True):
        own = path.endswith(".coveragerc")
        if path.endswith(PYPROJECT):
            found = _config(side, path, ("tool", "coverage"))
        else:
            found = _ini_of_coverage(side, path, "" if own else "coverage:")
        if found and (found.table or own):
            return found
    return None


def _ini_of_coverage(side: Side, path: str, prefix: str) -> Config:
    document = side.parsed(path)
    if not prefix and any(name.startswith("coverage:") for name in document):
        prefix = "coverage:"
    table = {name: document[f"{prefix}{name}"] for name in _INI_OF_COVERAGE if f"{prefix}{name}" in document}
    return Config(path=path, text=side.texts[path], section=(), table=table, joined=prefix)


def black(side: Side) -> Config | None:
    """Return the configuration of Black."""
    found = (_config(side, path, ("tool", "black")) for path in side.paths([PYPROJECT]))
    return next(filter(None, found), None)


def ruff(side: Side) -> Config | None:
    """Return the configuration of Ruff."""
    for path in side.paths(_RUFF):
        found = _config(side, path, ("tool", "ruff") if path.endswith(PYPROJECT) else ())
        if found:
            return found
    return None


def bandit(side: Side) -> Config | None:
    """Return the configuration of bandit, without the options of a `.bandit` file."""
    for path in side.paths(_BANDIT):
        name = path.rpartition("/")[2]
        if name == ".bandit":
            continue
        found = _config(side, path, ("tool", "bandit") if name == PYPROJECT else ())
        if found:
            return found
    return None


def bandit_options(side: Side) -> Config | None:
    """Return the options in a `.bandit` file; one that is YAML is a configuration of its own, and is not compared."""
    for path in side.paths([".bandit"]):
        if "[bandit]" in side.texts[path] and (found := _config(side, path, ("bandit",))):
            return found
    return None


def own(side: Side) -> Config | None:
    """Return `[tool.ci-action]`: of the project's folder, else of the workspace."""
    folders = dict.fromkeys((side.folders[0], ""))
    for folder in folders:
        path = f"{folder}/{PYPROJECT}" if folder else PYPROJECT
        if path in side.texts and (found := _config(side, path, ("tool", "ci-action"))):
            return found
    return None


READERS: Final[Mapping[str, Callable[[Side], Config | None]]] = {
    "coverage": coverage,
    "pytest": pytest,
    "Black": black,
    "Ruff": ruff,
    "bandit": bandit,
    "`.bandit`": bandit_options,
}
