"""What a change loosens in the configuration of coverage, pytest, Black, Ruff and bandit. Nothing is read here."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ci_action.project.file_kinds import PYTEST_FILES
from ci_action.stages.gate_changes import options
from ci_action.stages.gate_changes.configs import READERS, Config, Side, UnreadableError
from ci_action.stages.gate_changes.loosened import (
    ADDED_IGNORE,
    LOWER_MINIMUM,
    NARROWER_PATHS,
    Loosened,
    added,
    below,
    counted,
    grown,
    listed,
    lower,
    number,
)
from ci_action.stages.gate_changes.rules_of_ruff import ruff

# What coverage takes for excluded anyway (coverage.config.DEFAULT_EXCLUDE).
_PRAGMA: Final = re.compile(r".*pragma.*no.*cover.*", re.IGNORECASE)
_RECURSION: Final = ("*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _items(text: str) -> list[str]:
    return [item.strip() for item in re.split(r"[,\n]", text) if item.strip()]


def words(text: str) -> list[str]:
    """Split a text like a shell; raises `UnreadableError` where the quotes do not match."""
    try:
        return shlex.split(text, comments=False)
    except ValueError as error:
        raise UnreadableError(f"{text[:80]!r} cannot be split into words: {error}") from error


def entries(value: object, split: Callable[[str], Sequence[str]]) -> tuple[str, ...] | None:
    """Return the entries of a list, or of a text that stands for one; None if it is not set, or neither."""
    if isinstance(value, str):
        return tuple(split(value))
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    return None


@dataclass(frozen=True, kw_only=True)
class _List:
    """A list: more entries, or fewer, are less strict."""

    key: tuple[str, ...]
    split: Callable[[str], Sequence[str]]
    fewer: bool = False
    """Whether it names what is looked at, so that fewer entries are less strict."""
    default: tuple[str, ...] | None = ()
    """What counts if it is not set; None if that cannot be known."""
    covers: Callable[[str, str], bool] | None = None
    passed_over: re.Pattern[str] | None = None
    """Entries that change nothing."""

    def of(self, config: Config | None) -> tuple[str, ...] | None:
        found = entries(config.value(*self.key), self.split) if config else None
        if config and found is None and config.value(*self.key) is not None:
            return None
        return self.default if found is None else found


_LISTS: Final[Mapping[str, Sequence[_List]]] = {
    "coverage": (
        _List(key=("run", "omit"), split=_items),
        _List(key=("report", "omit"), split=_items),
        _List(key=("report", "exclude_lines"), split=_lines, passed_over=_PRAGMA),
        _List(key=("report", "exclude_also"), split=_lines, passed_over=_PRAGMA),
        _List(key=("run", "source"), split=_items, fewer=True, default=None, covers=below),
        _List(key=("run", "source_pkgs"), split=_items, fewer=True, default=None),
        _List(key=("run", "include"), split=_items, fewer=True, default=None),
        _List(key=("report", "include"), split=_items, fewer=True, default=None),
    ),
    "pytest": (
        _List(key=("testpaths",), split=words, fewer=True, default=(".",), covers=below),
        _List(key=("python_files",), split=words, fewer=True, default=PYTEST_FILES),
        _List(key=("python_classes",), split=words, fewer=True, default=("Test",)),
        _List(key=("python_functions",), split=words, fewer=True, default=("test",)),
        _List(key=("norecursedirs",), split=words, default=_RECURSION),
    ),
    "bandit": (
        _List(key=("exclude_dirs",), split=_items),
        _List(key=("skips",), split=_items),
    ),
    "`.bandit`": (
        _List(key=("exclude",), split=_items),
        _List(key=("skips",), split=_items),
        _List(key=("skip",), split=_items),
    ),
}
_PATTERNS: Final[Mapping[str, Sequence[str]]] = {"Black": ("exclude", "extend-exclude", "force-exclude")}


def compare(before: Side, after: Side, problems: list[str]) -> Iterator[Loosened]:
    """Yield what is less strict; what cannot be read on one side is added to `problems`, and not compared."""
    for tool, reader in READERS.items():
        try:
            old, new = reader(before), reader(after)
            yield from [*_of_tool(tool, old, new)]
        except UnreadableError as error:
            problems.append(str(error))


def _of_tool(tool: str, old: Config | None, new: Config | None) -> Iterator[Loosened]:
    for one in _LISTS.get(tool, ()):
        yield from _of_list(tool, one, old, new)
    for key in _PATTERNS.get(tool, ()):
        yield from _of_pattern(tool, key, old, new)
    if tool == "coverage":
        yield from _minimum(tool, ("report", "fail_under"), old, new)
    elif tool == "pytest":
        yield from _addopts(old, new)
    elif tool == "Ruff":
        yield from ruff(old, new)
    elif tool == "bandit":
        yield from _tests_of_bandit(old, new)


def _of_list(tool: str, one: _List, old: Config | None, new: Config | None) -> Iterator[Loosened]:
    before, after = one.of(old), one.of(new)
    if before is None or after is None:
        return
    label = f"`{one.key[-1]}` of {tool}"
    if one.fewer:
        yield from fewer(label, before, after, one.covers, lambda entry: _at(old, new, one.key, entry))
        return
    fresh = [
        entry for entry in added(before, after) if not (one.passed_over and one.passed_over.match(entry))
    ]
    yield from more(label, fresh, lambda entry: _at(old, new, one.key, entry))


Where = Callable[[str], tuple[str, int | None]]


def more(label: str, fresh: Sequence[str], where: Where) -> Iterator[Loosened]:
    """Yield that a list of exceptions has new entries, on the line of the first."""
    if fresh:
        path, line = where(fresh[0])
        text = f"{label} has {counted(len(fresh), 'new entry')}: {listed(fresh)}"
        yield Loosened(rule=ADDED_IGNORE, message=text, path=path, line=line)


def fewer(
    label: str,
    before: Sequence[str],
    after: Sequence[str],
    covers: Callable[[str, str], bool] | None,
    where: Where,
) -> Iterator[Loosened]:
    """Yield that a list of what is looked at lacks entries that it had."""
    gone = added(after, before, covers)
    if not gone:
        return
    path, line = where(after[0] if after else "")
    now = f"is {listed(after)}" if after else "is empty"
    text = f"{label} {now}; at the base commit it also covers {listed(gone)}"
    yield Loosened(rule=NARROWER_PATHS, message=text, path=path, line=line)


def _at(
    old: Config | None, new: Config | None, key: Sequence[str], entry: str = ""
) -> tuple[str, int | None]:
    """Return the file and the line of an entry as it is now; the file as it was if there is none now."""
    if new:
        return new.path, new.line(key, entry)
    return (old.path, None) if old else ("", None)


def _of_pattern(tool: str, key: str, old: Config | None, new: Config | None) -> Iterator[Loosened]:
    before, after = (config.value(key) if config else None for config in (old, new))
    if not isinstance(after, str) or not isinstance(before, str | None) or before == after:
        return
    if found := grown(before or "", after):
        path, line = _at(old, new, (key,))
        text = f"`{key}` of {tool} also excludes {found[:200]!r}"
        yield Loosened(rule=ADDED_IGNORE, message=text, path=path, line=line)


def _minimum(tool: str, key: tuple[str, ...], old: Config | None, new: Config | None) -> Iterator[Loosened]:
    given = new.value(*key) if new else None
    if given is not None and number(given) is None:
        raise UnreadableError(f"`{key[-1]}` of {tool} = {str(given)[:80]!r} is not a number")
    before = number(old.value(*key)) if old else None
    if text := lower(f"`{key[-1]}` of {tool}", before, number(given)):
        path, line = _at(old, new, key)
        yield Loosened(rule=LOWER_MINIMUM, message=text, path=path, line=line)


def _addopts(old: Config | None, new: Config | None) -> Iterator[Loosened]:
    before, after = (entries(config.value("addopts"), words) if config else () for config in (old, new))
    for rule, text, word in options.compare("pytest", before or (), after or ()):
        path, line = _at(old, new, ("addopts",), word)
        yield Loosened(rule=rule, message=f"`addopts` of pytest: {text}", path=path, line=line)


def _tests_of_bandit(old: Config | None, new: Config | None) -> Iterator[Loosened]:
    """Yield that bandit runs fewer tests: without the key, or with an empty one, it runs all of them."""
    given = (config.value("tests") if config else None for config in (old, new))
    before, after = (() if value is None else entries(value, _items) for value in given)
    if before is None or not after:
        return
    gone = [test for test in before if test not in after]
    if before and not gone:
        return
    path, line = _at(old, new, ("tests",), after[0])
    was = listed(gone) if before else "all tests"
    text = f"`tests` of bandit is limited to {listed(after)}; at the base commit it also covers {was}"
    yield Loosened(rule=ADDED_IGNORE, message=text, path=path, line=line)


def selectors(side: Side) -> Sequence[str]:
    """Return the words of pytest's `addopts`; none if they cannot be read."""
    try:
        config = READERS["pytest"](side)
        return entries(config.value("addopts"), words) or () if config else ()
    except UnreadableError:
        return ()


def value_of(side: Side, tool: str, *key: str) -> Any:
    """Return a value of a tool's configuration; None if it is not set, or cannot be read."""
    try:
        config = READERS[tool](side)
    except UnreadableError:
        return None
    return config.value(*key) if config else None
