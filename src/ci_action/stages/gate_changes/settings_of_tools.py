"""What a change makes less strict in the configuration of coverage, pytest, Black, Ruff, bandit, hadolint and squawk. Pure."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from ci_action.project.file_kinds import PYTEST_FILES
from ci_action.stages.gate_changes.configs import Config, Side, config_of, place_in
from ci_action.stages.gate_changes.loosened import (
    ADDED_IGNORE,
    Comparison,
    Loosened,
    Seen,
    below,
    fewer,
    loosened,
    minimum,
    more,
    number,
    pattern,
    tried,
)
from ci_action.stages.gate_changes.options import options
from ci_action.stages.gate_changes.ruff import ruff
from ci_action.system.errors import ToolError

# What coverage excludes anyway (coverage.config.DEFAULT_EXCLUDE).
_PRAGMA: Final = re.compile(r".*pragma.*no.*cover.*", re.IGNORECASE)
_RECURSION: Final = ("*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}")


def _entries(split: Callable[[str], Sequence[str]], value: object) -> tuple[str, ...] | None:
    """Return the entries of a list, or of a text; None if it is neither."""
    if isinstance(value, str):
        return tuple(split(value))
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    return None


def _words(value: object) -> tuple[str, ...] | None:
    try:
        return _entries(shlex.split, value)
    except ValueError as error:
        raise ToolError(f"{str(value)[:80]!r} cannot be split into words: {error}") from error


def _items(value: object) -> tuple[str, ...] | None:
    return _entries(lambda text: [item.strip() for item in re.split(r"[,\n]", text) if item.strip()], value)


def _lines(value: object) -> tuple[str, ...] | None:
    found = _entries(lambda text: [line.strip() for line in text.splitlines() if line.strip()], value)
    return found and tuple(line for line in found if not _PRAGMA.match(line))


def _number(value: object) -> Decimal:
    found = number(value)
    if found is None:
        raise ToolError(f"{str(value)[:80]!r} is not a number")
    return found


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _fewer_tests(before: Sequence[str] | None, after: Sequence[str] | None) -> Iterator[Seen]:
    """Compare the tests of bandit, which runs all of them without an entry."""
    if before is not None and after:
        yield from fewer(rule=ADDED_IGNORE)(before or ("all tests",), after)


def _more_registries(before: Sequence[str] | None, after: Sequence[str] | None) -> Iterator[Seen]:
    """Compare the registries that hadolint allows: all of them without an entry."""
    if before and after is not None:
        yield from more(before, after or ("all registries",))


@dataclass(frozen=True)
class _Setting:
    """A key in the configuration of a tool: how its value is read and compared."""

    key: tuple[str, ...]
    read: Callable[[object], Any]
    compare: Comparison
    default: Any = ()
    """The value of a key that is not set; None if it is unknown."""

    def value(self, config: Config | None) -> Any:
        """Return the value in a configuration; raises `ToolError`."""
        given = config.value(*self.key) if config else None
        if given is None or config is None:
            return self.default
        try:
            return self.read(given)
        except ToolError as error:
            raise ToolError(f"`{self.key[-1]}` of {config.path}: {error.reason}") from error


_SETTINGS: Final[Mapping[str, Sequence[_Setting]]] = {
    "coverage": (
        _Setting(("run", "omit"), _items, more),
        _Setting(("report", "omit"), _items, more),
        _Setting(("report", "exclude_lines"), _lines, more),
        _Setting(("report", "exclude_also"), _lines, more),
        _Setting(("run", "source"), _items, fewer(below), None),
        _Setting(("run", "source_pkgs"), _items, fewer(), None),
        _Setting(("run", "include"), _items, fewer(), None),
        _Setting(("report", "include"), _items, fewer(), None),
        _Setting(("report", "fail_under"), _number, minimum, None),
    ),
    "pytest": (
        _Setting(("testpaths",), _words, fewer(below), (".",)),
        _Setting(("python_files",), _words, fewer(), PYTEST_FILES),
        _Setting(("python_classes",), _words, fewer(), ("Test",)),
        _Setting(("python_functions",), _words, fewer(), ("test",)),
        _Setting(("norecursedirs",), _words, more, _RECURSION),
        _Setting(("addopts",), _words, options("pytest")),
    ),
    "Black": tuple(
        _Setting((key,), _text, pattern, "") for key in ("exclude", "extend-exclude", "force-exclude")
    ),
    "Ruff": (),
    "bandit": (
        _Setting(("exclude_dirs",), _items, more),
        _Setting(("skips",), _items, more),
        _Setting(("tests",), _items, _fewer_tests),
    ),
    "hadolint": (
        _Setting(("ignored",), _items, more),
        *(_Setting(("override", level), _items, more) for level in ("info", "style")),
        _Setting(("trustedRegistries",), _items, _more_registries),
    ),
    "squawk": (_Setting(("excluded_rules",), _items, more),),
    "`.bandit`": tuple(_Setting((key,), _items, more) for key in ("exclude", "skips", "skip")),
}


def compare(before: Side, after: Side, problems: list[str]) -> Iterator[Loosened]:
    """Yield what is less strict; values that cannot be read are added to `problems`, and not compared."""
    for tool, settings in _SETTINGS.items():
        both = tried(problems, lambda tool: [config_of(side, tool) for side in (before, after)], tool)
        if len(both) < len((before, after)):
            continue
        for setting in settings:
            yield from tried(problems, _compared, tool, setting, *both)
        if tool == "Ruff":
            yield from ruff(*both)


def _compared(tool: str, setting: _Setting, old: Config | None, new: Config | None) -> Iterator[Loosened]:
    label = f"`{setting.key[-1]}` of {tool}"
    before, after = setting.value(old), setting.value(new)
    return loosened(label, setting.compare, before, after, place_in(old, new, setting.key))


def of_pytest(side: Side, key: str) -> tuple[str, ...]:
    """Return the entries of a setting of pytest; its default if there are none, or they cannot be read."""
    setting = next(one for one in _SETTINGS["pytest"] if one.key == (key,))
    found = tried([], lambda: setting.value(config_of(side, "pytest")) or ())
    return tuple(found) or setting.default
